//! Who is next: the ids of waiting jobs in Redis, in an order that is fair to organizations.
//!
//! One sorted set per queue. The score of a job is its organization's turn: each of its waiting jobs
//! takes the next turn, and an organization that comes anew starts at the turn being served (start-time
//! fair queueing). A set holds a job once, however often it is added, so repeating is always safe; what
//! Redis forgets, the relay adds again from the rows.

use std::time::Instant;

use fred::error::ErrorKind;
use fred::interfaces::SortedSetsInterface as _;
use fred::prelude::Client;
use fred::types::SetOptions;
use fred::types::scripts::Script;
use fred::types::sorted_sets::ZCmp;
use uuid::Uuid;

use super::job::Queue;
use crate::Redis;

/// A row to be run, as the waiting set knows it.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub id: Uuid,
    pub queue: Queue,
    pub priority: i16,
    pub org_id: Option<Uuid>,
}

impl Ticket {
    /// None for a queue of another version.
    pub fn of(id: Uuid, queue: &str, priority: i16, org_id: Option<Uuid>) -> Option<Self> {
        Some(Self { id, queue: Queue::named(queue)?, priority, org_id })
    }
}

/// Scores of a priority start at its number times `class`; turns stay far below. Turns are spent only when
/// all tickets were new: repeats by the relay cost an organization nothing.
const ADD: &str = "
local class = 1e12
local empty = redis.call('ZCARD', KEYS[1]) == 0
if empty then redis.call('DEL', KEYS[2]) end
local serving, turns, members = {}, {}, {}
for at = 1, #ARGV, 3 do
  local id, priority, org = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local field = priority .. org
  local from = priority * class
  if not serving[priority] then
    local first = redis.call('ZRANGEBYSCORE', KEYS[1], from, '(' .. (from + class), 'WITHSCORES', 'LIMIT', 0, 1)
    serving[priority] = first[2] and tonumber(first[2]) or from
  end
  local turn = turns[field] or tonumber(redis.call('HGET', KEYS[2], field) or from)
  if turn < serving[priority] then turn = serving[priority] end
  turns[field] = turn + 1
  members[#members + 1] = turn
  members[#members + 1] = id
end
if redis.call('ZADD', KEYS[1], 'NX', unpack(members)) * 3 < #ARGV then return 0 end
for field, turn in pairs(turns) do redis.call('HSET', KEYS[2], field, string.format('%.0f', turn)) end
return 1";

/// How many wait, and about how many of them for one organization: the turns it has taken that are still
/// ahead of the turn being served.
const STANDING: &str = "
local class, own = 1e12, 0
for priority = 0, 2 do
  local from = priority * class
  local first = redis.call('ZRANGEBYSCORE', KEYS[1], from, '(' .. (from + class), 'WITHSCORES', 'LIMIT', 0, 1)
  local turn = redis.call('HGET', KEYS[2], priority .. ARGV[1])
  if first[2] and turn then own = own + math.max(0, tonumber(turn) - tonumber(first[2])) end
end
return {redis.call('ZCARD', KEYS[1]), own}";

/// Most tickets given to one call of the script, which holds up everything else in Redis meanwhile.
const AT_ONCE: usize = 500;

/// The set they came from, and ids with their turns.
type Taken = (String, Vec<(String, f64)>);

/// The waiting sets of every queue.
#[derive(Clone)]
pub(crate) struct Waiting {
    redis: Redis,
    add: Script,
    standing: Script,
}

impl Waiting {
    pub fn new(redis: Redis) -> Self {
        Self { redis, add: Script::from_lua(ADD), standing: Script::from_lua(STANDING) }
    }

    /// Both keys of a queue carry the same hash tag, so that they share a slot of a Redis Cluster.
    fn keys(&self, queue: Queue) -> [String; 2] {
        ["waiting", "turns"].map(|what| self.redis.key(&format!("{{jobs:{}}}:{what}", queue.name())))
    }

    /// Adds what does not wait yet. Answers nothing: a ticket lost is found again by the relay.
    ///
    /// # Errors
    /// When Redis fails; some tickets may have been added.
    pub async fn add(&self, tickets: &[Ticket]) -> Result<(), fred::error::Error> {
        for queue in Queue::ALL {
            let mine: Vec<&Ticket> = tickets.iter().filter(|ticket| ticket.queue == queue).collect();
            for group in mine.chunks(AT_ONCE) {
                let mut args: Vec<String> = Vec::with_capacity(group.len() * 3);
                for ticket in group {
                    let org = ticket.org_id.map(|org| org.simple().to_string()).unwrap_or_default();
                    args.extend([ticket.id.simple().to_string(), ticket.priority.to_string(), org]);
                }
                let keys = self.keys(queue).to_vec();
                let _: i64 = self.add.evalsha_with_reload(self.redis.commands(), keys, args).await?;
            }
        }
        Ok(())
    }

    /// Takes up to `most` ids whose turn it is, with their turns; waits up to `seconds` for the first.
    pub async fn take(
        &self,
        client: &Client,
        queue: Queue,
        most: usize,
        seconds: f64,
    ) -> Result<Vec<(Uuid, f64)>, fred::error::Error> {
        let [key, _] = self.keys(queue);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let begun = Instant::now();
        let taken: Result<Option<Taken>, _> = client.bzmpop(seconds, key, ZCmp::Min, Some(most)).await;
        let taken = match taken {
            // The client calls an answer without tickets a timeout, as it does a server that does not answer.
            Err(e) if *e.kind() == ErrorKind::Timeout && begun.elapsed().as_secs_f64() < seconds + 3.0 => None,
            taken => taken?,
        };
        Ok(taken
            .into_iter()
            .flat_map(|(_, members)| members)
            .filter_map(|(id, turn)| Some((id.parse().ok()?, turn)))
            .collect())
    }

    /// Puts tickets back where they were.
    pub async fn put_back(&self, queue: Queue, tickets: &[(Uuid, f64)]) -> Result<(), fred::error::Error> {
        let [key, _] = self.keys(queue);
        let members: Vec<(f64, String)> = tickets.iter().map(|(id, turn)| (*turn, id.simple().to_string())).collect();
        self.redis.commands().zadd(key, Some(SetOptions::NX), None, false, false, members).await
    }

    pub async fn len(&self, queue: Queue) -> Result<u64, fred::error::Error> {
        let [key, _] = self.keys(queue);
        self.redis.commands().zcard(key).await
    }

    /// How many wait, and about how many of them for this organization.
    pub async fn standing(&self, queue: Queue, org: Uuid) -> Result<(u64, u64), fred::error::Error> {
        let (keys, org) = (self.keys(queue).to_vec(), vec![org.simple().to_string()]);
        self.standing.evalsha_with_reload(self.redis.commands(), keys, org).await
    }

    /// Loses everything, as a Redis restarted empty does: for tests.
    pub async fn forget(&self) -> Result<(), fred::error::Error> {
        for queue in Queue::ALL {
            let keys = self.keys(queue).to_vec();
            fred::interfaces::KeysInterface::del::<(), _>(self.redis.commands(), keys).await?;
        }
        Ok(())
    }
}
