//! What a process depends on, and whether it can be used right now.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::{Bool, Double};
use diesel_async::RunQueryDsl as _;
use fred::prelude::KeysInterface as _;
use fred::types::Expiration;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use uuid::Uuid;

use crate::App;

/// Time for each to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Clocks that differ by more, in seconds, make tokens and schedules go wrong.
const SKEW: f64 = 5.0;

/// What is wrong, and what to do: both may be shown to operators, and name no host and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub what: &'static str,
    pub remedy: &'static str,
}

impl Trouble {
    pub const fn new(what: &'static str, remedy: &'static str) -> Self {
        Self { what, remedy }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.what, self.remedy)
    }
}

pub type Verdict = Result<(), Trouble>;

/// How one dependency is looked at.
#[derive(Clone)]
pub struct Check {
    pub name: &'static str,
    look: Arc<dyn Fn(App) -> BoxFuture<'static, Verdict> + Send + Sync>,
}

impl Check {
    pub fn new<F: Future<Output = Verdict> + Send + 'static>(
        name: &'static str,
        look: impl Fn(App) -> F + Send + Sync + 'static,
    ) -> Self {
        Self { name, look: Arc::new(move |app| look(app).boxed()) }
    }

    async fn look(&self, app: &App) -> Verdict {
        let slow = Trouble::new("no answer in time", "See whether it is overloaded, or the network loses packets.");
        tokio::time::timeout(PATIENCE, (self.look)(app.clone())).await.unwrap_or(Err(slow))
    }
}

impl App {
    /// Looks at everything, all at once.
    pub async fn health(&self) -> Vec<(&'static str, Verdict)> {
        let own = [Check::new("postgresql", postgres), Check::new("redis", redis)];
        let checks = own.iter().chain(self.checks());
        join_all(checks.map(async |check| (check.name, check.look(self).await))).await
    }
}

#[derive(diesel::QueryableByName)]
struct Database {
    #[diesel(sql_type = Bool)]
    is_replica: bool,
    #[diesel(sql_type = Double)]
    now: f64,
}

async fn postgres(app: App) -> Verdict {
    let gone = |e: &dyn fmt::Display| {
        tracing::warn!("PostgreSQL: {e}");
        Trouble::new("unreachable", "See that it runs, and that DATABASE_URL names its host, user and password.")
    };
    let mut conn = app.conn().await.map_err(|e| gone(&e))?;
    let query = "SELECT pg_is_in_recovery() AS is_replica, extract(epoch FROM clock_timestamp())::float8 AS now";
    let database: Database = diesel::sql_query(query).get_result(&mut conn).await.map_err(|e| gone(&e))?;
    if database.is_replica {
        return Err(Trouble::new("read only, it is in recovery", "Point DATABASE_URL to the primary."));
    }
    let skew = database.now - chrono::Utc::now().timestamp_millis() as f64 / 1_000.0;
    if skew.abs() > SKEW {
        return Err(Trouble::new("its clock and ours differ by more than 5 s", "Keep both by NTP (timedatectl)."));
    }
    Ok(())
}

/// Written to, because a Redis that is full or a replica still answers.
async fn redis(app: App) -> Verdict {
    let key = app.redis().key(&format!("health:{}", Uuid::now_v7().simple()));
    let written = app.redis().commands().set::<(), _, _>(key, "", Some(Expiration::EX(10)), None, false).await;
    written.map_err(|e| {
        tracing::warn!("Redis: {e}");
        let told = e.details();
        if told.starts_with("READONLY") {
            Trouble::new("read only, it is a replica", "Point REDIS_URL to the primary.")
        } else if told.starts_with("OOM") {
            Trouble::new("out of memory", "Raise maxmemory; the policy must be noeviction, or jobs are lost.")
        } else if told.starts_with("MISCONF") {
            Trouble::new("it cannot write to its disk", "Free its disk, or see its log.")
        } else if told.starts_with("NOAUTH") || told.starts_with("WRONGPASS") {
            Trouble::new("it refuses our password", "Set the password in REDIS_URL.")
        } else {
            Trouble::new("unreachable", "See that it runs, and that REDIS_URL names its host and password.")
        }
    })
}
