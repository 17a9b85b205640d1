//! What a sale document says: quote, invoice or credit note. Everything is optional enough to be typed in step by step;
//! [`Sale::validate`] tells what is missing before it may be issued.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::check;
use crate::vat::Territory;

/// Largest amount, in cents, that a document may contain: far above any car and far below what overflows a sum.
pub const MAX_AMOUNT_CENTS: i64 = 10_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Devis; no accounting document, no Factur-X.
    Quote,
    /// Facture, type 380.
    Invoice,
    /// Avoir, type 381; its amounts are positive.
    CreditNote,
}

/// What unit prices mean on taxed lines. Lines outside VAT or under the margin scheme have one price only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// Unit prices exclude VAT.
    #[default]
    Net,
    /// Unit prices include VAT, as consumers see them; the total they add up to is kept to the cent.
    TaxIncluded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub kind: Kind,
    /// As printed; see [`crate::number::DocumentNumber`]. At most 35 letters, digits and `-+_/`.
    pub number: String,
    pub issued_on: NaiveDate,
    /// Last day to pay (invoice).
    #[serde(default)]
    pub due_on: Option<NaiveDate>,
    /// Last day on which a quote can be accepted.
    #[serde(default)]
    pub valid_until: Option<NaiveDate>,
    #[serde(default)]
    pub delivery: Option<Delivery>,
    pub seller: Seller,
    pub buyer: Buyer,
    /// The invoice that a credit note takes back.
    #[serde(default)]
    pub credited: Option<CreditedInvoice>,
    /// The car sold or worked upon.
    #[serde(default)]
    pub car: Option<Car>,
    #[serde(default)]
    pub price_basis: PriceBasis,
    pub lines: Vec<Line>,
    /// What was paid already, deposits and the trade-in included.
    #[serde(default)]
    pub payments: Vec<Payment>,
    #[serde(default)]
    pub terms: Terms,
    /// Further sentences to print, in French.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Sale {
    /// Every fault that forbids to issue the document, in the order of the form; empty when it may be issued.
    pub fn validate(&self) -> Vec<Fault> {
        check::sale(self)
    }
}

/// When and where the car or the work is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Day of the chargeable event: the rates of VAT of that day apply.
    pub on: NaiveDate,
    pub place: Address,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Number and street; a second line for building or locality.
    pub lines: Vec<String>,
    pub postcode: String,
    pub city: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// Company name, or first and last name of a sole trader.
    pub name: String,
    /// Name on the shop sign when it differs.
    #[serde(default)]
    pub trade_name: Option<String>,
    /// `SAS`, `SARL`, `EI`...
    pub legal_form: String,
    /// Share capital in whole euros; companies only.
    #[serde(default)]
    pub capital_euros: Option<u64>,
    /// 9 digits.
    #[serde(default)]
    pub siren: Option<String>,
    /// 14 digits, of the site that sells.
    #[serde(default)]
    pub siret: Option<String>,
    /// `FR` and 11 characters; not needed under the small business exemption.
    #[serde(default)]
    pub vat_id: Option<String>,
    /// Register and town, for instance `RCS Lyon`.
    #[serde(default)]
    pub rcs: Option<String>,
    pub address: Address,
    #[serde(default)]
    pub territory: Territory,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    /// Where to send money.
    #[serde(default)]
    pub iban: Option<String>,
    #[serde(default)]
    pub bic: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Buyer {
    Person {
        /// First and last name.
        name: String,
        address: Address,
    },
    Company {
        name: String,
        /// 9 digits; required of French companies.
        #[serde(default)]
        siren: Option<String>,
        #[serde(default)]
        vat_id: Option<String>,
        address: Address,
    },
}

impl Buyer {
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } | Self::Company { name, .. } => name,
        }
    }

    pub fn address(&self) -> &Address {
        match self {
            Self::Person { address, .. } | Self::Company { address, .. } => address,
        }
    }

    pub fn is_company(&self) -> bool {
        matches!(self, Self::Company { .. })
    }
}

