use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::files::Source;
use crate::look::Look;
use crate::tables::images_cleanings::{self, dsl};

/// What became of a photo.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = images_cleanings, treat_none_as_null = true)]
pub struct Cleaning {
    pub id: Uuid,
    pub org_id: Uuid,
    pub photo_id: Uuid,
    /// `waiting` (for the plate reading), `pending`, `done` or `failed`.
    pub state: String,
    pub cleaned_object: Option<Uuid>,
    pub masked_object: Option<Uuid>,
    pub car_found: Option<bool>,
    pub coverage: Option<f32>,
    pub confidence: Option<f32>,
    pub plates_masked: Option<i32>,
    pub manifest: Option<Value>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// The job that does it, or did it last.
    pub job_id: Option<Uuid>,
    /// What the cut-out is worth: `good`, `usable` or `rejected`.
    pub verdict: Option<String>,
    /// Why: a list of names.
    pub remarks: Value,
    /// The [`crate::look::Look`] that the renditions have or are to have.
    pub style: Value,
    /// From where the car was photographed, where that is told surely enough: a name.
    pub angle: Option<String>,
    pub angle_confidence: Option<f32>,
    pub faces_blurred: Option<i32>,
    /// The [`Look`] of the renditions that there are.
    pub drawn_style: Option<Value>,
    /// Whether the rendition is cut anew around the car.
    pub framed: Option<bool>,
    /// The [`crate::stage::Part`] of the photo that the rendition on the new ground shows.
    pub frame: Option<Value>,
}

impl Cleaning {
    pub fn waiting(org_id: Uuid, photo_id: Uuid, style: Value, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            org_id,
            photo_id,
            state: "waiting".to_owned(),
            cleaned_object: None,
            masked_object: None,
            car_found: None,
            coverage: None,
            confidence: None,
            plates_masked: None,
            manifest: None,
            error: None,
            created_at: now,
            finished_at: None,
            job_id: None,
            verdict: None,
            remarks: Value::Array(Vec::new()),
            style,
            angle: None,
            angle_confidence: None,
            faces_blurred: None,
            drawn_style: None,
            framed: None,
            frame: None,
        }
    }

    /// The rendition that is shown: the car on its new ground where there is one.
    pub fn shown(&self) -> Option<Uuid> {
        self.cleaned_object.or(self.masked_object)
    }

    /// Its pictures.
    pub fn renditions(&self) -> Vec<Uuid> {
        self.cleaned_object.into_iter().chain(self.masked_object).collect()
    }

    /// How one of its renditions came about.
    pub fn source_of(&self, rendition: Uuid) -> Source {
        if self.cleaned_object != Some(rendition) {
            Source::Altered
        } else if self.drawn_look().background_photo.is_some() {
            Source::Montage
        } else {
            Source::Composite
        }
    }

    /// How the renditions look that there are.
    pub fn drawn_look(&self) -> Look {
        Look::stored(self.drawn_style.as_ref().unwrap_or(&self.style))
    }

    pub fn is_finished(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed")
    }
}

/// The cleaning of this photo, locked; created when there is none. The flag says whether it is new.
pub async fn ensure(conn: &mut AsyncPgConnection, fresh: &Cleaning) -> QueryResult<(Cleaning, bool)> {
    let inserted = diesel::insert_into(dsl::images_cleanings)
        .values(fresh)
        .on_conflict(dsl::photo_id)
        .do_nothing()
        .execute(conn)
        .await?;
    let cleaning = dsl::images_cleanings
        .filter(dsl::photo_id.eq(fresh.photo_id))
        .select(Cleaning::as_select())
        .for_update()
        .first(conn)
        .await?;
    Ok((cleaning, inserted == 1))
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Cleaning>> {
    dsl::images_cleanings
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Cleaning::as_select())
        .first(conn)
        .await
        .optional()
}

pub async fn by_photo(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> QueryResult<Option<Cleaning>> {
    dsl::images_cleanings
        .filter(dsl::org_id.eq(org).and(dsl::photo_id.eq(photo)))
        .select(Cleaning::as_select())
        .first(conn)
        .await
        .optional()
}

pub async fn by_photos(conn: &mut AsyncPgConnection, org: Uuid, photos: &[Uuid]) -> QueryResult<Vec<Cleaning>> {
    dsl::images_cleanings
        .filter(dsl::org_id.eq(org).and(dsl::photo_id.eq_any(photos)))
        .select(Cleaning::as_select())
        .load(conn)
        .await
}

/// Those of these pictures that are renditions of another cleaning too: equal pictures are one file.
pub async fn shared(conn: &mut AsyncPgConnection, cleaning: Uuid, files: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    let shows = dsl::cleaned_object.eq_any(files).or(dsl::masked_object.eq_any(files));
    let others: Vec<Cleaning> = dsl::images_cleanings
        .filter(dsl::id.ne(cleaning))
        .filter(shows)
        .select(Cleaning::as_select())
        .load(conn)
        .await?;
    Ok(others.iter().flat_map(Cleaning::renditions).collect())
}

/// The angles told of these photos.
pub async fn angles(conn: &mut AsyncPgConnection, org: Uuid, photos: &[Uuid]) -> QueryResult<Vec<String>> {
    dsl::images_cleanings
        .filter(dsl::org_id.eq(org).and(dsl::photo_id.eq_any(photos)).and(dsl::angle.is_not_null()))
        .select(dsl::angle.assume_not_null())
        .load(conn)
        .await
}

/// For a job, which acts for the cleaning itself and not for a caller.
pub async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Cleaning>> {
    dsl::images_cleanings.find(id).select(Cleaning::as_select()).for_update().first(conn).await.optional()
}

pub async fn lock_waiting(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> QueryResult<Option<Cleaning>> {
    dsl::images_cleanings
        .filter(dsl::org_id.eq(org).and(dsl::photo_id.eq(photo)).and(dsl::state.eq("waiting")))
        .select(Cleaning::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn save(conn: &mut AsyncPgConnection, cleaning: &Cleaning) -> QueryResult<usize> {
    diesel::update(dsl::images_cleanings.find(cleaning.id)).set(cleaning).execute(conn).await
}
