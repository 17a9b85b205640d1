//! Who is signed in where: sessions, their refresh tokens, and what ends them.

use std::time::Duration as Patience;

use chrono::{DateTime, Duration, Utc};
use fred::prelude::KeysInterface as _;
use fred::types::Expiration;
use keroxio_core::{Actor, App, ClientAddress, Error, Result, Role, Tx};
use uuid::Uuid;

use crate::keys::{self, Bearer, Claims, Keys};
use crate::model::{self, Organization, RefreshToken, Session, User};
use crate::origin::Origin;
use crate::{error, secrets, trail};

/// Days for which a refresh token is good.
const DAYS: i64 = 30;
/// Longest wait for Redis.
const PATIENCE: Patience = Patience::from_millis(250);

/// An opened session.
pub struct Opened {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_at: DateTime<Utc>,
    pub user: User,
    pub organization: Organization,
    pub role: Role,
}

/// Signs somebody in to the organization they were in last, or else to their oldest.
pub async fn open(tx: &mut Tx, user: Uuid, origin: &Origin) -> Result<Opened> {
    let memberships = model::memberships(tx, user).await?;
    let last = model::user(tx, user).await?.map(|user| user.org_id);
    let chosen = memberships.iter().find(|(membership, _)| Some(membership.org_id) == last).or(memberships.first());
    let org = chosen.map(|(membership, _)| membership.org_id).ok_or_else(error::no_organization)?;
    let now = tx.app().now();
    let session = Session {
        id: Uuid::now_v7(),
        user_id: user,
        org_id: org,
        agent: origin.agent.clone(),
        network: origin.address.map(ClientAddress::network),
        created_at: now,
        seen_at: now,
        expires_at: now + Duration::days(DAYS),
        ended_at: None,
    };
    model::insert_session(tx, &session).await?;
    let mut step = trail::fresh(now, org, user, "logIn");
    step.network.clone_from(&session.network);
    trail::note_in(tx, &step).await?;
    issue(tx, &session).await
}

/// A new pair of tokens for a session.
async fn issue(tx: &mut Tx, session: &Session) -> Result<Opened> {
    let now = tx.app().now();
    let account = model::account(tx, session.user_id, session.org_id).await?;
    let (mut user, organization, role) = account.ok_or_else(error::invalid_refresh_token)?;
    let role = Role::named(&role).ok_or_else(|| Error::internal(anyhow::anyhow!("role {role}")))?;
    if user.org_id != organization.id {
        user.org_id = organization.id;
        // Nothing else of a row that is not locked.
        model::enter_organization(tx, user.id, organization.id).await?;
    }
    let bearer = Bearer {
        user: user.id,
        org: organization.id,
        session: session.id,
        role,
        staff: user.staff,
        held: organization.suspended_at.is_some(),
        guest: user.email.is_none(),
        by: None,
    };
    let issued = tx.app().get::<Keys>()?.issue(&bearer, now)?;
    let (refresh_token, token_hash) = secrets::fresh();
    let row = RefreshToken {
        id: Uuid::now_v7(),
        family_id: session.id,
        token_hash,
        expires_at: session.expires_at,
        used_at: None,
        created_at: now,
    };
    model::insert_refresh(tx, &row).await?;
    Ok(Opened { access_token: issued.token, refresh_token, expires_at: issued.expires_at, user, organization, role })
}

/// Exchanges a refresh token for a new pair, in another organization of theirs where one is named. A token that was
/// used before may be stolen: its session ends.
pub async fn refresh(app: &App, refresh_token: &str, org: Option<Uuid>, origin: &Origin) -> Result<Opened> {
    let now = app.now();
    let mut tx = app.begin().await?;
    let found = model::lock_refresh(&mut tx, &secrets::hash(refresh_token)).await?;
    let (stored, mut session) = found.ok_or_else(error::invalid_refresh_token)?;
    if stored.used_at.is_some() {
        model::end_session(&mut tx, session.user_id, session.id, now).await?;
        tx.commit().await?;
        disbelieve(app, session.user_id).await;
        return Err(error::invalid_refresh_token());
    }
    if session.ended_at.is_some() || stored.expires_at <= now {
        return Err(error::invalid_refresh_token());
    }
    model::mark_used(&mut tx, stored.id, now).await?;
    if let Some(org) = org.filter(|org| *org != session.org_id) {
        model::membership(&mut tx, org, session.user_id)
            .await?
            .ok_or_else(|| Error::not_found("Organisation", "Organization"))?;
        session.org_id = org;
    }
    session.seen_at = now;
    session.expires_at = now + Duration::days(DAYS);
    session.network = origin.address.map(ClientAddress::network).or(session.network);
    session.agent = origin.agent.clone().or(session.agent);
    model::save_session(&mut tx, &session).await?;
    let opened = issue(&mut tx, &session).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Ends the session this refresh token belongs to; an unknown token is already ended.
pub async fn log_out(app: &App, refresh_token: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let found = model::lock_refresh(&mut tx, &secrets::hash(refresh_token)).await?;
    let Some((_, session)) = found else { return Ok(()) };
    model::end_session(&mut tx, session.user_id, session.id, app.now()).await?;
    tx.commit().await?;
    disbelieve(app, session.user_id).await;
    Ok(())
}

/// The sessions of the caller that go on.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Session>> {
    actor.person()?;
    Ok(model::open_sessions(&mut *app.conn().await?, actor.user_id, app.now()).await?)
}

/// Ends one of the caller's sessions.
pub async fn revoke(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.person()?;
    let mut tx = app.begin().await?;
    if !model::end_session(&mut tx, actor.user_id, id, app.now()).await? {
        return Err(Error::not_found("Session", "Session"));
    }
    tx.commit().await?;
    disbelieve(app, actor.user_id).await;
    Ok(())
}

/// Ends all of the caller's sessions but the one they speak in; answers how many.
pub async fn revoke_others(app: &App, actor: &Actor) -> Result<usize> {
    let own = actor.person()?;
    let mut tx = app.begin().await?;
    let ended = model::end_sessions(&mut tx, actor.user_id, Some(own), app.now()).await?;
    tx.commit().await?;
    disbelieve(app, actor.user_id).await;
    Ok(ended)
}

fn stale_key(app: &App, user: Uuid) -> String {
    app.redis().key(&format!("auth:stale:{}", user.simple()))
}

/// Access tokens of a user that are about now count as expired: whoever holds a session that goes on renews theirs and
/// notices nothing, with the rights they have now. While Redis is away they are believed until they expire.
pub async fn disbelieve(app: &App, user: Uuid) {
    let (key, now) = (stale_key(app, user), app.now().timestamp_millis());
    let kept = Expiration::EX(keys::LIFETIME * 60);
    let set = app.redis().commands().set::<(), _, _>(key, now, Some(kept), None, false);
    if !matches!(tokio::time::timeout(PATIENCE, set).await, Ok(Ok(()))) {
        tracing::warn!("access tokens stay good until they expire: Redis is away");
    }
}

/// Whether something ended or changed since a token was issued.
pub async fn is_stale(app: &App, claims: &Claims) -> bool {
    // One of staff in the place of a member loses it with their own session.
    let users = [Some(claims.sub), claims.by].into_iter().flatten();
    let keys: Vec<String> = users.map(|user| stale_key(app, user)).collect();
    let since = app.redis().commands().mget::<Vec<Option<i64>>, _>(keys);
    match tokio::time::timeout(PATIENCE, since).await {
        Ok(Ok(since)) => since.into_iter().flatten().any(|since| claims.issued_ms < since),
        _ => false,
    }
}
