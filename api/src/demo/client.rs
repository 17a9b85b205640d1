use std::path::Path;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};

/// A client of the GraphQL API with an account of its own.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    pub async fn register(base: &str) -> anyhow::Result<Self> {
        let mut client = Self { http: reqwest::Client::new(), base: base.to_owned(), token: String::new() };
        let email = format!("demo-{}@example.org", uuid::Uuid::now_v7());
        let password = uuid::Uuid::new_v4().to_string();
        let input = json!({
            "email": email, "password": password,
            "organizationName": "Démonstration", "organizationKind": "PRIVATE_SELLER",
        });
        let data = client
            .call(
                "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }",
                json!({ "input": input }),
            )
            .await?;
        client.token =
            data.pointer("/register/accessToken").and_then(Value::as_str).context("no access token")?.to_owned();
        Ok(client)
    }

    /// Answers `data`, or the code and sentence of the first error.
    pub async fn call(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let request =
            self.http.post(format!("{}/graphql", self.base)).json(&json!({ "query": query, "variables": variables }));
        Self::data(self.authorized(request).send().await?.json().await?)
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    fn data(mut answer: Value) -> anyhow::Result<Value> {
        if let Some(error) = answer.pointer("/errors/0") {
            let code = error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or("GRAPHQL");
            let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
            anyhow::bail!("{code}: {message}");
        }
        Ok(answer.get_mut("data").map(Value::take).unwrap_or_default())
    }

    /// Uploads as the GraphQL multipart request specification says.
    pub async fn upload(&self, path: &Path) -> anyhow::Result<String> {
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let operations = json!({
            "query": "mutation($file: Upload!) { uploadPhoto(file: $file) { id } }",
            "variables": { "file": null },
        });
        let form = Form::new()
            .text("operations", operations.to_string())
            .text("map", r#"{"0":["variables.file"]}"#)
            .part("0", Part::bytes(bytes).file_name(name));
        let request = self.http.post(format!("{}/graphql", self.base)).multipart(form);
        let data = Self::data(self.authorized(request).send().await?.json().await?)?;
        Ok(data.pointer("/uploadPhoto/id").and_then(Value::as_str).context("no photo id")?.to_owned())
    }

    /// The bytes behind an address of ours.
    pub async fn download(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let start = ["/files/", "/p/"].iter().find_map(|start| url.find(start)).context("not a file address")?;
        let path = url.get(start..).unwrap_or_default();
        let answer = self.http.get(format!("{}{path}", self.base)).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Prints every step as it comes, until the listing is settled.
    pub async fn follow(&self, listing: &str) -> anyhow::Result<()> {
        let mut request = format!("{}/graphql", self.base.replacen("http", "ws", 1)).into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
        let init =
            json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", self.token) } });
        socket.send(Message::text(init.to_string())).await?;
        let query = "subscription($id: UUID!) { listingProgress(listingId: $id) { seq step state percent message } }";
        let subscribe =
            json!({ "id": "1", "type": "subscribe", "payload": { "query": query, "variables": { "id": listing } } });
        socket.send(Message::text(subscribe.to_string())).await?;
        while let Some(message) = socket.next().await {
            let Message::Text(text) = message? else { continue };
            let message: Value = serde_json::from_str(&text)?;
            match message.get("type").and_then(Value::as_str) {
                Some("next") => print_step(&Self::data(message.get("payload").cloned().unwrap_or_default())?),
                Some("error") => anyhow::bail!("subscription: {message}"),
                Some("complete") => return Ok(()),
                Some("ping") => socket.send(Message::text(r#"{"type":"pong"}"#)).await?,
                _ => {}
            }
        }
        anyhow::bail!("the connection ended before the listing was settled")
    }
}

fn print_step(data: &Value) {
    let field = |name: &str| data.pointer(&format!("/listingProgress/{name}")).cloned().unwrap_or_default();
    let text = |name: &str| field(name).as_str().unwrap_or_default().to_owned();
    let message = text("message");
    let step = field("step").as_str().unwrap_or("LISTING").to_owned();
    let note = if message.is_empty() { message } else { format!("  {message}") };
    eprintln!("    {:>3} %  {:<12} {:<12}{note}", field("percent"), step, text("state"));
}
