//! What we write to people, in French and English.

use std::sync::LazyLock;

use keroxio_core::{Error, Result};
use minijinja::context;

/// The language of somebody's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locale {
    #[default]
    French,
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
}

/// A letter in somebody's language.
pub(crate) struct Written {
    pub kind: &'static str,
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
    fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::ResetPassword { .. } => "reset_password",
            Self::SecurityChanged { .. } => "security_changed",
            Self::Invitation { .. } => "invitation",
            Self::ClaimGuest { .. } => "claim_guest",
            Self::WebhookStopped { .. } => "webhook_stopped",
            Self::ExportReady { .. } => "export_ready",
            Self::InvoicePaid { .. } => "invoice_paid",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::LeadReceived { .. } => "lead_received",
            Self::LeadAnswer { .. } => "lead_answer",
        }
    }

    fn url(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { url }
            | Self::ResetPassword { url }
            | Self::Invitation { url, .. }
            | Self::ClaimGuest { url }
            | Self::ExportReady { url }
            | Self::LeadReceived { url, .. } => Some(url),
            Self::InvoicePaid { .. } | Self::PaymentFailed { .. } => Some("/billing"),
            Self::SecurityChanged { .. } | Self::WebhookStopped { .. } | Self::LeadAnswer { .. } => None,
        }
    }

    pub(crate) fn write(&self, locale: Locale, app_url: &str) -> Result<Written> {
        let text = match locale {
            Locale::French => self.french(),
            Locale::English => self.english(),
        };
        let (by_hand, usual) = match locale {
            Locale::French => (
                "Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :",
                "Vous recevez ce message parce que votre adresse est utilisée sur Keroxio.",
            ),
            Locale::English => (
                "If the button does not work, copy this address into your browser:",
                "You receive this message because your address is used on Keroxio.",
            ),
        };
        let closing = self.closing(locale).unwrap_or_else(|| usual.to_owned());
        let url = self.url().map(|path| format!("{app_url}{path}"));
        let html = TEMPLATES.get_template("letter.html").and_then(|template| {
            template.render(context! {
                locale => locale.name(), subject => &text.subject, paragraphs => &text.paragraphs, url => &url,
                button => text.button, by_hand => by_hand, closing => &closing,
            })
        });
        let html = html.map_err(Error::internal)?;
        let mut plain = text.paragraphs.join("\n\n");
        if let Some(url) = &url {
            plain += &format!("\n\n{} :\n{url}", text.button);
        }
        plain += &format!("\n\n{closing}\n");
        Ok(Written { kind: self.kind(), subject: text.subject, html, plain })
    }

    /// Why somebody gets it, where that is not their account.
    fn closing(&self, locale: Locale) -> Option<String> {
        let Self::LeadAnswer { organization, .. } = self else { return None };
        Some(match locale {
            Locale::French => format!(
                "Vous recevez ce message de {organization} parce que vous lui avez écrit. Répondez-y pour poursuivre l'échange."
            ),
            Locale::English => {
                format!("You receive this message from {organization} because you wrote to them. Reply to it to go on.")
            }
        })
    }

    fn french(&self) -> Text {
        let text = |subject: &str, paragraphs: &[&str], button| Text {
            subject: subject.to_owned(),
            paragraphs: paragraphs.iter().map(|p| (*p).to_owned()).collect(),
            button,
        };
        match self {
            Self::VerifyEmail { .. } => text(
                "Confirmez votre adresse e-mail",
                &[
                    "Bienvenue sur Keroxio.",
                    "Confirmez que cette adresse est la vôtre. Le lien est valable trois jours.",
                ],
                "Confirmer mon adresse",
            ),
            Self::ResetPassword { .. } => text(
                "Choisissez un nouveau mot de passe",
                &[
                    "Quelqu'un, vous sans doute, a demandé un nouveau mot de passe pour votre compte.",
                    "Le lien est valable une heure et ne sert qu'une fois. Si ce n'était pas vous, ne faites rien : rien n'a changé.",
                ],
                "Choisir un mot de passe",
            ),
            Self::SecurityChanged { what_fr, .. } => text(
                "La sécurité de votre compte a changé",
                &[
                    what_fr,
                    "Si ce n'était pas vous, demandez aussitôt un nouveau mot de passe : toutes les sessions seront fermées.",
                ],
                "",
            ),
            Self::Invitation { organization, role_fr, .. } => text(
                &format!("{organization} vous invite sur Keroxio"),
                &[
                    &format!("{organization} vous invite à rejoindre son équipe, avec le rôle « {role_fr} »."),
                    "L'invitation est valable sept jours.",
                ],
                "Accepter l'invitation",
            ),
            Self::ClaimGuest { .. } => text(
                "Retrouvez votre annonce",
                &[
                    "Votre annonce est prête à être reprise : choisissez un mot de passe pour la garder.",
                    "Le lien est valable sept jours. Sans cela, elle sera effacée trente jours après votre dernière visite.",
                ],
                "Garder mon annonce",
            ),
            Self::WebhookStopped { target, failures } => text(
                "Un de vos webhooks est arrêté",
                &[
                    &format!("{failures} envois de suite à {target} ont échoué : nous n'y envoyons plus rien."),
                    "Corrigez le service, puis remettez le webhook en marche ; les événements manqués peuvent être renvoyés.",
                ],
                "",
            ),
            Self::ExportReady { .. } => text(
                "Vos données sont prêtes",
                &["L'archive que vous avez demandée est prête. Le lien demande que vous soyez connecté."],
                "Télécharger mes données",
            ),
            Self::InvoicePaid { number, amount } => text(
                &format!("Votre facture {number}"),
                &[
                    &format!("Merci : votre facture {number} de {amount} est payée."),
                    "Vous la trouvez, avec les précédentes, dans votre espace de facturation.",
                ],
                "Voir mes factures",
            ),
            Self::PaymentFailed { amount, until } => text(
                "Votre paiement a échoué",
                &[
                    &format!("Le paiement de {amount} pour votre abonnement n'a pas abouti."),
                    &format!(
                        "Changez le moyen de paiement : votre offre reste inchangée jusqu'au {until}. Ensuite, vos annonces et vos données restent à vous, avec les limites de l'offre gratuite."
                    ),
                ],
                "Changer le moyen de paiement",
            ),
            Self::LeadReceived { car, is_again, .. } => {
                let about = car.as_ref().map_or_else(String::new, |car| format!(" : {car}"));
                let what = if *is_again { "Nouveau message d'un contact" } else { "Nouveau contact" };
                text(
                    &format!("{what}{about}"),
                    &[
                        "Quelqu'un attend votre réponse.",
                        "Plus elle vient vite, plus elle a de chances d'aboutir : les coordonnées et le message sont dans votre espace.",
                    ],
                    "Voir le contact",
                )
            }
            Self::LeadAnswer { organization, car, text: answer } => Text {
                subject: answer_subject("Votre demande", car.as_deref(), organization),
                paragraphs: paragraphs(answer),
                button: "",
            },
        }
    }

    fn english(&self) -> Text {
        let text = |subject: &str, paragraphs: &[&str], button| Text {
            subject: subject.to_owned(),
            paragraphs: paragraphs.iter().map(|p| (*p).to_owned()).collect(),
            button,
        };
        match self {
            Self::VerifyEmail { .. } => text(
                "Confirm your e-mail address",
                &["Welcome to Keroxio.", "Confirm that this address is yours. The link is valid for three days."],
                "Confirm my address",
            ),
            Self::ResetPassword { .. } => text(
                "Choose a new password",
                &[
                    "Somebody, probably you, asked for a new password for your account.",
                    "The link is valid for one hour and works once. If it was not you, do nothing: nothing has changed.",
                ],
                "Choose a password",
            ),
            Self::SecurityChanged { what_en, .. } => text(
                "The security of your account has changed",
                &[what_en, "If it was not you, ask for a new password at once: every session will be closed."],
                "",
            ),
            Self::Invitation { organization, role_en, .. } => text(
                &format!("{organization} invites you to Keroxio"),
                &[
                    &format!("{organization} invites you to join its team, with the role “{role_en}”."),
                    "The invitation is valid for seven days.",
                ],
                "Accept the invitation",
            ),
            Self::ClaimGuest { .. } => text(
                "Find your advertisement again",
                &[
                    "Your advertisement is ready to be taken up: choose a password to keep it.",
                    "The link is valid for seven days. Otherwise it is erased thirty days after your last visit.",
                ],
                "Keep my advertisement",
            ),
            Self::WebhookStopped { target, failures } => text(
                "One of your webhooks has stopped",
                &[
                    &format!("{failures} deliveries in a row to {target} failed: we send nothing there any more."),
                    "Mend the service, then start the webhook again; missed events can be sent again.",
                ],
                "",
            ),
            Self::ExportReady { .. } => text(
                "Your data is ready",
                &["The archive you asked for is ready. The link asks you to be signed in."],
                "Download my data",
            ),
            Self::InvoicePaid { number, amount } => text(
                &format!("Your invoice {number}"),
                &[
                    &format!("Thank you: your invoice {number} of {amount} is paid."),
                    "You find it with the earlier ones in your billing pages.",
                ],
                "See my invoices",
            ),
            Self::PaymentFailed { amount, until } => text(
                "Your payment failed",
                &[
                    &format!("The payment of {amount} for your subscription did not go through."),
                    &format!(
                        "Change the means of payment: your plan stays as it is until {until}. After that your advertisements and data stay yours, within the limits of the free plan."
                    ),
                ],
                "Change the means of payment",
            ),
            Self::LeadReceived { car, is_again, .. } => {
                let about = car.as_ref().map_or_else(String::new, |car| format!(": {car}"));
                let what = if *is_again { "Another message from a contact" } else { "New contact" };
                text(
                    &format!("{what}{about}"),
                    &[
                        "Somebody is waiting for your answer.",
                        "The sooner it comes the likelier it is to lead somewhere: how to reach them and what they wrote is in your account.",
                    ],
                    "See the contact",
                )
            }
            Self::LeadAnswer { organization, car, text: answer } => Text {
                subject: answer_subject("Your request", car.as_deref(), organization),
                paragraphs: paragraphs(answer),
                button: "",
            },
        }
    }
}

