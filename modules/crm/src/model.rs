//! Rows and statements; no rules.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use uuid::Uuid;

use crate::kinds::LeadTaskState;
use crate::tables::{
    crm_aliases, crm_consents, crm_contacts, crm_interactions, crm_leads, crm_mails, crm_moves, crm_stages, crm_tasks,
};

/// Somebody who asked about a car.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = crm_contacts, treat_none_as_null = true)]
pub struct Contact {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: Option<String>,
    pub emails: Vec<String>,
    pub phones: Vec<String>,
    pub postal_code: Option<String>,
    pub language: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_contact_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_consents)]
pub struct Consent {
    pub id: Uuid,
    pub org_id: Uuid,
    pub contact_id: Uuid,
    pub purpose: String,
    pub version: String,
    pub source: String,
    pub given_at: DateTime<Utc>,
    pub withdrawn_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_stages)]
pub struct Stage {
    pub org_id: Uuid,
    pub key: String,
    pub position: i32,
    pub label_fr: String,
    pub label_en: String,
    pub probability: i32,
}

#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = crm_leads, treat_none_as_null = true)]
pub struct Lead {
    pub id: Uuid,
    pub org_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub listing_id: Option<Uuid>,
    pub vehicle_id: Option<Uuid>,
    pub car_text: Option<String>,
    pub source: String,
    pub message: Option<String>,
    pub stage: String,
    pub assigned_to: Option<Uuid>,
    pub value_eur: Option<i32>,
    pub touches: i32,
    pub received_at: DateTime<Utc>,
    pub last_touch_at: DateTime<Utc>,
    pub first_response_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub lost_reason: Option<String>,
    pub created_by: Option<Uuid>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_interactions)]
pub struct Interaction {
    pub id: Uuid,
    pub org_id: Uuid,
    pub lead_id: Uuid,
    pub kind: String,
    pub direction: Option<String>,
    pub body: Option<String>,
    pub remark: Option<String>,
    pub happened_at: DateTime<Utc>,
    pub by_user: Option<Uuid>,
    pub external_id: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_moves)]
pub struct Move {
    pub id: Uuid,
    pub org_id: Uuid,
    pub lead_id: Uuid,
    pub from_stage: String,
    pub to_stage: String,
    pub reason: Option<String>,
    pub moved_by: Option<Uuid>,
    pub moved_at: DateTime<Utc>,
    pub undone_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = crm_tasks, treat_none_as_null = true)]
pub struct Task {
    pub id: Uuid,
    pub org_id: Uuid,
    pub lead_id: Uuid,
    pub title: String,
    pub due_at: DateTime<Utc>,
    pub assigned_to: Option<Uuid>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
    pub reminded_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_aliases)]
pub struct Alias {
    pub id: Uuid,
    pub org_id: Uuid,
    pub listing_id: Option<Uuid>,
    pub token: String,
    pub created_at: DateTime<Utc>,
    pub replaced_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crm_mails)]
pub struct Mail {
    pub id: Uuid,
    pub org_id: Uuid,
    pub lead_id: Uuid,
    pub object_id: Uuid,
    pub received_at: DateTime<Utc>,
}

/// Whoever takes leads of an organization in waits here: two messages of one person must not make two contacts.
pub async fn lock_intake(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<usize> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('crm:' || $1::text, 0))")
        .bind::<SqlUuid, _>(org)
        .execute(conn)
        .await
}

