//! Leads from a table: all of it or nothing, and nothing at all to try it out.

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Europe::Paris;
use keroxio_core::table::{LineError, Row, Table, day, number, unaccented};
use keroxio_core::{Actor, App, Error, Result, Right, Tx};

use crate::intake::{self, Incoming};
use crate::kinds::LeadSource;
use crate::model::About;
use crate::reach::{self, LONGEST_MESSAGE, Person};

/// Lines of one table.
pub const MOST_ROWS: usize = 2_000;

const COLUMNS: [(&str, &[&str]); 10] = [
    ("name", &["nom", "nom_complet", "client", "contact", "full_name"]),
    ("first_name", &["prenom"]),
    ("email", &["e_mail", "mail", "courriel", "adresse_e_mail", "adresse_mail"]),
    ("phone", &["telephone", "tel", "portable", "mobile", "numero", "numero_de_telephone"]),
    ("postal_code", &["code_postal", "cp", "zip"]),
    ("message", &["demande", "commentaire", "commentaires", "comments", "note"]),
    ("received_on", &["date", "recu_le", "date_de_reception", "date_de_contact", "received_at", "cree_le"]),
    ("source", &["origine", "provenance"]),
    ("reference", &["stock_number", "ref", "numero_de_stock", "reference_vehicule"]),
    ("value", &["valeur", "prix", "montant", "price"]),
];

/// How a table is taken.
#[derive(Debug, Clone, Copy)]
pub struct How {
    pub dry_run: bool,
    pub skip_errors: bool,
}

/// What became of a table; of a dry run, what would.
pub struct Report {
    pub lines: usize,
    pub created: usize,
    /// Lines about leads that were there.
    pub again: usize,
    pub errors: Vec<LineError>,
    pub is_saved: bool,
}

/// Takes the leads of a table in. What was imported is told to nobody: it is no news.
pub async fn import(app: &App, actor: &Actor, bytes: Vec<u8>, how: How) -> Result<Report> {
    actor.may(Right::Publish)?;
    let read = move || {
        let mut table = Table::read(&bytes, MOST_ROWS)?;
        table.rename(&COLUMNS);
        Ok::<_, Error>(table)
    };
    let table = tokio::task::spawn_blocking(read).await.map_err(Error::internal)??;
    if table.require(&["email"]).is_err() {
        table.require(&["phone"])?;
    }
    let mut tx = app.begin().await?;
    let mut cars = HashMap::new();
    let (mut taken, mut errors, mut lines) = (Vec::new(), Vec::new(), 0);
    for row in table.rows() {
        lines += 1;
        match line(&mut tx, actor, &row, &mut cars).await? {
            Ok(incoming) => taken.push(incoming),
            Err(error) => errors.push(error),
        }
    }
    let mut report = Report { lines, created: 0, again: 0, errors, is_saved: false };
    if !how.skip_errors && !report.errors.is_empty() {
        return Ok(report);
    }
    for incoming in taken {
        let received = intake::receive(&mut tx, incoming).await?;
        *(if received.is_again { &mut report.again } else { &mut report.created }) += 1;
    }
    // A dry run does it all, and lets it fall: what it says is what will be.
    if !how.dry_run && report.created + report.again > 0 {
        tx.commit().await?;
        report.is_saved = true;
    }
    Ok(report)
}

type Cars = HashMap<String, Option<(About, Option<i32>)>>;

async fn line(
    tx: &mut Tx,
    actor: &Actor,
    row: &Row<'_>,
    cars: &mut Cars,
) -> Result<std::result::Result<Incoming, LineError>> {
    let parsed = match plain(row, tx.app().now()) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    let (about, price) = match row.get("reference").map(reach::line) {
        None => (About::default(), None),
        Some(reference) => {
            if !cars.contains_key(&reference) {
                let car = keroxio_vehicle::service::by_stock_number(tx, actor.org_id, &reference).await?;
                let about = match car {
                    Some(car) => Some(intake::about(tx, actor, None, Some(car.id)).await?),
                    None => None,
                };
                cars.insert(reference.clone(), about);
            }
            match cars.get(&reference).cloned().flatten() {
                Some(known) => known,
                None => {
                    return Ok(Err(LineError::new(
                        row.line,
                        "reference",
                        "Aucune voiture de votre stock n'a cette référence.",
                        "No car of your stock has this reference.",
                    )));
                }
            }
        }
    };
    let Plain { person, message, received_at, source, value } = parsed;
    Ok(Ok(Incoming {
        org_id: actor.org_id,
        source,
        person,
        language: None,
        message,
        about,
        value_eur: value.or(price),
        remark: None,
        received_at,
        external_id: None,
        consents: Vec::new(),
        by: Some(actor.user_id),
        is_quiet: true,
    }))
}

