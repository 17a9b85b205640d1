//! Puts an ad in other words by a language model. Its text is believed only when every word of it is proved
//! (`text/check.rs`); until then, and whenever anything goes wrong, ours stands.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::metrics::{Call, outbound};
use keroxio_core::{
    Actor, App, BackgroundJob, Effects, Feature, GivenUp, JobError, Provider, Queue, Result, Right, Tx,
};
use keroxio_plugin_sdk::{Draft, RewriteError, TextRewriter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::advance::{self, Written};
use crate::model::{self, Ad};
use crate::steps::{Outcome, StepKind};
use crate::tables::listing_rewritings::{self, dsl};
use crate::text::{self, AdTone, Objection};
use crate::texts::{self, Writer};
use crate::{error, service};

/// Attempts of the model to write a text that passes.
const TRIES: usize = 2;

/// The last rewriting of an ad.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = listing_rewritings, treat_none_as_null = true)]
pub struct Rewriting {
    pub listing_id: Uuid,
    /// `running`, `done`, `refused` or `failed`.
    pub state: String,
    pub error_code: Option<String>,
    pub findings: Value,
    pub asked_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

async fn save(conn: &mut AsyncPgConnection, row: &Rewriting) -> QueryResult<usize> {
    let insert = diesel::insert_into(listing_rewritings::table).values(row);
    insert.on_conflict(dsl::listing_id).do_update().set(row).execute(conn).await
}

/// The last rewriting of an ad whose owner the caller has checked.
pub async fn last(conn: &mut AsyncPgConnection, listing: Uuid) -> QueryResult<Option<Rewriting>> {
    listing_rewritings::table.find(listing).select(Rewriting::as_select()).first(conn).await.optional()
}

/// The last rewritings of some ads whose owners the caller has checked.
pub async fn last_of_all(conn: &mut AsyncPgConnection, listings: &[Uuid]) -> QueryResult<Vec<Rewriting>> {
    let found = listing_rewritings::table.filter(dsl::listing_id.eq_any(listings));
    found.select(Rewriting::as_select()).load(conn).await
}

/// Other words by a language model.
pub const REWRITING: Feature = Feature {
    name: "listing.rewriting",
    title_fr: "la réécriture d'annonces par un modèle de langue",
    title_en: "rewriting advertisements by a language model",
};

fn rewriter(app: &App) -> Result<Arc<dyn TextRewriter>> {
    app.get().map_err(|_| error::rewriter_not_configured())
}

/// # Errors
/// `REWRITER_NOT_CONFIGURED`, `NOT_FOUND`, `LISTING_SOLD`, `LISTING_TEXT_MISSING` while there is no text of ours.
pub async fn start(app: &App, actor: &Actor, id: Uuid) -> Result<Ad> {
    actor.may(Right::Stock)?;
    app.require(&REWRITING, Some(actor.org_id)).await?;
    rewriter(app)?;
    app.admit(Queue::Outbound, actor.org_id).await?;
    let mut tx = app.begin().await?;
    let ad = service::locked(&mut tx, actor, id).await?;
    if ad.sold_at.is_some() {
        return Err(error::sold_already());
    }
    if advance::written(&mut tx, &ad).await?.is_err() {
        return Err(error::text_missing());
    }
    // As the database keeps it.
    let asked_at = app.now().trunc_subsecs(6);
    let (error_code, findings) = (None, json!([]));
    let row = Rewriting { listing_id: id, state: "running".to_owned(), error_code, findings, asked_at, ended_at: None };
    save(&mut tx, &row).await?;
    tx.enqueue(&RewriteText { listing_id: id, org_id: ad.org_id, asked_at }).await?;
    tx.commit().await?;
    Ok(ad)
}

/// Asks the language model for one ad.
#[derive(Serialize, Deserialize)]
pub struct RewriteText {
    pub listing_id: Uuid,
    pub org_id: Uuid,
    /// One that was asked for later takes its place.
    pub asked_at: DateTime<Utc>,
}

impl BackgroundJob for RewriteText {
    const NAME: &'static str = "listing.rewrite";
    const QUEUE: Queue = Queue::Outbound;
    const PROVIDER: Option<Provider> = Some(Provider { name: "text_rewriter", at_once: 4 });
    const TIMEOUT: Duration = Duration::from_secs(150);
    const MAX_ATTEMPTS: i32 = 3;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.listing_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let Some(ad) = model::lock(&mut tx, self.listing_id).await? else { return Ok(Effects::none()) };
        let written = advance::written(&mut tx, &ad).await?;
        tx.commit().await?;
        let Ok(written) = written else { return Ok(self.failed(&app).await?) };
        match attempt(&app, &ad, &written).await {
            Ok(Ok(body)) => Ok(self.succeeded(&app, &ad, &written, body).await?),
            Ok(Err(objections)) => Ok(self.ended(&app, "refused", "TEXT_REFUSED", &objections).await?),
            Err(RewriteError::Refused(why)) => {
                tracing::warn!("the language model refuses: {why}");
                Ok(self.failed(&app).await?)
            }
            Err(e @ RewriteError::Failed(_)) => Err(JobError::Retry(e.into())),
        }
    }

    async fn gave_up(self, app: App, _why: GivenUp) -> Result<Effects> {
        self.failed(&app).await
    }
}

/// A text that passes, or what was wrong with the last one.
async fn attempt(
    app: &App,
    ad: &Ad,
    written: &Written,
) -> std::result::Result<std::result::Result<String, Vec<Objection>>, RewriteError> {
    let rewriter = rewriter(app).map_err(|e| RewriteError::Refused(e.message_en().to_owned()))?;
    let keep = text::duties(&written.facts, &ad.language).into_iter().filter_map(|ways| ways.into_iter().next());
    let mut draft = Draft {
        language: ad.language.clone(),
        tone: AdTone::parse(&ad.tone).as_str().to_owned(),
        body: written.text.body.clone(),
        keep: keep.collect(),
        wrong: Vec::new(),
    };
    let mut objections = Vec::new();
    for _ in 0..TRIES {
        let body = outbound("rewriter", rewriter.rewrite(&draft), call).await?;
        objections = text::objections(&body, &written.facts, &ad.language);
        if objections.is_empty() {
            return Ok(Ok(body));
        }
        draft.wrong = objections.iter().map(|objection| format!("{objection:?}")).collect();
    }
    Ok(Err(objections))
}

/// What came of a call, whatever its text is worth.
fn call(answer: &std::result::Result<String, RewriteError>) -> Call {
    match answer {
        Ok(_) => Call::Ok,
        Err(RewriteError::Refused(_)) => Call::Refused,
        Err(_) => Call::Failed,
    }
}

impl RewriteText {
    /// The facts may have changed meanwhile, or the seller the text: then this one is not wanted.
    async fn succeeded(&self, app: &App, before: &Ad, written: &Written, body: String) -> Result<Effects> {
        let mut tx = app.begin().await?;
        let Some(mut ad) = model::lock(&mut tx, self.listing_id).await? else { return Ok(Effects::none()) };
        let now = advance::written(&mut tx, &ad).await?;
        let edited = (&ad.title, &ad.body, ad.text_edited) != (&before.title, &before.body, before.text_edited);
        if !self.is_last(&mut tx).await? {
            return Ok(Effects::none());
        }
        if edited || ad.sold_at.is_some() || now.as_ref().ok().map(|now| &now.text) != Some(&written.text) {
            drop(tx);
            return self.ended(app, "failed", "LISTING_CHANGED", &[]).await;
        }
        (ad.title, ad.body, ad.text_edited) = (Some(written.text.title.clone()), Some(body), false);
        let rewriter = rewriter(app)?;
        let model = format!("{} {}", rewriter.manifest().id, rewriter.manifest().version);
        texts::keep(&mut tx, &ad, Writer::Model(model), app.now()).await?;
        let steps = model::steps(&mut tx, ad.id).await?;
        if let Some(step) = steps.into_iter().find(|step| step.kind() == StepKind::Text) {
            // The text of these facts is written: the step has nothing to do.
            let done = Outcome::done(None).with_fingerprint(&written.fingerprint);
            advance::record(&mut tx, &mut ad, step, done).await?;
        }
        self.note(&mut tx, "done", None, &[]).await?;
        service::reopened(&mut tx, &mut ad).await?;
        Ok(tx.into())
    }

    async fn is_last(&self, tx: &mut Tx) -> Result<bool> {
        Ok(last(tx, self.listing_id).await?.is_some_and(|row| row.asked_at == self.asked_at))
    }

    async fn failed(&self, app: &App) -> Result<Effects> {
        self.ended(app, "failed", "REWRITER_FAILED", &[]).await
    }

    async fn ended(&self, app: &App, state: &str, code: &str, objections: &[Objection]) -> Result<Effects> {
        let mut tx = app.begin().await?;
        self.note(&mut tx, state, Some(code), objections).await?;
        Ok(tx.into())
    }

    async fn note(&self, tx: &mut Tx, state: &str, code: Option<&str>, objections: &[Objection]) -> Result<()> {
        let row = last(tx, self.listing_id).await?;
        let Some(mut row) = row.filter(|row| row.asked_at == self.asked_at) else { return Ok(()) };
        state.clone_into(&mut row.state);
        (row.error_code, row.findings) = (code.map(str::to_owned), json!(objections));
        row.ended_at = Some(tx.app().now());
        save(tx, &row).await?;
        Ok(())
    }
}
