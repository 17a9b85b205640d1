use std::time::{Duration, Instant};

use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError, Priority, Queue};
use keroxio_plugin_sdk::{PlateReaders, PluginError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access;
use crate::service::{self, Outcome};

/// Finds and reads the plates of one photo.
#[derive(Serialize, Deserialize)]
pub struct ReadPlate {
    pub reading_id: Uuid,
    pub org_id: Uuid,
}

impl BackgroundJob for ReadPlate {
    const NAME: &'static str = "plates.read";
    const QUEUE: Queue = Queue::Inference;
    const PRIORITY: Priority = Priority::High;
    const MAX_ATTEMPTS: i32 = 3;
    const KEEP: Duration = Duration::from_secs(24 * 3_600);
    const CANCELLABLE: bool = true;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let Some(reading) = service::pending(&app, self.reading_id).await? else { return Ok(Effects::none()) };
        let own = access::usable(&app, reading.org_id).await?;
        let key = own.as_ref().map(|own| own.open(&app)).transpose()?;
        let readers = app.get::<PlateReaders>()?.with_key(key.as_deref());
        if readers.is_empty() {
            let why = Outcome::GivenUp("PLATE_READER_ACCESS_MISSING");
            return Ok(service::finish(&app, self.reading_id, why).await?);
        }
        let photo = keroxio_storage::service::photo(&app, reading.org_id, reading.photo_id).await?;
        keroxio_core::metrics::batch("plates", 1);
        let begun = Instant::now();
        let answer = readers.read(&photo).await;
        let by = answer.as_ref().map_or("none", |answer| &answer.manifest.id);
        keroxio_core::metrics::inferred("plates", by, answer.is_ok(), begun.elapsed());
        let failures = match &answer {
            Ok(answer) => answer.failures.iter().map(|(_, why)| why).collect(),
            Err(why) => vec![why],
        };
        if let Some(own) = own.filter(|_| failures.iter().any(|why| matches!(why, PluginError::Refused(_)))) {
            own.refuse(&app).await?;
        }
        let answer = answer.map_err(|e| JobError::new(e.is_lasting(), e))?;
        for (reader, why) in &answer.failures {
            tracing::warn!(reader, "a plate reader failed and another was asked: {why}");
        }
        Ok(service::finish(&app, self.reading_id, Outcome::Read(answer)).await?)
    }

    async fn gave_up(self, app: App, why: GivenUp) -> keroxio_core::Result<Effects> {
        let code = match why {
            GivenUp::Failed(_) => "PLATE_READING_FAILED",
            GivenUp::Cancelled => "PLATE_READING_CANCELLED",
        };
        service::finish(&app, self.reading_id, Outcome::GivenUp(code)).await
    }
}

/// Deletes examples whose time is over.
#[derive(Serialize, Deserialize)]
pub struct ForgetPlates;

impl BackgroundJob for ForgetPlates {
    const NAME: &'static str = "plates.forget";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn unique_key(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(service::forget(&app).await?)
    }
}
