use chrono::Duration;
use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError, Priority, Provider, Queue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kind::LetterKind;
use crate::settings::{Retention, Settings};
use crate::transport::Transport;
use crate::{delivery, model, suppression};

/// Days for which events of the provider are known again; it repeats them for some hours.
const EVENTS: i64 = 30;

/// Hands one letter over.
#[derive(Serialize, Deserialize)]
pub struct SendLetter {
    pub message_id: Uuid,
    pub org_id: Option<Uuid>,
}

impl BackgroundJob for SendLetter {
    const NAME: &'static str = "email.send";
    const QUEUE: Queue = Queue::Outbound;
    const MAX_ATTEMPTS: i32 = 8;
    const PROVIDER: Option<Provider> = Some(Provider { name: "email", at_once: 4 });

    fn org_id(&self) -> Option<Uuid> {
        self.org_id
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let message = model::find(&mut *app.conn().await?, self.message_id).await?;
        let Some(message) = message.filter(|message| message.state == "queued") else { return Ok(Effects::none()) };
        let standing = suppression::standing(&mut *app.conn().await?, &message.recipient).await?;
        if let Some(reason) = standing.stops(LetterKind::named(&message.kind)) {
            let mut tx = app.begin().await?;
            model::suppressed(&mut tx, message.id, reason.name()).await?;
            tx.count("email.suppressed");
            return Ok(tx.into());
        }
        let (settings, transport) = (app.get::<Settings>()?, app.get::<Transport>()?);
        let id = transport.carry(&message, &settings.from).await?;
        let mut tx = app.begin().await?;
        model::sent(&mut tx, message.id, &id, app.now()).await?;
        tx.count("email.sent");
        Ok(tx.into())
    }

    async fn gave_up(self, app: App, why: GivenUp) -> keroxio_core::Result<Effects> {
        let why = match why {
            GivenUp::Failed(why) => why,
            GivenUp::Cancelled => "cancelled".to_owned(),
        };
        let mut tx = app.begin().await?;
        model::failed(&mut tx, self.message_id, &why).await?;
        tx.count("email.failed");
        Ok(tx.into())
    }
}

/// Every night: forgets which events of the provider were heard, and to whom was written long ago.
#[derive(Serialize, Deserialize)]
pub struct ForgetEvents;

impl BackgroundJob for ForgetEvents {
    const NAME: &'static str = "email.forget_events";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        delivery::forget(&mut tx, app.now() - Duration::days(EVENTS)).await?;
        let letters = model::forget_before(&mut tx, app.now() - app.get::<Retention>()?.0).await?;
        tracing::info!(letters, "letters forgotten");
        Ok(tx.into())
    }
}
