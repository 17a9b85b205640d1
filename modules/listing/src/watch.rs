//! Follows the market around the stock, and tells sellers of real moves only.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{App, BackgroundJob, Effects, JobError, Money, Priority, Queue, Result, Tx};
use keroxio_notification::{Notice, NotificationKind};
use keroxio_pricing::service::Draft;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::advance;
use crate::model::{self, Ad, Step};
use crate::steps::{ListingState, Outcome, StepKind, StepState};
use crate::tables::listing_ads;
use crate::tables::listing_price_watch::{self, dsl};

/// Share of a new estimate in the smoothed one: a move has to last two nights to be mostly believed.
const NEW_SHARE: f64 = 0.5;
/// A move worth telling, as a share of the price.
const REAL_MOVE: f64 = 0.04;
/// What one night can move the smoothed estimate by at most, as a share of the price: less than a real move, so that no
/// single night is told.
const MOST_A_NIGHT: f64 = 0.03;
/// Listings of one look.
const PAGE: i64 = 500;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = listing_price_watch)]
struct Watch {
    listing_id: Uuid,
    estimate_id: Uuid,
    known_eur: i32,
    smoothed: f64,
    checked_at: DateTime<Utc>,
}

/// Looks at the price of every listing that has one, a page at a time.
#[derive(Serialize, Deserialize)]
pub struct WatchPrices {
    /// The last listing looked at.
    pub after: Option<Uuid>,
}

impl BackgroundJob for WatchPrices {
    const NAME: &'static str = "listing.watch_prices";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let page = priced(&mut tx, None, self.after, PAGE).await?;
        if let Some(last) = page.last().filter(|_| page.len() as i64 == PAGE) {
            tx.enqueue(&Self { after: Some(last.listing_id) }).await?;
        }
        tx.enqueue_all(&page).await?;
        Ok(tx.into())
    }
}

/// Listings with a price, in the order of their ids.
async fn priced(
    conn: &mut AsyncPgConnection,
    org: Option<Uuid>,
    after: Option<Uuid>,
    most: i64,
) -> QueryResult<Vec<WatchPrice>> {
    let settled = [ListingState::Ready.as_str(), ListingState::Incomplete.as_str()];
    let mut query = listing_ads::table
        .filter(listing_ads::price_eur.is_not_null().and(listing_ads::state.eq_any(settled)))
        .filter(listing_ads::sold_at.is_null())
        .select((listing_ads::id, listing_ads::org_id))
        .order(listing_ads::id)
        .limit(most)
        .into_boxed();
    if let Some(org) = org {
        query = query.filter(listing_ads::org_id.eq(org));
    }
    if let Some(after) = after {
        query = query.filter(listing_ads::id.gt(after));
    }
    let rows: Vec<(Uuid, Uuid)> = query.load(conn).await?;
    Ok(rows.into_iter().map(|(listing_id, org_id)| WatchPrice { listing_id, org_id }).collect())
}

/// Looks at every price of an organization now. Answers how many.
pub(crate) async fn look_now(app: &App, org: Uuid) -> Result<usize> {
    app.admit(Queue::Default, org).await?;
    let mut tx = app.begin().await?;
    let stock = priced(&mut tx, Some(org), None, i64::from(i16::MAX)).await?;
    tx.enqueue_all(&stock).await?;
    tx.commit().await?;
    Ok(stock.len())
}

/// Estimates one listing anew.
#[derive(Serialize, Deserialize)]
pub struct WatchPrice {
    pub listing_id: Uuid,
    pub org_id: Uuid,
}

impl BackgroundJob for WatchPrice {
    const NAME: &'static str = "listing.watch_price";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.listing_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let ad = crate::service::get(&app, self.org_id, self.listing_id).await?;
        let draft = match keroxio_pricing::service::draft(&app, ad.org_id, ad.vehicle_id).await {
            Ok(draft) => draft,
            // Facts were taken away: the price that stands is the seller's.
            Err(e) if e.code() == keroxio_pricing::FACTS_MISSING => return Ok(Effects::none()),
            Err(e) => return Err(e.into()),
        };
        let Some(mid) = draft.estimate.mid else { return Ok(Effects::none()) };
        Ok(look(&app, ad.id, &draft, mid).await?)
    }
}

