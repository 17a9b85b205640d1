use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use keroxio_storage::Objects;
use uuid::Uuid;

use crate::angles::{self, MissingAngle, PhotoAngle};
use crate::cover::Cover;
use crate::edits::{self, Edit};
use crate::look::{self, Look};
use crate::model::Cleaning;
use crate::rendition::PhotoRendition;
use crate::scene::Scene;
use crate::service;
use crate::stage::Part;
use crate::verdict::Remark;

/// A language of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum NoteLanguage {
    /// French.
    Fr,
    /// English.
    En,
}

/// Where a cleaning stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PhotoCleaningState {
    /// Waits for the plates of the photo to be found.
    Waiting,
    /// Waits for a worker or is being worked on.
    Pending,
    /// Ended with renditions.
    Done,
    /// Ended without; see `errorCode`.
    Failed,
}

/// What a cut-out is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PhotoVerdict {
    /// Nothing to remark.
    Good,
    /// To be shown; read the remarks.
    Usable,
    /// Not to be shown: only the original background is offered. Read the remarks.
    Rejected,
}

/// A remark on a photo, with what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
pub struct PhotoRemark {
    /// What is wrong.
    code: Remark,
    /// What the seller may do about it, in French.
    advice_fr: &'static str,
    /// What the seller may do about it, in English.
    advice_en: &'static str,
}

impl From<Remark> for PhotoRemark {
    fn from(code: Remark) -> Self {
        let (advice_fr, advice_en) = match code {
            Remark::NoCar => (
                "Aucune voiture ne se détache : reculez pour la montrer en entier.",
                "No car stands out: step back to show all of it.",
            ),
            Remark::UnsureOutline => (
                "Le contour est incertain : choisissez un fond d'une autre couleur que la voiture.",
                "The outline is uncertain: choose a background of another colour than the car.",
            ),
            Remark::UnlikelyShape => (
                "La découpe n'a pas la forme d'une voiture : reprenez la photo sans objet devant.",
                "The cut-out is not shaped like a car: take the photo again with nothing in front.",
            ),
            Remark::InPieces => (
                "Un autre objet a été découpé avec la voiture : éloignez-la de ses voisines.",
                "Something else was cut out with the car: move it away from its neighbours.",
            ),
            Remark::PlateOutside => (
                "La plaque n'est pas sur la voiture découpée : cadrez une seule voiture.",
                "The plate is not on the car that was cut out: frame one car only.",
            ),
            Remark::CutByFrame => (
                "La voiture dépasse du cadre : reculez de quelques pas.",
                "The car goes beyond the frame: step back a little.",
            ),
            Remark::SmallCar => ("La voiture est petite : approchez-vous.", "The car is small: come closer."),
            Remark::TooDark => (
                "La photo est sombre : photographiez de jour, le soleil dans le dos.",
                "The photo is dark: take it by day, with the sun behind you.",
            ),
            Remark::TooBlurred => (
                "La photo est floue : tenez l'appareil immobile et touchez la voiture à l'écran.",
                "The photo is blurred: hold the camera still and tap the car on the screen.",
            ),
            Remark::PersonInView => (
                "Une personne est sur la photo avec la voiture : reprenez-la sans personne.",
                "Somebody is on the photo with the car: take it again with nobody in view.",
            ),
        };
        Self { code, advice_fr, advice_en }
    }
}

/// What became of a photo.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct PhotoCleaning {
    #[graphql(skip)]
    row: Cleaning,
    /// Identifier.
    #[graphql(owned)]
    pub id: ID,
    /// The photo.
    photo_id: Uuid,
    /// Where the cleaning stands.
    state: PhotoCleaningState,
    /// Whether a car stands out in the photo.
    car_found: Option<bool>,
    /// Share of the photo covered by the car, 0 to 1.
    coverage: Option<f64>,
    /// How decided the cut-out is, 0 to 1.
    confidence: Option<f64>,
    /// Plates hidden on the renditions.
    plates_masked: Option<i32>,
    /// Faces blurred on the renditions; null where none were looked for.
    faces_blurred: Option<i32>,
    /// From where the car was photographed; null where that is not told surely.
    angle: Option<PhotoAngle>,
    /// Why the cleaning failed.
    error_code: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// The job that does it, for `jobUpdated` and `cancelJob`; null while the plate is being read.
    job_id: Option<Uuid>,
    /// What the cut-out is worth; null until the photo has been judged.
    verdict: Option<PhotoVerdict>,
    /// What is wrong with the photo or its cut-out, if anything.
    remarks: Vec<PhotoRemark>,
}

