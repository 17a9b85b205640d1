//! What an organization has, from the database itself: the tables behind the second wall.

use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Result;

/// Columns that open something, or hold what does. They are nobody's data.
pub const SECRET: [&str; 13] = [
    "password_hash",
    "token_hash",
    "key_hash",
    "code_hash",
    "secret",
    "old_secret",
    "sealed",
    "totp_secret",
    "credential",
    "html",
    "plain",
    "unsubscribe",
    "answer",
];
/// Work under way, and what was answered to a request: gone in a day, and in no export.
const PASSING: [&str; 2] = ["core_jobs", "core_idempotency"];

/// Of which nobody but the person sees the rows; an export has those of whoever asked for it.
pub const PERSONAL: [&str; 5] =
    ["auth_sessions", "notification_preferences", "notification_readers", "notification_reads", "privacy_consents"];
/// Whose rows are an organization's by their memberships, whatever they name: those who belong to it.
const BY_POLICY: [&str; 1] = ["auth_users"];

/// A table that holds rows of organizations.
pub struct Table {
    pub name: String,
    /// Whether each row names its organization; those of others are whose their parent is.
    pub is_owned: bool,
    pub is_passing: bool,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_owned: bool,
}

#[derive(diesel::QueryableByName)]
struct Edge {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    parent: String,
}

/// Every table of organizations, those that others refer to after those that do.
pub async fn tables(conn: &mut AsyncPgConnection) -> Result<Vec<Table>> {
    let walled = "SELECT p.tablename::text AS name, EXISTS (SELECT FROM information_schema.columns c \
            WHERE c.table_schema = 'public' AND c.table_name = p.tablename AND c.column_name = 'org_id') AS is_owned \
        FROM pg_policies p WHERE p.schemaname = 'public' AND p.policyname = 'tenant' ORDER BY 1";
    let references = "SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent \
        FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid";
    let mut left: Vec<Row> = diesel::sql_query(walled).load(conn).await?;
    let edges: Vec<Edge> = diesel::sql_query(references).load(conn).await?;
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_referred = |row: &Row| {
            edges.iter().any(|edge| edge.parent == row.name && left.iter().any(|other| other.name == edge.child))
        };
        // Tables that refer to each other in a circle go together, in the order of their names.
        let at = left.iter().position(|row| !is_referred(row)).unwrap_or(0);
        let row = left.remove(at);
        ordered.push(Table {
            is_passing: PASSING.contains(&row.name.as_str()),
            is_owned: row.is_owned && !BY_POLICY.contains(&row.name.as_str()),
            name: row.name,
        });
    }
    Ok(ordered)
}
