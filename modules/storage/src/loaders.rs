use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model::{self, Object};

/// Objects by organization and id.
pub struct Objects;

impl Batch for Objects {
    type Key = (Uuid, Uuid);
    type Value = Object;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Object>> {
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = model::with_ids(&mut *app.conn().await?, &ids).await?;
        let by_key = found.into_iter().map(|object| ((object.org_id, object.id), object));
        // An object of another organization is none.
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}