struct Plain {
    person: Person,
    message: Option<String>,
    received_at: DateTime<Utc>,
    source: LeadSource,
    value: Option<i32>,
}

fn plain(row: &Row<'_>, now: DateTime<Utc>) -> std::result::Result<Plain, LineError> {
    let wrong = |column, fr: &str, en: &str| LineError::new(row.line, column, fr, en);
    let given = |name| row.get(name).map(str::to_owned);
    let name = [row.get("first_name"), row.get("name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    for (column, is_good) in [("email", reach::email as fn(&str) -> _), ("phone", reach::phone)] {
        if row.get(column).is_some_and(|text| is_good(text).is_none()) {
            return Err(match column {
                "email" => wrong(column, "Cette adresse e-mail n'en est pas une.", "This is no e-mail address."),
                _ => wrong(column, "Ce numéro de téléphone n'en est pas un.", "This is no telephone number."),
            });
        }
    }
    let person = Person::typed(Some(name), given("email"), given("phone"), given("postal_code"))
        .map_err(|e| LineError::new(row.line, "email", e.message_fr(), e.message_en()))?;
    let message = row.get("message").map(reach::message).filter(|text| !text.is_empty());
    if message.as_ref().is_some_and(|text| text.chars().count() > LONGEST_MESSAGE) {
        return Err(wrong("message", "4 000 caractères au plus.", "At most 4,000 characters."));
    }
    let received_at = match row.get("received_on") {
        None => now,
        Some(text) => moment(text).filter(|at| *at <= now).ok_or_else(|| {
            wrong("received_on", "Une date passée, comme 2026-03-14 ou 14/03/2026.", "A past day, such as 2026-03-14.")
        })?,
    };
    if received_at < now - Duration::days(3 * 365) {
        return Err(wrong(
            "received_on",
            "Plus de trois ans sans nouvelles : cette personne ne peut plus figurer dans un fichier.",
            "More than three years without a sign: this person may no longer be kept.",
        ));
    }
    let source = match row.get("source") {
        None => LeadSource::Csv,
        Some(text) => source(text),
    };
    let value = match row.get("value") {
        None => None,
        Some(text) => {
            let euros = number(text).map(f64::round).filter(|euros| (0.0..=10_000_000.0).contains(euros));
            Some(euros.ok_or_else(|| wrong("value", "Un montant en euros.", "An amount in euros."))? as i32)
        }
    };
    Ok(Plain { person, message, received_at, source, value })
}

/// Where a lead came from before it came into the table, as far as the table says so.
fn source(text: &str) -> LeadSource {
    let plain: String = unaccented(text).chars().filter(|c| c.is_alphanumeric()).collect();
    match plain.as_str() {
        "leboncoin" | "lbc" => LeadSource::EmailLeboncoin,
        "lacentrale" => LeadSource::EmailLacentrale,
        "telephone" | "appel" | "phone" => LeadSource::Phone,
        "passage" | "visite" | "walkin" => LeadSource::WalkIn,
        _ => LeadSource::Csv,
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let time = ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok())?;
    let local = Paris.from_local_datetime(&day(date)?.and_time(time)).earliest()?;
    Some(local.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_on_the_clocks_of_france() {
        let at = |text| moment(text).map(|at| at.to_rfc3339());
        assert_eq!(at("14/03/2026").as_deref(), Some("2026-03-13T23:00:00+00:00"));
        assert_eq!(at("2026-07-14 09:30").as_deref(), Some("2026-07-14T07:30:00+00:00"));
        assert_eq!(at("2026-07-14T09:30:00Z").as_deref(), Some("2026-07-14T09:30:00+00:00"));
        assert_eq!(at("hier"), None);
        assert_eq!((source("Le Bon Coin"), source("Salon")), (LeadSource::EmailLeboncoin, LeadSource::Csv));
    }
}
