use keroxio_core::{Error, ErrorCode};
use keroxio_plugin_sdk::PhotoError;

pub const PHOTO_TOO_LARGE: ErrorCode = ErrorCode("PHOTO_TOO_LARGE");
pub const PHOTO_EMPTY: ErrorCode = ErrorCode("PHOTO_EMPTY");
pub const PHOTO_UNKNOWN_FORMAT: ErrorCode = ErrorCode("PHOTO_UNKNOWN_FORMAT");
pub const PHOTO_UNSUPPORTED_FORMAT: ErrorCode = ErrorCode("PHOTO_UNSUPPORTED_FORMAT");
pub const PHOTO_TOO_MANY_PIXELS: ErrorCode = ErrorCode("PHOTO_TOO_MANY_PIXELS");
pub const PHOTO_DAMAGED: ErrorCode = ErrorCode("PHOTO_DAMAGED");
pub const PHOTO_TOO_SMALL: ErrorCode = ErrorCode("PHOTO_TOO_SMALL");

pub fn too_large() -> Error {
    Error::new(
        PHOTO_TOO_LARGE,
        "La photo dépasse 25 Mio : envoyez-la en qualité normale.",
        "The photo is larger than 25 MiB: send it in normal quality.",
    )
}

pub fn too_small() -> Error {
    Error::new(
        PHOTO_TOO_SMALL,
        "La photo mesure moins de 64 pixels de côté : envoyez l'original.",
        "The photo measures less than 64 pixels a side: send the original.",
    )
}

pub fn of_photo(error: PhotoError) -> Error {
    match error {
        PhotoError::Empty => Error::new(
            PHOTO_EMPTY,
            "Le fichier est vide : choisissez une autre photo.",
            "The file is empty: choose another photo.",
        ),
        PhotoError::UnknownFormat => Error::new(
            PHOTO_UNKNOWN_FORMAT,
            "Ce fichier n'est pas une photo : envoyez un JPEG, un PNG ou un WebP.",
            "This file is not a photo: send a JPEG, a PNG or a WebP.",
        ),
        PhotoError::UnsupportedFormat(format) => Error::new(
            PHOTO_UNSUPPORTED_FORMAT,
            format!(
                "Le format {format} n'est pas pris en charge : envoyez un JPEG (sur iPhone : Réglages, Appareil photo, Formats, Le plus compatible)."
            ),
            format!(
                "The format {format} is not supported: send a JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)."
            ),
        ),
        PhotoError::TooManyPixels { width, height } => Error::new(
            PHOTO_TOO_MANY_PIXELS,
            format!(
                "La photo mesure {width} × {height} pixels ; la limite est de 12 000 pixels de côté et 60 mégapixels."
            ),
            format!(
                "The photo measures {width} x {height} pixels; the limit is 12,000 pixels a side and 60 megapixels."
            ),
        ),
        PhotoError::Damaged => Error::new(
            PHOTO_DAMAGED,
            "La photo est abîmée ou incomplète : renvoyez-la.",
            "The photo is damaged or incomplete: send it again.",
        ),
    }
}

pub fn not_found() -> Error {
    Error::not_found("Photo", "Photo")
}
