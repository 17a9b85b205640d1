//! Decides, from what is in the database, which steps of a listing moved and which can start.

use diesel_async::AsyncPgConnection;
use keroxio_auth::Organization;
use keroxio_core::metrics::PREPARATION_SECONDS;
use keroxio_core::{App, Effects, Result, Tx};
use keroxio_email::Letter;
use keroxio_notification::{Notice, NotificationKind, service as notification};
use keroxio_plates::Reading;
use keroxio_vehicle::{StockState, Vehicle, service as vehicles};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::events::ListingPrepared;
use crate::jobs::PriceListing;
use crate::model::{self, Ad, Progress, Step};
use crate::service::topic;
use crate::steps::{ListingState, Outcome, StepKind, StepState};
use crate::text::{self, AdFacts, AdText, AdTone, Manner, Seller};
use crate::texts::{self, Writer};

/// Runs under the row lock of the listing, in one transaction, and only reads and writes rows:
/// whatever is slow is started as a job.
pub async fn advance(app: &App, listing_id: Uuid) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let Some(mut ad) = model::lock(&mut tx, listing_id).await? else { return Ok(Effects::none()) };
    let mut steps = model::steps(&mut tx, listing_id).await?;
    for index in 0..steps.len() {
        let step = steps[index].clone();
        let outcome = match step.kind() {
            StepKind::Plate => plate(&mut tx, &ad).await?,
            StepKind::Vehicle => vehicle(&mut tx, &ad, &steps).await?,
            StepKind::Photo => photo(&mut tx, &ad, step.subject_id).await?,
            StepKind::Price => start_price(&mut tx, &ad, &steps, &step).await?,
            StepKind::Text => write_text(&mut tx, &mut ad, &steps, &step).await?,
            StepKind::Publication => start_publication(&mut tx, &ad, &steps, &step).await?,
        };
        steps[index] = record(&mut tx, &mut ad, step, outcome).await?;
    }
    settle(&mut tx, &mut ad, &steps).await?;
    model::save_ad(&mut tx, &ad).await?;
    Ok(tx.into())
}

/// Saves an outcome and reports it, if it is news.
pub async fn record(tx: &mut Tx, ad: &mut Ad, mut step: Step, outcome: Outcome) -> Result<Step> {
    if step.outcome() == outcome {
        return Ok(step);
    }
    let now = tx.app().now();
    let before = step.state();
    step.state = outcome.state.as_str().to_owned();
    step.fingerprint = outcome.fingerprint;
    step.result_id = outcome.result_id;
    step.error_code = outcome.error_code;
    (step.message_fr, step.message_en) = outcome.message.unzip();
    step.missing = json!(outcome.missing);
    if !before.is_settled() && step.started_at.is_none() || before.is_settled() && !outcome.state.is_settled() {
        step.started_at = Some(now);
    }
    step.finished_at = outcome.state.is_settled().then_some(now);
    model::save_step(tx, &step).await?;
    let steps = model::steps(tx, ad.id).await?;
    let settled = steps.iter().filter(|s| s.state().is_settled()).count();
    let percent = i32::try_from(settled * 100 / steps.len().max(1)).unwrap_or(100);
    report(tx, ad, Progress::of_step(ad, &step, percent, now)).await?;
    Ok(step)
}

/// Numbers a change and tells who follows the listing.
async fn report(tx: &mut Tx, ad: &mut Ad, mut progress: Progress) -> Result<()> {
    ad.seq += 1;
    progress.seq = ad.seq;
    model::insert_progress(tx, &progress).await?;
    tx.publish(topic(ad.id), json!({ "seq": ad.seq }));
    Ok(())
}

fn state_of(steps: &[Step], kind: StepKind) -> StepState {
    steps.iter().find(|s| s.kind() == kind).map_or(StepState::Waiting, Step::state)
}

/// What was read on each photo of the car.
pub async fn readings(conn: &mut AsyncPgConnection, ad: &Ad) -> Result<Vec<Reading>> {
    let mut readings = Vec::new();
    for photo in model::photos(conn, ad.id).await? {
        readings.extend(keroxio_plates::service::by_photo(conn, ad.org_id, photo).await?);
    }
    Ok(readings)
}

/// What the photos say together, once all of them have been looked at.
async fn plate(tx: &mut Tx, ad: &Ad) -> Result<Outcome> {
    let readings = readings(tx, ad).await?;
    if readings.iter().any(|r| !r.is_finished()) {
        return Ok(Outcome::plain(StepState::Running));
    }
    Ok(match keroxio_plates::service::consensus(&readings, tx.app().now()) {
        Some(reading) => Outcome::done(Some(reading.id)),
        None if !readings.is_empty() && readings.iter().all(|r| r.error.is_some()) => Outcome::failed(
            "PLATE_READING_FAILED",
            "La lecture de la plaque a échoué. Saisissez-la ou relancez cette étape.",
            "Reading the plate failed. Type it in or repeat this step.",
        ),
        None => {
            Outcome::done(None).saying("Aucune plaque lisible sur ces photos.", "No readable plate in these photos.")
        }
    })
}

