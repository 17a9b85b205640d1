//! One door behind all doors: whoever asks about a car becomes a contact and a lead, or is known already.

use chrono::{DateTime, Duration, Utc};
use keroxio_core::{Actor, Result, Tx};
use keroxio_notification::{Notice, NotificationKind};
use serde_json::json;
use uuid::Uuid;

use crate::events::LeadReceived;
use crate::kinds::{ContactConsentPurpose, LeadSource};
use crate::model::{self, About, Consent, Contact, Interaction, Lead};
use crate::reach::Person;
use crate::stages;

/// Within so long the same person about the same car is the same lead (C.10).
pub const WINDOW: Duration = Duration::days(30);
/// Addresses and numbers of one person.
const MOST_WAYS: usize = 10;

/// A message on its way in.
pub struct Incoming {
    pub org_id: Uuid,
    pub source: LeadSource,
    pub person: Person,
    pub language: Option<String>,
    pub message: Option<String>,
    pub about: About,
    pub value_eur: Option<i32>,
    /// What is to be known of how it came.
    pub remark: Option<String>,
    pub received_at: DateTime<Utc>,
    /// What it is known by, should it come again.
    pub external_id: Option<String>,
    pub consents: Vec<(ContactConsentPurpose, String)>,
    /// Whoever of the organization brings it.
    pub by: Option<Uuid>,
    /// Nobody is told: it is old.
    pub is_quiet: bool,
}

/// What became of a message.
pub struct Received {
    pub lead: Lead,
    /// The lead was there before.
    pub is_again: bool,
    /// The very message was there before; nothing was done.
    pub is_repeated: bool,
}

/// Takes a message in.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn receive(tx: &mut Tx, incoming: Incoming) -> Result<Received> {
    let org = incoming.org_id;
    model::lock_intake(tx, org).await?;
    if let Some(external) = &incoming.external_id
        && let Some(known) = model::lead_of_external(tx, org, external).await?
        && let Some(lead) = model::lead(tx, org, known).await?
    {
        return Ok(Received { lead, is_again: true, is_repeated: true });
    }
    let contact = meet(tx, &incoming).await?;
    let at = incoming.received_at;
    let known = match &contact {
        Some(contact) => model::recent_lead(tx, (org, contact.id), &incoming.about, (at - WINDOW, at + WINDOW)).await?,
        None => None,
    };
    let is_again = known.is_some();
    let lead = match known {
        Some(lead) => touch(tx, lead, &incoming).await?,
        None => begin(tx, &incoming, contact.as_ref()).await?,
    };
    let interaction = Interaction {
        id: Uuid::now_v7(),
        org_id: org,
        lead_id: lead.id,
        kind: incoming.source.first_kind().name().to_owned(),
        direction: Some("in".to_owned()),
        body: incoming.message,
        remark: incoming.remark,
        happened_at: at,
        by_user: incoming.by,
        external_id: incoming.external_id,
    };
    model::insert_interaction(tx, &interaction).await?;
    if let Some(contact) = &contact {
        for (purpose, version) in incoming.consents {
            consent(tx, contact, purpose, version, incoming.source.name()).await?;
        }
    }
    if !incoming.is_quiet {
        tell(tx, &lead, is_again).await?;
    }
    Ok(Received { lead, is_again, is_repeated: false })
}

/// The contact behind a message, made or completed; none where nobody can be reached.
async fn meet(tx: &mut Tx, incoming: &Incoming) -> Result<Option<Contact>> {
    let person = &incoming.person;
    if !person.is_reachable() {
        return Ok(None);
    }
    let (email, phone) = (person.email.as_deref(), person.phone.as_deref());
    let mut known = model::contact_reached_by(tx, incoming.org_id, email, phone).await?;
    // Of two, the one of this address: a household shares a telephone sooner than a mailbox.
    let by_email = known.iter().position(|c| email.is_some_and(|email| c.emails.iter().any(|e| e == email)));
    let now = tx.app().now();
    if known.is_empty() {
        let contact = Contact {
            id: Uuid::now_v7(),
            org_id: incoming.org_id,
            name: person.name.clone(),
            emails: person.email.iter().cloned().collect(),
            phones: person.phone.iter().cloned().collect(),
            postal_code: person.postal_code.clone(),
            language: incoming.language.clone().unwrap_or_else(|| "fr".to_owned()),
            created_at: now,
            updated_at: now,
            last_contact_at: incoming.received_at,
        };
        model::insert_contact(tx, &contact).await?;
        return Ok(Some(contact));
    }
    let mut contact = known.swap_remove(by_email.unwrap_or(0));
    // What is another's already stays theirs.
    let is_theirs = |way: &str| known.iter().any(|c| c.emails.iter().chain(&c.phones).any(|w| w == way));
    add(&mut contact.emails, email.filter(|way| !is_theirs(way)));
    add(&mut contact.phones, phone.filter(|way| !is_theirs(way)));
    contact.name = contact.name.or_else(|| person.name.clone());
    contact.postal_code = contact.postal_code.or_else(|| person.postal_code.clone());
    contact.last_contact_at = contact.last_contact_at.max(incoming.received_at);
    contact.updated_at = now;
    model::save_contact(tx, &contact).await?;
    Ok(Some(contact))
}

fn add(ways: &mut Vec<String>, way: Option<&str>) {
    if let Some(way) = way.filter(|way| ways.len() < MOST_WAYS && !ways.iter().any(|known| known == way)) {
        ways.push(way.to_owned());
    }
}

