use keroxio_core::{Error, ErrorCode};

pub const DESTINATION_REFUSED: ErrorCode = ErrorCode("DESTINATION_REFUSED");
pub const SELECTION_INVALID: ErrorCode = ErrorCode("SELECTION_INVALID");
pub const WEBHOOK_STOPPED: ErrorCode = ErrorCode("WEBHOOK_STOPPED");

pub fn destination() -> Error {
    Error::new(
        DESTINATION_REFUSED,
        "Un webhook s'envoie à une adresse https:// publique, sans nom d'utilisateur ni mot de passe.",
        "A webhook is sent to a public https:// address, without user name or password.",
    )
}

pub fn selection(why: &str) -> Error {
    Error::new(
        SELECTION_INVALID,
        "La sélection est une requête de lecture valide, avec $id: UUID! pour seule variable.",
        "The selection is one valid query, whose only variable is $id: UUID!.",
    )
    .with_detail("reason", why)
}

pub fn stopped() -> Error {
    Error::new(
        WEBHOOK_STOPPED,
        "Ce webhook est arrêté : remettez-le en marche avec startWebhook.",
        "This webhook has stopped: start it again with startWebhook.",
    )
}

pub fn not_found() -> Error {
    Error::not_found("Webhook", "Webhook")
}
