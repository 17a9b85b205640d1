//! Advertisements and sales of known cars: what an estimate is compared with.

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Result;
use keroxio_plugin_sdk::{CarFacts, CarName};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::tables::pricing_ads::{self, dsl};

/// An advertisement of the operator's, or a sale of one organization's own.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = pricing_ads, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
pub struct MarketAd {
    pub id: Uuid,
    pub org_id: Option<Uuid>,
    /// `ad` or `sale`.
    pub kind: String,
    pub source: String,
    pub reference: String,
    /// Make and model by the plugin's names.
    pub make: String,
    pub model: String,
    /// The [`keroxio_plugin_sdk::CarFacts`] as given.
    pub facts: Value,
    /// Years from the first registration to `seen_on`.
    pub age: f64,
    pub mileage_km: i32,
    pub fuel: Option<String>,
    pub power_hp: Option<i32>,
    pub price_eur: i32,
    pub seen_on: NaiveDate,
    pub first_seen_on: Option<NaiveDate>,
    pub gone_on: Option<NaiveDate>,
    /// ln(price / estimate for that day).
    pub residual: f64,
    pub estimated_by: String,
    pub created_at: DateTime<Utc>,
}

impl MarketAd {
    /// An offer of a car that was estimated at `mid`, in euros; whose it is and where it was seen is not said yet.
    pub fn of(car: &CarFacts, name: &CarName, price_eur: i32, mid: f64) -> Self {
        let int = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            id: Uuid::now_v7(),
            org_id: None,
            kind: "ad".to_owned(),
            source: String::new(),
            reference: fingerprint(car),
            make: name.make.clone(),
            model: name.model.clone(),
            facts: serde_json::to_value(car).unwrap_or_default(),
            age: car.age_years(),
            mileage_km: int(car.mileage_km),
            fuel: car.fuel.as_ref().and_then(keroxio_vehicle::word),
            power_hp: car.power_hp.map(int),
            price_eur,
            seen_on: car.valued_on,
            first_seen_on: None,
            gone_on: None,
            residual: (f64::from(price_eur) / mid).ln(),
            estimated_by: String::new(),
            created_at: DateTime::UNIX_EPOCH,
        }
    }
}

/// The same car by what does not change with its price; a source without names of its own is told apart by it.
fn fingerprint(car: &CarFacts) -> String {
    let same = format!(
        "{}|{}|{:?}|{}|{:?}|{}",
        car.make, car.model, car.version, car.first_registration_year, car.first_registration_month, car.mileage_km
    );
    hex::encode(&Sha256::digest(same)[..12])
}

/// Ads older than this say nothing about today: four half-lives of their weight.
const MONTHS: u32 = 24;
/// Ads looked at for one model: as many as there are room for when many models are asked for at once.
const MOST: i64 = 400;
const FEWEST: i64 = 20;
const TOGETHER: i64 = 20_000;
/// Rows of one statement: PostgreSQL takes 65,535 values.
const ROWS: usize = 2_000;

