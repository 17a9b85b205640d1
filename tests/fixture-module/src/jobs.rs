use keroxio_core::{App, BackgroundJob, Effects, JobError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::service::{self, NoteWritten};

/// Reacts to [`NoteWritten`].
#[derive(Serialize, Deserialize)]
pub struct SignNote {
    note: Uuid,
}

impl From<NoteWritten> for SignNote {
    fn from(event: NoteWritten) -> Self {
        Self { note: event.note }
    }
}

impl BackgroundJob for SignNote {
    const NAME: &'static str = "fixture.sign_note";

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(service::sign(&app, self.note).await?)
    }
}
