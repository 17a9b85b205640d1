//! Keys of integrators' programs.

use chrono::{DateTime, Duration, Utc};
use keroxio_core::{Actor, App, Credential, Error, ErrorCode, Limits, Result, Right, Rights};
use uuid::Uuid;

use crate::model::{self, ApiKey};
use crate::{accounts, error, secrets};

/// How every key begins, so that scanners for leaked secrets find it.
pub const PREFIX: &str = "kx_";
/// Most keys of an organization that work.
const MAX_KEYS: usize = 50;
/// What a key may never be given: people answer for these.
const NEVER: [Right; 2] = [Right::Members, Right::Own];
/// How long a key goes on beside the one that takes its place.
const OVERLAP: Duration = Duration::hours(24);
/// The last use is noted this often at most.
const NOTED: Duration = Duration::minutes(1);

/// What a key is made of.
pub struct NewKey {
    pub name: String,
    pub scopes: Vec<Right>,
    pub expires_at: Option<DateTime<Utc>>,
    pub capacity: Option<u32>,
    pub per_second: Option<u32>,
}

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<ApiKey>> {
    actor.may(Right::Settings)?;
    Ok(model::keys(&mut *app.conn().await?, actor.org_id).await?)
}

/// Makes a key; answers it with the text that is shown once.
pub async fn create(app: &App, actor: &Actor, new: NewKey) -> Result<(ApiKey, String)> {
    actor.may(Right::Settings)?;
    actor.person()?;
    let name = crate::organizations::checked_name(&new.name)?;
    let (scopes, now) = (checked_scopes(actor, &new.scopes)?, app.now());
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::bad_input("expiresAt doit être dans l'avenir.", "expiresAt must lie in the future."));
    }
    accounts::require_verified(app, actor).await?;
    let points = |given: Option<u32>| given.map(|points| i32::try_from(points.max(1)).unwrap_or(i32::MAX));
    let (text, key_hash) = fresh();
    let key = ApiKey {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        name,
        prefix: text.chars().take(PREFIX.len() + 6).collect(),
        key_hash,
        scopes,
        cost_capacity: points(new.capacity),
        cost_per_second: points(new.per_second),
        created_by: actor.user_id,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let mut tx = app.begin().await?;
    model::lock_organization(&mut tx, actor.org_id).await?;
    if usize::try_from(model::valid_keys(&mut tx, actor.org_id, app.now()).await?).unwrap_or(MAX_KEYS) >= MAX_KEYS {
        return Err(error::too_many("clés d'API", "API keys", MAX_KEYS));
    }
    model::insert_key(&mut tx, &key).await?;
    tx.commit().await?;
    Ok((key, text))
}

fn fresh() -> (String, String) {
    let text = format!("{PREFIX}{}", secrets::fresh().0);
    let hash = secrets::hash(&text);
    (text, hash)
}

