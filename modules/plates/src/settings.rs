//! How long what we keep of plates is kept.

use chrono::Duration;
use keroxio_core::Env;

#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// For examples that sellers let us keep.
    pub examples: Duration,
}

impl Retention {
    pub fn read(env: &Env) -> Self {
        let days = env.parsed("KEROXIO_PLATE_EXAMPLES_DAYS", 365_u32);
        Self { examples: Duration::days(days.into()) }
    }
}
