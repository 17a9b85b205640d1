//! The queues, the relay and live messages on a Redis Cluster of three nodes.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keroxio_test_support::{Setup, fixture};
use serde_json::json;
use tempfile::TempDir;

/// Ends with the test, whatever became of it.
struct Cluster {
    nodes: Vec<(u16, Child)>,
    _folder: TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (_, node) in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What `redis-cli` answers one node's command with.
fn ask(port: u16, command: &str) -> String {
    let words = command.split(' ');
    let told = Command::new("redis-cli").arg("-p").arg(port.to_string()).args(words).output().unwrap();
    String::from_utf8(told.stdout).unwrap()
}

impl Cluster {
    /// Three nodes that share the slots among them, none with a replica.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nodes: Vec<(u16, Child)> = (0..3)
            .map(|n| (free_port(), n))
            .map(|(port, n)| {
                let home = folder.path().join(n.to_string());
                std::fs::create_dir(&home).unwrap();
                let bus = free_port();
                let options = format!(
                    "--port {port} --cluster-port {bus} --bind 127.0.0.1 --cluster-enabled yes --appendonly no"
                );
                let node = Command::new("redis-server")
                    .args(options.split(' '))
                    .args(["--save", ""])
                    .arg("--dir")
                    .arg(&home)
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap();
                (port, node)
            })
            .collect();
        let cluster = Self { nodes, _folder: folder };
        let ports = || cluster.nodes.iter().map(|(port, _)| *port);
        wait_until(|| ports().all(|port| ask(port, "ping").contains("PONG")));
        let addresses: Vec<String> = ports().map(|port| format!("127.0.0.1:{port}")).collect();
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(&addresses)
            .arg("--cluster-yes")
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        wait_until(|| ports().all(|port| ask(port, "cluster info").contains("cluster_state:ok")));
        cluster
    }
}

/// For servers that can only be asked; they answer within milliseconds, or have not started at all.
fn wait_until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the nodes do not answer");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn the_journey_runs_on_a_redis_cluster() {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    let url = format!("redis-cluster://127.0.0.1:{}", cluster.nodes[0].0);
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
    let slot = |key: &str| ask(cluster.nodes[0].0, &format!("cluster keyslot {key}"));
    assert_eq!(slot("a:{jobs:default}:waiting"), slot("a:{jobs:default}:turns"));
    assert_ne!(slot("a:{jobs:default}:waiting"), slot("a:{jobs:inference}:waiting"));
    app.finish().await;
}
