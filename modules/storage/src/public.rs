//! Addresses that anybody may open, for pictures on which somebody decided what to hide.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{App, Error, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::Object;
use crate::signature::Signer;
use crate::tables::storage_objects::dsl;

/// That plates, and faces unless the operator does not want it, were looked for on a picture, and what was hidden. Kept with the file.
///
/// Only who has looked may make one: an architecture test holds that to the module that cleans photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskingDecision {
    /// On whose behalf.
    pub cleaning_id: Uuid,
    pub plates_hidden: u32,
    /// Absent where no faces were looked for, by the operator's choice.
    pub faces_blurred: Option<u32>,
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

/// Opens files to anybody, by the decision they were drawn from. A file that is open already keeps its address.
///
/// Belongs into the transaction that makes them what is shown: until then nobody may see them.
pub async fn publish(conn: &mut AsyncPgConnection, org: Uuid, ids: &[Uuid], decision: &MaskingDecision) -> Result<()> {
    let masking = serde_json::to_value(decision).map_err(Error::internal)?;
    for id in ids {
        let key = hex::encode(rand::random::<[u8; 16]>());
        let kept = diesel::dsl::sql::<Nullable<Text>>("coalesce(public_key, ").bind::<Text, _>(key).sql(")");
        diesel::update(dsl::storage_objects.filter(dsl::org_id.eq(org).and(dsl::id.eq(id))))
            .set((dsl::public_key.eq(kept), dsl::masking.eq(&masking)))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Takes the addresses of files away, so that nothing that was replaced, perhaps because it showed too much, stays
/// open to anybody.
pub async fn withdraw(conn: &mut AsyncPgConnection, org: Uuid, ids: &[Uuid]) -> Result<usize> {
    Ok(diesel::update(dsl::storage_objects.filter(dsl::org_id.eq(org).and(dsl::id.eq_any(ids))))
        .set((dsl::public_key.eq(None::<String>), dsl::masking.eq(None::<serde_json::Value>)))
        .execute(conn)
        .await?)
}

/// Whether a file is open to anybody.
pub async fn is_public(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<bool> {
    let open = dsl::storage_objects.filter(dsl::org_id.eq(org).and(dsl::id.eq(id)).and(dsl::public_key.is_not_null()));
    Ok(diesel::select(diesel::dsl::exists(open)).get_result(conn).await?)
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
