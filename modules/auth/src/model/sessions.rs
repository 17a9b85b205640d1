use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::tables::{auth_refresh_tokens, auth_sessions};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_sessions)]
pub struct Session {
    pub id: Uuid,
    pub user_id: Uuid,
    pub org_id: Uuid,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// Whose addresses it came from.
    pub network: Option<String>,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_refresh_tokens)]
pub struct RefreshToken {
    pub id: Uuid,
    /// The session it belongs to.
    pub family_id: Uuid,
    pub token_hash: String,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

pub async fn insert_session(conn: &mut AsyncPgConnection, session: &Session) -> QueryResult<usize> {
    diesel::insert_into(auth_sessions::table).values(session).execute(conn).await
}

pub async fn save_session(conn: &mut AsyncPgConnection, session: &Session) -> QueryResult<usize> {
    diesel::update(auth_sessions::table.find(session.id))
        .set((
            auth_sessions::org_id.eq(session.org_id),
            auth_sessions::agent.eq(&session.agent),
            auth_sessions::network.eq(&session.network),
            auth_sessions::seen_at.eq(session.seen_at),
            auth_sessions::expires_at.eq(session.expires_at),
        ))
        .execute(conn)
        .await
}

/// The sessions of a user that go on, the last seen first.
pub async fn open_sessions(conn: &mut AsyncPgConnection, user: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Session>> {
    auth_sessions::table
        .filter(auth_sessions::user_id.eq(user))
        .filter(auth_sessions::ended_at.is_null().and(auth_sessions::expires_at.gt(now)))
        .order((auth_sessions::seen_at.desc(), auth_sessions::id.desc()))
        .limit(100)
        .select(Session::as_select())
        .load(conn)
        .await
}

/// Whether a session of the user went on until now.
pub async fn end_session(conn: &mut AsyncPgConnection, user: Uuid, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    let open = auth_sessions::table.find(id).filter(auth_sessions::user_id.eq(user));
    let ended = diesel::update(open.filter(auth_sessions::ended_at.is_null()));
    Ok(ended.set(auth_sessions::ended_at.eq(now)).execute(conn).await? == 1)
}

/// Ends the sessions of a user but one, and answers how many.
pub async fn end_sessions(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    but: Option<Uuid>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(auth_sessions::table)
        .filter(auth_sessions::user_id.eq(user).and(auth_sessions::ended_at.is_null()))
        .filter(auth_sessions::id.ne(but.unwrap_or_default()))
        .set(auth_sessions::ended_at.eq(now))
        .execute(conn)
        .await
}

/// Ends what somebody has open in an organization they left.
pub async fn end_sessions_in(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    org: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(auth_sessions::table)
        .filter(auth_sessions::user_id.eq(user).and(auth_sessions::org_id.eq(org)))
        .filter(auth_sessions::ended_at.is_null())
        .set(auth_sessions::ended_at.eq(now))
        .execute(conn)
        .await
}

/// Deletes what ended or expired before a day.
pub async fn forget_sessions(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    let past = auth_sessions::ended_at.lt(before).or(auth_sessions::expires_at.lt(before).nullable());
    diesel::delete(auth_sessions::table.filter(past.is_not_distinct_from(true))).execute(conn).await
}

pub async fn insert_refresh(conn: &mut AsyncPgConnection, token: &RefreshToken) -> QueryResult<usize> {
    diesel::insert_into(auth_refresh_tokens::table).values(token).execute(conn).await
}

diesel::joinable!(auth_refresh_tokens -> auth_sessions (family_id));
diesel::allow_tables_to_appear_in_same_query!(auth_refresh_tokens, auth_sessions);

/// The token with its session, both locked: of two uses at the same time the second sees the first.
pub async fn lock_refresh(conn: &mut AsyncPgConnection, hash: &str) -> QueryResult<Option<(RefreshToken, Session)>> {
    auth_refresh_tokens::table
        .inner_join(auth_sessions::table)
        .filter(auth_refresh_tokens::token_hash.eq(hash))
        .select((RefreshToken::as_select(), Session::as_select()))
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn mark_used(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(auth_refresh_tokens::table.find(id)).set(auth_refresh_tokens::used_at.eq(now)).execute(conn).await
}
