use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_sdk::{PlateText, Quad};
use uuid::Uuid;

use crate::model::Reading;
use crate::{access as own, crop, service};

/// Where a reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PlateReadingState {
    /// Waiting or being read.
    Pending,
    /// Ended; without a text no plate was found in this photo.
    Done,
    /// Given up; see `errorCode`.
    Failed,
}

/// A character and how sure the model is of it.
#[derive(SimpleObject)]
pub struct PlateCharacter {
    /// One letter or digit.
    character: String,
    /// Probability, 0 to 1.
    confidence: f64,
}

/// One way to read the plate.
#[derive(SimpleObject)]
pub struct PlateCandidate {
    /// Letters and digits only.
    text: String,
    /// As printed, for instance `AB-123-CD`.
    formatted: String,
    /// Probability that the whole text is right, 0 to 1.
    confidence: f64,
    /// Character by character.
    characters: Vec<PlateCharacter>,
}

/// A position in the photo, in pixels from its top-left corner.
#[derive(SimpleObject)]
pub struct PlatePoint {
    /// Pixels from the left.
    x: f64,
    /// Pixels from the top.
    y: f64,
}

/// A plate in view.
#[derive(SimpleObject)]
pub struct PlateView {
    /// Corners: top-left, top-right, bottom-right, bottom-left as the plate is read.
    quad: Vec<PlatePoint>,
    /// Probability that this is a plate, 0 to 1.
    score: f64,
}

/// What was read on a photo.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct PlateReading {
    #[graphql(skip)]
    org_id: Uuid,
    #[graphql(skip)]
    quad: Option<Quad>,
    /// Identifier.
    #[graphql(owned)]
    pub id: ID,
    /// The photo.
    photo_id: Uuid,
    /// Where the reading stands.
    state: PlateReadingState,
    /// Letters and digits of the plate; null when none was found.
    text: Option<String>,
    /// The plate as printed.
    formatted: Option<String>,
    /// Format of the plate: `SIV`, `FNI`, `WW_PROVISIONAL`, `W_GARAGE`, `MOPED_SIV`, or null when it has none of them.
    kind: Option<&'static str>,
    /// Probability that the text is right, 0 to 1; 1 after a correction.
    confidence: Option<f64>,
    /// Whether the seller should look before the text is used.
    needs_confirmation: bool,
    /// Place of the least sure character in `text`, from 0, where the seller should look first; null when nobody needs to.
    doubtful_character: Option<i32>,
    /// Who read it: name and version of reader and models.
    read_by: Option<String>,
    /// Likely texts, best first.
    candidates: Vec<PlateCandidate>,
    /// Every plate in view, the one that was read first.
    sightings: Vec<PlateView>,
    /// Why the reading failed.
    error_code: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// The job that reads it, for `jobUpdated` and `cancelJob`.
    job_id: Option<Uuid>,
}

fn formatted(text: &str) -> String {
    Plate::parse(text).map_or_else(|_| text.to_owned(), |plate| plate.formatted())
}

/// The place of the least sure character, while the seller is asked.
fn doubtful(reading: &Reading, read: Option<&PlateText>) -> Option<i32> {
    let characters = &read.filter(|_| reading.needs_confirmation())?.characters;
    let least = characters.iter().enumerate().min_by(|a, b| a.1.confidence.total_cmp(&b.1.confidence))?;
    i32::try_from(least.0).ok()
}

fn name(manifest: &serde_json::Value) -> Option<String> {
    Some(format!("{} {}", manifest.get("id")?.as_str()?, manifest.get("version")?.as_str()?))
}

impl From<PlateText> for PlateCandidate {
    fn from(reading: PlateText) -> Self {
        Self {
            formatted: formatted(&reading.text),
            confidence: reading.confidence.into(),
            characters: reading
                .characters
                .into_iter()
                .map(|c| PlateCharacter { character: c.character.to_string(), confidence: c.confidence.into() })
                .collect(),
            text: reading.text,
        }
    }
}

