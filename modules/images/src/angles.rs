//! From where a car was photographed, and from where it still should be.

use std::sync::Arc;

use async_graphql::{Enum, SimpleObject};
use keroxio_core::metrics::inference;
use keroxio_core::{Actor, App, Result, Right};
use keroxio_plugin_sdk::{Angle, AngleFinder, Matte, Photo, Rectangle};
use uuid::Uuid;

use crate::model::Cleaning;
use crate::stage::Outline;

/// Three in a hundred photos are told less surely than this, and of the others three in a hundred wrongly; see
/// `plugins/images-ort/model/car-angle.json`.
const SURE_ANGLE: f32 = 0.6;

/// From where a car was photographed. Left and right are the car's own: in France its driver sits on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "PhotoAngle", remote = "Angle")]
pub enum PhotoAngle {
    /// Straight from the front.
    Front,
    /// Front and left side.
    FrontLeft,
    /// The left side.
    Left,
    /// Rear and left side.
    RearLeft,
    /// Straight from the rear.
    Rear,
    /// Rear and right side.
    RearRight,
    /// The right side.
    Right,
    /// Front and right side.
    FrontRight,
}

/// A view that buyers expect and that no photo of a set shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
pub struct MissingAngle {
    /// A photo from any of these fills the gap.
    angles: &'static [PhotoAngle],
    /// What to do, in French.
    advice_fr: &'static str,
    /// What to do, in English.
    advice_en: &'static str,
}

/// What a set of photos should show; a three-quarter view shows both of its sides. Our own choice, after what the
/// photo guides of portals ask sellers for.
const WANTED: [MissingAngle; 4] = [
    MissingAngle {
        angles: &[PhotoAngle::FrontLeft, PhotoAngle::FrontRight],
        advice_fr: "Ajoutez une vue de trois quarts avant : c'est celle que les acheteurs regardent d'abord.",
        advice_en: "Add a three-quarter view of the front: buyers look at it first.",
    },
    MissingAngle {
        angles: &[PhotoAngle::RearLeft, PhotoAngle::RearRight, PhotoAngle::Rear],
        advice_fr: "Ajoutez une vue de l'arrière, de préférence de trois quarts.",
        advice_en: "Add a view of the rear, preferably three-quarter.",
    },
    MissingAngle {
        angles: &[PhotoAngle::Left, PhotoAngle::FrontLeft, PhotoAngle::RearLeft],
        advice_fr: "Montrez le côté gauche, celui du conducteur.",
        advice_en: "Show the left side, the driver's.",
    },
    MissingAngle {
        angles: &[PhotoAngle::Right, PhotoAngle::FrontRight, PhotoAngle::RearRight],
        advice_fr: "Montrez le côté droit, celui du passager.",
        advice_en: "Show the right side, the passenger's.",
    },
];

/// What the caller's photos do not show, judged from their cleanings.
///
/// # Errors
/// `BAD_INPUT` for no photo or too many, `NOT_FOUND` for one that is not the caller's.
pub async fn of_set(app: &App, actor: &Actor, photos: &[Uuid]) -> Result<Vec<MissingAngle>> {
    actor.may(Right::Read)?;
    crate::service::check_count(photos)?;
    keroxio_storage::service::require_photos(app, actor.org_id, photos).await?;
    let mut conn = app.conn().await?;
    let named = crate::model::angles(&mut conn, actor.org_id, photos).await?;
    let shown: Vec<PhotoAngle> = named.iter().filter_map(|name| stored(name)).collect();
    Ok(missing(&shown))
}

/// What no photo of a set shows.
pub fn missing(shown: &[PhotoAngle]) -> Vec<MissingAngle> {
    let is_missing = |wanted: &MissingAngle| !wanted.angles.iter().any(|angle| shown.contains(angle));
    WANTED.into_iter().filter(is_missing).collect()
}

/// From where the car was photographed, where that is told surely enough. Not worth failing for.
pub async fn tell(app: &App, cleaning: &mut Cleaning, photo: &Photo, matte: &Matte) {
    (cleaning.angle, cleaning.angle_confidence) = (None, None);
    let (Ok(finder), Some(car)) = (app.get::<Arc<dyn AngleFinder>>(), rectangle(photo, matte)) else { return };
    match inference("images", &finder.manifest().id, finder.angle(photo, car)).await {
        Ok((angle, sure)) => {
            cleaning.angle_confidence = Some(sure);
            let name = serde_json::to_value(angle).ok();
            cleaning.angle = name.and_then(|n| n.as_str().map(str::to_owned)).filter(|_| sure >= SURE_ANGLE);
        }
        Err(e) => tracing::warn!(error = %e, "the angle of a photo was not told"),
    }
}

/// The rectangle of the car in the photo.
fn rectangle(photo: &Photo, matte: &Matte) -> Option<Rectangle> {
    let outline = Outline::of(&matte.alpha).filter(|_| matte.found)?;
    let across = photo.width() as f32 / matte.alpha.width() as f32;
    let down = photo.height() as f32 / matte.alpha.height() as f32;
    Some(Rectangle {
        left: outline.left * across,
        top: outline.top * down,
        width: (outline.right - outline.left + 1.0) * across,
        height: (outline.bottom - outline.top + 1.0) * down,
    })
}

/// As stored.
pub fn stored(name: &str) -> Option<PhotoAngle> {
    serde_json::from_value::<Angle>(name.into()).ok().map(PhotoAngle::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_three_quarter_views_across_show_the_whole_car() {
        use PhotoAngle::*;
        assert_eq!(missing(&[]), WANTED);
        assert_eq!(missing(&[FrontLeft, RearRight]), []);
        assert_eq!(missing(&[FrontLeft, RearLeft]), WANTED[3..]);
        assert_eq!(missing(&[Front, Rear]), [WANTED[0], WANTED[2], WANTED[3]]);
        assert_eq!(stored("front_left"), Some(FrontLeft));
        assert_eq!(stored("above"), None);
    }
}