async fn touch(tx: &mut Tx, mut lead: Lead, incoming: &Incoming) -> Result<Lead> {
    lead.touches = lead.touches.saturating_add(1);
    lead.last_touch_at = lead.last_touch_at.max(incoming.received_at);
    lead.message = lead.message.or_else(|| incoming.message.clone());
    lead.listing_id = lead.listing_id.or(incoming.about.listing_id);
    lead.updated_at = tx.app().now();
    model::save_lead(tx, &lead).await?;
    Ok(lead)
}

async fn begin(tx: &mut Tx, incoming: &Incoming, contact: Option<&Contact>) -> Result<Lead> {
    let lead = Lead {
        id: Uuid::now_v7(),
        org_id: incoming.org_id,
        contact_id: contact.map(|contact| contact.id),
        listing_id: incoming.about.listing_id,
        vehicle_id: incoming.about.vehicle_id,
        car_text: incoming.about.car_text.clone(),
        source: incoming.source.name().to_owned(),
        message: incoming.message.clone(),
        stage: stages::NEW.to_owned(),
        assigned_to: None,
        value_eur: incoming.value_eur,
        touches: 1,
        received_at: incoming.received_at,
        last_touch_at: incoming.received_at,
        first_response_at: None,
        closed_at: None,
        lost_reason: None,
        created_by: incoming.by,
        updated_at: tx.app().now(),
    };
    model::insert_lead(tx, &lead).await?;
    Ok(lead)
}

/// Notes that somebody agrees to a text of this version; what they agreed to before for the same ends.
pub async fn consent(
    tx: &mut Tx,
    contact: &Contact,
    purpose: ContactConsentPurpose,
    version: String,
    source: &str,
) -> Result<Consent> {
    let now = tx.app().now();
    model::withdraw_consent(tx, contact.id, purpose.name(), now).await?;
    let consent = Consent {
        id: Uuid::now_v7(),
        org_id: contact.org_id,
        contact_id: contact.id,
        purpose: purpose.name().to_owned(),
        version,
        source: source.to_owned(),
        given_at: now,
        withdrawn_at: None,
    };
    model::insert_consent(tx, &consent).await?;
    Ok(consent)
}

/// Tells the organization. Notices outlive what is forgotten of people, so they say nothing of them.
async fn tell(tx: &mut Tx, lead: &Lead, is_again: bool) -> Result<()> {
    let event = LeadReceived {
        lead_id: lead.id,
        org_id: lead.org_id,
        source: lead.source.clone(),
        is_again,
        received_at: lead.received_at,
    };
    tx.announce(&event).await?;
    let (fr, en) = match (is_again, lead.contact_id) {
        (true, _) => ("Nouveau message d'un contact", "Another message from a contact"),
        (false, Some(_)) => ("Nouveau contact", "New contact"),
        (false, None) => ("Message reçu, à lire par vous-même", "A message came, to be read by yourself"),
    };
    let notice = Notice {
        org_id: lead.org_id,
        kind: NotificationKind::LeadReceived,
        title_fr: fr.to_owned(),
        title_en: en.to_owned(),
        subject_id: Some(lead.id),
    };
    // Its letter is written by a job, to those whose lead it is.
    keroxio_notification::service::show(tx, notice).await?;
    changed(tx, lead);
    Ok(())
}

pub fn topic(org: Uuid) -> String {
    format!("leads:{org}")
}

/// Wakes whoever follows the leads of an organization.
pub fn changed(tx: &mut Tx, lead: &Lead) {
    tx.publish(topic(lead.org_id), json!({ "id": lead.id }));
}

/// The car a caller names, with its ad and what it is offered for.
pub async fn about(
    tx: &mut Tx,
    actor: &Actor,
    listing: Option<Uuid>,
    vehicle: Option<Uuid>,
) -> Result<(About, Option<i32>)> {
    about_in(tx, actor.org_id, listing, vehicle).await
}

/// Which car somebody means who answers and names none: the one of their last lead.
pub async fn last_about(tx: &mut Tx, org: Uuid, person: &Person, at: DateTime<Utc>) -> Result<About> {
    let known = model::contact_reached_by(tx, org, person.email.as_deref(), person.phone.as_deref()).await?;
    let known: Vec<Uuid> = known.into_iter().map(|contact| contact.id).collect();
    let last = model::last_lead(tx, org, &known, at - WINDOW).await?;
    Ok(last.map_or_else(About::default, |lead| About {
        listing_id: lead.listing_id,
        vehicle_id: lead.vehicle_id,
        car_text: lead.car_text,
    }))
}

pub async fn about_in(
    tx: &mut Tx,
    org: Uuid,
    listing: Option<Uuid>,
    vehicle: Option<Uuid>,
) -> Result<(About, Option<i32>)> {
    let (listing, vehicle) = match (listing, vehicle) {
        (Some(listing), _) => {
            let ad = keroxio_listing::service::get_in(tx, org, listing).await?;
            (Some((ad.id, ad.price_eur)), ad.vehicle_id)
        }
        (None, Some(vehicle)) => {
            let ad = keroxio_listing::service::current_of_vehicle(tx, org, vehicle).await?;
            (ad.map(|ad| (ad.id, ad.price_eur)), vehicle)
        }
        (None, None) => return Ok((About::default(), None)),
    };
    let car = keroxio_vehicle::service::get(tx, org, vehicle).await?;
    let price = listing.and_then(|(_, price)| price).or(car.asking_price_eur);
    Ok((About { listing_id: listing.map(|(id, _)| id), vehicle_id: Some(car.id), car_text: None }, price))
}
