//! What of the schema a webhook wants to be told.

use std::sync::Arc;

use keroxio_core::{Actor, App, Error};
use serde_json::Value;
use uuid::Uuid;

/// Answers queries of webhooks; the composition of the schema gives one.
#[async_trait::async_trait]
pub trait Selection: Send + Sync {
    /// Whether a text is one query of this schema with `$id` for its only variable.
    ///
    /// # Errors
    /// Why not, for the integrator.
    async fn check(&self, app: &App, actor: Actor, query: &str) -> Result<(), String>;

    /// What the query answers now; its errors are part of that.
    ///
    /// # Errors
    /// When it cannot be executed.
    async fn answer(&self, app: &App, actor: Actor, query: &str, id: Uuid) -> Result<Value, Error>;
}

#[derive(Clone)]
pub struct Selector(pub Arc<dyn Selection>);
