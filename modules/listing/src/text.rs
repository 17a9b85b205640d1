//! Writes the ad. Each sentence is made from facts; without the fact there is no sentence.

use keroxio_core::group_digits;
use keroxio_plugin_sdk::{Fuel, Gearbox};

/// Longest title: the strictest channel we prepare for (50 characters, a cautious default).
const TITLE_LIMIT: usize = 50;
const MONTHS: [&str; 12] = [
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
const MONTHS_EN: [&str; 12] = [
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

/// The facts an ad may speak of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AdFacts {
    pub make: String,
    pub model: String,
    pub version: Option<String>,
    pub year: i32,
    pub month: Option<u32>,
    pub mileage_km: i64,
    pub fuel: Option<(&'static str, &'static str)>,
    pub gearbox: Option<(&'static str, &'static str)>,
    pub power_hp: Option<i32>,
    pub fiscal_hp: Option<i32>,
    pub doors: Option<i32>,
    pub seats: Option<i32>,
    pub colour: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdText {
    pub title: String,
    pub body: String,
}

/// `language` is `fr` or `en`.
pub fn write(facts: &AdFacts, language: &str) -> AdText {
    let body = if language == "en" { english(facts) } else { french(facts) };
    AdText { title: title(facts), body }
}

fn name(facts: &AdFacts) -> String {
    let mut name = format!("{} {}", facts.make.trim(), facts.model.trim());
    if let Some(version) = &facts.version {
        name.push(' ');
        name.push_str(version.trim());
    }
    name
}

/// French and English words for an energy.
pub fn fuel_words(fuel: Fuel) -> (&'static str, &'static str) {
    match fuel {
        Fuel::Petrol => ("essence", "petrol"),
        Fuel::Diesel => ("diesel", "diesel"),
        Fuel::Hybrid => ("hybride", "hybrid"),
        Fuel::PluginHybrid => ("hybride rechargeable", "plug-in hybrid"),
        Fuel::Electric => ("électrique", "electric"),
        Fuel::Lpg => ("GPL", "LPG"),
        Fuel::Cng => ("GNV", "CNG"),
        Fuel::Ethanol => ("éthanol", "ethanol"),
        Fuel::Other => ("autre", "other"),
    }
}

pub fn gearbox_words(gearbox: Gearbox) -> (&'static str, &'static str) {
    match gearbox {
        Gearbox::Manual => ("manuelle", "manual"),
        Gearbox::Automatic => ("automatique", "automatic"),
    }
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

fn month(facts: &AdFacts, names: &[&'static str; 12]) -> Option<&'static str> {
    let index = usize::try_from(facts.month?).ok()?.checked_sub(1)?;
    names.get(index).copied()
}

fn french(facts: &AdFacts) -> String {
    let registered = match month(facts, &MONTHS) {
        Some(month) => format!("{month} {}", facts.year),
        None => facts.year.to_string(),
    };
    let mut lines = vec![
        format!("À vendre : {}.", name(facts)),
        String::new(),
        format!("• Première mise en circulation : {registered}"),
        format!("• Kilométrage au compteur : {}\u{a0}km (non garanti)", group_digits(facts.mileage_km)),
    ];
    let optional = [
        facts.fuel.map(|(fr, _)| format!("• Énergie : {fr}")),
        facts.gearbox.map(|(fr, _)| format!("• Boîte de vitesses : {fr}")),
        facts.power_hp.map(|hp| format!("• Puissance : {hp}\u{a0}ch DIN")),
        facts.fiscal_hp.map(|cv| format!("• Puissance fiscale : {cv}\u{a0}CV")),
        facts.doors.map(|n| format!("• Nombre de portes : {n}")),
        facts.seats.map(|n| format!("• Nombre de places : {n}")),
        facts.colour.as_ref().map(|c| format!("• Couleur : {}", c.to_lowercase())),
    ];
    lines.extend(optional.into_iter().flatten());
    lines.push(String::new());
    lines.push("Les photos sont celles du véhicule vendu. N'hésitez pas à me contacter pour toute question ou pour convenir d'une visite.".to_owned());
    lines.join("\n")
}

fn english(facts: &AdFacts) -> String {
    let registered = match month(facts, &MONTHS_EN) {
        Some(month) => format!("{month} {}", facts.year),
        None => facts.year.to_string(),
    };
    let mut lines = vec![
        format!("For sale: {}.", name(facts)),
        String::new(),
        format!("• First registered: {registered}"),
        format!("• Odometer reading: {}\u{a0}km (not guaranteed)", group_digits(facts.mileage_km)),
    ];
    let optional = [
        facts.fuel.map(|(_, en)| format!("• Fuel: {en}")),
        facts.gearbox.map(|(_, en)| format!("• Gearbox: {en}")),
        facts.power_hp.map(|hp| format!("• Power: {hp}\u{a0}hp DIN")),
        facts.fiscal_hp.map(|cv| format!("• French fiscal power: {cv}\u{a0}CV")),
        facts.doors.map(|n| format!("• Doors: {n}")),
        facts.seats.map(|n| format!("• Seats: {n}")),
        facts.colour.as_ref().map(|c| format!("• Colour: {}", c.to_lowercase())),
    ];
    lines.extend(optional.into_iter().flatten());
    lines.push(String::new());
    lines.push("The photos show the car on sale. Contact me with any question or to arrange a viewing.".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clio() -> AdFacts {
        AdFacts {
            make: "Renault".into(),
            model: "Clio".into(),
            version: Some("V TCe 90 Zen".into()),
            year: 2020,
            month: Some(3),
            mileage_km: 45_200,
            fuel: Some(("essence", "petrol")),
            power_hp: Some(90),
            colour: Some("Bleu".into()),
            ..AdFacts::default()
        }
    }

    #[test]
    fn every_fact_is_said_as_the_law_asks() {
        let text = write(&clio(), "fr");
        assert_eq!(text.title, "Renault Clio V TCe 90 Zen - 2020");
        for said in ["mars 2020", "45\u{202f}200\u{a0}km (non garanti)", "Énergie : essence", "90\u{a0}ch", "bleu"] {
            assert!(text.body.contains(said), "{said} is missing from\n{}", text.body);
        }
    }

    #[test]
    fn an_absent_fact_leaves_no_sentence() {
        let text = write(&AdFacts { fuel: None, power_hp: None, colour: None, month: None, ..clio() }, "fr");
        for unsaid in ["Énergie", "Puissance", "Couleur", "mars"] {
            assert!(!text.body.contains(unsaid), "{unsaid} is said without a fact");
        }
    }

    #[test]
    fn a_title_always_fits_and_keeps_the_year() {
        let long = AdFacts {
            version: Some("BlueHDi 130 S&S EAT8 Allure Business Navigation Toit Panoramique".into()),
            ..clio()
        };
        let title = write(&long, "fr").title;
        assert!(title.chars().count() <= TITLE_LIMIT && title.ends_with("- 2020"), "{title}");
    }
}
