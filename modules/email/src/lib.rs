#![doc = include_str!("../README.md")]

mod declared;
mod delivery;
mod graphql;
mod http;
mod job;
mod kind;
mod letter;
mod model;
mod preview;
mod resend;
pub mod service;
mod settings;
mod smtp;
mod suppression;
mod tables;
mod transport;
mod unsubscribe;

pub use graphql::EmailQuery as Query;
pub use keroxio_core::{NoMutation as Mutation, NoSubscription as Subscription};
pub use kind::LetterKind;
pub use letter::{Letter, Locale};
pub use service::{Envelope, Standing};
pub use unsubscribe::Unsubscribed;

pub(crate) const WEBHOOKS: &str = "keroxio_email_webhooks_total";
/// What becomes of what Resend tells.
const OUTCOMES: [&str; 9] =
    ["accepted", "repeated", "ignored", "not_ours", "not_configured", "too_large", "forged", "unreadable", "failed"];

pub struct EmailModule;
pub const MODULE: EmailModule = EmailModule;

impl keroxio_core::Module for EmailModule {
    fn name(&self) -> &'static str {
        "email"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        let settings = settings::Settings::read(env);
        app.provide(transport::Transport::from_env(env, &settings.from));
        app.provide(settings);
        app.provide(settings::Hook::read(env));
        app.provide(settings::Retention::read(env));
        app.provide(unsubscribe::Key::from_env(env));
        Ok(())
    }

    fn describe_metrics(&self) {
        metrics::describe_counter!(WEBHOOKS, "Events of Resend, by what became of them.");
        for outcome in OUTCOMES {
            metrics::counter!(WEBHOOKS, "outcome" => outcome).absolute(0);
        }
        keroxio_core::metrics::know_events(&[
            "email.queued",
            "email.sent",
            "email.failed",
            "email.suppressed",
            "email.delivered",
            "email.bounced",
            "email.complained",
            "email.unsubscribed",
        ]);
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<job::SendLetter>();
        jobs.register::<job::ForgetEvents>().recur(keroxio_core::Recurrence("35 3 * * *"), &job::ForgetEvents);
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(http::routes())
    }
}
