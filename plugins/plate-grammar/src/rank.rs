//! From uncertain characters to ranked plates: what a reader saw, weighed by what can exist.

use std::collections::HashMap;

use crate::format::{classify, siv_rank};
use crate::{PlateKind, confusable};

/// Letters, then digits.
pub const SYMBOLS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Class of a place that carries no character.
pub const BLANK: usize = 36;

/// Probabilities of one place of a plate: the [`SYMBOLS`], then [`BLANK`]. Places after the text are blank.
pub type Row = [f32; 37];

/// A text the plate may carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Upper-case letters and digits.
    pub text: String,
    /// Its French series; none for a text that no French series contains.
    pub kind: Option<PlateKind>,
    /// Posterior probability, 0 to 1, among all texts considered.
    pub probability: f32,
    /// For each character, the probability that it is right, whatever the others are.
    pub characters: Vec<f32>,
}

/// Share of a character's probability that each look-alike receives: the reader may be sure of the wrong one.
const LOOK_ALIKE_SHARE: f32 = 0.01;
/// What remains for anything else.
const FLOOR: f32 = 1e-5;
/// Partial texts kept after each place.
const BEAM: usize = 48;
/// Characters of the longest pattern.
const LONGEST: usize = 10;
/// A pattern whose best text is this much less likely than the best of all is not searched.
const HOPELESS: f32 = 1e-4;
/// Texts of all patterns that share the probability.
const CONSIDERED: usize = 64;

/// How often a series is met on cars for sale, against SIV; a prior (judgement, not measured). Foreign cars
/// are rare in French ads, and the texts of other countries are checked against no format.
fn prior(kind: Option<PlateKind>, text: &[u8]) -> f32 {
    match kind {
        Some(PlateKind::Siv) => 1.0,
        Some(PlateKind::Fni) if has_three_letters(text) && !reached_three_letters(text) => 0.01,
        Some(PlateKind::Fni) if has_three_letters(text) => 0.25,
        Some(PlateKind::Fni) => 0.6,
        Some(PlateKind::WwProvisional | PlateKind::WGarage) => 0.6,
        Some(PlateKind::MopedSiv) => 0.02,
        None => 0.2,
    }
}

/// Departments whose old series had gone through all pairs and far into three letters by 2009: the populous ones
/// (general knowledge, not verified against the last numbers given out).
const FAR: &[&str] = &[
    "06", "13", "31", "33", "34", "35", "38", "42", "44", "45", "49", "54", "57", "59", "60", "62", "63", "64", "67",
    "69", "74", "75", "76", "77", "78", "83", "84", "91", "92", "93", "94", "95",
];

fn has_three_letters(text: &[u8]) -> bool {
    text.windows(3).any(|three| three.iter().all(u8::is_ascii_uppercase))
}

/// Three letters came when four digits and two letters were used up; elsewhere the series ended at A, B or C.
fn reached_three_letters(text: &[u8]) -> bool {
    let first = text.iter().find(|b| b.is_ascii_uppercase()).copied().unwrap_or_default();
    first < b'D' || FAR.iter().any(|department| text.ends_with(department.as_bytes()))
}

/// What one place of a pattern may be.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Letter,
    Digit,
    Only(u8),
    OneOf(u8, u8),
    Any,
}

impl Place {
    fn takes(self, symbol: u8) -> bool {
        match self {
            Self::Letter => symbol.is_ascii_uppercase(),
            Self::Digit => symbol.is_ascii_digit(),
            Self::Only(only) => symbol == only,
            Self::OneOf(one, other) => symbol == one || symbol == other,
            Self::Any => true,
        }
    }
}

