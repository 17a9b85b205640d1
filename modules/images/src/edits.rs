//! What was done to a photo on the way to its rendition, for its seller and its buyers to know.

use async_graphql::{Enum, SimpleObject};

use crate::look::Look;
use crate::model::Cleaning;
use crate::scene::Scene;

/// Something done to a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "PhotoEditKind")]
pub enum EditKind {
    /// Where, when and with what it was taken is no longer in the file.
    MetadataRemoved,
    /// Plates are covered.
    PlatesHidden,
    /// Faces of people are blurred.
    FacesBlurred,
    /// The ground behind and under the car is another one.
    BackgroundReplaced,
    /// The background is transparent.
    BackgroundRemoved,
    /// A shadow was drawn under the car.
    ShadowDrawn,
    /// The car's reflection was drawn on the floor.
    ReflectionDrawn,
    /// The picture is cut anew around the car.
    Framed,
    /// A logo was printed beside the car.
    LogoPrinted,
}

/// Something done to a photo, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
#[graphql(name = "PhotoEdit")]
pub struct Edit {
    /// What was done.
    pub kind: EditKind,
    /// How many plates or faces; null for anything else.
    pub count: Option<i32>,
    /// In words, in French.
    pub text_fr: &'static str,
    /// In words, in English.
    pub text_en: &'static str,
}

impl EditKind {
    fn once(self) -> Edit {
        self.counted(None)
    }

    fn counted(self, count: Option<i32>) -> Edit {
        let (text_fr, text_en) = match self {
            Self::MetadataRemoved => {
                ("Métadonnées (date, lieu, appareil) retirées", "Metadata (date, place, device) removed")
            }
            Self::PlatesHidden => ("Plaques masquées", "Plates hidden"),
            Self::FacesBlurred => ("Visages floutés", "Faces blurred"),
            Self::BackgroundReplaced => ("Arrière-plan et sol remplacés", "Background and floor replaced"),
            Self::BackgroundRemoved => ("Arrière-plan retiré", "Background removed"),
            Self::ShadowDrawn => ("Ombre ajoutée sous la voiture", "Shadow added under the car"),
            Self::ReflectionDrawn => ("Reflet ajouté sur le sol", "Reflection added on the floor"),
            Self::Framed => ("Recadrage autour de la voiture", "Framed anew around the car"),
            Self::LogoPrinted => ("Logo ajouté", "Logo added"),
        };
        Edit { kind: self, count, text_fr, text_en }
    }
}

/// What was done for the rendition that is shown: the car on its new ground where there is one.
pub fn edits(cleaning: &Cleaning) -> Vec<Edit> {
    if cleaning.masked_object.is_none() {
        return Vec::new();
    }
    let mut edits = vec![EditKind::MetadataRemoved.once()];
    let mut counted = |kind: EditKind, count: Option<i32>| {
        if count.is_some_and(|count| count > 0) {
            edits.push(kind.counted(count));
        }
    };
    counted(EditKind::PlatesHidden, cleaning.plates_masked);
    counted(EditKind::FacesBlurred, cleaning.faces_blurred);
    if cleaning.cleaned_object.is_some() {
        let look = Look { framed: cleaning.framed == Some(true), ..cleaning.drawn_look() };
        edits.extend(grounds(&look).map(EditKind::once));
    }
    edits
}

fn grounds(look: &Look) -> impl Iterator<Item = EditKind> {
    let is_scene = look.background_photo.is_none();
    if is_scene && look.scene == Scene::Transparent {
        return [Some(EditKind::BackgroundRemoved), None, None, None, None].into_iter().flatten();
    }
    [
        Some(EditKind::BackgroundReplaced),
        Some(EditKind::ShadowDrawn),
        (is_scene && look.scene.gloss() > 0.0).then_some(EditKind::ReflectionDrawn),
        look.framed.then_some(EditKind::Framed),
        look.logo_photo.is_some().then_some(EditKind::LogoPrinted),
    ]
    .into_iter()
    .flatten()
}

/// What stays true whatever was done, in French and in English: proved by `stage_tests.rs`.
pub const FIDELITY_FR: &str = "Les pixels de la voiture sont ceux de la photo : seuls ses contours, ses plaques et les visages visibles ont été retouchés.";
pub const FIDELITY_EN: &str =
    "The pixels of the car are those of the photo: only its rim, its plates and visible faces were touched.";

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn cleaning(look: &Look, cleaned: bool) -> Cleaning {
        let mut cleaning = Cleaning::waiting(Uuid::nil(), Uuid::nil(), json!(look), chrono::DateTime::UNIX_EPOCH);
        cleaning.masked_object = Some(Uuid::nil());
        cleaning.cleaned_object = cleaned.then(Uuid::nil);
        cleaning.plates_masked = Some(2);
        cleaning.faces_blurred = Some(0);
        cleaning.framed = Some(look.framed);
        cleaning
    }

    fn kinds(cleaning: &Cleaning) -> Vec<EditKind> {
        edits(cleaning).iter().map(|edit| edit.kind).collect()
    }

    #[test]
    fn the_list_says_what_was_done_and_nothing_else() {
        use EditKind::*;
        let studio = Look { logo_photo: Some(Uuid::nil()), ..Look::default() };
        assert_eq!(
            kinds(&cleaning(&studio, true)),
            [MetadataRemoved, PlatesHidden, BackgroundReplaced, ShadowDrawn, ReflectionDrawn, Framed, LogoPrinted]
        );
        let bare = Look { scene: Scene::Transparent, ..Look::default() };
        assert_eq!(kinds(&cleaning(&bare, true)), [MetadataRemoved, PlatesHidden, BackgroundRemoved]);
        let own = Look { background_photo: Some(Uuid::nil()), framed: false, ..Look::default() };
        assert_eq!(kinds(&cleaning(&own, true)), [MetadataRemoved, PlatesHidden, BackgroundReplaced, ShadowDrawn]);
        assert_eq!(kinds(&cleaning(&studio, false)), [MetadataRemoved, PlatesHidden], "the original ground is kept");
        assert_eq!(edits(&cleaning(&studio, true))[1].count, Some(2));
        let mut cut = cleaning(&studio, true);
        cut.framed = Some(false);
        assert!(!kinds(&cut).contains(&Framed), "a car that the photo cuts is not framed anew");
    }
}
