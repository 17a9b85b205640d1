//! Letters in French.

use super::{Letter, Text, answer_subject, paragraphs, text, with_car};

impl Letter {
    pub(super) fn french(&self) -> Text {
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
            Self::Welcome => text(
                "Bienvenue sur Keroxio",
                &[
                    "Votre adresse est confirmée : tout est prêt.",
                    "Prenez quelques photos d'une voiture : nous lisons sa plaque, nettoyons les photos, proposons un prix et rédigeons l'annonce. Vous relisez, vous publiez.",
                ],
                "Commencer",
            ),
            Self::OrganizationSuspended { organization, reason } => text(
                &format!("{organization} est suspendue"),
                &[
                    &format!("Notre équipe a suspendu {organization} sur Keroxio : {reason}"),
                    "Vous voyez et exportez toujours vos données, sans pouvoir les changer. Pour contester cette décision, répondez par le support, en disant pourquoi.",
                ],
                "Voir mon espace",
            ),
            Self::OrganizationReinstated { organization, reason } => text(
                &format!("{organization} n'est plus suspendue"),
                &[
                    &format!("La suspension de {organization} sur Keroxio est levée : {reason}"),
                    "Tout fonctionne de nouveau comme avant.",
                ],
                "Voir mon espace",
            ),
            Self::ListingReady { car, .. } => text(
                &with_car("Votre annonce est prête", " : ", car.as_deref()),
                &[
                    "Les photos, le prix et le texte sont prêts.",
                    "Relisez l'annonce, corrigez ce que vous voulez, puis publiez-la.",
                ],
                "Relire l'annonce",
            ),
            Self::AdPublished { car, channel, .. } => text(
                &with_car("Votre annonce est en ligne", " : ", car.as_deref()),
                &[
                    &format!("L'annonce est publiée sur {channel}."),
                    "Les messages des acheteurs arrivent dans votre espace ; retirez l'annonce quand la voiture est vendue.",
                ],
                "Voir l'annonce",
            ),
            Self::Notice { title_fr, .. } => {
                text(title_fr, &[title_fr, "Le détail est dans votre espace."], "Ouvrir mon espace")
            }
            Self::Digest { organization, lines_fr, more, .. } => {
                let mut paragraphs = vec![format!("Ce que vous n'avez pas encore lu pour {organization} :")];
                paragraphs.extend(lines_fr.iter().map(|line| format!("• {line}")));
                if *more > 0 {
                    paragraphs.push(format!("Et {more} de plus dans votre espace."));
                }
                Text { subject: format!("{organization} : votre résumé"), paragraphs, button: "Tout voir" }
            }
            Self::LeadAnswer { organization, car, text: answer } => Text {
                subject: answer_subject("Votre demande", car.as_deref(), organization),
                paragraphs: paragraphs(answer),
                button: "",
            },
        }
    }
}
