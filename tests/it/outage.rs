//! Redis or PostgreSQL is away.

use std::net::SocketAddr;
use std::time::Duration;

use keroxio_test_support::{Setup, TestApp, fixture};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes connections on until it is told that the server is away, then closes them and takes no more.
async fn forward(listener: TcpListener, target: SocketAddr, away: tokio_util::sync::CancellationToken) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = away.cancelled() => return,
            accepted = listener.accept() => {
                let (mut client, _) = accepted.unwrap();
                open.spawn(async move {
                    let mut server = TcpStream::connect(target).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_while_redis_is_away_is_done_when_it_is_back() {
    let redis = std::env::var("REDIS_URL").unwrap();
    let (credentials, rest) = redis.rsplit_once('@').unwrap();
    let (target, number) = rest.split_once('/').unwrap();
    let target: SocketAddr = target.parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let away = tokio_util::sync::CancellationToken::new();
    let forwarding = tokio::spawn(forward(listener, target, away.clone()));
    let app = Setup::default().set("REDIS_URL", &format!("{credentials}@{address}/{number}")).start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");

    away.cancel();
    forwarding.await.unwrap();
    let read = "mutation($p: UUID!) { readPlate(photoId: $p) { id } }";
    let reading = garage.run(read, json!({ "p": photo })).await.text("/readPlate/id");

    let listener = TcpListener::bind(address).await.unwrap();
    let forwarding = tokio::spawn(forward(listener, target, tokio_util::sync::CancellationToken::new()));
    // Its ticket was lost, and is found by its row.
    app.app.clock().advance(Duration::from_secs(11));
    while keroxio_core::relay::look(&app.app).await.is_err() {
        tokio::task::yield_now().await;
    }
    let worker = app.start_worker();
    let state = "query($id: UUID!) { plateReading(id: $id) { state } }";
    while garage.run(state, json!({ "id": reading })).await.at("/plateReading/state") != "DONE" {
        tokio::task::yield_now().await;
    }
    worker.stop().await;
    app.run_jobs().await;
    forwarding.abort();
    app.finish().await;
}

#[tokio::test]
async fn work_that_nobody_waits_for_any_more_ends_in_the_database_too() {
    let app = TestApp::start().await;
    let slow = async {
        let mut conn = app.app.conn().await.unwrap();
        diesel_async::RunQueryDsl::execute(diesel::sql_query("SELECT pg_sleep(25)"), &mut conn).await
    };
    assert!(tokio::time::timeout(Duration::from_millis(300), slow).await.is_err());
    let begun = std::time::Instant::now();
    let busy = "SELECT pid::text AS text FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
        AND query = 'SELECT pg_sleep(25)'";
    while !app.texts(busy).await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on");
        app.texts("SELECT pg_sleep(0.05)::text AS text").await;
    }
    app.finish().await;
}

#[tokio::test]
async fn connections_that_the_database_has_closed_fail_no_request() {
    let app = Setup::default().set("KEROXIO_DATABASE_POOL_IDLE", "8").start().await;
    let garage = app.garage("dupont").await;
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let open = async || app.texts(&format!("SELECT count(*)::text AS text {others}")).await.concat();
    // Of both pools, all but the one that counts.
    while open().await != "15" {
        tokio::task::yield_now().await;
    }
    let mut told = 0;
    for _ in 0..8 {
        app.execute(&format!("SELECT pg_terminate_backend(pid) {others}")).await;
        for _ in 0..16 {
            garage.run("{ viewer { email } vehicles { nodes { id } } }", json!({})).await.text("/viewer/email");
            told += 1;
        }
    }
    assert_eq!(told, 128);
    app.finish().await;
}

#[tokio::test]
async fn passwords_are_not_tried_for_long_while_redis_is_away() {
    let redis = std::env::var("REDIS_URL").unwrap();
    let (credentials, rest) = redis.rsplit_once('@').unwrap();
    let (target, number) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let away = tokio_util::sync::CancellationToken::new();
    let forwarding = tokio::spawn(forward(listener, target.parse().unwrap(), away.clone()));
    let app = Setup::default().set("REDIS_URL", &format!("{credentials}@{address}/{number}")).start().await;
    app.garage("dupont").await;
    away.cancel();
    forwarding.await.unwrap();
    let log_in = "mutation($p: String!) { logIn(email: \"dupont@example.org\", password: $p) { accessToken } }";
    let mut codes = Vec::new();
    for attempt in 0..12 {
        let tried = app.anonymous().run(log_in, json!({ "p": format!("a wrong one, {attempt}") })).await;
        codes.push(tried.code().to_owned());
    }
    assert_eq!(codes[..10], vec!["INVALID_CREDENTIALS"; 10][..], "{codes:?}");
    assert_eq!(codes[10..], ["TOO_MANY_ATTEMPTS", "TOO_MANY_ATTEMPTS"], "this process counts by itself");
    let listener = TcpListener::bind(address).await.unwrap();
    let forwarding =
        tokio::spawn(forward(listener, target.parse().unwrap(), tokio_util::sync::CancellationToken::new()));
    while keroxio_core::relay::look(&app.app).await.is_err() {
        tokio::task::yield_now().await;
    }
    app.run_jobs().await;
    forwarding.abort();
    app.finish().await;
}
