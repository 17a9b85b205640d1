use async_trait::async_trait;
use image::{GrayImage, Luma};
use keroxio_plugin_sdk::{
    BackgroundRemover, CarFacts, CharacterReading, Manifest, Matte, Photo, PlateReader, PlateSighting, PlateText,
    PluginError, Point, PriceAnswer, PriceEstimator, PriceRange, Refusal,
};
use tokio::sync::mpsc;

fn manifest(id: &str) -> Manifest {
    Manifest { id: id.to_owned(), version: "test".to_owned(), models: Vec::new() }
}

/// Reads the same plate in the middle of every photo, or fails.
pub struct FakePlates {
    manifest: Manifest,
    answer: Result<Vec<PlateSighting>, String>,
    /// Told when a reading begins that will never end.
    begun: Option<mpsc::UnboundedSender<()>>,
}

impl FakePlates {
    pub fn reading(text: &str, confidence: f32) -> Self {
        let characters = text.chars().map(|character| CharacterReading { character, confidence }).collect();
        let reading = PlateText { text: text.to_owned(), confidence, characters };
        let quad = [(200.0, 200.0), (300.0, 200.0), (300.0, 230.0), (200.0, 230.0)].map(|(x, y)| Point { x, y });
        Self {
            manifest: manifest("fake-plates"),
            answer: Ok(vec![PlateSighting { quad, score: 0.99, readings: vec![reading] }]),
            begun: None,
        }
    }

    pub fn seeing_nothing() -> Self {
        Self { manifest: manifest("fake-plates"), answer: Ok(Vec::new()), begun: None }
    }

    /// Fails every time with this message.
    pub fn failing(message: &str) -> Self {
        Self { manifest: manifest("fake-plates"), answer: Err(message.to_owned()), begun: None }
    }

    /// Begins to read, says so, and never ends.
    pub fn waiting_for_ever() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (begun, beginnings) = mpsc::unbounded_channel();
        (Self { begun: Some(begun), ..Self::seeing_nothing() }, beginnings)
    }
}

#[async_trait]
impl PlateReader for FakePlates {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn accept_from(&self) -> f32 {
        0.9
    }

    async fn read(&self, _photo: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        if let Some(begun) = &self.begun {
            let _ = begun.send(());
            std::future::pending::<()>().await;
        }
        self.answer.clone().map_err(PluginError::Failed)
    }
}

/// Finds a car in the middle third of every photo.
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
        let inside = |x: u32, y: u32| (w / 3..2 * w / 3).contains(&x) && (h / 3..2 * h / 3).contains(&y);
        let alpha = GrayImage::from_fn(w, h, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]));
        Ok(Matte { alpha, coverage: 1.0 / 9.0, confidence: 1.0, found: true })
    }
}

/// Prices every Renault at 12,990 EUR less 10 EUR per 1,000 km, and refuses other makes.
pub struct FakePrices(Manifest);

impl FakePrices {
    pub fn new() -> Self {
        Self(manifest("fake-prices"))
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
        &self.0
    }

    async fn estimate(&self, cars: &[CarFacts], _explain: bool) -> Result<Vec<PriceAnswer>, PluginError> {
        let price = |car: &CarFacts| {
            if car.make != "Renault" {
                return PriceAnswer::Refused(Refusal::UnknownMake { make: car.make.clone() });
            }
            let mid = 12_990.0 - f64::from(car.mileage_km) / 100.0;
            let range = PriceRange { low: mid * 0.9, mid, high: mid * 1.1 };
            let data_until = car.valued_on;
            PriceAnswer::Estimate { range, confidence: 0.8, sample_size: 100, data_until, contributions: Vec::new() }
        };
        Ok(cars.iter().map(price).collect())
    }
}
