use keroxio_core::{App, BackgroundJob, JobError};
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

    async fn run(self, app: App) -> Result<(), JobError> {
        Ok(service::sign(&app, self.note).await?)
    }
}
