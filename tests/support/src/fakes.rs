use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use async_trait::async_trait;
use image::{GrayImage, Luma};
use keroxio_plugin_sdk::{
    Angle, AngleFinder, BackgroundRemover, CarFacts, CarName, CharacterReading, Draft, Face, FaceFinder, Manifest,
    Matte, Photo, PlateReader, PlateSighting, PlateText, PluginError, Point, PriceAnswer, PriceEstimator, PriceRange,
    Rectangle, Refusal, RegisteredCar, RegistryError, RewriteError, TextRewriter, VehicleRegistry,
};
use tokio::sync::mpsc;

fn manifest(id: &str) -> Manifest {
    Manifest { id: id.to_owned(), version: "test".to_owned(), models: Vec::new() }
}

/// Reads the same plates at the same places of every photo, one at a time: the first that is not hidden. Or fails.
pub struct FakePlates {
    manifest: Manifest,
    /// What one photo after the other shows; the last stays.
    photos: Mutex<VecDeque<Result<Vec<PlateSighting>, String>>>,
    sees_through: bool,
    /// Told when a reading begins that will never end.
    begun: Option<mpsc::UnboundedSender<()>>,
}

impl FakePlates {
    pub fn reading(text: &str, confidence: f32) -> Self {
        Self::reading_in_turn(&[&[(text, confidence)]])
    }

    /// One photo after the other says this: texts with their confidences, best first.
    pub fn reading_in_turn(photos: &[&[(&str, f32)]]) -> Self {
        Self::of(photos.iter().map(|texts| Ok(vec![sighting(200.0, texts)])))
    }

    /// Sees a second plate only once the first is hidden.
    pub fn overlooking_one() -> Self {
        let plates = vec![sighting(200.0, &[("YK482ZN", 0.99)]), sighting(400.0, &[("FS938HA", 0.99)])];
        Self::of([Ok(plates)])
    }

    /// Reads the plate whatever lies on it.
    pub fn seeing_through_covers() -> Self {
        Self { sees_through: true, ..Self::reading("FS938HA", 0.99) }
    }

    pub fn seeing_nothing() -> Self {
        Self::of([Ok(Vec::new())])
    }

    /// Fails every time with this message.
    pub fn failing(message: &str) -> Self {
        Self::of([Err(message.to_owned())])
    }

    /// Begins to read, says so, and never ends.
    pub fn waiting_for_ever() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (begun, beginnings) = mpsc::unbounded_channel();
        (Self { begun: Some(begun), ..Self::seeing_nothing() }, beginnings)
    }

    fn of(photos: impl IntoIterator<Item = Result<Vec<PlateSighting>, String>>) -> Self {
        Self {
            manifest: manifest("fake-plates"),
            photos: Mutex::new(photos.into_iter().collect()),
            sees_through: false,
            begun: None,
        }
    }
}

/// A plate 100 pixels wide; the last character is the least sure.
fn sighting(left: f32, texts: &[(&str, f32)]) -> PlateSighting {
    let quad = [(0.0, 200.0), (100.0, 200.0), (100.0, 230.0), (0.0, 230.0)].map(|(x, y)| Point { x: left + x, y });
    let reading = |(text, confidence): &(&str, f32)| {
        let sure = |place: usize| if place + 1 == text.len() { confidence * 0.9 } else { *confidence };
        let character = |(place, character)| CharacterReading { character, confidence: sure(place) };
        PlateText {
            text: (*text).to_owned(),
            confidence: *confidence,
            characters: text.chars().enumerate().map(character).collect(),
        }
    };
    PlateSighting { quad, score: 0.99, readings: texts.iter().map(reading).collect() }
}

#[async_trait]
impl PlateReader for FakePlates {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn accept_from(&self) -> f32 {
        0.9
    }

    async fn read(&self, photo: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        if let Some(begun) = &self.begun {
            let _ = begun.send(());
            std::future::pending::<()>().await;
        }
        let mut photos = self.photos.lock().unwrap();
        let plates = photos.front().cloned().unwrap_or(Ok(Vec::new())).map_err(PluginError::Failed)?;
        let (hidden, visible): (Vec<_>, Vec<_>) =
            plates.into_iter().partition(|plate| !self.sees_through && is_covered(photo, plate));
        // A photo whose plate is hidden is one that was looked at before.
        if hidden.is_empty() && photos.len() > 1 {
            photos.pop_front();
        }
        Ok(visible.into_iter().take(1).collect())
    }
}

/// Whether an even surface lies where the plate is: nobody reads that.
fn is_covered(photo: &Photo, sighting: &PlateSighting) -> bool {
    let (from, to) = (sighting.quad[0], sighting.quad[2]);
    let places = (from.y as u32..to.y as u32).flat_map(|y| (from.x as u32..to.x as u32).map(move |x| (x, y)));
    let mut pixels = places.filter_map(|(x, y)| photo.rgb().get_pixel_checked(x, y));
    let first = pixels.next();
    first.is_some() && pixels.all(|pixel| Some(pixel) == first)
}

/// Finds a car that fills nearly all of every photo: a body with a cabin on it.
pub struct FakeRemover(Manifest);

