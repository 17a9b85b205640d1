//! Letters as staff see them before anybody gets one.

use super::Letter;
use crate::kind::LetterKind;

impl Letter {
    /// A letter of this kind to nobody.
    pub(crate) fn sample(kind: LetterKind) -> Self {
        let organization = "Garage Dupont".to_owned();
        let car = Some("Renault Clio TCe 90 Zen".to_owned());
        let listing = "/listings/00000000-0000-7000-8000-000000000000".to_owned();
        let reason = "Trois annonces décrivent la même voiture volée.".to_owned();
        match kind {
            LetterKind::VerifyEmail => Self::VerifyEmail { url: "/verify-email#token=exemple".to_owned() },
            LetterKind::ResetPassword => Self::ResetPassword { url: "/reset-password#token=exemple".to_owned() },
            LetterKind::SecurityChanged => Self::SecurityChanged {
                what_fr: "Votre mot de passe a été remplacé.",
                what_en: "Your password was replaced.",
            },
            LetterKind::Welcome => Self::Welcome,
            LetterKind::Invitation => Self::Invitation {
                organization,
                role_fr: "vendeur",
                role_en: "seller",
                url: "/invitation#token=exemple".to_owned(),
            },
            LetterKind::ClaimGuest => Self::ClaimGuest { url: "/claim#token=exemple".to_owned() },
            LetterKind::WebhookStopped => {
                Self::WebhookStopped { target: "https://dms.example.org/keroxio".to_owned(), failures: 20 }
            }
            LetterKind::ExportReady => Self::ExportReady { url: "/account/exports".to_owned() },
            LetterKind::InvoicePaid => {
                Self::InvoicePaid { number: "K-0001".to_owned(), amount: "58,80\u{a0}€".to_owned() }
            }
            LetterKind::PaymentFailed => {
                Self::PaymentFailed { amount: "58,80\u{a0}€".to_owned(), until: "24/12/2026".to_owned() }
            }
            LetterKind::OrganizationSuspended => Self::OrganizationSuspended { organization, reason },
            LetterKind::OrganizationReinstated => Self::OrganizationReinstated {
                organization,
                reason: "La voiture a été rendue à son propriétaire.".to_owned(),
            },
            LetterKind::ListingReady => Self::ListingReady { car, url: listing },
            LetterKind::AdPublished => Self::AdPublished { car, channel: "Leboncoin".to_owned(), url: listing },
            LetterKind::LeadReceived => Self::LeadReceived {
                car,
                is_again: false,
                url: "/leads/00000000-0000-7000-8000-000000000000".to_owned(),
            },
            LetterKind::LeadAnswer => Self::LeadAnswer {
                organization,
                car,
                text: "Bonjour,\n\nElle est disponible : passez samedi, nous sommes ouverts jusqu'à 18 h.".to_owned(),
            },
            LetterKind::Notice => Self::Notice {
                title_fr: "Le marché a baissé de 4 % : prix conseillé 11 900 €. Renault Clio".to_owned(),
                title_en: "The market has fallen by 4 %: suggested price 11 900 €. Renault Clio".to_owned(),
                url: "/notifications".to_owned(),
            },
            LetterKind::Digest => Self::Digest {
                organization,
                lines_fr: vec!["Votre annonce est prête : Renault Clio".to_owned(), "Nouveau contact".to_owned()],
                lines_en: vec!["Your listing is ready: Renault Clio".to_owned(), "New contact".to_owned()],
                more: 3,
                url: "/notifications".to_owned(),
            },
        }
    }
}
