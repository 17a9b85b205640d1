use keroxio_core::{Error, ErrorCode};

pub const PLATE_INVALID: ErrorCode = ErrorCode("PLATE_INVALID");

pub fn invalid() -> Error {
    Error::new(
        PLATE_INVALID,
        "Cette plaque n'a pas un format français connu, par exemple AB-123-CD : vérifiez chaque caractère, ou dites qu'elle est étrangère (foreign).",
        "This plate has no known French format, for instance AB-123-CD: check each character, or say that it is foreign (foreign).",
    )
}

pub fn not_found() -> Error {
    Error::not_found("Lecture de plaque", "Plate reading")
}
