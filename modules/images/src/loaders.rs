use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model::{self, Cleaning};

/// Cleanings by organization and photo.
pub struct Cleanings;

impl Batch for Cleanings {
    type Key = (Uuid, Uuid);
    type Value = Cleaning;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Cleaning>> {
        let mut photos: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        keys.iter().for_each(|(org, photo)| photos.entry(*org).or_default().push(*photo));
        let mut conn = app.conn().await?;
        let mut cleanings = HashMap::with_capacity(keys.len());
        // One organization, nearly always.
        for (org, photos) in photos {
            let found = model::by_photos(&mut conn, org, &photos).await?;
            cleanings.extend(found.into_iter().map(|cleaning| ((org, cleaning.photo_id), cleaning)));
        }
        Ok(cleanings)
    }
}