pub async fn contact_reached_by(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    email: Option<&str>,
    phone: Option<&str>,
) -> QueryResult<Vec<Contact>> {
    let reached = crm_contacts::emails
        .overlaps_with(email.into_iter().map(str::to_owned).collect::<Vec<_>>())
        .or(crm_contacts::phones.overlaps_with(phone.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    crm_contacts::table
        .filter(crm_contacts::org_id.eq(org).and(reached))
        .order(crm_contacts::id)
        .select(Contact::as_select())
        .load(conn)
        .await
}

pub async fn insert_contact(conn: &mut AsyncPgConnection, contact: &Contact) -> QueryResult<usize> {
    diesel::insert_into(crm_contacts::table).values(contact).execute(conn).await
}

pub async fn save_contact(conn: &mut AsyncPgConnection, contact: &Contact) -> QueryResult<usize> {
    diesel::update(crm_contacts::table.find(contact.id)).set(contact).execute(conn).await
}

pub async fn contact(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Contact>> {
    crm_contacts::table
        .find(id)
        .filter(crm_contacts::org_id.eq(org))
        .select(Contact::as_select())
        .first(conn)
        .await
        .optional()
}

/// Contacts of any organization: the caller looks whose they are.
pub async fn contacts_with(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Contact>> {
    crm_contacts::table.filter(crm_contacts::id.eq_any(ids)).select(Contact::as_select()).load(conn).await
}

/// What is looked for in contacts.
#[derive(Default)]
pub struct ContactSearch {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

pub async fn contacts(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    search: &ContactSearch,
    page: Page,
) -> QueryResult<Vec<Contact>> {
    let mut query = crm_contacts::table
        .filter(crm_contacts::org_id.eq(org))
        .order(crm_contacts::id.desc())
        .select(Contact::as_select())
        .into_boxed();
    if let Some(name) = &search.name {
        query = query.filter(crm_contacts::name.ilike(name));
    }
    if let Some(email) = &search.email {
        query = query.filter(crm_contacts::emails.contains(vec![email.clone()]));
    }
    if let Some(phone) = &search.phone {
        query = query.filter(crm_contacts::phones.contains(vec![phone.clone()]));
    }
    if let Some(after) = page.after {
        query = query.filter(crm_contacts::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// Deletes contacts with their leads and all that hangs on them; answers the mails that were kept of them.
pub async fn delete_contacts(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Mail>> {
    let leads = crm_leads::table.filter(crm_leads::contact_id.eq_any(ids)).select(crm_leads::id);
    let leads: Vec<Uuid> = leads.load(conn).await?;
    let mails = diesel::delete(crm_mails::table.filter(crm_mails::lead_id.eq_any(&leads)))
        .returning(Mail::as_returning())
        .get_results(conn)
        .await?;
    diesel::delete(crm_contacts::table.filter(crm_contacts::id.eq_any(ids))).execute(conn).await?;
    Ok(mails)
}

/// Contacts of all organizations from whom nothing came since a moment, and with whom nothing was won since.
pub async fn silent_contacts(
    conn: &mut AsyncPgConnection,
    since: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<Contact>> {
    let won = crm_leads::table
        .filter(crm_leads::contact_id.eq(crm_contacts::id.nullable()).and(crm_leads::stage.eq(crate::stages::WON)))
        .filter(crm_leads::closed_at.ge(since));
    crm_contacts::table
        .filter(crm_contacts::last_contact_at.lt(since).and(diesel::dsl::not(diesel::dsl::exists(won))))
        .order(crm_contacts::last_contact_at)
        .limit(most)
        .select(Contact::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// Deletes leads of nobody we know from before a moment; answers the mails that were kept of them.
pub async fn delete_unreadable(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<Vec<Mail>> {
    let old = crm_leads::contact_id.is_null().and(crm_leads::last_touch_at.lt(before));
    let leads: Vec<Uuid> = crm_leads::table.filter(old).select(crm_leads::id).load(conn).await?;
    let mails = diesel::delete(crm_mails::table.filter(crm_mails::lead_id.eq_any(&leads)))
        .returning(Mail::as_returning())
        .get_results(conn)
        .await?;
    diesel::delete(crm_leads::table.filter(crm_leads::id.eq_any(&leads))).execute(conn).await?;
    Ok(mails)
}

pub async fn insert_consent(conn: &mut AsyncPgConnection, consent: &Consent) -> QueryResult<usize> {
    diesel::insert_into(crm_consents::table).values(consent).execute(conn).await
}

pub async fn withdraw_consent(
    conn: &mut AsyncPgConnection,
    contact: Uuid,
    purpose: &str,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(crm_consents::table)
        .filter(crm_consents::contact_id.eq(contact).and(crm_consents::purpose.eq(purpose)))
        .filter(crm_consents::withdrawn_at.is_null())
        .set(crm_consents::withdrawn_at.eq(now))
        .execute(conn)
        .await
}

pub async fn consents_of_all(conn: &mut AsyncPgConnection, contacts: &[Uuid]) -> QueryResult<Vec<Consent>> {
    crm_consents::table
        .filter(crm_consents::contact_id.eq_any(contacts))
        .order(crm_consents::id.desc())
        .select(Consent::as_select())
        .load(conn)
        .await
}

pub async fn stages(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Stage>> {
    crm_stages::table
        .filter(crm_stages::org_id.eq(org))
        .order(crm_stages::position)
        .select(Stage::as_select())
        .load(conn)
        .await
}

pub async fn stages_of_all(conn: &mut AsyncPgConnection, orgs: &[Uuid]) -> QueryResult<Vec<Stage>> {
    crm_stages::table
        .filter(crm_stages::org_id.eq_any(orgs))
        .order(crm_stages::position)
        .select(Stage::as_select())
        .load(conn)
        .await
}

/// A stage at which there are leads, other than these.
pub async fn stage_in_use_but(conn: &mut AsyncPgConnection, org: Uuid, keys: &[&str]) -> QueryResult<Option<String>> {
    crm_leads::table
        .filter(crm_leads::org_id.eq(org).and(crm_leads::stage.ne_all(keys)))
        .select(crm_leads::stage)
        .first(conn)
        .await
        .optional()
}

pub async fn replace_stages(conn: &mut AsyncPgConnection, org: Uuid, stages: &[Stage]) -> QueryResult<usize> {
    diesel::delete(crm_stages::table.filter(crm_stages::org_id.eq(org))).execute(conn).await?;
    diesel::insert_into(crm_stages::table).values(stages).execute(conn).await
}

pub async fn insert_lead(conn: &mut AsyncPgConnection, lead: &Lead) -> QueryResult<usize> {
    diesel::insert_into(crm_leads::table).values(lead).execute(conn).await
}

pub async fn save_lead(conn: &mut AsyncPgConnection, lead: &Lead) -> QueryResult<usize> {
    diesel::update(crm_leads::table.find(lead.id)).set(lead).execute(conn).await
}

pub async fn lead(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Lead>> {
    crm_leads::table.find(id).filter(crm_leads::org_id.eq(org)).select(Lead::as_select()).first(conn).await.optional()
}

pub async fn lock_lead(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Lead>> {
    crm_leads::table
        .find(id)
        .filter(crm_leads::org_id.eq(org))
        .select(Lead::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

/// Leads of any organization: the caller looks whose they are.
pub async fn leads_with(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Lead>> {
    crm_leads::table.filter(crm_leads::id.eq_any(ids)).select(Lead::as_select()).load(conn).await
}

/// About which car a lead is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct About {
    pub listing_id: Option<Uuid>,
    pub vehicle_id: Option<Uuid>,
    pub car_text: Option<String>,
}

/// The lead of a person about a car, of whom something came within a time; the latest.
pub async fn recent_lead(
    conn: &mut AsyncPgConnection,
    (org, contact): (Uuid, Uuid),
    about: &About,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<Option<Lead>> {
    let mut query = crm_leads::table
        .filter(crm_leads::contact_id.eq(contact))
        .filter(crm_leads::last_touch_at.ge(from).and(crm_leads::received_at.le(to)))
        .order(crm_leads::id.desc())
        .select(crm_leads::id)
        .into_boxed();
    query = match (about.vehicle_id, &about.car_text) {
        // An ad made anew is the same car.
        (Some(vehicle), _) => query.filter(crm_leads::vehicle_id.eq(vehicle)),
        (None, text) => {
            query.filter(crm_leads::vehicle_id.is_null()).filter(crm_leads::car_text.is_not_distinct_from(text))
        }
    };
    match query.first(conn).await.optional()? {
        Some(id) => lock_lead(conn, org, id).await,
        None => Ok(None),
    }
}

/// The lead of some contacts of whom something came since a moment; the latest.
pub async fn last_lead(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    contacts: &[Uuid],
    since: DateTime<Utc>,
) -> QueryResult<Option<Lead>> {
    crm_leads::table
        .filter(crm_leads::org_id.eq(org).and(crm_leads::contact_id.eq_any(contacts)))
        .filter(crm_leads::last_touch_at.ge(since))
        .order(crm_leads::last_touch_at.desc())
        .select(Lead::as_select())
        .first(conn)
        .await
        .optional()
}

/// Which leads are wanted.
#[derive(Default)]
pub struct LeadSearch {
    pub stages: Option<Vec<String>>,
    pub sources: Option<Vec<String>>,
    pub assigned_to: Option<Uuid>,
    pub listing_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
    pub is_answered: Option<bool>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

pub async fn leads(conn: &mut AsyncPgConnection, org: Uuid, search: &LeadSearch, page: Page) -> QueryResult<Vec<Lead>> {
    let mut query = crm_leads::table
        .filter(crm_leads::org_id.eq(org))
        .order(crm_leads::id.desc())
        .select(Lead::as_select())
        .into_boxed();
    if let Some(stages) = &search.stages {
        query = query.filter(crm_leads::stage.eq_any(stages));
    }
    if let Some(sources) = &search.sources {
        query = query.filter(crm_leads::source.eq_any(sources));
    }
    if let Some(user) = search.assigned_to {
        query = query.filter(crm_leads::assigned_to.eq(user));
    }
    if let Some(listing) = search.listing_id {
        query = query.filter(crm_leads::listing_id.eq(listing));
    }
    if let Some(contact) = search.contact_id {
        query = query.filter(crm_leads::contact_id.eq(contact));
    }
    query = match search.is_answered {
        Some(true) => query.filter(crm_leads::first_response_at.is_not_null()),
        Some(false) => query.filter(crm_leads::first_response_at.is_null()),
        None => query,
    };
    if let Some(from) = search.from {
        query = query.filter(crm_leads::received_at.ge(from));
    }
    if let Some(to) = search.to {
        query = query.filter(crm_leads::received_at.lt(to));
    }
    if let Some(after) = page.after {
        query = query.filter(crm_leads::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// How many leads there are at each stage, and what they are worth.
pub async fn totals(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<(String, i64, i64)>> {
    crm_leads::table
        .filter(crm_leads::org_id.eq(org))
        .group_by(crm_leads::stage)
        .select((crm_leads::stage, diesel::dsl::count_star(), sql::<BigInt>("coalesce(sum(value_eur), 0)")))
        .load(conn)
        .await
}

/// The latest leads of each stage, at most so many of each.
pub async fn latest_by_stage(conn: &mut AsyncPgConnection, org: Uuid, most: i64) -> QueryResult<Vec<Lead>> {
    let ranked = sql::<Bool>(
        "id IN (SELECT r.id FROM (SELECT id, row_number() OVER (PARTITION BY stage ORDER BY id DESC) AS place \
            FROM crm_leads WHERE org_id = ",
    )
    .bind::<SqlUuid, _>(org)
    .sql(") r WHERE r.place <= ")
    .bind::<BigInt, _>(most)
    .sql(")");
    crm_leads::table
        .filter(crm_leads::org_id.eq(org).and(ranked))
        .order(crm_leads::id.desc())
        .select(Lead::as_select())
        .load(conn)
        .await
}

pub async fn lead_of_external(conn: &mut AsyncPgConnection, org: Uuid, external: &str) -> QueryResult<Option<Uuid>> {
    crm_interactions::table
        .filter(crm_interactions::org_id.eq(org).and(crm_interactions::external_id.eq(external)))
        .select(crm_interactions::lead_id)
        .first(conn)
        .await
        .optional()
}

pub async fn insert_interaction(conn: &mut AsyncPgConnection, interaction: &Interaction) -> QueryResult<usize> {
    diesel::insert_into(crm_interactions::table).values(interaction).execute(conn).await
}

/// Interactions of some leads, the latest first, at most so many of each.
pub async fn interactions_of_all(
    conn: &mut AsyncPgConnection,
    leads: &[Uuid],
    most: i64,
) -> QueryResult<Vec<Interaction>> {
    let ranked = sql::<Bool>(
        "id IN (SELECT r.id FROM (SELECT id, row_number() OVER (PARTITION BY lead_id ORDER BY happened_at DESC, id DESC) \
            AS place FROM crm_interactions WHERE lead_id = ANY(",
    )
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(leads)
    .sql(")) r WHERE r.place <= ")
    .bind::<BigInt, _>(most)
    .sql(")");
    crm_interactions::table
        .filter(crm_interactions::lead_id.eq_any(leads).and(ranked))
        .order((crm_interactions::happened_at.desc(), crm_interactions::id.desc()))
        .select(Interaction::as_select())
        .load(conn)
        .await
}

pub async fn insert_move(conn: &mut AsyncPgConnection, moved: &Move) -> QueryResult<usize> {
    diesel::insert_into(crm_moves::table).values(moved).execute(conn).await
}

pub async fn last_move(conn: &mut AsyncPgConnection, lead: Uuid) -> QueryResult<Option<Move>> {
    crm_moves::table
        .filter(crm_moves::lead_id.eq(lead).and(crm_moves::undone_at.is_null()))
        .order(crm_moves::id.desc())
        .select(Move::as_select())
        .first(conn)
        .await
        .optional()
}

pub async fn undo_move(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(crm_moves::table.find(id)).set(crm_moves::undone_at.eq(now)).execute(conn).await
}

pub async fn moves_of_all(conn: &mut AsyncPgConnection, leads: &[Uuid]) -> QueryResult<Vec<Move>> {
    crm_moves::table
        .filter(crm_moves::lead_id.eq_any(leads))
        .order(crm_moves::id.desc())
        .select(Move::as_select())
        .load(conn)
        .await
}

pub async fn insert_task(conn: &mut AsyncPgConnection, task: &Task) -> QueryResult<usize> {
    diesel::insert_into(crm_tasks::table).values(task).execute(conn).await
}

pub async fn save_task(conn: &mut AsyncPgConnection, task: &Task) -> QueryResult<usize> {
    diesel::update(crm_tasks::table.find(task.id)).set(task).execute(conn).await
}

pub async fn lock_task(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Task>> {
    crm_tasks::table
        .find(id)
        .filter(crm_tasks::org_id.eq(org))
        .select(Task::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn tasks_of_all(conn: &mut AsyncPgConnection, leads: &[Uuid]) -> QueryResult<Vec<Task>> {
    crm_tasks::table
        .filter(crm_tasks::lead_id.eq_any(leads))
        .order((crm_tasks::due_at, crm_tasks::id))
        .select(Task::as_select())
        .load(conn)
        .await
}

pub async fn tasks(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    (state, assigned_to): (Option<LeadTaskState>, Option<Uuid>),
    now: DateTime<Utc>,
    page: Page,
) -> QueryResult<Vec<Task>> {
    let mut query = crm_tasks::table
        .filter(crm_tasks::org_id.eq(org))
        .order(crm_tasks::id.desc())
        .select(Task::as_select())
        .into_boxed();
    query = match state {
        Some(LeadTaskState::Open) => query.filter(crm_tasks::done_at.is_null()),
        Some(LeadTaskState::Overdue) => query.filter(crm_tasks::done_at.is_null().and(crm_tasks::due_at.le(now))),
        Some(LeadTaskState::Done) => query.filter(crm_tasks::done_at.is_not_null()),
        None => query,
    };
    if let Some(user) = assigned_to {
        query = query.filter(crm_tasks::assigned_to.eq(user));
    }
    if let Some(after) = page.after {
        query = query.filter(crm_tasks::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// Tasks of all organizations that have just fallen due; they count as reminded of.
pub async fn take_due(conn: &mut AsyncPgConnection, now: DateTime<Utc>, most: i64) -> QueryResult<Vec<Task>> {
    let due = crm_tasks::table
        .filter(crm_tasks::due_at.le(now).and(crm_tasks::done_at.is_null()).and(crm_tasks::reminded_at.is_null()))
        .order(crm_tasks::due_at)
        .limit(most)
        .select(crm_tasks::id)
        .for_update()
        .skip_locked();
    let due: Vec<Uuid> = due.load(conn).await?;
    diesel::update(crm_tasks::table.filter(crm_tasks::id.eq_any(due)))
        .set(crm_tasks::reminded_at.eq(now))
        .returning(Task::as_returning())
        .get_results(conn)
        .await
}

pub async fn aliases(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Alias>> {
    crm_aliases::table
        .filter(crm_aliases::org_id.eq(org).and(crm_aliases::replaced_at.is_null()))
        .order(crm_aliases::id.desc())
        .limit(500)
        .select(Alias::as_select())
        .load(conn)
        .await
}

pub async fn current_alias(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    listing: Option<Uuid>,
) -> QueryResult<Option<Alias>> {
    crm_aliases::table
        .filter(crm_aliases::org_id.eq(org).and(crm_aliases::listing_id.is_not_distinct_from(listing)))
        .filter(crm_aliases::replaced_at.is_null())
        .select(Alias::as_select())
        .first(conn)
        .await
        .optional()
}

/// Aliases of any organization by their tokens, those replaced since a moment too.
pub async fn aliases_by_tokens(
    conn: &mut AsyncPgConnection,
    tokens: &[String],
    since: DateTime<Utc>,
) -> QueryResult<Vec<Alias>> {
    crm_aliases::table
        .filter(crm_aliases::token.eq_any(tokens))
        .filter(crm_aliases::replaced_at.is_null().or(crm_aliases::replaced_at.ge(since)))
        .select(Alias::as_select())
        .load(conn)
        .await
}

/// Puts an alias in place of the one there is.
pub async fn replace_alias(conn: &mut AsyncPgConnection, alias: &Alias) -> QueryResult<usize> {
    diesel::update(crm_aliases::table)
        .filter(crm_aliases::org_id.eq(alias.org_id))
        .filter(crm_aliases::listing_id.is_not_distinct_from(alias.listing_id))
        .filter(crm_aliases::replaced_at.is_null())
        .set(crm_aliases::replaced_at.eq(alias.created_at))
        .execute(conn)
        .await?;
    diesel::insert_into(crm_aliases::table).values(alias).execute(conn).await
}

pub async fn forget_aliases(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(crm_aliases::table.filter(crm_aliases::replaced_at.lt(before))).execute(conn).await
}

pub async fn insert_mail(conn: &mut AsyncPgConnection, mail: &Mail) -> QueryResult<usize> {
    diesel::insert_into(crm_mails::table).values(mail).execute(conn).await
}

pub async fn mails_of_all(conn: &mut AsyncPgConnection, leads: &[Uuid]) -> QueryResult<Vec<Mail>> {
    crm_mails::table
        .filter(crm_mails::lead_id.eq_any(leads))
        .order(crm_mails::id.desc())
        .select(Mail::as_select())
        .load(conn)
        .await
}

/// Takes away mails from before a moment.
pub async fn take_old_mails(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<Vec<Mail>> {
    diesel::delete(crm_mails::table.filter(crm_mails::received_at.lt(before)))
        .returning(Mail::as_returning())
        .get_results(conn)
        .await
}

/// Figures of the leads of a time: of all, by source and by period; what a row is not of is null.
#[derive(Debug, Clone, QueryableByName)]
pub struct Figures {
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub period: Option<DateTime<Utc>>,
    /// 3 for all, 1 for a source, 2 for a period.
    #[diesel(sql_type = Integer)]
    pub kind: i32,
    #[diesel(sql_type = BigInt)]
    pub received: i64,
    #[diesel(sql_type = BigInt)]
    pub answered: i64,
    #[diesel(sql_type = BigInt)]
    pub won: i64,
    #[diesel(sql_type = BigInt)]
    pub lost: i64,
    #[diesel(sql_type = BigInt)]
    pub won_eur: i64,
    #[diesel(sql_type = Nullable<Double>)]
    pub median_minutes: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    pub p90_minutes: Option<f64>,
}

pub async fn figures(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    period: &str,
) -> QueryResult<Vec<Figures>> {
    diesel::sql_query(
        "SELECT source, period, grouping(source, period) AS kind, count(*) AS received, \
            count(first_response_at) AS answered, \
            count(*) FILTER (WHERE stage = 'WON') AS won, count(*) FILTER (WHERE stage = 'LOST') AS lost, \
            coalesce(sum(value_eur) FILTER (WHERE stage = 'WON'), 0)::bigint AS won_eur, \
            percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) AS median_minutes, \
            percentile_cont(0.9) WITHIN GROUP (ORDER BY minutes) AS p90_minutes \
        FROM (SELECT source, stage, value_eur, first_response_at, \
                date_trunc($4, received_at, 'Europe/Paris') AS period, \
                (extract(epoch FROM first_response_at - received_at) / 60)::float8 AS minutes \
            FROM crm_leads WHERE org_id = $1 AND received_at >= $2 AND received_at < $3) l \
        GROUP BY GROUPING SETS ((), (source), (period)) ORDER BY kind, source, period",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Text, _>(period)
    .load(conn)
    .await
}
