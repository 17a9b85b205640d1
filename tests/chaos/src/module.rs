//! The jobs that are run under fire. Their tables have no keys that would hide a second effect.

use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl as _;
use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError, JobRegistry, Module, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const TABLES: &str = "
    CREATE TABLE chaos_accepted (number bigint PRIMARY KEY, kind text NOT NULL);
    CREATE TABLE chaos_effects (id bigserial PRIMARY KEY, number bigint NOT NULL, lane text);
    CREATE TABLE chaos_farewells (number bigint NOT NULL);
    CREATE TABLE chaos_wishes (lane text PRIMARY KEY, wanted bigint NOT NULL, seen bigint NOT NULL DEFAULT 0);";

/// Faults are not the jobs' fault.
const PATIENCE: i32 = 40;
/// Numbers of jobs enqueued by jobs begin here.
const CHILDREN: i64 = 1_000_000_000;

pub fn must_die(number: i64) -> bool {
    number % 97 == 0
}

async fn note(tx: &mut Tx, number: i64, lane: Option<&str>) -> Result<()> {
    diesel::sql_query("INSERT INTO chaos_effects (number, lane) VALUES ($1, $2)")
        .bind::<BigInt, _>(number)
        .bind::<diesel::sql_types::Nullable<Text>, _>(lane)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes down what is accepted if this transaction is.
pub async fn accept(tx: &mut Tx, number: i64, kind: &str) -> Result<()> {
    diesel::sql_query("INSERT INTO chaos_accepted (number, kind) VALUES ($1, $2)")
        .bind::<BigInt, _>(number)
        .bind::<Text, _>(kind)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A little work, now and then a failure or a crash.
async fn toil() -> Result<(), JobError> {
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..15))).await;
    match rand::random_range(0..200) {
        0..4 => Err(JobError::Retry(anyhow::anyhow!("bad luck"))),
        4 => {
            tracing::debug!("this job crashes on purpose");
            #[expect(clippy::panic, reason = "a job may crash")]
            {
                panic!("a crash on purpose")
            }
        }
        _ => Ok(()),
    }
}

/// Some of these have to be given up, and some enqueue another.
#[derive(Serialize, Deserialize)]
pub struct Plain {
    pub number: i64,
    pub org: Uuid,
}

impl BackgroundJob for Plain {
    const NAME: &'static str = "chaos.plain";
    const MAX_ATTEMPTS: i32 = PATIENCE;
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        toil().await?;
        if must_die(self.number) {
            return Err(JobError::Discard(anyhow::anyhow!("this one has to die")));
        }
        let mut tx = app.begin().await?;
        note(&mut tx, self.number, None).await?;
        if self.number < CHILDREN && self.number % 10 == 3 {
            let child = CHILDREN + self.number * 97 + 1;
            accept(&mut tx, child, "plain").await?;
            tx.enqueue(&Self { number: child, org: self.org }).await?;
        }
        Ok(tx.into())
    }

    async fn gave_up(self, app: App, _why: GivenUp) -> Result<Effects> {
        let mut tx = app.begin().await?;
        diesel::sql_query("INSERT INTO chaos_farewells (number) VALUES ($1)")
            .bind::<BigInt, _>(self.number)
            .execute(&mut *tx)
            .await?;
        Ok(tx.into())
    }
}

/// Has to run after those of its lane that were enqueued before it.
#[derive(Serialize, Deserialize)]
pub struct Ordered {
    pub number: i64,
    pub lane: String,
}

impl BackgroundJob for Ordered {
    const NAME: &'static str = "chaos.ordered";
    const MAX_ATTEMPTS: i32 = PATIENCE;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn ordering_key(&self) -> Option<String> {
        Some(self.lane.clone())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        note(&mut tx, self.number, Some(&self.lane)).await?;
        Ok(tx.into())
    }
}

/// Follows a batch.
#[derive(Serialize, Deserialize)]
pub struct Followed {
    pub number: i64,
}

impl BackgroundJob for Followed {
    const NAME: &'static str = "chaos.followed";
    const MAX_ATTEMPTS: i32 = PATIENCE;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        note(&mut tx, self.number, None).await?;
        Ok(tx.into())
    }
}

/// Waits at most once per lane; it must see the newest wish that was accepted before it began.
#[derive(Serialize, Deserialize)]
pub struct Wish {
    pub lane: String,
}

impl BackgroundJob for Wish {
    const NAME: &'static str = "chaos.wish";
    const MAX_ATTEMPTS: i32 = PATIENCE;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.lane.clone())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        diesel::sql_query("UPDATE chaos_wishes SET seen = wanted WHERE lane = $1")
            .bind::<Text, _>(&self.lane)
            .execute(&mut *tx)
            .await?;
        Ok(tx.into())
    }
}

pub struct Chaos;

impl Module for Chaos {
    fn name(&self) -> &'static str {
        "chaos"
    }

    fn jobs(&self, jobs: &mut JobRegistry) {
        jobs.register::<Plain>().register::<Ordered>().register::<Followed>().register::<Wish>();
    }
}
