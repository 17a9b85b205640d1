//! Enqueues jobs of every kind through the same bad network, until enough were accepted.

use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl as _;
use keroxio_core::{App, Result};
use uuid::Uuid;

use crate::module::{Followed, Ordered, Plain, Wish, accept, must_die};

const GROUP_OF: i64 = 50;
const LANES: i64 = 12;

/// Unique jobs come on top. A failed transaction may have been accepted or not; its numbers are never used again.
pub async fn enqueue(app: &App, jobs: i64) {
    let orgs: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    let (mut number, mut accepted) = (1, 0);
    while accepted < jobs {
        let turn = number / GROUP_OF;
        let group: Vec<i64> = (number..number + GROUP_OF).collect();
        number += GROUP_OF;
        let org = orgs[usize::try_from(turn).unwrap_or(0) % orgs.len()];
        let done = match turn % 10 {
            0 => ordered(app, &group).await,
            1 => batch(app, &group, org).await,
            2 => wishes(app, &group).await,
            _ => plain(app, &group, org).await,
        };
        match done {
            Ok(jobs) => accepted += jobs,
            Err(e) => {
                tracing::debug!("perhaps not accepted: {e}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn plain(app: &App, group: &[i64], org: Uuid) -> Result<i64> {
    let mut tx = app.begin().await?;
    let jobs: Vec<Plain> = group.iter().map(|number| Plain { number: *number, org }).collect();
    for number in group {
        accept(&mut tx, *number, "plain").await?;
    }
    tx.enqueue_all(&jobs).await?;
    tx.commit().await?;
    Ok(GROUP_OF)
}

async fn batch(app: &App, group: &[i64], org: Uuid) -> Result<i64> {
    let Some((follower, members)) = group.split_last() else { return Ok(0) };
    let mut tx = app.begin().await?;
    for number in members {
        accept(&mut tx, *number, "plain").await?;
    }
    accept(&mut tx, *follower, "follower").await?;
    let jobs: Vec<Plain> = members.iter().map(|number| Plain { number: *number, org }).collect();
    tx.enqueue_batch(&jobs, &Followed { number: *follower }).await?;
    tx.commit().await?;
    Ok(GROUP_OF)
}

async fn ordered(app: &App, group: &[i64]) -> Result<i64> {
    let mut tx = app.begin().await?;
    let mut jobs = Vec::new();
    for number in group.iter().copied().filter(|number| !must_die(*number)) {
        accept(&mut tx, number, "ordered").await?;
        jobs.push(Ordered { number, lane: format!("lane {}", number % LANES) });
    }
    tx.enqueue_all(&jobs).await?;
    tx.commit().await?;
    Ok(i64::try_from(jobs.len()).unwrap_or(0))
}

async fn wishes(app: &App, group: &[i64]) -> Result<i64> {
    for number in group {
        let lane = format!("wish {}", number % LANES);
        let mut tx = app.begin().await?;
        diesel::sql_query(
            "INSERT INTO chaos_wishes (lane, wanted) VALUES ($1, $2) ON CONFLICT (lane) DO UPDATE SET wanted = $2",
        )
        .bind::<Text, _>(&lane)
        .bind::<BigInt, _>(*number)
        .execute(&mut *tx)
        .await?;
        tx.enqueue(&Wish { lane }).await?;
        tx.commit().await?;
    }
    Ok(0)
}
