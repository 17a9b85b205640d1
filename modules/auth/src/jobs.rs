use chrono::Duration;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{accounts, links, model, trail};

/// Sends the link for a new password, where the address has an account.
#[derive(Serialize, Deserialize)]
pub struct BeginReset {
    pub email: String,
}

impl BackgroundJob for BeginReset {
    const NAME: &'static str = "auth.begin_reset";
    const PRIORITY: Priority = Priority::High;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        accounts::begin_reset(&mut tx, &self.email).await?;
        Ok(tx.into())
    }
}

/// Forgets sessions and links that ended long ago.
#[derive(Serialize, Deserialize)]
pub struct ForgetEnded;

impl BackgroundJob for ForgetEnded {
    const NAME: &'static str = "auth.forget_ended";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        model::forget_sessions(&mut tx, app.now() - Duration::days(30)).await?;
        links::forget(&app, &mut tx).await?;
        trail::forget(&mut tx).await?;
        Ok(tx.into())
    }
}
