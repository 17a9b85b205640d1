use keroxio_core::{Error, ErrorCode};

pub const MILEAGE_OUT_OF_RANGE: ErrorCode = ErrorCode("MILEAGE_OUT_OF_RANGE");
pub const FIRST_REGISTRATION_INVALID: ErrorCode = ErrorCode("FIRST_REGISTRATION_INVALID");
pub const VALUE_OUT_OF_RANGE: ErrorCode = ErrorCode("VALUE_OUT_OF_RANGE");
pub const PLATE_INVALID: ErrorCode = ErrorCode("PLATE_INVALID");
pub const TEXT_TOO_LONG: ErrorCode = ErrorCode("TEXT_TOO_LONG");

pub fn mileage() -> Error {
    Error::new(
        MILEAGE_OUT_OF_RANGE,
        "Le kilométrage doit être compris entre 0 et 1 500 000 km : relevez-le au compteur.",
        "The mileage must be between 0 and 1,500,000 km: read it from the odometer.",
    )
}

pub fn first_registration() -> Error {
    Error::new(
        FIRST_REGISTRATION_INVALID,
        "La première mise en circulation s'écrit AAAA-MM, entre 1900-01 et le mois en cours (rubrique B de la carte grise).",
        "The first registration is written YYYY-MM, between 1900-01 and this month (field B of the certificate).",
    )
}

pub fn out_of_range(field: &str, low: i32, high: i32) -> Error {
    Error::new(
        VALUE_OUT_OF_RANGE,
        format!("{field} doit être compris entre {low} et {high}."),
        format!("{field} must be between {low} and {high}."),
    )
}

pub fn plate() -> Error {
    Error::new(
        PLATE_INVALID,
        "Cette plaque n'a pas un format connu, par exemple AB-123-CD : vérifiez chaque caractère.",
        "This plate has no known format, for instance AB-123-CD: check each character.",
    )
}

pub fn text(field: &str) -> Error {
    Error::new(
        TEXT_TOO_LONG,
        format!("{field} dépasse 120 caractères : raccourcissez-le."),
        format!("{field} is longer than 120 characters: shorten it."),
    )
}

pub fn not_found() -> Error {
    Error::not_found("Véhicule", "Vehicle")
}
