//! How an organization wants its photos to look.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Actor, App, Error, Result, Right};
use keroxio_plugin_sdk::{Photo, PlateReaders};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::cover::{Corners, Cover, Paint, mask_quads};
use crate::hiding;
use crate::render::{Style, head};
use crate::scene::Scene;
use crate::tables::images_presets::{self, dsl};

/// Stored with every cleaning, so that the same photo with the same look is no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub scene: Scene,
    pub plate_cover: Cover,
    /// Whether pictures are cut anew around the car, so that every car of a set has the same size and place.
    pub framed: bool,
    /// A photo of the organization that takes the place of the scene.
    pub background_photo: Option<Uuid>,
    pub logo_photo: Option<Uuid>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            scene: Scene::default(),
            plate_cover: Cover::default(),
            framed: true,
            background_photo: None,
            logo_photo: None,
        }
    }
}

impl Look {
    /// As stored; a look that no longer parses is the usual one.
    pub fn stored(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    pub fn to_stored(self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The look with its pictures, small enough to be kept while photos are drawn.
    pub async fn style(self, app: &App, org: Uuid) -> Result<Style> {
        Ok(Style {
            scene: self.scene,
            framed: self.framed,
            cover: self.plate_cover,
            background: picture(app, org, self.background_photo).await?,
            logo: picture(app, org, self.logo_photo).await?,
        })
    }
}

/// Longer side of a background or logo, in pixels, as it is used.
const PICTURE_SIDE: u32 = 2_048;

/// Pictures of looks that are kept, all organizations together: a set of photos in one look decodes its background and
/// looks for plates on it once.
const KEPT: usize = 4;

/// The pictures used last, the newest at the end.
#[derive(Clone, Default)]
pub(crate) struct Pictures(Arc<Mutex<Vec<(Uuid, Photo)>>>);

impl Pictures {
    fn kept(&self, id: Uuid) -> Option<Photo> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(of, _)| *of == id)?;
        let used = kept.remove(place);
        let photo = used.1.clone();
        kept.push(used);
        Some(photo)
    }

    fn keep(&self, id: Uuid, photo: &Photo) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, _)| *of != id);
        kept.push((id, photo.clone()));
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

/// A picture of the look, its plates and faces hidden; one that is gone is left out, kept or not.
async fn picture(app: &App, org: Uuid, id: Option<Uuid>) -> Result<Option<Photo>> {
    let Some(id) = id else { return Ok(None) };
    let pictures = app.get::<Pictures>()?;
    match keroxio_storage::service::get(app, org, id).await {
        Ok(_) => {}
        Err(e) if e.code() == keroxio_core::ErrorCode::NOT_FOUND => return Ok(None),
        Err(e) => return Err(e),
    }
    if let Some(kept) = pictures.kept(id) {
        return Ok(Some(kept));
    }
    let held = keroxio_storage::service::photo(app, org, id).await?;
    let small = tokio::task::spawn_blocking(move || crate::pixels::reduced_photo(&held, PICTURE_SIDE));
    let small = Photo::from_rgb(small.await.map_err(Error::internal)?);
    let faces = hiding::faces(app, &small, None).await.map_err(Error::internal)?.unwrap_or_default();
    let heads: Vec<Corners> = faces.iter().map(head).collect();
    let readers = app.get::<PlateReaders>()?.local();
    let seen = match readers.is_empty() {
        true => Vec::new(),
        false => readers.look_again(&small).await.map_err(Error::internal)?,
    };
    let quads: Vec<Corners> = seen.iter().map(|sighting| sighting.quad.map(|p| (p.x, p.y))).collect();
    let mut covered = small.rgb().clone();
    mask_quads(&mut covered, &heads, Paint::Blur);
    mask_quads(&mut covered, &quads, Paint::Solid);
    let covered = Photo::from_rgb(covered);
    pictures.keep(id, &covered);
    Ok(Some(covered))
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = images_presets, treat_none_as_null = true)]
struct Preset {
    org_id: Uuid,
    scene: String,
    plate_cover: String,
    framed: bool,
    background_photo: Option<Uuid>,
    logo_photo: Option<Uuid>,
    updated_at: chrono::DateTime<chrono::Utc>,
}

/// The look of an organization; the usual one until it has chosen.
pub async fn of(conn: &mut AsyncPgConnection, org: Uuid) -> Result<Look> {
    let row: Option<Preset> = dsl::images_presets.find(org).select(Preset::as_select()).first(conn).await.optional()?;
    Ok(row.map_or_else(Look::default, |row| Look {
        scene: serde_json::from_value(row.scene.into()).unwrap_or_default(),
        plate_cover: serde_json::from_value(row.plate_cover.into()).unwrap_or_default(),
        framed: row.framed,
        background_photo: row.background_photo,
        logo_photo: row.logo_photo,
    }))
}

/// [`of`] with a connection of its own.
pub async fn fetch(app: &App, org: Uuid) -> Result<Look> {
    let mut conn = app.conn().await?;
    of(&mut conn, org).await
}

/// Chooses the look of an organization.
///
/// # Errors
/// `NOT_FOUND` for a background or logo that is not a photo of the organization; `BAD_INPUT` for an inlay without a
/// logo.
pub async fn choose(app: &App, actor: &Actor, look: Look) -> Result<Look> {
    actor.may(Right::Stock)?;
    let pictures: Vec<Uuid> = look.background_photo.into_iter().chain(look.logo_photo).collect();
    keroxio_storage::service::require_photos(app, actor.org_id, &pictures).await?;
    if look.plate_cover == Cover::Inlay && look.logo_photo.is_none() {
        return Err(Error::bad_input(
            "Un cache-plaque au logo du garage demande un logo : indiquez logoPhotoId.",
            "A plate inlay shows the garage's logo: give logoPhotoId.",
        ));
    }
    let name = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let row = Preset {
        org_id: actor.org_id,
        scene: name(serde_json::to_value(look.scene).map_err(Error::internal)?),
        plate_cover: name(serde_json::to_value(look.plate_cover).map_err(Error::internal)?),
        framed: look.framed,
        background_photo: look.background_photo,
        logo_photo: look.logo_photo,
        updated_at: app.now(),
    };
    let mut conn = app.conn().await?;
    diesel::insert_into(dsl::images_presets)
        .values(&row)
        .on_conflict(dsl::org_id)
        .do_update()
        .set(&row)
        .execute(&mut conn)
        .await?;
    Ok(look)
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    #[test]
    fn the_pictures_used_last_are_kept() {
        let (pictures, ids) = (Pictures::default(), [(); KEPT + 1].map(|()| Uuid::new_v4()));
        for (id, width) in ids.iter().zip(1..) {
            pictures.keep(*id, &Photo::from_rgb(RgbImage::new(width, 1)));
            assert_eq!(pictures.kept(ids[0]).map(|photo| photo.width()), Some(1), "used again each time");
        }
        assert!(pictures.kept(ids[1]).is_none(), "the one not used for longest made room");
        assert_eq!(pictures.kept(ids[KEPT]).map(|photo| photo.width()), Some(KEPT as u32 + 1));
    }
}
