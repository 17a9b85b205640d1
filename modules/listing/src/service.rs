use std::collections::HashSet;

use diesel_async::AsyncPgConnection;
use futures_util::Stream;
use keroxio_core::{Actor, App, Effects, Error, Page, Queue, Result, Right, Tx};
use keroxio_subscription::{Unit, service as plans};
use keroxio_vehicle::events::VehicleMoved;
use keroxio_vehicle::{StockState, VehicleInput, service as vehicles, stock};
use uuid::Uuid;

use crate::events::{ListingSold, ListingTakenBack};
use crate::jobs::AdvanceListing;
use crate::model::{self, Ad, Progress, Step};
use crate::steps::{ListingState, Outcome, StepKind, StepState};
use crate::text::AdTone;
use crate::texts::{self, Writer};
use crate::{advance, error};

/// States of a car that can be sold.
const FOR_SALE: [StockState; 6] = [
    StockState::Arriving,
    StockState::Preparing,
    StockState::Ready,
    StockState::Published,
    StockState::Reserved,
    StockState::Withdrawn,
];
const MAX_PHOTOS: usize = 20;
const TITLE_LIMIT: usize = 120;
const BODY_LIMIT: usize = 4_000;

pub(crate) fn topic(listing: Uuid) -> String {
    format!("listing:{listing}")
}

/// The car of a new listing: a new one, or one of the stock, with what the seller says of it.
pub(crate) struct Car {
    pub id: Option<Uuid>,
    pub facts: VehicleInput,
}

/// Creates vehicle and listing and starts every step; answers before any of them has run.
pub(crate) async fn prepare(
    app: &App,
    actor: &Actor,
    photos: Vec<Uuid>,
    car: Car,
    language: &'static str,
    tone: AdTone,
) -> Result<Ad> {
    actor.may(Right::Stock)?;
    let mut seen = HashSet::new();
    let photos: Vec<Uuid> = photos.into_iter().filter(|id| seen.insert(*id)).collect();
    if photos.is_empty() || photos.len() > MAX_PHOTOS {
        return Err(error::photo_count(photos.len()));
    }
    app.admit(Queue::Inference, actor.org_id).await?;
    keroxio_storage::service::require_photos(app, actor.org_id, &photos).await?;
    let mut tx = app.begin().await?;
    let now = app.now();
    let gate = plans::gate(&mut tx, actor.org_id).await?;
    let vehicle = match car.id {
        None => vehicles::create(&mut tx, actor, car.facts).await?,
        Some(id) => {
            let vehicle = vehicles::take(&mut tx, actor, id, car.facts).await?;
            // Asked under the lock of the car.
            if model::is_listed(&mut tx, actor.org_id, id).await? {
                return Err(error::listed_already());
            }
            vehicle
        }
    };
    let ad = Ad {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        vehicle_id: vehicle.id,
        state: ListingState::Preparing.as_str().to_owned(),
        language: language.to_owned(),
        title: None,
        body: None,
        text_edited: false,
        price_eur: vehicle.asking_price_eur,
        seq: 0,
        created_at: now,
        updated_at: now,
        sold_at: None,
        tone: tone.as_str().to_owned(),
    };
    model::insert(&mut tx, &ad, &photos, &first_steps(ad.id, &photos)).await?;
    let active = model::active(&mut tx, actor.org_id).await?;
    gate.hold(&mut tx, Unit::ActiveAds, active).await?;
    // Locked in one order, whoever asks.
    let mut sorted = photos;
    sorted.sort_unstable();
    for photo in sorted {
        keroxio_images::service::start_cleaning(&mut tx, actor.org_id, photo).await?;
    }
    tx.enqueue(&AdvanceListing { listing_id: ad.id, org_id: ad.org_id }).await?;
    tx.commit().await?;
    Ok(ad)
}

fn first_steps(listing_id: Uuid, photos: &[Uuid]) -> Vec<Step> {
    let mut subjects = vec![(StepKind::Plate, Uuid::nil()), (StepKind::Vehicle, Uuid::nil())];
    subjects.extend(photos.iter().map(|photo| (StepKind::Photo, *photo)));
    subjects.extend([StepKind::Price, StepKind::Text, StepKind::Publication].map(|kind| (kind, Uuid::nil())));
    subjects
        .into_iter()
        .zip(0..)
        .map(|((kind, subject_id), position)| Step {
            listing_id,
            kind: kind.as_str().to_owned(),
            subject_id,
            position,
            state: StepState::Waiting.as_str().to_owned(),
            fingerprint: None,
            result_id: None,
            error_code: None,
            message_fr: None,
            message_en: None,
            missing: serde_json::json!([]),
            started_at: None,
            finished_at: None,
        })
        .collect()
}

