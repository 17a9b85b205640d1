//! What members and their programs do with leads.

use chrono::{DateTime, Duration, Utc};
use keroxio_core::{Actor, App, Credential, Error, Page, Result, Right, Tx};
use keroxio_email::{Envelope, Letter, Locale};
use uuid::Uuid;

use crate::events::LeadMoved;
use crate::intake::{self, Incoming, Received};
use crate::kinds::{ContactConsentPurpose, LeadDirection, LeadInteractionKind, LeadSource, LeadTaskState};
use crate::model::{self, Consent, Contact, ContactSearch, Figures, Interaction, Lead, LeadSearch, Move, Stage, Task};
use crate::reach::{self, LONGEST_MESSAGE, Person};
use crate::settings::Inbound;
use crate::{aliases, error, stages};

/// Characters of a reason, a title and a search.
const LONGEST_LINE: usize = 200;
/// What a car may be worth, in euros.
const MOST_EUR: i32 = 10_000_000;
/// Longest time that statistics look at.
const MOST_DAYS: i64 = 3 * 366;

/// A new lead as a member or a program gives it.
pub struct NewLead {
    pub person: Person,
    pub language: Option<String>,
    pub message: Option<String>,
    pub listing_id: Option<Uuid>,
    pub vehicle_id: Option<Uuid>,
    pub source: Option<LeadSource>,
    pub value_eur: Option<i32>,
    pub received_at: Option<DateTime<Utc>>,
    pub consents: Vec<(ContactConsentPurpose, String)>,
}

fn text(given: &str, most: usize, what: (&str, &str)) -> Result<String> {
    let text = reach::message(given);
    if text.chars().count() > most { Err(error::too_long(what, most)) } else { Ok(text) }
}

fn needed(given: &str, most: usize, what: (&str, &str)) -> Result<String> {
    let text = text(given, most, what)?;
    if text.is_empty() {
        return Err(Error::bad_input(format!("{} : il manque.", what.0), format!("{}: it is missing.", what.1)));
    }
    Ok(text)
}

fn worth(value: Option<i32>) -> Result<Option<i32>> {
    if value.is_some_and(|value| !(0..=MOST_EUR).contains(&value)) {
        return Err(Error::bad_input("Une valeur de 0 à 10 000 000 euros.", "A value from 0 to 10,000,000 euros."));
    }
    Ok(value)
}

/// A moment that has been, and may still be kept.
fn past(app: &App, at: Option<DateTime<Utc>>) -> Result<DateTime<Utc>> {
    let now = app.now();
    match at {
        Some(at) if at > now + Duration::minutes(5) || at < now - Duration::days(3 * 365) => Err(Error::bad_input(
            "La date doit être passée, et remonter à trois ans au plus : au-delà, rien ne se garde.",
            "The date has to be past, by three years at most: beyond that nothing may be kept.",
        )),
        Some(at) => Ok(at.min(now)),
        None => Ok(now),
    }
}

pub async fn create(app: &App, actor: &Actor, new: NewLead) -> Result<Received> {
    actor.may(Right::Publish)?;
    let message = new.message.map(|given| text(&given, LONGEST_MESSAGE, ("Message", "Message"))).transpose()?;
    let received_at = past(app, new.received_at)?;
    let value = worth(new.value_eur)?;
    let consents = new.consents.into_iter();
    let consents = consents.map(|(purpose, version)| Ok((purpose, version_of(&version)?))).collect::<Result<_>>()?;
    let is_program = matches!(actor.credential, Credential::ApiKey(_));
    let usual = if is_program { LeadSource::Api } else { LeadSource::Phone };
    let mut tx = app.begin().await?;
    let (about, price) = intake::about(&mut tx, actor, new.listing_id, new.vehicle_id).await?;
    let incoming = Incoming {
        org_id: actor.org_id,
        source: new.source.unwrap_or(usual),
        person: new.person,
        language: new.language,
        message: message.filter(|message| !message.is_empty()),
        about,
        value_eur: value.or(price),
        remark: None,
        received_at,
        external_id: None,
        consents,
        by: Some(actor.user_id),
        is_quiet: false,
    };
    let received = intake::receive(&mut tx, incoming).await?;
    tx.commit().await?;
    Ok(received)
}

pub async fn get(app: &App, actor: &Actor, id: Uuid) -> Result<Lead> {
    actor.may(Right::Read)?;
    model::lead(&mut *app.conn().await?, actor.org_id, id).await?.ok_or_else(error::lead)
}

