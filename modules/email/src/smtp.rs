//! Letters by a mail server.

use std::time::Duration;

use keroxio_core::JobError;
use keroxio_core::metrics::{Call, outbound};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::model::Message;
use crate::transport::headers;

const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// # Errors
    /// What is wrong with the address of the server or the sender.
    pub fn new(url: &str, from: &str) -> Result<Self, String> {
        if url.starts_with("smtp://") && url.contains('@') && !url.contains("tls=required") {
            return Err("a password would travel in clear: use smtps://, or add ?tls=required".to_owned());
        }
        // The error may repeat the address, which holds a password.
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "no address such as smtps://user:password@host:465".to_owned())?;
        let from = from.parse().map_err(|_| format!("KEROXIO_MAIL_FROM {from:?} is no sender"))?;
        Ok(Self { server: server.timeout(Some(TIMEOUT)).build(), from })
    }

    /// Hands a letter over. Should that be done twice, both have one identifier, by which mail programs show one.
    pub async fn carry(&self, message: &Message) -> Result<String, JobError> {
        let id = format!("<{}@{}>", message.id, self.from.email.domain());
        let mail = self.mail(message, &id).map_err(JobError::Discard)?;
        outbound("email", self.server.send(mail), call)
            .await
            .map_err(|e| JobError::new(e.is_permanent(), anyhow::anyhow!("{e}")))?;
        Ok(id)
    }

    fn mail(&self, message: &Message, id: &str) -> anyhow::Result<lettre::Message> {
        let mut mail = lettre::Message::builder()
            .message_id(Some(id.to_owned()))
            .date(message.created_at.into())
            .from(self.from.clone())
            .to(Mailbox::new(None, message.recipient.parse()?))
            .subject(&message.subject);
        if let Some(address) = &message.reply_to {
            mail = mail.reply_to(address.parse()?);
        }
        let text = message.plain.clone().unwrap_or_default();
        let html = message.html.clone().unwrap_or_default();
        let mut mail = mail.multipart(MultiPart::alternative_plain_html(text, html))?;
        for (name, value) in headers(message) {
            let name = HeaderName::new_from_ascii_str(name);
            mail.headers_mut().insert_raw(HeaderValue::new(name, value));
        }
        Ok(mail)
    }
}

fn call<T>(answer: &Result<T, Error>) -> Call {
    match answer {
        Ok(_) => Call::Ok,
        Err(e) if e.is_permanent() => Call::Refused,
        Err(_) => Call::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_travels_by_tls_only_and_in_no_error() {
        let from = "Keroxio <no-reply@example.org>";
        for good in [
            "smtp://127.0.0.1:1025",
            "smtps://u:p@mail.example.org:465",
            "smtp://u:p@mail.example.org:587?tls=required",
        ] {
            assert!(Smtp::new(good, from).is_ok(), "{good}");
        }
        for bad in ["smtp://u:secret@mail.example.org:25", "https://u:secret@example.org", "u:secret@example.org"] {
            let why = Smtp::new(bad, from).err().unwrap_or_default();
            assert!(!why.is_empty() && !why.contains("secret"), "{bad}: {why}");
        }
        assert!(Smtp::new("smtp://127.0.0.1:1025", "nobody").is_err());
    }
}
