//! What is not kept for ever.

use chrono::Duration;
use keroxio_core::{App, BackgroundJob, Effects, Error, JobError, Priority, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::holds::Kept;
use crate::{erasure, export, model};

/// Days after which a guest who did not come back is erased (C.8).
const GUESTS: i64 = 30;
/// Days for which files of an erased organization are looked for again.
const LATELY: i64 = 2;

/// Every night: exports nobody fetches any more, what no law wants kept any more, and guests who did not come back.
#[derive(Serialize, Deserialize)]
pub struct Forget;

impl BackgroundJob for Forget {
    const NAME: &'static str = "privacy.forget";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let idle = app.now() - Duration::days(GUESTS);
        let guests = keroxio_auth::service::idle_guests(&mut *app.conn().await?, idle).await?;
        for org in guests {
            // Once more while the first is under way does no harm.
            erasure::begin(&app, org).await?;
        }
        let mut tx = app.begin().await?;
        forget_exports(&mut tx).await?;
        forget_holds(&mut tx).await?;
        // What was being written while it was erased is there by now.
        for org in model::erased_since(&mut tx, app.now() - Duration::days(LATELY)).await? {
            erasure::delete(&mut tx, org).await?;
            keroxio_storage::service::erase(&mut tx, org).await?;
        }
        Ok(tx.into())
    }
}

async fn forget_exports(tx: &mut Tx) -> Result<()> {
    let before = tx.app().now() - export::KEPT;
    for export in model::take_old_exports(tx, before).await? {
        if let Some(object) = export.object_id {
            keroxio_storage::service::remove(tx, export.org_id, object).await?;
        }
    }
    Ok(())
}

async fn forget_holds(tx: &mut Tx) -> Result<()> {
    let now = tx.app().now();
    for mut erasure in model::with_holds(tx).await? {
        let mut kept: Vec<Kept> = serde_json::from_value(erasure.kept.clone()).map_err(Error::from)?;
        let rows = |kept: &[Kept]| kept.iter().map(|kept| kept.rows.len()).sum::<usize>();
        let before = rows(&kept);
        for hold in &mut kept {
            hold.rows.retain(|row| row.until > now);
        }
        kept.retain(|kept| !kept.rows.is_empty());
        if rows(&kept) < before {
            erasure.kept = serde_json::to_value(kept).map_err(Error::from)?;
            model::save_erasure(tx, &erasure).await?;
        }
    }
    Ok(())
}
