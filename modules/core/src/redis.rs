use std::time::Duration;

use fred::clients::SubscriberClient;
use fred::cmd;
use fred::interfaces::MetricsInterface as _;
use fred::prelude::{Builder, Client, ClientLike, Config, ReconnectPolicy};
use fred::types::config::TlsConnector;

use crate::{Env, tls};

/// Nothing that waits for Redis is worth more: the rows are the truth.
const COMMAND: Duration = Duration::from_secs(2);
/// Longer than any blocking read.
const BLOCKING: Duration = Duration::from_secs(10);

/// Connections to Redis: one for commands, one for pub/sub, and a fresh one per blocking reader,
/// because a blocking read stalls everything else on its connection.
#[derive(Clone)]
pub struct Redis {
    config: Config,
    prefix: String,
    commands: Client,
    subscriber: SubscriberClient,
}

impl Redis {
    pub(crate) async fn connect(url: &str, prefix: &str, env: &Env) -> anyhow::Result<Self> {
        let mut config = Config::from_url(url)?;
        // `rediss://` asks for TLS; whom it trusts is our setting.
        if config.tls.is_some() {
            config.tls = Some(TlsConnector::from(tls::client_config(env)?).into());
        }
        let builder = Self::builder(&config, COMMAND);
        let commands = builder.build()?;
        let subscriber = builder.build_subscriber_client()?;
        commands.init().await?;
        subscriber.init().await?;
        // The task ends with the subscriber; it re-subscribes after a reconnection.
        drop(subscriber.manage_subscriptions());
        Ok(Self { config, prefix: prefix.to_owned(), commands, subscriber })
    }

    fn builder(config: &Config, timeout: Duration) -> Builder {
        let mut builder = Builder::from_config(config.clone());
        builder.set_policy(ReconnectPolicy::new_exponential(0, 50, 5_000, 2));
        builder.with_connection_config(|c| c.connection_timeout = Duration::from_secs(5));
        // Spans for whoever collects traces; the log does not show them.
        builder.with_config(|config| {
            config.tracing.enabled = true;
            config.tracing.default_tracing_level = tracing::Level::DEBUG;
        });
        builder.with_performance_config(|p| p.default_command_timeout = timeout);
        builder
    }

    /// A connection of its own for a blocking reader.
    pub(crate) async fn blocking(&self) -> anyhow::Result<Client> {
        let client = Self::builder(&self.config, BLOCKING).build()?;
        client.init().await?;
        Ok(client)
    }

    pub fn commands(&self) -> &Client {
        &self.commands
    }

    pub(crate) fn subscriber(&self) -> &SubscriberClient {
        &self.subscriber
    }

    /// Whether it is there; the commands answered since the last call and their milliseconds.
    pub(crate) fn take_latency(&self) -> (bool, u64, f64) {
        let stats = self.commands.take_latency_metrics();
        (self.commands.is_connected(), stats.samples, stats.sum as f64)
    }

    /// What the server is set to.
    ///
    /// # Errors
    /// Where it does not tell.
    pub async fn setting(&self, name: &str) -> Result<String, fred::error::Error> {
        let told: Vec<String> = self.commands.custom(cmd!("CONFIG"), vec!["GET", name]).await?;
        Ok(told.into_iter().nth(1).unwrap_or_default())
    }

    /// Our name for a key: everything of one installation shares a prefix.
    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }
}
