use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
