use keroxio_core::{Error, ErrorCode};

use crate::channel::Channels;

pub const NOT_PUBLISHED: ErrorCode = ErrorCode("NOT_PUBLISHED");
pub const NOT_PUBLISHABLE: ErrorCode = ErrorCode("NOT_PUBLISHABLE");
pub const PAGE_HIDDEN: ErrorCode = ErrorCode("PAGE_HIDDEN");
pub const FEED_SHRUNK: ErrorCode = ErrorCode("FEED_SHRUNK");
pub const WRONG_AD_URL: ErrorCode = ErrorCode("WRONG_AD_URL");

pub fn page_hidden(statement: &str) -> Error {
    Error::new(
        PAGE_HIDDEN,
        format!("La plateforme a retiré cette page : {statement} Écrivez-nous pour contester cette décision."),
        format!("The platform took this page down: {statement} Write to us to contest this decision."),
    )
}

pub fn no_report() -> Error {
    Error::not_found("Signalement", "Report")
}

pub fn wrong_url(channel: &str) -> Error {
    Error::new(
        WRONG_AD_URL,
        format!("Collez l'adresse https de votre annonce sur {channel}, telle qu'affichée par votre navigateur."),
        format!("Paste the https address of your ad on {channel}, as your browser shows it."),
    )
}

pub fn not_publishable(blocking: &[String]) -> Error {
    let codes = blocking.join(", ");
    Error::new(
        NOT_PUBLISHABLE,
        format!("Cette annonce ne peut pas encore paraître ({codes}) : publishability dit ce qui manque et comment le corriger."),
        format!("This ad cannot appear yet ({codes}): publishability says what is missing and how to mend it."),
    )
    .with_details(serde_json::json!({ "findings": blocking }))
}

pub fn not_for_sale() -> Error {
    Error::new(
        NOT_PUBLISHABLE,
        "Cette voiture n'est plus à vendre : remettez-la d'abord en préparation (moveVehicle).",
        "This car is no longer for sale: move it back to preparation first (moveVehicle).",
    )
}

pub fn no_picture() -> Error {
    Error::new(
        NOT_PUBLISHABLE,
        "Aucune photo n'est prête : attendez la fin de la préparation, ou relancez l'étape des photos.",
        "No photo is ready: wait for the preparation to end, or repeat the step of the photos.",
    )
}

pub fn feed_shrunk(before: i32, now: i32) -> Error {
    Error::new(
        FEED_SHRUNK,
        format!("Le flux n'aurait plus que {now} voitures au lieu de {before} : le dernier bon fichier reste servi. Si c'est voulu, recommencez avec acceptFewer."),
        format!("The feed would only hold {now} cars instead of {before}: the last good file is served still. If that is intended, call again with acceptFewer."),
    )
    .with_details(serde_json::json!({ "before": before, "now": now }))
}

pub fn not_published() -> Error {
    Error::new(
        NOT_PUBLISHED,
        "Cette annonce n'est pas en ligne : il n'y a rien à retirer.",
        "This ad is not online: there is nothing to withdraw.",
    )
}

pub fn unknown_channel(given: &str, channels: &Channels) -> Error {
    let known = channels.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>().join(", ");
    let given: String = given.chars().take(40).collect();
    Error::bad_input(
        format!("Plateforme inconnue : « {given} ». Plateformes connues : {known}."),
        format!("Unknown portal “{given}”. Known portals: {known}."),
    )
}

pub fn not_found() -> Error {
    Error::not_found("Publication", "Publication")
}
