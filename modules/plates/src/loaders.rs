use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model::{self, Reading};

/// Readings by organization and photo.
pub struct Readings;

impl Batch for Readings {
    type Key = (Uuid, Uuid);
    type Value = Reading;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Reading>> {
        let photos: Vec<Uuid> = keys.iter().map(|(_, photo)| *photo).collect();
        let found = model::of_photos(&mut *app.conn().await?, &photos).await?;
        let by_key = found.into_iter().map(|reading| ((reading.org_id, reading.photo_id), reading));
        // A reading of another organization is none.
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}
