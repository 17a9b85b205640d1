//! Prices as the schema shows them.

use async_graphql::{ComplexObject, Enum, SimpleObject};
use chrono::NaiveDate;
use keroxio_core::Money;
use keroxio_plugin_sdk::{PriceContribution, Refusal};
use uuid::Uuid;

use crate::blend::Comparable;
use crate::confidence::{PriceCautionCode, PriceConfidence};
use crate::error::refusal_sentences;
use crate::path::{self, PriceAction, Reason};
use crate::purpose::PricePurpose;
use crate::quote::{Evidence, Quote};

/// How much one fact moves the price.
#[derive(SimpleObject)]
pub struct PriceFactor {
    /// Stable name: `mileage`, `age`, `version`, `gearbox`, `fuel`, `power`.
    fact: String,
    /// Signed amount against the same car with a neutral value of that fact.
    amount: Money,
    /// The same in percent of the price.
    percent: f64,
}

/// Why there is no price.
#[derive(SimpleObject)]
pub struct PriceRefusal {
    /// Stable reason: `UNKNOWN_MAKE`, `UNKNOWN_MODEL`, `OUT_OF_RANGE`.
    reason: &'static str,
    /// What to do, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<&Refusal> for PriceRefusal {
    fn from(refusal: &Refusal) -> Self {
        let (message, message_en) = refusal_sentences(refusal);
        let reason = match refusal {
            Refusal::UnknownMake { .. } => "UNKNOWN_MAKE",
            Refusal::UnknownModel { .. } => "UNKNOWN_MODEL",
            Refusal::OutOfRange { .. } => "OUT_OF_RANGE",
        };
        Self { reason, message, message_en }
    }
}

/// Why a price is less sure, or what had to be assumed.
#[derive(SimpleObject)]
pub struct PriceCaution {
    /// Stable code.
    code: PriceCautionCode,
    /// What to do about it, in French.
    message: &'static str,
    /// The same in English.
    message_en: &'static str,
}

impl From<PriceCautionCode> for PriceCaution {
    fn from(code: PriceCautionCode) -> Self {
        let (message, message_en) = code.sentences();
        Self { code, message, message_en }
    }
}

/// What a comparable price is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ComparableKind {
    /// Asked in an advertisement.
    Ad,
    /// Paid for a car of your organization's own. Nobody else sees it.
    Sale,
}

/// Another car of the same model and what its price says about yours.
#[derive(SimpleObject)]
pub struct PriceComparable {
    /// Identifier.
    id: Uuid,
    /// Whether the price was asked or paid.
    kind: ComparableKind,
    /// Where it was seen, by the operator's name for it.
    source: String,
    /// Version, trim and engine as advertised.
    version: Option<String>,
    /// Month of first registration, `YYYY-MM`; the year alone where the month is not known.
    first_registration: String,
    /// Odometer reading in kilometres.
    mileage_km: i32,
    /// Its price.
    price: Money,
    /// What brings it to your car: mileage, age, version and the other facts.
    adjustment: Money,
    /// Its price with the adjustment.
    adjusted_price: Money,
    /// Day on which it was seen last.
    seen_on: NaiveDate,
    /// Its share in what the market adds to the estimate, 0 to 1 over all comparables.
    weight: f64,
}

impl From<Comparable> for PriceComparable {
    fn from(other: Comparable) -> Self {
        let year = other.first_registration_year;
        Self {
            id: other.ad,
            kind: if other.kind == "sale" { ComparableKind::Sale } else { ComparableKind::Ad },
            source: other.source,
            version: other.version,
            first_registration: other
                .first_registration_month
                .map_or_else(|| year.to_string(), |month| format!("{year}-{month:02}")),
            mileage_km: other.mileage_km,
            price: Money::euros(other.price_eur),
            adjustment: Money::euros(other.adjusted_eur - other.price_eur),
            adjusted_price: Money::euros(other.adjusted_eur),
            seen_on: other.seen_on,
            weight: other.weight,
        }
    }
}

/// What to do about a price.
#[derive(SimpleObject)]
pub struct PriceAdvice {
    /// What to do.
    action: PriceAction,
    /// The price then.
    price: Money,
    /// Share of comparable offers that are cheaper once brought to your car, 0 to 1; null with fewer than five.
    cheaper_share: Option<f64>,
    /// Median days that comparable offers took to go; null where fewer than eight are known to have gone.
    days_to_sell: Option<i64>,
    /// Why, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

/// An asking price on the French market, with its range, or the reason why there is none.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct PriceQuote {
    /// Low end of the interval meant to hold 80 % of asking prices.
    low: Option<Money>,
    /// Middle estimate.
    mid: Option<Money>,
    /// High end of the interval.
    high: Option<Money>,
    /// Measured share of held-out ads, with an interval this wide, priced within 10 % of the middle; 0 to 1.
    confidence: Option<f64>,
    /// The same in a word, lowered by the cautions.
    confidence_label: Option<PriceConfidence>,
    /// Why the price is less sure, or what had to be assumed.
    cautions: Vec<PriceCaution>,
    /// Advertisements of this make and model that the price model learnt from.
    sample_size: Option<i32>,
    /// Last day of the data that the price model learnt from.
    data_until: Option<NaiveDate>,
    /// What moves the price.
    contributions: Vec<PriceFactor>,
    /// What ads of late moved the price by, in percent; 0 where there are none.
    market_shift_percent: f64,
    /// What the price is for; null for an asking price as advertised.
    purpose: Option<PricePurpose>,
    /// What the operator multiplies prices for this purpose with: an assumption, not measured. 1 unless set.
    coefficient: f64,
    /// Why there is no price; null when there is one.
    refusal: Option<PriceRefusal>,
    #[graphql(skip)]
    near: Vec<Comparable>,
    #[graphql(skip)]
    interval: Option<(i32, i32, i32)>,
}

