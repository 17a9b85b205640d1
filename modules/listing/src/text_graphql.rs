use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use crate::graphql::Listing;
use crate::rewriting::{self, Rewriting};
use crate::service;
use crate::text::Objection;
use crate::texts::{self, ListingTextOrigin, TextChangeKind, TextVersion};

/// A text the ad has had.
#[derive(SimpleObject)]
pub struct ListingText {
    /// Number of the version, from 1.
    version: i32,
    /// Title.
    title: String,
    /// Body.
    body: String,
    /// Where it comes from.
    origin: ListingTextOrigin,
    /// The version a restored text repeats.
    restored_from: Option<i32>,
    /// The language model that rewrote it, by its version.
    model: Option<String>,
    /// When it was written.
    written_at: DateTime<Utc>,
}

impl From<TextVersion> for ListingText {
    fn from(row: TextVersion) -> Self {
        Self {
            version: row.version,
            origin: ListingTextOrigin::parse(&row.origin),
            title: row.title,
            body: row.body,
            restored_from: row.restored_from,
            model: row.model,
            written_at: row.written_at,
        }
    }
}

/// A part of a text, and whether it stayed.
#[derive(SimpleObject)]
pub struct TextChange {
    /// Whether it stayed.
    kind: TextChangeKind,
    /// The words, with the spaces between them.
    text: String,
}

/// What changed from one version to another. The parts that were kept and removed make the older text, those kept and
/// added the newer.
#[derive(SimpleObject)]
pub struct ListingTextDiff {
    /// Parts of the titles.
    title: Vec<TextChange>,
    /// Parts of the bodies.
    body: Vec<TextChange>,
}

impl ListingTextDiff {
    pub fn between(from: &TextVersion, to: &TextVersion) -> Self {
        Self { title: changes(&from.title, &to.title), body: changes(&from.body, &to.body) }
    }
}

fn changes(from: &str, to: &str) -> Vec<TextChange> {
    texts::diff(from, to).into_iter().map(|(kind, text)| TextChange { kind, text }).collect()
}

/// Where a rewriting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RewritingState {
    /// The language model is being asked.
    Running,
    /// Its text passed and is the ad's.
    Done,
    /// Its text did not pass: ours stands.
    Refused,
    /// It did not answer, or the car changed meanwhile: ours stands.
    Failed,
}

/// What the checker found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum TextObjectionKind {
    /// Something that has to be said is not, or not word for word.
    Missing,
    /// A word for which there is no fact.
    Claim,
    /// A number for which there is no fact, or with another meaning.
    Number,
    /// A sign no ad has.
    Sign,
    /// Too many characters.
    TooLong,
}

/// Something wrong with a text.
#[derive(SimpleObject)]
pub struct TextObjection {
    /// What kind of wrong.
    kind: TextObjectionKind,
    /// The words, number or sign.
    text: String,
}

impl From<Objection> for TextObjection {
    fn from(objection: Objection) -> Self {
        let (kind, text) = match objection {
            Objection::Missing(text) => (TextObjectionKind::Missing, text),
            Objection::Claim(text) => (TextObjectionKind::Claim, text),
            Objection::Number(text) => (TextObjectionKind::Number, text),
            Objection::Sign(text) => (TextObjectionKind::Sign, text),
            Objection::TooLong(text) => (TextObjectionKind::TooLong, text),
        };
        Self { kind, text }
    }
}

/// The last rewriting of an ad by a language model.
#[derive(SimpleObject)]
pub struct ListingRewriting {
    /// Where it stands.
    state: RewritingState,
    /// Why there is no other text: `TEXT_REFUSED`, `REWRITER_FAILED` or `LISTING_CHANGED`.
    error_code: Option<String>,
    /// What was wrong with the text that was refused.
    objections: Vec<TextObjection>,
    /// When it was asked for.
    asked_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<Rewriting> for ListingRewriting {
    fn from(row: Rewriting) -> Self {
        let objections: Vec<Objection> = serde_json::from_value(row.findings).unwrap_or_default();
        Self {
            state: match row.state.as_str() {
                "done" => RewritingState::Done,
                "refused" => RewritingState::Refused,
                "failed" => RewritingState::Failed,
                _ => RewritingState::Running,
            },
            error_code: row.error_code,
            objections: objections.into_iter().map(TextObjection::from).collect(),
            asked_at: row.asked_at,
            ended_at: row.ended_at,
        }
    }
}

#[derive(Default)]
pub struct TextMutation;

#[Object]
impl TextMutation {
    /// Brings an older text of the ad back. Like one set by hand it is not overwritten by later steps. `NOT_FOUND` for
    /// a version that is not kept.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn restore_listing_text(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
        #[graphql(desc = "The version, as in `Listing.texts`.")] version: i32,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(service::restore_text(ctx.app(), &ctx.actor()?, id, version)).await?.into())
    }

    /// Has the ad put in other words by the language model of this installation; follow it with `Listing.rewriting`.
    /// Its text is taken only when every word and number of it is proved by the facts of the car and all that the law
    /// wants is still said; otherwise the present one stands. A text set by hand is replaced, and can be brought back.
    /// `REWRITER_NOT_CONFIGURED` where there is no model.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn rewrite_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(rewriting::start(ctx.app(), &ctx.actor()?, id)).await?.into())
    }
}
