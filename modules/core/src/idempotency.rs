//! Requests that are repeated, because their answer was lost, and must not be done twice.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::tables::core_idempotency::{self, dsl};
use crate::{Actor, App, BackgroundJob, Credential, Effects, Error, ErrorCode, JobError, Priority, Result, Sealer};

/// How long an answer is kept, in hours.
const KEPT: i64 = 24;
/// Longest time a request may take; one without an answer after that died with its process.
const LONGEST: i64 = 120;

/// Longest answer that is kept, in bytes of JSON: an answer names what was done, and that can be asked for again.
const LARGEST: usize = 64 << 10;

/// Seals what is kept of answers.
#[derive(Clone)]
pub(crate) struct Vault(pub Sealer);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = core_idempotency)]
struct Row {
    org_id: Uuid,
    caller: Uuid,
    key: String,
    fingerprint: String,
    begun_at: DateTime<Utc>,
    answer: Option<String>,
}

/// The key that a caller gave a request, for resolvers that ask another company's service: it is repeated there under the
/// same key.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub String);

/// A request by its key.
pub struct Once {
    org_id: Uuid,
    caller: Uuid,
    key: String,
}

/// What is to be done with a request.
pub enum Begun {
    /// It is new: do it, then [`Once::answered`].
    First(Once),
    /// It was done: this was the answer.
    Before(Value),
}

impl Once {
    /// Notes a request by the key its caller gave it.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` where another request had the key, `IDEMPOTENCY_IN_PROGRESS` while the first is under
    /// way, `IDEMPOTENCY_OUTCOME_UNKNOWN` where its process died.
    pub async fn begin(app: &App, actor: &Actor, key: &str, fingerprint: String) -> Result<Begun> {
        let (Credential::Session(caller) | Credential::ApiKey(caller) | Credential::Staff(caller)) = actor.credential;
        let row =
            Row { org_id: actor.org_id, caller, key: key.to_owned(), fingerprint, begun_at: app.now(), answer: None };
        let mut conn = app.conn().await?;
        let added = diesel::insert_into(core_idempotency::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(&mut conn)
            .await?;
        let once = Self { org_id: row.org_id, caller, key: row.key };
        if added == 1 {
            return Ok(Begun::First(once));
        }
        let known = dsl::core_idempotency.find((once.org_id, caller, &once.key)).select(Row::as_select());
        let known = known.first(&mut conn).await.optional()?.ok_or_else(in_progress)?;
        if known.fingerprint != row.fingerprint {
            return Err(reused());
        }
        match known.answer {
            Some(sealed) => {
                let text = app.get::<Vault>()?.0.open(once.org_id, &sealed)?;
                if text == TOO_LARGE {
                    return Err(done());
                }
                Ok(Begun::Before(serde_json::from_str(&text)?))
            }
            None if app.now() - known.begun_at < Duration::seconds(LONGEST) => Err(in_progress()),
            None => Err(outcome_unknown()),
        }
    }

    /// Keeps the answer for whoever asks again; forgets a request that was not done, so that it can be.
    pub async fn answered(self, app: &App, answer: Option<&Value>) -> Result<()> {
        let mut conn = app.conn().await?;
        let row = dsl::core_idempotency.find((self.org_id, self.caller, &self.key));
        match answer {
            Some(answer) => {
                let text = Some(answer.to_string()).filter(|text| text.len() <= LARGEST);
                let sealed = app.get::<Vault>()?.0.seal(self.org_id, text.as_deref().unwrap_or(TOO_LARGE))?;
                diesel::update(row).set(dsl::answer.eq(sealed)).execute(&mut conn).await?
            }
            None => diesel::delete(row).execute(&mut conn).await?,
        };
        Ok(())
    }
}

/// Forgets answers after a day.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct ForgetAnswers;

impl BackgroundJob for ForgetAnswers {
    const NAME: &'static str = "core.forget_answers";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let old = dsl::core_idempotency.filter(dsl::begun_at.lt(app.now() - Duration::hours(KEPT)));
        diesel::delete(old).execute(&mut *tx).await?;
        Ok(tx.into())
    }
}

fn reused() -> Error {
    Error::new(
        ErrorCode("IDEMPOTENCY_KEY_REUSED"),
        "Cette clé d'idempotence a déjà servi pour une autre demande : utilisez-en une nouvelle.",
        "This idempotency key was used for another request: use a new one.",
    )
}

/// In the place of an answer that was not kept; no answer is this.
const TOO_LARGE: &str = "too large";

fn done() -> Error {
    Error::new(
        ErrorCode("IDEMPOTENCY_ANSWER_NOT_KEPT"),
        "Cette demande a été exécutée, mais sa réponse était trop longue pour être conservée : relisez les objets concernés.",
        "This request was carried out, but its answer was too long to be kept: ask for what it changed.",
    )
}

fn in_progress() -> Error {
    Error::new(
        ErrorCode("IDEMPOTENCY_IN_PROGRESS"),
        "La même demande est en cours. Réessayez dans quelques secondes avec la même clé.",
        "The same request is under way. Try again in a few seconds with the same key.",
    )
}

fn outcome_unknown() -> Error {
    Error::new(
        ErrorCode("IDEMPOTENCY_OUTCOME_UNKNOWN"),
        "Une panne a interrompu la même demande : vérifiez si elle a abouti, puis recommencez au besoin avec une autre clé.",
        "The same request was cut off by a failure: look whether it was done, then try again with another key if needed.",
    )
}