pub async fn list(app: &App, actor: &Actor, search: &LeadSearch, page: Page) -> Result<Vec<Lead>> {
    actor.may(Right::Read)?;
    Ok(model::leads(&mut *app.conn().await?, actor.org_id, search, page).await?)
}

pub async fn stages(app: &App, actor: &Actor) -> Result<Vec<Stage>> {
    actor.may(Right::Read)?;
    stages::of(&mut *app.conn().await?, actor.org_id).await
}

/// A column of the board.
pub struct Column {
    pub stage: Stage,
    pub leads: Vec<Lead>,
    pub count: i64,
    pub value_eur: i64,
}

pub async fn board(app: &App, actor: &Actor, most: i64) -> Result<Vec<Column>> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    let stages = stages::of(&mut conn, actor.org_id).await?;
    let totals = model::totals(&mut conn, actor.org_id).await?;
    let mut leads = model::latest_by_stage(&mut conn, actor.org_id, most).await?;
    let column = |stage: Stage| {
        let (here, elsewhere) = std::mem::take(&mut leads).into_iter().partition(|lead| lead.stage == stage.key);
        leads = elsewhere;
        let total = totals.iter().find(|(key, ..)| *key == stage.key);
        let (count, value_eur) = total.map_or((0, 0), |(_, count, value)| (*count, *value));
        Column { stage, leads: here, count, value_eur }
    };
    Ok(stages.into_iter().map(column).collect())
}

pub async fn statistics(
    app: &App,
    actor: &Actor,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    period: &str,
) -> Result<Vec<Figures>> {
    actor.may(Right::Read)?;
    if to <= from || to - from > Duration::days(MOST_DAYS) {
        return Err(Error::bad_input(
            "Donnez from avant to, trois ans d'écart au plus.",
            "Give from before to, at most three years apart.",
        ));
    }
    Ok(model::figures(&mut *app.conn().await?, actor.org_id, (from, to), period).await?)
}

async fn locked(tx: &mut Tx, actor: &Actor, id: Uuid) -> Result<Lead> {
    model::lock_lead(tx, actor.org_id, id).await?.ok_or_else(error::lead)
}

async fn keep(mut tx: Tx, mut lead: Lead) -> Result<Lead> {
    lead.updated_at = tx.app().now();
    model::save_lead(&mut tx, &lead).await?;
    intake::changed(&mut tx, &lead);
    tx.commit().await?;
    Ok(lead)
}

/// What changes of a lead; what is absent stays.
#[derive(Default)]
pub struct LeadChange {
    pub value_eur: Option<i32>,
    pub listing_id: Option<Uuid>,
}

pub async fn update(app: &App, actor: &Actor, id: Uuid, change: LeadChange) -> Result<Lead> {
    actor.may(Right::Publish)?;
    let value = worth(change.value_eur)?;
    let mut tx = app.begin().await?;
    let mut lead = locked(&mut tx, actor, id).await?;
    if let Some(listing) = change.listing_id {
        let (about, price) = intake::about(&mut tx, actor, Some(listing), None).await?;
        (lead.listing_id, lead.vehicle_id) = (about.listing_id, about.vehicle_id);
        lead.value_eur = lead.value_eur.or(price);
    }
    lead.value_eur = value.or(lead.value_eur);
    keep(tx, lead).await
}

async fn require_member(tx: &mut Tx, actor: &Actor, user: Option<Uuid>) -> Result<()> {
    match user {
        Some(user) if !keroxio_auth::service::is_member(tx, actor.org_id, user).await? => Err(error::member()),
        _ => Ok(()),
    }
}

pub async fn assign(app: &App, actor: &Actor, id: Uuid, user: Option<Uuid>) -> Result<Lead> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut lead = locked(&mut tx, actor, id).await?;
    require_member(&mut tx, actor, user).await?;
    lead.assigned_to = user;
    keep(tx, lead).await
}

