//! The closed set of what one is told, and how by default.

use async_graphql::Enum;
use keroxio_core::Right;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum NotificationKind {
    /// An advertisement is ready.
    ListingReady,
    /// An advertisement waits for facts or a correction.
    ListingIncomplete,
    /// An advertisement is online on a portal.
    AdPublished,
    /// The market price of a car has moved.
    PriceMoved,
    /// Somebody asks about a car.
    LeadReceived,
    /// A task for a contact is due.
    LeadTaskDue,
    /// A paper or a declaration of a sale is due.
    SaleTaskDue,
    /// A car was sold and is still online somewhere.
    PublicationWithdraw,
    /// An advertisement on a portal is to be renewed.
    PublicationRenew,
    /// Staff have hidden an advertisement.
    ListingHidden,
    /// A hidden advertisement is shown again.
    ListingRestored,
    /// A feed of the stock was held back.
    FeedHeldBack,
    /// An invoice is paid.
    InvoicePaid,
    /// A payment failed.
    PaymentFailed,
    /// A subscription has ended.
    SubscriptionEnded,
    /// A trial ends soon.
    TrialWillEnd,
    /// A payment is disputed with a bank.
    PaymentDisputed,
    /// Money was paid back.
    PaymentRefunded,
    /// Most of what a plan gives is used.
    PlanLimitNear,
    /// A webhook has stopped.
    WebhookStopped,
    /// Staff opened the account of an organization.
    StaffAccess,
    /// Staff have put an organization on hold.
    OrganizationSuspended,
    /// An organization is no longer on hold.
    OrganizationReinstated,
}

/// How one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum NotificationChannel {
    /// In the application.
    InApp,
    /// By a letter to one's address.
    Email,
}

impl NotificationChannel {
    pub const ALL: [Self; 2] = [Self::InApp, Self::Email];

    pub fn name(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Email => "email",
        }
    }
}

impl NotificationKind {
    pub const ALL: [Self; 23] = [
        Self::ListingReady,
        Self::ListingIncomplete,
        Self::AdPublished,
        Self::PriceMoved,
        Self::LeadReceived,
        Self::LeadTaskDue,
        Self::SaleTaskDue,
        Self::PublicationWithdraw,
        Self::PublicationRenew,
        Self::ListingHidden,
        Self::ListingRestored,
        Self::FeedHeldBack,
        Self::InvoicePaid,
        Self::PaymentFailed,
        Self::SubscriptionEnded,
        Self::TrialWillEnd,
        Self::PaymentDisputed,
        Self::PaymentRefunded,
        Self::PlanLimitNear,
        Self::WebhookStopped,
        Self::StaffAccess,
        Self::OrganizationSuspended,
        Self::OrganizationReinstated,
    ];

    /// As it is stored, and told in GraphQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListingReady => "listing_ready",
            Self::ListingIncomplete => "listing_incomplete",
            Self::AdPublished => "ad_published",
            Self::PriceMoved => "price_moved",
            Self::LeadReceived => "lead_received",
            Self::LeadTaskDue => "lead_task_due",
            Self::SaleTaskDue => "sale_task_due",
            Self::PublicationWithdraw => "publication_withdraw",
            Self::PublicationRenew => "publication_renew",
            Self::ListingHidden => "listing_hidden",
            Self::ListingRestored => "listing_restored",
            Self::FeedHeldBack => "feed_held_back",
            Self::InvoicePaid => "invoice_paid",
            Self::PaymentFailed => "payment_failed",
            Self::SubscriptionEnded => "subscription_ended",
            Self::TrialWillEnd => "trial_will_end",
            Self::PaymentDisputed => "payment_disputed",
            Self::PaymentRefunded => "payment_refunded",
            Self::PlanLimitNear => "plan_limit_near",
            Self::WebhookStopped => "webhook_stopped",
            Self::StaffAccess => "staff_access",
            Self::OrganizationSuspended => "organization_suspended",
            Self::OrganizationReinstated => "organization_reinstated",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name for readers, in French and English.
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::ListingReady => ("Annonce prête", "Listing ready"),
            Self::ListingIncomplete => ("Annonce à compléter", "Listing to complete"),
            Self::AdPublished => ("Annonce en ligne", "Ad published"),
            Self::PriceMoved => ("Prix du marché en mouvement", "Market price moved"),
            Self::LeadReceived => ("Demande d'un acheteur", "Lead received"),
            Self::LeadTaskDue => ("Tâche pour un contact", "Task for a contact"),
            Self::SaleTaskDue => ("Démarche de vente à faire", "Sale paper due"),
            Self::PublicationWithdraw => ("Annonce à retirer", "Ad to withdraw"),
            Self::PublicationRenew => ("Annonce à renouveler", "Ad to renew"),
            Self::ListingHidden => ("Annonce masquée", "Listing hidden"),
            Self::ListingRestored => ("Annonce rétablie", "Listing restored"),
            Self::FeedHeldBack => ("Flux retenu", "Feed held back"),
            Self::InvoicePaid => ("Facture payée", "Invoice paid"),
            Self::PaymentFailed => ("Paiement échoué", "Payment failed"),
            Self::SubscriptionEnded => ("Abonnement terminé", "Subscription ended"),
            Self::TrialWillEnd => ("Fin d'essai proche", "Trial ends soon"),
            Self::PaymentDisputed => ("Paiement contesté", "Payment disputed"),
            Self::PaymentRefunded => ("Remboursement", "Refund"),
            Self::PlanLimitNear => ("Limite de l'offre proche", "Plan limit near"),
            Self::WebhookStopped => ("Webhook arrêté", "Webhook stopped"),
            Self::StaffAccess => ("Accès de notre équipe", "Access by our team"),
            Self::OrganizationSuspended => ("Organisation suspendue", "Organization on hold"),
            Self::OrganizationReinstated => ("Suspension levée", "Hold lifted"),
        }
    }

    /// Who is written to: those who can do something about it.
    pub fn right(self) -> Right {
        match self {
            Self::InvoicePaid
            | Self::PaymentFailed
            | Self::SubscriptionEnded
            | Self::TrialWillEnd
            | Self::PaymentDisputed
            | Self::PaymentRefunded
            | Self::PlanLimitNear => Right::Money,
            Self::WebhookStopped => Right::Settings,
            Self::StaffAccess | Self::OrganizationSuspended | Self::OrganizationReinstated => Right::Own,
            _ => Right::Publish,
        }
    }

    /// Whether its letter belongs to the account or a contract: it is always sent, by whoever makes the fact true.
    pub fn is_essential(self) -> bool {
        matches!(
            self,
            Self::InvoicePaid
                | Self::PaymentFailed
                | Self::WebhookStopped
                | Self::OrganizationSuspended
                | Self::OrganizationReinstated
        )
    }

    /// Whether one is told so where nothing else was chosen: by letter only what waits for its reader.
    pub fn by_default(self, channel: NotificationChannel) -> bool {
        match channel {
            NotificationChannel::InApp => true,
            NotificationChannel::Email => !matches!(
                self,
                Self::AdPublished
                    | Self::PriceMoved
                    | Self::LeadTaskDue
                    | Self::PublicationRenew
                    | Self::ListingRestored
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NotificationKind;

    #[test]
    fn every_kind_is_found_by_its_name_and_named_in_both_languages() {
        for kind in NotificationKind::ALL {
            assert_eq!(NotificationKind::named(kind.name()), Some(kind));
            let (french, english) = kind.label();
            assert!(!french.is_empty() && !english.is_empty() && french != english, "{kind:?}");
        }
    }
}
