use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Double, Float4, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::table::unaccented;
use keroxio_core::{Page, Result};
use serde_json::Value;
use uuid::Uuid;

use crate::error;
use crate::stock::StockState;
use crate::tables::vehicle_vehicles::{self, dsl};

/// Characters and words of a search.
const LONGEST_SEARCH: usize = 100;
const MOST_WORDS: usize = 8;
/// Letters from which on a word may be misspelt, and how much of its trigrams has to be right.
const LEAST_MISSPELT: usize = 6;
const ALIKE: f32 = 0.33;

/// A car as stored. Every fact may be unknown.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = vehicle_vehicles, treat_none_as_null = true)]
pub struct Vehicle {
    pub id: Uuid,
    pub org_id: Uuid,
    pub plate: Option<String>,
    pub make: Option<String>,
    pub model: Option<String>,
    pub version: Option<String>,
    pub first_registration_year: Option<i32>,
    pub first_registration_month: Option<i32>,
    pub mileage_km: Option<i32>,
    pub fuel: Option<String>,
    pub gearbox: Option<String>,
    pub power_hp: Option<i32>,
    pub fiscal_hp: Option<i32>,
    pub doors: Option<i32>,
    pub seats: Option<i32>,
    pub colour: Option<String>,
    pub sources: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Day of the last technical inspection.
    pub inspected_on: Option<NaiveDate>,
    /// Whether it ordered another test.
    pub inspection_retest: Option<bool>,
    /// Class of the Crit'Air sticker: `e`, `1` to `5`, or `none`.
    pub crit_air: Option<String>,
    /// The seller's own number of the car.
    pub stock_number: Option<String>,
    pub stock_state: String,
    pub entered_on: Option<NaiveDate>,
    /// Day on which it was sold or withdrawn.
    pub left_on: Option<NaiveDate>,
    pub asking_price_eur: Option<i32>,
    /// The import that created it, while nothing else has touched it.
    pub import_id: Option<Uuid>,
    /// Vehicle identification number (field E).
    pub vin: Option<String>,
    /// Grams of CO2 per kilometre (field V.7).
    pub co2: Option<i32>,
}

impl Vehicle {
    pub fn empty(org_id: Uuid, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            org_id,
            plate: None,
            make: None,
            model: None,
            version: None,
            first_registration_year: None,
            first_registration_month: None,
            mileage_km: None,
            fuel: None,
            gearbox: None,
            power_hp: None,
            fiscal_hp: None,
            doors: None,
            seats: None,
            colour: None,
            sources: serde_json::json!({}),
            created_at: now,
            updated_at: now,
            inspected_on: None,
            inspection_retest: None,
            crit_air: None,
            stock_number: None,
            stock_state: StockState::Preparing.as_str().to_owned(),
            entered_on: None,
            left_on: None,
            asking_price_eur: None,
            import_id: None,
            vin: None,
            co2: None,
        }
    }

    /// Somebody works on it.
    pub fn touch(&mut self, now: DateTime<Utc>) {
        self.updated_at = now;
        self.import_id = None;
    }

    /// The energy in French, as portals write it.
    pub fn fuel_label(&self) -> Option<&'static str> {
        Some(match self.fuel.as_deref()? {
            "petrol" => "Essence",
            "diesel" => "Diesel",
            "hybrid" => "Hybride",
            "plugin_hybrid" => "Hybride rechargeable",
            "electric" => "Électrique",
            "lpg" => "GPL",
            "cng" => "GNV",
            "ethanol" => "Éthanol",
            _ => "Autre",
        })
    }

    /// The gearbox in French, as portals write it.
    pub fn gearbox_label(&self) -> Option<&'static str> {
        Some(if self.gearbox.as_deref()? == "automatic" { "Automatique" } else { "Manuelle" })
    }
}

pub async fn insert(conn: &mut AsyncPgConnection, vehicle: &Vehicle) -> QueryResult<usize> {
    diesel::insert_into(dsl::vehicle_vehicles).values(vehicle).execute(conn).await
}

pub async fn save(conn: &mut AsyncPgConnection, vehicle: &Vehicle) -> QueryResult<usize> {
    diesel::update(dsl::vehicle_vehicles.find(vehicle.id)).set(vehicle).execute(conn).await
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Vehicle>> {
    dsl::vehicle_vehicles
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Vehicle::as_select())
        .first(conn)
        .await
        .optional()
}

pub async fn find_all(conn: &mut AsyncPgConnection, org: Uuid, ids: &[Uuid]) -> QueryResult<Vec<Vehicle>> {
    let mine = dsl::vehicle_vehicles.filter(dsl::org_id.eq(org).and(dsl::id.eq_any(ids)));
    mine.select(Vehicle::as_select()).load(conn).await
}

pub async fn by_stock_number(conn: &mut AsyncPgConnection, org: Uuid, number: &str) -> QueryResult<Option<Vehicle>> {
    let mine = dsl::vehicle_vehicles.filter(dsl::org_id.eq(org).and(dsl::stock_number.eq(number)));
    mine.select(Vehicle::as_select()).first(conn).await.optional()
}