pub async fn go(app: &App, actor: &Actor, id: Uuid, to: &str, reason: Option<&str>) -> Result<Lead> {
    actor.may(Right::Publish)?;
    let reason = reason.map(|reason| text(reason, LONGEST_LINE, ("Raison", "Reason"))).transpose()?;
    let reason = reason.filter(|reason| !reason.is_empty());
    let mut tx = app.begin().await?;
    let mut lead = locked(&mut tx, actor, id).await?;
    let known = stages::of(&mut tx, actor.org_id).await?;
    let stage = stages::find(&known, to)?;
    if stage.key == lead.stage {
        return Ok(lead);
    }
    if stage.key == stages::LOST && reason.is_none() {
        return Err(error::reason());
    }
    let moved = Move {
        id: Uuid::now_v7(),
        org_id: lead.org_id,
        lead_id: lead.id,
        from_stage: lead.stage.clone(),
        to_stage: stage.key.clone(),
        reason,
        moved_by: Some(actor.user_id),
        moved_at: app.now(),
        undone_at: None,
    };
    model::insert_move(&mut tx, &moved).await?;
    enter(&mut lead, &moved.to_stage, moved.reason.clone(), moved.moved_at);
    announce(&mut tx, &lead, moved.from_stage).await?;
    keep(tx, lead).await
}

fn enter(lead: &mut Lead, stage: &str, reason: Option<String>, at: DateTime<Utc>) {
    stage.clone_into(&mut lead.stage);
    lead.closed_at = stages::is_end(stage).then_some(at);
    lead.lost_reason = reason.filter(|_| stage == stages::LOST);
}

async fn announce(tx: &mut Tx, lead: &Lead, from: String) -> Result<()> {
    tx.announce(&LeadMoved { lead_id: lead.id, org_id: lead.org_id, from, to: lead.stage.clone() }).await
}

/// Takes the last move back that was not taken back yet.
pub async fn go_back(app: &App, actor: &Actor, id: Uuid) -> Result<Lead> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut lead = locked(&mut tx, actor, id).await?;
    let known = stages::of(&mut tx, actor.org_id).await?;
    let last = model::last_move(&mut tx, lead.id).await?.ok_or_else(error::nothing_to_undo)?;
    stages::find(&known, &last.from_stage)?;
    model::undo_move(&mut tx, last.id, app.now()).await?;
    // What it was lost for, or when it was won, was said by the move before.
    let before = model::last_move(&mut tx, lead.id).await?.filter(|before| before.to_stage == last.from_stage);
    let (reason, at) = before.map_or((None, app.now()), |before| (before.reason, before.moved_at));
    enter(&mut lead, &last.from_stage, reason, at);
    announce(&mut tx, &lead, last.to_stage).await?;
    keep(tx, lead).await
}

/// What happened between the garage and somebody.
pub struct NewInteraction {
    pub kind: LeadInteractionKind,
    pub direction: Option<LeadDirection>,
    pub body: Option<String>,
    pub happened_at: Option<DateTime<Utc>>,
}

pub async fn interact(app: &App, actor: &Actor, id: Uuid, new: NewInteraction) -> Result<(Lead, Interaction)> {
    actor.may(Right::Publish)?;
    let direction = match (new.kind, new.direction) {
        (LeadInteractionKind::Note, _) => None,
        (_, Some(direction)) => Some(direction),
        (_, None) => {
            return Err(Error::bad_input(
                "Dites qui a pris contact (direction), sauf pour une note.",
                "Say who made contact (direction), but for a note.",
            ));
        }
    };
    let body = new.body.map(|given| text(&given, LONGEST_MESSAGE, ("Texte", "Text"))).transpose()?;
    let happened_at = past(app, new.happened_at)?;
    let mut tx = app.begin().await?;
    let lead = locked(&mut tx, actor, id).await?;
    let interaction = Interaction {
        id: Uuid::now_v7(),
        org_id: lead.org_id,
        lead_id: lead.id,
        kind: new.kind.name().to_owned(),
        direction: direction.map(|direction| direction.name().to_owned()),
        body: body.filter(|body| !body.is_empty()),
        remark: None,
        happened_at,
        by_user: Some(actor.user_id),
        external_id: None,
    };
    let lead = note(&mut tx, lead, direction, &interaction).await?;
    Ok((keep(tx, lead).await?, interaction))
}

/// Writes an interaction down, with what follows from it.
async fn note(
    tx: &mut Tx,
    mut lead: Lead,
    direction: Option<LeadDirection>,
    interaction: &Interaction,
) -> Result<Lead> {
    model::insert_interaction(tx, interaction).await?;
    match direction {
        Some(LeadDirection::Out) => {
            let at = interaction.happened_at.max(lead.received_at);
            lead.first_response_at = Some(lead.first_response_at.map_or(at, |known| known.min(at)));
        }
        Some(LeadDirection::In) => {
            lead.touches = lead.touches.saturating_add(1);
            lead.last_touch_at = lead.last_touch_at.max(interaction.happened_at);
            if let Some(contact) = lead.contact_id
                && let Some(mut contact) = model::contact(tx, lead.org_id, contact).await?
            {
                contact.last_contact_at = contact.last_contact_at.max(interaction.happened_at);
                model::save_contact(tx, &contact).await?;
            }
        }
        None => {}
    }
    Ok(lead)
}