/// Ranks the plates that uncertain places may show, best first, at most `limit`.
///
/// `newest` is the highest SIV rank given out so far ([`crate::newest_rank`]): a French number of the future
/// does not exist. Fewer than 4 places, or none that can be a plate: an empty list.
pub fn rank(rows: &[Row], newest: Option<u64>, limit: usize) -> Vec<Ranked> {
    let rows: Vec<Row> = rows.iter().map(widened).collect();
    let mut bounded: Vec<(f32, Vec<Place>)> = patterns()
        .into_iter()
        .filter(|pattern| pattern.len() <= rows.len())
        .map(|pattern| (bound(&rows, &pattern), pattern))
        .collect();
    let best = bounded.iter().map(|(bound, _)| *bound).fold(0.0, f32::max);
    bounded.retain(|(bound, _)| *bound > 0.0 && *bound >= best * HOPELESS);
    let mut found: HashMap<Text, f32> = HashMap::new();
    for (_, pattern) in &bounded {
        for (text, likelihood) in search(&rows, pattern) {
            let written = &text[..pattern.len()];
            let kind = kind_of(written, newest);
            if kind.is_some() || looks_like_plate(written) {
                let weight = likelihood * prior(kind, written);
                found.insert(text, weight);
            }
        }
    }
    let mut texts: Vec<(Text, f32)> = found.into_iter().collect();
    texts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    texts.truncate(CONSIDERED);
    let total: f32 = texts.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 || !total.is_finite() {
        return Vec::new();
    }
    texts.iter_mut().for_each(|(_, weight)| *weight /= total);
    let ranked = |(text, probability): &(Text, f32)| Ranked {
        text: String::from_utf8_lossy(written(text)).into_owned(),
        kind: kind_of(written(text), newest),
        probability: probability.clamp(0.0, 1.0),
        characters: marginals(text, &texts),
    };
    texts.iter().take(limit).map(ranked).collect()
}

/// Ranks again after several photos of one car: a text counts by the product of what each photo gives it.
/// `readings` holds the texts of each photo with their probabilities; a photo without any does not vote.
pub fn agree(readings: &[Vec<(String, f32)>], limit: usize) -> Vec<(String, f32)> {
    let voting: Vec<&Vec<(String, f32)>> = readings.iter().filter(|texts| !texts.is_empty()).collect();
    let mut texts: Vec<&str> = voting.iter().flat_map(|texts| texts.iter().map(|(text, _)| text.as_str())).collect();
    texts.sort_unstable();
    texts.dedup();
    // A photo may simply show another car: no single one can rule a text out.
    let given = |texts: &[(String, f32)], text: &str| texts.iter().find(|(t, _)| t == text).map_or(0.0, |(_, p)| *p);
    let product = |text: &str| voting.iter().map(|texts| 0.02 + 0.98 * given(texts, text)).product::<f32>();
    let mut ranked: Vec<(String, f32)> = texts.into_iter().map(|text| (text.to_owned(), product(text))).collect();
    // What a photo leaves open goes to a text that none of them proposed.
    let open = |texts: &[(String, f32)]| (1.0 - texts.iter().map(|(_, p)| p).sum::<f32>()).clamp(0.0, 1.0);
    let other = voting.iter().map(|texts| 0.02 + 0.98 * open(texts)).product::<f32>();
    let total: f32 = ranked.iter().map(|(_, p)| p).sum::<f32>() + if voting.is_empty() { 0.0 } else { other };
    ranked.iter_mut().for_each(|(_, p)| *p /= total);
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked.truncate(limit);
    ranked
}

/// Adds the look-alikes and what remains for anything else; answers probabilities again.
fn widened(row: &Row) -> Row {
    let clean = row.map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 });
    let mut wide = clean.map(|p| p + FLOOR);
    for (symbol, p) in SYMBOLS.iter().zip(clean) {
        for other in confusable(char::from(*symbol)) {
            if let Some(place) = class_of(other) {
                wide[place] += LOOK_ALIKE_SHARE * p;
            }
        }
    }
    let total: f32 = wide.iter().sum();
    wide.map(|p| p / total)
}

/// The place of a character among the [`SYMBOLS`].
fn class_of(character: char) -> Option<usize> {
    match character {
        'A'..='Z' => Some(character as usize - 'A' as usize),
        '0'..='9' => Some(26 + character as usize - '0' as usize),
        _ => None,
    }
}

