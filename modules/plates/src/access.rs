//! The key with which an organization has its photos read by somebody else's service. Without it no photo of theirs goes
//! there, unless the operator of the installation pays for all of them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Actor, App, Env, Result, Right, Sealer};
use uuid::Uuid;

use crate::error;
use crate::tables::plates_access::{self, dsl};

const LONGEST_KEY: usize = 500;

/// Seals their keys.
#[derive(Clone)]
pub struct Vault(Sealer);

impl Vault {
    pub fn from_env(env: &Env) -> Self {
        Self(Sealer::from_env(env, "plates"))
    }
}

/// The service of this installation, if it has one.
#[derive(Clone, Default)]
pub struct Service(Option<String>);

impl Service {
    /// The host of `KEROXIO_REMOTE_PLATES_URL`, where `KEROXIO_PLATES_READERS` names `remote`.
    pub fn read(env: &Env) -> Self {
        let readers = env.optional("KEROXIO_PLATES_READERS").unwrap_or_default();
        let is_asked = readers.split(',').any(|name| name.trim() == "remote");
        let address = env.optional("KEROXIO_REMOTE_PLATES_URL").filter(|_| is_asked);
        Self(address.map(|address| {
            let host = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
            host.split(['/', ':', '?', '#']).next().unwrap_or_default().to_owned()
        }))
    }

    fn name(app: &App) -> Result<String> {
        app.get::<Self>()?.0.ok_or_else(error::reader_not_configured)
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = plates_access, treat_none_as_null = true)]
pub struct Key {
    pub org_id: Uuid,
    pub sealed: String,
    pub since: DateTime<Utc>,
    pub refused_at: Option<DateTime<Utc>>,
}

/// What an organization has of the service.
pub struct Standing {
    pub service: String,
    pub key: Key,
}

impl Key {
    pub fn open(&self, app: &App) -> Result<String> {
        app.get::<Vault>()?.0.open(self.org_id, &self.sealed)
    }

    /// Notes that the service refused this very key.
    pub async fn refuse(&self, app: &App) -> Result<()> {
        let this = dsl::plates_access.filter(dsl::org_id.eq(self.org_id).and(dsl::sealed.eq(&self.sealed)));
        diesel::update(this).set(dsl::refused_at.eq(app.now())).execute(&mut *app.conn().await?).await?;
        Ok(())
    }
}

async fn find(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Option<Key>> {
    plates_access::table.find(org).select(Key::as_select()).first(conn).await.optional()
}

/// The key of an organization, unless it was refused: it is asked with no more until it is set again.
pub(crate) async fn usable(app: &App, org: Uuid) -> Result<Option<Key>> {
    Ok(find(&mut *app.conn().await?, org).await?.filter(|key| key.refused_at.is_none()))
}

/// # Errors
/// `PLATE_READER_NOT_CONFIGURED`; `BAD_INPUT` for a key that can be none.
pub(crate) async fn set(app: &App, actor: &Actor, key: &str) -> Result<Standing> {
    actor.may(Right::Settings)?;
    let service = Service::name(app)?;
    let key = key.trim();
    if !(1..=LONGEST_KEY).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(error::reader_key());
    }
    let sealed = app.get::<Vault>()?.0.seal(actor.org_id, key)?;
    let key = Key { org_id: actor.org_id, sealed, since: app.now(), refused_at: None };
    let insert = diesel::insert_into(plates_access::table).values(&key);
    insert.on_conflict(dsl::org_id).do_update().set(&key).execute(&mut *app.conn().await?).await?;
    Ok(Standing { service, key })
}

/// Whether there was one.
pub(crate) async fn remove(app: &App, actor: &Actor) -> Result<bool> {
    actor.may(Right::Settings)?;
    let removed = diesel::delete(plates_access::table.find(actor.org_id)).execute(&mut *app.conn().await?).await?;
    Ok(removed > 0)
}

pub(crate) async fn standing(app: &App, actor: &Actor) -> Result<Option<Standing>> {
    actor.may(Right::Read)?;
    let Ok(service) = Service::name(app) else { return Ok(None) };
    let key = find(&mut *app.conn().await?, actor.org_id).await?;
    Ok(key.map(|key| Standing { service, key }))
}