impl FakeRemover {
    pub fn new() -> Self {
        Self(manifest("fake-remover"))
    }
}

impl Default for FakeRemover {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl BackgroundRemover for FakeRemover {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    async fn matte(&self, photo: &Photo) -> Result<Matte, PluginError> {
        let (w, h) = (photo.width(), photo.height());
        let within = |at: u32, length: u32, from: u32, to: u32| (length * from..length * to).contains(&(100 * at));
        let body = |x, y| within(x, w, 3, 97) && within(y, h, 12, 95);
        let cabin = |x, y| within(x, w, 35, 65) && within(y, h, 4, 12);
        let alpha = GrayImage::from_fn(w, h, |x, y| Luma([if body(x, y) || cabin(x, y) { 255 } else { 0 }]));
        Ok(Matte { alpha, coverage: 0.8, confidence: 1.0, found: true })
    }
}

/// Says the same angle of every photo.
pub struct FakeAngles(Manifest, Angle, f32);

impl FakeAngles {
    pub fn saying(angle: Angle, sure: f32) -> Self {
        Self(manifest("fake-angles"), angle, sure)
    }
}

#[async_trait]
impl AngleFinder for FakeAngles {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    async fn angle(&self, _photo: &Photo, _car: Rectangle) -> Result<(Angle, f32), PluginError> {
        Ok((self.1, self.2))
    }
}

/// Sees the same faces in every photo.
pub struct FakeFaces(Manifest, Vec<Face>);

impl FakeFaces {
    pub fn seeing(faces: &[Face]) -> Self {
        Self(manifest("fake-faces"), faces.to_vec())
    }
}

#[async_trait]
impl FaceFinder for FakeFaces {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    async fn faces(&self, _photo: &Photo) -> Result<Vec<Face>, PluginError> {
        Ok(self.1.clone())
    }
}

/// Prices every Renault at 12,990 EUR less 10 EUR per 1,000 km, and refuses other makes.
pub struct FakePrices {
    manifest: Manifest,
    /// What the market is worth of its usual level, in percent.
    level: AtomicU32,
}

impl FakePrices {
    pub fn new() -> Self {
        Self { manifest: manifest("fake-prices"), level: AtomicU32::new(100) }
    }

    /// From now on, prices are this many percent of what they were at first.
    pub fn set_level(&self, percent: u32) {
        self.level.store(percent, Ordering::SeqCst);
    }
}

impl Default for FakePrices {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl PriceEstimator for FakePrices {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn estimate(&self, cars: &[CarFacts], _explain: bool) -> Result<Vec<PriceAnswer>, PluginError> {
        let price = |car: &CarFacts| {
            if car.make != "Renault" {
                return PriceAnswer::Refused(Refusal::UnknownMake { make: car.make.clone() });
            }
            let level = f64::from(self.level.load(Ordering::SeqCst)) / 100.0;
            let mid = (12_990.0 - f64::from(car.mileage_km) / 100.0) * level;
            let range = PriceRange { low: mid * 0.9, mid, high: mid * 1.1 };
            let data_until = car.valued_on;
            PriceAnswer::Estimate {
                range,
                confidence: 0.8,
                sample_size: 100,
                data_until,
                contributions: Vec::new(),
                name: CarName { make: car.make.to_lowercase(), model: car.model.to_lowercase() },
                remarks: Vec::new(),
            }
        };
        Ok(cars.iter().map(price).collect())
    }
}

/// A register that knows one car, for whoever brings the right credential, and counts its questions.
pub struct FakeRegistry {
    manifest: Manifest,
    plate: String,
    car: RegisteredCar,
    pub asked: AtomicUsize,
}

impl FakeRegistry {
    pub const CREDENTIAL: &str = "the credential";

    pub fn knowing(plate: &str, car: RegisteredCar) -> Self {
        Self { manifest: manifest("fake-registry"), plate: plate.to_owned(), car, asked: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl VehicleRegistry for FakeRegistry {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn cost_cents(&self) -> u32 {
        25
    }

    async fn look_up(&self, plate: &str, credential: &str) -> Result<Option<RegisteredCar>, RegistryError> {
        if credential != Self::CREDENTIAL {
            return Err(RegistryError::Refused("403".to_owned()));
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok((plate == self.plate).then(|| self.car.clone()))
    }
}

/// What a language model makes of a draft.
pub type Rewriting = fn(&Draft) -> Result<String, RewriteError>;

/// A language model that answers as it is told, one draft after the other; the last way stays.
pub struct FakeRewriter {
    manifest: Manifest,
    answers: Mutex<VecDeque<Rewriting>>,
    /// What it was sent.
    pub drafts: Mutex<Vec<Draft>>,
}

impl FakeRewriter {
    pub fn answering(answers: &[Rewriting]) -> Self {
        let answers = Mutex::new(answers.iter().copied().collect());
        Self { manifest: manifest("fake-rewriter"), answers, drafts: Mutex::default() }
    }
}

#[async_trait]
impl TextRewriter for FakeRewriter {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn rewrite(&self, draft: &Draft) -> Result<String, RewriteError> {
        self.drafts.lock().unwrap().push(draft.clone());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
        answer.unwrap()(draft)
    }
}
