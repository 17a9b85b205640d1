//! The way of a lead through the pipeline, as each organization wants it.

use keroxio_core::{Actor, App, Error, Result, Right};
use uuid::Uuid;

use crate::model::{self, Stage};
use crate::{error, reach};

/// Where every lead begins, and where it ends.
pub const NEW: &str = "NEW";
pub const WON: &str = "WON";
pub const LOST: &str = "LOST";
/// Most stages of an organization.
const MOST: usize = 20;

const USUAL: [(&str, &str, &str, i32); 7] = [
    (NEW, "Nouveau", "New", 10),
    ("CONTACTED", "Contacté", "Contacted", 20),
    ("APPOINTMENT", "Rendez-vous", "Appointment", 40),
    ("TEST_DRIVE", "Essai", "Test drive", 60),
    ("NEGOTIATION", "Négociation", "Negotiation", 75),
    (WON, "Vendu", "Won", 100),
    (LOST, "Perdu", "Lost", 0),
];

pub fn is_end(key: &str) -> bool {
    key == WON || key == LOST
}

/// The stages of an organization that has said nothing of them.
pub fn usual(org_id: Uuid) -> Vec<Stage> {
    USUAL
        .iter()
        .zip(0..)
        .map(|((key, fr, en, probability), position)| Stage {
            org_id,
            key: (*key).to_owned(),
            position,
            label_fr: (*fr).to_owned(),
            label_en: (*en).to_owned(),
            probability: *probability,
        })
        .collect()
}

pub async fn of(conn: &mut diesel_async::AsyncPgConnection, org: Uuid) -> Result<Vec<Stage>> {
    let own = model::stages(conn, org).await?;
    Ok(if own.is_empty() { usual(org) } else { own })
}

/// One stage of an organization.
///
/// # Errors
/// `STAGE_UNKNOWN`, naming those there are.
pub fn find<'a>(stages: &'a [Stage], key: &str) -> Result<&'a Stage> {
    stages.iter().find(|stage| stage.key == key).ok_or_else(|| {
        let keys: Vec<&str> = stages.iter().map(|stage| stage.key.as_str()).collect();
        error::stage(&reach::cut(key, 40), &keys)
    })
}

/// Puts the stages of an organization in place of those it had, in this order.
pub async fn set(app: &App, actor: &Actor, wanted: Vec<Stage>) -> Result<Vec<Stage>> {
    actor.may(Right::Settings)?;
    check(&wanted)?;
    let mut tx = app.begin().await?;
    model::lock_intake(&mut tx, actor.org_id).await?;
    let kept: Vec<&str> = wanted.iter().map(|stage| stage.key.as_str()).collect();
    if let Some(used) = model::stage_in_use_but(&mut tx, actor.org_id, &kept).await? {
        return Err(error::stage_in_use(&used));
    }
    model::replace_stages(&mut tx, actor.org_id, &wanted).await?;
    tx.commit().await?;
    Ok(wanted)
}

fn check(wanted: &[Stage]) -> Result<()> {
    let is_key = |key: &str| {
        (1..=30).contains(&key.len()) && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let is_label = |label: &str| (1..=60).contains(&label.chars().count());
    for (at, stage) in wanted.iter().enumerate() {
        let is_twice = wanted.iter().skip(at + 1).any(|other| other.key == stage.key);
        if is_twice || !is_key(&stage.key) || !is_label(&stage.label_fr) || !is_label(&stage.label_en) {
            return Err(Error::bad_input(
                format!(
                    "Étape {} : une clé unique de capitales, chiffres et _, et des noms de 60 caractères au plus.",
                    at + 1
                ),
                format!(
                    "Stage {}: a key of its own of capitals, digits and _, and names of at most 60 characters.",
                    at + 1
                ),
            ));
        }
        if !(0..=100).contains(&stage.probability) {
            return Err(Error::bad_input(
                format!("Étape {} : une probabilité de 0 à 100.", stage.key),
                format!("Stage {}: a probability from 0 to 100.", stage.key),
            ));
        }
    }
    let probability = |key: &str| wanted.iter().find(|stage| stage.key == key).map(|stage| stage.probability);
    let has_ends = probability(WON) == Some(100) && probability(LOST) == Some(0) && probability(NEW).is_some();
    let begins = wanted.first().is_some_and(|stage| stage.key == NEW);
    if has_ends && begins && wanted.len() <= MOST {
        return Ok(());
    }
    Err(Error::bad_input(
        format!("Les étapes commencent par NEW, contiennent WON (100 %) et LOST (0 %), et sont {MOST} au plus."),
        format!("Stages begin with NEW, hold WON (100 %) and LOST (0 %), and are at most {MOST}."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_stages_are_what_is_asked_of_any() {
        let usual = usual(Uuid::nil());
        assert!(check(&usual).is_ok());
        assert!(check(&usual[1..]).is_err() && check(&usual[..6]).is_err());
        let mut twice = usual.clone();
        twice[1].key = NEW.to_owned();
        assert!(check(&twice).is_err());
        let mut wrong = usual;
        wrong[5].probability = 90;
        assert!(check(&wrong).is_err());
    }
}
