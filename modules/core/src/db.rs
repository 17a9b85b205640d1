use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::{Instrumentation, InstrumentationEvent, get_default_instrumentation};
use diesel::result::Error::BrokenTransactionManager;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::bb8::PooledConnection;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection as _, RecyclingMethod,
};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _, TransactionManager,
};

use crate::jobs::{Seat, Ticket};
use crate::metrics::{EVENTS, QUERY_SECONDS};
use futures_util::FutureExt as _;
use rustls::ClientConfig;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{App, Env, Error, Event, Result, tenancy, tls};

pub type Pool = bb8::Pool<AsyncDieselConnectionManager<AsyncPgConnection>>;

/// A pooled connection outside any transaction, for reads. Dropped while a statement is under way, because its request
/// was broken off, it is closed and not given back: whoever took it next would wait for that statement. PostgreSQL ends
/// a statement within a second when nobody listens any more.
pub struct Conn {
    inner: PooledConnection<'static, AsyncPgConnection>,
    busy: Arc<AtomicBool>,
}

impl Deref for Conn {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if self.busy.load(Ordering::Relaxed) {
            AnsiTransactionManager::transaction_manager_status_mut(&mut *self.inner).set_in_error();
        }
    }
}

/// A statement that takes longer is told of in the log.
const SLOW: Duration = Duration::from_millis(500);

/// A connection that nobody needed for so long is closed, where the pool is to keep fewer than it may have.
const IDLE: Duration = Duration::from_secs(600);

/// The role that sees one organization's rows only; migrations make it and its policies.
const TENANT_ROLE: &str = "keroxio_tenant";

/// Two pools of one database. Those of tenants are in the role of tenants from their start, so that nothing forgotten on
/// them can see more.
pub(crate) struct Pools {
    pub system: Pool,
    tenants: Pool,
    /// Connections that each may have.
    pub size: u32,
}

impl Pools {
    pub fn all(&self) -> [(&'static str, &Pool); 2] {
        [("system", &self.system), ("tenants", &self.tenants)]
    }

    /// Opens them. Connections carry a statement timeout, and a look each second whether we are still there: no query
    /// outlives its request for long.
    pub async fn open(url: &str, size: u32, kept_open: u32, env: &Env) -> anyhow::Result<Self> {
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!(
            "{url}{separator}options=-c%20statement_timeout%3D30000%20-c%20client_connection_check_interval%3D1000"
        );
        // The pool keeps the reason of a failure to itself; this does not.
        drop(connect(url.clone(), tls::client_config(env)?).await?);
        let tenants = format!("{url}%20-c%20role%3D{TENANT_ROLE}");
        Ok(Self { system: pool(url, size, kept_open, env)?, tenants: pool(tenants, size, kept_open, env)?, size })
    }
}

fn pool(url: String, size: u32, kept_open: u32, env: &Env) -> anyhow::Result<Pool> {
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, manager(env)?);
    // Those that are kept open are opened meanwhile.
    Ok(bb8::Pool::builder()
        .max_size(size)
        .min_idle(kept_open)
        .idle_timeout((kept_open < size).then_some(IDLE))
        .connection_timeout(Duration::from_secs(10))
        .test_on_check_out(true)
        .build_unchecked(manager))
}

fn manager(env: &Env) -> anyhow::Result<ManagerConfig<AsyncPgConnection>> {
    let tls = tls::client_config(env)?;
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(move |url| connect(url.to_owned(), tls.clone()).boxed());
    // What PostgreSQL has closed the driver knows without asking: no round trip for each request.
    config.recycling_method = RecyclingMethod::CustomFunction(Box::new(|conn| {
        let is_broken = conn.is_broken();
        async move { if is_broken { Err(BrokenTransactionManager) } else { Ok(()) } }.boxed()
    }));
    Ok(config)
}

/// `sslmode=require` in the address insists on TLS, `disable` forbids it; otherwise the server decides.
async fn connect(url: String, tls: ClientConfig) -> ConnectionResult<AsyncPgConnection> {
    let tls = MakeRustlsConnect::new(tls);
    let connected = tokio_postgres::connect(&url, tls).await;
    let (client, connection) = connected.map_err(|e| ConnectionError::BadConnection(told(&e)))?;
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    conn.set_instrumentation(Statements { begun: None, also: get_default_instrumentation(), busy: Arc::default() });
    Ok(conn)
}

