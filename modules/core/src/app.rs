use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::db::Pools;
use crate::features::Features;
use crate::health::Check;
use crate::jobs::{self, Desks, JobSettings, Ticket, Waiting};
use crate::limits::AllLimits;
use crate::throttle::Throttle;
use crate::{Clock, Env, Error, JobRegistry, Live, Module, Recurrence, Redis, Result, Sealer, idempotency};

/// Everything a request or a job needs, in one cheap handle.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    pools: Pools,
    redis: Redis,
    live: Live,
    clock: Clock,
    jobs: JobRegistry,
    job_settings: JobSettings,
    waiting: Waiting,
    throttle: Throttle,
    limits: AllLimits,
    features: Features,
    desks: Desks,
    services: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    checks: Vec<Check>,
}

/// Collects services before the application starts.
#[derive(Default)]
pub struct AppBuilder {
    clock: Clock,
    services: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    checks: Vec<Check>,
}

impl AppBuilder {
    /// Adds something whose state decides whether this process is ready.
    pub fn check(&mut self, check: Check) -> &mut Self {
        self.checks.push(check);
        self
    }

    /// Makes a service available under its type; the last one given wins, so tests can replace one.
    pub fn provide<T: Clone + Send + Sync + 'static>(&mut self, service: T) -> &mut Self {
        self.services.insert(TypeId::of::<T>(), Box::new(service));
        self
    }

    pub fn has<T: 'static>(&self) -> bool {
        self.services.contains_key(&TypeId::of::<T>())
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Initialises the modules, checks the whole configuration, then connects.
    ///
    /// # Errors
    /// All configuration problems at once, or the first connection that fails.
    pub async fn start(mut self, env: &Env, modules: &[&dyn Module]) -> anyhow::Result<App> {
        let database = env.required("DATABASE_URL", "PostgreSQL, e.g. postgres://user:password@host/db");
        let redis = env.required("REDIS_URL", "Redis, e.g. redis://:password@host:6379/0");
        let prefix = env.optional("KEROXIO_REDIS_PREFIX").unwrap_or_else(|| "keroxio".to_owned());
        let pool_size = env.parsed("KEROXIO_DATABASE_POOL", 16_u32);
        let kept_open = env.parsed("KEROXIO_DATABASE_POOL_IDLE", pool_size).min(pool_size);
        let job_settings = JobSettings::read(env);
        let limits = AllLimits::read(env);
        self.provide(idempotency::Vault(Sealer::from_env(env, "idempotency")));
        let mut jobs = JobRegistry::default();
        jobs::register_own(&mut jobs);
        jobs.register::<idempotency::ForgetAnswers>().recur(Recurrence("50 * * * *"), &idempotency::ForgetAnswers);
        for module in modules {
            module.init(env, &mut self)?;
            module.jobs(&mut jobs);
            module.describe_metrics();
        }
        crate::metrics::know_events(&jobs.events());
        jobs.check(env);
        env.check()?;
        let pools = Pools::open(&database, pool_size, kept_open, env).await?;
        let redis = Redis::connect(&redis, &prefix, env).await?;
        let live = Live::start(redis.clone());
        let waiting = Waiting::new(redis.clone());
        let throttle = Throttle::new(redis.clone());
        let Self { clock, services, checks } = self;
        Ok(App(Arc::new(Inner {
            pools,
            redis,
            live,
            clock,
            jobs,
            job_settings,
            waiting,
            throttle,
            limits,
            features: Features::new(modules.iter().flat_map(|module| module.features()).copied().collect()),
            desks: Desks::default(),
            services,
            checks,
        })))
    }
}

impl App {
    /// The service of this type.
    ///
    /// # Errors
    /// `UNAVAILABLE` when this installation has none.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Result<T> {
        self.0
            .services
            .get(&TypeId::of::<T>())
            .and_then(|s| s.downcast_ref::<T>())
            .cloned()
            .ok_or_else(|| Error::unavailable(anyhow::anyhow!("no service {}", type_name::<T>())))
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn pools(&self) -> &Pools {
        &self.0.pools
    }

    pub fn redis(&self) -> &Redis {
        &self.0.redis
    }

    pub fn live(&self) -> &Live {
        &self.0.live
    }

    pub fn jobs(&self) -> &JobRegistry {
        &self.0.jobs
    }

    pub(crate) fn job_settings(&self) -> JobSettings {
        self.0.job_settings
    }

    pub(crate) fn desks(&self) -> &Desks {
        &self.0.desks
    }

    pub(crate) fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn known_features(&self) -> &Features {
        &self.0.features
    }

    pub(crate) fn limits(&self) -> AllLimits {
        self.0.limits
    }

    /// Loses every ticket of the job queues, as a Redis restarted empty does: for tests.
    ///
    /// # Errors
    /// When Redis fails.
    pub async fn forget_tickets(&self) -> Result<()> {
        Ok(self.waiting().forget().await?)
    }

    /// Adds tickets for rows just committed. A failure is only logged: the relay repeats it.
    pub(crate) async fn call_up(&self, tickets: &[Ticket]) {
        if tickets.is_empty() {
            return;
        }
        if let Err(e) = self.waiting().add(tickets).await {
            tracing::warn!(jobs = tickets.len(), "left to the relay: {e}");
        }
    }

    pub(crate) fn checks(&self) -> &[Check] {
        &self.0.checks
    }

    /// # Errors
    /// `UNAVAILABLE` where anything we depend on cannot be used.
    pub async fn ready(&self) -> Result<()> {
        match self.health().await.into_iter().find_map(|(name, verdict)| Some((name, verdict.err()?))) {
            None => Ok(()),
            Some((name, trouble)) => Err(Error::unavailable(anyhow::anyhow!("{name}: {trouble}"))),
        }
    }
}
