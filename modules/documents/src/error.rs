use keroxio_core::{Error, ErrorCode};
use keroxio_plugin_documents::{DocumentError, Fault};
use serde_json::{Value, json};

pub const DOCUMENT_INVALID: ErrorCode = ErrorCode("DOCUMENT_INVALID");
pub const PAPER_ISSUED: ErrorCode = ErrorCode("PAPER_ISSUED");
pub const PAPER_NOT_ISSUED: ErrorCode = ErrorCode("PAPER_NOT_ISSUED");
pub const PAPER_WRONG_KIND: ErrorCode = ErrorCode("PAPER_WRONG_KIND");
pub const REGISTER_EXIT_RECORDED: ErrorCode = ErrorCode("REGISTER_EXIT_RECORDED");
pub const REGISTER_BROKEN: ErrorCode = ErrorCode("REGISTER_BROKEN");

pub fn paper() -> Error {
    Error::not_found("Document", "Paper")
}

pub fn entry() -> Error {
    Error::not_found("Inscription au registre", "Entry of the register")
}

/// A fault as the schema tells it: the field by its name there.
pub struct Told {
    pub code: String,
    pub field: String,
    pub fr: String,
    pub en: String,
}

impl From<&Fault> for Told {
    fn from(fault: &Fault) -> Self {
        let (fr, en) = (fault.fr.clone(), fault.en.clone());
        Self { code: fault.code.as_str().to_uppercase(), field: camel(&fault.path), fr, en }
    }
}

/// `lines[2].unit_price_cents` as the schema writes it.
fn camel(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut is_raised = false;
    for c in path.chars() {
        match c {
            '_' => is_raised = true,
            _ if std::mem::take(&mut is_raised) => out.push(c.to_ascii_uppercase()),
            _ => out.push(c),
        }
    }
    out
}

/// Everything that is wrong, at once.
pub fn invalid(faults: &[Told]) -> Error {
    let told: Vec<Value> =
        faults.iter().map(|f| json!({ "code": f.code, "field": f.field, "fr": f.fr, "en": f.en })).collect();
    let (fr, en) = faults.first().map_or(("", ""), |first| (first.fr.as_str(), first.en.as_str()));
    let count = faults.len();
    Error::new(
        DOCUMENT_INVALID,
        format!("Points à corriger : {count} (details.faults). {fr}"),
        format!("To be corrected: {count} (details.faults). {en}"),
    )
    .with_detail("faults", told)
}

pub fn of_document(error: DocumentError) -> Error {
    match error {
        DocumentError::Faults(faults) => invalid(&faults.iter().map(Told::from).collect::<Vec<_>>()),
        DocumentError::Register(broken) => register_broken(broken.at),
        other => Error::internal(other),
    }
}

pub fn issued(number: &str) -> Error {
    Error::new(
        PAPER_ISSUED,
        format!(
            "{number} est émis et ne change plus : pour le corriger, faites un avoir (creditInvoice), puis une nouvelle facture."
        ),
        format!(
            "{number} is issued and stays as it is: to correct it make a credit note (creditInvoice), then a new invoice."
        ),
    )
}

pub fn not_issued() -> Error {
    Error::new(
        PAPER_NOT_ISSUED,
        "Ce document est un brouillon : émettez-le d'abord (issuePaper).",
        "This paper is a draft: issue it first (issuePaper).",
    )
}

pub fn wrong_kind((fr, en): (&str, &str)) -> Error {
    Error::new(PAPER_WRONG_KIND, format!("Il faut ici {fr}."), format!("What is needed here is {en}."))
}

pub fn exit_recorded(number: i64) -> Error {
    Error::new(
        REGISTER_EXIT_RECORDED,
        format!(
            "La sortie de cette voiture est déjà inscrite sous le numéro {number} : corrigez-la (correctRegister)."
        ),
        format!("The exit of this car is entered already under number {number}: correct it (correctRegister)."),
    )
}

pub fn register_broken(at: usize) -> Error {
    Error::new(
        REGISTER_BROKEN,
        "Le registre a été altéré : il ne s'imprime plus. registerCheck dit où.",
        "The register was tampered with: it is no longer printed. registerCheck says where.",
    )
    .with_detail("position", at)
}

pub fn too_many((fr, en): (&str, &str), most: usize) -> Error {
    Error::bad_input(format!("{fr} : {most} au plus."), format!("{en}: {most} at most."))
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn fields_are_named_as_in_the_schema() {
        assert_eq!(camel("lines[2].unit_price_cents"), "lines[2].unitPriceCents");
        assert_eq!(camel("buyer.address"), "buyer.address");
    }
}
