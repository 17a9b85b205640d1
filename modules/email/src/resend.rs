//! Letters by Resend.

use std::time::Duration;

use keroxio_core::metrics::{Call, outbound};
use keroxio_core::{Env, JobError};
use resend_rs::types::{CreateEmailBaseOptions, Tag};
use resend_rs::{ConfigBuilder, Error};

use crate::model::Message;
use crate::transport::headers;

const TIMEOUT: Duration = Duration::from_secs(20);
/// The tag by which Resend tells us which letter it speaks of, even before it has answered.
pub const TAG: &str = "message_id";

#[derive(Clone)]
pub struct Resend(resend_rs::Resend);

impl Resend {
    pub fn new(env: &Env, key: &str) -> Self {
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
        Self(resend_rs::Resend::with_config(config.build()))
    }

    /// Hands a letter over, once however often this is called.
    pub async fn carry(&self, message: &Message, from: &str) -> Result<String, JobError> {
        let id = message.id.to_string();
        let mut mail = CreateEmailBaseOptions::new(from, [&message.recipient], &message.subject)
            .with_html(message.html.as_deref().unwrap_or_default())
            .with_text(message.plain.as_deref().unwrap_or_default())
            .with_tag(Tag::new(TAG, &id));
        for (name, value) in headers(message) {
            mail = mail.with_header(name, &value);
        }
        if let Some(address) = &message.reply_to {
            mail = mail.with_reply(address);
        }
        let sent = outbound("email", self.0.emails.send(mail.with_idempotency_key(&id)), call)
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
