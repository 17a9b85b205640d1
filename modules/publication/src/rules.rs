//! What an ad must say and have before it is published, as dated data with the article each rule rests on.

use std::sync::Arc;

use async_graphql::Enum;
use chrono::{Datelike as _, Days, Months, NaiveDate};
use keroxio_listing::Ad;
use keroxio_plate_grammar::{Plate, day_of_rank};
use keroxio_vehicle::Vehicle;
use keroxio_vehicle::histovec::Report;
use serde::Deserialize;

use crate::channel::{Channel, cut};

/// Years from which a car needs an inspection to be sold, months for which the report is good, and those where
/// another test was ordered.
const INSPECTED_FROM_YEARS: i32 = 4;
const REPORT_MONTHS: u32 = 6;
const RETEST_MONTHS: u32 = 2;
/// A report that ends within these days is worth a word.
const SOON_DAYS: u64 = 30;
/// Sales of twelve months from which a private person is warned. No text names a number: a judge looks at the habit.
const FREQUENT_SALES: i64 = 5;
/// Days by which the dates of plate numbers may be wrong.
const PLATE_SLACK_DAYS: u64 = 90;

/// Whether an ad may be published in spite of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingSeverity {
    /// It may not.
    Blocking,
    /// It may.
    Advisory,
}

/// Who sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seller {
    Private,
    Dealer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Check {
    Make,
    Model,
    Version,
    FirstRegistration,
    Mileage,
    MileageWording,
    Price,
    Language,
    Siren,
    SellerSaid,
    NoWaiver,
    GuaranteeSaid,
    CritAir,
    Inspection,
    DateFitsPlate,
    InspectedAfterRegistration,
    CritAirFitsFuel,
    Undisputed,
    MileageFitsHistory,
    SaleAllowed,
    FewSales,
    TitleFits,
    BodyFits,
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub code: String,
    check: Check,
    pub severity: FindingSeverity,
    sellers: Vec<Seller>,
    /// First and last day on which it holds.
    from: Option<NaiveDate>,
    #[serde(default)]
    until: Option<NaiveDate>,
    /// What it rests on.
    pub article: String,
    /// The mutation that mends it, and the field to give it.
    pub fix: String,
    pub field: String,
    pub fr: String,
    pub en: String,
}

/// What the rules look at.
pub struct Facts<'a> {
    pub seller: Seller,
    pub siren: Option<&'a str>,
    pub ad: &'a Ad,
    pub vehicle: &'a Vehicle,
    /// Facts about which not everybody says the same.
    pub disputed: &'a [&'static str],
    /// The car's HistoVec report, where there is one.
    pub history: Option<&'a Report>,
    /// Cars the seller sold in the twelve months before.
    pub sales: i64,
    pub channel: &'a Channel,
    /// The day on which the ad is to be published.
    pub on: NaiveDate,
}

/// A rule that is not kept.
#[derive(Debug)]
pub struct Finding<'a> {
    pub rule: &'a Rule,
    /// Until when there is time, where that is known.
    pub deadline: Option<NaiveDate>,
}

#[derive(Clone)]
pub struct Rules(Arc<Vec<Rule>>);

impl Rules {
    pub fn load() -> anyhow::Result<Self> {
        Ok(Self(Arc::new(serde_json::from_str(include_str!("../rules.json"))?)))
    }

