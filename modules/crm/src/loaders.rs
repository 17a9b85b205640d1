//! What lists of leads ask for lead by lead. The caller has checked whose leads they are.

use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::model::{self, Consent, Contact, Interaction, Mail, Move, Stage, Task};
use crate::stages;

/// Interactions of a lead that are shown with it.
const MOST_INTERACTIONS: i64 = 100;

/// Contacts by organization and id.
pub struct Contacts;

impl Batch for Contacts {
    type Key = (Uuid, Uuid);
    type Value = Contact;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Contact>> {
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = model::contacts_with(&mut *app.conn().await?, &ids).await?;
        let by_key = found.into_iter().map(|contact| ((contact.org_id, contact.id), contact));
        // A contact of another organization is none.
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}

/// Leads by organization and id.
pub struct Leads;

impl Batch for Leads {
    type Key = (Uuid, Uuid);
    type Value = model::Lead;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, model::Lead>> {
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = model::leads_with(&mut *app.conn().await?, &ids).await?;
        let by_key = found.into_iter().map(|lead| ((lead.org_id, lead.id), lead));
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}

/// The stages of an organization.
pub struct Stages;

impl Batch for Stages {
    type Key = Uuid;
    type Value = Vec<Stage>;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Stage>>> {
        let mut all: HashMap<Uuid, Vec<Stage>> = HashMap::new();
        for stage in model::stages_of_all(&mut *app.conn().await?, keys).await? {
            all.entry(stage.org_id).or_default().push(stage);
        }
        for org in keys {
            all.entry(*org).or_insert_with(|| stages::usual(*org));
        }
        Ok(all)
    }
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $row:ty, $key:ident, $read:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Batch for $name {
            type Key = Uuid;
            type Value = Vec<$row>;

            async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<$row>>> {
                let mut all: HashMap<Uuid, Vec<$row>> = HashMap::new();
                let mut conn = app.conn().await?;
                for row in $read(&mut conn, keys).await? {
                    all.entry(row.$key).or_default().push(row);
                }
                Ok(all)
            }
        }
    )*};
}

async fn latest(conn: &mut diesel_async::AsyncPgConnection, leads: &[Uuid]) -> diesel::QueryResult<Vec<Interaction>> {
    model::interactions_of_all(conn, leads, MOST_INTERACTIONS).await
}

lists! {
    /// Interactions of a lead, the latest first.
    Interactions: Interaction, lead_id, latest;
    /// Moves of a lead, the latest first.
    Moves: Move, lead_id, model::moves_of_all;
    /// Tasks of a lead, the first due first.
    Tasks: Task, lead_id, model::tasks_of_all;
    /// Mails that are kept of a lead.
    Mails: Mail, lead_id, model::mails_of_all;
    /// Consents of a contact, the latest first.
    Consents: Consent, contact_id, model::consents_of_all;
}
