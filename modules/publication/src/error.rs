use keroxio_core::{Error, ErrorCode};

pub const WRONG_AD_URL: ErrorCode = ErrorCode("WRONG_AD_URL");

pub fn wrong_url(channel: &str) -> Error {
    Error::new(
        WRONG_AD_URL,
        format!("Collez l'adresse https de votre annonce sur {channel}, telle qu'affichée par votre navigateur."),
        format!("Paste the https address of your ad on {channel}, as your browser shows it."),
    )
}

pub fn not_found() -> Error {
    Error::not_found("Publication", "Publication")
}