/// What is known of the car, with the plate when the photos gave one the seller may rely on.
async fn vehicle(tx: &mut Tx, ad: &Ad, steps: &[Step]) -> Result<Outcome> {
    let Some(plate) = steps.iter().find(|s| s.kind() == StepKind::Plate && s.state().is_settled()) else {
        return Ok(Outcome::plain(StepState::Waiting));
    };
    if plate.result_id.is_some()
        && let Some(reading) = keroxio_plates::service::consensus(&readings(tx, ad).await?, tx.app().now())
        && let (Some(text), false) = (&reading.text, reading.needs_confirmation())
    {
        let confidence = reading.confidence.map_or(0.0, f64::from);
        vehicles::set_plate_from_photo(tx, ad.org_id, ad.vehicle_id, text, confidence).await?;
    }
    let vehicle = vehicles::get(tx, ad.org_id, ad.vehicle_id).await?;
    Ok(match vehicles::car_facts(&vehicle, tx.app().now().date_naive()) {
        Ok(_) => Outcome::done(Some(vehicle.id)),
        Err(missing) => asks_for(&missing).with_result(vehicle.id),
    })
}

fn asks_for(missing: &[&'static str]) -> Outcome {
    let (fr, en) = keroxio_vehicle::facts::enumerate(missing);
    Outcome::needs(
        missing,
        format!("Il manque des informations que seul le vendeur connaît : {fr}. Ajoutez-les avec correctListing."),
        format!("Facts only the seller knows are missing: {en}. Add them with correctListing."),
    )
}

async fn photo(tx: &mut Tx, ad: &Ad, photo: Uuid) -> Result<Outcome> {
    let Some(cleaning) = keroxio_images::service::by_photo(tx, ad.org_id, photo).await? else {
        return Ok(Outcome::plain(StepState::Waiting));
    };
    if !cleaning.is_finished() {
        return Ok(Outcome::plain(StepState::Running));
    }
    Ok(match (&cleaning.error, cleaning.car_found) {
        (Some(code), _) => Outcome::failed(
            code,
            "Cette photo n'a pas pu être préparée. Relancez cette étape ou remplacez la photo.",
            "This photo could not be prepared. Repeat this step or replace the photo.",
        ),
        (None, Some(false)) => Outcome::done(Some(cleaning.id)).saying(
            "Aucune voiture trouvée sur cette photo : le fond d'origine est conservé.",
            "No car found in this photo: the original background is kept.",
        ),
        (None, _) if cleaning.verdict.as_deref() == Some("rejected") => Outcome::done(Some(cleaning.id)).saying(
            "Le détourage de cette photo n'est pas bon : le fond d'origine est conservé. Ses remarques disent quoi faire.",
            "The cut-out of this photo is not good: the original background is kept. Its remarks say what to do.",
        ),
        (None, _) => Outcome::done(Some(cleaning.id)),
    })
}

fn fingerprint(of: &impl serde::Serialize) -> Result<String> {
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(of)?)))
}

/// Starts an estimate when the facts are complete and are not those already priced.
async fn start_price(tx: &mut Tx, ad: &Ad, steps: &[Step], step: &Step) -> Result<Outcome> {
    if !state_of(steps, StepKind::Vehicle).is_settled() {
        return Ok(Outcome::plain(StepState::Waiting));
    }
    let vehicle = vehicles::get(tx, ad.org_id, ad.vehicle_id).await?;
    let facts = match vehicles::car_facts(&vehicle, tx.app().now().date_naive()) {
        Ok(facts) => facts,
        Err(missing) => return Ok(asks_for(&missing)),
    };
    let wanted = fingerprint(&facts)?;
    if step.fingerprint.as_deref() == Some(&wanted) {
        return Ok(step.outcome());
    }
    tx.enqueue(&PriceListing { listing_id: ad.id, org_id: ad.org_id, fingerprint: wanted.clone() }).await?;
    Ok(Outcome::plain(StepState::Running).with_fingerprint(&wanted))
}