/// Every order of letters and digits of the French series, and texts of 4 to 9 characters of any kind.
fn patterns() -> Vec<Vec<Place>> {
    use Place::{Any, Digit, Letter, OneOf, Only};
    let mut patterns = vec![
        vec![Letter, Letter, Digit, Digit, Digit, Letter, Letter],
        vec![Only(b'W'), Digit, Digit, Digit, Letter, Letter],
    ];
    let departments = [vec![Digit, Digit], vec![Only(b'2'), OneOf(b'A', b'B')], vec![Only(b'9'), Only(b'7'), Digit]];
    for (digits, letters) in (1..=4).flat_map(|digits| (1..=3).map(move |letters| (digits, letters))) {
        for department in &departments {
            let mut pattern = vec![Digit; digits];
            pattern.extend(vec![Letter; letters]);
            pattern.extend(department);
            patterns.push(pattern);
        }
    }
    patterns.extend((4..=9).map(|length| vec![Any; length]));
    patterns
}

/// The likelihood of the best text of a pattern.
fn bound(rows: &[Row], pattern: &[Place]) -> f32 {
    let best = |(place, row): (&Place, &Row)| {
        let takes = SYMBOLS.iter().zip(row).filter(|(symbol, _)| place.takes(**symbol));
        takes.map(|(_, p)| *p).fold(0.0, f32::max)
    };
    pattern.iter().zip(rows).map(best).product::<f32>() * blanks(rows, pattern.len())
}

fn blanks(rows: &[Row], from: usize) -> f32 {
    rows[from..].iter().map(|row| row[BLANK]).product()
}

/// A text of a pattern, zeros behind it.
type Text = [u8; LONGEST];

fn written(text: &Text) -> &[u8] {
    let length = text.iter().position(|b| *b == 0).unwrap_or(LONGEST);
    &text[..length]
}

/// The likeliest texts of a pattern with their likelihoods.
fn search(rows: &[Row], pattern: &[Place]) -> Vec<(Text, f32)> {
    let mut beam: Vec<(Text, f32)> = vec![([0; LONGEST], blanks(rows, pattern.len()))];
    let mut longer = Vec::new();
    for (at, (place, row)) in pattern.iter().zip(rows).enumerate() {
        let mut choices: Vec<(u8, f32)> =
            SYMBOLS.iter().copied().zip(*row).filter(|(symbol, _)| place.takes(*symbol)).collect();
        choices.sort_by(|a, b| b.1.total_cmp(&a.1));
        longer.clear();
        for (better, (text, p)) in beam.iter().enumerate() {
            // Both lists fall: (a + 1)(b + 1) pairs are at least as likely as the pair (a, b), so only the first
            // few choices can be among the best.
            for (symbol, q) in choices.iter().take(BEAM / (better + 1)) {
                let mut text = *text;
                text[at] = *symbol;
                longer.push((text, p * q));
            }
        }
        longer.sort_by(|a, b| b.1.total_cmp(&a.1));
        longer.truncate(BEAM);
        std::mem::swap(&mut beam, &mut longer);
    }
    beam
}

/// The series of a text, unless its number has not been given out yet.
fn kind_of(text: &[u8], newest: Option<u64>) -> Option<PlateKind> {
    let kind = classify(text)?;
    let future =
        kind == PlateKind::Siv && newest.is_some_and(|newest| siv_rank(text).is_some_and(|rank| rank > newest));
    (!future).then_some(kind)
}

/// Plates of other countries carry digits, nearly all of them letters too.
fn looks_like_plate(text: &[u8]) -> bool {
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    digits >= 2 || digits == 1 && text.len() >= 5
}

fn marginals(text: &Text, texts: &[(Text, f32)]) -> Vec<f32> {
    let length = written(text).len();
    let right = |place: usize| {
        let same = texts.iter().filter(|(other, _)| written(other).len() == length && other[place] == text[place]);
        same.map(|(_, p)| *p).sum::<f32>().clamp(0.0, 1.0)
    };
    (0..length).map(right).collect()
}
