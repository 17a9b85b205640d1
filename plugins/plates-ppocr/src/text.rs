use keroxio_plate_grammar::{Plate, PlateKind, Slot, confusable, decode};

/// Letters and digits.
pub const SYMBOLS: usize = 36;

/// Probability of each letter (0 to 25) and digit (26 to 35) at one place of a strip.
pub type Frame = [f32; SYMBOLS];

/// A text one strip may carry.
#[derive(Debug, Clone)]
pub struct Reading {
    pub text: String,
    /// Probability of each character.
    pub characters: Vec<f32>,
    /// Mean probability less what had to be ignored around the text.
    pub score: f32,
    pub french: bool,
}

pub fn symbol_of(character: char) -> Option<usize> {
    match character {
        'A'..='Z' => Some(character as usize - 'A' as usize),
        '0'..='9' => Some(character as usize - '0' as usize + 26),
        _ => None,
    }
}

fn character_of(symbol: usize) -> char {
    char::from(if symbol < 26 { b'A' + symbol as u8 } else { b'0' + (symbol - 26) as u8 })
}

/// The plates a strip may show, best first; without a French one, its text if it looks like a plate.
pub fn readings(frames: &[Frame]) -> Vec<Reading> {
    let slots = slots(frames);
    let mut found: Vec<Reading> =
        windows(slots.len()).flat_map(|(from, to)| french(&slots, from, to)).chain(foreign(&slots)).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.text.cmp(&b.text)));
    found.truncate(6);
    found
}

/// One slot per printed character: runs of one symbol are merged, the surest place of the run counts.
fn slots(frames: &[Frame]) -> Vec<Slot> {
    let mut slots: Vec<(usize, f32, &Frame)> = Vec::new();
    let mut before = None;
    for frame in frames {
        let seen: f32 = frame.iter().sum();
        let best = (0..SYMBOLS).max_by(|a, b| frame[*a].total_cmp(&frame[*b])).unwrap_or_default();
        let current = (seen >= 0.5).then_some(best);
        if let Some(symbol) = current {
            match slots.last_mut() {
                Some(last) if before == current && last.0 == symbol => {
                    if frame[symbol] > last.1 {
                        *last = (symbol, frame[symbol], frame);
                    }
                }
                _ => slots.push((symbol, frame[symbol], frame)),
            }
        }
        before = current;
    }
    let likely =
        |frame: &Frame| (0..SYMBOLS).filter(|s| frame[*s] > 0.002).map(|s| (character_of(s), frame[s])).collect();
    slots.into_iter().map(|(_, _, frame)| likely(frame)).collect()
}

/// Parts of a text in which a plate may stand: the band on the left and the department on the right
/// are often read along.
fn windows(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..=length.min(3)).flat_map(move |from| (from + 5..=(from + 9).min(length)).map(move |to| (from, to)))
}

fn french(slots: &[Slot], from: usize, to: usize) -> Vec<Reading> {
    if slots.len() - to > 4 {
        return Vec::new();
    }
    let window = &slots[from..to];
    let ignored = ignored(slots, from, to);
    decode(window, 3)
        .into_iter()
        .filter(|(text, _)| is_likely_series(text))
        .map(|(text, relative)| {
            let characters: Vec<f32> = text.chars().zip(window).map(|(c, slot)| probability(slot, c)).collect();
            // A plain mean would hide one bad character among seven; the relative part separates twins.
            let score = mean(&characters) * (0.9 + 0.1 * relative) - ignored;
            Reading { text, characters, score: score + 0.02 * window.len().min(7) as f32 - 0.14, french: true }
        })
        .collect()
}

/// Moped numbers and the shortest old ones look like any badge: they are left to the seller's own input.
fn is_likely_series(text: &str) -> bool {
    Plate::parse(text).is_ok_and(|plate| match plate.kind() {
        PlateKind::MopedSiv => false,
        PlateKind::Fni => text.len() >= 6,
        _ => true,
    })
}

/// What it costs to leave characters out: little for an F on the left or digits on the right.
fn ignored(slots: &[Slot], from: usize, to: usize) -> f32 {
    let top = |slot: &Slot| slot.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or((' ', 0.0), |best| *best);
    let left = slots[..from].iter().map(top).map(|(c, p)| if matches!(c, 'F' | 'E' | 'P') { 0.02 } else { 0.1 * p });
    let right = slots[to..].iter().map(top).map(|(c, p)| if c.is_ascii_digit() { 0.02 } else { 0.1 * p });
    left.chain(right).sum()
}

/// How likely a slot shows a character; a look-alike the reader never considered stays possible.
fn probability(slot: &Slot, character: char) -> f32 {
    let of = |wanted: char| slot.iter().find(|(c, _)| *c == wanted).map_or(0.0, |(_, p)| *p);
    // A letter where the series wants a digit is no contradiction between twins such as O and 0.
    let twin = confusable(character).filter(|c| c.is_ascii_digit() != character.is_ascii_digit()).map(of);
    (of(character) + 0.9 * twin.fold(0.0, f32::max)).min(1.0)
}

/// The whole text when it looks like the plate of another country: letters and digits, 5 to 8 of them.
fn foreign(slots: &[Slot]) -> Option<Reading> {
    let best = |slot: &Slot| slot.iter().max_by(|a, b| a.1.total_cmp(&b.1)).copied();
    let row: Vec<(char, f32)> = slots.iter().filter_map(best).collect();
    let (text, characters): (String, Vec<f32>) = row.into_iter().unzip();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.len() - digits;
    let looks_like_plate = (5..=8).contains(&text.len()) && letters >= 1 && digits >= 2;
    let score = mean(&characters) - 0.25;
    (looks_like_plate && mean(&characters) >= 0.6).then_some(Reading { text, characters, score, french: false })
}

pub fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}