    /// What is wrong, blocking findings first.
    pub fn findings(&self, facts: &Facts<'_>) -> Vec<Finding<'_>> {
        let holds = |rule: &&Rule| {
            rule.sellers.contains(&facts.seller)
                && rule.from.is_none_or(|from| from <= facts.on)
                && rule.until.is_none_or(|until| facts.on <= until)
        };
        let broken =
            self.0.iter().filter(holds).filter_map(|rule| rule.check.broken(facts).map(|deadline| (rule, deadline)));
        let mut findings: Vec<Finding<'_>> = broken.map(|(rule, deadline)| Finding { rule, deadline }).collect();
        findings.sort_by_key(|finding| finding.rule.severity);
        findings
    }

    #[cfg(test)]
    pub fn all(&self) -> &[Rule] {
        &self.0
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

impl Check {
    /// Some where the rule is not kept, with the day until which there is time.
    fn broken(self, facts: &Facts<'_>) -> Option<Option<NaiveDate>> {
        let (ad, car) = (facts.ad, facts.vehicle);
        // What the portal will show: words that are cut off are not said.
        let body = cut(ad.body.as_deref().unwrap_or_default(), facts.channel.body_limit);
        let body = format!("{} {body}", ad.title.as_deref().unwrap_or_default());
        let body = body.to_lowercase().replace('\u{2019}', "'");
        let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
        let digits = || body.chars().filter(char::is_ascii_digit).collect::<String>();
        let longer = |text: Option<&str>, limit: usize| text.is_some_and(|text| text.chars().count() > limit);
        let broken = match self {
            Self::Make => is_blank(car.make.as_deref()),
            Self::Model => is_blank(car.model.as_deref()),
            Self::Version => is_blank(car.version.as_deref()),
            Self::FirstRegistration => car.first_registration_year.is_none() || car.first_registration_month.is_none(),
            Self::Mileage => car.mileage_km.is_none(),
            // Nothing proves a mileage here yet, so every one is said with the words.
            Self::MileageWording => !says(&["non garanti", "not guaranteed"]),
            Self::Price => ad.price_eur.is_none(),
            Self::Language => ad.language != "fr",
            Self::Siren => facts.siren.is_none(),
            // Without a number nothing can be said of it: that is another finding.
            Self::SellerSaid => facts.siren.is_some_and(|siren| !digits().contains(siren)),
            Self::NoWaiver => says(&[
                "sans garantie",
                "sans aucune garantie",
                "aucune garantie.",
                "en l'état",
                "dans l'état",
                "tel quel",
                "telle quelle",
                "no warranty",
                "sold as is",
            ]),
            Self::GuaranteeSaid => !says(&["garantie légale de conformité", "legal guarantee of conformity"]),
            Self::CritAir => car.crit_air.is_none(),
            Self::Inspection => return inspection(facts),
            Self::DateFitsPlate => contradicts_plate(car),
            Self::InspectedAfterRegistration => inspected_too_early(car),
            Self::CritAirFitsFuel => contradicts_fuel(car),
            Self::Undisputed => !facts.disputed.is_empty(),
            Self::MileageFitsHistory => is_below_history(facts),
            Self::SaleAllowed => facts.history.is_some_and(|report| report.sale_forbidden),
            Self::FewSales => facts.sales >= FREQUENT_SALES,
            Self::TitleFits => longer(ad.title.as_deref(), facts.channel.title_limit),
            Self::BodyFits => longer(ad.body.as_deref(), facts.channel.body_limit),
        };
        broken.then_some(None)
    }
}

/// Broken where a car of four years has no report, an old one, or one that ends within a month.
fn inspection(facts: &Facts<'_>) -> Option<Option<NaiveDate>> {
    if !needs_report(facts.vehicle, facts.on)? {
        return None;
    }
    let Some(good_until) = report_good_until(facts.vehicle, facts.on) else { return Some(None) };
    (good_until <= facts.on + Days::new(SOON_DAYS)).then_some(Some(good_until))
}

/// Whether a car is too old to be sold without a report; none where its age is not known.
pub fn needs_report(car: &Vehicle, on: NaiveDate) -> Option<bool> {
    let month = u32::try_from(car.first_registration_month.unwrap_or(1)).ok()?;
    let due = NaiveDate::from_ymd_opt(car.first_registration_year? + INSPECTED_FROM_YEARS, month, 1)?;
    Some(due <= on)
}

/// The last day on which the report of a car that needs one is good for its sale.
pub fn report_good_until(car: &Vehicle, on: NaiveDate) -> Option<NaiveDate> {
    needs_report(car, on).filter(|needs| *needs)?;
    let months = if car.inspection_retest == Some(true) { RETEST_MONTHS } else { REPORT_MONTHS };
    car.inspected_on?.checked_add_months(Months::new(months))
}

/// A mileage grows.
fn is_below_history(facts: &Facts<'_>) -> bool {
    let highest = facts.history.and_then(|report| report.mileages().iter().map(|reading| reading.km).max());
    facts.vehicle.mileage_km.zip(highest).is_some_and(|(km, highest)| km < highest)
}

fn inspected_too_early(car: &Vehicle) -> bool {
    let registered = (car.first_registration_year, car.first_registration_month);
    let (Some(day), (Some(year), Some(month))) = (car.inspected_on, registered) else { return false };
    (day.year(), i32::try_from(day.month()).unwrap_or(0)) < (year, month)
}

/// Class E is for cars without a combustion engine, and they have no other; none is too old for it.
fn contradicts_fuel(car: &Vehicle) -> bool {
    let (Some(class), Some(fuel)) = (car.crit_air.as_deref(), car.fuel.as_deref()) else { return false };
    match fuel {
        "electric" => class != "e",
        // Hydrogen, perhaps.
        "other" => false,
        // The best class of a Diesel engine is the second.
        "diesel" => matches!(class, "e" | "1"),
        _ => class == "e",
    }
}

/// A number is given to a car at its first circulation or later, never before.
fn contradicts_plate(car: &Vehicle) -> bool {
    let given_on = || {
        let rank = Plate::parse(car.plate.as_deref()?).ok()?.siv_rank()?;
        let days = u64::try_from(day_of_rank(rank)?).ok()?;
        NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_days(Days::new(days + PLATE_SLACK_DAYS))
    };
    let registered = || {
        let month = u32::try_from(car.first_registration_month?).ok()?;
        NaiveDate::from_ymd_opt(car.first_registration_year?, month, 1)
    };
    match (given_on(), registered()) {
        (Some(given), Some(registered)) => registered > given && given.year() > 1970,
        _ => false,
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
