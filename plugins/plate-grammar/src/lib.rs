#![doc = include_str!("../README.md")]

mod chronology;
mod decode;
mod format;
mod rank;

use std::fmt;
use std::str::FromStr;

pub use chronology::{day_of_rank, newest_rank};
pub use decode::{Slot, confusable, decode};
pub use rank::{BLANK, Ranked, Row, SYMBOLS, agree, rank};

use crate::format::{classify, siv_rank};

/// Number of registrations the SIV series can hold: 527 left pairs, 528 right pairs, 999 numbers.
pub const SIV_CAPACITY: u64 = 527 * SIV_PER_LEFT_PAIR;

/// Registrations that share one left pair of letters.
pub const SIV_PER_LEFT_PAIR: u64 = 528 * 999;

/// Which series a registration belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlateKind {
    /// Permanent number of the series in force since 2009 (AA-123-AA).
    Siv,
    /// Provisional number valid for some months, given again later.
    WwProvisional,
    /// Trade plate: belongs to a professional, not to a car.
    WGarage,
    /// Number of 1950 to 2009, department last (1234 AB 75).
    Fni,
    /// Moped number of 2004 to 2015.
    MopedSiv,
}

/// Why a text is no French registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlateError {
    /// Nothing is left once spaces and separators are removed.
    Empty,
    /// A character that no plate carries.
    ForeignCharacter(char),
    /// No French series writes a number like this one.
    UnknownFormat,
}

impl fmt::Display for PlateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the plate is empty"),
            Self::ForeignCharacter(c) => write!(f, "a French plate never carries {c:?}"),
            Self::UnknownFormat => f.write_str("this is not the format of a French plate"),
        }
    }
}

impl std::error::Error for PlateError {}

/// A French registration number that its series can contain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plate {
    normalized: String,
    kind: PlateKind,
}

impl Plate {
    /// Normalises a text (upper case; spaces, hyphens, dots and middle dots removed) and checks it.
    ///
    /// # Errors
    /// See [`PlateError`].
    pub fn parse(raw: &str) -> Result<Self, PlateError> {
        let normalized = normalize(raw);
        if normalized.is_empty() {
            return Err(PlateError::Empty);
        }
        if let Some(foreign) = normalized.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Err(PlateError::ForeignCharacter(foreign));
        }
        let kind = classify(normalized.as_bytes()).ok_or(PlateError::UnknownFormat)?;
        Ok(Self { normalized, kind })
    }

    pub fn kind(&self) -> PlateKind {
        self.kind
    }

    /// Upper-case letters and digits only.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }

    /// As it is printed: `AA-123-AA`, `1234 AB 75`.
    pub fn formatted(&self) -> String {
        let separator = if self.kind == PlateKind::Fni { " " } else { "-" };
        self.groups().join(separator)
    }

    /// False for trade and provisional numbers: another car carries them next month.
    pub fn identifies_car(&self) -> bool {
        !matches!(self.kind, PlateKind::WGarage | PlateKind::WwProvisional)
    }

    /// Place in the order in which SIV numbers are given, AA-001-AA being 0; none for other series.
    pub fn siv_rank(&self) -> Option<u64> {
        if self.kind != PlateKind::Siv {
            return None;
        }
        siv_rank(self.normalized.as_bytes())
    }

    /// The groups of letters and digits; a department such as `2A` stays one group.
    fn groups(&self) -> Vec<&str> {
        let text = self.normalized.as_str();
        let boundary = |from: usize, digit: bool| {
            text[from..].bytes().position(|b| b.is_ascii_digit() != digit).map_or(text.len(), |n| from + n)
        };
        let first = boundary(0, text.starts_with(|c: char| c.is_ascii_digit()));
        let second = boundary(first, !text.starts_with(|c: char| c.is_ascii_digit()));
        vec![&text[..first], &text[first..second], &text[second..]]
    }
}

impl FromStr for Plate {
    type Err = PlateError;

    fn from_str(raw: &str) -> Result<Self, PlateError> {
        Self::parse(raw)
    }
}

impl fmt::Display for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.formatted())
    }
}

fn normalize(raw: &str) -> String {
    let separator = |c: &char| c.is_whitespace() || matches!(c, '-' | '.' | '·' | '•' | '\u{2010}'..='\u{2015}');
    raw.chars().filter(|c| !separator(c)).flat_map(char::to_uppercase).collect()
}

/// Normalises the plate of another country: 4 to 10 letters and digits, among them a digit. Nothing
/// more is known of it here.
///
/// # Errors
/// See [`PlateError`].
pub fn normalize_foreign(raw: &str) -> Result<String, PlateError> {
    let text = normalize(raw);
    if let Some(strange) = text.chars().find(|c| !c.is_ascii_alphanumeric()) {
        return Err(PlateError::ForeignCharacter(strange));
    }
    let plausible = (4..=10).contains(&text.len()) && text.bytes().any(|b| b.is_ascii_digit());
    if plausible { Ok(text) } else { Err(PlateError::UnknownFormat) }
}