fn answer_subject(what: &str, car: Option<&str>, organization: &str) -> String {
    let car = car.map_or_else(String::new, |car| format!(" – {car}"));
    format!("{what}{car} ({organization})").replace(['\r', '\n'], " ")
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
    fn a_letter_is_written_in_both_languages_and_lets_nothing_through() {
        let url = "/x#token=abc".to_owned();
        let evil = "<script>alert(1)</script>".to_owned();
        let letters = [
            Letter::VerifyEmail { url: url.clone() },
            Letter::ResetPassword { url: url.clone() },
            Letter::SecurityChanged { what_fr: "Changé.", what_en: "Changed." },
            Letter::Invitation { organization: evil, role_fr: "vendeur", role_en: "seller", url: url.clone() },
            Letter::ClaimGuest { url: url.clone() },
            Letter::WebhookStopped { target: "https://example.org".to_owned(), failures: 20 },
            Letter::ExportReady { url: url.clone() },
            Letter::LeadReceived { car: Some("Clio".to_owned()), is_again: false, url },
            Letter::LeadAnswer {
                organization: "Garage".to_owned(),
                car: None,
                text: "<script>Bonjour,\r\n\r\nElle est disponible.".to_owned(),
            },
            Letter::InvoicePaid { number: "K-0001".to_owned(), amount: "58,80 €".to_owned() },
            Letter::PaymentFailed { amount: "58,80 €".to_owned(), until: "24/12/2026".to_owned() },
        ];
        for letter in &letters {
            let [french, english] = [Locale::French, Locale::English].map(|l| letter.write(l, "https://app").unwrap());
            assert_ne!(french.subject, english.subject);
            assert!(!french.html.contains("<script>") && french.html.contains("</html>"), "{}", french.html);
            let has_link = letter.url().is_none_or(|path| french.plain.contains(&format!("https://app{path}")));
            assert!(has_link && english.plain.len() > 60, "{}", english.plain);
        }
    }
}
