use std::collections::BTreeMap;

use crate::Plate;

/// What one printed character may be: letters and digits with their probabilities.
pub type Slot = Vec<(char, f32)>;

/// Characters that a reader takes for each other.
const CONFUSED: [&str; 9] = ["0ODQ", "1IL", "2Z", "5S", "6G", "8B", "4A", "7T", "VUY"];

/// Share of a character's probability that each look-alike receives.
const LOOK_ALIKE_SHARE: f32 = 0.02;

/// Partial texts kept after each character; the best plate hardly ever ranks lower than this.
const BEAM: usize = 600;

/// Candidates less likely than this are dropped, so that a flat distribution stays cheap.
const NEGLIGIBLE: f32 = 1e-5;

/// Characters that look like `character`, itself left out.
pub fn confusable(character: char) -> impl Iterator<Item = char> {
    CONFUSED
        .iter()
        .filter(move |group| group.contains(character))
        .flat_map(|group| group.chars())
        .filter(move |other| *other != character)
}

/// Ranks the French plates that a row of uncertain characters may be.
///
/// Returns at most `limit` normalised plates, best first, with probabilities relative to all plates
/// the grammar allows (they sum to at most 1). Nothing fits: an empty list.
pub fn decode(slots: &[Slot], limit: usize) -> Vec<(String, f32)> {
    if !(4..=9).contains(&slots.len()) {
        return Vec::new();
    }
    let mut beam: Vec<(String, f32)> = vec![(String::new(), 1.0)];
    for slot in slots {
        let candidates = widen(slot);
        let mut next: Vec<(String, f32)> = beam
            .iter()
            .flat_map(|(text, p)| candidates.iter().map(move |(c, q)| (format!("{text}{c}"), p * q)))
            .filter(|(text, _)| may_become_plate(text.as_bytes(), slots.len()))
            .collect();
        sort(&mut next);
        next.truncate(BEAM);
        beam = next;
    }
    beam.retain(|(text, _)| Plate::parse(text).is_ok());
    let total: f32 = beam.iter().map(|(_, p)| p).sum();
    if total <= 0.0 || !total.is_finite() {
        return Vec::new();
    }
    beam.truncate(limit);
    beam.into_iter().map(|(text, p)| (text, (p / total).clamp(0.0, 1.0))).collect()
}

/// Adds the look-alikes of each candidate: the reader may be sure of the wrong one.
fn widen(slot: &Slot) -> Vec<(char, f32)> {
    let mut wide: BTreeMap<char, f32> = BTreeMap::new();
    for (character, probability) in slot {
        let upper = character.to_ascii_uppercase();
        if !upper.is_ascii_alphanumeric() || !probability.is_finite() || *probability <= 0.0 {
            continue;
        }
        *wide.entry(upper).or_default() += probability;
        for other in confusable(upper) {
            *wide.entry(other).or_default() += probability * LOOK_ALIKE_SHARE;
        }
    }
    wide.into_iter().filter(|(_, p)| *p > NEGLIGIBLE).collect()
}

/// Whether a beginning of `length` characters in all can still fit a series by its letters and digits.
///
/// The exact rules are checked at the end; this only keeps hopeless texts from filling the beam.
fn may_become_plate(start: &[u8], length: usize) -> bool {
    let digit_at = |place: usize| start[place].is_ascii_digit();
    let shape = |pattern: &[u8]| {
        pattern.len() == length && (0..start.len()).all(|place| digit_at(place) == (pattern[place] == b'9'))
    };
    const LETTERS_FIRST: [&[u8]; 6] = [b"AA999AA", b"A999AA", b"A99A", b"A999A", b"AA99A", b"AA999A"];
    LETTERS_FIRST.iter().any(|pattern| shape(pattern)) || starts_like_fni(start)
}

fn starts_like_fni(start: &[u8]) -> bool {
    let digits = start.iter().take_while(|b| b.is_ascii_digit()).count();
    let letters = start[digits..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let tail = &start[digits + letters..];
    let tail_holds = match tail {
        [] => true,
        [first] => first.is_ascii_digit(),
        [b'2', second] => second.is_ascii_digit() || matches!(second, b'A' | b'B'),
        _ => tail.len() <= 3 && tail.iter().all(u8::is_ascii_digit),
    };
    (1..=4).contains(&digits) && letters <= 3 && tail_holds
}

fn sort(texts: &mut [(String, f32)]) {
    texts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}
