//! The first limit a request meets, before its body is read: how much each caller makes this process do. It asks nobody,
//! so that it holds while Redis is away, and refusing is cheaper than anything that is refused. What a document costs is
//! known later, and taken from the bucket that all processes share (`keroxio_schema::Cost`).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keroxio_core::metrics::REFUSALS;
use keroxio_core::{Actor, App, ClientAddress, Error, ErrorCode, Limits};
use tokio::sync::Semaphore;

/// Points of a request, beside those of its bytes.
const REQUEST: f64 = 1.0;
/// Points of one that was no request, or none that could be answered: it was read for nothing, and a client that works
/// sends few.
const FAULT: f64 = 5.0;
/// Points of a document that is kept for those who ask again.
const KEPT: f64 = 20.0;
/// Points of a question about the schema: it walks all types.
const INTROSPECTED: f64 = 250.0;
/// Bytes for a point.
const BYTES: f64 = 4_096.0;
/// Requests worked on at once from one address where nobody signed in, and of one organization.
const STRANGERS: usize = 32;
const MEMBERS: usize = 256;
/// Connections of one address on which nobody has signed in.
const SOCKETS: usize = 256;
/// Callers that are remembered before those are forgotten who owe nothing.
const REMEMBERED: usize = 10_000;

/// How long one waits for its refusal, who would otherwise be back at once.
const DWELL: Duration = Duration::from_secs(1);
/// Those who wait; the others are refused without.
static DWELLING: Semaphore = Semaphore::const_new(4_096);

/// Documents of strangers that are read at once. Reading never waits for anything: if all of a crowd's were ready to be
/// read, everybody else's work would stand in line behind them.
static READING: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))));

/// Bytes of somebody we know that are read on the spot.
const LIGHT: usize = 64 << 10;

/// Reads something, or answers what waits for nobody. What may take milliseconds is done on a thread of its own, because
/// nobody else is answered by one that is busy; and of strangers one thing after the other.
///
/// # Errors
/// `INTERNAL` when the work panicked.
pub async fn apart<T: Send + 'static>(
    is_known: bool,
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    if is_known && bytes <= LIGHT {
        return Ok(work());
    }
    let _turn = if is_known { None } else { READING.acquire().await.ok() };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Counts a refusal, and keeps somebody waiting who asked too much: a program that does not heed its limit asks all the less.
pub async fn dwell() {
    metrics::counter!(REFUSALS, "by" => "door").increment(1);
    if let Ok(_place) = DWELLING.try_acquire() {
        // Not all at the same moment, or they would also come back together.
        tokio::time::sleep(DWELL.mul_f64(rand::random_range(0.5..1.5))).await;
    }
}

#[derive(Clone, Default)]
pub struct Door(Arc<Mutex<Callers>>);

#[derive(Default)]
struct Callers {
    known: HashMap<String, Caller>,
    swept: DateTime<Utc>,
}

struct Caller {
    left: f64,
    at: DateTime<Utc>,
    inside: usize,
    limits: Limits,
}

/// A request that was let in. Dropping it lets the next one in.
pub struct Pass {
    door: Door,
    /// None where it comes from nobody and nowhere.
    caller: Option<String>,
    most: usize,
    is_counted: bool,
}

impl Door {
    /// Lets a request in, to be read.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the seconds to wait, for who asked too much.
    pub fn enter(&self, app: &App, actor: Option<&Actor>, address: Option<ClientAddress>) -> Result<Pass, Error> {
        let most = if actor.is_some_and(|actor| !actor.is_guest) { MEMBERS } else { STRANGERS };
        // That of the whole organization is the last, and of guests that of their address.
        self.admit(app, Limits::buckets(app, actor, address).pop(), most)
    }

    /// Whether an address owes nothing: what has to be looked up to be believed is not looked up for one that does.
    ///
    /// # Errors
    /// `RATE_LIMITED`, as for [`Door::enter`].
    pub fn owes_nothing(&self, app: &App, address: Option<ClientAddress>) -> Result<(), Error> {
        let Some((name, limits)) = Limits::buckets(app, None, address).pop() else { return Ok(()) };
        let left = self.lock().known.get(&name).map_or(1.0, |caller| caller.after(app.now()));
        if left > 0.0 { Ok(()) } else { Err(limited((-left / f64::from(limits.per_second)).ceil().max(1.0))) }
    }

