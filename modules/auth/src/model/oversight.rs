use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use uuid::Uuid;

use super::{Organization, User};
use crate::tables::{auth_memberships, auth_organizations, auth_users};

pub async fn set_suspension(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    suspension: Option<(DateTime<Utc>, &str)>,
) -> QueryResult<usize> {
    diesel::update(auth_organizations::table.find(id))
        .set((
            auth_organizations::suspended_at.eq(suspension.map(|(at, _)| at)),
            auth_organizations::suspended_for.eq(suspension.map(|(_, reason)| reason)),
        ))
        .execute(conn)
        .await
}

/// Organizations whose name begins so, or of this company number; the newest first, one more than the page holds.
pub async fn find_organizations(
    conn: &mut AsyncPgConnection,
    search: Option<&str>,
    suspended: bool,
    page: Page,
) -> QueryResult<Vec<Organization>> {
    let mut found = auth_organizations::table.select(Organization::as_select()).into_boxed();
    if let Some(search) = search {
        let named = lower(auth_organizations::name).like(beginning(search));
        let digits: String = search.chars().filter(|c| !c.is_whitespace()).collect();
        found = found.filter(named.or(auth_organizations::siren.assume_not_null().eq(digits)));
    }
    if suspended {
        found = found.filter(auth_organizations::suspended_at.is_not_null());
    }
    if let Some(after) = page.after {
        found = found.filter(auth_organizations::id.lt(after));
    }
    found.order(auth_organizations::id.desc()).limit(page.limit + 1).load(conn).await
}

/// People whose address begins so; the newest first, one more than the page holds.
pub async fn find_users(conn: &mut AsyncPgConnection, search: Option<&str>, page: Page) -> QueryResult<Vec<User>> {
    let mut found = auth_users::table.select(User::as_select()).into_boxed();
    if let Some(search) = search {
        found = found.filter(auth_users::email.assume_not_null().like(beginning(search)));
    }
    if let Some(after) = page.after {
        found = found.filter(auth_users::id.lt(after));
    }
    found.order(auth_users::id.desc()).limit(page.limit + 1).load(conn).await
}

/// Who belongs to each of these organizations, and as what.
pub async fn members_of_all(conn: &mut AsyncPgConnection, orgs: &[Uuid]) -> QueryResult<Vec<(Uuid, String, User)>> {
    auth_memberships::table
        .inner_join(auth_users::table.on(auth_users::id.eq(auth_memberships::user_id)))
        .filter(auth_memberships::org_id.eq_any(orgs))
        .order((auth_memberships::created_at, auth_memberships::user_id))
        .select((auth_memberships::org_id, auth_memberships::role, User::as_select()))
        .load(conn)
        .await
}

/// A pattern for what begins with a text, whatever it holds.
fn beginning(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
