use keroxio_core::{Error, ErrorCode};

use crate::facts;

pub const MILEAGE_OUT_OF_RANGE: ErrorCode = ErrorCode("MILEAGE_OUT_OF_RANGE");
pub const FIRST_REGISTRATION_INVALID: ErrorCode = ErrorCode("FIRST_REGISTRATION_INVALID");
pub const VALUE_OUT_OF_RANGE: ErrorCode = ErrorCode("VALUE_OUT_OF_RANGE");
pub const PLATE_INVALID: ErrorCode = ErrorCode("PLATE_INVALID");
pub const PLATE_TEMPORARY: ErrorCode = ErrorCode("PLATE_TEMPORARY");
pub const NOTHING_TO_UNDO: ErrorCode = ErrorCode("NOTHING_TO_UNDO");
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
        format!("Valeur refusée pour « {} » : attendu entre {low} et {high}.", facts::french(field)),
        format!("Value refused for {}: expected between {low} and {high}.", facts::english(field)),
    )
}

pub fn plate() -> Error {
    Error::new(
        PLATE_INVALID,
        "Cette plaque n'a pas un format français connu, par exemple AB-123-CD : vérifiez chaque caractère, ou dites qu'elle est étrangère (foreignPlate).",
        "This plate has no known French format, for instance AB-123-CD: check each character, or say that it is foreign (foreignPlate).",
    )
}

pub fn temporary_plate() -> Error {
    Error::new(
        PLATE_TEMPORARY,
        "Un numéro WW ou W garage n'identifie pas une voiture : laissez la plaque vide jusqu'au numéro définitif.",
        "A WW or W garage number does not identify a car: leave the plate empty until the final number is known.",
    )
}

pub fn inspection_to_come() -> Error {
    Error::bad_input(
        "Le contrôle technique est une date passée : recopiez celle du procès-verbal.",
        "The technical inspection is a day that is past: copy the one of the report.",
    )
}

pub fn text(field: &str) -> Error {
    Error::new(
        TEXT_TOO_LONG,
        format!("Texte trop long pour « {} » : 120 caractères au plus.", facts::french(field)),
        format!("The text of {} is too long: 120 characters at most.", facts::english(field)),
    )
}

pub fn nothing_to_undo() -> Error {
    Error::new(
        NOTHING_TO_UNDO,
        "Rien à annuler : vous n'avez rien changé depuis la création de cette voiture.",
        "Nothing to undo: you changed nothing since this car was created.",
    )
}

pub fn unknown_field(field: &str) -> Error {
    let field: String = field.chars().take(40).collect();
    Error::bad_input(
        format!("Information inconnue : « {field} ». Les noms sont ceux de VehicleInput."),
        format!("Unknown fact “{field}”. The names are those of VehicleInput."),
    )
}

pub fn not_found() -> Error {
    Error::not_found("Véhicule", "Vehicle")
}