pub async fn get(app: &App, org: Uuid, id: Uuid) -> Result<Ad> {
    let mut conn = app.conn().await?;
    model::find(&mut conn, org, id).await?.ok_or_else(error::not_found)
}

/// [`get`] on a connection of the caller's.
pub async fn get_in(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<Ad> {
    model::find(conn, org, id).await?.ok_or_else(error::not_found)
}

/// The latest ad of a car that is not sold.
pub async fn current_of_vehicle(conn: &mut AsyncPgConnection, org: Uuid, vehicle: Uuid) -> Result<Option<Ad>> {
    Ok(model::current_of_vehicle(conn, org, vehicle).await?)
}

pub(crate) async fn list(app: &App, actor: &Actor, page: Page) -> Result<Vec<Ad>> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    Ok(model::page(&mut conn, actor.org_id, page).await?)
}

/// Photos of a listing in the seller's order. The caller has checked whose listing it is.
pub async fn photos(app: &App, listing: Uuid) -> Result<Vec<Uuid>> {
    let mut conn = app.conn().await?;
    Ok(model::photos(&mut conn, listing).await?)
}

pub(crate) async fn with_photo(app: &App, org: Uuid, photo: Uuid) -> Result<Vec<Uuid>> {
    let mut conn = app.conn().await?;
    Ok(model::with_photo(&mut conn, org, photo).await?)
}

/// Listings of a car of an organization.
pub async fn of_vehicle(app: &App, org: Uuid, vehicle: Uuid) -> Result<Vec<Uuid>> {
    let mut conn = app.conn().await?;
    Ok(model::of_vehicle(&mut conn, org, vehicle).await?)
}

/// New facts from the seller: only the steps that depend on them run again.
pub(crate) async fn correct(app: &App, actor: &Actor, id: Uuid, facts: VehicleInput) -> Result<Ad> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let ad = locked(&mut tx, actor, id).await?;
    vehicles::update(&mut tx, actor, ad.vehicle_id, facts).await?;
    reopen(tx, ad).await
}

/// Title, body or price by the seller's hand; a text written by hand is never overwritten.
pub(crate) async fn edit(
    app: &App,
    actor: &Actor,
    id: Uuid,
    title: Option<String>,
    body: Option<String>,
    price_eur: Option<i32>,
) -> Result<Ad> {
    actor.may(Right::Stock)?;
    for (field, text, limit) in [(("titre", "title"), &title, TITLE_LIMIT), (("texte", "body"), &body, BODY_LIMIT)] {
        if text.as_ref().is_some_and(|t| t.chars().count() > limit) {
            return Err(error::text_too_long(field, limit));
        }
    }
    if price_eur.is_some_and(|p| !(1..=10_000_000).contains(&p)) {
        return Err(error::price_out_of_range());
    }
    let mut tx = app.begin().await?;
    let mut ad = locked(&mut tx, actor, id).await?;
    let by_hand = title.is_some() || body.is_some();
    ad.text_edited |= by_hand;
    ad.title = title.or(ad.title);
    ad.body = body.or(ad.body);
    ad.price_eur = price_eur.or(ad.price_eur);
    if by_hand {
        texts::keep(&mut tx, &ad, Writer::Seller(actor.user_id), app.now()).await?;
    }
    reopen(tx, ad).await
}

/// Brings an older text back.
pub(crate) async fn restore_text(app: &App, actor: &Actor, id: Uuid, version: i32) -> Result<Ad> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let mut ad = locked(&mut tx, actor, id).await?;
    texts::restore(&mut tx, &mut ad, version, actor.user_id).await?;
    reopen(tx, ad).await
}

/// Writes the ad again from the facts, in another tone where one is given; a text set by hand goes.
pub(crate) async fn write_again(app: &App, actor: &Actor, id: Uuid, tone: Option<AdTone>) -> Result<Ad> {
    actor.may(Right::Stock)?;
    app.admit(Queue::Inference, actor.org_id).await?;
    if let Some(tone) = tone {
        let mut tx = app.begin().await?;
        let mut ad = locked(&mut tx, actor, id).await?;
        tone.as_str().clone_into(&mut ad.tone);
        model::save_ad(&mut tx, &ad).await?;
        tx.commit().await?;
    }
    repeat(app, actor, id, StepKind::Text, None).await
}