/// Nobody gives a key what they may not do themselves.
fn checked_scopes(actor: &Actor, scopes: &[Right]) -> Result<Vec<String>> {
    if scopes.is_empty() {
        return Err(Error::bad_input("Une clé a au moins un droit.", "A key has at least one right."));
    }
    if let Some(never) = scopes.iter().find(|scope| NEVER.contains(scope)) {
        let name = never.name();
        return Err(Error::bad_input(
            format!("Une clé ne peut pas avoir le droit {name} : il est réservé aux personnes."),
            format!("A key cannot have the right {name}: it is for people only."),
        ));
    }
    scopes.iter().try_for_each(|scope| actor.may(*scope))?;
    let mut names: Vec<String> = scopes.iter().map(|scope| scope.name().to_owned()).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Makes a key of the same rights; the old one goes on for a day, so that programs can be changed over.
pub async fn rotate(app: &App, actor: &Actor, id: Uuid) -> Result<(ApiKey, String)> {
    actor.may(Right::Settings)?;
    actor.person()?;
    let mut tx = app.begin().await?;
    model::lock_organization(&mut tx, actor.org_id).await?;
    if usize::try_from(model::valid_keys(&mut tx, actor.org_id, app.now()).await?).unwrap_or(MAX_KEYS) >= MAX_KEYS {
        return Err(error::too_many("clés d'API", "API keys", MAX_KEYS));
    }
    let old = model::lock_key(&mut tx, actor.org_id, id).await?.filter(|key| works(key, app.now()));
    let old = old.ok_or_else(no_key)?;
    let rights = scopes_of(&old);
    rights.iter().try_for_each(|right| actor.may(right))?;
    let until = app.now() + OVERLAP;
    model::expire_key(&mut tx, old.id, old.expires_at.map_or(until, |at| at.min(until))).await?;
    let (text, key_hash) = fresh();
    let key = ApiKey {
        id: Uuid::now_v7(),
        prefix: text.chars().take(PREFIX.len() + 6).collect(),
        key_hash,
        created_by: actor.user_id,
        created_at: app.now(),
        last_used_at: None,
        ..old
    };
    model::insert_key(&mut tx, &key).await?;
    tx.commit().await?;
    Ok((key, text))
}

/// Ends a key at once.
pub async fn revoke(app: &App, actor: &Actor, id: Uuid) -> Result<ApiKey> {
    actor.may(Right::Settings)?;
    actor.person()?;
    let mut tx = app.begin().await?;
    let mut key = model::lock_key(&mut tx, actor.org_id, id).await?.ok_or_else(no_key)?;
    if key.revoked_at.is_none() {
        key.revoked_at = Some(app.now());
        model::revoke_key(&mut tx, key.id, app.now()).await?;
    }
    tx.commit().await?;
    Ok(key)
}

fn no_key() -> Error {
    Error::not_found("Clé d'API", "API key")
}

fn works(key: &ApiKey, now: DateTime<Utc>) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now)
}

fn scopes_of(key: &ApiKey) -> Rights {
    let rights: Vec<Right> = key.scopes.iter().filter_map(|name| Right::named(name)).collect();
    Rights::of(&rights)
}

/// Whose key this is.
pub async fn authenticate(app: &App, text: &str) -> std::result::Result<Actor, ErrorCode> {
    if text.len() != PREFIX.len() + secrets::LENGTH {
        return Err(ErrorCode::UNAUTHENTICATED);
    }
    let found = async {
        let mut conn = app.conn().await?;
        let key = model::key_by_hash(&mut conn, &secrets::hash(text)).await?.filter(|(key, _)| works(key, app.now()));
        if let Some((key, _)) = &key
            && key.last_used_at.is_none_or(|last| app.now() - last >= NOTED)
        {
            model::key_used(&mut conn, key.id, app.now()).await?;
        }
        Ok::<_, Error>(key)
    };
    let key = found.await.map_err(|e| {
        tracing::error!("an API key could not be looked up: {e}");
        ErrorCode::UNAVAILABLE
    })?;
    let (key, held) = key.ok_or(ErrorCode::UNAUTHENTICATED)?;
    let rights = scopes_of(&key);
    Ok(Actor {
        user_id: key.created_by,
        org_id: key.org_id,
        credential: Credential::ApiKey(key.id),
        rights: if held.is_some() { rights.suspended() } else { rights },
        limits: limits_of(app, &key),
        is_guest: false,
        staff: false,
    })
}

/// Those of its own, where it has any; what is not said of them is as for its organization.
fn limits_of(app: &App, key: &ApiKey) -> Option<Limits> {
    let usual = Limits::of(app, true);
    let own = |points: Option<i32>, usual: u32| points.and_then(|p| u32::try_from(p).ok()).unwrap_or(usual);
    (key.cost_capacity.is_some() || key.cost_per_second.is_some()).then(|| Limits {
        capacity: own(key.cost_capacity, usual.capacity),
        per_second: own(key.cost_per_second, usual.per_second),
    })
}