/// The price job's work: estimate outside any transaction, then save if the facts are still the same.
pub async fn price(app: &App, listing: Uuid, wanted: &str) -> Result<Effects> {
    let Some((org, vehicle)) = vehicle_to_price(app, listing, wanted).await? else { return Ok(Effects::none()) };
    let draft = keroxio_pricing::service::draft(app, org, vehicle).await?;
    let estimate = &draft.estimate;
    let outcome = match &estimate.refusal {
        None => Outcome::done(Some(estimate.id)),
        Some(refusal) => {
            let (fr, en) = keroxio_pricing::refusal_sentences(refusal);
            Outcome::failed("PRICE_REFUSED", fr, en).with_result(estimate.id)
        }
    };
    let mut tx = app.begin().await?;
    keroxio_pricing::service::save(&mut tx, &draft).await?;
    finish_price(tx, listing, wanted, outcome, estimate.mid).await
}

pub async fn price_failed(app: &App, listing: Uuid, wanted: &str) -> Result<Effects> {
    let outcome = Outcome::failed(
        "PRICE_FAILED",
        "L'estimation du prix a échoué. Relancez cette étape.",
        "Estimating the price failed. Repeat this step.",
    );
    finish_price(app.begin().await?, listing, wanted, outcome, None).await
}

async fn vehicle_to_price(app: &App, listing: Uuid, wanted: &str) -> Result<Option<(Uuid, Uuid)>> {
    let mut tx = app.begin().await?;
    let Some(ad) = model::lock(&mut tx, listing).await? else { return Ok(None) };
    let steps = model::steps(&mut tx, listing).await?;
    let current = steps.iter().any(|s| s.kind() == StepKind::Price && s.fingerprint.as_deref() == Some(wanted));
    tx.commit().await?;
    Ok(current.then_some((ad.org_id, ad.vehicle_id)))
}

async fn finish_price(mut tx: Tx, listing: Uuid, wanted: &str, outcome: Outcome, mid: Option<i32>) -> Result<Effects> {
    let Some(mut ad) = model::lock(&mut tx, listing).await? else { return Ok(Effects::none()) };
    let steps = model::steps(&mut tx, listing).await?;
    let step = steps.into_iter().find(|s| s.kind() == StepKind::Price && s.fingerprint.as_deref() == Some(wanted));
    if let Some(step) = step {
        record(&mut tx, &mut ad, step, outcome.with_fingerprint(wanted)).await?;
        ad.price_eur = ad.price_eur.or(mid.map(asked));
        model::save_ad(&mut tx, &ad).await?;
        tx.enqueue(&crate::jobs::AdvanceListing { listing_id: listing, org_id: ad.org_id }).await?;
    }
    Ok(tx.into())
}

/// An estimate as a price to ask: tens of euros, as people write them.
fn asked(mid: i32) -> i32 {
    (mid + 5) / 10 * 10
}

/// Writes title and body from the facts, unless the seller wrote them.
async fn write_text(tx: &mut Tx, ad: &mut Ad, steps: &[Step], step: &Step) -> Result<Outcome> {
    if !state_of(steps, StepKind::Vehicle).is_settled() {
        return Ok(Outcome::plain(StepState::Waiting));
    }
    if ad.text_edited {
        return Ok(Outcome::done(None).with_fingerprint("by hand"));
    }
    let written = match written(tx, ad).await? {
        Ok(written) => written,
        Err(missing) => return Ok(asks_for(&missing)),
    };
    let outcome = Outcome::done(None).with_fingerprint(&written.fingerprint);
    if step.fingerprint != outcome.fingerprint {
        (ad.title, ad.body) = (Some(written.text.title), Some(written.text.body));
        let now = tx.app().now();
        texts::keep(tx, ad, Writer::Facts, now).await?;
    }
    Ok(outcome)
}

/// The ad as we write it from the facts of now.
pub struct Written {
    pub facts: AdFacts,
    pub text: AdText,
    /// Of the text.
    pub fingerprint: String,
}

/// Writes the ad of a listing; the facts that are missing where there can be none.
pub async fn written(tx: &mut Tx, ad: &Ad) -> Result<std::result::Result<Written, Vec<&'static str>>> {
    let vehicle = vehicles::get(tx, ad.org_id, ad.vehicle_id).await?;
    let organization = keroxio_auth::service::organization_in(tx, ad.org_id).await?;
    let facts = match ad_facts(&vehicle, &organization, tx) {
        Ok(facts) => facts,
        Err(missing) => return Ok(Err(missing)),
    };
    let manner = Manner { language: &ad.language, tone: AdTone::parse(&ad.tone), seed: ad.id.as_u64_pair().1 };
    let text = text::write(&facts, &manner);
    let fingerprint = fingerprint(&(&text.title, &text.body))?;
    Ok(Ok(Written { facts, text, fingerprint }))
}

