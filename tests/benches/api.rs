//! What the API costs: the nested list (20 newest ads with their car and three photos each) beside one hand-written
//! `json_agg` statement behind the same HTTP, in one process and interleaved, and beside GraphQL Yoga and PostGraphile in
//! processes of their own (`peers/`); then what an idle subscription weighs, and what one event to all of them takes.
//! `make bench-api`; with `ARGS=subscriptions` the last part alone.
//!
//! The client is this program once more, as a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::routing::post;
use futures_util::{SinkExt as _, StreamExt as _};
use keroxio_core::App;
use keroxio_test_support::{Actor, TestApp};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// The server's own.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LIST: &str = "{ listings(first: 20) { nodes { id title createdAt price { amount } \
    vehicle { id make model version mileageKm fuel plate } photos { id original { width height bytes } } } } }";
/// The same rows and columns in one statement.
const RAW: &str = "SELECT coalesce(json_agg(t), '[]')::text AS text FROM (SELECT a.id, a.title, a.created_at, a.price_eur, \
    (SELECT row_to_json(v) FROM (SELECT v.id, v.make, v.model, v.version, v.mileage_km, v.fuel, v.plate \
       FROM vehicle_vehicles v WHERE v.id = a.vehicle_id) v) AS vehicle, \
    (SELECT json_agg(p) FROM (SELECT o.id, o.width, o.height, o.bytes FROM listing_photos p \
       JOIN storage_objects o ON o.id = p.photo_id WHERE p.listing_id = a.id ORDER BY p.position) p) AS photos \
    FROM listing_ads a WHERE a.org_id = $1 ORDER BY a.id DESC LIMIT 20) t";
/// The same in PostGraphile's names; `{org}` is who asks.
const POSTGRAPHILE: &str = "{ allListingAds(first: 20, orderBy: PRIMARY_KEY_DESC, condition: { orgId: \"{org}\" }) { nodes { \
    rowId title createdAt priceEur vehicleVehicleByVehicleId { rowId make model version mileageKm fuel plate } \
    listingPhotosByListingId { nodes { storageObjectByPhotoId { rowId width height bytes } } } } } }";
const ADS: usize = 200;
const CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const SECONDS: u64 = 5;
const SOCKETS: usize = 5_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        // `cargo test` builds and starts benches too.
        Some("--test") => {}
        Some("load") => load(&args[2], &args[3]),
        Some("sockets") => runtime().block_on(sockets(&args[2], &args[3])),
        _ if args.iter().any(|arg| arg == "--test") => {}
        Some("subscriptions") => runtime().block_on(measure(false)),
        _ => runtime().block_on(measure(true)),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

async fn measure(lists: bool) {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    if lists {
        nested_list(&app, &garage).await;
    }
    subscriptions(&app, &garage).await;
    app.finish().await;
}

async fn nested_list(app: &TestApp, garage: &Actor) {
    let org = app.texts("SELECT org_id::text AS text FROM auth_users").await.remove(0);
    fill(app, &org).await;
    let shown = garage.run(LIST, json!({})).await.at("/listings/nodes").as_array().unwrap().clone();
    assert!(shown.len() == 20 && shown.iter().all(|ad| ad["photos"].as_array().unwrap().len() == 3));
    let floor = raw_server(app.app.clone(), org.parse().unwrap()).await;
    let mut servers = vec![
        Server::new("json_agg statement", format!("{floor}/raw"), String::new()),
        Server::new("Keroxio", format!("{}/graphql", app.base), json!({ "query": LIST }).to_string()),
    ];
    let _peers = peers(app, &org, &mut servers);
    for server in &servers {
        server.check(&garage.token).await;
    }
    println!("nested list, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s each:");
    for _ in 0..ROUNDS {
        for server in &mut servers {
            server.load(&garage.token).await;
        }
    }
    servers.iter().for_each(Server::tell);
    println!("ours to the floor {:.2} (asked: 0.45 at least)", servers[1].per_second() / servers[0].per_second());
    for peer in &servers[2..] {
        println!("ours to {} {:.1}", peer.name, servers[1].per_second() / peer.per_second());
    }
}

