use keroxio_core::{Error, ErrorCode};

pub const INVALID_CREDENTIALS: ErrorCode = ErrorCode("INVALID_CREDENTIALS");
pub const SIREN_INVALID: ErrorCode = ErrorCode("SIREN_INVALID");
pub const EMAIL_TAKEN: ErrorCode = ErrorCode("EMAIL_TAKEN");
pub const EMAIL_NOT_VERIFIED: ErrorCode = ErrorCode("EMAIL_NOT_VERIFIED");
pub const INVALID_REFRESH_TOKEN: ErrorCode = ErrorCode("INVALID_REFRESH_TOKEN");
pub const LINK_INVALID: ErrorCode = ErrorCode("LINK_INVALID");
pub const SECOND_FACTOR_REQUIRED: ErrorCode = ErrorCode("SECOND_FACTOR_REQUIRED");
pub const SECOND_FACTOR_INVALID: ErrorCode = ErrorCode("SECOND_FACTOR_INVALID");
pub const SECOND_FACTOR_STATE: ErrorCode = ErrorCode("SECOND_FACTOR_STATE");
pub const LAST_OWNER: ErrorCode = ErrorCode("LAST_OWNER");
pub const TOO_MANY: ErrorCode = ErrorCode("TOO_MANY");
pub const NOT_A_GUEST: ErrorCode = ErrorCode("NOT_A_GUEST");
pub const NO_ORGANIZATION: ErrorCode = ErrorCode("NO_ORGANIZATION");

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

pub fn email_not_verified() -> Error {
    Error::new(
        EMAIL_NOT_VERIFIED,
        "Confirmez d'abord votre adresse e-mail : suivez le lien reçu, ou demandez-en un autre avec requestEmailVerification.",
        "Confirm your e-mail address first: follow the link you received, or ask for another with requestEmailVerification.",
    )
}

pub fn invalid_refresh_token() -> Error {
    Error::new(
        INVALID_REFRESH_TOKEN,
        "Cette session n'est plus valable : reconnectez-vous.",
        "This session is no longer valid: log in again.",
    )
}

pub fn invalid_link() -> Error {
    Error::new(
        LINK_INVALID,
        "Ce lien a expiré ou a déjà servi : demandez-en un autre.",
        "This link has expired or was already used: ask for another.",
    )
}

pub fn second_factor_required() -> Error {
    Error::new(
        SECOND_FACTOR_REQUIRED,
        "Entrez le code de votre application d'authentification, ou un code de secours (argument code).",
        "Enter the code of your authenticator application, or a recovery code (argument code).",
    )
}

pub fn second_factor_invalid() -> Error {
    Error::new(
        SECOND_FACTOR_INVALID,
        "Ce code n'est pas valable, ou a déjà servi : attendez le suivant.",
        "This code is not valid, or was already used: wait for the next one.",
    )
}

pub fn second_factor_state(fr: &'static str, en: &'static str) -> Error {
    Error::new(SECOND_FACTOR_STATE, fr, en)
}

pub fn last_owner() -> Error {
    Error::new(
        LAST_OWNER,
        "Une organisation garde au moins un propriétaire : nommez-en d'abord un autre.",
        "An organization keeps at least one owner: name another one first.",
    )
}

pub fn too_many(what_fr: &str, what_en: &str, most: usize) -> Error {
    Error::new(
        TOO_MANY,
        format!("{most} {what_fr} au plus : retirez-en d'abord."),
        format!("At most {most} {what_en}: remove some first."),
    )
}

pub fn not_a_guest() -> Error {
    Error::new(NOT_A_GUEST, "Ce compte a déjà une adresse e-mail.", "This account already has an e-mail address.")
}

pub fn no_organization() -> Error {
    Error::new(
        NO_ORGANIZATION,
        "Vous n'appartenez plus à aucune organisation : demandez une invitation.",
        "You belong to no organization any more: ask for an invitation.",
    )
}
