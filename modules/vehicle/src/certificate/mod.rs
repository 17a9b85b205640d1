//! Reads a registration certificate from a photo of it. The photo names its holder: it is deleted once it is read, and
//! of what it says only the facts of the car are kept.

mod job;
mod parse;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Actor, App, Env, Queue, Result, Right};
use keroxio_plugin_sdk::TextReader;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub use job::ReadCertificate;
pub use parse::{Certificate, parse};

use crate::error;
use crate::model::{self, Vehicle};
use crate::service;
use crate::tables::vehicle_certificates::{self, dsl};

/// What was read in one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadField {
    /// As printed: `A`, `D.1`, `P.3`.
    pub code: String,
    pub text: String,
    pub confidence: f64,
    /// The fact it became; none where it was not sure or could not be true.
    pub fact: Option<String>,
}

/// The last reading of a car's certificate.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = vehicle_certificates, treat_none_as_null = true)]
pub struct Reading {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
    /// The photo, until it is read.
    pub object_id: Option<Uuid>,
    /// `running`, `done` or `failed`.
    pub state: String,
    pub fields: Value,
    pub read_by: Option<String>,
    pub asked_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl Reading {
    pub fn fields(&self) -> Vec<ReadField> {
        serde_json::from_value(self.fields.clone()).unwrap_or_default()
    }
}

fn reader(app: &App) -> Result<Arc<dyn TextReader>> {
    app.get().map_err(|_| error::text_reader_missing())
}

/// # Errors
/// `CERTIFICATE_READER_NOT_CONFIGURED` where the operator has switched reading off; `NOT_FOUND`; those of an upload.
pub(crate) async fn start(app: &App, actor: &Actor, id: Uuid, bytes: Vec<u8>) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    if !app.get::<Switch>()?.0 {
        return Err(error::text_reader_missing());
    }
    service::fetch(app, actor.org_id, id).await?;
    app.admit(Queue::Inference, actor.org_id).await?;
    let object = keroxio_storage::service::upload_once(app, actor, bytes).await?;
    let mut tx = app.begin().await?;
    let mut vehicle = service::locked(&mut tx, actor.org_id, id).await?;
    vehicle.touch(app.now());
    model::save(&mut tx, &vehicle).await?;
    let before = last(&mut tx, id).await?.and_then(|reading| reading.object_id);
    if let Some(object) = before {
        keroxio_storage::service::remove(&mut tx, actor.org_id, object).await?;
    }
    let reading = Reading {
        vehicle_id: id,
        org_id: actor.org_id,
        object_id: Some(object.id),
        state: "running".to_owned(),
        fields: json!([]),
        read_by: None,
        asked_at: app.now(),
        ended_at: None,
    };
    save(&mut tx, &reading).await?;
    tx.enqueue(&ReadCertificate { vehicle_id: id, org_id: actor.org_id, object_id: object.id }).await?;
    tx.commit().await?;
    Ok(vehicle)
}

/// Whether this installation reads certificates. The API cannot ask the reader: workers have it.
#[derive(Clone, Copy)]
pub struct Switch(pub bool);

impl Switch {
    /// Off with `KEROXIO_CERTIFICATES=off`.
    pub fn from_env(env: &Env) -> Self {
        match env.optional("KEROXIO_CERTIFICATES").as_deref() {
            None | Some("on") => Self(true),
            Some("off") => Self(false),
            Some(other) => {
                env.problem(format!("KEROXIO_CERTIFICATES: {other:?} is neither on nor off"));
                Self(false)
            }
        }
    }
}

async fn save(conn: &mut AsyncPgConnection, row: &Reading) -> QueryResult<usize> {
    let insert = diesel::insert_into(vehicle_certificates::table).values(row);
    insert.on_conflict(dsl::vehicle_id).do_update().set(row).execute(conn).await
}

/// The last readings of some cars whose owners the caller has checked.
pub async fn last_of_all(conn: &mut AsyncPgConnection, vehicles: &[Uuid]) -> QueryResult<Vec<Reading>> {
    let found = vehicle_certificates::table.filter(dsl::vehicle_id.eq_any(vehicles));
    found.select(Reading::as_select()).load(conn).await
}

/// The last reading of a car whose owner the caller has checked.
pub async fn last(conn: &mut AsyncPgConnection, vehicle: Uuid) -> QueryResult<Option<Reading>> {
    vehicle_certificates::table.find(vehicle).select(Reading::as_select()).first(conn).await.optional()
}