impl From<Cleaning> for PhotoCleaning {
    fn from(row: Cleaning) -> Self {
        Self {
            id: row.id.into(),
            photo_id: row.photo_id,
            state: match row.state.as_str() {
                "waiting" => PhotoCleaningState::Waiting,
                "done" => PhotoCleaningState::Done,
                "failed" => PhotoCleaningState::Failed,
                _ => PhotoCleaningState::Pending,
            },
            car_found: row.car_found,
            coverage: row.coverage.map(f64::from),
            confidence: row.confidence.map(f64::from),
            plates_masked: row.plates_masked,
            faces_blurred: row.faces_blurred,
            angle: row.angle.as_deref().and_then(angles::stored),
            error_code: row.error.clone(),
            created_at: row.created_at,
            finished_at: row.finished_at,
            job_id: row.job_id,
            verdict: row.verdict.as_deref().map(|verdict| match verdict {
                "good" => PhotoVerdict::Good,
                "usable" => PhotoVerdict::Usable,
                _ => PhotoVerdict::Rejected,
            }),
            remarks: remarks(&row),
            row,
        }
    }
}

/// Remarks of a newer version are left out.
fn remarks(row: &Cleaning) -> Vec<PhotoRemark> {
    let stored = row.remarks.as_array().into_iter().flatten().cloned();
    stored.filter_map(|remark| serde_json::from_value::<Remark>(remark).ok()).map(PhotoRemark::from).collect()
}

#[ComplexObject]
impl PhotoCleaning {
    /// The car on its new background, plates and faces hidden; null when the verdict is `REJECTED`.
    async fn cleaned(&self, ctx: &Context<'_>) -> GqlResult<Option<PhotoRendition>> {
        self.rendition(ctx, self.row.cleaned_object).await
    }

    /// The original background, plates and faces hidden. With `cleaned`, the pair of before and after.
    async fn masked(&self, ctx: &Context<'_>) -> GqlResult<Option<PhotoRendition>> {
        self.rendition(ctx, self.row.masked_object).await
    }

    /// What of the photo `cleaned` shows: `masked`, which shows all of it, lies exactly under it there. Null without
    /// `cleaned`, and for those drawn before this was kept.
    async fn frame(&self) -> Option<Part> {
        self.row.cleaned_object?;
        serde_json::from_value(self.row.frame.clone()?).ok()
    }

    /// What was done to the photo for the rendition that is shown, to be told to buyers.
    async fn edits(&self) -> Vec<Edit> {
        edits::edits(&self.row)
    }

    /// What stays true whatever was done; null until there is a rendition.
    async fn fidelity_note(
        &self,
        #[graphql(desc = "The language of the note.", default_with = "NoteLanguage::Fr")] language: NoteLanguage,
    ) -> Option<&'static str> {
        self.row.masked_object.map(|_| match language {
            NoteLanguage::Fr => edits::FIDELITY_FR,
            NoteLanguage::En => edits::FIDELITY_EN,
        })
    }
}

impl PhotoCleaning {
    async fn rendition(&self, ctx: &Context<'_>, id: Option<Uuid>) -> GqlResult<Option<PhotoRendition>> {
        Ok(match id {
            Some(id) => {
                let object = ctx.load::<Objects>((self.row.org_id, id)).await?;
                object.map(|object| PhotoRendition::of(object, self.row.id))
            }
            None => None,
        })
    }
}

#[derive(Default)]
pub struct ImagesQuery;

