//! Who carries letters.

use keroxio_core::{Env, JobError};

use crate::kind::LetterKind;
use crate::model::Message;
use crate::resend::Resend;
use crate::smtp::Smtp;

#[derive(Clone)]
pub enum Transport {
    /// Nobody: letters stay with us, for staff to read.
    Mailbox,
    Resend(Resend),
    Smtp(Smtp),
}

impl Transport {
    /// Resend where `RESEND_API_KEY` is set, a mail server where `SMTP_URL` is.
    pub fn from_env(env: &Env, from: &str) -> Self {
        match (env.optional("RESEND_API_KEY"), env.optional("SMTP_URL")) {
            (None, None) => Self::Mailbox,
            (Some(key), None) => Self::Resend(Resend::new(env, &key)),
            (None, Some(url)) => match Smtp::new(&url, from) {
                Ok(smtp) => Self::Smtp(smtp),
                Err(why) => {
                    env.problem(format!("SMTP_URL: {why}"));
                    Self::Mailbox
                }
            },
            (Some(_), Some(_)) => {
                env.problem("RESEND_API_KEY and SMTP_URL: letters go by one of them, so set one".to_owned());
                Self::Mailbox
            }
        }
    }

    /// Hands a letter over; answers its identifier there.
    pub async fn carry(&self, message: &Message, from: &str) -> Result<String, JobError> {
        match self {
            Self::Mailbox => Err(JobError::Discard(anyhow::anyhow!("nobody carries letters any more"))),
            Self::Resend(resend) => resend.carry(message, from).await,
            Self::Smtp(smtp) => smtp.carry(message).await,
        }
    }
}

/// Headers that say what a letter is, whoever carries it.
pub fn headers(message: &Message) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if !LetterKind::named(&message.kind).is_some_and(LetterKind::is_by_hand) {
        // Absence notes do not answer it (RFC 3834).
        headers.push(("Auto-Submitted", "auto-generated".to_owned()));
    }
    if let Some(url) = &message.unsubscribe {
        // One click, without opening a page (RFC 8058).
        headers.push(("List-Unsubscribe", format!("<{url}>")));
        headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    headers
}
