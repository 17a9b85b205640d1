use keroxio_core::{Error, ErrorCode};

pub const FORM_INVALID: ErrorCode = ErrorCode("FORM_INVALID");
pub const FORM_TOO_FAST: ErrorCode = ErrorCode("FORM_TOO_FAST");
pub const MESSAGE_REFUSED: ErrorCode = ErrorCode("MESSAGE_REFUSED");
pub const CONTACT_UNREACHABLE: ErrorCode = ErrorCode("CONTACT_UNREACHABLE");
pub const STAGE_UNKNOWN: ErrorCode = ErrorCode("STAGE_UNKNOWN");
pub const STAGE_IN_USE: ErrorCode = ErrorCode("STAGE_IN_USE");
pub const REASON_NEEDED: ErrorCode = ErrorCode("REASON_NEEDED");
pub const NOTHING_TO_UNDO: ErrorCode = ErrorCode("NOTHING_TO_UNDO");
pub const INBOUND_NOT_CONFIGURED: ErrorCode = ErrorCode("INBOUND_NOT_CONFIGURED");
pub const MAIL_TOO_LARGE: ErrorCode = ErrorCode("MAIL_TOO_LARGE");
pub const SIGNATURE_INVALID: ErrorCode = ErrorCode("SIGNATURE_INVALID");

pub fn lead() -> Error {
    Error::not_found("Contact commercial", "Lead")
}

pub fn contact() -> Error {
    Error::not_found("Personne", "Contact")
}

pub fn task() -> Error {
    Error::not_found("Tâche", "Task")
}

pub fn member() -> Error {
    Error::not_found("Membre", "Member")
}

pub fn page() -> Error {
    Error::not_found("Annonce", "Advertisement")
}

/// A forged token, one of another installation, and one that is a day old are the same answer.
pub fn form() -> Error {
    Error::new(
        FORM_INVALID,
        "Ce formulaire n'est plus valable : rechargez la page de l'annonce et recommencez.",
        "This form is no longer valid: load the page of the ad again and start over.",
    )
}

pub fn too_fast(seconds: i64) -> Error {
    Error::new(
        FORM_TOO_FAST,
        "Le message est parti trop vite pour avoir été écrit : attendez quelques secondes et renvoyez-le.",
        "The message came too fast to have been written: wait a few seconds and send it again.",
    )
    .with_detail("retryAfterSeconds", seconds)
}

pub fn links(most: usize) -> Error {
    Error::new(
        MESSAGE_REFUSED,
        format!("Un message contient au plus {most} adresses web : retirez les autres."),
        format!("A message holds at most {most} web addresses: remove the others."),
    )
}

pub fn too_long((fr, en): (&str, &str), most: usize) -> Error {
    Error::bad_input(format!("{fr} : {most} caractères au plus."), format!("{en}: at most {most} characters."))
}

pub fn unreachable_by_nobody() -> Error {
    Error::bad_input(
        "Donnez une adresse e-mail ou un numéro de téléphone : il faut pouvoir répondre.",
        "Give an e-mail address or a telephone number: there has to be a way to answer.",
    )
}

pub fn email() -> Error {
    Error::bad_input("Cette adresse e-mail n'en est pas une.", "This is no e-mail address.")
}

pub fn phone() -> Error {
    Error::bad_input(
        "Ce numéro de téléphone n'en est pas un : dix chiffres, ou + et l'indicatif du pays.",
        "This is no telephone number: ten digits as in France, or + and the country code.",
    )
}

pub fn unreachable() -> Error {
    Error::new(
        CONTACT_UNREACHABLE,
        "Aucune adresse e-mail n'est connue de cette personne : appelez-la, puis notez l'appel (addLeadInteraction).",
        "No e-mail address of this person is known: call them, then note the call (addLeadInteraction).",
    )
}

pub fn stage(key: &str, known: &[&str]) -> Error {
    let keys = known.join(", ");
    Error::new(
        STAGE_UNKNOWN,
        format!("L'étape {key} n'existe pas ; les vôtres : {keys}."),
        format!("There is no stage {key}; yours are {keys}."),
    )
}

pub fn stage_in_use(key: &str) -> Error {
    Error::new(
        STAGE_IN_USE,
        format!("Des contacts sont à l'étape {key} : déplacez-les avant de la retirer."),
        format!("There are leads at stage {key}: move them before you remove it."),
    )
}

pub fn reason() -> Error {
    Error::new(REASON_NEEDED, "Dites pourquoi la vente est perdue (reason).", "Say why the sale is lost (reason).")
}

pub fn nothing_to_undo() -> Error {
    Error::new(
        NOTHING_TO_UNDO,
        "Aucun déplacement à annuler pour ce contact.",
        "There is no move of this lead to take back.",
    )
}

pub fn inbound_not_configured() -> Error {
    Error::new(
        INBOUND_NOT_CONFIGURED,
        "La réception d'e-mails n'est pas configurée sur cette installation (KEROXIO_INBOUND_DOMAIN, KEROXIO_INBOUND_SECRET).",
        "This installation is not set up to receive e-mail (KEROXIO_INBOUND_DOMAIN, KEROXIO_INBOUND_SECRET).",
    )
}
