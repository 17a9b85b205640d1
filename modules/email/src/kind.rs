//! The closed set of letters, and who may do without which.

use async_graphql::Enum;

/// What a letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EmailKind")]
pub enum LetterKind {
    /// An address is to be confirmed.
    VerifyEmail,
    /// A link to choose a new password.
    ResetPassword,
    /// A password or a second factor has changed.
    SecurityChanged,
    /// An address was confirmed: where to begin.
    Welcome,
    /// Somebody is invited into an organization.
    Invitation,
    /// A link by which a guest keeps what they began.
    ClaimGuest,
    /// A webhook has stopped.
    WebhookStopped,
    /// An export of data is ready.
    ExportReady,
    /// An invoice was paid.
    InvoicePaid,
    /// A payment failed.
    PaymentFailed,
    /// Staff have put an organization on hold.
    OrganizationSuspended,
    /// An organization is no longer on hold.
    OrganizationReinstated,
    /// An advertisement is ready to be published.
    ListingReady,
    /// An advertisement is online.
    AdPublished,
    /// Somebody asks about a car.
    LeadReceived,
    /// What an organization answers to somebody who asked.
    LeadAnswer,
    /// One notification that somebody wants to be written to about.
    Notice,
    /// What has happened and was not read.
    Digest,
}

impl LetterKind {
    pub const ALL: [Self; 18] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::SecurityChanged,
        Self::Welcome,
        Self::Invitation,
        Self::ClaimGuest,
        Self::WebhookStopped,
        Self::ExportReady,
        Self::InvoicePaid,
        Self::PaymentFailed,
        Self::OrganizationSuspended,
        Self::OrganizationReinstated,
        Self::ListingReady,
        Self::AdPublished,
        Self::LeadReceived,
        Self::LeadAnswer,
        Self::Notice,
        Self::Digest,
    ];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::SecurityChanged => "security_changed",
            Self::Welcome => "welcome",
            Self::Invitation => "invitation",
            Self::ClaimGuest => "claim_guest",
            Self::WebhookStopped => "webhook_stopped",
            Self::ExportReady => "export_ready",
            Self::InvoicePaid => "invoice_paid",
            Self::PaymentFailed => "payment_failed",
            Self::OrganizationSuspended => "organization_suspended",
            Self::OrganizationReinstated => "organization_reinstated",
            Self::ListingReady => "listing_ready",
            Self::AdPublished => "ad_published",
            Self::LeadReceived => "lead_received",
            Self::LeadAnswer => "lead_answer",
            Self::Notice => "notice",
            Self::Digest => "digest",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether its reader may refuse it: everything else belongs to the account, a contract or a conversation.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::ListingReady | Self::AdPublished | Self::LeadReceived | Self::Notice | Self::Digest)
    }

    /// Whether an account depends on it. A complaint about other letters does not stop it; an address that does not
    /// exist stops everything.
    pub fn is_for_security(self) -> bool {
        matches!(self, Self::VerifyEmail | Self::ResetPassword | Self::SecurityChanged)
    }

    /// Whether a person wrote it.
    pub fn is_by_hand(self) -> bool {
        self == Self::LeadAnswer
    }
}
