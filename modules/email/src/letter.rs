//! What we write to people, in French and English.

mod english;
mod french;
mod sample;

use std::sync::LazyLock;

use async_graphql::Enum;
use keroxio_core::{Error, Result};
use minijinja::context;

use crate::kind::LetterKind;

/// The language of letters to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
#[graphql(name = "Language")]
pub enum Locale {
    /// French.
    #[default]
    #[graphql(name = "FR")]
    French,
    /// English.
    #[graphql(name = "EN")]
    English,
}

impl Locale {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }

    pub fn named(name: &str) -> Self {
        if name == "en" { Self::English } else { Self::French }
    }
}

/// A letter; `url` is a path of the front end, which begins with a slash.
#[derive(Debug, Clone)]
pub enum Letter {
    VerifyEmail {
        url: String,
    },
    ResetPassword {
        url: String,
    },
    /// The password was changed, or the second factor; nobody has to do anything unless it was not them.
    SecurityChanged {
        what_fr: &'static str,
        what_en: &'static str,
    },
    /// An address was confirmed for the first time.
    Welcome,
    Invitation {
        organization: String,
        role_fr: &'static str,
        role_en: &'static str,
        url: String,
    },
    ClaimGuest {
        url: String,
    },
    /// An integrator's address fails again and again, and is no longer called.
    WebhookStopped {
        target: String,
        failures: i32,
    },
    /// What was asked for by somebody is ready.
    ExportReady {
        url: String,
    },
    /// An invoice of ours was paid; the amount is written out.
    InvoicePaid {
        number: String,
        amount: String,
    },
    /// A payment to us failed; the day until which everything stays is written out.
    PaymentFailed {
        amount: String,
        until: String,
    },
    /// Staff have put an organization on hold, for a reason in their own words.
    OrganizationSuspended {
        organization: String,
        reason: String,
    },
    OrganizationReinstated {
        organization: String,
        reason: String,
    },
    /// An ad can be published.
    ListingReady {
        /// The car, as its ad calls it.
        car: Option<String>,
        url: String,
    },
    /// An ad is online.
    AdPublished {
        car: Option<String>,
        /// Where.
        channel: String,
        url: String,
    },
    /// Somebody asks about a car: to those of the organization who may answer. It says nothing of who asks.
    LeadReceived {
        /// The car, as its ad calls it.
        car: Option<String>,
        /// Whether the same person asked about the same car before.
        is_again: bool,
        url: String,
    },
    /// What an organization answers to somebody who asked about a car.
    LeadAnswer {
        organization: String,
        car: Option<String>,
        text: String,
    },
    /// A notification that has no letter of its own.
    Notice {
        title_fr: String,
        title_en: String,
        url: String,
    },
    /// Notifications that were not read.
    Digest {
        organization: String,
        lines_fr: Vec<String>,
        lines_en: Vec<String>,
        /// How many there are beside those.
        more: i64,
        url: String,
    },
}

/// A letter in somebody's language.
pub(crate) struct Written {
    pub subject: String,
    pub html: String,
    pub plain: String,
}

struct Text {
    subject: String,
    paragraphs: Vec<String>,
    button: &'static str,
}

static TEMPLATES: LazyLock<minijinja::Environment<'static>> = LazyLock::new(|| {
    let mut templates = minijinja::Environment::new();
    // The template is compiled in: that it parses is what the test of this file proves.
    let _ = templates.add_template("letter.html", include_str!("../templates/letter.html"));
    templates
});

impl Letter {
    pub fn kind(&self) -> LetterKind {
        match self {
            Self::VerifyEmail { .. } => LetterKind::VerifyEmail,
            Self::ResetPassword { .. } => LetterKind::ResetPassword,
            Self::SecurityChanged { .. } => LetterKind::SecurityChanged,
            Self::Welcome => LetterKind::Welcome,
            Self::Invitation { .. } => LetterKind::Invitation,
            Self::ClaimGuest { .. } => LetterKind::ClaimGuest,
            Self::WebhookStopped { .. } => LetterKind::WebhookStopped,
            Self::ExportReady { .. } => LetterKind::ExportReady,
            Self::InvoicePaid { .. } => LetterKind::InvoicePaid,
            Self::PaymentFailed { .. } => LetterKind::PaymentFailed,
            Self::OrganizationSuspended { .. } => LetterKind::OrganizationSuspended,
            Self::OrganizationReinstated { .. } => LetterKind::OrganizationReinstated,
            Self::ListingReady { .. } => LetterKind::ListingReady,
            Self::AdPublished { .. } => LetterKind::AdPublished,
            Self::LeadReceived { .. } => LetterKind::LeadReceived,
            Self::LeadAnswer { .. } => LetterKind::LeadAnswer,
            Self::Notice { .. } => LetterKind::Notice,
            Self::Digest { .. } => LetterKind::Digest,
        }
    }

