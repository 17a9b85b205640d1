//! Settings of the job runner.

use std::time::Duration;

use crate::Env;

#[derive(Debug, Clone, Copy)]
pub(crate) struct JobSettings {
    /// How long a worker may be silent before others take its jobs over.
    pub lease: Duration,
    /// How long running jobs may go on after a worker was told to stop.
    pub shutdown: Duration,
    /// Most jobs waiting in a queue before requests are turned away.
    pub queue_limit: u64,
    /// Most of them for one organization, so that none can shut the others out.
    pub org_limit: u64,
}

impl JobSettings {
    pub fn read(env: &Env) -> Self {
        let lease = env.parsed("KEROXIO_JOB_LEASE_SECONDS", 30.0_f64);
        if !(0.5..=3_600.0).contains(&lease) {
            env.problem("KEROXIO_JOB_LEASE_SECONDS: from 0.5 to 3600 seconds".to_owned());
        }
        Self {
            lease: Duration::try_from_secs_f64(lease).unwrap_or(Duration::from_secs(30)),
            shutdown: Duration::from_secs(env.parsed("KEROXIO_SHUTDOWN_SECONDS", 25_u64)),
            queue_limit: env.parsed("KEROXIO_QUEUE_LIMIT", 100_000_u64),
            org_limit: env.parsed("KEROXIO_ORG_QUEUE_LIMIT", 20_000_u64),
        }
    }
}