/// What décret 78-993 wants on every paper about a used car, plus plate and VIN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Car {
    pub make: String,
    pub model: String,
    /// Version, trim and engine.
    pub version: String,
    #[serde(default)]
    pub plate: Option<String>,
    /// 17 characters since 1982, fewer on older cars.
    #[serde(default)]
    pub vin: Option<String>,
    /// Its month and year are printed; the first day of the month where no more is known.
    #[serde(default)]
    pub first_registered_on: Option<NaiveDate>,
    #[serde(default)]
    pub mileage_km: Option<u32>,
    /// Whether the real total can be proved; otherwise "non garanti" is printed.
    #[serde(default)]
    pub mileage_guaranteed: bool,
}

/// What a line sells; decides the unit, the category of the operation and which duties to inform apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// The car of the document.
    Car,
    #[default]
    Goods,
    Service,
    /// Service counted in hours.
    Hours,
}

/// A quantity in thousandths, so that 1.5 hours are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity {
    pub thousandths: i64,
}

impl Quantity {
    pub const ONE: Self = Self { thousandths: 1000 };

    pub fn units(units: i64) -> Self {
        Self { thousandths: units.saturating_mul(1000) }
    }
}

impl fmt::Display for Quantity {
    /// Decimal point, no needless zeros: `1`, `1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.thousandths < 0 { "-" } else { "" };
        let (whole, rest) = (self.thousandths.unsigned_abs() / 1000, self.thousandths.unsigned_abs() % 1000);
        let decimals = format!("{rest:03}");
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{decimals}")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub description: String,
    /// Printed below in small letters.
    #[serde(default)]
    pub details: Option<String>,
    #[serde(default)]
    pub nature: Nature,
    pub quantity: Quantity,
    /// Cents; see [`PriceBasis`].
    pub unit_price_cents: i64,
    /// Cents taken off the whole line, on the same basis as the unit price.
    #[serde(default)]
    pub discount_cents: i64,
    pub vat: VatTreatment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum VatTreatment {
    /// Normal VAT at a rate in basis points (2000 is 20 %).
    Taxed { rate_basis_points: u32 },
    /// Used goods taxed on the margin (CGI art. 297 A). The purchase price in cents is for the accounts and is never
    /// printed nor written in the XML.
    Margin { purchase_cents: Option<i64> },
    /// Seller under the small business exemption (CGI art. 293 B).
    Franchise,
    /// Sum advanced for the buyer and repaid exactly, such as the registration tax (CGI art. 267, II, 2°).
    Disbursement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMeans {
    Card,
    Transfer,
    /// Between a consumer and a professional: at most 1 000 € (C. mon. fin. D.112-3).
    Cash,
    Cheque,
    /// Chèque de banque.
    BankCheque,
    /// The buyer's old car, taken for this amount.
    TradeIn,
    /// Credit paid out by a lender.
    Financing,
}

impl PaymentMeans {
    pub fn french(self) -> &'static str {
        match self {
            Self::Card => "Carte bancaire",
            Self::Transfer => "Virement",
            Self::Cash => "Espèces",
            Self::Cheque => "Chèque",
            Self::BankCheque => "Chèque de banque",
            Self::TradeIn => "Reprise",
            Self::Financing => "Financement",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub on: NaiveDate,
    pub means: PaymentMeans,
    /// Positive cents.
    pub amount_cents: i64,
}

/// The invoice a credit note refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditedInvoice {
    pub number: String,
    pub issued_on: NaiveDate,
    /// Total of that invoice, tax included, in cents.
    pub gross_cents: i64,
    /// What earlier credit notes took back of it already, in cents.
    #[serde(default)]
    pub credited_cents: i64,
    /// Why, in a few French words.
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Rate of the late payment penalty, in French. Not below three times the legal rate (C. com. L.441-10, II).
    pub late_penalty: String,
    /// Name and site of the consumer mediator.
    pub mediator: Option<String>,
    /// Whether the seller opted to pay VAT on services when they are invoiced (CGI art. 269, 2, c).
    pub vat_on_debits: bool,
}

impl Default for Terms {
    /// The rate that the law applies when the parties agreed on none.
    fn default() -> Self {
        let late_penalty = "taux de refinancement de la BCE majoré de 10 points".to_owned();
        Self { late_penalty, mediator: None, vat_on_debits: false }
    }
}