async fn look(app: &App, listing: Uuid, draft: &Draft, mid: i32) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let Some(ad) = model::lock(&mut tx, listing).await? else { return Ok(Effects::none()) };
    let steps = model::steps(&mut tx, listing).await?;
    let step = steps.into_iter().find(|step| step.kind() == StepKind::Price && step.state() == StepState::Done);
    // Under way again with other facts: that estimate is newer than this one.
    let Some((step, shown)) = step.and_then(|step| step.result_id.map(|id| (step, id))) else {
        return Ok(Effects::none());
    };
    let before = watch_of(&mut tx, &ad, shown, mid).await?;
    let (smoothed, moved) = smooth(before.smoothed, before.known_eur, mid);
    // What is told is where the next move starts from.
    let told = (draft.estimate.id, mid, f64::from(mid).ln());
    let (estimate_id, known_eur, smoothed) = if moved { told } else { (shown, before.known_eur, smoothed) };
    let watch = Watch { listing_id: listing, estimate_id, known_eur, smoothed, checked_at: app.now() };
    diesel::insert_into(dsl::listing_price_watch)
        .values(&watch)
        .on_conflict(dsl::listing_id)
        .do_update()
        .set(&watch)
        .execute(&mut *tx)
        .await?;
    if moved {
        tell(&mut tx, &ad, step, draft, before.known_eur, mid).await?;
    }
    Ok(tx.into())
}

/// What was seen of the listing's market until now; the shown estimate alone where that is newer.
async fn watch_of(tx: &mut Tx, ad: &Ad, shown: Uuid, mid: i32) -> Result<Watch> {
    let found = dsl::listing_price_watch.find(ad.id).select(Watch::as_select()).first(&mut **tx).await.optional()?;
    if let Some(watch) = found.filter(|watch| watch.estimate_id == shown) {
        return Ok(watch);
    }
    let known_eur = keroxio_pricing::service::find(tx, ad.org_id, shown).await?.mid.unwrap_or(mid);
    let smoothed = f64::from(known_eur).ln();
    Ok(Watch { listing_id: ad.id, estimate_id: shown, known_eur, smoothed, checked_at: tx.app().now() })
}

/// The smoothed logarithm with tonight's estimate, and whether it has left what the seller knows.
fn smooth(smoothed: f64, known_eur: i32, mid: i32) -> (f64, bool) {
    let step = NEW_SHARE * (f64::from(mid).ln() - smoothed);
    let next = smoothed + step.clamp(-MOST_A_NIGHT, MOST_A_NIGHT);
    let moved = (next - f64::from(known_eur).ln()).exp_m1().abs() >= REAL_MOVE;
    (next, moved)
}

/// The listing shows the new estimate, its seller hears of it, and the price asked stays as it is.
async fn tell(tx: &mut Tx, ad: &Ad, step: Step, draft: &Draft, before: i32, mid: i32) -> Result<()> {
    keroxio_pricing::service::save(tx, draft).await?;
    let outcome = Outcome { result_id: Some(draft.estimate.id), ..step.outcome() };
    let mut ad = ad.clone();
    advance::record(tx, &mut ad, step, outcome).await?;
    model::save_ad(tx, &ad).await?;
    let percent = ((f64::from(mid) / f64::from(before) - 1.0).abs() * 100.0).round();
    let (amount, title) = (Money::euros(mid).formatted, ad.title.clone().unwrap_or_default());
    let (fr, en) = if mid < before { ("baissé", "fallen") } else { ("monté", "risen") };
    let notice = Notice {
        org_id: ad.org_id,
        kind: NotificationKind::PriceMoved,
        title_fr: format!("Le marché a {fr} de {percent} % : prix conseillé {amount}. {title}"),
        title_en: format!("The market has {en} by {percent} %: suggested price {amount}. {title}"),
        subject_id: Some(ad.id),
    };
    keroxio_notification::service::notify(tx, notice).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_even_half_the_price_for_one_night_is_told() {
        let (first, moved) = smooth(f64::from(10_000).ln(), 10_000, 5_000);
        assert!(!moved);
        assert!(!smooth(first, 10_000, 10_000).1, "and its undoing is nothing");
        assert!(smooth(first, 10_000, 5_000).1, "two nights are");
    }

    #[test]
    fn one_odd_night_is_no_move_and_a_lasting_one_is() {
        let known = 10_000;
        let mut smoothed = f64::from(known).ln();
        let mut night = |mid| {
            let (next, moved) = smooth(smoothed, known, mid);
            smoothed = next;
            moved
        };
        assert!(!night(9_300), "seven percent for a night");
        assert!(!night(10_000));
        assert!(!night(9_400));
        assert!(night(9_400), "six percent for two nights");
    }
}
