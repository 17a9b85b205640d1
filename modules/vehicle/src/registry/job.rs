use chrono::Duration;
use keroxio_core::metrics::outbound;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Provider, Queue, Result};
use keroxio_plugin_sdk::{RegisteredCar, RegistryError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{self, Access, Question};
use super::{FRESH_DAYS, Sealer, as_registered, registry, written};
use crate::service;
use crate::statements::{FactOrigin, Speaker};

/// Asks the register of a number and notes what it says of the car. A worker that dies between the answer and its
/// saving asks again, and the register may count that twice.
#[derive(Serialize, Deserialize)]
pub struct LookUp {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
    pub plate: String,
}

impl BackgroundJob for LookUp {
    const NAME: &'static str = "vehicle.look_up";
    const QUEUE: Queue = Queue::Outbound;
    const PROVIDER: Option<Provider> = Some(Provider { name: "vehicle_registry", at_once: 8 });

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    /// Two cars of one number, or one asked for twice, are one question.
    fn ordering_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.org_id, self.plate))
    }

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.vehicle_id, self.plate))
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let (access, known) = {
            let mut conn = app.conn().await?;
            let since = app.now() - Duration::days(FRESH_DAYS);
            let known = model::latest(&mut conn, self.org_id, &self.plate, since).await?;
            (model::access(&mut conn, self.org_id).await?, known)
        };
        let question = match (known, access) {
            (Some(known), _) => (known, false),
            (None, Some(access)) => match self.ask(&app, &access).await? {
                Some(asked) => (asked, true),
                None => {
                    let mut tx = app.begin().await?;
                    model::refuse(&mut tx, &access, app.now()).await?;
                    return Ok(tx.into());
                }
            },
            // Taken away meanwhile.
            (None, None) => return Ok(Effects::none()),
        };
        Ok(self.note(&app, question).await?)
    }
}

impl LookUp {
    /// None where the register refuses the credential.
    async fn ask(&self, app: &App, access: &Access) -> Result<Option<Question>, JobError> {
        let registry = registry(app)?;
        let credential = app.get::<Sealer>()?.open(self.org_id, &access.sealed)?;
        let answer = registry.look_up(&self.plate, &credential);
        let answer = outbound("registry", answer, crate::metrics::call).await;
        crate::metrics::looked_up(&answer);
        let car = match answer {
            Ok(car) => car.map(written),
            Err(RegistryError::Refused(_)) => return Ok(None),
            Err(e @ RegistryError::Failed(_)) => return Err(JobError::Retry(e.into())),
        };
        Ok(Some(Question {
            id: Uuid::now_v7(),
            org_id: self.org_id,
            plate: self.plate.clone(),
            car: car.as_ref().map(serde_json::to_value).transpose().map_err(keroxio_core::Error::from)?,
            cost_cents: i32::try_from(registry.cost_cents()).unwrap_or(i32::MAX),
            asked_at: app.now(),
        }))
    }

    async fn note(&self, app: &App, (question, is_new): (Question, bool)) -> Result<Effects> {
        let mut tx = app.begin().await?;
        if is_new {
            model::insert(&mut tx, &question).await?;
        }
        let car = question.car.and_then(|car| serde_json::from_value::<RegisteredCar>(car).ok());
        let vehicle = service::locked(&mut tx, self.org_id, self.vehicle_id).await;
        // Gone, or another number now: the answer is not about this car.
        let (Some(car), Ok(vehicle)) = (car, vehicle) else { return Ok(tx.into()) };
        if vehicle.plate.as_deref() == Some(&self.plate) {
            let (said, fields) = as_registered(&car, &vehicle, app.now());
            let by = Speaker { origin: FactOrigin::Registry, user_id: None, confidence: None };
            service::hear(&mut tx, vehicle, &said, by, &fields).await?;
        }
        Ok(tx.into())
    }
}
