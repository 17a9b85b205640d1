//! Token buckets in Redis, shared by all processes: how much somebody may still do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fred::types::scripts::Script;

use crate::{App, Error, ErrorCode, Redis};

/// Buckets that one process counts by itself before those that are full again are forgotten.
const OWN: usize = 10_000;
/// Longest wait for Redis.
const PATIENCE: Duration = Duration::from_millis(250);

/// Fills the bucket for the time that has passed, then takes if there is enough.
const TAKE: &str = "
local capacity, rate, cost, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(known[1]) or capacity, tonumber(known[2]) or now
left = math.min(capacity, left + math.max(0, now - at) * rate / 1000)
local enough = left >= cost
if enough then left = left - cost end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', tostring(math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / rate * 1000) + 1000)
return { enough and 1 or 0, tostring(left) }";

/// How much a bucket holds, and how fast it fills again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub capacity: f64,
    pub per_second: f64,
}

impl Bucket {
    /// So many within so long.
    pub const fn of(times: u32, within: Duration) -> Self {
        Self { capacity: times as f64, per_second: times as f64 / within.as_secs() as f64 }
    }
}

/// What is left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Whether there was enough.
    pub enough: bool,
    pub left: f64,
    /// Until there would be enough.
    pub wait: Duration,
}

impl Taken {
    /// Whole seconds to wait, one at least.
    pub fn seconds(&self) -> u64 {
        self.wait.as_secs_f64().ceil().max(1.0) as u64
    }

    /// # Errors
    /// `TOO_MANY_ATTEMPTS`, with the seconds to wait, where there was not enough.
    pub fn or_wait(self) -> Result<(), Error> {
        if self.enough {
            return Ok(());
        }
        let seconds = self.seconds();
        Err(Error::new(
            ErrorCode::TOO_MANY_ATTEMPTS,
            format!("Trop de tentatives. Réessayez dans {seconds} secondes."),
            format!("Too many attempts. Try again in {seconds} seconds."),
        )
        .with_detail("retryAfterSeconds", seconds))
    }
}

#[derive(Clone)]
pub(crate) struct Throttle {
    redis: Redis,
    take: Script,
    own: Arc<Mutex<HashMap<String, Level>>>,
}

/// What is left in a bucket that this process counts by itself.
struct Level {
    bucket: Bucket,
    left: f64,
    at: i64,
}

impl Level {
    /// What is in it at a later moment, in milliseconds.
    fn after(&self, now: i64) -> f64 {
        let seconds = (now - self.at).max(0) as f64 / 1_000.0;
        (self.left + seconds * self.bucket.per_second).min(self.bucket.capacity)
    }
}

impl Throttle {
    pub fn new(redis: Redis) -> Self {
        Self { redis, take: Script::from_lua(TAKE), own: Arc::default() }
    }

    /// The same without Redis, for this process alone.
    fn take_here(&self, name: &str, bucket: Bucket, cost: f64, now: i64) -> (bool, f64) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() >= OWN {
            own.retain(|_, level| level.after(now) < level.bucket.capacity);
        }
        let level = own.entry(name.to_owned()).or_insert(Level { bucket, left: bucket.capacity, at: now });
        let left = level.after(now);
        let enough = left >= cost;
        *level = Level { bucket, left: if enough { left - cost } else { left }, at: now };
        (enough, level.left)
    }

    async fn take(&self, name: &str, bucket: Bucket, cost: f64, now: i64) -> Result<(i64, f64), fred::error::Error> {
        let key = self.redis.key(&format!("bucket:{name}"));
        let args = [bucket.capacity.to_string(), bucket.per_second.to_string(), cost.to_string(), now.to_string()];
        let (enough, left): (i64, String) =
            self.take.evalsha_with_reload(self.redis.commands(), vec![key], args.to_vec()).await?;
        Ok((enough, left.parse().unwrap_or(0.0)))
    }
}

impl App {
    /// Takes from somebody's bucket. More than it holds is taken as all of it. While Redis is away each process counts
    /// for itself, from a full bucket: whoever is honest does not wait for it, and nobody guesses passwords meanwhile.
    pub async fn take(&self, name: &str, bucket: Bucket, cost: f64) -> Taken {
        let (cost, now) = (cost.clamp(0.0, bucket.capacity), self.now().timestamp_millis());
        let taken = self.throttle().take(name, bucket, cost, now);
        let (enough, left) = match tokio::time::timeout(PATIENCE, taken).await {
            Ok(Ok((enough, left))) => (enough == 1, left),
            failed => {
                tracing::warn!("this process counts by itself: {failed:?}");
                self.throttle().take_here(name, bucket, cost, now)
            }
        };
        let missing = if enough { 0.0 } else { (cost - left).max(0.0) };
        Taken { enough, left, wait: Duration::from_secs_f64(missing / bucket.per_second) }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Whose addresses it is one of: a household has a whole network of IPv6.
    pub fn network(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn neighbours_in_one_ipv6_network_are_one() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
