use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError, Provider, Queue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model;
use crate::settings::Settings;
use crate::transport::Transport;

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
