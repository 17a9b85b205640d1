use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_plugin_sdk::{PlateSighting, Quad};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::plates_readings::{self, dsl};

/// What was read on a photo.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = plates_readings, treat_none_as_null = true)]
pub struct Reading {
    pub id: Uuid,
    pub org_id: Uuid,
    pub photo_id: Uuid,
    /// `pending`, `done` or `failed`.
    pub state: String,
    pub text: Option<String>,
    pub confidence: Option<f32>,
    pub corrected: bool,
    pub sightings: Value,
    pub manifest: Option<Value>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// Whether the reader was sure enough for the text to be used without asking.
    pub accepted: bool,
    /// The job that reads it, or read it last.
    pub job_id: Option<Uuid>,
}

impl Reading {
    pub fn is_finished(&self) -> bool {
        self.state != "pending"
    }

    /// Every plate seen, the one that was read first.
    pub fn sightings(&self) -> Vec<PlateSighting> {
        serde_json::from_value(self.sightings.clone()).unwrap_or_default()
    }

    /// Corners of every plate seen, to be hidden.
    pub fn quads(&self) -> Vec<Quad> {
        self.sightings().into_iter().map(|s| s.quad).collect()
    }

    /// Whether the seller has to look at the text before it is used.
    pub fn needs_confirmation(&self) -> bool {
        self.text.is_some() && !self.corrected && !self.accepted
    }
}

/// The reading of this photo, locked; created when there is none. The flag says whether it is new.
pub async fn ensure(conn: &mut AsyncPgConnection, fresh: &Reading) -> QueryResult<(Reading, bool)> {
    let inserted = diesel::insert_into(dsl::plates_readings)
        .values(fresh)
        .on_conflict(dsl::photo_id)
        .do_nothing()
        .execute(conn)
        .await?;
    let reading = dsl::plates_readings
        .filter(dsl::photo_id.eq(fresh.photo_id))
        .select(Reading::as_select())
        .for_update()
        .first(conn)
        .await?;
    Ok((reading, inserted == 1))
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Reading>> {
    dsl::plates_readings
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Reading::as_select())
        .first(conn)
        .await
        .optional()
}

pub async fn by_photo(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> QueryResult<Option<Reading>> {
    dsl::plates_readings
        .filter(dsl::org_id.eq(org).and(dsl::photo_id.eq(photo)))
        .select(Reading::as_select())
        .first(conn)
        .await
        .optional()
}

/// For a job, which acts for the reading itself and not for a caller.
pub async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Reading>> {
    dsl::plates_readings.find(id).select(Reading::as_select()).for_update().first(conn).await.optional()
}

pub async fn save(conn: &mut AsyncPgConnection, reading: &Reading) -> QueryResult<usize> {
    diesel::update(dsl::plates_readings.find(reading.id)).set(reading).execute(conn).await
}
