//! Writes the ad. Each sentence is made from facts; without the fact there is no sentence, and nothing else is said.

mod check;
#[cfg(test)]
mod check_tests;
mod english;
mod french;
#[cfg(test)]
mod tests;
mod words;

use async_graphql::Enum;
use chrono::NaiveDate;

pub use check::{Objection, duties, objections};
pub use words::{fuel_words, gearbox_words};

/// Longest title: the strictest channel we prepare for (50 characters, a cautious default).
const TITLE_LIMIT: usize = 50;

/// Who sells, as far as an ad says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Seller {
    #[default]
    Private,
    Dealer {
        name: String,
        siren: Option<String>,
    },
}

impl Seller {
    fn is_dealer(&self) -> bool {
        matches!(self, Self::Dealer { .. })
    }
}

/// The facts an ad may speak of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AdFacts {
    pub make: String,
    pub model: String,
    pub version: Option<String>,
    pub year: i32,
    pub month: Option<u32>,
    pub mileage_km: i64,
    /// In French and English.
    pub fuel: Option<(&'static str, &'static str)>,
    pub gearbox: Option<(&'static str, &'static str)>,
    pub power_hp: Option<i32>,
    pub fiscal_hp: Option<i32>,
    pub doors: Option<i32>,
    pub seats: Option<i32>,
    pub colour: Option<String>,
    /// `e`, `1` to `5`, or `none`.
    pub crit_air: Option<String>,
    pub inspected_on: Option<NaiveDate>,
    pub inspection_retest: Option<bool>,
    pub seller: Seller,
}

/// How an ad speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Enum)]
pub enum AdTone {
    /// Whole sentences, to the point.
    #[default]
    Professional,
    /// As one person to another.
    Friendly,
    /// A list of facts.
    Short,
}

impl AdTone {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Professional => "professional",
            Self::Friendly => "friendly",
            Self::Short => "short",
        }
    }

    /// What is not known is professional.
    pub fn parse(text: &str) -> Self {
        [Self::Friendly, Self::Short].into_iter().find(|tone| tone.as_str() == text).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdText {
    pub title: String,
    pub body: String,
}

/// How an ad is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// `fr` or `en`.
    pub language: &'a str,
    pub tone: AdTone,
    /// Ads of other seeds are put otherwise; the same seed always writes the same.
    pub seed: u64,
}

pub fn write(facts: &AdFacts, manner: &Manner<'_>) -> AdText {
    let body = if manner.language == "en" { english::body(facts, manner) } else { french::body(facts, manner) };
    AdText { title: title(facts), body }
}

impl Manner<'_> {
    /// One of several ways to say the same.
    fn choose<'t>(&self, topic: u64, ways: &[&'t str]) -> &'t str {
        let mixed = (self.seed ^ topic.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let at = usize::try_from((mixed >> 33) % ways.len().max(1) as u64).unwrap_or(0);
        ways.get(at).copied().unwrap_or_default()
    }
}

fn name(facts: &AdFacts) -> String {
    let mut name = format!("{} {}", facts.make.trim(), facts.model.trim());
    if let Some(version) = &facts.version {
        name.push(' ');
        name.push_str(version.trim());
    }
    name
}

/// Drops words from the end of the version until the year still fits.
fn title(facts: &AdFacts) -> String {
    let full = name(facts);
    let mut words: Vec<&str> = full.split_whitespace().collect();
    loop {
        let title = format!("{} - {}", words.join(" "), facts.year);
        if title.chars().count() <= TITLE_LIMIT || words.len() <= 1 {
            return title.chars().take(TITLE_LIMIT).collect();
        }
        words.pop();
    }
}

/// Sentences as paragraphs; those without facts are left out.
fn paragraphs(all: impl IntoIterator<Item = Vec<Option<String>>>) -> String {
    let joined = all.into_iter().map(|sentences| sentences.into_iter().flatten().collect::<Vec<_>>().join(" "));
    joined.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Facts as a list.
fn bullets(head: String, facts: impl IntoIterator<Item = Option<String>>, tail: Vec<Option<String>>) -> String {
    let list: Vec<String> = facts.into_iter().flatten().map(|fact| format!("• {fact}")).collect();
    paragraphs([vec![Some(head)], vec![Some(list.join("\n"))], tail])
}
