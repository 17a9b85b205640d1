use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use fred::prelude::{EventInterface as _, PubsubInterface as _};
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio::sync::{OnceCell, broadcast};
use tokio_stream::wrappers::BroadcastStream;

use crate::{Actor, Redis, Result};

/// One message, as all who listen to it in this process share it.
#[derive(Clone)]
pub struct Wake(Arc<Shared>);

struct Shared {
    body: Value,
    reads: Mutex<HashMap<(Actor, TypeId), Arc<dyn Any + Send + Sync>>>,
}

impl Wake {
    fn new(body: Value) -> Self {
        Self(Arc::new(Shared { body, reads: Mutex::default() }))
    }

    /// What somebody sees of what changed, read once however many windows they have open. Everybody else reads for
    /// themselves, by their own rights. A reading that failed is none: the next window tries anew.
    pub async fn read<T, F>(&self, actor: &Actor, read: impl FnOnce() -> F) -> Option<T>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<Option<T>>>,
    {
        let cell = {
            let mut reads = self.0.reads.lock().unwrap_or_else(PoisonError::into_inner);
            let cell =
                reads.entry((*actor, TypeId::of::<T>())).or_insert_with(|| Arc::new(OnceCell::<Option<T>>::new()));
            Arc::clone(cell).downcast::<OnceCell<Option<T>>>().ok()?
        };
        // Boxed: the many who wait keep no room for the work of the one who reads.
        cell.get_or_try_init(|| Box::pin(read())).await.ok()?.clone()
    }
}

impl Deref for Wake {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0.body
    }
}

/// Wake-up messages between processes: "listing 7 changed". They carry no state that matters;
/// a subscription reads the state through its service, so authorisation is never bypassed.
#[derive(Clone)]
pub struct Live {
    redis: Redis,
    topics: Arc<Mutex<HashMap<String, broadcast::Sender<Wake>>>>,
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
                            let _ = sender.send(Wake::new(body));
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
    pub async fn subscribe(&self, topic: &str) -> Result<impl Stream<Item = Wake> + Send + use<>> {
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
        Ok(BroadcastStream::new(receiver).filter_map(|m| std::future::ready(m.ok())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{Credential, Rights};

    #[tokio::test]
    async fn each_reads_once_and_for_themselves() {
        let somebody = || Actor {
            user_id: Uuid::now_v7(),
            org_id: Uuid::now_v7(),
            credential: Credential::Session(Uuid::nil()),
            rights: Rights::NONE,
            limits: None,
            is_guest: false,
            staff: false,
        };
        let (wake, anne, paul) = (Wake::new(json!({ "id": 7 })), somebody(), somebody());
        assert_eq!(wake["id"], 7);
        let reads = AtomicUsize::new(0);
        let count = async || Ok(Some(reads.fetch_add(1, Ordering::Relaxed)));
        let failing = async || Err::<Option<usize>, _>(crate::Error::not_found("Chose", "Thing"));
        assert_eq!(wake.read(&anne, failing).await, None);
        let (a, b) = tokio::join!(wake.read(&anne, count), wake.read(&anne, count));
        assert_eq!((a, b, wake.read(&anne, count).await), (Some(0), Some(0), Some(0)));
        assert_eq!(wake.read(&paul, count).await, Some(1));
        assert_eq!(wake.read(&anne, async || Ok(Some("another thing"))).await, Some("another thing"));
    }
}