/// Ads with a car and three photos each, as the journey would leave them.
async fn fill(app: &TestApp, org: &str) {
    let now = "now()";
    for statement in [
        format!(
            "INSERT INTO vehicle_vehicles (id, org_id, make, model, version, mileage_km, fuel, sources, created_at, updated_at, stock_state) \
             SELECT ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{org}', 'Renault', 'Clio', 'TCe 90 Zen', \
             40000 + n, 'petrol', '{{}}', {now}, {now}, 'ready' FROM generate_series(1, {ADS}) n"
        ),
        format!(
            "INSERT INTO listing_ads (id, org_id, vehicle_id, state, language, title, body, text_edited, price_eur, seq, created_at, updated_at, tone) \
             SELECT ('018f0000-0001-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{org}', \
             ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'ready', 'fr', 'Renault Clio ' || n, 'Une annonce.', \
             false, 9000 + n, 1, {now}, {now}, 'short' FROM generate_series(1, {ADS}) n"
        ),
        format!(
            "INSERT INTO storage_objects (id, org_id, key, media_type, bytes, width, height, sha256, created_at) \
             SELECT ('018f0000-0002-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{org}', 'k' || n, 'image/jpeg', 240000, \
             1600, 1200, md5(n::text), {now} FROM generate_series(1, {ADS} * 3) n"
        ),
        format!(
            "INSERT INTO listing_photos (listing_id, photo_id, position) \
             SELECT ('018f0000-0001-7000-8000-' || lpad(to_hex((n + 2) / 3), 12, '0'))::uuid, \
             ('018f0000-0002-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n % 3 FROM generate_series(1, {ADS} * 3) n"
        ),
        "ANALYZE".to_owned(),
    ] {
        app.execute(&statement).await;
    }
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The floor: a handler, a pool and a statement; no token, no limits, no counting.
async fn raw_server(app: App, org: uuid::Uuid) -> String {
    async fn answer(State((app, org)): State<(App, uuid::Uuid)>) -> ([(header::HeaderName, &'static str); 1], String) {
        let mut conn = app.conn().await.unwrap();
        let row = diesel::sql_query(RAW).bind::<diesel::sql_types::Uuid, _>(org);
        let row: Row = diesel_async::RunQueryDsl::get_result(row, &mut conn).await.unwrap();
        ([(header::CONTENT_TYPE, "application/json")], row.text)
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/raw", post(answer)).with_state((app, org));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Ends the peers with the measurement.
struct Peers(Vec<Child>);

impl Drop for Peers {
    fn drop(&mut self) {
        for peer in &mut self.0 {
            let _ = peer.kill();
            let _ = peer.wait();
        }
    }
}

/// Starts those whose packages are there (`npm ci` in `tests/benches/peers`).
fn peers(app: &TestApp, org: &str, servers: &mut Vec<Server>) -> Peers {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");
    let mut peers = Peers(Vec::new());
    if !std::path::Path::new(folder).join("node_modules").exists() {
        println!("without GraphQL Yoga and PostGraphile: their packages are not in tests/benches/peers");
        return peers;
    }
    for (name, file, query) in [
        ("GraphQL Yoga", "yoga.mjs", LIST.to_owned()),
        ("PostGraphile", "postgraphile.mjs", POSTGRAPHILE.replace("{org}", org)),
    ] {
        let mut command = Command::new("node");
        command.arg(file).current_dir(folder).env("DATABASE_URL", app.database_url()).env("ORG", org);
        command.env("JWKS", format!("{}/.well-known/jwks.json", app.base)).env("NODE_ENV", "production");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = told.next().unwrap().unwrap().parse().unwrap();
        let mut server =
            Server::new(name, format!("http://127.0.0.1:{port}/graphql"), json!({ "query": query }).to_string());
        server.process = child.id().to_string();
        servers.push(server);
        peers.0.push(child);
    }
    peers
}

struct Server {
    name: &'static str,
    url: String,
    body: String,
    /// Whose processor it uses: `self` is ours.
    process: String,
    requests: f64,
    seconds: f64,
    cpu: f64,
}

impl Server {
    fn new(name: &'static str, url: String, body: String) -> Self {
        Self { name, url, body, process: "self".to_owned(), requests: 0.0, seconds: 0.0, cpu: 0.0 }
    }

    /// An error would be quick: each of them gives all the photos.
    async fn check(&self, token: &str) {
        let request = reqwest::Client::new().post(&self.url).bearer_auth(token);
        let answer = request.header("content-type", "application/json").body(self.body.clone()).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert_eq!(text.matches("\"width\"").count(), 60, "{}: {text}", self.name);
    }

    async fn load(&mut self, token: &str) {
        let before = cpu(&self.process);
        let (requests, seconds) = run(&self.url, token, &self.body).await;
        self.requests += requests;
        self.seconds += seconds;
        self.cpu += cpu(&self.process) - before;
    }

    fn per_second(&self) -> f64 {
        self.requests / self.seconds
    }

    fn tell(&self) {
        let cpu = self.cpu / self.requests * 1_000.0;
        println!(
            "{:<20} {:>7.0} requests/s, {cpu:.2} ms of its process's processor each",
            self.name,
            self.per_second()
        );
    }
}

/// Requests answered, and in how many seconds.
async fn run(url: &str, token: &str, body: &str) -> (f64, f64) {
    let mut client = start(&["load", url, token]);
    client.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let told = tokio::task::spawn_blocking(move || {
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    });
    let told = told.await.unwrap();
    let (requests, seconds) = told.trim().split_once(' ').unwrap();
    (requests.parse().unwrap(), seconds.parse().unwrap())
}

fn start(args: &[&str]) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Seconds of processor that a process has used.
fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The client: the same request again and again on each connection, as cheaply as can be.
fn load(url: &str, token: &str) {
    let mut body = String::new();
    std::io::stdin().read_to_string(&mut body).unwrap();
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (host, request) = (host.to_owned(), request.clone());
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            std::thread::spawn(move || {
                let mut wire = BufReader::new(TcpStream::connect(host).unwrap());
                while !over.load(Ordering::Relaxed) {
                    wire.get_mut().write_all(request.as_bytes()).unwrap();
                    one(&mut wire);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(SECONDS));
    over.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    println!("{} {}", answered.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
}

/// Reads one good answer.
fn one(wire: &mut BufReader<TcpStream>) {
    let (mut line, mut length) = (String::new(), 0);
    wire.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    loop {
        line.clear();
        wire.read_line(&mut line).unwrap();
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    assert!(length > 0, "an answer that tells its length");
    let mut body = vec![0; length];
    wire.read_exact(&mut body).unwrap();
    assert!(!body.starts_with(b"{\"errors\""), "{}", String::from_utf8_lossy(&body));
}

async fn subscriptions(app: &TestApp, garage: &Actor) {
    let before = memory();
    let mut client = start(&["sockets", &app.base, &garage.token]);
    let mut told = BufReader::new(client.stdout.take().unwrap()).lines();
    let told = tokio::task::spawn_blocking(move || (told.next().unwrap().unwrap(), told));
    let (ready, mut told) = told.await.unwrap();
    assert_eq!(ready, "ready");
    // What was needed to open them is given back.
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!(
        "idle subscription {:.1} KiB ({SOCKETS} of them; asked: 16 at most)",
        (memory() - before) / SOCKETS as f64
    );
    let org = app.texts("SELECT org_id::text AS text FROM auth_users").await.remove(0);
    let (begun, busy) = (Instant::now(), cpu("self"));
    notify(&app.app, org.parse().unwrap()).await;
    let all = tokio::task::spawn_blocking(move || told.next().unwrap().unwrap()).await.unwrap();
    let (took, busy) = (begun.elapsed().as_millis(), (cpu("self") - busy) * 1_000.0);
    assert_eq!(all, "all");
    println!(
        "one event to all of them: {busy:.0} ms of the server's processor (asked: 120 at most), heard by the last after {took} ms"
    );
    client.kill().unwrap();
    client.wait().unwrap();
}

async fn notify(app: &App, org: uuid::Uuid) {
    let mut tx = app.begin().await.unwrap();
    let notice = keroxio_notification::Notice {
        org_id: org,
        kind: keroxio_notification::NotificationKind::ListingReady,
        title_fr: "Votre annonce est prête".to_owned(),
        title_en: "Your listing is ready".to_owned(),
        subject_id: None,
    };
    keroxio_notification::service::notify(&mut tx, notice).await.unwrap();
    tx.commit().await.unwrap();
}

/// The client of subscriptions: says when all are open, and when all have heard.
async fn sockets(base: &str, token: &str) {
    let url = format!("{}/graphql", base.replacen("http", "ws", 1));
    let mut open = Vec::new();
    for _ in 0..SOCKETS {
        let mut request = url.as_str().into_client_request().unwrap();
        let protocol = axum::http::HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let mut socket = tokio_tungstenite::connect_async(request).await.unwrap().0;
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
        socket.send(Message::text(init.to_string())).await.unwrap();
        socket.next().await.unwrap().unwrap();
        let query = "subscription { notificationAdded { id kind title } }";
        let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
        socket.send(Message::text(subscribe.to_string())).await.unwrap();
        open.push(socket);
    }
    // Each has begun once it answers a question after it.
    for socket in &mut open {
        socket.send(Message::text(json!({ "type": "ping" }).to_string())).await.unwrap();
        while !socket.next().await.unwrap().unwrap().to_string().contains("pong") {}
    }
    println!("ready");
    for socket in &mut open {
        while !socket.next().await.unwrap().unwrap().to_string().contains("listing_ready") {}
    }
    println!("all");
    tokio::time::sleep(Duration::from_secs(60)).await;
}
