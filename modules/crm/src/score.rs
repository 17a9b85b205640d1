//! How likely a lead is to lead somewhere: named factors with points each, a hundred in all.

use chrono::{DateTime, Duration, Utc};

use crate::model::{Contact, Lead};

/// What a factor adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    pub name: &'static str,
    pub points: i32,
    pub most: i32,
    pub fr: &'static str,
    pub en: &'static str,
}

/// Whether the car a lead is about can still be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarState {
    /// The lead is about no car we know.
    Unknown,
    ForSale,
    Gone,
}

/// Shortest message that says something.
const TELLING: usize = 20;

pub fn factors(lead: &Lead, contact: Option<&Contact>, car: CarState, now: DateTime<Utc>) -> Vec<Factor> {
    let factor = |name, (points, most), fr, en| Factor { name, points, most, fr, en };
    let when = |is: bool, points| if is { points } else { 0 };
    let has = |is: Option<bool>| is.unwrap_or_default();
    let phone = when(has(contact.map(|contact| !contact.phones.is_empty())), 12);
    let mail = when(has(contact.map(|contact| !contact.emails.is_empty())), 8);
    let name = when(has(contact.map(|contact| contact.name.is_some())), 5);
    let words = lead.message.as_deref().map_or(0, |text| text.chars().filter(|c| c.is_alphanumeric()).count());
    let age = now - lead.last_touch_at;
    let recency = match age {
        age if age <= Duration::days(2) => 20,
        age if age <= Duration::days(7) => 15,
        age if age <= Duration::days(30) => 8,
        _ => 0,
    };
    let waited = lead.first_response_at.map(|at| at - lead.received_at);
    let response = match waited {
        Some(waited) if waited <= Duration::hours(1) => 15,
        Some(waited) if waited <= Duration::days(1) => 10,
        Some(_) => 5,
        None => 0,
    };
    let for_sale = match car {
        CarState::ForSale => 20,
        CarState::Unknown => 5,
        CarState::Gone => 0,
    };
    vec![
        factor(
            "COMPLETENESS",
            (phone + mail + name, 25),
            "Téléphone 12, e-mail 8, nom 5.",
            "Telephone 12, e-mail 8, name 5.",
        ),
        factor(
            "MESSAGE",
            (when(words >= TELLING, 10), 10),
            "Un message d'au moins vingt lettres.",
            "A message of at least twenty letters.",
        ),
        factor(
            "CAR_FOR_SALE",
            (for_sale, 20),
            "La voiture est encore à vendre 20, inconnue 5, partie 0.",
            "The car is still for sale 20, not known 5, gone 0.",
        ),
        factor(
            "RECENCY",
            (recency, 20),
            "Dernier signe de la personne : deux jours 20, une semaine 15, un mois 8.",
            "Last sign of the person: two days 20, a week 15, a month 8.",
        ),
        factor(
            "RETURNED",
            (when(lead.touches > 1, 10), 10),
            "La personne est revenue vers vous.",
            "The person came back to you.",
        ),
        factor(
            "RESPONSE",
            (response, 15),
            "Votre première réponse : dans l'heure 15, dans la journée 10, plus tard 5.",
            "Your first answer: within an hour 15, within a day 10, later 5.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn lead(now: DateTime<Utc>) -> Lead {
        Lead {
            id: Uuid::now_v7(),
            org_id: Uuid::nil(),
            contact_id: None,
            listing_id: None,
            vehicle_id: None,
            car_text: None,
            source: "api".to_owned(),
            message: None,
            stage: "NEW".to_owned(),
            assigned_to: None,
            value_eur: None,
            touches: 1,
            received_at: now,
            last_touch_at: now,
            first_response_at: None,
            closed_at: None,
            lost_reason: None,
            created_by: None,
            updated_at: now,
        }
    }

    #[test]
    fn a_hundred_points_are_all_there_is() {
        let now = Utc::now();
        let contact = Contact {
            id: Uuid::nil(),
            org_id: Uuid::nil(),
            name: Some("Jean".to_owned()),
            emails: vec!["j@example.fr".to_owned()],
            phones: vec!["+33612345678".to_owned()],
            postal_code: None,
            language: "fr".to_owned(),
            created_at: now,
            updated_at: now,
            last_contact_at: now,
        };
        let best = Lead {
            message: Some("Bonjour, est-elle encore disponible ?".to_owned()),
            touches: 2,
            first_response_at: Some(now),
            ..lead(now)
        };
        let factors_of = |lead: &Lead, car| factors(lead, Some(&contact), car, now);
        let best = factors_of(&best, CarState::ForSale);
        assert!(best.iter().all(|factor| factor.points == factor.most), "{best:?}");
        assert_eq!(best.iter().map(|factor| factor.most).sum::<i32>(), 100);
        let old = Lead { last_touch_at: now - Duration::days(40), ..lead(now) };
        let points: i32 = factors(&old, None, CarState::Gone, now).iter().map(|factor| factor.points).sum();
        assert_eq!(points, 0);
    }
}