    fn url(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { url }
            | Self::ResetPassword { url }
            | Self::Invitation { url, .. }
            | Self::ClaimGuest { url }
            | Self::ExportReady { url }
            | Self::ListingReady { url, .. }
            | Self::AdPublished { url, .. }
            | Self::LeadReceived { url, .. }
            | Self::Notice { url, .. }
            | Self::Digest { url, .. } => Some(url),
            Self::InvoicePaid { .. } | Self::PaymentFailed { .. } => Some("/billing"),
            Self::Welcome | Self::OrganizationSuspended { .. } | Self::OrganizationReinstated { .. } => Some("/"),
            Self::SecurityChanged { .. } | Self::WebhookStopped { .. } | Self::LeadAnswer { .. } => None,
        }
    }

    /// `unsubscribe`: where its reader ends letters of its kind.
    pub(crate) fn write(&self, locale: Locale, app_url: &str, unsubscribe: Option<&str>) -> Result<Written> {
        let text = match locale {
            Locale::French => self.french(),
            Locale::English => self.english(),
        };
        // A subject is a header: nothing in it begins another.
        let subject = text.subject.replace(['\r', '\n'], " ");
        let (by_hand, end) = match locale {
            Locale::French => (
                "Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :",
                "Ne plus recevoir ces messages",
            ),
            Locale::English => (
                "If the button does not work, copy this address into your browser:",
                "Receive no more of these messages",
            ),
        };
        let closing = self.closing(locale);
        let url = self.url().map(|path| format!("{app_url}{path}"));
        let html = TEMPLATES.get_template("letter.html").and_then(|template| {
            template.render(context! {
                locale => locale.name(), subject => &subject, preheader => text.paragraphs.first(),
                paragraphs => &text.paragraphs, url => &url, button => text.button, by_hand => by_hand,
                closing => &closing, unsubscribe => unsubscribe, end => end,
            })
        });
        let html = html.map_err(Error::internal)?;
        let mut plain = text.paragraphs.join("\n\n");
        let mut link = |label: &str, url: &str| plain += &format!("\n\n{label} :\n{url}");
        if let Some(url) = &url {
            link(text.button, url);
        }
        if let Some(url) = unsubscribe {
            link(end, url);
        }
        plain += &format!("\n\n{closing}\n");
        Ok(Written { subject, html, plain })
    }

    /// Why somebody gets it.
    fn closing(&self, locale: Locale) -> String {
        match (self, locale) {
            (Self::LeadAnswer { organization, .. }, Locale::French) => format!(
                "Vous recevez ce message de {organization} parce que vous lui avez écrit. Répondez-y pour poursuivre l'échange."
            ),
            (Self::LeadAnswer { organization, .. }, Locale::English) => {
                format!("You receive this message from {organization} because you wrote to them. Reply to it to go on.")
            }
            (_, Locale::French) => {
                "Vous recevez ce message parce que votre adresse est utilisée sur Keroxio.".to_owned()
            }
            (_, Locale::English) => "You receive this message because your address is used on Keroxio.".to_owned(),
        }
    }
}

fn text(subject: &str, paragraphs: &[&str], button: &'static str) -> Text {
    let paragraphs = paragraphs.iter().map(|p| (*p).to_owned()).collect();
    Text { subject: subject.to_owned(), paragraphs, button }
}

fn answer_subject(what: &str, car: Option<&str>, organization: &str) -> String {
    format!("{} ({organization})", with_car(what, " – ", car))
}

fn with_car(what: &str, joint: &str, car: Option<&str>) -> String {
    car.map_or_else(|| what.to_owned(), |car| format!("{what}{joint}{car}"))
}

/// What somebody wrote, by its empty lines.
fn paragraphs(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split("\n\n").map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_letter_lets_nothing_through() {
        let evil = "<script>alert(1)</script>\r\nBcc: all@example.org";
        let (url, car) = ("/x".to_owned(), Some(evil.to_owned()));
        let letters = [
            Letter::ListingReady { car: car.clone(), url: url.clone() },
            Letter::AdPublished { car: car.clone(), channel: evil.to_owned(), url: url.clone() },
            Letter::LeadReceived { car: car.clone(), is_again: false, url: url.clone() },
            Letter::LeadAnswer { organization: evil.to_owned(), car, text: evil.to_owned() },
            Letter::Notice { title_fr: evil.to_owned(), title_en: evil.to_owned(), url },
            Letter::OrganizationSuspended { organization: evil.to_owned(), reason: evil.to_owned() },
        ];
        for letter in &letters {
            for locale in [Locale::French, Locale::English] {
                let written = letter.write(locale, "https://app", None).unwrap();
                assert!(!written.html.contains("<script>"), "{}", written.html);
                assert!(!written.subject.contains(['\r', '\n']), "{:?}", written.subject);
            }
        }
    }
}
