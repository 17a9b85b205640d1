//! The ways to break things, and their order.

use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use tokio::time::sleep;

use crate::stage::{LEASE, Stage, signal};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    KillWorker,
    FreezeWorker,
    FlushRedis,
    RestartRedis,
    CutRedis,
    SilenceRedis,
    CutPostgres,
    RefusePostgres,
    SilencePostgres,
    CrashPostgres,
}

const ALWAYS: [Kind; 9] = [
    Kind::KillWorker,
    Kind::FreezeWorker,
    Kind::FlushRedis,
    Kind::RestartRedis,
    Kind::CutRedis,
    Kind::SilenceRedis,
    Kind::CutPostgres,
    Kind::RefusePostgres,
    Kind::SilencePostgres,
];

#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub kind: Kind,
    /// Which worker, and how long.
    worker: usize,
    lasts: Duration,
}

/// Each kind about equally often, in an order that follows from the seed alone.
pub fn schedule(seed: u64, faults: usize, crash: bool) -> Vec<Fault> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut kinds = ALWAYS.to_vec();
    if crash {
        kinds.push(Kind::CrashPostgres);
    }
    let mut order: Vec<Kind> = kinds.iter().copied().cycle().take(faults).collect();
    order.shuffle(&mut random);
    let lengths = [150, 300, 600].map(Duration::from_millis);
    order
        .into_iter()
        .map(|kind| Fault {
            kind,
            worker: random.random_range(0..1_000),
            lasts: *lengths.choose(&mut random).unwrap_or(&lengths[0]),
        })
        .collect()
}

pub async fn strike(stage: &mut Stage, fault: Fault) -> Result<()> {
    let at = fault.worker % stage.workers.len();
    match fault.kind {
        Kind::KillWorker => {
            stage.workers[at].kill().await?;
            stage.workers[at] = stage.start_worker()?;
        }
        Kind::FreezeWorker => {
            let Some(pid) = stage.workers[at].id() else { return Ok(()) };
            signal("-STOP", pid).await?;
            // It wakes up and believes that its jobs are still its own.
            sleep(LEASE * 2).await;
            signal("-CONT", pid).await?;
        }
        Kind::FlushRedis => stage.flush_redis().await?,
        Kind::RestartRedis => stage.restart_redis().await?,
        Kind::CutRedis => stage.redis_proxy.cut(),
        Kind::SilenceRedis => {
            stage.redis_proxy.silence();
            sleep(fault.lasts).await;
            stage.redis_proxy.open();
        }
        Kind::CutPostgres => stage.postgres_proxy.cut(),
        Kind::RefusePostgres => {
            stage.postgres_proxy.refuse();
            sleep(fault.lasts).await;
            stage.postgres_proxy.open();
        }
        Kind::SilencePostgres => {
            stage.postgres_proxy.silence();
            sleep(fault.lasts).await;
            stage.postgres_proxy.open();
        }
        Kind::CrashPostgres => stage.crash_postgres().await?,
    }
    Ok(())
}
