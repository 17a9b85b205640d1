use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fred::prelude::{EventInterface as _, PubsubInterface as _};
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::{Redis, Result};

/// Wake-up messages between processes: "listing 7 changed". They carry no state that matters;
/// a subscription reads the state through its service, so authorisation is never bypassed.
#[derive(Clone)]
pub struct Live {
    redis: Redis,
    topics: Arc<Mutex<HashMap<String, broadcast::Sender<Value>>>>,
    changing: Arc<tokio::sync::Mutex<()>>,
}

impl Live {
    pub(crate) fn start(redis: Redis) -> Self {
        let live = Self { redis, topics: Arc::default(), changing: Arc::default() };
        let mut messages = live.redis.subscriber().message_rx();
        let topics = Arc::clone(&live.topics);
        tokio::spawn(async move {
            loop {
                match messages.recv().await {
                    Ok(message) => {
                        let body = message.value.as_str().and_then(|text| serde_json::from_str(&text).ok());
                        let topics = topics.lock().unwrap_or_else(PoisonError::into_inner);
                        if let (Some(body), Some(sender)) = (body, topics.get(&*message.channel)) {
                            // Nobody listening any more is not an error.
                            let _ = sender.send(body);
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => break,
                }
            }
        });
        live
    }

    /// Tells every process; a lost message only delays a subscriber until its next look.
    pub async fn publish(&self, topic: &str, message: &Value) {
        let channel = self.redis.key(&format!("live:{topic}"));
        let sent = self.redis.commands().publish::<i64, _, _>(channel, message.to_string()).await;
        if let Err(e) = sent {
            tracing::warn!(topic, "live message not published: {e}");
        }
    }

    /// Messages of a topic from now on. A slow reader loses intermediate ones, never the last.
    pub async fn subscribe(&self, topic: &str) -> Result<impl Stream<Item = Value> + Send + use<>> {
        let channel = self.redis.key(&format!("live:{topic}"));
        // One at a time: nobody's channel is given up while another begins to listen to it.
        let _changing = self.changing.lock().await;
        let (receiver, left) = {
            let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
            let receiver = topics.entry(channel.clone()).or_insert_with(|| broadcast::channel(64).0).subscribe();
            let left: Vec<String> = topics
                .iter()
                .filter(|(_, sender)| sender.receiver_count() == 0)
                .map(|(name, _)| name.clone())
                .collect();
            left.iter().for_each(|name| drop(topics.remove(name)));
            (receiver, left)
        };
        if !left.is_empty() {
            self.redis.subscriber().unsubscribe(left).await?;
        }
        self.redis.subscriber().subscribe(channel).await?;
        Ok(BroadcastStream::new(receiver).filter_map(|m| async move { m.ok() }))
    }
}
