//! Role `jobs`: the job runner's rows for operators.

use anyhow::Context as _;
use chrono::{Duration, Utc};
use keroxio_core::ledger::{self, JobFilter};

use crate::cli::JobsCommand;
use crate::migrate;

/// Prints one JSON line per job, or says how many jobs were changed.
pub async fn run(command: JobsCommand) -> anyhow::Result<()> {
    let conn = &mut migrate::connect().await?;
    match command {
        JobsCommand::List { state, most } => {
            let filter = JobFilter { state: Some(state), ..JobFilter::default() };
            for job in ledger::list(conn, &filter, None, most).await? {
                println!("{}", serde_json::to_string(&job)?);
            }
        }
        JobsCommand::Show { id } => {
            let job = ledger::show(conn, id).await?.context("no job has this id")?;
            println!("{}", serde_json::to_string_pretty(&job)?);
        }
        JobsCommand::Retry { ids, all } => {
            anyhow::ensure!(all == ids.is_empty(), "name dead jobs by their ids, or all of them by --all");
            let retried = ledger::retry(conn, &ids, Utc::now()).await?;
            eprintln!("{retried} jobs will run again");
        }
        JobsCommand::Purge { state, days } => {
            let before = Utc::now() - Duration::days(days.into());
            let purged = ledger::purge(conn, state, before).await?;
            eprintln!("{purged} jobs deleted");
        }
    }
    Ok(())
}
