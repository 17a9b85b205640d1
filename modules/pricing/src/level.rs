//! How far the market of today is from what the model learnt, per fuel: its drift.

use std::collections::HashMap;

use chrono::{Datelike as _, Months, NaiveDate};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Result;

use crate::metrics;
use crate::tables::pricing_levels::{self, dsl};

/// Months that tell the level of a day, and the ads a fuel needs in them to have a level of its own.
const MONTHS: u32 = 6;
const LEAST_ADS: i64 = 30;
/// What a source does not tell.
pub const NO_FUEL: &str = "unknown";

/// The ads of one month and fuel.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = pricing_levels, check_for_backend(diesel::pg::Pg))]
pub struct Month {
    pub month: NaiveDate,
    pub fuel: String,
    pub ads: i32,
    /// Median of ln(price / estimate).
    pub median_residual: f64,
}

/// Logarithms to add to an estimate, per fuel.
#[derive(Debug, Default, PartialEq)]
pub struct Levels {
    overall: f64,
    by_fuel: HashMap<String, f64>,
}

impl Levels {
    /// From the months before a day: the mean of their medians, by number of ads.
    fn of(months: &[Month]) -> Self {
        let mean = |wanted: &dyn Fn(&&Month) -> bool| {
            let mine = months.iter().filter(wanted);
            let (sum, ads) = mine.fold((0.0, 0_i64), |(sum, ads), month| {
                (sum + month.median_residual * f64::from(month.ads), ads + i64::from(month.ads))
            });
            (ads >= LEAST_ADS).then(|| sum / ads as f64)
        };
        let fuels = months.iter().map(|month| month.fuel.clone()).filter(|fuel| fuel != NO_FUEL);
        let by_fuel = fuels.filter_map(|fuel| mean(&|month| month.fuel == fuel).map(|level| (fuel, level))).collect();
        Self { overall: mean(&|_| true).unwrap_or(0.0), by_fuel }
    }

    pub fn of_fuel(&self, fuel: Option<&str>) -> f64 {
        fuel.and_then(|fuel| self.by_fuel.get(fuel)).copied().unwrap_or(self.overall)
    }
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The levels of a day.
pub async fn on(conn: &mut AsyncPgConnection, day: NaiveDate) -> Result<Levels> {
    let since = first_of_month(day).checked_sub_months(Months::new(MONTHS)).unwrap_or(day);
    Ok(Levels::of(&months(conn, since, day).await?))
}

/// Every month since a day, latest first.
pub async fn months(conn: &mut AsyncPgConnection, since: NaiveDate, until: NaiveDate) -> Result<Vec<Month>> {
    Ok(dsl::pricing_levels
        .filter(dsl::month.between(since, until))
        .order((dsl::month.desc(), dsl::fuel))
        .select(Month::as_select())
        .load(conn)
        .await?)
}

/// Computes the months anew from the operator's ads.
pub async fn refresh(conn: &mut AsyncPgConnection, estimated_by: &str) -> Result<()> {
    diesel::sql_query("LOCK TABLE pricing_levels IN EXCLUSIVE MODE").execute(conn).await?;
    diesel::delete(dsl::pricing_levels).execute(conn).await?;
    diesel::sql_query(
        "INSERT INTO pricing_levels (month, fuel, ads, median_residual) \
           SELECT date_trunc('month', seen_on)::date, coalesce(fuel, $2), count(*), \
             percentile_cont(0.5) WITHIN GROUP (ORDER BY residual) \
           FROM pricing_ads WHERE org_id IS NULL AND estimated_by = $1 GROUP BY 1, 2",
    )
    .bind::<diesel::sql_types::Text, _>(estimated_by)
    .bind::<diesel::sql_types::Text, _>(NO_FUEL)
    .execute(conn)
    .await?;
    Ok(())
}

/// Tells the metrics what the latest months say.
pub async fn report(conn: &mut AsyncPgConnection, today: NaiveDate) -> Result<()> {
    let since = first_of_month(today).checked_sub_months(Months::new(MONTHS)).unwrap_or(today);
    let months = months(conn, since, today).await?;
    let mut fuels: Vec<&str> = months.iter().map(|month| month.fuel.as_str()).collect();
    fuels.sort_unstable();
    fuels.dedup();
    for fuel in fuels {
        if let Some(latest) = months.iter().find(|month| month.fuel == fuel) {
            metrics::drift(fuel, latest.median_residual, latest.ads);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(fuel: &str, ads: i32, median_residual: f64) -> Month {
        Month { month: NaiveDate::MIN, fuel: fuel.to_owned(), ads, median_residual }
    }

    #[test]
    fn a_fuel_with_enough_ads_has_a_level_of_its_own() {
        let levels = Levels::of(&[
            month("petrol", 30, 0.02),
            month("petrol", 10, 0.06),
            month("electric", 29, -0.2),
            month(NO_FUEL, 31, 0.0),
        ]);
        assert!((levels.of_fuel(Some("petrol")) - 0.03).abs() < 1e-12, "by number of ads");
        let overall = (40.0 * 0.03 - 29.0 * 0.2) / 100.0;
        assert!((levels.of_fuel(Some("electric")) - overall).abs() < 1e-12, "one ad is missing");
        assert_eq!(levels.of_fuel(None), levels.of_fuel(Some("diesel")));
    }

    #[test]
    fn few_ads_move_nothing() {
        assert_eq!(Levels::of(&[month("petrol", 29, 0.5)]), Levels::default());
        assert_eq!(Levels::of(&[]).of_fuel(Some("petrol")), 0.0);
    }
}
