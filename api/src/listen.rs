//! Takes connections. A client that stops in the middle of its request's head is not waited for.

use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Time for the head of a request, from the first moment at which the connection waits for one.
const HEAD: Duration = Duration::from_secs(30);
/// Time for the requests under way to end once we are to stop.
const PARTING: Duration = Duration::from_secs(60);
/// Pause after a connection could not be taken, for instance for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets the requests under way end.
pub async fn listen(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD).max_concurrent_streams(100);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(e) => {
                tracing::warn!("a connection could not be taken: {e}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(e) = connection.await {
                tracing::debug!("a connection broke off: {e}");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(PARTING, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still under way are broken off");
    }
}