/// Answers somebody by e-mail.
///
/// # Errors
/// `CONTACT_UNREACHABLE` without an address.
pub async fn answer(app: &App, actor: &Actor, id: Uuid, message: &str) -> Result<(Lead, Interaction)> {
    actor.may(Right::Publish)?;
    let message = needed(message, LONGEST_MESSAGE, ("Message", "Message"))?;
    let mut tx = app.begin().await?;
    let lead = locked(&mut tx, actor, id).await?;
    let contact = match lead.contact_id {
        Some(contact) => model::contact(&mut tx, actor.org_id, contact).await?,
        None => None,
    };
    let to = contact.and_then(|contact| Some((contact.emails.into_iter().next()?, contact.language)));
    let (to, language) = to.ok_or_else(error::unreachable)?;
    let organization = keroxio_auth::service::organization_in(&mut tx, actor.org_id).await?;
    let car = match lead.listing_id {
        Some(listing) => keroxio_listing::service::get_in(&mut tx, actor.org_id, listing).await?.title,
        None => lead.car_text.clone(),
    };
    // What is answered to the answer becomes a message of the same lead where mail comes in here.
    let reply_to = match app.get::<Inbound>()?.is_configured() {
        true => aliases::address_for(&mut tx, actor.org_id, lead.listing_id).await?,
        false => keroxio_auth::service::address_of(&mut tx, actor.user_id).await?.map(|(email, _)| email),
    };
    let letter = Letter::LeadAnswer { organization: organization.name, car, text: message.clone() };
    let envelope = Envelope {
        org_id: Some(actor.org_id),
        to: &to,
        locale: Locale::named(&language),
        reply_to,
        reader: None,
        not_before: None,
    };
    keroxio_email::service::post(&mut tx, envelope, &letter).await?;
    let interaction = Interaction {
        id: Uuid::now_v7(),
        org_id: lead.org_id,
        lead_id: lead.id,
        kind: LeadInteractionKind::Email.name().to_owned(),
        direction: Some(LeadDirection::Out.name().to_owned()),
        body: Some(message),
        remark: None,
        happened_at: app.now(),
        by_user: Some(actor.user_id),
        external_id: None,
    };
    let lead = note(&mut tx, lead, Some(LeadDirection::Out), &interaction).await?;
    Ok((keep(tx, lead).await?, interaction))
}

pub async fn create_task(
    app: &App,
    actor: &Actor,
    lead: Uuid,
    (title, due_at): (&str, DateTime<Utc>),
    assigned_to: Option<Uuid>,
) -> Result<Task> {
    actor.may(Right::Publish)?;
    let title = needed(title, LONGEST_LINE, ("Titre", "Title"))?;
    let mut tx = app.begin().await?;
    let lead = locked(&mut tx, actor, lead).await?;
    require_member(&mut tx, actor, assigned_to).await?;
    let task = Task {
        id: Uuid::now_v7(),
        org_id: lead.org_id,
        lead_id: lead.id,
        title,
        due_at,
        assigned_to: assigned_to.or(lead.assigned_to),
        created_by: actor.user_id,
        created_at: app.now(),
        done_at: None,
        reminded_at: None,
    };
    model::insert_task(&mut tx, &task).await?;
    intake::changed(&mut tx, &lead);
    tx.commit().await?;
    Ok(task)
}

/// Ends a task, or opens it again.
pub async fn end_task(app: &App, actor: &Actor, id: Uuid, done: bool) -> Result<Task> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut task = model::lock_task(&mut tx, actor.org_id, id).await?.ok_or_else(error::task)?;
    task.done_at = done.then(|| task.done_at.unwrap_or_else(|| app.now()));
    model::save_task(&mut tx, &task).await?;
    if let Some(lead) = model::lead(&mut tx, actor.org_id, task.lead_id).await? {
        intake::changed(&mut tx, &lead);
    }
    tx.commit().await?;
    Ok(task)
}

pub async fn tasks(
    app: &App,
    actor: &Actor,
    wanted: (Option<LeadTaskState>, Option<Uuid>),
    page: Page,
) -> Result<Vec<Task>> {
    actor.may(Right::Read)?;
    Ok(model::tasks(&mut *app.conn().await?, actor.org_id, wanted, app.now(), page).await?)
}

