use keroxio_core::{Error, ErrorCode};

pub const PLATE_INVALID: ErrorCode = ErrorCode("PLATE_INVALID");

pub fn invalid() -> Error {
    Error::new(
        PLATE_INVALID,
        "Cette plaque n'a pas un format français connu, par exemple AB-123-CD : vérifiez chaque caractère, ou dites qu'elle est étrangère (foreign).",
        "This plate has no known French format, for instance AB-123-CD: check each character, or say that it is foreign (foreign).",
    )
}

pub fn reader_not_configured() -> Error {
    Error::new(
        ErrorCode("PLATE_READER_NOT_CONFIGURED"),
        "Cette installation lit les plaques elle-même et n'envoie de photos à aucun service : aucune clé n'est nécessaire.",
        "This installation reads plates itself and sends photos to no service: no key is needed.",
    )
}

pub fn reader_key() -> Error {
    Error::bad_input(
        "La clé du service de lecture a de 1 à 500 caractères ASCII visibles.",
        "The key of the reading service has 1 to 500 visible ASCII characters.",
    )
}

pub fn not_found() -> Error {
    Error::not_found("Lecture de plaque", "Plate reading")
}
