use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_plugin_sdk::{PlateSighting, Quad};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::plates_readings::{self, dsl};
use crate::tables::{plates_examples, plates_examples::dsl as examples};

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
    pub corrected_at: Option<DateTime<Utc>>,
    /// Whether it is known what the reader's confidence is worth.
    pub measured: bool,
}

/// What a seller said a plate is, kept with consent.
#[derive(Debug, Clone, Insertable, AsChangeset)]
#[diesel(table_name = plates_examples, treat_none_as_null = true)]
pub struct Example {
    pub reading_id: Uuid,
    pub org_id: Uuid,
    pub photo_id: Uuid,
    /// What the model had read.
    pub read_text: Option<String>,
    pub text: String,
    pub manifest: Option<Value>,
    pub created_at: DateTime<Utc>,
    pub keep_until: DateTime<Utc>,
}

impl Reading {
    pub fn is_finished(&self) -> bool {
        self.state != "pending"
    }

    /// Every plate seen, the one that was read first.
    pub fn sightings(&self) -> Vec<PlateSighting> {
        serde_json::from_value(self.sightings.clone()).unwrap_or_default()
    }

    /// What the plate of the main car may be, best first, with probabilities.
    pub fn texts(&self) -> Vec<(String, f32)> {
        let first = self.sightings().into_iter().next();
        first.into_iter().flat_map(|s| s.readings).map(|reading| (reading.text, reading.confidence)).collect()
    }

    /// Corners of every plate seen, to be hidden.
    pub fn quads(&self) -> Vec<Quad> {
        self.sightings().into_iter().map(|s| s.quad).collect()
    }

    /// The text the model would choose, whatever the seller said since.
    pub fn read_text(&self) -> Option<String> {
        self.sightings().into_iter().next()?.readings.into_iter().next().map(|reading| reading.text)
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

/// Readings of some photos, of any organization: the caller looks whose they are.
pub async fn of_photos(conn: &mut AsyncPgConnection, photos: &[Uuid]) -> QueryResult<Vec<Reading>> {
    dsl::plates_readings.filter(dsl::photo_id.eq_any(photos)).select(Reading::as_select()).load(conn).await
}

/// For a job, which acts for the reading itself and not for a caller.
pub async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Reading>> {
    dsl::plates_readings.find(id).select(Reading::as_select()).for_update().first(conn).await.optional()
}

pub async fn save(conn: &mut AsyncPgConnection, reading: &Reading) -> QueryResult<usize> {
    diesel::update(dsl::plates_readings.find(reading.id)).set(reading).execute(conn).await
}

pub async fn keep_example(conn: &mut AsyncPgConnection, example: &Example) -> QueryResult<usize> {
    diesel::insert_into(examples::plates_examples)
        .values(example)
        .on_conflict(examples::reading_id)
        .do_update()
        .set(example)
        .execute(conn)
        .await
}

pub async fn drop_example(conn: &mut AsyncPgConnection, reading: Uuid) -> QueryResult<usize> {
    diesel::delete(examples::plates_examples.find(reading)).execute(conn).await
}

pub async fn drop_examples_until(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(examples::plates_examples.filter(examples::keep_until.le(now))).execute(conn).await
}