pub async fn contact(app: &App, actor: &Actor, id: Uuid) -> Result<Contact> {
    actor.may(Right::Read)?;
    model::contact(&mut *app.conn().await?, actor.org_id, id).await?.ok_or_else(error::contact)
}

pub async fn contacts(app: &App, actor: &Actor, search: Option<&str>, page: Page) -> Result<Vec<Contact>> {
    actor.may(Right::Read)?;
    let search = search.map(reach::line).filter(|text| !text.is_empty());
    let search = match search {
        None => ContactSearch::default(),
        Some(text) => match (reach::email(&text), reach::phone(&text)) {
            (Some(email), _) => ContactSearch { email: Some(email), ..ContactSearch::default() },
            (None, Some(phone)) => ContactSearch { phone: Some(phone), ..ContactSearch::default() },
            _ => {
                let plain = reach::cut(&text, LONGEST_LINE);
                let plain = plain.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
                ContactSearch { name: Some(format!("%{plain}%")), ..ContactSearch::default() }
            }
        },
    };
    Ok(model::contacts(&mut *app.conn().await?, actor.org_id, &search, page).await?)
}

async fn their(tx: &mut Tx, actor: &Actor, id: Uuid) -> Result<Contact> {
    model::lock_intake(tx, actor.org_id).await?;
    model::contact(tx, actor.org_id, id).await?.ok_or_else(error::contact)
}

/// Corrects how somebody is named and reached; what is absent stays.
pub async fn update_contact(app: &App, actor: &Actor, id: Uuid, person: Person) -> Result<Contact> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut contact = their(&mut tx, actor, id).await?;
    let (email, phone) = (person.email, person.phone);
    let known = model::contact_reached_by(&mut tx, actor.org_id, email.as_deref(), phone.as_deref()).await?;
    if known.iter().any(|other| other.id != id) {
        return Err(Error::bad_input(
            "Cette adresse ou ce numéro est déjà celui d'une autre personne de votre fichier.",
            "This address or number is already somebody else's among your contacts.",
        ));
    }
    // The one given is the one to use from now on.
    for (ways, way) in [(&mut contact.emails, email), (&mut contact.phones, phone)] {
        if let Some(way) = way {
            ways.retain(|known| *known != way);
            ways.insert(0, way);
            ways.truncate(10);
        }
    }
    contact.name = person.name.or(contact.name);
    contact.postal_code = person.postal_code.or(contact.postal_code);
    contact.updated_at = app.now();
    model::save_contact(&mut tx, &contact).await?;
    tx.commit().await?;
    Ok(contact)
}

/// Forgets somebody, with all that was exchanged with them.
pub async fn erase_contact(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let contact = their(&mut tx, actor, id).await?;
    forget(&mut tx, &[contact]).await?;
    tx.commit().await
}

/// Deletes contacts with everything that is kept of them, here and in the log of letters.
pub async fn forget(tx: &mut Tx, contacts: &[Contact]) -> Result<()> {
    let ids: Vec<Uuid> = contacts.iter().map(|contact| contact.id).collect();
    for mail in model::delete_contacts(tx, &ids).await? {
        keroxio_storage::service::remove(tx, mail.org_id, mail.object_id).await?;
    }
    for contact in contacts.iter().filter(|contact| !contact.emails.is_empty()) {
        keroxio_email::service::forget(tx, contact.org_id, &contact.emails).await?;
    }
    Ok(())
}

fn version_of(version: &str) -> Result<String> {
    needed(version, 60, ("Version du texte", "Version of the text"))
}

pub async fn give_consent(
    app: &App,
    actor: &Actor,
    contact: Uuid,
    purpose: ContactConsentPurpose,
    (version, source): (&str, &str),
) -> Result<Consent> {
    actor.may(Right::Publish)?;
    let version = version_of(version)?;
    let source = needed(source, LONGEST_LINE, ("Origine", "Source"))?;
    let mut tx = app.begin().await?;
    let contact = their(&mut tx, actor, contact).await?;
    let consent = intake::consent(&mut tx, &contact, purpose, version, &source).await?;
    tx.commit().await?;
    Ok(consent)
}

pub async fn withdraw_consent(
    app: &App,
    actor: &Actor,
    contact: Uuid,
    purpose: ContactConsentPurpose,
) -> Result<Contact> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let contact = their(&mut tx, actor, contact).await?;
    model::withdraw_consent(&mut tx, contact.id, purpose.name(), app.now()).await?;
    tx.commit().await?;
    Ok(contact)
}
