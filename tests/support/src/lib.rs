//! The harness of the story tests: a database of its own per test, real PostgreSQL, Redis and
//! HTTP, stand-ins for the inference plugins where inference is not the point.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fakes;

use std::sync::Arc;

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use keroxio_core::{App, AppBuilder, Env, worker};
use keroxio_plugin_sdk::{BackgroundRemover, PlateReader, PriceEstimator};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use fakes::{FakePlates, FakePrices, FakeRemover};

/// A running application with its own database.
pub struct TestApp {
    pub app: App,
    pub base: String,
    http: reqwest::Client,
    admin_url: String,
    database: String,
}

/// Someone with an account, or nobody.
pub struct Actor {
    http: reqwest::Client,
    base: String,
    pub token: String,
}

/// The answer to one GraphQL request.
#[derive(Debug)]
pub struct Answer(pub Value);

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make test`"))
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// The migrated database every test copies; made once per test process.
async fn template(admin_url: &str) -> String {
    let make = || async {
        let name = format!("template_{}", Uuid::now_v7().simple());
        execute(admin_url, &format!("CREATE DATABASE {name}")).await;
        let url = with_database(admin_url, &name);
        // The migrations block their thread, which a test's single-threaded runtime does not allow.
        let migrate = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(keroxio_api::migrate::apply(&url)).unwrap()
        };
        tokio::task::spawn_blocking(migrate).await.unwrap();
        name
    };
    TEMPLATE.get_or_init(make).await.clone()
}

fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

async fn execute(url: &str, sql: &str) {
    let mut conn = AsyncPgConnection::establish(url).await.unwrap();
    diesel::sql_query(sql).execute(&mut conn).await.unwrap();
}

/// Copying a template needs it to be idle, so copies are made one at a time.
static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A migrated database of its own: its address and its name.
pub async fn database() -> (String, String, String) {
    let admin_url = setting("DATABASE_URL");
    let template = template(&admin_url).await;
    let _turn = COPYING.lock().await;
    let name = format!("test_{}", Uuid::now_v7().simple());
    execute(&admin_url, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    (with_database(&admin_url, &name), admin_url, name)
}

impl TestApp {
    /// With stand-ins that read `YK-482-ZN` with certainty, find a car and price it at 12,990 EUR.
    pub async fn start() -> Self {
        Self::with(FakePlates::reading("YK482ZN", 0.99)).await
    }

    pub async fn with(plates: FakePlates) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (url, admin_url, database) = database().await;
        let env = Env::from_vars(
            [
                ("DATABASE_URL", url.as_str()),
                ("REDIS_URL", &setting("REDIS_URL")),
                ("KEROXIO_REDIS_PREFIX", &database),
                ("KEROXIO_DATABASE_POOL", "8"),
                ("KEROXIO_SECRET_KEY", "a secret for tests only, of enough characters"),
                ("KEROXIO_STORAGE_DIR", ":memory:"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let mut builder = AppBuilder::default();
        builder.provide::<Arc<dyn PlateReader>>(Arc::new(plates));
        builder.provide::<Arc<dyn BackgroundRemover>>(Arc::new(FakeRemover::new()));
        builder.provide::<Arc<dyn PriceEstimator>>(Arc::new(FakePrices::new()));
        let app = builder.start(&env, keroxio_schema::MODULES).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = keroxio_api::serve::serve_on(listener, app.clone());
        tokio::spawn(server);
        Self { app, base, http: reqwest::Client::new(), admin_url, database }
    }

    pub fn anonymous(&self) -> Actor {
        Actor { http: self.http.clone(), base: self.base.clone(), token: String::new() }
    }

    /// A new garage with one user, signed in.
    pub async fn garage(&self, name: &str) -> Actor {
        let mut actor = self.anonymous();
        let input = json!({ "email": format!("{name}@example.org"), "password": "correct horse battery",
            "organizationName": name, "organizationKind": "DEALER" });
        let answer = actor
            .run("mutation($i: RegisterInput!) { register(input: $i) { accessToken } }", json!({ "i": input }))
            .await;
        actor.token = answer.text("/register/accessToken");
        actor
    }

    /// Runs every due job, in order, until none is left.
    pub async fn run_jobs(&self) -> usize {
        worker::drain(&self.app).await.unwrap()
    }

    /// Ends the test: no job may be left or dead. Removes the database.
    pub async fn finish(self) {
        #[derive(diesel::QueryableByName)]
        struct Left {
            #[diesel(sql_type = diesel::sql_types::Text)]
            job: String,
        }
        let mut conn = self.app.conn().await.unwrap();
        let left: Vec<Left> = diesel::sql_query(
            "SELECT name || ' ' || state || ': ' || coalesce(last_error, '') AS job FROM core_jobs WHERE state <> 'done'",
        )
        .load(&mut conn)
        .await
        .unwrap();
        assert!(left.is_empty(), "jobs left: {:?}", left.iter().map(|l| &l.job).collect::<Vec<_>>());
        drop(conn);
        execute(&self.admin_url, &format!("DROP DATABASE {} WITH (FORCE)", self.database)).await;
    }
}

impl Actor {
    pub async fn run(&self, query: &str, variables: Value) -> Answer {
        let request =
            self.http.post(format!("{}/graphql", self.base)).json(&json!({ "query": query, "variables": variables }));
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        Answer(request.send().await.unwrap().json().await.unwrap())
    }

    /// Uploads by the GraphQL multipart request specification.
    pub async fn upload(&self, bytes: Vec<u8>) -> Answer {
        let operations = json!({ "query": "mutation($file: Upload!) { uploadPhoto(file: $file) { id url width height mediaType } }", "variables": { "file": null } });
        let form = reqwest::multipart::Form::new()
            .text("operations", operations.to_string())
            .text("map", r#"{"0":["variables.file"]}"#)
            .part("0", reqwest::multipart::Part::bytes(bytes).file_name("photo.jpg"));
        let request = self.http.post(format!("{}/graphql", self.base)).bearer_auth(&self.token).multipart(form);
        Answer(request.send().await.unwrap().json().await.unwrap())
    }

    pub async fn get(&self, url: &str) -> reqwest::Response {
        let path = url.find("/files/").map_or(url, |at| &url[at..]);
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap()
    }
}

impl Answer {
    /// The value at a JSON pointer below `data`; fails the test on an error.
    pub fn at(&self, pointer: &str) -> &Value {
        assert!(self.0.get("errors").is_none(), "{}", self.0);
        self.0["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", self.0))
    }

    pub fn text(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_else(|| panic!("{pointer} is no text in {}", self.0)).to_owned()
    }

    /// The code of the first error; fails the test when there is none.
    pub fn code(&self) -> &str {
        self.0
            .pointer("/errors/0/extensions/code")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no coded error in {}", self.0))
    }
}

/// A picture bundled with the tests.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
