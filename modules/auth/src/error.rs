use keroxio_core::{Error, ErrorCode};

pub const INVALID_CREDENTIALS: ErrorCode = ErrorCode("INVALID_CREDENTIALS");
pub const SIREN_INVALID: ErrorCode = ErrorCode("SIREN_INVALID");
pub const EMAIL_TAKEN: ErrorCode = ErrorCode("EMAIL_TAKEN");
pub const INVALID_REFRESH_TOKEN: ErrorCode = ErrorCode("INVALID_REFRESH_TOKEN");

pub fn invalid_credentials() -> Error {
    Error::new(INVALID_CREDENTIALS, "Adresse e-mail ou mot de passe incorrect.", "Wrong e-mail address or password.")
}

pub fn siren() -> Error {
    Error::new(
        SIREN_INVALID,
        "Un numéro SIREN compte neuf chiffres, par exemple 732 829 320 : recopiez-le de votre extrait Kbis.",
        "A SIREN number has nine digits, for instance 732 829 320: copy it from your company register extract.",
    )
}

pub fn email_taken() -> Error {
    Error::new(
        EMAIL_TAKEN,
        "Un compte existe déjà pour cette adresse : connectez-vous.",
        "This address already has an account: log in.",
    )
}

pub fn invalid_refresh_token() -> Error {
    Error::new(
        INVALID_REFRESH_TOKEN,
        "Cette session n'est plus valable : reconnectez-vous.",
        "This session is no longer valid: log in again.",
    )
}