    /// Lets in a connection on which nobody has signed in yet.
    ///
    /// # Errors
    /// `RATE_LIMITED` for who asked too much, or has many of them.
    pub fn connect(&self, app: &App, address: Option<ClientAddress>) -> Result<Pass, Error> {
        let bucket = Limits::buckets(app, None, address).into_iter().next();
        let mut pass = self.admit(app, bucket.map(|(name, limits)| (format!("socket:{name}"), limits)), SOCKETS)?;
        pass.begin()?;
        Ok(pass)
    }

    fn admit(&self, app: &App, bucket: Option<(String, Limits)>, most: usize) -> Result<Pass, Error> {
        let mut pass = Pass { door: self.clone(), caller: None, most, is_counted: false };
        let Some((name, limits)) = bucket else { return Ok(pass) };
        let mut callers = self.lock();
        callers.sweep(app.now());
        let caller = callers.known.entry(name.clone()).or_insert_with(|| Caller::new(limits, app.now()));
        caller.fill(limits, app.now());
        let missing = REQUEST - caller.left;
        if missing > 0.0 {
            return Err(limited((missing / f64::from(limits.per_second)).ceil()));
        }
        caller.left -= REQUEST;
        drop(callers);
        pass.caller = Some(name);
        Ok(pass)
    }

    fn lock(&self) -> MutexGuard<'_, Callers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callers {
    /// Forgets, once a second where there are many, those who owe nothing.
    fn sweep(&mut self, now: DateTime<Utc>) {
        if self.known.len() < REMEMBERED || now - self.swept < TimeDelta::seconds(1) {
            return;
        }
        self.swept = now;
        self.known.retain(|_, caller| caller.inside > 0 || caller.owes(now));
    }
}

impl Caller {
    fn new(limits: Limits, now: DateTime<Utc>) -> Self {
        Self { left: limits.capacity.into(), at: now, inside: 0, limits }
    }

    fn fill(&mut self, limits: Limits, now: DateTime<Utc>) {
        self.limits = limits;
        self.left = self.after(now);
        self.at = now;
    }

    /// Points at a later moment.
    fn after(&self, now: DateTime<Utc>) -> f64 {
        let seconds = (now - self.at).as_seconds_f64().max(0.0);
        (self.left + seconds * f64::from(self.limits.per_second)).min(self.limits.capacity.into())
    }

    fn owes(&self, now: DateTime<Utc>) -> bool {
        self.after(now) < self.limits.capacity.into()
    }
}

impl Pass {
    /// It has arrived: the work begins. Whoever sends slowly is not counted, there may be many behind one address.
    ///
    /// # Errors
    /// `RATE_LIMITED` where too much of this caller is under way.
    pub fn begin(&mut self) -> Result<(), Error> {
        let Some(name) = self.caller.as_ref().filter(|_| !self.is_counted) else { return Ok(()) };
        if let Some(caller) = self.door.lock().known.get_mut(name) {
            if caller.inside >= self.most {
                return Err(limited(1.0));
            }
            caller.inside += 1;
            self.is_counted = true;
        }
        Ok(())
    }

    /// What was read for it, in bytes.
    pub fn read(&self, bytes: usize) {
        self.take(bytes as f64 / BYTES);
    }

    /// A document of it is kept.
    pub fn keep(&self) {
        self.take(KEPT);
    }

    /// It asks so often what the schema is.
    pub fn introspect(&self, times: usize) {
        self.take(INTROSPECTED * times as f64);
    }

    /// It could not be answered as it was.
    pub fn fault(&self) {
        self.take(FAULT);
    }

    /// Debts are let in, and have to be paid before the next request.
    fn take(&self, points: f64) {
        let Some(name) = &self.caller else { return };
        if let Some(caller) = self.door.lock().known.get_mut(name) {
            caller.left -= points;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let Some(name) = self.caller.as_ref().filter(|_| self.is_counted) else { return };
        if let Some(caller) = self.door.lock().known.get_mut(name) {
            caller.inside -= 1;
        }
    }
}

fn limited(seconds: f64) -> Error {
    Error::new(
        ErrorCode::RATE_LIMITED,
        format!("Trop de demandes en peu de temps. Réessayez dans {seconds} secondes."),
        format!("Too much was asked for in a short time. Try again in {seconds} seconds."),
    )
    .with_detail("retryAfterSeconds", seconds as u64)
}
