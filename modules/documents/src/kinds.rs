//! Words that are stored, and what they are called in the schema.

use async_graphql::Enum;
use keroxio_plugin_documents::invoice::Kind;
use keroxio_plugin_documents::number::Series;

/// What a paper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum PaperKind {
    /// An offer (devis), numbered D-.
    Quote,
    /// An invoice (facture), numbered F-.
    Invoice,
    /// What takes an invoice back, in whole or in part (avoir), numbered A-. Its amounts are positive.
    CreditNote,
}

impl PaperKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
        }
    }

    /// What was stored: the table holds no other words.
    pub fn stored(name: &str) -> Self {
        match name {
            "quote" => Self::Quote,
            "credit_note" => Self::CreditNote,
            _ => Self::Invoice,
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Quote => Kind::Quote,
            Self::Invoice => Kind::Invoice,
            Self::CreditNote => Kind::CreditNote,
        }
    }

    pub fn series(self) -> Series {
        match self {
            Self::Quote => Series::Quote,
            Self::Invoice => Series::Invoice,
            Self::CreditNote => Series::CreditNote,
        }
    }
}

/// Where a paper stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum PaperState {
    /// It can be changed and deleted, and has no number.
    Draft,
    /// It has its number and stays as it is.
    Issued,
}

impl PaperState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Issued => "issued",
        }
    }

    pub fn stored(name: &str) -> Self {
        if name == "draft" { Self::Draft } else { Self::Issued }
    }
}

/// How VAT is charged on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum VatScheme {
    /// At a rate, shown.
    Taxed,
    /// On the margin of a used good bought from somebody who charged no VAT (CGI art. 297 A); not shown.
    Margin,
    /// None: the seller is under the small business exemption (CGI art. 293 B).
    Franchise,
    /// A sum advanced for the buyer and repaid exactly, such as the registration tax.
    Disbursement,
}

impl VatScheme {
    /// As a seller's usual scheme is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Margin => "margin",
            Self::Franchise => "franchise",
            Self::Taxed | Self::Disbursement => "taxed",
        }
    }

    pub fn stored(name: &str) -> Self {
        match name {
            "margin" => Self::Margin,
            "franchise" => Self::Franchise,
            _ => Self::Taxed,
        }
    }
}

/// What a line sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "keroxio_plugin_documents::invoice::Nature")]
pub enum PaperLineNature {
    /// The car of the paper.
    Car,
    /// Parts and the like.
    Goods,
    /// Work at a fixed price.
    Service,
    /// Work counted in hours.
    Hours,
}

/// How something is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "keroxio_plugin_documents::invoice::PaymentMeans")]
pub enum PaymentMeans {
    /// By card.
    Card,
    /// By bank transfer.
    Transfer,
    /// In cash: from a consumer at most 1,000 euros.
    Cash,
    /// By cheque.
    Cheque,
    /// By a cheque that a bank drew.
    BankCheque,
    /// By the buyer's old car.
    TradeIn,
    /// By a lender.
    Financing,
}

/// Where sales are taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "keroxio_plugin_documents::vat::Territory")]
pub enum VatTerritory {
    /// Mainland France.
    Metropole,
    /// Corsica.
    Corsica,
    /// Guadeloupe.
    Guadeloupe,
    /// Martinique.
    Martinique,
    /// La Réunion.
    Reunion,
    /// Guyane: no VAT.
    Guyane,
    /// Mayotte: no VAT.
    Mayotte,
}
