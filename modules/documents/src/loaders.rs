//! What lists of papers ask for paper by paper. The caller has checked whose they are.

use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model;
use crate::sellers::{self, Settings};

/// What credit notes took back of an invoice, in cents.
pub struct Credited;

impl Batch for Credited {
    type Key = Uuid;
    type Value = i64;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, i64>> {
        let mut sums = HashMap::new();
        for (invoice, cents) in model::credited(&mut *app.conn().await?, keys).await? {
            *sums.entry(invoice).or_default() += cents;
        }
        Ok(sums)
    }
}

/// Sellers by organization.
pub struct Sellers;

impl Batch for Sellers {
    type Key = Uuid;
    type Value = Settings;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Settings>> {
        let mut all = HashMap::new();
        let mut conn = app.conn().await?;
        // A request is of one organization.
        for org in keys {
            all.insert(*org, sellers::of(&mut conn, *org).await?);
        }
        Ok(all)
    }
}