#[Object]
impl ImagesQuery {
    /// A photo cleaning of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn photo_cleaning(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<PhotoCleaning> {
        Ok(Box::pin(service::get(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }

    /// What a set of photos does not show of the car, judged from their cleanings; photos that are not cleaned, or
    /// whose angle is not told, count as showing nothing.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn missing_angles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The photos of one car, 1 to 40.")] photo_ids: Vec<Uuid>,
    ) -> GqlResult<Vec<MissingAngle>> {
        Ok(Box::pin(angles::of_set(ctx.app(), &ctx.actor()?, &photo_ids)).await?)
    }

    /// How the renditions of your organization look.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn photo_preset(&self, ctx: &Context<'_>) -> GqlResult<PhotoPreset> {
        Ok(Box::pin(look::fetch(ctx.app(), ctx.actor()?.org_id)).await?.into())
    }
}

/// How the renditions of an organization look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
pub struct PhotoPreset {
    /// What cars are put on.
    scene: Scene,
    /// What plates are covered with.
    plate_cover: Cover,
    /// Whether pictures are cut anew around the car, so that every car of a set has the same size and place.
    framed: bool,
    /// The photo that takes the place of the scene, if any.
    background_photo_id: Option<Uuid>,
    /// The logo, if any.
    logo_photo_id: Option<Uuid>,
}

impl From<Look> for PhotoPreset {
    fn from(look: Look) -> Self {
        Self {
            scene: look.scene,
            plate_cover: look.plate_cover,
            framed: look.framed,
            background_photo_id: look.background_photo,
            logo_photo_id: look.logo_photo,
        }
    }
}

/// The look to choose.
#[derive(InputObject)]
pub struct PhotoPresetInput {
    /// What cars are put on.
    #[graphql(default_with = "Scene::StudioWhite")]
    scene: Scene,
    /// What plates are covered with; `INLAY` needs a logo.
    #[graphql(default_with = "Cover::Solid")]
    plate_cover: Cover,
    /// Whether pictures are cut anew around the car.
    #[graphql(default = true)]
    framed: bool,
    /// A photo of yours, without a car, that takes the place of the scene.
    background_photo_id: Option<Uuid>,
    /// An uploaded picture of your logo, on white.
    logo_photo_id: Option<Uuid>,
}

impl From<PhotoPresetInput> for Look {
    fn from(input: PhotoPresetInput) -> Self {
        Self {
            scene: input.scene,
            plate_cover: input.plate_cover,
            framed: input.framed,
            background_photo: input.background_photo_id,
            logo_photo: input.logo_photo_id,
        }
    }
}

#[derive(Default)]
pub struct ImagesMutation;

#[Object]
impl ImagesMutation {
    /// Starts cleaning a photo, or answers the cleaning there is: the same photo in the same look is no work. Follow it
    /// with `photoCleaning`.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn clean_photo(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The photo.")] photo_id: Uuid,
        #[graphql(desc = "What the car is put on; your organization's own choice by default.")] scene: Option<Scene>,
    ) -> GqlResult<PhotoCleaning> {
        let started = Box::pin(service::start(ctx.app(), &ctx.actor()?, &[photo_id], scene)).await?;
        Ok(started.into_iter().next().ok_or_else(service::not_found)?.into())
    }

    /// Starts cleaning up to 40 photos, as `cleanPhoto` does for one: all of them or none. The answers come in the
    /// order of the photos.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock), complexity = "photo_ids.len() * child_complexity")]
    async fn clean_photos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The photos, 1 to 40.")] photo_ids: Vec<Uuid>,
        #[graphql(desc = "What the car is put on; your organization's own choice by default.")] scene: Option<Scene>,
    ) -> GqlResult<Vec<PhotoCleaning>> {
        let started = Box::pin(service::start(ctx.app(), &ctx.actor()?, &photo_ids, scene)).await?;
        Ok(started.into_iter().map(Into::into).collect())
    }

    /// Chooses how the renditions of your organization look from now on. Photos cleaned before keep their look until
    /// they are cleaned again.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn set_photo_preset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The look.")] input: PhotoPresetInput,
    ) -> GqlResult<PhotoPreset> {
        Ok(Box::pin(look::choose(ctx.app(), &ctx.actor()?, input.into())).await?.into())
    }
}
