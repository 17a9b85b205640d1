//! What a holder's HistoVec report says. The service of the Ministry has no interface for third parties: the holder
//! makes the report there, and with their consent its facts and its sharing link are kept here until the sale is over.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Actor, App, BackgroundJob, Effects, JobError, Priority, Result, Right};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error;
use crate::model::{self, Vehicle};
use crate::registry::Sealer;
use crate::service;
use crate::tables::vehicle_histovec::{self, dsl};
use crate::tables::vehicle_vehicles;

diesel::allow_tables_to_appear_in_same_query!(vehicle_histovec, vehicle_vehicles);

const HOST: &str = "histovec.interieur.gouv.fr";
const LONGEST_URL: usize = 2_000;
/// Odometer readings of one report.
const MOST_MILEAGES: usize = 60;
/// Days for which a report is kept once its car is sold or withdrawn: a buyer may still ask.
const KEPT_DAYS: i64 = 30;

/// An odometer reading of a technical inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mileage {
    pub on: NaiveDate,
    pub km: i32,
}

/// A report as it is kept.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = vehicle_histovec, treat_none_as_null = true)]
pub struct Report {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
    pub consent_by: Uuid,
    pub consent_at: DateTime<Utc>,
    pub sealed_url: Option<String>,
    pub report_on: NaiveDate,
    pub holders: Option<i32>,
    pub sale_forbidden: bool,
    pub mileages: Value,
}

impl Report {
    /// Oldest first.
    pub fn mileages(&self) -> Vec<Mileage> {
        let mut all: Vec<Mileage> = serde_json::from_value(self.mileages.clone()).unwrap_or_default();
        all.sort_by_key(|mileage| mileage.on);
        all
    }
}

/// A report as its reader types it in.
pub struct Given {
    pub holder_agrees: bool,
    pub url: Option<String>,
    pub report_on: NaiveDate,
    pub holders: Option<i32>,
    pub sale_forbidden: bool,
    pub mileages: Vec<Mileage>,
}

/// # Errors
/// `CONSENT_REQUIRED`, `HISTOVEC_URL_INVALID`, `BAD_INPUT`, `VALUE_OUT_OF_RANGE`, `NOT_FOUND`.
pub(crate) async fn record(app: &App, actor: &Actor, id: Uuid, given: Given) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    if !given.holder_agrees {
        return Err(error::histovec_consent());
    }
    let today = app.now().date_naive();
    let possible = |day: NaiveDate| day <= today && day.year() >= 1980;
    if !possible(given.report_on) || !given.mileages.iter().all(|mileage| possible(mileage.on)) {
        return Err(error::histovec_day());
    }
    if given.holders.is_some_and(|holders| !(1..=99).contains(&holders)) {
        return Err(error::out_of_range("holders", 1, 99));
    }
    if given.mileages.len() > MOST_MILEAGES || given.mileages.iter().any(|m| !(0..=1_500_000).contains(&m.km)) {
        return Err(error::mileage());
    }
    let url = given.url.as_deref().map(|url| sharing_link(url.trim())).transpose()?;
    let sealer = app.get::<Sealer>()?;
    let sealed_url = url.map(|url| sealer.seal(actor.org_id, url)).transpose()?;
    let mut tx = app.begin().await?;
    let mut vehicle = service::locked(&mut tx, actor.org_id, id).await?;
    vehicle.touch(app.now());
    model::save(&mut tx, &vehicle).await?;
    let report = Report {
        vehicle_id: id,
        org_id: actor.org_id,
        consent_by: actor.user_id,
        consent_at: app.now(),
        sealed_url,
        report_on: given.report_on,
        holders: given.holders,
        sale_forbidden: given.sale_forbidden,
        mileages: json!(given.mileages),
    };
    let insert = diesel::insert_into(vehicle_histovec::table).values(&report);
    insert.on_conflict(dsl::vehicle_id).do_update().set(&report).execute(&mut *tx).await?;
    service::announce(&mut tx, &vehicle).await?;
    tx.commit().await?;
    Ok(vehicle)
}

/// A link of the Ministry's own service, over TLS.
fn sharing_link(url: &str) -> Result<&str> {
    let rest = url.strip_prefix("https://").and_then(|rest| rest.strip_prefix(HOST)).ok_or_else(error::histovec_url)?;
    let signs = url.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c));
    let path = rest.is_empty() || rest.starts_with('/');
    if path && signs && url.len() <= LONGEST_URL { Ok(url) } else { Err(error::histovec_url()) }
}

/// The holder agrees no longer: the report is forgotten. Answers whether there was one.
pub(crate) async fn forget(app: &App, actor: &Actor, id: Uuid) -> Result<bool> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let vehicle = service::locked(&mut tx, actor.org_id, id).await?;
    let forgotten = diesel::delete(vehicle_histovec::table.find(id)).execute(&mut *tx).await? > 0;
    service::announce(&mut tx, &vehicle).await?;
    tx.commit().await?;
    Ok(forgotten)
}

/// The report of a car whose owner the caller has checked.
pub async fn of(conn: &mut AsyncPgConnection, vehicle: Uuid) -> QueryResult<Option<Report>> {
    vehicle_histovec::table.find(vehicle).select(Report::as_select()).first(conn).await.optional()
}

/// Reports of cars whose owner the caller has checked, by car.
pub async fn of_all(conn: &mut AsyncPgConnection, vehicles: &[Uuid]) -> QueryResult<HashMap<Uuid, Report>> {
    let found = vehicle_histovec::table.filter(dsl::vehicle_id.eq_any(vehicles)).select(Report::as_select());
    let reports: Vec<Report> = found.load(conn).await?;
    Ok(reports.into_iter().map(|report| (report.vehicle_id, report)).collect())
}

/// The sharing link of a report.
pub fn link(app: &App, report: &Report) -> Result<Option<String>> {
    let sealer = app.get::<Sealer>()?;
    report.sealed_url.as_deref().map(|sealed| sealer.open(report.org_id, sealed)).transpose()
}

/// Every night: reports of cars sold or withdrawn a month ago are forgotten.
#[derive(Serialize, Deserialize)]
pub struct ForgetReports;

impl BackgroundJob for ForgetReports {
    const NAME: &'static str = "vehicle.forget_histovec";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn unique_key(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let until = app.now().date_naive() - Duration::days(KEPT_DAYS);
        let mut tx = app.begin().await?;
        let gone = vehicle_vehicles::table.filter(vehicle_vehicles::left_on.le(until)).select(vehicle_vehicles::id);
        diesel::delete(vehicle_histovec::table.filter(dsl::vehicle_id.eq_any(gone))).execute(&mut *tx).await?;
        Ok(tx.into())
    }
}

#[cfg(test)]
mod tests {
    use super::sharing_link;

    #[test]
    fn only_a_link_of_the_ministry_is_kept() {
        assert!(sharing_link("https://histovec.interieur.gouv.fr/histovec/report?id=a_b-c&key=1%2F2").is_ok());
        for wrong in [
            "http://histovec.interieur.gouv.fr/x",
            "https://histovec.interieur.gouv.fr.evil.example/x",
            "https://histovec.interieur.gouv.fr@evil.example/",
            "https://evil.example/histovec.interieur.gouv.fr",
            "https://histovec.interieur.gouv.fr/<script>",
            "javascript:alert(1)",
            "",
        ] {
            assert!(sharing_link(wrong).is_err(), "{wrong}");
        }
    }
}
