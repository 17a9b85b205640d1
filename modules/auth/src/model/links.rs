use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::tables::auth_links;

/// A link in a letter that may be followed once.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_links)]
pub struct Link {
    pub id: Uuid,
    pub user_id: Uuid,
    /// `verify_email`, `reset_password` or `claim_guest`.
    pub purpose: String,
    pub email: String,
    pub token_hash: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

/// Adds a link; earlier ones of its purpose no longer work.
pub async fn insert_link(conn: &mut AsyncPgConnection, link: &Link) -> QueryResult<usize> {
    diesel::update(auth_links::table)
        .filter(auth_links::user_id.eq(link.user_id).and(auth_links::purpose.eq(&link.purpose)))
        .filter(auth_links::used_at.is_null())
        .set(auth_links::used_at.eq(link.created_at))
        .execute(conn)
        .await?;
    diesel::insert_into(auth_links::table).values(link).execute(conn).await
}

/// Uses a link up; none where it was used, has expired, or is for something else.
pub async fn use_link(
    conn: &mut AsyncPgConnection,
    purpose: &str,
    hash: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<Link>> {
    diesel::update(auth_links::table)
        .filter(auth_links::token_hash.eq(hash).and(auth_links::purpose.eq(purpose)))
        .filter(auth_links::used_at.is_null().and(auth_links::expires_at.gt(now)))
        .set(auth_links::used_at.eq(now))
        .returning(Link::as_returning())
        .get_result(conn)
        .await
        .optional()
}

pub async fn forget_links(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(auth_links::table.filter(auth_links::expires_at.lt(before))).execute(conn).await
}