/// Times statements, and tells of slow ones in the span of whoever asked.
struct Statements {
    begun: Option<(Instant, tracing::Span)>,
    /// Whoever watches all connections of the process.
    also: Option<Box<dyn Instrumentation>>,
    /// Whether a statement is under way.
    busy: Arc<AtomicBool>,
}

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match &event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let span = tracing::debug_span!("sql", db.system = "postgresql", db.statement = unbound(query));
                self.begun = Some((Instant::now(), span));
                self.busy.store(true, Ordering::Relaxed);
            }
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                self.busy.store(false, Ordering::Relaxed);
                let took = self.begun.take().map_or(Duration::ZERO, |(begun, _)| begun.elapsed());
                let outcome = if error.is_some() { "error" } else { "ok" };
                metrics::histogram!(QUERY_SECONDS, "outcome" => outcome).record(took.as_secs_f64());
                if took >= SLOW {
                    tracing::warn!(ms = took.as_millis(), "slow query: {}", unbound(query));
                }
            }
            _ => {}
        }
        if let Some(also) = &mut self.also {
            also.on_connection_event(event);
        }
    }
}

/// A statement without what is bound to it: that is somebody's.
fn unbound(query: &dyn std::fmt::Display) -> String {
    let text = query.to_string();
    let text = text.split(" -- binds").next().unwrap_or_default();
    text.get(..text.floor_char_boundary(500)).unwrap_or_default().to_owned()
}

/// With its causes, which the driver keeps to itself.
fn told(e: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(e).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{e}{cause}")
}

/// One connection outside any pool, for the command line.
///
/// # Errors
/// When the server cannot be reached, or its certificate is not trusted.
pub async fn establish(url: &str, env: &Env) -> anyhow::Result<AsyncPgConnection> {
    Ok(connect(url.to_owned(), tls::client_config(env)?).await?)
}

/// An open transaction. Dropped without [`Tx::commit`] it is rolled back: the connection is then
/// seen as broken by the pool and replaced, so a cancelled request never leaves one behind half-used.
///
/// Jobs and live messages added to it leave only after the commit.
pub struct Tx {
    app: App,
    conn: Conn,
    tickets: Vec<Ticket>,
    pub(crate) seats: Vec<Seat>,
    live: Vec<(String, serde_json::Value)>,
    events: Vec<&'static str>,
}

impl Tx {
    pub(crate) async fn begin(app: &App) -> Result<Self> {
        let mut conn = app.conn().await?;
        AnsiTransactionManager::begin_transaction(&mut *conn).await?;
        Ok(Self {
            app: app.clone(),
            conn,
            tickets: Vec::new(),
            seats: Vec::new(),
            live: Vec::new(),
            events: Vec::new(),
        })
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Tells every module that listens to this fact; each reaction is a job in this transaction.
    pub async fn announce<E: Event>(&mut self, event: &E) -> Result<()> {
        self.events.push(E::NAME);
        let payload = serde_json::to_value(event)?;
        let jobs = self.app.jobs().reactions_to(E::NAME, &payload)?;
        if jobs.is_empty() { Ok(()) } else { self.enqueue_new(jobs).await }
    }

    /// Counts a fact, once it is committed, under its name in `keroxio_events_total`.
    pub fn count(&mut self, fact: &'static str) {
        self.events.push(fact);
    }

    /// Publishes a live message once the transaction is committed.
    pub fn publish(&mut self, topic: String, message: serde_json::Value) {
        self.live.push((topic, message));
    }

    /// Calls jobs up once the transaction is committed.
    pub(crate) fn call_up(&mut self, tickets: Vec<Ticket>) {
        self.tickets.extend(tickets);
    }

    /// # Errors
    /// The transaction is rolled back when PostgreSQL refuses the commit.
    pub async fn commit(mut self) -> Result<()> {
        AnsiTransactionManager::commit_transaction(&mut *self.conn).await?;
        let Self { app, conn, tickets, seats, live, events } = self;
        drop(conn);
        for event in events {
            metrics::counter!(EVENTS, "event" => event).increment(1);
        }
        seats.into_iter().for_each(Seat::begin);
        app.call_up(&tickets).await;
        for (topic, message) in live {
            app.live().publish(&topic, &message).await;
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &Self::Target {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.conn
    }
}

impl App {
    /// A connection for reads; it sees what whoever the work is done for may see.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the pool has none in time.
    pub async fn conn(&self) -> Result<Conn> {
        let pools = self.pools();
        let Some(tenant) = tenancy::tenant() else { return taken(&pools.system).await };
        let mut conn = taken(&pools.tenants).await?;
        // Set at each taking: nobody sees what the one before was allowed to.
        conn.batch_execute(&format!("SET keroxio.org = '{tenant}'")).await.map_err(Error::unavailable)?;
        Ok(conn)
    }

    /// Opens a transaction; services do this, models never.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the pool has no connection in time.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self).await
    }
}

async fn taken(pool: &Pool) -> Result<Conn> {
    let taken = pool.get_owned().await.map_err(|e| Error::unavailable(anyhow::anyhow!("pool: {e}")))?;
    let mut conn = Conn { inner: taken, busy: Arc::default() };
    let busy = Arc::clone(&conn.busy);
    conn.set_instrumentation(Statements { begun: None, also: get_default_instrumentation(), busy });
    Ok(conn)
}
