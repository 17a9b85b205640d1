//! The ad in French. A car is feminine.

use chrono::Datelike as _;

use super::words::{MONTHS, capital, counted, de, grouped_siren, listed, month, my, with_unit};
use super::{AdFacts, AdTone, Manner, Seller, bullets, name, paragraphs};

pub fn body(facts: &AdFacts, manner: &Manner<'_>) -> String {
    match manner.tone {
        AdTone::Short => short(facts, manner),
        AdTone::Professional => paragraphs([
            vec![Some(offer(facts, manner)), Some(mileage(facts, manner))],
            vec![engine(facts).map(|e| format!("Motorisation : {e}.")), room(facts)],
            vec![inspection(facts), crit_air(facts)],
            vec![guarantee(facts), seller(facts)],
            vec![Some(farewell(facts, manner))],
        ]),
        AdTone::Friendly => paragraphs([
            vec![Some(greeting(facts, manner)), Some(mileage(facts, manner))],
            vec![
                engine(facts).map(|e| format!("Sous le capot : {e}.")),
                room(facts),
                inspection(facts),
                crit_air(facts),
            ],
            vec![guarantee(facts), seller(facts)],
            vec![Some(friendly_farewell(facts, manner))],
        ]),
    }
}

/// What an ad has to say, whoever writes it: of each the ways to say it.
pub fn duties(facts: &AdFacts) -> Vec<Vec<String>> {
    let km = with_unit(facts.mileage_km, "km");
    let sentences = [inspection(facts), crit_air(facts), guarantee(facts), seller(facts)];
    let mut duties = vec![vec![name(facts)], vec![registered(facts)]];
    duties.push(vec![format!("{km} (non garanti)"), format!("{km} au compteur (non garanti)")]);
    duties.extend(sentences.into_iter().flatten().map(|said| vec![said.trim_end_matches('.').to_owned()]));
    duties
}

/// `mars 2020`, or the year alone.
fn registered(facts: &AdFacts) -> String {
    month(facts.month, &MONTHS).map_or(facts.year.to_string(), |month| format!("{month} {}", facts.year))
}

fn offer(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let (name, when) = (name(facts), registered(facts));
    let ways: &[&str] = if facts.seller.is_dealer() {
        &[
            "Nous proposons à la vente cette {name}, mise en circulation en {when}.",
            "{name}, mise en circulation en {when}.",
        ]
    } else {
        &["À vendre : {name}, mise en circulation en {when}.", "{name}, mise en circulation en {when}."]
    };
    manner.choose(1, ways).replace("{name}", &name).replace("{when}", &when)
}

fn greeting(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let (name, when) = (name(facts), de(&registered(facts)));
    if facts.seller.is_dealer() {
        let ways = ["Bonjour ! Venez découvrir cette {name} {when}.", "Bonjour ! Voici une {name} {when}."];
        return manner.choose(1, &ways).replace("{name}", &name).replace("{when}", &when);
    }
    let ways = ["Bonjour ! Je vends {my} {when}.", "Bonjour ! Je me sépare de {my} {when}."];
    manner.choose(1, &ways).replace("{my}", &my(&name)).replace("{when}", &when)
}

/// Nothing proves a mileage here yet: the words that follow it are the law's (décret n° 78-993, art. 2).
fn mileage(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let ways = ["Kilométrage au compteur : {km} (non garanti).", "Elle affiche {km} au compteur (non garanti)."];
    manner.choose(2, &ways).replace("{km}", &with_unit(facts.mileage_km, "km"))
}

/// `essence, 90 ch DIN, 5 CV fiscaux, boîte manuelle`.
fn engine(facts: &AdFacts) -> Option<String> {
    let parts = [
        facts.fuel.map(|(fr, _)| fr.to_owned()),
        facts.power_hp.map(|hp| with_unit(hp.into(), "ch DIN")),
        facts.fiscal_hp.map(|cv| with_unit(cv.into(), if cv >= 2 { "CV fiscaux" } else { "CV fiscal" })),
        facts.gearbox.map(|(fr, _)| format!("boîte {fr}")),
    ];
    listed(parts)
}

