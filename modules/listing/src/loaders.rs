//! What lists of listings ask for one by one. The caller has checked whose listings they are.

use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model::{self, Ad, Step};
use crate::rewriting::{self, Rewriting};

/// Steps of a listing, in order.
pub struct Steps;

impl Batch for Steps {
    type Key = Uuid;
    type Value = Vec<Step>;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Step>>> {
        let mut steps: HashMap<Uuid, Vec<Step>> = HashMap::new();
        for step in model::steps_of_all(&mut *app.conn().await?, keys).await? {
            steps.entry(step.listing_id).or_default().push(step);
        }
        Ok(steps)
    }
}

/// Photos of a listing, in the seller's order.
pub struct Photos;

impl Batch for Photos {
    type Key = Uuid;
    type Value = Vec<Uuid>;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
        let mut photos: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for (listing, photo) in model::photos_of_all(&mut *app.conn().await?, keys).await? {
            photos.entry(listing).or_default().push(photo);
        }
        Ok(photos)
    }
}

/// Listings by organization and id.
pub struct Ads;

impl Batch for Ads {
    type Key = (Uuid, Uuid);
    type Value = Ad;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Ad>> {
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = model::with_ids(&mut *app.conn().await?, &ids).await?;
        let by_key = found.into_iter().map(|ad| ((ad.org_id, ad.id), ad));
        // A listing of another organization is none.
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}

/// The last rewriting of a listing.
pub struct Rewritings;

impl Batch for Rewritings {
    type Key = Uuid;
    type Value = Rewriting;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Rewriting>> {
        let found = rewriting::last_of_all(&mut *app.conn().await?, keys).await?;
        Ok(found.into_iter().map(|row| (row.listing_id, row)).collect())
    }
}
