use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use async_graphql::Executor;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Html;
use axum::routing::get;
use keroxio_core::telemetry::Telemetry;
use keroxio_core::{App, AppBuilder, Env, Module, worker};
use keroxio_schema::{MODULES, SchemaSelection};
use keroxio_webhook::Selector;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::graphql::documents::Documents;
use crate::graphql::door::Door;
use crate::graphql::introspection::Introspection;
use crate::ops::{self, Metrics};
use crate::origins::{self, Origins};
use crate::{explorer, graphql, letter_pages, listen, plugins};

/// Which parts of the executable this process runs.
#[derive(Clone, Copy)]
pub struct Roles {
    api: bool,
    worker: bool,
}

impl Roles {
    pub const SERVE: Self = Self { api: true, worker: false };
    pub const WORK: Self = Self { api: false, worker: true };
    pub const BOTH: Self = Self { api: true, worker: true };
}

/// Runs until SIGTERM or Ctrl-C, then finishes what is running.
pub async fn run(roles: Roles) -> anyhow::Result<()> {
    let env = Env::from_process();
    // Until the end: what was collected last is sent then.
    let _traces = Telemetry::read(&env).start();
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let server = start(&env, roles, stop).await?;
    server.wait().await
}

/// A started process: where it listens, and what to wait for.
pub struct Server {
    pub app: App,
    pub addr: Option<SocketAddr>,
    tasks: Vec<tokio::task::JoinHandle<anyhow::Result<()>>>,
}

impl Server {
    pub async fn wait(self) -> anyhow::Result<()> {
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}

pub async fn start(env: &Env, roles: Roles, stop: CancellationToken) -> anyhow::Result<Server> {
    let metrics = Metrics::install()?;
    let mut builder = AppBuilder::default();
    if roles.worker {
        plugins::provide(env, &mut builder);
    } else {
        plugins::provide_pricing(env, &mut builder);
    }
    plugins::provide_registry(env, &mut builder);
    plugins::provide_rewriter(env, &mut builder);
    provide_http(env, &mut builder);
    provide_selector(&mut builder);
    let inference = env.parsed("KEROXIO_INFERENCE_CONCURRENCY", 1_usize);
    let default = env.parsed("KEROXIO_DEFAULT_CONCURRENCY", 8_usize);
    let outbound = env.parsed("KEROXIO_OUTBOUND_CONCURRENCY", 8_usize);
    let address = env.parsed("KEROXIO_HTTP_ADDR", SocketAddr::from(([127, 0, 0, 1], 8080)));
    let app = builder.start(env, MODULES).await?;
    let mut tasks = Vec::new();
    if roles.worker {
        let (app, stop) = (app.clone(), stop.clone());
        let concurrency = worker::Concurrency { default, inference, outbound };
        tasks.push(tokio::spawn(async move {
            worker::run(app, concurrency, stop).await;
            Ok(())
        }));
    }
    let is_apart = ops::listen_apart(env, &app, metrics.clone(), stop.clone()).await?;
    let mut addr = None;
    if roles.api {
        let listener =
            listen::bind(address).with_context(|| format!("{address} cannot be listened on; set KEROXIO_HTTP_ADDR"))?;
        addr = Some(listener.local_addr()?);
        tracing::info!("listening on http://{}", listener.local_addr()?);
        let router = router(app.clone(), keroxio_schema::build(app.clone()), MODULES, (!is_apart).then_some(metrics));
        tasks.push(tokio::spawn(async move {
            listen::listen(listener, router, stop).await;
            Ok(())
        }));
    }
    Ok(Server { app, addr, tasks })
}

/// What the HTTP layer wants to know of the environment.
pub fn provide_http(env: &Env, builder: &mut AppBuilder) {
    builder.provide(listen::Proxy(env.optional("KEROXIO_PROXY").as_deref() == Some("on")));
    builder.provide(Origins::read(env));
    builder.provide(Documents::read(env));
    builder.provide(Introspection::read(env));
    builder.provide(Door::default());
}

/// Who answers the queries of webhooks.
pub fn provide_selector(builder: &mut AppBuilder) {
    builder.provide(Selector(Arc::new(SchemaSelection::default())));
}

/// Everything the API answers.
pub fn router(app: App, schema: impl Executor, modules: &[&dyn Module], metrics: Option<Metrics>) -> Router {
    let mut router = Router::new()
        .merge(graphql::router(schema))
        .merge(explorer::routes())
        .merge(letter_pages::routes())
        .merge(ops::health());
    router = router.route("/", get(|| async { Html(include_str!("../web/index.html")) }));
    for module in modules {
        if let Some(routes) = module.routes() {
            router = router.merge(routes);
        }
    }
    if let Some(metrics) = metrics {
        router = router.merge(ops::metrics(metrics));
    }
    let origins = app.get::<Origins>().unwrap_or_default();
    let router = router.layer(DefaultBodyLimit::disable()).layer(from_fn_with_state(app.clone(), listen::tell_address));
    origins::guarded(router, origins)
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(app.clone(), ops::watch))
        .with_state(app)
}

async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
    tracing::info!("stopping: running work is finished first");
    stop.cancel();
}
