//! What people are told, once each.

use keroxio_core::{App, BackgroundJob, Effects, JobError, Result, Right, Tx, group_digits};
use keroxio_email::{Letter, Locale};
use keroxio_notification::service::notify;
use keroxio_notification::{Notice, NotificationKind};
use keroxio_subscription::Unit;
use keroxio_subscription::events::LimitNear;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{self, Invoice, Note, Subscription};

/// An amount as it is written in French.
pub fn euros(cents: i64) -> String {
    format!("{},{:02}\u{a0}€", group_digits(cents / 100), cents.unsigned_abs() % 100)
}

/// Notes something once; false where somebody was told already.
async fn is_news(tx: &mut Tx, org_id: Uuid, kind: &str, stripe_id: &str) -> Result<bool> {
    let note = Note {
        id: Uuid::now_v7(),
        org_id,
        kind: kind.to_owned(),
        stripe_id: stripe_id.to_owned(),
        amount_cents: None,
        currency: None,
        reason: None,
        noted_at: tx.app().now(),
    };
    Ok(model::insert_note(tx, &note).await?)
}

/// Writes to whoever may handle money.
async fn write(tx: &mut Tx, org: Uuid, letter: &Letter) -> Result<()> {
    for to in keroxio_auth::service::addressees(tx, org, Right::Money).await? {
        keroxio_email::service::send(tx, Some(org), &to.email, Locale::named(&to.locale), letter).await?;
    }
    Ok(())
}

/// An invoice is paid, or could not be.
pub async fn of_invoice(tx: &mut Tx, invoice: &Invoice, current: Option<&Subscription>) -> Result<()> {
    let org = invoice.org_id;
    let number = invoice.number.clone().unwrap_or_default();
    match invoice.status.as_str() {
        // One that a credit paid moves no money.
        "paid" if invoice.paid_cents > 0 && is_news(tx, org, "invoice_paid", &invoice.stripe_id).await? => {
            let amount = euros(invoice.paid_cents);
            write(tx, org, &Letter::InvoicePaid { number: number.clone(), amount: amount.clone() }).await?;
            let notice = Notice {
                org_id: org,
                kind: NotificationKind::InvoicePaid,
                title_fr: format!("Facture {number} de {amount} payée."),
                title_en: format!("Invoice {number} of {amount} is paid."),
                subject_id: Some(invoice.id),
            };
            notify(tx, notice).await
        }
        "open" if invoice.attempts > 0 => {
            let amount = euros(invoice.due_cents);
            let key = format!("{}:{}", invoice.stripe_id, invoice.attempts);
            let until = current.and_then(|row| row.grace_ends_at);
            let Some(until) = until else { return Ok(()) };
            if !is_news(tx, org, "payment_failed", &key).await? {
                return Ok(());
            }
            let until = until.format("%d/%m/%Y").to_string();
            write(tx, org, &Letter::PaymentFailed { amount: amount.clone(), until: until.clone() }).await?;
            let notice = Notice {
                org_id: org,
                kind: NotificationKind::PaymentFailed,
                title_fr: format!("Le paiement de {amount} a échoué : votre offre reste jusqu'au {until}."),
                title_en: format!("The payment of {amount} failed: your plan stays until {until}."),
                subject_id: Some(invoice.id),
            };
            notify(tx, notice).await
        }
        _ => Ok(()),
    }
}

/// A subscription gives no plan any more.
pub async fn of_end(tx: &mut Tx, org: Uuid, subscription: &str) -> Result<()> {
    if !is_news(tx, org, "subscription_ended", subscription).await? {
        return Ok(());
    }
    let notice = Notice {
        org_id: org,
        kind: NotificationKind::SubscriptionEnded,
        title_fr: "Votre abonnement est terminé : vos annonces et vos données restent à vous.".to_owned(),
        title_en: "Your subscription has ended: your advertisements and data stay yours.".to_owned(),
        subject_id: None,
    };
    notify(tx, notice).await
}

/// A trial ends in some days.
pub async fn of_trial_end(tx: &mut Tx, org: Uuid, subscription: &Subscription) -> Result<()> {
    if !is_news(tx, org, "trial_will_end", &subscription.stripe_id).await? {
        return Ok(());
    }
    let day = subscription.trial_end.map(|day| day.format("%d/%m/%Y").to_string()).unwrap_or_default();
    let notice = Notice {
        org_id: org,
        kind: NotificationKind::TrialWillEnd,
        title_fr: format!("Votre essai se termine le {day} : la première facture suivra."),
        title_en: format!("Your trial ends on {day}: the first invoice follows."),
        subject_id: None,
    };
    notify(tx, notice).await
}

/// Money went back, or is asked back.
pub async fn of_money_back(tx: &mut Tx, note: Note) -> Result<()> {
    if !model::insert_note(tx, &note).await? {
        return Ok(());
    }
    let amount = euros(note.amount_cents.unwrap_or_default());
    let (kind, title_fr, title_en) = match note.kind.as_str() {
        "dispute" => (
            NotificationKind::PaymentDisputed,
            format!("Un paiement de {amount} est contesté auprès de votre banque."),
            format!("A payment of {amount} is disputed with your bank."),
        ),
        _ => (
            NotificationKind::PaymentRefunded,
            format!("{amount} vous ont été remboursés."),
            format!("{amount} were refunded to you."),
        ),
    };
    notify(tx, Notice { org_id: note.org_id, kind, title_fr, title_en, subject_id: Some(note.id) }).await
}

/// Tells an organization that it has used most of what its plan gives.
#[derive(Serialize, Deserialize)]
pub struct TellOfLimit {
    org_id: Uuid,
    unit: Unit,
    used: i32,
    limit: i32,
}

impl From<LimitNear> for TellOfLimit {
    fn from(event: LimitNear) -> Self {
        Self { org_id: event.org_id, unit: event.unit, used: event.used, limit: event.limit }
    }
}

impl BackgroundJob for TellOfLimit {
    const NAME: &'static str = "billing.tell_of_limit";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let Self { org_id, unit, used, limit } = self;
        let mut tx = app.begin().await?;
        let notice = Notice {
            org_id,
            kind: NotificationKind::PlanLimitNear,
            title_fr: format!("Vous utilisez {used} sur {limit} {} de votre offre.", unit.in_french()),
            title_en: format!("You use {used} of {limit} {} of your plan.", unit.in_english()),
            subject_id: None,
        };
        notify(&mut tx, notice).await?;
        Ok(tx.into())
    }
}

#[cfg(test)]
mod tests {
    use super::euros;

    #[test]
    fn cents_are_written_the_french_way() {
        assert_eq!(
            (euros(5_880).as_str(), euros(123_456_705).as_str()),
            ("58,80\u{a0}€", "1\u{202f}234\u{202f}567,05\u{a0}€")
        );
    }
}