/// What the ad may say of a vehicle, or the facts without which it would break the law.
pub fn ad_facts(
    vehicle: &Vehicle,
    organization: &Organization,
    tx: &Tx,
) -> std::result::Result<AdFacts, Vec<&'static str>> {
    let car = vehicles::car_facts(vehicle, tx.app().now().date_naive())?;
    Ok(AdFacts {
        make: car.make,
        model: car.model,
        version: car.version,
        year: car.first_registration_year,
        month: car.first_registration_month,
        mileage_km: car.mileage_km.into(),
        fuel: car.fuel.and_then(text::fuel_words),
        gearbox: car.gearbox.map(text::gearbox_words),
        power_hp: vehicle.power_hp,
        fiscal_hp: vehicle.fiscal_hp,
        doors: vehicle.doors,
        seats: vehicle.seats,
        colour: vehicle.colour.clone(),
        crit_air: vehicle.crit_air.clone(),
        inspected_on: vehicle.inspected_on,
        inspection_retest: vehicle.inspection_retest,
        seller: match organization.kind.as_str() {
            "dealer" => Seller::Dealer { name: organization.name.clone(), siren: organization.siren.clone() },
            _ => Seller::Private,
        },
    })
}

/// Asks for the publication pack once photos, price and text are settled and the text exists.
async fn start_publication(tx: &mut Tx, ad: &Ad, steps: &[Step], step: &Step) -> Result<Outcome> {
    let before = [StepKind::Photo, StepKind::Price, StepKind::Text];
    if steps.iter().any(|s| before.contains(&s.kind()) && !s.state().is_settled()) {
        return Ok(Outcome { fingerprint: step.fingerprint.clone(), ..Outcome::plain(StepState::Waiting) });
    }
    if ad.title.is_none() {
        let text = steps.iter().find(|s| s.kind() == StepKind::Text);
        return Ok(Outcome { fingerprint: None, ..text.map_or(Outcome::plain(StepState::Waiting), Step::outcome) });
    }
    let photos: Vec<_> = steps.iter().filter(|s| s.kind() == StepKind::Photo).map(|s| s.result_id).collect();
    let wanted = fingerprint(&(&ad.title, &ad.body, ad.price_eur, photos))?;
    let current = step.fingerprint.as_deref() == Some(&wanted);
    if current && step.state() != StepState::Waiting {
        return Ok(step.outcome());
    }
    let event = ListingPrepared { listing_id: ad.id, org_id: ad.org_id, fingerprint: wanted.clone() };
    tx.announce(&event).await?;
    Ok(Outcome::plain(StepState::Running).with_fingerprint(&wanted))
}

/// The listing follows its steps; becoming ready is worth a notification.
/// Times the first preparation of a listing; those after it began with what somebody corrected, at any time.
async fn prepared(tx: &mut Tx, ad: &Ad, state: ListingState) -> Result<()> {
    if model::was_settled(tx, ad.id).await? {
        return Ok(());
    }
    let took = (tx.app().now() - ad.created_at).as_seconds_f64();
    metrics::histogram!(PREPARATION_SECONDS, "outcome" => state.as_str()).record(took.max(0.0));
    Ok(())
}

async fn settle(tx: &mut Tx, ad: &mut Ad, steps: &[Step]) -> Result<()> {
    let next = if steps.iter().any(|s| !s.state().is_settled()) {
        ListingState::Preparing
    } else if steps.iter().all(|s| s.state() == StepState::Done) {
        ListingState::Ready
    } else {
        ListingState::Incomplete
    };
    if next == ad.state() {
        return Ok(());
    }
    ad.state = next.as_str().to_owned();
    ad.updated_at = tx.app().now();
    if next != ListingState::Preparing {
        prepared(tx, ad, next).await?;
        report(tx, ad, Progress::of_listing(ad, next, tx.app().now())).await?;
    }
    if next == ListingState::Ready {
        let (org, vehicle) = (ad.org_id, ad.vehicle_id);
        keroxio_vehicle::stock::follow(tx, org, vehicle, &[StockState::Preparing], StockState::Ready).await?;
    }
    let title = ad.title.clone().unwrap_or_default();
    let (kind, title_fr, title_en) = match next {
        ListingState::Preparing => return Ok(()),
        ListingState::Ready => (
            NotificationKind::ListingReady,
            format!("Votre annonce est prête : {title}"),
            format!("Your listing is ready: {title}"),
        ),
        ListingState::Incomplete => (
            NotificationKind::ListingIncomplete,
            "Votre annonce attend des informations ou une correction.".to_owned(),
            "Your listing is waiting for facts or a correction.".to_owned(),
        ),
    };
    let notice = Notice { org_id: ad.org_id, kind, title_fr, title_en, subject_id: Some(ad.id) };
    if next == ListingState::Ready {
        let letter = Letter::ListingReady { car: ad.title.clone(), url: format!("/listings/{}", ad.id) };
        return notification::notify_by(tx, notice, &letter).await;
    }
    notification::notify(tx, notice).await
}
