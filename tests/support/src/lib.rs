//! The harness of the story tests: a database of its own per test, real PostgreSQL, Redis and
//! HTTP, stand-ins for the inference plugins where inference is not the point.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fakes;
mod setup;
mod stripe;
mod subscription;

use std::sync::Arc;

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use keroxio_core::{App, worker};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use fakes::{FakeAngles, FakeFaces, FakePlates, FakePrices, FakeRegistry, FakeRemover, FakeRewriter, Rewriting};
pub use setup::Setup;
pub use stripe::{FakeStripe, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, Truth, post_event, stripe_signature};
pub use subscription::Subscription;

/// A running application with its own database.
pub struct TestApp {
    pub app: App,
    pub base: String,
    http: reqwest::Client,
    database: TestDatabase,
}

/// Someone with an account, or nobody.
pub struct Actor {
    http: reqwest::Client,
    base: String,
    pub token: String,
}

/// A worker in a task of this test.
pub struct RunningWorker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// A worker of any process.
    pub fn of(app: App, concurrency: worker::Concurrency) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(worker::run(app, concurrency, stop.clone()));
        Self { stop, task }
    }

    /// Lets running jobs end, then stops.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// The answer to one GraphQL request.
#[derive(Debug)]
pub struct Answer(pub Value);

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make test`"))
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Runs migrations, which block their thread: a test's single-threaded runtime does not allow that.
pub async fn migrate<F>(work: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = anyhow::Result<()>>,
{
    let work = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(work()).unwrap();
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

/// The migrated database every test copies; made once per test process.
async fn template(admin_url: &str) -> String {
    let make = || async {
        let name = format!("template_{}", Uuid::now_v7().simple());
        execute(admin_url, &format!("CREATE DATABASE {name}")).await;
        let url = with_database(admin_url, &name);
        migrate(move || async move { keroxio_api::migrate::apply(&url, keroxio_schema::MODULES).await.map(drop) })
            .await;
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

/// A migrated database of its own.
pub struct TestDatabase {
    pub url: String,
    name: String,
    admin_url: String,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let admin_url = setting("DATABASE_URL");
        let template = template(&admin_url).await;
        let _turn = COPYING.lock().await;
        let name = format!("test_{}", Uuid::now_v7().simple());
        execute(&admin_url, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: with_database(&admin_url, &name), name, admin_url }
    }

    pub async fn drop(self) {
        execute(&self.admin_url, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

impl TestApp {
    /// With stand-ins that read `YK-482-ZN` with certainty, find a car and price it at 12,990 EUR.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    pub async fn with(plates: FakePlates) -> Self {
        Setup::default().plates(Arc::new(plates)).start().await
    }

    pub fn anonymous(&self) -> Actor {
        Actor { http: self.http.clone(), base: self.base.clone(), token: String::new() }
    }

    /// Whoever shows this token.
    pub fn holding(&self, token: String) -> Actor {
        Actor { token, ..self.anonymous() }
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

    /// Where its database is, for other programs.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    /// Somebody of the platform's staff, signed in.
    pub async fn staff(&self, name: &str) -> Actor {
        self.garage(name).await;
        let email = format!("{name}@example.org");
        let mut conn = self.app.conn().await.unwrap();
        assert!(keroxio_auth::service::set_staff(&mut conn, &email, true).await.unwrap());
        self.log_in(name).await
    }

    /// Somebody of [`Self::garage`], signed in anew.
    pub async fn log_in(&self, name: &str) -> Actor {
        let mut actor = self.anonymous();
        let log_in = "mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken } }";
        let answer =
            actor.run(log_in, json!({ "e": format!("{name}@example.org"), "p": "correct horse battery" })).await;
        actor.token = answer.text("/logIn/accessToken");
        actor
    }

    /// Somebody of [`Self::garage`], whose address is confirmed.
    pub async fn verified_garage(&self, name: &str) -> Actor {
        let garage = self.garage(name).await;
        let token = self.link_to(&format!("{name}@example.org")).await;
        garage.run("mutation($t: String!) { verifyEmail(token: $t) }", json!({ "t": token })).await.at("/verifyEmail");
        garage
    }

    /// Somebody else of a verified garage, who was invited and accepted.
    pub async fn member(&self, owner: &Actor, name: &str, role: &str) -> Actor {
        let email = format!("{name}@example.org");
        let invite = "mutation($e: String!, $r: Role!) { inviteMember(email: $e, role: $r) { id } }";
        owner.run(invite, json!({ "e": email, "r": role })).await.at("/inviteMember/id");
        let accept = "mutation($t: String!, $p: String!) { acceptInvitation(token: $t, password: $p) { accessToken } }";
        let mut actor = self.anonymous();
        let token = self.link_to(&email).await;
        let answer = actor.run(accept, json!({ "t": token, "p": "correct horse battery" })).await;
        actor.token = answer.text("/acceptInvitation/accessToken");
        actor
    }

    /// A program that acts for a verified garage.
    pub async fn program(&self, owner: &Actor, scopes: &[&str]) -> Actor {
        let create = "mutation($s: [Right!]!) { createApiKey(input: { name: \"Programme\", scopes: $s }) { secret } }";
        let answer = owner.run(create, json!({ "s": scopes })).await;
        self.holding(answer.text("/createApiKey/secret"))
    }

    /// The token of the link in the last letter to an address.
    pub async fn link_to(&self, email: &str) -> String {
        let query = format!(
            "SELECT plain AS text FROM email_messages WHERE recipient = '{email}' AND plain LIKE '%#token=%' ORDER BY id DESC LIMIT 1"
        );
        let letters = self.texts(&query).await;
        let letter = letters.into_iter().next().unwrap_or_else(|| panic!("no letter with a link to {email}"));
        let (_, after) = letter.split_once("#token=").unwrap();
        after.split_whitespace().next().unwrap().to_owned()
    }

    /// The kinds of all letters to an address, the oldest first.
    pub async fn letters_to(&self, email: &str) -> Vec<String> {
        let query = format!("SELECT kind AS text FROM email_messages WHERE recipient = '{email}' ORDER BY id");
        self.texts(&query).await
    }

    /// Starts a real worker: relay, Redis Streams and all. Stop it before the test ends.
    pub fn start_worker(&self) -> RunningWorker {
        self.start_worker_of(worker::Concurrency { default: 4, inference: 1, outbound: 4 })
    }

    pub fn start_worker_of(&self, concurrency: worker::Concurrency) -> RunningWorker {
        RunningWorker::of(self.app.clone(), concurrency)
    }

    /// Runs every due job, in order, until none is left.
    pub async fn run_jobs(&self) -> usize {
        worker::drain(&self.app).await.unwrap()
    }

    /// Loses every ticket of the job queues, as a Redis restarted empty does.
    pub async fn forget_tickets(&self) {
        self.app.forget_tickets().await.unwrap();
    }

    /// Ends the test: no job may be left or dead, and no file open to anybody that nothing shows. Removes the database.
    pub async fn finish(self) {
        let left = self
            .texts(
                "SELECT name || ' open: ' || history AS text FROM core_jobs \
                   UNION ALL SELECT name || ' dead: ' || history FROM core_jobs_ended WHERE outcome = 'dead'",
            )
            .await;
        assert!(left.is_empty(), "jobs left: {left:?}");
        let open = self
            .texts(
                "SELECT id::text AS text FROM storage_objects o WHERE public_key IS NOT NULL \
                   AND NOT EXISTS (SELECT FROM images_cleanings WHERE o.id IN (cleaned_object, masked_object)) \
                   AND NOT EXISTS (SELECT FROM images_variants WHERE object_id = o.id)",
            )
            .await;
        assert!(open.is_empty(), "open to anybody, shown by nothing: {open:?}");
        self.database.drop().await;
    }

    /// Does what a test's story needs of the database.
    pub async fn execute(&self, sql: &str) {
        diesel::sql_query(sql).execute(&mut self.app.conn().await.unwrap()).await.unwrap();
    }

    /// What PostgreSQL has against a statement of the test's own.
    pub async fn refused(&self, sql: &str) -> String {
        let done = diesel::sql_query(sql).execute(&mut self.app.conn().await.unwrap()).await;
        done.expect_err("the statement was carried out").to_string()
    }

    /// The column `text` of a query of the test's own.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            text: String,
        }
        let mut conn = self.app.conn().await.unwrap();
        let rows: Vec<Row> = diesel::sql_query(query).load(&mut conn).await.unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }
}

impl Actor {
    pub async fn run(&self, query: &str, variables: Value) -> Answer {
        let request =
            self.http.post(format!("{}/graphql", self.base)).json(&json!({ "query": query, "variables": variables }));
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        Answer(request.send().await.unwrap().json().await.unwrap())
    }

    /// The same person at another address.
    pub fn at(&self, base: &str) -> Self {
        Self { http: self.http.clone(), base: base.to_owned(), token: self.token.clone() }
    }

    /// Subscribes by the graphql-transport-ws protocol.
    pub async fn subscribe(&self, query: &str, variables: Value) -> Subscription {
        Subscription::open(&self.base, &self.token, query, variables).await
    }

    /// Uploads a photo.
    pub async fn upload(&self, bytes: Vec<u8>) -> Answer {
        let query = "mutation($file: Upload!) { uploadPhoto(file: $file) { id url width height mediaType } }";
        self.send(query, json!({}), bytes).await
    }

    /// Sends a file as `$file` by the GraphQL multipart request specification.
    pub async fn send(&self, query: &str, mut variables: Value, bytes: Vec<u8>) -> Answer {
        variables["file"] = Value::Null;
        let operations = json!({ "query": query, "variables": variables });
        let form = reqwest::multipart::Form::new()
            .text("operations", operations.to_string())
            .text("map", r#"{"0":["variables.file"]}"#)
            .part("0", reqwest::multipart::Part::bytes(bytes).file_name("file"));
        let request = self.http.post(format!("{}/graphql", self.base)).bearer_auth(&self.token).multipart(form);
        Answer(request.send().await.unwrap().json().await.unwrap())
    }

    /// A page of the application, by its path.
    pub async fn page(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn get(&self, url: &str) -> reqwest::Response {
        // The application believes itself at its usual address.
        let path = ["/files/", "/p/"].iter().find_map(|start| url.find(start)).map_or(url, |at| &url[at..]);
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

    /// All data of an answer, errors or not.
    pub fn data(&self) -> &Value {
        &self.0["data"]
    }

    /// The codes of all errors, `NO_CODE` for one without; none when there is no error.
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.0["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["extensions"]["code"].as_str().unwrap_or("NO_CODE")).collect()
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
