//! How far a price can be trusted, in a word, and why not further.

use async_graphql::Enum;
use chrono::{Months, NaiveDate};
use keroxio_plugin_sdk::PriceRemark;
use serde::{Deserialize, Serialize};

/// Measured share of ads within 10 % of the middle from which the word is `HIGH`, and `MEDIUM`.
const HIGH: f64 = 0.75;
const MEDIUM: f64 = 0.60;
/// Ads of the model below which an estimate is a guess, and years of age above which cars differ by their state.
const FEW_ADS: u32 = 30;
const OLD_YEARS: f64 = 12.0;
/// Months after the last day of its data at which a model is said to age, and at which it is trusted less.
const AGEING_MONTHS: u32 = 6;
const OLD_MONTHS: u32 = 12;

/// How far a price can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceConfidence {
    /// A guess: fix the price yourself.
    Low,
    /// Compare with similar ads before you fix the price.
    Medium,
    /// As good as prices of used cars get.
    High,
}

/// Why a price is less sure, or what had to be assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceCautionCode {
    /// The model is not among the known ones of its make.
    ModelUnknown,
    /// Few ads of this model are known.
    FewAds,
    /// Cars of this age differ more by their state than by what is known of them.
    OldCar,
    /// The power is not known.
    PowerUnknown,
    /// The power was taken for kilowatts.
    PowerInKilowatts,
    /// The data behind the estimate is older than six months.
    DataAgeing,
    /// The data behind the estimate is older than a year.
    DataOld,
}

impl PriceCautionCode {
    /// What to do about it, in French and in English.
    pub fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::ModelUnknown => (
                "Modèle inconnu : l'estimation repose sur la marque seule. Vérifiez le nom du modèle.",
                "Unknown model: the estimate rests on the make alone. Check the name of the model.",
            ),
            Self::FewAds => (
                "Peu d'annonces de ce modèle : comparez avec des annonces semblables.",
                "Few ads of this model: compare with similar ads.",
            ),
            Self::OldCar => (
                "À cet âge, l'état compte plus que le reste : ajustez selon l'entretien et la carrosserie.",
                "At this age the state counts most: adjust for maintenance and bodywork.",
            ),
            Self::PowerUnknown => (
                "Puissance inconnue : indiquez-la (champ P.2 ou la version) pour un prix plus juste.",
                "Unknown power: give it (field P.2 or the version) for a better price.",
            ),
            Self::PowerInKilowatts => (
                "La puissance indiquée a été lue en kilowatts : vérifiez-la.",
                "The power given was read as kilowatts: check it.",
            ),
            Self::DataAgeing => (
                "Les annonces qui fondent l'estimation ont plus de six mois.",
                "The ads behind the estimate are more than six months old.",
            ),
            Self::DataOld => (
                "Les annonces qui fondent l'estimation ont plus d'un an : comparez avec le marché.",
                "The ads behind the estimate are more than a year old: compare with the market.",
            ),
        }
    }
}

/// What is known of an estimate besides its amounts.
pub struct Grounds<'a> {
    /// Measured share of ads within 10 % of the middle, for an interval of this width.
    pub within_10: f64,
    pub ads: u32,
    /// Years.
    pub age: f64,
    pub remarks: &'a [PriceRemark],
    pub data_until: NaiveDate,
    pub on: NaiveDate,
}

/// The word, and why it is no better.
pub fn judge(grounds: &Grounds<'_>) -> (PriceConfidence, Vec<PriceCautionCode>) {
    use PriceCautionCode as Code;
    let older_than =
        |months| grounds.data_until.checked_add_months(Months::new(months)).is_some_and(|d| d < grounds.on);
    let mut cautions = Vec::new();
    match grounds.ads {
        0 => cautions.push(Code::ModelUnknown),
        n if n < FEW_ADS => cautions.push(Code::FewAds),
        _ => {}
    }
    if grounds.age > OLD_YEARS {
        cautions.push(Code::OldCar);
    }
    cautions.extend(grounds.remarks.iter().map(|remark| match remark {
        PriceRemark::PowerUnknown => Code::PowerUnknown,
        PriceRemark::PowerInKilowatts => Code::PowerInKilowatts,
    }));
    if older_than(OLD_MONTHS) {
        cautions.push(Code::DataOld);
    } else if older_than(AGEING_MONTHS) {
        cautions.push(Code::DataAgeing);
    }
    let measured = match grounds.within_10 {
        share if share >= HIGH => PriceConfidence::High,
        share if share >= MEDIUM => PriceConfidence::Medium,
        _ => PriceConfidence::Low,
    };
    let guessed = [Code::ModelUnknown, Code::FewAds, Code::OldCar, Code::PowerUnknown];
    let word = if cautions.iter().any(|code| guessed.contains(code)) {
        PriceConfidence::Low
    } else if cautions.contains(&Code::DataOld) {
        measured.min(PriceConfidence::Medium)
    } else {
        measured
    };
    (word, cautions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure() -> Grounds<'static> {
        let day = |text: &str| text.parse().unwrap_or_default();
        Grounds {
            within_10: 0.8,
            ads: 300,
            age: 4.0,
            remarks: &[],
            data_until: day("2026-08-22"),
            on: day("2026-11-25"),
        }
    }

    #[test]
    fn a_price_is_as_sure_as_it_was_measured_to_be() {
        assert_eq!(judge(&sure()), (PriceConfidence::High, Vec::new()));
        assert_eq!(judge(&Grounds { within_10: 0.7, ..sure() }).0, PriceConfidence::Medium);
        assert_eq!(judge(&Grounds { within_10: 0.4, ..sure() }).0, PriceConfidence::Low);
    }

    #[test]
    fn what_is_not_known_lowers_the_word_and_says_so() {
        use PriceCautionCode::*;
        let low = |grounds: Grounds<'_>, code| assert_eq!(judge(&grounds), (PriceConfidence::Low, vec![code]));
        low(Grounds { ads: 0, ..sure() }, ModelUnknown);
        low(Grounds { ads: 29, ..sure() }, FewAds);
        low(Grounds { age: 12.5, ..sure() }, OldCar);
        low(Grounds { remarks: &[PriceRemark::PowerUnknown], ..sure() }, PowerUnknown);
        let assumed = judge(&Grounds { remarks: &[PriceRemark::PowerInKilowatts], ..sure() });
        assert_eq!(assumed, (PriceConfidence::High, vec![PowerInKilowatts]));
    }

    #[test]
    fn a_model_ages() {
        let on = |text: &str| judge(&Grounds { on: text.parse().unwrap_or_default(), ..sure() });
        assert_eq!(on("2027-02-22"), (PriceConfidence::High, Vec::new()));
        assert_eq!(on("2027-02-23"), (PriceConfidence::High, vec![PriceCautionCode::DataAgeing]));
        assert_eq!(on("2027-08-23"), (PriceConfidence::Medium, vec![PriceCautionCode::DataOld]));
    }
}
