use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::tables::auth_sites;

/// A place where an organization sells.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = auth_sites, treat_none_as_null = true)]
pub struct Site {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub street: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    pub created_at: DateTime<Utc>,
}

pub async fn sites(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Site>> {
    auth_sites::table
        .filter(auth_sites::org_id.eq(org))
        .order((auth_sites::name, auth_sites::id))
        .select(Site::as_select())
        .load(conn)
        .await
}

pub async fn site(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Site>> {
    let site = auth_sites::table.find(id).filter(auth_sites::org_id.eq(org));
    site.select(Site::as_select()).first(conn).await.optional()
}

pub async fn insert_site(conn: &mut AsyncPgConnection, site: &Site) -> QueryResult<usize> {
    diesel::insert_into(auth_sites::table).values(site).execute(conn).await
}

pub async fn lock_site(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Site>> {
    auth_sites::table
        .find(id)
        .filter(auth_sites::org_id.eq(org))
        .select(Site::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn save_site(conn: &mut AsyncPgConnection, site: &Site) -> QueryResult<usize> {
    diesel::update(auth_sites::table.find(site.id)).set(site).execute(conn).await
}

pub async fn delete_site(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<bool> {
    let site = auth_sites::table.find(id).filter(auth_sites::org_id.eq(org));
    Ok(diesel::delete(site).execute(conn).await? == 1)
}
