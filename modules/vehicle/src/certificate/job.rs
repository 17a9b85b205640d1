use async_graphql::MaybeUndefined;
use keroxio_core::metrics::inference;
use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError, Priority, Queue, Result, Tx};
use keroxio_plugin_sdk::TextLine;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Certificate, ReadField, last, parse, reader, save};
use crate::input::VehicleInput;
use crate::registry::{as_registered, written};
use crate::service;
use crate::statements::{FactOrigin, Speaker};

/// A field that is read less surely is shown, and stated by the seller.
const SURE: f64 = 0.8;

/// Reads the photo of a certificate, notes what it says of the car, and deletes the photo.
#[derive(Serialize, Deserialize)]
pub struct ReadCertificate {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
    pub object_id: Uuid,
}

impl BackgroundJob for ReadCertificate {
    const NAME: &'static str = "vehicle.read_certificate";
    const QUEUE: Queue = Queue::Inference;
    const PRIORITY: Priority = Priority::High;
    const MAX_ATTEMPTS: i32 = 3;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let current = last(&mut *app.conn().await?, self.vehicle_id).await?;
        // Another photo came after this one, or the car is gone.
        if current.and_then(|reading| reading.object_id) != Some(self.object_id) {
            let mut tx = app.begin().await?;
            keroxio_storage::service::remove(&mut tx, self.org_id, self.object_id).await?;
            return Ok(tx.into());
        }
        let reader = reader(&app).map_err(|e| JobError::Discard(e.into()))?;
        let photo = keroxio_storage::service::photo(&app, self.org_id, self.object_id).await?;
        let lines = inference("certificate", &reader.manifest().id, reader.read_text(&photo)).await;
        let lines = lines.map_err(|e| JobError::new(e.is_lasting(), e))?;
        let by = format!("{} {}", reader.manifest().id, reader.manifest().version);
        Ok(self.note(&app, &lines, by).await?)
    }

    async fn gave_up(self, app: App, _why: GivenUp) -> Result<Effects> {
        let mut tx = app.begin().await?;
        self.end(&mut tx, "failed", &[], None).await?;
        Ok(tx.into())
    }
}

impl ReadCertificate {
    async fn note(&self, app: &App, lines: &[TextLine], by: String) -> Result<Effects> {
        let mut certificate = parse(lines);
        let mut tx = app.begin().await?;
        // Another paper may hold a date or a number too.
        if !certificate.is_one() {
            self.end(&mut tx, "failed", &[], Some(by)).await?;
            return Ok(tx.into());
        }
        if let Ok(vehicle) = service::locked(&mut tx, self.org_id, self.vehicle_id).await {
            let sure = certificate.only_sure(SURE);
            let (mut said, mut facts) = as_registered(&written(sure.car), &vehicle, app.now());
            let plate = sure.plate.map_or(MaybeUndefined::Undefined, MaybeUndefined::Value);
            // What could not be this car's plate is left out, as any other fact.
            if let Ok(given) = (VehicleInput { plate, ..VehicleInput::default() }).apply(&mut said, app.now()) {
                facts.extend(given);
            }
            for field in &mut certificate.fields {
                field.fact =
                    field.fact.take().filter(|fact| field.confidence >= SURE && facts.contains(&fact.as_str()));
            }
            let used = certificate.fields.iter().filter(|field| field.fact.is_some());
            let least = used.map(|field| field.confidence).fold(1.0, f64::min);
            let speaker = Speaker { origin: FactOrigin::Certificate, user_id: None, confidence: Some(least) };
            service::hear(&mut tx, vehicle, &said, speaker, &facts).await?;
        }
        self.end(&mut tx, "done", &certificate.fields, Some(by)).await?;
        Ok(tx.into())
    }

    async fn end(&self, tx: &mut Tx, state: &str, fields: &[ReadField], by: Option<String>) -> Result<()> {
        keroxio_storage::service::remove(tx, self.org_id, self.object_id).await?;
        let Some(mut reading) = last(tx, self.vehicle_id).await? else { return Ok(()) };
        if reading.object_id != Some(self.object_id) {
            return Ok(());
        }
        state.clone_into(&mut reading.state);
        (reading.object_id, reading.fields, reading.read_by) = (None, json!(fields), by);
        reading.ended_at = Some(tx.app().now());
        save(tx, &reading).await?;
        Ok(())
    }
}

impl Certificate {
    /// Without what was read less surely.
    fn only_sure(&self, least: f64) -> Self {
        let sure: Vec<ReadField> = self.fields.iter().filter(|field| field.confidence >= least).cloned().collect();
        Self::of(sure)
    }
}
