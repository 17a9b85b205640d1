use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use serde_json::Value;
use uuid::Uuid;

use crate::steps::{ListingState, Outcome, StepKind, StepState};
use crate::tables::{listing_ads, listing_photos, listing_progress, listing_steps};

/// A listing as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = listing_ads)]
pub struct Ad {
    pub id: Uuid,
    pub org_id: Uuid,
    pub vehicle_id: Uuid,
    pub state: String,
    pub language: String,
    pub title: Option<String>,
    pub body: Option<String>,
    pub text_edited: bool,
    pub price_eur: Option<i32>,
    pub seq: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When the car was sold; none while it is for sale.
    pub sold_at: Option<DateTime<Utc>>,
    /// `professional`, `friendly` or `short`.
    pub tone: String,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = listing_steps)]
pub struct Step {
    pub listing_id: Uuid,
    pub kind: String,
    pub subject_id: Uuid,
    pub position: i32,
    pub state: String,
    pub fingerprint: Option<String>,
    pub result_id: Option<Uuid>,
    pub error_code: Option<String>,
    pub message_fr: Option<String>,
    pub message_en: Option<String>,
    pub missing: Value,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Step {
    pub fn kind(&self) -> StepKind {
        StepKind::parse(&self.kind)
    }

    pub fn state(&self) -> StepState {
        StepState::parse(&self.state)
    }

    pub fn missing(&self) -> Vec<String> {
        serde_json::from_value(self.missing.clone()).unwrap_or_default()
    }

    pub fn photo_id(&self) -> Option<Uuid> {
        (!self.subject_id.is_nil()).then_some(self.subject_id)
    }

    pub fn outcome(&self) -> Outcome {
        Outcome {
            state: self.state(),
            fingerprint: self.fingerprint.clone(),
            result_id: self.result_id,
            error_code: self.error_code.clone(),
            message: self.message_fr.clone().zip(self.message_en.clone()),
            missing: self.missing(),
        }
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = listing_progress)]
pub struct Progress {
    pub listing_id: Uuid,
    pub seq: i32,
    pub kind: String,
    pub photo_id: Option<Uuid>,
    pub state: String,
    pub percent: i32,
    pub error_code: Option<String>,
    pub message_fr: Option<String>,
    pub message_en: Option<String>,
    pub at: DateTime<Utc>,
}

/// `Progress::kind` of a change of the listing as a whole.
const WHOLE: &str = "listing";

impl Progress {
    /// Still without its number.
    pub fn of_step(ad: &Ad, step: &Step, percent: i32, at: DateTime<Utc>) -> Self {
        Self {
            listing_id: ad.id,
            seq: 0,
            kind: step.kind.clone(),
            photo_id: step.photo_id(),
            state: step.state.clone(),
            percent,
            error_code: step.error_code.clone(),
            message_fr: step.message_fr.clone(),
            message_en: step.message_en.clone(),
            at,
        }
    }

    /// Every step is settled. Still without its number.
    pub fn of_listing(ad: &Ad, settled: ListingState, at: DateTime<Utc>) -> Self {
        let state = if settled == ListingState::Ready { StepState::Done } else { StepState::NeedsInput };
        Self {
            listing_id: ad.id,
            seq: 0,
            kind: WHOLE.to_owned(),
            photo_id: None,
            state: state.as_str().to_owned(),
            percent: 100,
            error_code: None,
            message_fr: None,
            message_en: None,
            at,
        }
    }