/// Where a price comes from that is shown.
pub struct Shown {
    pub interval: Option<(i32, i32, i32)>,
    pub confidence: Option<f64>,
    pub sample_size: Option<i32>,
    pub data_until: Option<NaiveDate>,
    pub contributions: Vec<PriceContribution>,
    pub evidence: Option<Evidence>,
    pub refusal: Option<Refusal>,
}

impl From<Shown> for PriceQuote {
    fn from(shown: Shown) -> Self {
        let (low, mid, high) = shown.interval.map_or((None, None, None), |(l, m, h)| (Some(l), Some(m), Some(h)));
        let evidence = shown.evidence;
        let cautions = evidence.iter().flat_map(|e| e.cautions.iter().copied()).map(PriceCaution::from).collect();
        Self {
            low: low.map(Money::euros),
            mid: mid.map(Money::euros),
            high: high.map(Money::euros),
            confidence: shown.confidence,
            confidence_label: evidence.as_ref().map(|e| e.label),
            cautions,
            sample_size: shown.sample_size,
            data_until: shown.data_until,
            contributions: factors(shown.contributions, mid),
            market_shift_percent: evidence.as_ref().map_or(0.0, |e| e.market_shift * 100.0),
            purpose: evidence.as_ref().and_then(|e| e.purpose),
            coefficient: evidence.as_ref().map_or(1.0, |e| e.coefficient),
            refusal: shown.refusal.as_ref().map(PriceRefusal::from),
            near: evidence.map_or_else(Vec::new, |e| e.comparables),
            interval: shown.interval,
        }
    }
}

impl From<Quote> for PriceQuote {
    fn from(quote: Quote) -> Self {
        let none = Shown {
            interval: None,
            confidence: None,
            sample_size: None,
            data_until: None,
            contributions: Vec::new(),
            evidence: None,
            refusal: None,
        };
        match quote {
            Quote::Refused(refusal) => Shown { refusal: Some(refusal), ..none },
            Quote::Priced(priced) => Shown {
                interval: Some((priced.low, priced.mid, priced.high)),
                confidence: Some(priced.confidence),
                sample_size: i32::try_from(priced.sample_size).ok(),
                data_until: Some(priced.data_until),
                contributions: priced.contributions,
                evidence: Some(priced.evidence),
                refusal: None,
            },
        }
        .into()
    }
}

fn factors(contributions: Vec<PriceContribution>, mid: Option<i32>) -> Vec<PriceFactor> {
    let mid = f64::from(mid.unwrap_or(1).max(1));
    let factor = |c: PriceContribution| PriceFactor {
        fact: c.fact,
        amount: Money::euros(c.euros.round().clamp(-1e8, 1e8) as i32),
        percent: (c.euros / mid * 1_000.0).round() / 10.0,
    };
    contributions.into_iter().map(factor).collect()
}

#[ComplexObject]
impl PriceQuote {
    /// Up to twenty cars of the same model on offer lately, nearest first; empty where the operator has no ads.
    async fn comparables(&self) -> Vec<PriceComparable> {
        self.near.iter().cloned().map(PriceComparable::from).collect()
    }

    /// What to do about an asking price for this car: null where there is no estimate.
    async fn advice(
        &self,
        #[graphql(desc = "The price asked, in whole euros.", validator(minimum = 1, maximum = 10_000_000))] price: i32,
        #[graphql(desc = "Days for which it has been asked.", default, validator(minimum = 0, maximum = 10_000))]
        days_online: i64,
    ) -> Option<PriceAdvice> {
        let interval = self.interval?;
        let (action, better, reason) = path::advise(price, interval, days_online);
        let cheaper_share = path::cheaper_share(&self.near, price);
        let (message, message_en) = sentences(action, reason, better, days_online);
        Some(PriceAdvice {
            action,
            price: Money::euros(better),
            cheaper_share,
            days_to_sell: path::days_to_sell(&self.near),
            message,
            message_en,
        })
    }
}

fn sentences(action: PriceAction, reason: Reason, price: i32, days: i64) -> (String, String) {
    let amount = Money::euros(price).formatted;
    match action {
        PriceAction::Keep => (
            "Votre prix est dans le marché : gardez-le.".to_owned(),
            "Your price is within the market: keep it.".to_owned(),
        ),
        PriceAction::Raise => (
            format!("Votre prix est sous le marché : vous pouvez demander {amount}."),
            format!("Your price is below the market: you may ask {amount}."),
        ),
        PriceAction::Lower if reason == Reason::Waiting => (
            format!("Après {days} jours en ligne, baissez à {amount} : c'est ce que font alors les autres vendeurs."),
            format!("After {days} days online, lower it to {amount}: that is what other sellers do then."),
        ),
        PriceAction::Lower => (
            format!("Votre prix est au-dessus du marché : demandez plutôt {amount}."),
            format!("Your price is above the market: ask {amount} instead."),
        ),
    }
}
