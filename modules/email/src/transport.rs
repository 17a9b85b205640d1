//! Who carries letters.

use std::time::Duration;

use keroxio_core::metrics::{Call, outbound};
use keroxio_core::{Env, JobError};
use resend_rs::types::CreateEmailBaseOptions;
use resend_rs::{ConfigBuilder, Error, Resend};

use crate::model::Message;

const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub enum Transport {
    /// Nobody: letters stay with us, for staff to read.
    Mailbox,
    Resend(Resend),
}

impl Transport {
    /// Resend where `RESEND_API_KEY` is set.
    pub fn from_env(env: &Env) -> Self {
        let Some(key) = env.optional("RESEND_API_KEY") else { return Self::Mailbox };
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let mut config = ConfigBuilder::new(key);
        match client {
            Ok(client) => config = config.client(client),
            Err(e) => env.problem(format!("RESEND_API_KEY: no HTTP client: {e}")),
        }
        let address = env.optional("RESEND_BASE_URL").unwrap_or_else(|| "https://api.resend.com".to_owned());
        match address.parse() {
            Ok(url) => config = config.base_url(url),
            Err(_) => env.problem(format!("RESEND_BASE_URL: {address:?} is no address")),
        }
        Self::Resend(Resend::with_config(config.build()))
    }

    /// Hands a letter over, once however often this is called; answers its identifier there.
    pub async fn carry(&self, message: &Message, from: &str) -> Result<String, JobError> {
        let Self::Resend(resend) = self else { return Ok("kept".to_owned()) };
        let mail = CreateEmailBaseOptions::new(from, [&message.recipient], &message.subject)
            .with_html(message.html.as_deref().unwrap_or_default())
            .with_text(message.plain.as_deref().unwrap_or_default());
        let mail = match &message.reply_to {
            Some(address) => mail.with_reply(address),
            None => mail,
        };
        let mail = mail.with_idempotency_key(&message.id.to_string());
        let sent = outbound("email", resend.emails.send(mail), call)
            .await
            .map_err(|e| JobError::new(is_lasting(&e), anyhow::anyhow!("{e}")))?;
        Ok(sent.id.to_string())
    }
}

fn call<T>(answer: &Result<T, Error>) -> Call {
    match answer {
        Ok(_) => Call::Ok,
        Err(e) if is_lasting(e) => Call::Refused,
        Err(_) => Call::Failed,
    }
}

/// Whether the same letter would be refused again. What is not theirs to judge (limits, their own trouble) is not.
fn is_lasting(error: &Error) -> bool {
    match error {
        Error::Resend(answer) => {
            (400..500).contains(&answer.status_code) && ![408, 409, 429].contains(&answer.status_code)
        }
        _ => false,
    }
}