/// Saves ads; one that is known is replaced, unless what is known is newer.
pub async fn save(conn: &mut AsyncPgConnection, ads: &[MarketAd]) -> Result<()> {
    use diesel::dsl::sql;
    use diesel::query_dsl::methods::FilterDsl as _;
    use diesel::upsert::excluded;
    for rows in ads.chunks(ROWS) {
        diesel::insert_into(dsl::pricing_ads)
            .values(rows)
            .on_conflict((dsl::org_id, dsl::source, dsl::reference))
            .do_update()
            .set((
                dsl::make.eq(excluded(dsl::make)),
                dsl::model.eq(excluded(dsl::model)),
                dsl::facts.eq(excluded(dsl::facts)),
                dsl::age.eq(excluded(dsl::age)),
                dsl::mileage_km.eq(excluded(dsl::mileage_km)),
                dsl::fuel.eq(excluded(dsl::fuel)),
                dsl::power_hp.eq(excluded(dsl::power_hp)),
                dsl::price_eur.eq(excluded(dsl::price_eur)),
                dsl::seen_on.eq(excluded(dsl::seen_on)),
                dsl::first_seen_on.eq(sql("coalesce(excluded.first_seen_on, pricing_ads.first_seen_on)")),
                dsl::gone_on.eq(sql("coalesce(excluded.gone_on, pricing_ads.gone_on)")),
                dsl::residual.eq(excluded(dsl::residual)),
                dsl::estimated_by.eq(excluded(dsl::estimated_by)),
            ))
            .filter(dsl::seen_on.le(excluded(dsl::seen_on)))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// The latest ads of each of these models that an organization may see, as the present model sees them.
pub async fn of_models(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    names: &[CarName],
    on: NaiveDate,
    estimated_by: &str,
) -> Result<Vec<MarketAd>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (makes, models): (Vec<&str>, Vec<&str>) = names.iter().map(|n| (n.make.as_str(), n.model.as_str())).unzip();
    let since = on.checked_sub_months(Months::new(MONTHS)).unwrap_or(on);
    Ok(diesel::sql_query(
        "SELECT a.* FROM unnest($1, $2) AS wanted (make, model) \
           CROSS JOIN LATERAL (SELECT * FROM pricing_ads p \
             WHERE p.make = wanted.make AND p.model = wanted.model AND (p.org_id IS NULL OR p.org_id = $3) \
               AND p.seen_on BETWEEN $4 AND $5 AND p.estimated_by = $6 \
             ORDER BY p.seen_on DESC, p.id LIMIT $7) AS a",
    )
    .bind::<Array<Text>, _>(makes)
    .bind::<Array<Text>, _>(models)
    .bind::<SqlUuid, _>(org)
    .bind::<Date, _>(since)
    .bind::<Date, _>(on)
    .bind::<Text, _>(estimated_by)
    .bind::<BigInt, _>((TOGETHER / names.len() as i64).clamp(FEWEST, MOST))
    .load(conn)
    .await?)
}

/// How the ads are marked that a model refuses: they are kept for a model that knows their cars again.
pub fn refused_by(model: &str) -> String {
    format!("refused by {model}")
}

/// Ads that the present model has not seen, locked; those that somebody changes now wait for the next look.
pub async fn outdated(conn: &mut AsyncPgConnection, model: &str, most: i64) -> Result<Vec<MarketAd>> {
    Ok(dsl::pricing_ads
        .filter(dsl::estimated_by.ne_all([model, &refused_by(model)]))
        .order(dsl::id)
        .limit(most)
        .for_update()
        .skip_locked()
        .select(MarketAd::as_select())
        .load(conn)
        .await?)
}

/// What the present model says of an ad.
pub async fn see(conn: &mut AsyncPgConnection, ad: &MarketAd) -> Result<usize> {
    Ok(diesel::update(dsl::pricing_ads.find(ad.id))
        .set((
            dsl::make.eq(&ad.make),
            dsl::model.eq(&ad.model),
            dsl::residual.eq(ad.residual),
            dsl::estimated_by.eq(&ad.estimated_by),
        ))
        .execute(conn)
        .await?)
}

/// Which of these the source already gave, among what this owner has.
pub async fn known(
    conn: &mut AsyncPgConnection,
    org: Option<Uuid>,
    source: &str,
    references: &[String],
) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        known: i64,
    }
    let counted: Count = diesel::sql_query(
        "SELECT count(*) AS known FROM pricing_ads \
           WHERE org_id IS NOT DISTINCT FROM $1 AND source = $2 AND reference = ANY($3)",
    )
    .bind::<Nullable<SqlUuid>, _>(org)
    .bind::<Text, _>(source)
    .bind::<Array<Text>, _>(references)
    .get_result(conn)
    .await?;
    Ok(counted.known)
}
