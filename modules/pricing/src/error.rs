use keroxio_core::{Error, ErrorCode};
use keroxio_plugin_sdk::Refusal;
use serde_json::json;

pub const FACTS_MISSING: ErrorCode = ErrorCode("FACTS_MISSING");

pub fn facts_missing(missing: &[&str]) -> Error {
    let (fr, en) = keroxio_vehicle::facts::enumerate(missing);
    Error::new(
        FACTS_MISSING,
        format!("L'estimation demande encore : {fr}."),
        format!("The estimate still needs: {en}."),
    )
    .with_details(json!({ "missing": missing }))
}

pub fn not_found() -> Error {
    Error::not_found("Estimation", "Estimate")
}

/// Why there is no price and what to do, in French and English.
pub fn refusal_sentences(refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::UnknownMake { make } => (
            format!(
                "Nous ne connaissons aucune annonce de la marque « {make} » : vérifiez-la, ou fixez le prix vous-même."
            ),
            format!("We know no advertisement of the make “{make}”: check it, or set the price yourself."),
        ),
        Refusal::UnknownModel { make, model } => (
            format!(
                "Nous ne connaissons pas le modèle « {model} » chez {make} : vérifiez-le, ou fixez le prix vous-même."
            ),
            format!("We do not know the model “{model}” of {make}: check it, or set the price yourself."),
        ),
        Refusal::OutOfRange { field } => (
            format!("La valeur de {field} sort de ce que le modèle a vu : vérifiez-la, ou fixez le prix vous-même."),
            format!("The value of {field} is outside what the model has seen: check it, or set the price yourself."),
        ),
    }
}
