//! Matchers of the French series, on normalised text.

use crate::{PlateKind, SIV_PER_LEFT_PAIR};

type Matcher = fn(&[u8]) -> bool;

/// The letters SIV numbers use: no I, O or U.
pub const SIV_LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRSTVWXYZ";

/// The series a normalised text belongs to.
pub fn classify(text: &[u8]) -> Option<PlateKind> {
    // WW before W before SIV: each later series would otherwise have to exclude the earlier ones.
    let series: [(PlateKind, Matcher); 5] = [
        (PlateKind::WwProvisional, is_ww),
        (PlateKind::WGarage, is_w_garage),
        (PlateKind::Siv, is_siv),
        (PlateKind::Fni, is_fni),
        (PlateKind::MopedSiv, is_moped),
    ];
    series.into_iter().find(|(_, holds)| holds(text)).map(|(kind, _)| kind)
}

fn is_siv(text: &[u8]) -> bool {
    text.len() == 7 && is_siv_left(&text[..2]) && is_siv_number(&text[2..5]) && is_siv_right(&text[5..])
}

fn is_ww(text: &[u8]) -> bool {
    text.len() == 7 && text.starts_with(b"WW") && is_siv_number(&text[2..5]) && is_siv_right(&text[5..])
}

fn is_w_garage(text: &[u8]) -> bool {
    text.len() == 6 && text[0] == b'W' && is_siv_number(&text[1..4]) && is_siv_right(&text[4..])
}

fn is_moped(text: &[u8]) -> bool {
    let letters = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    if !(1..=2).contains(&letters) || text.len() < letters + 3 {
        return false;
    }
    let (left, rest) = text.split_at(letters);
    let (number, last) = rest.split_at(rest.len() - 1);
    let number_holds = match number.len() {
        2 => is_digits(number) && number[0] != b'0' && number != b"10",
        3 => is_digits(number) && number[0] != b'0' && !number.ends_with(b"00"),
        _ => false,
    };
    let skipped = matches!((left, last), (b"S", b"S") | (b"T", b"T") | (b"W", b"W") | (b"AA", b"A"));
    number_holds && !skipped && left.iter().chain(last).all(is_siv_letter)
}

/// `1234AB75`: one to four digits, one to three letters, department. The department is two or three
/// characters long, so both cuts are tried.
fn is_fni(text: &[u8]) -> bool {
    if text.first().is_none_or(|first| *first == b'0') {
        return false;
    }
    [2, 3].into_iter().filter(|tail| text.len() > *tail).any(|tail| {
        let (front, department) = text.split_at(text.len() - tail);
        let digits = front.iter().take_while(|b| b.is_ascii_digit()).count();
        is_department(department) && is_fni_letters(&front[digits..], digits)
    })
}

fn is_fni_letters(letters: &[u8], digits_before: usize) -> bool {
    match letters.len() {
        1 => (1..=4).contains(&digits_before) && letters[0].is_ascii_uppercase() && !b"DIOW".contains(&letters[0]),
        2 => {
            (1..=4).contains(&digits_before)
                && letters.iter().all(is_fni_letter)
                && !matches!(letters, b"SS" | b"TT" | b"WW")
        }
        3 => {
            (1..=3).contains(&digits_before)
                && letters.iter().all(is_fni_letter)
                && !letters.starts_with(b"T")
                && !letters.starts_with(b"W")
                && !matches!(letters, b"KKK" | b"MMM" | b"MMW" | b"MWM" | b"MWW")
        }
        _ => false,
    }
}

/// Mainland 01 to 95 without the retired 20, Corsica 2A and 2B, overseas 971 to 976.
fn is_department(text: &[u8]) -> bool {
    match text {
        b"20" | b"00" => false,
        b"2A" | b"2B" => true,
        [b'9', b'7', last] => (b'1'..=b'6').contains(last),
        [b'9', last] => (b'0'..=b'5').contains(last),
        [tens, units] => tens.is_ascii_digit() && units.is_ascii_digit(),
        _ => false,
    }
}

fn is_siv_left(pair: &[u8]) -> bool {
    pair.iter().all(is_siv_letter) && pair != b"SS" && pair != b"WW"
}

fn is_siv_right(pair: &[u8]) -> bool {
    pair.iter().all(is_siv_letter) && pair != b"SS"
}

fn is_siv_number(number: &[u8]) -> bool {
    is_digits(number) && number != b"000"
}

fn is_siv_letter(letter: &u8) -> bool {
    SIV_LETTERS.contains(letter)
}

fn is_fni_letter(letter: &u8) -> bool {
    letter.is_ascii_uppercase() && !b"IO".contains(letter)
}

fn is_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// Place of an SIV number in the order of issue: digits turn fastest, then the right pair, then the left.
pub fn siv_rank(text: &[u8]) -> Option<u64> {
    let number: u64 = std::str::from_utf8(text.get(2..5)?).ok()?.parse().ok()?;
    let left = pair_index(text.get(..2)?, &[b"SS", b"WW"])?;
    let right = pair_index(text.get(5..7)?, &[b"SS"])?;
    Some(left * SIV_PER_LEFT_PAIR + right * 999 + number.checked_sub(1)?)
}

/// Index of a pair among all pairs of the SIV alphabet, pairs never given left out.
fn pair_index(pair: &[u8], skipped: &[&[u8]]) -> Option<u64> {
    let index = |letter: u8| SIV_LETTERS.iter().position(|l| *l == letter);
    let [first, second] = pair else { return None };
    let plain = index(*first)? * SIV_LETTERS.len() + index(*second)?;
    let before = skipped.iter().filter(|s| **s < pair).count();
    u64::try_from(plain - before).ok()
}
