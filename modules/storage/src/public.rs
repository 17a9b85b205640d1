//! Addresses that anybody may open, for pictures on which somebody decided what to hide.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{App, Error, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::Object;
use crate::service;
use crate::signature::Signer;
use crate::tables::storage_objects::dsl;

/// That plates and faces were looked for on a picture, and what was hidden. Kept with the file.
///
/// Only who has looked may make one: an architecture test holds that to the module that cleans photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskingDecision {
    /// On whose behalf.
    pub cleaning_id: Uuid,
    pub plates_hidden: u32,
    pub faces_blurred: u32,
    pub decided_at: DateTime<Utc>,
}

/// An address that anybody may open. There is no way to one but through a [`MaskingDecision`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// None for a file without a decision.
    ///
    /// # Errors
    /// `INTERNAL` when the module is not set up.
    pub fn of(app: &App, object: &Object) -> Result<Option<Self>> {
        let Some(key) = object.public_key.as_deref().filter(|_| object.masking.is_some()) else { return Ok(None) };
        Ok(Some(Self(app.get::<Signer>()?.public(key))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stores a picture that may be seen by anybody, and gives it its address.
pub async fn put_masked(
    app: &App,
    org: Uuid,
    bytes: Vec<u8>,
    media_type: &'static str,
    size: (u32, u32),
    decision: &MaskingDecision,
) -> Result<Object> {
    let stored = service::put(app, org, bytes, media_type, Some(size)).await?;
    let key = rand::random::<[u8; 16]>();
    let mut conn = app.conn().await?;
    let masking = serde_json::to_value(decision).map_err(Error::internal)?;
    // The same picture keeps the address it has.
    let fresh = diesel::update(dsl::storage_objects.find(stored.id).filter(dsl::public_key.is_null()))
        .set((dsl::public_key.eq(hex::encode(key)), dsl::masking.eq(&masking)))
        .returning(Object::as_returning())
        .get_result(&mut conn)
        .await
        .optional()?;
    match fresh {
        Some(object) => Ok(object),
        None => Ok(diesel::update(dsl::storage_objects.find(stored.id))
            .set(dsl::masking.eq(&masking))
            .returning(Object::as_returning())
            .get_result(&mut conn)
            .await?),
    }
}

/// Takes the addresses of pictures away that were decided on for this cleaning, but for those given: nothing that
/// was replaced, perhaps because it showed too much, stays open to anybody.
pub async fn withdraw(conn: &mut AsyncPgConnection, org: Uuid, cleaning: Uuid, but: &[Uuid]) -> Result<usize> {
    let decided = diesel::dsl::sql::<diesel::sql_types::Bool>("masking ->> 'cleaning_id' = ")
        .bind::<diesel::sql_types::Text, _>(cleaning.to_string());
    let rows = dsl::storage_objects.filter(dsl::org_id.eq(org).and(dsl::public_key.is_not_null())).filter(decided);
    Ok(diesel::update(rows.filter(dsl::id.ne_all(but)))
        .set((dsl::public_key.eq(None::<String>), dsl::masking.eq(None::<serde_json::Value>)))
        .execute(conn)
        .await?)
}

/// Takes the addresses of these pictures away.
pub async fn withdraw_these(conn: &mut AsyncPgConnection, org: Uuid, ids: &[Uuid]) -> Result<usize> {
    Ok(diesel::update(dsl::storage_objects.filter(dsl::org_id.eq(org).and(dsl::id.eq_any(ids))))
        .set((dsl::public_key.eq(None::<String>), dsl::masking.eq(None::<serde_json::Value>)))
        .execute(conn)
        .await?)
}

/// Whatever its organization: anybody who knows the key may see it.
pub(crate) async fn by_key(app: &App, key: &str) -> Result<Object> {
    let mut conn = app.conn().await?;
    let found = dsl::storage_objects
        .filter(dsl::public_key.eq(key))
        .select(Object::as_select())
        .first(&mut conn)
        .await
        .optional()?;
    found.ok_or_else(crate::error::not_found)
}
