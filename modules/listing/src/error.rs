use keroxio_core::{Error, ErrorCode};

pub const PHOTO_COUNT: ErrorCode = ErrorCode("PHOTO_COUNT");
pub const LISTING_SOLD: ErrorCode = ErrorCode("LISTING_SOLD");
pub const LISTING_NOT_SOLD: ErrorCode = ErrorCode("LISTING_NOT_SOLD");
pub const VEHICLE_LISTED: ErrorCode = ErrorCode("VEHICLE_LISTED");
pub const TEXT_TOO_LONG: ErrorCode = ErrorCode("TEXT_TOO_LONG");
pub const PRICE_OUT_OF_RANGE: ErrorCode = ErrorCode("PRICE_OUT_OF_RANGE");

pub const REWRITER_NOT_CONFIGURED: ErrorCode = ErrorCode("REWRITER_NOT_CONFIGURED");
pub const LISTING_TEXT_MISSING: ErrorCode = ErrorCode("LISTING_TEXT_MISSING");

pub fn rewriter_not_configured() -> Error {
    Error::new(
        REWRITER_NOT_CONFIGURED,
        "Aucun modèle de langue n'est configuré sur cette installation : le texte écrit d'après les faits reste.",
        "No language model is configured on this installation: the text written from the facts stands.",
    )
}

pub fn text_missing() -> Error {
    Error::new(
        LISTING_TEXT_MISSING,
        "Cette annonce n'a pas encore de texte : ajoutez d'abord les informations qui manquent (correctListing).",
        "This listing has no text yet: add the missing facts first (correctListing).",
    )
}

pub fn no_such_version() -> Error {
    Error::not_found("Version du texte", "Version of the text")
}

pub fn sold_already() -> Error {
    Error::new(
        LISTING_SOLD,
        "Cette voiture est déjà vendue. Si la vente est annulée, remettez-la en vente (cancelSale).",
        "This car is sold already. If the sale fell through, put it up for sale again (cancelSale).",
    )
}

pub fn not_sold() -> Error {
    Error::new(LISTING_NOT_SOLD, "Cette voiture n'est pas vendue.", "This car is not sold.")
}

pub fn listed_already() -> Error {
    Error::new(
        VEHICLE_LISTED,
        "Cette voiture a déjà une annonce : corrigez-la (correctListing) au lieu d'en créer une autre.",
        "This car has an ad already: correct it (correctListing) instead of making another.",
    )
}

pub fn photo_count(count: usize) -> Error {
    Error::new(
        PHOTO_COUNT,
        format!("Une annonce demande de 1 à 20 photos ; vous en avez donné {count}."),
        format!("A listing needs 1 to 20 photos; you gave {count}."),
    )
}

pub fn text_too_long((fr, en): (&str, &str), limit: usize) -> Error {
    Error::new(
        TEXT_TOO_LONG,
        format!("Le {fr} dépasse {limit} caractères : raccourcissez-le."),
        format!("The {en} is longer than {limit} characters: shorten it."),
    )
}

pub fn price_out_of_range() -> Error {
    Error::new(
        PRICE_OUT_OF_RANGE,
        "Le prix doit être compris entre 1 et 10 000 000 €.",
        "The price must be between 1 and 10,000,000 EUR.",
    )
}

pub fn not_found() -> Error {
    Error::not_found("Annonce", "Listing")
}
