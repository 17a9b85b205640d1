use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::market;

/// Keeps the market up to date with the model, and the metrics with the market.
#[derive(Serialize, Deserialize)]
pub struct KeepMarket;

impl BackgroundJob for KeepMarket {
    const NAME: &'static str = "pricing.keep_market";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn unique_key(&self) -> Option<String> {
        Some("market".to_owned())
    }

    /// A batch a run: whoever finds the batch full comes back.
    async fn run(self, app: App) -> Result<Effects, JobError> {
        let more = market::see_anew(&app).await?;
        let mut tx = app.begin().await?;
        if more {
            tx.enqueue(&Self).await?;
        }
        Ok(tx.into())
    }
}
