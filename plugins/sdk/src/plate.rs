use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Manifest, Photo, PluginError, geometry};

/// A position in the photo, in pixels from its top-left corner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// A part of a photo, in pixels from its top-left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl Rectangle {
    /// With room around it, as a share of its width and height on each side, within a photo of this size.
    pub fn widened(&self, share: f32, (width, height): (u32, u32)) -> Self {
        let reach = |from: f32, length: f32, most: u32| {
            let low = (from - share * length).clamp(0.0, most as f32);
            (low, ((from + (1.0 + share) * length).clamp(0.0, most as f32) - low).max(0.0))
        };
        let ((left, width), (top, height)) =
            (reach(self.left, self.width, width), reach(self.top, self.height, height));
        Self { left, top, width, height }
    }
}

/// Four corners of a plate: top-left, top-right, bottom-right, bottom-left as the plate is read.
pub type Quad = [Point; 4];

/// One character of a reading and how sure the model is of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CharacterReading {
    pub character: char,
    /// Probability from 0 to 1.
    pub confidence: f32,
}

/// One way to read a plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateText {
    /// Upper-case letters and digits only, for instance `AB123CD`.
    pub text: String,
    /// Probability from 0 to 1 that the whole text is right.
    pub confidence: f32,
    /// One entry per character of `text`.
    pub characters: Vec<CharacterReading>,
}

/// A plate seen in a photo, read or not: everything seen has to be masked, even when unreadable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateSighting {
    pub quad: Quad,
    /// Probability from 0 to 1 that this is a plate.
    pub score: f32,
    /// Likely texts, best first; empty when nothing could be read.
    pub readings: Vec<PlateText>,
}

/// Finds plates in a photo and reads them.
#[async_trait]
pub trait PlateReader: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// From this confidence on a reading may be used without asking a person. It belongs to the model:
    /// measured on labelled photos, so that few of the readings above it are wrong.
    fn accept_from(&self) -> f32;

    /// Whether it works on this machine, without sending photos anywhere.
    fn is_local(&self) -> bool {
        true
    }

    /// Itself, asking its service with the key of whoever's photo it is; none where it asks no service.
    fn with_key(&self, _key: &str) -> Option<Arc<dyn PlateReader>> {
        None
    }

    /// Whether it reads only with such a key.
    fn needs_key(&self) -> bool {
        false
    }

    /// Every plate in view, the most likely plate of the main car first. No plate is an empty list.
    ///
    /// # Errors
    /// See [`PluginError`].
    async fn read(&self, photo: &Photo) -> Result<Vec<PlateSighting>, PluginError>;

    /// What is still to be seen on a photo whose known plates are covered: a quicker [`Self::read`], good enough to
    /// find a plate that anybody could read.
    ///
    /// # Errors
    /// See [`PluginError`].
    async fn look_again(&self, covered: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        self.read(covered).await
    }
}

/// The readers of an installation, in the order in which they are asked. The first that is sure is believed;
/// the others are asked only when those before them failed, saw no plate or doubt.
#[derive(Clone)]
pub struct PlateReaders(Arc<[Arc<dyn PlateReader>]>);

/// What the readers made of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct PlateAnswer {
    /// Every plate in view, the most likely plate of the main car first.
    pub sightings: Vec<PlateSighting>,
    /// Who read it.
    pub manifest: Manifest,
    /// Whether that reader was sure enough for nobody to be asked.
    pub accepted: bool,
    /// Whether anybody has measured what that reader's confidence is worth; otherwise somebody is always asked.
    pub measured: bool,
    /// Readers that failed, with their reasons.
    pub failures: Vec<(String, PluginError)>,
}

impl PlateReaders {
    pub fn new(readers: Vec<Arc<dyn PlateReader>>) -> Self {
        Self(readers.into())
    }

    /// Those that work on this machine: photos go nowhere.
    pub fn local(&self) -> Self {
        Self(self.0.iter().filter(|reader| reader.is_local()).cloned().collect())
    }

