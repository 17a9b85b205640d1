//! Words of both languages.

use keroxio_core::group_digits;
use keroxio_plugin_sdk::{Fuel, Gearbox};

pub const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
pub const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// French and English words for an energy; none for what has no word of its own.
pub fn fuel_words(fuel: Fuel) -> Option<(&'static str, &'static str)> {
    Some(match fuel {
        Fuel::Petrol => ("essence", "petrol"),
        Fuel::Diesel => ("diesel", "diesel"),
        Fuel::Hybrid => ("hybride", "hybrid"),
        Fuel::PluginHybrid => ("hybride rechargeable", "plug-in hybrid"),
        Fuel::Electric => ("électrique", "electric"),
        Fuel::Lpg => ("GPL", "LPG"),
        Fuel::Cng => ("GNV", "CNG"),
        Fuel::Ethanol => ("éthanol", "ethanol"),
        Fuel::Other => return None,
    })
}

pub fn gearbox_words(gearbox: Gearbox) -> (&'static str, &'static str) {
    match gearbox {
        Gearbox::Manual => ("manuelle", "manual"),
        Gearbox::Automatic => ("automatique", "automatic"),
    }
}

pub fn month(number: Option<u32>, names: &[&'static str; 12]) -> Option<&'static str> {
    let index = usize::try_from(number?).ok()?.checked_sub(1)?;
    names.get(index).copied()
}

/// A number and its unit, which a line must not part.
pub fn with_unit(number: i64, unit: &str) -> String {
    format!("{}\u{a0}{unit}", group_digits(number))
}

/// `de` before a word, `d'` before a vowel.
pub fn de(word: &str) -> String {
    if starts_with_vowel(word) { format!("d'{word}") } else { format!("de {word}") }
}

/// The possessive before a car: feminine, but `mon` before a vowel. The h of makes is pronounced.
pub fn my(name: &str) -> String {
    format!("{} {name}", if starts_with_vowel(name) { "mon" } else { "ma" })
}

fn starts_with_vowel(word: &str) -> bool {
    word.chars().next().and_then(|c| c.to_lowercase().next()).is_some_and(|c| "aeiouéèêâîôû".contains(c))
}

/// A number of things, in the plural from two.
pub fn counted(number: i32, one: &str) -> String {
    format!("{number}\u{a0}{one}{}", if number.abs() >= 2 { "s" } else { "" })
}

/// A SIREN as it is written: three times three digits.
pub fn grouped_siren(digits: &str) -> String {
    digits.as_bytes().chunks(3).map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join("\u{a0}")
}

/// What is known, one after the other; none where nothing is.
pub fn listed(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let said: Vec<String> = parts.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
