use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::Answer;

/// One subscription on a connection of its own.
pub struct Subscription(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Subscription {
    pub(crate) async fn open(base: &str, token: &str, query: &str, variables: Value) -> Self {
        let mut request = format!("{}/graphql", base.replacen("http", "ws", 1)).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
        socket.send(Message::text(init.to_string())).await.unwrap();
        let payload = json!({ "query": query, "variables": variables });
        let subscribe = json!({ "id": "1", "type": "subscribe", "payload": payload });
        socket.send(Message::text(subscribe.to_string())).await.unwrap();
        let mut subscription = Self(socket);
        assert_eq!(subscription.message().await.unwrap()["type"], "connection_ack");
        subscription
    }

    async fn message(&mut self) -> Option<Value> {
        while let Some(message) = self.0.next().await {
            match message.unwrap() {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
        None
    }

    /// The next answer; `None` once the server has completed the subscription.
    pub async fn next(&mut self) -> Option<Answer> {
        loop {
            let mut message = self.message().await?;
            match message["type"].as_str() {
                Some("next") => return Some(Answer(message["payload"].take())),
                Some("complete") => return None,
                Some("ping") => self.0.send(Message::text(r#"{"type":"pong"}"#)).await.unwrap(),
                _ => panic!("unexpected message {message}"),
            }
        }
    }
}
