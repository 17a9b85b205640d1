use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::bb8::PooledConnection;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};

use crate::jobs::{Seat, Ticket};
use futures_util::FutureExt as _;
use rustls::ClientConfig;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{App, Env, Error, Event, Result, tls};

pub type Pool = bb8::Pool<AsyncDieselConnectionManager<AsyncPgConnection>>;
/// A pooled connection outside any transaction, for reads.
pub type Conn = PooledConnection<'static, AsyncPgConnection>;

/// Opens the pool. Connections carry a statement timeout, so that no query outlives its request for long.
pub(crate) async fn pool(url: &str, size: u32, env: &Env) -> anyhow::Result<Pool> {
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}options=-c%20statement_timeout%3D30000");
    // The pool keeps the reason of a failure to itself; this does not.
    drop(connect(url.clone(), tls::client_config(env)?).await?);
    let pool = bb8::Pool::builder()
        .max_size(size)
        .connection_timeout(Duration::from_secs(10))
        .test_on_check_out(false)
        .build(AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, manager(env)?))
        .await?;
    Ok(pool)
}

fn manager(env: &Env) -> anyhow::Result<ManagerConfig<AsyncPgConnection>> {
    let tls = tls::client_config(env)?;
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(move |url| connect(url.to_owned(), tls.clone()).boxed());
    Ok(config)
}

/// `sslmode=require` in the address insists on TLS, `disable` forbids it; otherwise the server decides.
async fn connect(url: String, tls: ClientConfig) -> ConnectionResult<AsyncPgConnection> {
    let tls = MakeRustlsConnect::new(tls);
    let connected = tokio_postgres::connect(&url, tls).await;
    let (client, connection) = connected.map_err(|e| ConnectionError::BadConnection(told(&e)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
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
}

impl Tx {
    pub(crate) async fn begin(app: &App) -> Result<Self> {
        let mut conn = app.conn().await?;
        AnsiTransactionManager::begin_transaction(&mut *conn).await?;
        Ok(Self { app: app.clone(), conn, tickets: Vec::new(), seats: Vec::new(), live: Vec::new() })
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Tells every module that listens to this fact; each reaction is a job in this transaction.
    pub async fn announce<E: Event>(&mut self, event: &E) -> Result<()> {
        let payload = serde_json::to_value(event)?;
        let jobs = self.app.jobs().reactions_to(E::NAME, &payload)?;
        if jobs.is_empty() { Ok(()) } else { self.enqueue_new(jobs).await }
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
        let Self { app, conn, tickets, seats, live } = self;
        drop(conn);
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
    /// A connection for reads.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the pool has none in time.
    pub async fn conn(&self) -> Result<Conn> {
        self.pool().get_owned().await.map_err(|e| Error::unavailable(anyhow::anyhow!("pool: {e}")))
    }

    /// Opens a transaction; services do this, models never.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the pool has no connection in time.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self).await
    }
}
