use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use serde_json::Value;
use uuid::Uuid;

use crate::tables::vehicle_vehicles::{self, dsl};

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
        }
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

pub async fn lock(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Vehicle>> {
    dsl::vehicle_vehicles
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Vehicle::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn page(conn: &mut AsyncPgConnection, org: Uuid, page: Page) -> QueryResult<Vec<Vehicle>> {
    let mut query = dsl::vehicle_vehicles
        .filter(dsl::org_id.eq(org))
        .select(Vehicle::as_select())
        .order(dsl::id.desc())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}