impl From<Reading> for PlateReading {
    fn from(reading: Reading) -> Self {
        let mut sightings = reading.sightings();
        let candidates = sightings.first_mut().map(|s| std::mem::take(&mut s.readings)).unwrap_or_default();
        let quad = sightings.first().filter(|_| !candidates.is_empty()).map(|s| s.quad);
        let views = sightings.into_iter().map(|s| PlateView {
            quad: s.quad.iter().map(|p| PlatePoint { x: p.x.into(), y: p.y.into() }).collect(),
            score: s.score.into(),
        });
        Self {
            org_id: reading.org_id,
            quad,
            doubtful_character: doubtful(&reading, candidates.first()),
            read_by: reading.manifest.as_ref().and_then(name),
            id: reading.id.into(),
            photo_id: reading.photo_id,
            state: match reading.state.as_str() {
                "done" => PlateReadingState::Done,
                "failed" => PlateReadingState::Failed,
                _ => PlateReadingState::Pending,
            },
            formatted: reading.text.as_deref().map(formatted),
            kind: reading.text.as_deref().and_then(|t| Plate::parse(t).ok()).map(|p| crate::service::kind_name(&p)),
            confidence: reading.confidence.map(f64::from),
            needs_confirmation: reading.needs_confirmation(),
            candidates: candidates.into_iter().map(PlateCandidate::from).collect(),
            sightings: views.collect(),
            error_code: reading.error,
            text: reading.text,
            created_at: reading.created_at,
            finished_at: reading.finished_at,
            job_id: reading.job_id,
        }
    }
}

#[ComplexObject]
impl PlateReading {
    /// The plate alone, upright, for the seller to compare: a JPEG 480 pixels wide as a `data:` address; null when
    /// none was read. Made when it is asked for, so ask only while the seller looks at it.
    #[graphql(complexity = 100)]
    async fn crop(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        let Some(quad) = self.quad else { return Ok(None) };
        Ok(Box::pin(crop::data_url(ctx.app(), self.org_id, self.photo_id, quad)).await?)
    }
}

/// Your account with a service that reads plates. The key itself is told to nobody.
#[derive(SimpleObject)]
pub struct PlateReaderAccess {
    /// Host of the service that your photos are sent to.
    service: String,
    /// Since when they are.
    since: DateTime<Utc>,
    /// When it refused your key: nothing is sent with it any more until you set one again.
    refused_at: Option<DateTime<Utc>>,
}

impl From<own::Standing> for PlateReaderAccess {
    fn from(own::Standing { service, key }: own::Standing) -> Self {
        Self { service, since: key.since, refused_at: key.refused_at }
    }
}

#[derive(Default)]
pub struct PlatesQuery;

#[Object]
impl PlatesQuery {
    /// A reading of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn plate_reading(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<PlateReading> {
        Ok(Box::pin(service::fetch(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }

    /// Your account with a service that reads plates; null without one, or where this installation asks no service.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn plate_reader_access(&self, ctx: &Context<'_>) -> GqlResult<Option<PlateReaderAccess>> {
        Ok(Box::pin(own::standing(ctx.app(), &ctx.actor()?)).await?.map(PlateReaderAccess::from))
    }
}

#[derive(Default)]
pub struct PlatesMutation;

#[Object]
impl PlatesMutation {
    /// Starts reading the plate on a photo, or answers the reading there is. Follow it with `plateReading`.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn read_plate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The photo.")] photo_id: Uuid,
    ) -> GqlResult<PlateReading> {
        Ok(Box::pin(service::start(ctx.app(), &ctx.actor()?, photo_id)).await?.into())
    }

    /// Sets the text of a reading by hand; listings with this photo follow.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn correct_plate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reading.")] reading_id: Uuid,
        #[graphql(desc = "The plate, in any spelling.", validator(max_length = 20))] text: String,
        #[graphql(
            desc = "Whether it is the plate of another country: 4 to 10 letters and digits, not checked further.",
            default = false
        )]
        foreign: bool,
        #[graphql(
            desc = "Consent to keep the photo with this text, for a limited time, to measure and train plate readers. Saying it again with false takes it back.",
            default = false
        )]
        keep_as_example: bool,
    ) -> GqlResult<PlateReading> {
        let said = service::Correction { text: &text, foreign, keep_as_example };
        Ok(Box::pin(service::correct(ctx.app(), &ctx.actor()?, reading_id, said)).await?.into())
    }

    /// Gives us the key of your account with the service that reads plates for this installation. From then on photos
    /// that our own reader doubts are sent there, reduced and without metadata; each may cost you.
    /// `PLATE_READER_NOT_CONFIGURED` where this installation asks no service.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn set_plate_reader_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key, at most 500 characters. It is kept sealed.")] key: String,
    ) -> GqlResult<PlateReaderAccess> {
        Ok(Box::pin(own::set(ctx.app(), &ctx.actor()?, &key)).await?.into())
    }

    /// Forgets your key: no photo is sent with it any more. Answers whether there was one.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn remove_plate_reader_access(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        Ok(Box::pin(own::remove(ctx.app(), &ctx.actor()?)).await?)
    }
}
