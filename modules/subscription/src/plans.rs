//! What the plans are: dated data.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::Enum;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanCode {
    /// For private sellers, and whoever pays for nothing.
    Free,
    /// For a garage.
    Pro,
    /// For groups of garages.
    Enterprise,
}

impl PlanCode {
    /// As the schema writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Pro => "PRO",
            Self::Enterprise => "ENTERPRISE",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Free, Self::Pro, Self::Enterprise].into_iter().find(|plan| plan.name() == name)
    }
}

/// What a plan limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PlanUnit")]
pub enum Unit {
    /// Advertisements of cars that are not sold, at the same time.
    ActiveAds,
    /// Photos uploaded in a month; the same photo again is not counted again.
    Photos,
    /// Members and open invitations, at the same time.
    Seats,
    /// Requests by API keys in a month.
    ApiCalls,
}

impl Unit {
    pub const ALL: [Self; 4] = [Self::ActiveAds, Self::Photos, Self::Seats, Self::ApiCalls];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::ActiveAds => "ACTIVE_ADS",
            Self::Photos => "PHOTOS",
            Self::Seats => "SEATS",
            Self::ApiCalls => "API_CALLS",
        }
    }

    pub fn in_french(self) -> &'static str {
        match self {
            Self::ActiveAds => "annonces en ligne",
            Self::Photos => "photos ce mois-ci",
            Self::Seats => "membres et invitations",
            Self::ApiCalls => "appels de l'API ce mois-ci",
        }
    }

    pub fn in_english(self) -> &'static str {
        match self {
            Self::ActiveAds => "active ads",
            Self::Photos => "photos this month",
            Self::Seats => "members and invitations",
            Self::ApiCalls => "API calls this month",
        }
    }

    /// Whether it is counted by the month; the others are held at the same time.
    pub fn is_monthly(self) -> bool {
        matches!(self, Self::Photos | Self::ApiCalls)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub code: PlanCode,
    pub name_fr: String,
    pub name_en: String,
    /// Net, in euro cents.
    pub monthly_cents: i32,
    /// By which Stripe's price is found where the installation names none.
    pub lookup_key: Option<String>,
    /// None of a unit: as many as one likes.
    limits: HashMap<Unit, Option<i32>>,
}

impl Plan {
    pub fn limit(&self, unit: Unit) -> Option<i32> {
        self.limits.get(&unit).copied().flatten()
    }
}

/// Everything about plans from a day on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalogue {
    from: NaiveDate,
    pub trial_plan: PlanCode,
    trial_days: i64,
    grace_days: i64,
    pub warn_at_percent: i64,
    pub plans: Vec<Plan>,
    pub vat_note_fr: String,
    pub vat_note_en: String,
}

static CATALOGUES: LazyLock<Vec<Catalogue>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../plans.json")).unwrap_or_default());

impl Catalogue {
    /// What is valid at a moment; before the first day, what came first.
    ///
    /// # Panics
    /// Never: that `plans.json` holds one is what the test of this file proves.
    #[allow(clippy::expect_used)]
    pub fn at(now: DateTime<Utc>) -> &'static Self {
        let valid = CATALOGUES.iter().rev().find(|catalogue| catalogue.from <= now.date_naive());
        valid.or(CATALOGUES.first()).expect("plans.json holds a catalogue")
    }

    /// # Panics
    /// Never: as above.
    #[allow(clippy::expect_used)]
    pub fn plan(&self, code: PlanCode) -> &Plan {
        self.plans.iter().find(|plan| plan.code == code).expect("plans.json holds every plan")
    }

    pub fn trial(&self) -> Duration {
        Duration::days(self.trial_days)
    }

    /// How long somebody keeps their plan while a payment fails.
    pub fn grace(&self) -> Duration {
        Duration::days(self.grace_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_catalogue_is_whole_and_a_dearer_plan_gives_no_less() {
        assert!(!CATALOGUES.is_empty() && CATALOGUES.is_sorted_by_key(|catalogue| catalogue.from));
        for catalogue in CATALOGUES.iter() {
            let plans = [PlanCode::Free, PlanCode::Pro, PlanCode::Enterprise].map(|code| catalogue.plan(code));
            for (less, more) in plans.iter().zip(&plans[1..]) {
                assert!(less.monthly_cents < more.monthly_cents);
                for unit in Unit::ALL {
                    assert!(less.limits.contains_key(&unit) && more.limits.contains_key(&unit));
                    assert!(more.limit(unit).is_none_or(|most| less.limit(unit).is_some_and(|least| least < most)));
                }
            }
            assert!(plans[0].lookup_key.is_none() && plans[1..].iter().all(|plan| plan.lookup_key.is_some()));
        }
    }
}
