//! Which deadlines a car has, as dated data with the article each rests on.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use keroxio_vehicle::Vehicle;
use keroxio_vehicle::histovec::Report;
use serde::Deserialize;

use crate::rules;

/// Days for which a certificate of administrative status is good, and those to declare a sale.
const STATUS_DAYS: u64 = 15;
const DECLARATION_DAYS: u64 = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Term {
    Inspection,
    StatusCertificate,
    Declaration,
}

/// A kind of deadline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    pub code: String,
    term: Term,
    /// Days before it on which the seller is reminded, the earliest first.
    pub remind_days: Vec<i64>,
    /// First day on which it holds.
    from: Option<NaiveDate>,
    /// What it rests on.
    pub article: String,
    pub fr: String,
    pub en: String,
}

#[derive(Clone)]
pub struct Deadlines(Arc<Vec<Deadline>>);

/// What deadlines follow from.
pub struct Sale<'a> {
    pub vehicle: &'a Vehicle,
    pub report: Option<&'a Report>,
    pub sold_at: Option<DateTime<Utc>>,
    pub today: NaiveDate,
}

impl Deadlines {
    pub fn load() -> anyhow::Result<Self> {
        Ok(Self(Arc::new(serde_json::from_str(include_str!("../../deadlines.json"))?)))
    }

    pub fn get(&self, code: &str) -> Option<&Deadline> {
        self.0.iter().find(|deadline| deadline.code == code)
    }

    /// The deadlines of a sale, with their days.
    pub fn of(&self, sale: &Sale<'_>) -> Vec<(&Deadline, NaiveDate)> {
        let holds = self.0.iter().filter(|deadline| deadline.from.is_none_or(|from| from <= sale.today));
        holds.filter_map(|deadline| Some((deadline, deadline.term.due(sale)?))).collect()
    }
}

impl Term {
    fn due(self, sale: &Sale<'_>) -> Option<NaiveDate> {
        let gone = sale.sold_at.is_some() || sale.vehicle.stock_state().is_gone();
        match self {
            Self::Inspection if !gone => rules::report_good_until(sale.vehicle, sale.today),
            Self::StatusCertificate if !gone => sale.report?.report_on.checked_add_days(Days::new(STATUS_DAYS)),
            Self::Declaration => sale.sold_at?.date_naive().checked_add_days(Days::new(DECLARATION_DAYS)),
            Self::Inspection | Self::StatusCertificate => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn each_deadline_has_its_day_and_says_what_it_rests_on() {
        let mut car = Vehicle::empty(Uuid::nil(), DateTime::UNIX_EPOCH);
        (car.first_registration_year, car.first_registration_month) = (Some(2018), Some(3));
        car.inspected_on = Some(day("2026-06-10"));
        let report = Report {
            vehicle_id: Uuid::nil(),
            org_id: Uuid::nil(),
            consent_by: Uuid::nil(),
            consent_at: DateTime::UNIX_EPOCH,
            sealed_url: None,
            report_on: day("2026-11-20"),
            holders: None,
            sale_forbidden: false,
            mileages: json!([]),
        };
        let deadlines = Deadlines::load().unwrap();
        let sold_at = "2026-11-25T10:00:00Z".parse().ok();
        let due = |sold_at, report| {
            let sale = Sale { vehicle: &car, report, sold_at, today: day("2026-11-25") };
            deadlines.of(&sale).into_iter().map(|(d, on)| (d.code.clone(), on.to_string())).collect::<Vec<_>>()
        };
        let pair = |code: &str, on: &str| (code.to_owned(), on.to_owned());
        assert_eq!(due(None, None), [pair("RENEW_INSPECTION", "2026-12-10")]);
        assert_eq!(due(None, Some(&report))[1], pair("RENEW_STATUS_CERTIFICATE", "2026-12-05"));
        assert_eq!(due(sold_at, Some(&report)), [pair("DECLARE_SALE", "2026-12-10")], "the rest is over");
        for deadline in deadlines.0.iter() {
            assert!(!deadline.article.is_empty() && deadline.fr.ends_with('.') && deadline.en.ends_with('.'));
            assert!(deadline.remind_days.is_sorted_by(|a, b| a > b));
        }
    }
}
