//! Takes connections. A client that stops in the middle of its request's head is not waited for.

use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use keroxio_core::{App, ClientAddress};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Time for the first bytes of a connection, and then for the head of each request.
const HEAD: Duration = Duration::from_secs(30);
/// Bytes that are read ahead on a connection, and most of a request's head. The library would take 400 KiB of each.
const BUFFER: usize = 64 << 10;
/// Time for the requests under way to end once we are to stop.
const PARTING: Duration = Duration::from_secs(60);
/// Pause after a connection could not be taken, for instance for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Connections that wait to be taken. A client beyond them would try again only after a second.
const BACKLOG: u32 = 4_096;

/// Bytes of a connection that the system keeps for us unread. It would keep 6 MiB of each, and a crowd whose bodies
/// nobody reads would fill the memory with them; this much still fills a line of 40 Mbit/s at 50 ms.
const RECEIVED: u32 = 256 << 10;

/// A socket on which many may knock at once.
///
/// # Errors
/// When the address cannot be listened on.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // One of a moment ago may still be closing.
    socket.set_reuseaddr(true)?;
    // Those that are taken have the same.
    socket.set_recv_buffer_size(RECEIVED)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whether a proxy of ours stands before us, whose `X-Forwarded-For` is believed: `KEROXIO_PROXY=on`.
#[derive(Clone, Copy)]
pub struct Proxy(pub bool);

/// Says where a request comes from: the last address that a proxy of ours added, or the connection's own.
pub async fn tell_address(State(app): State<App>, mut request: axum::extract::Request, next: Next) -> Response {
    let is_behind = app.get::<Proxy>().is_ok_and(|proxy| proxy.0);
    let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back();
    let own = request.extensions().get::<ClientAddress>();
    if !is_behind && forwarded.is_some() && own.is_some_and(|own| own.0.is_loopback()) {
        static TOLD: Once = Once::new();
        // All clients would share one bucket.
        TOLD.call_once(|| tracing::warn!("a proxy seems to stand before us: set KEROXIO_PROXY=on"));
    }
    let last = forwarded.filter(|_| is_behind).and_then(|header| header.to_str().ok()?.rsplit(',').next());
    if let Some(address) = last.and_then(|text| text.trim().parse().ok()) {
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// Serves until `stop`, then lets the requests under way end.
pub async fn listen(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD).max_concurrent_streams(100);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                tracing::warn!("a connection could not be taken: {e}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let from = ClientAddress(peer.ip());
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(from);
            request
        });
        let (builder, watcher) = (builder.clone(), graceful.watcher());
        tokio::spawn(async move {
            if !matches!(timeout(HEAD, begins(&stream)).await, Ok(true)) {
                return;
            }
            let service = TowerToHyperService::new(service);
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(e) = watcher.watch(connection.into_owned()).await {
                tracing::debug!("a connection broke off: {e}");
            }
        });
    }
    drop(listener);
    if timeout(PARTING, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still under way are broken off");
    }
}

/// Waits until it is clear which version of HTTP is spoken; the library would wait for that without end. Answers whether
/// anything is.
async fn begins(stream: &TcpStream) -> bool {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut first = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(length) if length < PREFACE.len() && PREFACE.starts_with(&first[..length]) => {
                tokio::time::sleep(BREATH).await;
            }
            Ok(_) => return true,
        }
    }
}
