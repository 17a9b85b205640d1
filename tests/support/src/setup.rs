use std::sync::{Arc, LazyLock};

use async_graphql::Executor;
use keroxio_api::ops::Metrics;
use keroxio_core::{App, AppBuilder, Env, Module};
use keroxio_plugin_sdk::{
    Angle, AngleFinder, BackgroundRemovers, FaceFinder, PlateReader, PlateReaders, PriceEstimator, TextReader,
    TextRewriter, VehicleRegistry,
};
use tokio_util::sync::CancellationToken;

use crate::{FakeAngles, FakeFaces, FakePlates, FakePrices, FakeRemover, TestApp, TestDatabase, migrate, setting};

/// One recorder serves all applications of a process.
#[allow(clippy::expect_used)]
static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::install().expect("nobody else installs one"));

/// What a test application is made of; stand-ins where nothing else is said.
pub struct Setup {
    plates: PlateReaders,
    images: BackgroundRemovers,
    angles: Arc<dyn AngleFinder>,
    faces: Option<Arc<dyn FaceFinder>>,
    prices: Arc<dyn PriceEstimator>,
    registry: Option<Arc<dyn VehicleRegistry>>,
    rewriter: Option<Arc<dyn TextRewriter>>,
    texts: Option<Arc<dyn TextReader>>,
    settings: Vec<(String, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            plates: PlateReaders::new(vec![Arc::new(FakePlates::reading("YK482ZN", 0.99))]),
            images: BackgroundRemovers::new(vec![Arc::new(FakeRemover::new())]),
            angles: Arc::new(FakeAngles::saying(Angle::FrontLeft, 0.95)),
            faces: Some(Arc::new(FakeFaces::seeing(&[]))),
            prices: Arc::new(FakePrices::new()),
            registry: None,
            rewriter: None,
            texts: None,
            settings: Vec::new(),
        }
    }
}

impl Setup {
    pub fn plates(self, plates: Arc<dyn PlateReader>) -> Self {
        self.readers(PlateReaders::new(vec![plates]))
    }

    pub fn readers(mut self, readers: PlateReaders) -> Self {
        self.plates = readers;
        self
    }

    pub fn images(mut self, images: BackgroundRemovers) -> Self {
        self.images = images;
        self
    }

    pub fn angles(mut self, angles: Arc<dyn AngleFinder>) -> Self {
        self.angles = angles;
        self
    }

    pub fn faces(mut self, faces: Arc<dyn FaceFinder>) -> Self {
        self.faces = Some(faces);
        self
    }

    /// As with `KEROXIO_FACES=off`.
    pub fn without_faces(mut self) -> Self {
        self.faces = None;
        self
    }

    pub fn prices(mut self, prices: Arc<dyn PriceEstimator>) -> Self {
        self.prices = prices;
        self
    }

    pub fn registry(mut self, registry: Arc<dyn VehicleRegistry>) -> Self {
        self.registry = Some(registry);
        self
    }

    pub fn rewriter(mut self, rewriter: Arc<dyn TextRewriter>) -> Self {
        self.rewriter = Some(rewriter);
        self
    }

    pub fn texts(mut self, texts: Arc<dyn TextReader>) -> Self {
        self.texts = Some(texts);
        self
    }

    /// A setting as the environment would give it; it wins over the usual one of tests.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn start(self) -> TestApp {
        self.start_composed(keroxio_schema::MODULES, keroxio_schema::build).await
    }

    /// An application of other modules than ours alone.
    pub async fn start_composed<S: Executor>(
        self,
        modules: &'static [&'static dyn Module],
        schema: impl FnOnce(App) -> S,
    ) -> TestApp {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await;
        let url = database.url.clone();
        migrate(move || async move { keroxio_api::migrate::apply(&url, modules).await.map(drop) }).await;
        let (app, base) = self.serve(&database, modules, schema).await;
        TestApp { app, base, http: reqwest::Client::new(), database }
    }

    /// Another process of the same installation, with a clock of its own; answers its address too.
    pub async fn beside(self, app: &TestApp) -> (App, String) {
        self.serve(&app.database, keroxio_schema::MODULES, keroxio_schema::build).await
    }

    async fn serve<S: Executor>(
        self,
        database: &TestDatabase,
        modules: &'static [&'static dyn Module],
        schema: impl FnOnce(App) -> S,
    ) -> (App, String) {
        let env = self.env(database);
        let mut builder = AppBuilder::default();
        builder.provide(self.plates);
        builder.provide(self.images);
        builder.provide(self.angles);
        if let Some(faces) = self.faces {
            builder.provide(faces);
        }
        builder.provide(self.prices);
        if let Some(registry) = self.registry {
            builder.provide(registry);
        }
        if let Some(texts) = self.texts {
            builder.provide(texts);
        }
        if let Some(rewriter) = self.rewriter {
            builder.provide(rewriter);
        }
        keroxio_api::serve::provide_http(&env, &mut builder);
        keroxio_api::serve::provide_selector(&mut builder);
        let app = builder.start(&env, modules).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = keroxio_api::serve::router(app.clone(), schema(app.clone()), modules, Some(METRICS.clone()));
        tokio::spawn(keroxio_api::listen::listen(listener, router, CancellationToken::new()));
        (app, base)
    }

    fn env(&self, database: &TestDatabase) -> Env {
        let usual = [
            ("DATABASE_URL", database.url.as_str()),
            ("REDIS_URL", &setting("REDIS_URL")),
            ("KEROXIO_REDIS_PREFIX", database.name.as_str()),
            ("KEROXIO_DATABASE_POOL", "8"),
            ("KEROXIO_DATABASE_POOL_IDLE", "0"),
            ("KEROXIO_SECRET_KEY", "a secret for tests only, of enough characters"),
            ("KEROXIO_STORAGE_DIR", ":memory:"),
            // Tests ask for much in a short time; those of the limits set their own.
            ("KEROXIO_COST_CAPACITY", "100000000"),
            ("KEROXIO_ANONYMOUS_COST_CAPACITY", "100000000"),
        ];
        let usual = usual.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Env::from_vars(usual.into_iter().chain(self.settings.iter().cloned()))
    }
}