fn room(facts: &AdFacts) -> Option<String> {
    let parts = [
        facts.doors.map(|n| counted(n, "porte")),
        facts.seats.map(|n| counted(n, "place")),
        facts.colour.as_ref().map(|colour| format!("couleur {}", colour.to_lowercase())),
    ];
    listed(parts).map(|said| format!("{}.", capital(&said)))
}

fn inspection(facts: &AdFacts) -> Option<String> {
    let day = facts.inspected_on?;
    let month = month(Some(day.month()), &MONTHS)?;
    let number = if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
    let retest = match facts.inspection_retest {
        Some(true) => ", contre-visite prescrite",
        Some(false) => ", sans contre-visite",
        None => "",
    };
    Some(format!("Contrôle technique du {number} {month} {}{retest}.", day.year()))
}

fn crit_air(facts: &AdFacts) -> Option<String> {
    Some(match facts.crit_air.as_deref()? {
        "none" => "Non classée Crit'Air.".to_owned(),
        "e" => "Vignette Crit'Air électrique.".to_owned(),
        class => format!("Vignette Crit'Air {class}."),
    })
}

/// Of professionals only: code de la consommation, art. L. 217-3 and L. 217-7.
fn guarantee(facts: &AdFacts) -> Option<String> {
    let said = "Garantie légale de conformité de deux ans ; un défaut qui apparaît dans les douze mois est présumé antérieur à la vente.";
    facts.seller.is_dealer().then(|| said.to_owned())
}

fn seller(facts: &AdFacts) -> Option<String> {
    let Seller::Dealer { name, siren } = &facts.seller else { return None };
    let siren = siren.as_ref().map_or(String::new(), |digits| format!(", SIREN {}", grouped_siren(digits)));
    Some(format!("Vendue par {}{siren}.", name.trim()))
}

fn farewell(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let ways: &[&str] = if facts.seller.is_dealer() {
        &[
            "Contactez-nous pour tout renseignement ou pour convenir d'un essai.",
            "Nous restons à votre disposition pour une visite ou un essai.",
        ]
    } else {
        &["Contactez-moi pour toute question ou pour convenir d'une visite.", "Visite et essai sur rendez-vous."]
    };
    manner.choose(3, ways).to_owned()
}

fn friendly_farewell(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let ways: &[&str] = if facts.seller.is_dealer() {
        &[
            "Une question, une envie d'essai ? Écrivez-nous !",
            "Passez nous voir : nous prendrons le temps de vous la montrer.",
        ]
    } else {
        &["Une question, une envie d'essai ? Écrivez-moi !", "Venez la voir quand vous voulez, sur rendez-vous."]
    };
    manner.choose(3, ways).to_owned()
}

fn short(facts: &AdFacts, manner: &Manner<'_>) -> String {
    let list = [
        Some(format!("Première mise en circulation : {}", registered(facts))),
        Some(format!("Kilométrage au compteur : {} (non garanti)", with_unit(facts.mileage_km, "km"))),
        facts.fuel.map(|(fr, _)| format!("Énergie : {fr}")),
        facts.gearbox.map(|(fr, _)| format!("Boîte de vitesses : {fr}")),
        facts.power_hp.map(|hp| format!("Puissance : {}", with_unit(hp.into(), "ch DIN"))),
        facts.fiscal_hp.map(|cv| format!("Puissance fiscale : {}", with_unit(cv.into(), "CV"))),
        facts.doors.map(|n| format!("Nombre de portes : {n}")),
        facts.seats.map(|n| format!("Nombre de places : {n}")),
        facts.colour.as_ref().map(|colour| format!("Couleur : {}", colour.to_lowercase())),
        inspection(facts).map(|said| said.trim_end_matches('.').to_owned()),
        crit_air(facts).map(|said| said.trim_end_matches('.').to_owned()),
    ];
    let tail = vec![guarantee(facts), seller(facts), Some(farewell(facts, manner))];
    bullets(format!("À vendre : {}.", name(facts)), list, tail)
}
