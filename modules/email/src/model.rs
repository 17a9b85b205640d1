use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use uuid::Uuid;

use crate::tables::email_messages::{self, dsl};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = email_messages)]
pub struct Message {
    pub id: Uuid,
    pub org_id: Option<Uuid>,
    pub recipient: String,
    pub kind: String,
    pub subject: String,
    pub html: Option<String>,
    pub plain: Option<String>,
    /// `queued`, `sent`, `failed`, `kept` where there is no transport, `suppressed` where the address gets no letters;
    /// then what the provider says: `delivered`, `bounced`, `complained`.
    pub state: String,
    pub provider_id: Option<String>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    /// Where the answer goes; to the sender where there is none.
    pub reply_to: Option<String>,
    pub outcome_at: Option<DateTime<Utc>>,
    /// Where one click ends letters of its kind.
    pub unsubscribe: Option<String>,
}

pub async fn insert(conn: &mut AsyncPgConnection, message: &Message) -> QueryResult<usize> {
    diesel::insert_into(email_messages::table).values(message).execute(conn).await
}

pub async fn find(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Message>> {
    dsl::email_messages.find(id).select(Message::as_select()).first(conn).await.optional()
}

/// By our own identifier or by the provider's, which is known once it has answered.
pub async fn lock(conn: &mut AsyncPgConnection, id: Option<Uuid>, provider: &str) -> QueryResult<Option<Message>> {
    let message = dsl::email_messages.select(Message::as_select()).for_update();
    match id {
        Some(id) => message.filter(dsl::id.eq(id)).first(conn).await.optional(),
        None => message.filter(dsl::provider_id.eq(provider)).first(conn).await.optional(),
    }
}

/// It was handed over: its text goes. The provider may have said already what became of it.
pub async fn sent(conn: &mut AsyncPgConnection, id: Uuid, provider: &str, now: DateTime<Utc>) -> QueryResult<usize> {
    let message = dsl::email_messages.find(id);
    diesel::update(message).set((dsl::provider_id.eq(provider), dsl::sent_at.eq(now))).execute(conn).await?;
    diesel::update(message.filter(dsl::state.eq("queued"))).set(dsl::state.eq("sent")).execute(conn).await?;
    forget_text(conn, id).await
}

/// It is not handed over, because its address gets no letters.
pub async fn suppressed(conn: &mut AsyncPgConnection, id: Uuid, why: &str) -> QueryResult<usize> {
    let ended = (dsl::state.eq("suppressed"), dsl::error.eq(why));
    diesel::update(dsl::email_messages.find(id)).set(ended).execute(conn).await?;
    forget_text(conn, id).await
}

async fn forget_text(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<usize> {
    let none = None::<String>;
    diesel::update(dsl::email_messages.find(id))
        .set((dsl::html.eq(&none), dsl::plain.eq(&none), dsl::unsubscribe.eq(&none)))
        .execute(conn)
        .await
}

/// What became of it, as the provider says.
pub async fn ended(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    state: &str,
    why: Option<&str>,
    at: DateTime<Utc>,
) -> QueryResult<usize> {
    let outcome = (dsl::state.eq(state), dsl::error.eq(why), dsl::outcome_at.eq(at));
    diesel::update(dsl::email_messages.find(id)).set(outcome).execute(conn).await
}

/// Forgets what was written to somebody for an organization.
pub async fn forget(conn: &mut AsyncPgConnection, org: Uuid, recipients: &[String]) -> QueryResult<usize> {
    let theirs = dsl::email_messages.filter(dsl::org_id.eq(org).and(dsl::recipient.eq_any(recipients)));
    diesel::delete(theirs).execute(conn).await
}

pub async fn failed(conn: &mut AsyncPgConnection, id: Uuid, why: &str) -> QueryResult<usize> {
    let waiting = dsl::email_messages.find(id).filter(dsl::state.eq("queued"));
    let failed = diesel::update(waiting).set((dsl::state.eq("failed"), dsl::error.eq(why))).execute(conn).await?;
    if failed > 0 { forget_text(conn, id).await } else { Ok(0) }
}

/// Forgets letters that were written before a moment, and that nobody waits for any more.
pub async fn forget_before(conn: &mut AsyncPgConnection, moment: DateTime<Utc>) -> QueryResult<usize> {
    let old = dsl::email_messages.filter(dsl::created_at.lt(moment).and(dsl::state.ne("queued")));
    diesel::delete(old).execute(conn).await
}

pub async fn page(conn: &mut AsyncPgConnection, page: Page) -> QueryResult<Vec<Message>> {
    let mut query = dsl::email_messages.select(Message::as_select()).order(dsl::id.desc()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}
