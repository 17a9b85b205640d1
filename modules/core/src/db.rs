use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::bb8::PooledConnection;
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};

use crate::jobs::{Seat, Ticket};
use crate::{App, Error, Event, Result};

pub type Pool = bb8::Pool<AsyncDieselConnectionManager<AsyncPgConnection>>;
/// A pooled connection outside any transaction, for reads.
pub type Conn = PooledConnection<'static, AsyncPgConnection>;

/// Opens the pool. Connections carry a statement timeout, so that no query outlives its request for long.
pub(crate) async fn pool(url: &str, size: u32) -> anyhow::Result<Pool> {
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}options=-c%20statement_timeout%3D30000");
    let pool = bb8::Pool::builder()
        .max_size(size)
        .connection_timeout(Duration::from_secs(10))
        .test_on_check_out(false)
        .build(AsyncDieselConnectionManager::<AsyncPgConnection>::new(url))
        .await?;
    Ok(pool)
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