    /// Those that may read the photos of somebody with this key, or with none.
    pub fn with_key(&self, key: Option<&str>) -> Self {
        let own = self.0.iter().filter_map(|reader| match key.and_then(|key| reader.with_key(key)) {
            None if reader.needs_key() => None,
            None => Some(reader.clone()),
            keyed => keyed,
        });
        Self(own.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn PlateReader>> {
        self.0.iter()
    }

    /// What any of the readers still sees, by [`PlateReader::look_again`].
    ///
    /// # Errors
    /// The last reader's error when all of them failed; [`PluginError::ModelUnavailable`] without any reader.
    pub async fn look_again(&self, covered: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        let mut error = PluginError::ModelUnavailable("no plate reader is configured".to_owned());
        let mut all: Option<Vec<PlateSighting>> = None;
        for reader in self.iter() {
            match reader.look_again(covered).await {
                Ok(sightings) => all.get_or_insert_default().extend(sightings),
                Err(e) => error = e,
            }
        }
        all.ok_or(error)
    }

    /// Asks the readers.
    ///
    /// # Errors
    /// The last reader's error when all of them failed; [`PluginError::ModelUnavailable`] without any reader.
    pub async fn read(&self, photo: &Photo) -> Result<PlateAnswer, PluginError> {
        let mut best: Option<PlateAnswer> = None;
        let mut error = PluginError::ModelUnavailable("no plate reader is configured".to_owned());
        let mut failures = Vec::new();
        for reader in self.iter() {
            let sightings = match reader.read(photo).await {
                Ok(sightings) => sightings,
                Err(e) => {
                    failures.push((reader.manifest().id.clone(), e.clone()));
                    // One that may answer later decides that it is tried again.
                    if failures.len() == 1 || error.is_lasting() {
                        error = e;
                    }
                    continue;
                }
            };
            let reading = sightings.first().and_then(|sighting| sighting.readings.first());
            let accepted = reading.is_some_and(|reading| reading.confidence >= reader.accept_from());
            let readable = |answer: &PlateAnswer| answer.sightings.first().is_some_and(|s| !s.readings.is_empty());
            let (manifest, measured) = (reader.manifest().clone(), reader.accept_from() <= 1.0);
            let answer = PlateAnswer { manifest, accepted, measured, sightings, failures: Vec::new() };
            best = Some(match best {
                Some(before) if !accepted && (readable(&before) || !readable(&answer)) => before.seeing(answer),
                Some(before) => answer.seeing(before),
                None => answer,
            });
            if accepted {
                break;
            }
        }
        best.map(|answer| PlateAnswer { failures, ..answer }).ok_or(error)
    }
}

impl PlateAnswer {
    /// Adds the plates that only another reader saw: they have to be hidden too. They are not the car's, because
    /// that is the first.
    fn seeing(mut self, other: Self) -> Self {
        for sighting in other.sightings {
            let middle = geometry::centre(&sighting.quad);
            if !self.sightings.iter().any(|own| geometry::contains(&own.quad, middle)) {
                self.sightings.push(sighting);
            }
        }
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::RgbImage;

    use super::*;

    /// Answers what it is told to, and says how sure it was.
    struct Fixed(Manifest, Result<Vec<PlateSighting>, ()>);

    #[async_trait]
    impl PlateReader for Fixed {
        fn manifest(&self) -> &Manifest {
            &self.0
        }

        fn accept_from(&self) -> f32 {
            0.9
        }

        async fn read(&self, _photo: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
            self.1.clone().map_err(|()| PluginError::Failed("broken".to_owned()))
        }
    }

    fn reader(id: &str, answer: Result<Vec<PlateSighting>, ()>) -> Arc<dyn PlateReader> {
        Arc::new(Fixed(Manifest { id: id.to_owned(), version: "1".to_owned(), models: Vec::new() }, answer))
    }

    fn sighting(left: f32, reading: Option<(&str, f32)>) -> PlateSighting {
        let quad = [(0.0, 0.0), (40.0, 0.0), (40.0, 10.0), (0.0, 10.0)].map(|(x, y)| Point { x: left + x, y });
        let text =
            |(text, confidence): (&str, f32)| PlateText { text: text.to_owned(), confidence, characters: Vec::new() };
        PlateSighting { quad, score: 0.9, readings: reading.map(text).into_iter().collect() }
    }

    async fn asked(readers: Vec<Arc<dyn PlateReader>>) -> Result<PlateAnswer, PluginError> {
        PlateReaders::new(readers).read(&Photo::from_rgb(RgbImage::new(100, 20))).await
    }

    #[tokio::test]
    async fn a_sure_reader_is_believed_and_the_next_not_asked() {
        let answer =
            asked(vec![reader("one", Ok(vec![sighting(0.0, Some(("AB123CD", 0.95)))])), reader("two", Err(()))]);
        let answer = answer.await.unwrap();
        assert_eq!((answer.manifest.id.as_str(), answer.accepted, answer.sightings.len()), ("one", true, 1));
    }

    #[tokio::test]
    async fn who_fails_or_doubts_is_followed_by_the_next() {
        let doubt = || Ok(vec![sighting(0.0, Some(("AB123CO", 0.5))), sighting(50.0, None)]);
        let sure = || Ok(vec![sighting(1.0, Some(("AB123CD", 0.95)))]);
        let answer =
            asked(vec![reader("broken", Err(())), reader("doubts", doubt()), reader("sure", sure())]).await.unwrap();
        assert_eq!((answer.manifest.id.as_str(), answer.accepted), ("sure", true));
        assert_eq!(answer.failures.len(), 1, "who failed is not forgotten");
        assert_eq!(answer.sightings.len(), 2, "what only the doubting one saw is hidden as well");
        let answer = asked(vec![reader("doubts", doubt()), reader("blind", Ok(Vec::new()))]).await.unwrap();
        assert_eq!((answer.manifest.id.as_str(), answer.accepted), ("doubts", false));
        let answer = asked(vec![reader("blind", Ok(Vec::new())), reader("doubts", doubt())]).await.unwrap();
        assert_eq!(answer.manifest.id, "doubts");
    }

    #[tokio::test]
    async fn without_an_answer_there_is_an_error() {
        assert!(matches!(asked(vec![reader("broken", Err(()))]).await, Err(PluginError::Failed(_))));
        assert!(matches!(asked(Vec::new()).await, Err(PluginError::ModelUnavailable(_))));
    }
}
