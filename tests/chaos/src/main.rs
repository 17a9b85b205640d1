#![doc = include_str!("../README.md")]

mod audit;
mod enqueuer;
mod fault;
mod module;
mod proxy;
mod stage;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use keroxio_core::telemetry::Telemetry;
use keroxio_core::{AppBuilder, Env, worker};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::module::Chaos;
use crate::stage::Stage;

const WORKERS: usize = 3;
/// Without any progress for this long something is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let log = std::env::var("KEROXIO_LOG").unwrap_or_else(|_| "warn".to_owned());
    let _traces = Telemetry::read(&Env::from_vars([("KEROXIO_LOG".to_owned(), log)])).start();
    match std::env::args().nth(1).as_deref() {
        Some("worker") => work().await,
        Some("run") => conduct().await,
        _ => anyhow::bail!("usage: keroxio-chaos run (settings SEED, JOBS, FAULTS, CRASH), or make chaos"),
    }
}

/// A worker process like any other.
async fn work() -> Result<()> {
    let stop = CancellationToken::new();
    let (mut term, told) = (signal(SignalKind::terminate())?, stop.clone());
    tokio::spawn(async move {
        term.recv().await;
        told.cancel();
    });
    let app = loop {
        match AppBuilder::default().start(&Env::from_process(), &[&Chaos]).await {
            Ok(app) => break app,
            // As a supervisor would.
            Err(e) => tracing::warn!("started again: {e:#}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    worker::run(app, worker::Concurrency { default: 16, inference: 1, outbound: 1 }, stop).await;
    Ok(())
}

fn number<T: std::str::FromStr>(name: &str, usual: T) -> Result<T> {
    match std::env::var(name) {
        Ok(text) => text.parse().ok().with_context(|| format!("{name}={text} is no number")),
        Err(_) => Ok(usual),
    }
}

async fn conduct() -> Result<()> {
    let (seed, jobs, faults) = (number("SEED", 1)?, number("JOBS", 10_000_i64)?, number("FAULTS", 60_usize)?);
    let crash = std::env::var("CRASH").is_ok_and(|crash| crash == "yes");
    let schedule = fault::schedule(seed, faults, crash);
    let mut kinds: Vec<_> = schedule.iter().map(|fault| fault.kind).collect();
    kinds.sort();
    kinds.dedup();
    let mut stage = Stage::set(WORKERS).await?;
    let app = AppBuilder::default().start(&Env::from_vars(stage.settings()), &[&Chaos]).await?;
    let enqueuer = tokio::spawn(async move { enqueuer::enqueue(&app, jobs).await });
    for (struck, fault) in schedule.iter().enumerate() {
        // Unique jobs leave no effects to count, so the last fault comes a little before the end.
        let from = jobs * 4 / 5 * i64::try_from(struck)? / i64::try_from(faults)?;
        wait_for(&stage, |progress| progress.ended >= from).await?;
        eprintln!("==> {from} jobs done; fault {} of {faults}: {:?}", struck + 1, fault.kind);
        fault::strike(&mut stage, *fault).await?;
    }
    enqueuer.await?;
    eprintln!("==> waiting for the last jobs");
    wait_for(&stage, |progress| progress.open == 0).await?;
    let audit = audit::audit(&mut stage.connect().await).await?;
    stage.strike().await?;
    let report = json!({
        "seed": seed, "jobs": audit.jobs, "faults": faults, "kinds": kinds.len(), "lost": audit.lost,
        "doubled": audit.doubled, "dead": audit.dead, "meant_to_die": audit.meant_to_die,
        "out_of_order": audit.out_of_order, "stale": audit.stale, "unasked": audit.unasked,
    });
    println!("{report}");
    let sound = [audit.lost, audit.doubled, audit.out_of_order, audit.stale, audit.unasked].iter().all(|n| *n == 0);
    anyhow::ensure!(sound && audit.dead >= audit.meant_to_die, "the audit found faults of ours");
    Ok(())
}

#[derive(Debug, PartialEq, diesel::QueryableByName)]
struct Progress {
    #[diesel(sql_type = BigInt)]
    open: i64,
    #[diesel(sql_type = BigInt)]
    ended: i64,
}

async fn progress(conn: &mut AsyncPgConnection) -> diesel::QueryResult<Progress> {
    let query = "SELECT (SELECT count(*) FROM core_jobs) AS open, \
        (SELECT count(*) FROM chaos_effects) + (SELECT count(*) FROM chaos_farewells) AS ended";
    diesel::sql_query(query).get_result(conn).await
}

async fn wait_for(stage: &Stage, enough: impl Fn(&Progress) -> bool) -> Result<()> {
    let mut conn = stage.connect().await;
    let (mut last, mut moved) = (None, Instant::now());
    loop {
        match progress(&mut conn).await {
            Ok(now) if enough(&now) => return Ok(()),
            Ok(now) => {
                if last.as_ref() != Some(&now) {
                    moved = Instant::now();
                }
                last = Some(now);
            }
            Err(_) => conn = stage.connect().await,
        }
        anyhow::ensure!(moved.elapsed() < PATIENCE, "stuck at {last:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
