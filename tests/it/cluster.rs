//! The queues, the relay and live messages on a Redis Cluster of three nodes.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use keroxio_test_support::{Setup, fixture};
use serde_json::json;
use tempfile::TempDir;

/// Each node has a port and, 10,000 above, one for the others.
const PORTS: [u16; 3] = [7001, 7002, 7003];

/// Ends with the test, whatever became of it.
struct Cluster {
    host: String,
    nodes: Vec<Child>,
    folder: TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

/// A loopback address of this process. On 127.0.0.1 a port that was free a moment ago is taken by any
/// connection another test opens; here nobody else is.
fn own_address() -> String {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    format!("127.{}.{b}.{c}", 100 + a % 100)
}

impl Cluster {
    /// Three nodes that share the slots among them, none with a replica.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = own_address();
        let nodes = PORTS
            .iter()
            .map(|port| {
                let home = folder.path().join(port.to_string());
                std::fs::create_dir(&home).unwrap();
                // A node takes another for where its messages come from.
                let place = format!("--port {port} --bind {host} --bind-source-addr {host}");
                let options = format!("{place} --cluster-enabled yes --appendonly no");
                Command::new("redis-server")
                    .args(options.split(' '))
                    .args(["--save", "", "--logfile", "log"])
                    .arg("--dir")
                    .arg(&home)
                    .spawn()
                    .unwrap()
            })
            .collect();
        let cluster = Self { host, nodes, folder };
        cluster.wait_for("the nodes to start", "ping", "PONG");
        let addresses = PORTS.map(|port| format!("{}:{port}", cluster.host));
        // It waits for ever for nodes that do not find each other.
        let made = Command::new("timeout")
            .args(["60", "redis-cli", "--cluster", "create"])
            .args(&addresses)
            .arg("--cluster-yes")
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}\n{}", cluster.logs());
        cluster.wait_for("the nodes to agree", "cluster info", "cluster_state:ok");
        cluster
    }

    /// What `redis-cli` answers one node's command with.
    fn ask(&self, port: u16, command: &str) -> String {
        let words = command.split(' ');
        let port = port.to_string();
        let told = Command::new("redis-cli").args(["-h", &self.host, "-p", &port]).args(words).output().unwrap();
        String::from_utf8(told.stdout).unwrap()
    }

    /// For servers that can only be asked; they answer within milliseconds, or have not started at all.
    fn wait_for(&self, what: &str, command: &str, answer: &str) {
        let begun = Instant::now();
        while !PORTS.iter().all(|port| self.ask(*port, command).contains(answer)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "waited for {what}\n{}", self.logs());
            std::thread::yield_now();
        }
    }

    /// What the nodes wrote, for a test that fails.
    fn logs(&self) -> String {
        let log = |port: &u16| std::fs::read_to_string(self.folder.path().join(port.to_string()).join("log"));
        PORTS.iter().map(|port| format!("--- {port}\n{}\n", log(port).unwrap_or_default())).collect()
    }
}

#[tokio::test]
async fn the_journey_runs_on_a_redis_cluster() {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    let url = format!("redis-cluster://{}:{}", cluster.host, PORTS[0]);
    let app = Setup::default().set("REDIS_URL", &url).start().await;
    let garage = app.garage("dupont").await;
    let worker = app.start_worker();
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let car = json!({ "make": "Renault", "model": "Clio", "firstRegistration": "2020-03", "mileageKm": 45000 });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
    let listing = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": car } })).await;
    let id = listing.text("/prepareListing/id");
    let follow = "subscription($id: UUID!) { listingProgress(listingId: $id, after: 0) { seq listing { state } } }";
    let mut changes = garage.subscribe(follow, json!({ "id": id })).await;
    let mut last = None;
    while let Some(change) = changes.next().await {
        last = Some(change.text("/listingProgress/listing/state").to_owned());
    }
    assert_eq!(last.as_deref(), Some("READY"));
    worker.stop().await;

    // Both keys of a queue lie in one slot, as the scripts need; not all queues share it.
    let slot = |key: &str| cluster.ask(PORTS[0], &format!("cluster keyslot {key}"));
    assert_eq!(slot("a:{jobs:default}:waiting"), slot("a:{jobs:default}:turns"));
    assert_ne!(slot("a:{jobs:default}:waiting"), slot("a:{jobs:inference}:waiting"));
    app.finish().await;
}