/// Runs one step again, whatever its inputs.
pub(crate) async fn repeat(app: &App, actor: &Actor, id: Uuid, kind: StepKind, photo: Option<Uuid>) -> Result<Ad> {
    actor.may(Right::Stock)?;
    app.admit(Queue::Inference, actor.org_id).await?;
    let mut tx = app.begin().await?;
    let mut ad = locked(&mut tx, actor, id).await?;
    let subject = photo.unwrap_or_default();
    let steps = model::steps(&mut tx, id).await?;
    let step = steps
        .into_iter()
        .find(|s| s.kind() == kind && s.subject_id == subject)
        .ok_or_else(|| Error::not_found("Étape", "Step"))?;
    match kind {
        StepKind::Photo => {
            keroxio_images::service::restart_cleaning(&mut tx, actor.org_id, subject).await?;
        }
        StepKind::Plate => {
            for photo in model::photos(&mut tx, id).await? {
                keroxio_plates::service::start_reading(&mut tx, actor.org_id, photo).await?;
            }
        }
        StepKind::Text => ad.text_edited = false,
        StepKind::Vehicle | StepKind::Price | StepKind::Publication => {}
    }
    advance::record(&mut tx, &mut ad, step, Outcome::plain(StepState::Waiting)).await?;
    reopen(tx, ad).await
}

/// The car is sold: its listing is over, and whoever shows it elsewhere hears of it.
pub(crate) async fn sell(app: &App, actor: &Actor, id: Uuid) -> Result<Ad> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut ad = locked(&mut tx, actor, id).await?;
    if ad.sold_at.is_some() {
        return Err(error::sold_already());
    }
    stock::follow(&mut tx, ad.org_id, ad.vehicle_id, &FOR_SALE, StockState::Sold).await?;
    sold(&mut tx, &mut ad).await?;
    tx.commit().await?;
    Ok(ad)
}

async fn sold(tx: &mut Tx, ad: &mut Ad) -> Result<()> {
    let now = tx.app().now();
    (ad.sold_at, ad.updated_at) = (Some(now), now);
    model::save_ad(tx, ad).await?;
    note_active(tx, ad.org_id).await?;
    let title = ad.title.clone().unwrap_or_default();
    tx.announce(&ListingSold { listing_id: ad.id, org_id: ad.org_id, title, sold_at: now }).await
}

/// A person moved a car: its listings are sold with it, and for sale again with it. The car itself is where it is now.
pub(crate) async fn follow_move(app: &App, event: &VehicleMoved) -> Result<Effects> {
    let listings = of_vehicle(app, event.org_id, event.vehicle_id).await?;
    let mut tx = app.begin().await?;
    for id in listings {
        let Some(mut ad) = model::lock(&mut tx, id).await? else { continue };
        match (event.from, event.to, ad.sold_at) {
            (_, StockState::Sold, None) => sold(&mut tx, &mut ad).await?,
            (StockState::Sold, StockState::Ready, Some(_)) => taken_back(&mut tx, &mut ad).await?,
            _ => {}
        }
    }
    Ok(tx.into())
}

/// The sale fell through: the car is for sale again.
pub(crate) async fn take_back(app: &App, actor: &Actor, id: Uuid) -> Result<Ad> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut ad = locked(&mut tx, actor, id).await?;
    if ad.sold_at.is_none() {
        return Err(error::not_sold());
    }
    let gone = [StockState::Sold, StockState::Delivered];
    stock::follow(&mut tx, ad.org_id, ad.vehicle_id, &gone, StockState::Ready).await?;
    taken_back(&mut tx, &mut ad).await?;
    tx.commit().await?;
    Ok(ad)
}

async fn taken_back(tx: &mut Tx, ad: &mut Ad) -> Result<()> {
    (ad.sold_at, ad.updated_at) = (None, tx.app().now());
    model::save_ad(tx, ad).await?;
    // Never refused: what exists can be sold, whatever the plan.
    note_active(tx, ad.org_id).await?;
    tx.announce(&ListingTakenBack { listing_id: ad.id, org_id: ad.org_id }).await
}

async fn note_active(tx: &mut Tx, org: Uuid) -> Result<()> {
    let active = model::active(tx, org).await?;
    plans::note(tx, org, Unit::ActiveAds, active).await
}

