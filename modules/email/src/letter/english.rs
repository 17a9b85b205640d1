//! Letters in English.

use super::{Letter, Text, answer_subject, paragraphs, text, with_car};

impl Letter {
    pub(super) fn english(&self) -> Text {
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
            Self::Welcome => text(
                "Welcome to Keroxio",
                &[
                    "Your address is confirmed: everything is ready.",
                    "Take some photos of a car: we read its plate, clean the photos, suggest a price and write the advertisement. You read it over, you publish.",
                ],
                "Begin",
            ),
            Self::OrganizationSuspended { organization, reason } => text(
                &format!("{organization} is on hold"),
                &[
                    &format!("Our team has put {organization} on hold on Keroxio: {reason}"),
                    "You still see and export your data, without being able to change it. To contest this decision, write to support and say why.",
                ],
                "See my account",
            ),
            Self::OrganizationReinstated { organization, reason } => text(
                &format!("{organization} is no longer on hold"),
                &[
                    &format!("{organization} is no longer on hold on Keroxio: {reason}"),
                    "Everything works again as before.",
                ],
                "See my account",
            ),
            Self::ListingReady { car, .. } => text(
                &with_car("Your advertisement is ready", ": ", car.as_deref()),
                &[
                    "The photos, the price and the text are ready.",
                    "Read the advertisement over, correct what you like, then publish it.",
                ],
                "Read it over",
            ),
            Self::AdPublished { car, channel, .. } => text(
                &with_car("Your advertisement is online", ": ", car.as_deref()),
                &[
                    &format!("The advertisement is published on {channel}."),
                    "What buyers write arrives in your account; withdraw the advertisement when the car is sold.",
                ],
                "See the advertisement",
            ),
            Self::Notice { title_en, .. } => {
                text(title_en, &[title_en, "The details are in your account."], "Open my account")
            }
            Self::Digest { organization, lines_en, more, .. } => {
                let mut paragraphs = vec![format!("What you have not read yet for {organization}:")];
                paragraphs.extend(lines_en.iter().map(|line| format!("• {line}")));
                if *more > 0 {
                    paragraphs.push(format!("And {more} more in your account."));
                }
                Text { subject: format!("{organization}: your summary"), paragraphs, button: "See all" }
            }
            Self::LeadAnswer { organization, car, text: answer } => Text {
                subject: answer_subject("Your request", car.as_deref(), organization),
                paragraphs: paragraphs(answer),
                button: "",
            },
        }
    }
}
