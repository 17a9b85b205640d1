#![doc = include_str!("../README.md")]

pub mod chain;
mod check;
pub mod facturx;
mod faults;
pub mod invoice;
pub mod mentions;
pub mod number;
pub mod pdf;
pub mod register;
mod text;
pub mod totals;
pub mod vat;

pub use faults::{Fault, FaultCode};
pub use invoice::Sale;

/// How sure we are of a dated legal fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the text of law or known without doubt.
    High,
    /// Known from a secondary source, not contradicted.
    Medium,
    /// To be checked before anybody relies on it.
    Low,
}

/// Why a document was not made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// What is wrong with the input; everything at once, so that a form can show it all.
    #[error("{} faults in the document, first: {}", .0.len(), .0.first().map_or("", |fault| fault.en.as_str()))]
    Faults(Vec<Fault>),
    /// A quote has no Factur-X form, and a credit note or an invoice is no quote.
    #[error("a document of this kind has no such form")]
    WrongKind,
    /// The entries of the register do not form an unbroken chain: nothing is printed from them.
    #[error("the register is broken: {0}")]
    Register(#[from] chain::Broken),
    #[error("the XML could not be written: {0}")]
    Xml(#[from] std::io::Error),
    /// The PDF library refused the document; the text says which rule of PDF/A it breaks.
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
}