/// Ads of an organization that are ready and unsold, newest first.
pub async fn ready(app: &App, org: Uuid, most: i64) -> Result<Vec<Ad>> {
    Ok(model::ready(&mut *app.conn().await?, org, most).await?)
}

/// A listing of any organization, locked: for a job, which acts for the listing itself.
pub async fn locked_ad(tx: &mut Tx, id: Uuid) -> Result<Option<Ad>> {
    Ok(model::lock(tx, id).await?)
}

/// Listings of all organizations with theirs that are unsold or were sold within a month, a page in the order of ids.
pub async fn current(app: &App, after: Option<Uuid>, most: i64) -> Result<Vec<(Uuid, Uuid)>> {
    let since = app.now() - chrono::Duration::days(31);
    Ok(model::current(&mut *app.conn().await?, after, since, most).await?)
}

/// Cars an organization sold since then.
pub async fn sold_since(app: &App, org: Uuid, since: chrono::DateTime<chrono::Utc>) -> Result<i64> {
    Ok(model::sold_since(&mut *app.conn().await?, org, since).await?)
}

/// The car of a listing.
pub async fn vehicle_of(conn: &mut AsyncPgConnection, org: Uuid, listing: Uuid) -> Result<Uuid> {
    Ok(model::find(conn, org, listing).await?.ok_or_else(error::not_found)?.vehicle_id)
}

pub(crate) async fn locked(tx: &mut Tx, actor: &Actor, id: Uuid) -> Result<Ad> {
    let ad = model::lock(tx, id).await?;
    ad.filter(|ad| ad.org_id == actor.org_id).ok_or_else(error::not_found)
}

async fn reopen(mut tx: Tx, mut ad: Ad) -> Result<Ad> {
    reopened(&mut tx, &mut ad).await?;
    tx.commit().await?;
    Ok(ad)
}

/// Something of a listing changed: its steps are looked at again.
pub(crate) async fn reopened(tx: &mut Tx, ad: &mut Ad) -> Result<()> {
    ad.state = ListingState::Preparing.as_str().to_owned();
    ad.updated_at = tx.app().now();
    model::save_ad(tx, ad).await?;
    tx.enqueue(&AdvanceListing { listing_id: ad.id, org_id: ad.org_id }).await.map(drop)
}

/// The publication module reports what became of the pack for this fingerprint.
pub async fn report_publication(tx: &mut Tx, listing: Uuid, fingerprint: &str, failed: bool) -> Result<()> {
    let Some(mut ad) = model::lock(tx, listing).await? else { return Ok(()) };
    let steps = model::steps(tx, listing).await?;
    let Some(step) = steps.into_iter().find(|s| s.kind() == StepKind::Publication) else { return Ok(()) };
    if step.fingerprint.as_deref() != Some(fingerprint) {
        return Ok(());
    }
    let outcome = if failed {
        Outcome::failed(
            "PUBLICATION_PACK_FAILED",
            "Le pack de publication n'a pas pu être préparé. Relancez cette étape.",
            "The publication pack could not be prepared. Repeat this step.",
        )
    } else {
        Outcome::done(None)
    };
    advance::record(tx, &mut ad, step, outcome.with_fingerprint(fingerprint)).await?;
    model::save_ad(tx, &ad).await?;
    tx.enqueue(&AdvanceListing { listing_id: listing, org_id: ad.org_id }).await.map(drop)
}

/// Every change of a listing after `seq`, in order, then new ones as they come, until it is settled.
pub(crate) async fn follow(
    app: App,
    actor: Actor,
    id: Uuid,
    after: i32,
) -> Result<impl Stream<Item = (Ad, Progress)> + Send + use<>> {
    get(&app, actor.org_id, id).await?;
    // Subscribed before the first look, so that nothing falls between the two.
    let wake_ups = app.live().subscribe(&topic(id)).await?;
    Ok(crate::subscription::stream(app, actor, id, after, Box::pin(wake_ups)))
}

pub(crate) async fn progress_after(app: &App, actor: &Actor, id: Uuid, seq: i32) -> Result<(Ad, Vec<Progress>)> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    // The ad first: were it read last, it could be settled by rows this look has not seen.
    let ad = model::find(&mut conn, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    let rows = model::progress_after(&mut conn, id, seq).await?;
    Ok((ad, rows))
}
