use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model::{self, Estimate};

/// Estimates by organization and id.
pub struct Estimates;

impl Batch for Estimates {
    type Key = (Uuid, Uuid);
    type Value = Estimate;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Estimate>> {
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = model::with_ids(&mut *app.conn().await?, &ids).await?;
        let by_key = found.into_iter().map(|row| ((row.org_id, row.id), row.into()));
        // An estimate of another organization is none.
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}