/// Cars of any organization: the caller looks whose they are.
pub async fn with_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Vehicle>> {
    dsl::vehicle_vehicles.filter(dsl::id.eq_any(ids)).select(Vehicle::as_select()).load(conn).await
}

pub async fn lock(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Vehicle>> {
    dsl::vehicle_vehicles
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Vehicle::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn insert_all(conn: &mut AsyncPgConnection, vehicles: &[Vehicle]) -> QueryResult<usize> {
    diesel::insert_into(dsl::vehicle_vehicles).values(vehicles).execute(conn).await
}

/// Cars of an organization by their numbers and plates, locked.
pub async fn lock_known(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    numbers: &[String],
    plates: &[String],
) -> QueryResult<Vec<Vehicle>> {
    dsl::vehicle_vehicles
        .filter(dsl::org_id.eq(org).and(dsl::stock_number.eq_any(numbers).or(dsl::plate.eq_any(plates))))
        .order(dsl::id)
        .select(Vehicle::as_select())
        .for_update()
        .load(conn)
        .await
}

/// Locks the cars an import created and those it changed, in the order of their ids.
pub async fn lock_imported(conn: &mut AsyncPgConnection, import: Uuid, changed: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    dsl::vehicle_vehicles
        .filter(dsl::import_id.eq(import).or(dsl::id.eq_any(changed)))
        .order(dsl::id)
        .select(dsl::id)
        .for_update()
        .load(conn)
        .await
}

/// Removes the cars of an import that nobody touched since.
pub async fn delete_imported(conn: &mut AsyncPgConnection, import: Uuid) -> QueryResult<usize> {
    diesel::delete(dsl::vehicle_vehicles.filter(dsl::import_id.eq(import))).execute(conn).await
}

/// Which cars are wanted.
#[derive(Debug, Clone, Default)]
pub struct StockFilter {
    /// In small letters without accents.
    words: Vec<String>,
    states: Option<Vec<&'static str>>,
}

impl StockFilter {
    /// # Errors
    /// `BAD_INPUT` for a search that is too long.
    pub fn new(search: Option<&str>, states: Option<Vec<StockState>>) -> Result<Self> {
        let text = search.unwrap_or_default();
        if text.chars().count() > LONGEST_SEARCH {
            return Err(error::search_too_long());
        }
        let words = unaccented(text).split_whitespace().take(MOST_WORDS).map(str::to_owned).collect();
        Ok(Self { words, states: states.map(|states| states.into_iter().map(StockState::as_str).collect()) })
    }
}

/// A pattern for what has a word somewhere in it.
fn anywhere(word: &str) -> String {
    format!("%{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// The cars of a filter, newest first. Every word is somewhere in a car, or nearly.
fn filtered(org: Uuid, filter: &StockFilter) -> vehicle_vehicles::BoxedQuery<'_, diesel::pg::Pg> {
    let mut query = dsl::vehicle_vehicles.filter(dsl::org_id.eq(org)).order(dsl::id.desc()).into_boxed();
    if let Some(states) = &filter.states {
        query = query.filter(dsl::stock_state.eq_any(states));
    }
    for word in &filter.words {
        // A plate is stored without its hyphens.
        let within = dsl::search.like(anywhere(word)).or(dsl::search.like(anywhere(&word.replace('-', ""))));
        // Numbers are right or wrong, and short words are like many others.
        if word.chars().count() >= LEAST_MISSPELT && !word.bytes().any(|byte| byte.is_ascii_digit()) {
            let alike = sql::<Bool>("word_similarity(").bind::<Text, _>(word.clone()).sql(", search) >= ");
            query = query.filter(within.or(alike.bind::<Float4, _>(ALIKE)));
        } else {
            query = query.filter(within);
        }
    }
    query
}

pub async fn page(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    filter: &StockFilter,
    page: Page,
) -> QueryResult<Vec<Vehicle>> {
    let mut query = filtered(org, filter);
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    query.limit(page.limit + 1).select(Vehicle::as_select()).load(conn).await
}

/// Every car of a filter, up to so many.
pub async fn all(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    filter: &StockFilter,
    most: i64,
) -> QueryResult<Vec<Vehicle>> {
    filtered(org, filter).limit(most).select(Vehicle::as_select()).load(conn).await
}

/// Cars of one state.
#[derive(Debug, QueryableByName)]
pub struct SummaryRow {
    #[diesel(sql_type = Text)]
    pub stock_state: String,
    #[diesel(sql_type = BigInt)]
    pub cars: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub asking_eur: Option<i64>,
    #[diesel(sql_type = Double)]
    pub median_days: f64,
}

pub async fn summary(conn: &mut AsyncPgConnection, org: Uuid, today: NaiveDate) -> QueryResult<Vec<SummaryRow>> {
    diesel::sql_query(
        "SELECT stock_state, count(*) AS cars, sum(asking_price_eur) AS asking_eur, \
           percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0, coalesce(left_on, $2) - coalesce(entered_on, created_at::date))) AS median_days \
         FROM vehicle_vehicles WHERE org_id = $1 GROUP BY stock_state ORDER BY stock_state",
    )
    .bind::<diesel::sql_types::Uuid, _>(org)
    .bind::<Date, _>(today)
    .load(conn)
    .await
}
