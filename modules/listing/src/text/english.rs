//! The ad in English.

use chrono::Datelike as _;

use super::words::{MONTHS_EN, capital, counted, grouped_siren, listed, month, with_unit};
use super::{AdFacts, AdTone, Manner, Seller, bullets, name, paragraphs};

pub fn body(facts: &AdFacts, manner: &Manner<'_>) -> String {
    if manner.tone == AdTone::Short {
        return short(facts, manner);
    }
    let engine = engine(facts).map(|engine| format!("Engine: {engine}."));
    paragraphs([
        vec![Some(offer(facts, manner)), Some(mileage(facts))],
        vec![engine, room(facts)],
        vec![inspection(facts), crit_air(facts)],
        vec![guarantee(facts), seller(facts)],
        vec![Some(farewell(facts, manner))],
    ])
}

/// What an ad has to say, whoever writes it: of each the ways to say it.
pub fn duties(facts: &AdFacts) -> Vec<Vec<String>> {
    let sentences = [inspection(facts), crit_air(facts), guarantee(facts), seller(facts)];
    let mut duties = vec![vec![name(facts)], vec![registered(facts)]];
    duties.push(vec![format!("{} (not guaranteed)", with_unit(facts.mileage_km, "km"))]);
    duties.extend(sentences.into_iter().flatten().map(|said| vec![said.trim_end_matches('.').to_owned()]));
    duties
}

fn registered(facts: &AdFacts) -> String {
    month(facts.month, &MONTHS_EN).map_or(facts.year.to_string(), |month| format!("{month} {}", facts.year))
}

fn offer(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let ways: &[&str] = match (manner.tone, facts.seller.is_dealer()) {
        (AdTone::Friendly, true) => &["Hello! Come and see this {name}, first registered in {when}."],
        (AdTone::Friendly, false) => &["Hello! I am selling my {name}, first registered in {when}."],
        _ => &["For sale: {name}, first registered in {when}.", "{name}, first registered in {when}."],
    };
    manner.choose(1, ways).replace("{name}", &name(facts)).replace("{when}", &registered(facts))
}

fn mileage(facts: &AdFacts) -> String {
    format!("Odometer reading: {} (not guaranteed).", with_unit(facts.mileage_km, "km"))
}

fn engine(facts: &AdFacts) -> Option<String> {
    listed([
        facts.fuel.map(|(_, en)| en.to_owned()),
        facts.power_hp.map(|hp| with_unit(hp.into(), "hp DIN")),
        facts.fiscal_hp.map(|cv| format!("French fiscal power {}", with_unit(cv.into(), "CV"))),
        facts.gearbox.map(|(_, en)| format!("{en} gearbox")),
    ])
}

fn room(facts: &AdFacts) -> Option<String> {
    let said = listed([
        facts.doors.map(|n| counted(n, "door")),
        facts.seats.map(|n| counted(n, "seat")),
        facts.colour.as_ref().map(|colour| format!("colour {}", colour.to_lowercase())),
    ])?;
    Some(format!("{}.", capital(&said)))
}

fn inspection(facts: &AdFacts) -> Option<String> {
    let day = facts.inspected_on?;
    let month = month(Some(day.month()), &MONTHS_EN)?;
    let retest = match facts.inspection_retest {
        Some(true) => ", another test ordered",
        Some(false) => ", no other test ordered",
        None => "",
    };
    Some(format!("Technical inspection of {} {month} {}{retest}.", day.day(), day.year()))
}

fn crit_air(facts: &AdFacts) -> Option<String> {
    Some(match facts.crit_air.as_deref()? {
        "none" => "No Crit'Air class.".to_owned(),
        "e" => "Crit'Air sticker for electric cars.".to_owned(),
        class => format!("Crit'Air sticker {class}."),
    })
}

/// Of professionals only: code de la consommation, art. L. 217-3 and L. 217-7.
fn guarantee(facts: &AdFacts) -> Option<String> {
    let said = "Legal guarantee of conformity of two years; a defect that appears within twelve months is presumed to be older than the sale.";
    facts.seller.is_dealer().then(|| said.to_owned())
}

fn seller(facts: &AdFacts) -> Option<String> {
    let Seller::Dealer { name, siren } = &facts.seller else { return None };
    let siren = siren.as_ref().map_or(String::new(), |digits| format!(", SIREN {}", grouped_siren(digits)));
    Some(format!("Sold by {}{siren}.", name.trim()))
}

fn farewell(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let who = if facts.seller.is_dealer() { "us" } else { "me" };
    let ways = ["Contact {who} with any question or to arrange a viewing.", "Write to {who} to arrange a viewing."];
    manner.choose(3, &ways).replace("{who}", who)
}

fn short(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let list = [
        Some(format!("First registered: {}", registered(facts))),
        Some(format!("Odometer reading: {} (not guaranteed)", with_unit(facts.mileage_km, "km"))),
        facts.fuel.map(|(_, en)| format!("Fuel: {en}")),
        facts.gearbox.map(|(_, en)| format!("Gearbox: {en}")),
        facts.power_hp.map(|hp| format!("Power: {}", with_unit(hp.into(), "hp DIN"))),
        facts.fiscal_hp.map(|cv| format!("French fiscal power: {}", with_unit(cv.into(), "CV"))),
        facts.doors.map(|n| format!("Doors: {n}")),
        facts.seats.map(|n| format!("Seats: {n}")),
        facts.colour.as_ref().map(|colour| format!("Colour: {}", colour.to_lowercase())),
        inspection(facts).map(|said| said.trim_end_matches('.').to_owned()),
        crit_air(facts).map(|said| said.trim_end_matches('.').to_owned()),
    ];
    let tail = vec![guarantee(facts), seller(facts), Some(farewell(facts, manner))];
    bullets(format!("For sale: {}.", name(facts)), list, tail)
}