    pub fn step(&self) -> Option<StepKind> {
        (self.kind != WHOLE).then(|| StepKind::parse(&self.kind))
    }
}

pub async fn insert(conn: &mut AsyncPgConnection, ad: &Ad, photos: &[Uuid], steps: &[Step]) -> QueryResult<()> {
    diesel::insert_into(listing_ads::table).values(ad).execute(conn).await?;
    let photos: Vec<_> = photos
        .iter()
        .zip(0_i32..)
        .map(|(photo, position)| {
            (
                listing_photos::listing_id.eq(ad.id),
                listing_photos::photo_id.eq(*photo),
                listing_photos::position.eq(position),
            )
        })
        .collect();
    diesel::insert_into(listing_photos::table).values(photos).execute(conn).await?;
    diesel::insert_into(listing_steps::table).values(steps).execute(conn).await?;
    Ok(())
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Ad>> {
    listing_ads::table
        .filter(listing_ads::org_id.eq(org).and(listing_ads::id.eq(id)))
        .select(Ad::as_select())
        .first(conn)
        .await
        .optional()
}

/// Listings of any organization: the caller looks whose they are.
pub async fn with_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Ad>> {
    listing_ads::table.filter(listing_ads::id.eq_any(ids)).select(Ad::as_select()).load(conn).await
}

/// Ads of an organization that are ready and unsold, newest first.
pub async fn ready(conn: &mut AsyncPgConnection, org: Uuid, most: i64) -> QueryResult<Vec<Ad>> {
    let ready = listing_ads::state.eq(ListingState::Ready.as_str()).and(listing_ads::sold_at.is_null());
    let mine = listing_ads::table.filter(listing_ads::org_id.eq(org).and(ready)).order(listing_ads::id.desc());
    mine.limit(most).select(Ad::as_select()).load(conn).await
}

/// Listings of an organization that are not sold, a page in the order of their ids.
pub async fn unsold(conn: &mut AsyncPgConnection, org: Uuid, after: Option<Uuid>, most: i64) -> QueryResult<Vec<Uuid>> {
    let open = listing_ads::org_id.eq(org).and(listing_ads::sold_at.is_null());
    let page = listing_ads::table.filter(open.and(listing_ads::id.gt(after.unwrap_or_default())));
    page.order(listing_ads::id).limit(most).select(listing_ads::id).load(conn).await
}

/// Listings of all organizations, with theirs, that are unsold or were sold since then.
pub async fn current(
    conn: &mut AsyncPgConnection,
    after: Option<Uuid>,
    since: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<(Uuid, Uuid)>> {
    let open = listing_ads::sold_at.is_null().or(listing_ads::sold_at.ge(since));
    let page = listing_ads::table.filter(listing_ads::id.gt(after.unwrap_or_default()).and(open));
    page.order(listing_ads::id).limit(most).select((listing_ads::id, listing_ads::org_id)).load(conn).await
}

/// Listings of an organization that were sold since then.
pub async fn sold_since(conn: &mut AsyncPgConnection, org: Uuid, since: DateTime<Utc>) -> QueryResult<i64> {
    listing_ads::table
        .filter(listing_ads::org_id.eq(org).and(listing_ads::sold_at.ge(since)))
        .count()
        .get_result(conn)
        .await
}

/// How many ads of an organization are not sold.
pub async fn active(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<usize> {
    let unsold = listing_ads::table.filter(listing_ads::org_id.eq(org).and(listing_ads::sold_at.is_null()));
    let count: i64 = unsold.count().get_result(conn).await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Whether a car has an ad that is not sold.
pub async fn is_listed(conn: &mut AsyncPgConnection, org: Uuid, vehicle: Uuid) -> QueryResult<bool> {
    let open = listing_ads::org_id.eq(org).and(listing_ads::vehicle_id.eq(vehicle)).and(listing_ads::sold_at.is_null());
    diesel::select(diesel::dsl::exists(listing_ads::table.filter(open))).get_result(conn).await
}

/// The row, locked until the transaction ends: one preparation step decides at a time.
pub async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Ad>> {
    listing_ads::table.find(id).select(Ad::as_select()).for_update().first(conn).await.optional()
}

pub async fn page(conn: &mut AsyncPgConnection, org: Uuid, page: Page) -> QueryResult<Vec<Ad>> {
    let mut query = listing_ads::table
        .filter(listing_ads::org_id.eq(org))
        .select(Ad::as_select())
        .order(listing_ads::id.desc())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(listing_ads::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

pub async fn photos(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Vec<Uuid>> {
    listing_photos::table
        .filter(listing_photos::listing_id.eq(id))
        .order(listing_photos::position)
        .select(listing_photos::photo_id)
        .load(conn)
        .await
}

pub async fn with_photo(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> QueryResult<Vec<Uuid>> {
    listing_ads::table
        .inner_join(listing_photos::table.on(listing_photos::listing_id.eq(listing_ads::id)))
        .filter(listing_ads::org_id.eq(org).and(listing_photos::photo_id.eq(photo)))
        .select(listing_ads::id)
        // Everybody locks what hangs on several listings in this order.
        .order(listing_ads::id)
        .load(conn)
        .await
}

pub async fn of_vehicle(conn: &mut AsyncPgConnection, org: Uuid, vehicle: Uuid) -> QueryResult<Vec<Uuid>> {
    listing_ads::table
        .filter(listing_ads::org_id.eq(org).and(listing_ads::vehicle_id.eq(vehicle)))
        .select(listing_ads::id)
        .order(listing_ads::id)
        .load(conn)
        .await
}

/// The latest ad of a car that is not sold.
pub async fn current_of_vehicle(conn: &mut AsyncPgConnection, org: Uuid, vehicle: Uuid) -> QueryResult<Option<Ad>> {
    listing_ads::table
        .filter(listing_ads::org_id.eq(org).and(listing_ads::vehicle_id.eq(vehicle)))
        .filter(listing_ads::sold_at.is_null())
        .order(listing_ads::id.desc())
        .select(Ad::as_select())
        .first(conn)
        .await
        .optional()
}

diesel::allow_tables_to_appear_in_same_query!(listing_ads, listing_photos);

pub async fn steps(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Vec<Step>> {
    listing_steps::table
        .filter(listing_steps::listing_id.eq(id))
        .order(listing_steps::position)
        .select(Step::as_select())
        .load(conn)
        .await
}

pub async fn steps_of_all(conn: &mut AsyncPgConnection, listings: &[Uuid]) -> QueryResult<Vec<Step>> {
    listing_steps::table
        .filter(listing_steps::listing_id.eq_any(listings))
        .order(listing_steps::position)
        .select(Step::as_select())
        .load(conn)
        .await
}

/// Photos of some listings with the listing of each, in the sellers' order.
pub async fn photos_of_all(conn: &mut AsyncPgConnection, listings: &[Uuid]) -> QueryResult<Vec<(Uuid, Uuid)>> {
    listing_photos::table
        .filter(listing_photos::listing_id.eq_any(listings))
        .order(listing_photos::position)
        .select((listing_photos::listing_id, listing_photos::photo_id))
        .load(conn)
        .await
}

pub async fn save_step(conn: &mut AsyncPgConnection, step: &Step) -> QueryResult<usize> {
    diesel::update(listing_steps::table.find((step.listing_id, &step.kind, step.subject_id)))
        .set((
            listing_steps::state.eq(&step.state),
            listing_steps::fingerprint.eq(&step.fingerprint),
            listing_steps::result_id.eq(step.result_id),
            listing_steps::error_code.eq(&step.error_code),
            listing_steps::message_fr.eq(&step.message_fr),
            listing_steps::message_en.eq(&step.message_en),
            listing_steps::missing.eq(&step.missing),
            listing_steps::started_at.eq(step.started_at),
            listing_steps::finished_at.eq(step.finished_at),
        ))
        .execute(conn)
        .await
}

pub async fn insert_progress(conn: &mut AsyncPgConnection, row: &Progress) -> QueryResult<usize> {
    diesel::insert_into(listing_progress::table).values(row).execute(conn).await
}

/// Whether a listing was told to be ready or incomplete before.
pub async fn was_settled(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<bool> {
    let told =
        listing_progress::table.filter(listing_progress::listing_id.eq(id).and(listing_progress::kind.eq(WHOLE)));
    diesel::select(diesel::dsl::exists(told)).get_result(conn).await
}

pub async fn progress_after(conn: &mut AsyncPgConnection, id: Uuid, seq: i32) -> QueryResult<Vec<Progress>> {
    listing_progress::table
        .filter(listing_progress::listing_id.eq(id).and(listing_progress::seq.gt(seq)))
        .order(listing_progress::seq)
        .limit(200)
        .select(Progress::as_select())
        .load(conn)
        .await
}

pub async fn save_ad(conn: &mut AsyncPgConnection, ad: &Ad) -> QueryResult<usize> {
    diesel::update(listing_ads::table.find(ad.id))
        .set((
            listing_ads::state.eq(&ad.state),
            listing_ads::title.eq(&ad.title),
            listing_ads::body.eq(&ad.body),
            listing_ads::text_edited.eq(ad.text_edited),
            listing_ads::price_eur.eq(ad.price_eur),
            listing_ads::seq.eq(ad.seq),
            listing_ads::updated_at.eq(ad.updated_at),
            listing_ads::sold_at.eq(ad.sold_at),
            listing_ads::tone.eq(&ad.tone),
        ))
        .execute(conn)
        .await
}

impl Ad {
    pub fn state(&self) -> ListingState {
        ListingState::parse(&self.state)
    }
}
