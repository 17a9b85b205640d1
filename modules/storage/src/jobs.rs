use chrono::Duration;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model;
use crate::settings::Store;

/// Deletes the file of an object that is no more. A file that is gone already is deleted.
#[derive(Serialize, Deserialize)]
pub struct DeleteFile {
    pub key: String,
}

impl BackgroundJob for DeleteFile {
    const NAME: &'static str = "storage.delete_file";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let store: Store = app.get()?;
        store.0.delete(&self.key).await.map_err(|e| JobError::Retry(anyhow::anyhow!("storage: {e}")))?;
        Ok(Effects::none())
    }
}

/// Deletes all files of an organization that is no more.
#[derive(Serialize, Deserialize)]
pub struct EraseFiles {
    pub organization: Uuid,
}

impl BackgroundJob for EraseFiles {
    const NAME: &'static str = "storage.erase_files";
    const PRIORITY: Priority = Priority::Low;
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(600);

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let store: Store = app.get()?;
        let all = format!("{}/", self.organization);
        let deleted = store.0.delete_with(&all).recursive(true).await;
        deleted.map_err(|e| JobError::Retry(anyhow::anyhow!("storage: {e}")))?;
        let mut tx = app.begin().await?;
        model::delete_all(&mut tx, self.organization).await?;
        Ok(tx.into())
    }
}

/// Every night: files that were to be looked at once and that nobody came for, because a process ended between their
/// writing and its note, and those that were made for one download, are deleted.
#[derive(Serialize, Deserialize)]
pub struct SweepFiles;

impl BackgroundJob for SweepFiles {
    const NAME: &'static str = "storage.sweep";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn unique_key(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let keys = model::take_forgotten(&mut tx, app.now() - Duration::days(1)).await?;
        let jobs: Vec<_> = keys.into_iter().map(|key| DeleteFile { key }).collect();
        tx.enqueue_all(&jobs).await?;
        Ok(tx.into())
    }
}
