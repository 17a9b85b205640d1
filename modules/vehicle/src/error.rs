use keroxio_core::{Error, ErrorCode};

use crate::facts;
use crate::stock::StockState;

pub const MILEAGE_OUT_OF_RANGE: ErrorCode = ErrorCode("MILEAGE_OUT_OF_RANGE");
pub const FIRST_REGISTRATION_INVALID: ErrorCode = ErrorCode("FIRST_REGISTRATION_INVALID");
pub const VALUE_OUT_OF_RANGE: ErrorCode = ErrorCode("VALUE_OUT_OF_RANGE");
pub const PLATE_INVALID: ErrorCode = ErrorCode("PLATE_INVALID");
pub const PLATE_TEMPORARY: ErrorCode = ErrorCode("PLATE_TEMPORARY");
pub const NOTHING_TO_UNDO: ErrorCode = ErrorCode("NOTHING_TO_UNDO");
pub const STOCK_MOVE_REFUSED: ErrorCode = ErrorCode("STOCK_MOVE_REFUSED");
pub const IMPORT_UNDONE: ErrorCode = ErrorCode("IMPORT_UNDONE");
pub const STOCK_NUMBER_TAKEN: ErrorCode = ErrorCode("STOCK_NUMBER_TAKEN");
pub const REGISTRY_NOT_CONFIGURED: ErrorCode = ErrorCode("REGISTRY_NOT_CONFIGURED");
pub const REGISTRY_ACCESS_MISSING: ErrorCode = ErrorCode("REGISTRY_ACCESS_MISSING");
pub const VIN_INVALID: ErrorCode = ErrorCode("VIN_INVALID");
pub const CERTIFICATE_READER_NOT_CONFIGURED: ErrorCode = ErrorCode("CERTIFICATE_READER_NOT_CONFIGURED");
pub const HISTOVEC_URL_INVALID: ErrorCode = ErrorCode("HISTOVEC_URL_INVALID");
pub const CONSENT_REQUIRED: ErrorCode = ErrorCode("CONSENT_REQUIRED");
pub const TEXT_TOO_LONG: ErrorCode = ErrorCode("TEXT_TOO_LONG");

pub fn mileage() -> Error {
    Error::new(
        MILEAGE_OUT_OF_RANGE,
        "Le kilométrage doit être compris entre 0 et 1 500 000 km : relevez-le au compteur.",
        "The mileage must be between 0 and 1,500,000 km: read it from the odometer.",
    )
}

pub fn first_registration() -> Error {
    Error::new(
        FIRST_REGISTRATION_INVALID,
        "La première mise en circulation s'écrit AAAA-MM, entre 1900-01 et le mois en cours (rubrique B de la carte grise).",
        "The first registration is written YYYY-MM, between 1900-01 and this month (field B of the certificate).",
    )
}

pub fn out_of_range(field: &str, low: i32, high: i32) -> Error {
    Error::new(
        VALUE_OUT_OF_RANGE,
        format!("Valeur refusée pour « {} » : attendu entre {low} et {high}.", facts::french(field)),
        format!("Value refused for {}: expected between {low} and {high}.", facts::english(field)),
    )
}

pub fn plate() -> Error {
    Error::new(
        PLATE_INVALID,
        "Cette plaque n'a pas un format français connu, par exemple AB-123-CD : vérifiez chaque caractère, ou dites qu'elle est étrangère (foreignPlate).",
        "This plate has no known French format, for instance AB-123-CD: check each character, or say that it is foreign (foreignPlate).",
    )
}

pub fn vin() -> Error {
    Error::new(
        VIN_INVALID,
        "Le numéro d'identification (rubrique E) compte 17 lettres et chiffres, sans I, O ni Q : vérifiez chaque caractère.",
        "The identification number (field E) has 17 letters and digits, without I, O and Q: check each character.",
    )
}

pub fn text_reader_missing() -> Error {
    Error::new(
        CERTIFICATE_READER_NOT_CONFIGURED,
        "Cette installation n'a pas de lecteur de texte : saisissez les informations de la carte grise (updateVehicle).",
        "This installation has no text reader: type in what the certificate says (updateVehicle).",
    )
}

pub fn histovec_url() -> Error {
    Error::new(
        HISTOVEC_URL_INVALID,
        "Collez le lien de partage du rapport, qui commence par https://histovec.interieur.gouv.fr/.",
        "Paste the report's sharing link, which begins with https://histovec.interieur.gouv.fr/.",
    )
}

pub fn histovec_consent() -> Error {
    Error::new(
        CONSENT_REQUIRED,
        "Le rapport HistoVec appartient au titulaire de la carte grise : confirmez qu'il est d'accord (holderAgrees).",
        "The HistoVec report is the certificate holder's: confirm that they agree (holderAgrees).",
    )
}

pub fn histovec_day() -> Error {
    Error::bad_input(
        "Les dates du rapport ne peuvent être ni à venir ni antérieures à 1980.",
        "The dates of the report can be neither to come nor before 1980.",
    )
}

pub fn temporary_plate() -> Error {
    Error::new(
        PLATE_TEMPORARY,
        "Un numéro WW ou W garage n'identifie pas une voiture : laissez la plaque vide jusqu'au numéro définitif.",
        "A WW or W garage number does not identify a car: leave the plate empty until the final number is known.",
    )
}

pub fn inspection_to_come() -> Error {
    Error::bad_input(
        "Le contrôle technique est une date passée : recopiez celle du procès-verbal.",
        "The technical inspection is a day that is past: copy the one of the report.",
    )
}

pub fn text(field: &str) -> Error {
    Error::new(
        TEXT_TOO_LONG,
        format!("Texte trop long pour « {} » : 120 caractères au plus.", facts::french(field)),
        format!("The text of {} is too long: 120 characters at most.", facts::english(field)),
    )
}

pub fn nothing_to_undo() -> Error {
    Error::new(
        NOTHING_TO_UNDO,
        "Rien à annuler : vous n'avez rien changé depuis la création de cette voiture.",
        "Nothing to undo: you changed nothing since this car was created.",
    )
}

pub fn move_refused(from: StockState, to: StockState) -> Error {
    let next = from.next();
    let french: Vec<&str> = next.iter().map(|state| state.french()).collect();
    let names: Vec<String> = next.iter().map(|state| state.as_str().to_uppercase()).collect();
    let (fr, en) = match next {
        [] => ("elle y reste".to_owned(), "it stays there".to_owned()),
        _ => (format!("elle peut devenir : {}", french.join(", ")), format!("it may go to: {}", names.join(", "))),
    };
    Error::new(
        STOCK_MOVE_REFUSED,
        format!("Cette voiture est {} et ne peut pas devenir {} : {fr}.", from.french(), to.french()),
        format!("This car is {} and cannot go to {}: {en}.", from.as_str(), to.as_str().to_uppercase()),
    )
    .with_detail("allowed", names)
}

pub fn not_ready(missing: &[&'static str]) -> Error {
    let (fr, en) = facts::enumerate(missing);
    Error::new(
        STOCK_MOVE_REFUSED,
        format!("Cette voiture n'est pas prête : il manque {fr}."),
        format!("This car is not ready: {en} is missing."),
    )
    .with_detail("missing", missing.to_vec())
}

pub fn import_undone() -> Error {
    Error::new(IMPORT_UNDONE, "Cet import est déjà annulé.", "This import was taken back already.")
}

pub fn stock_number_taken() -> Error {
    Error::new(
        STOCK_NUMBER_TAKEN,
        "Une autre voiture de votre stock porte déjà cette référence : choisissez-en une autre.",
        "Another car of your stock has this number already: choose another.",
    )
}

pub fn search_too_long() -> Error {
    Error::bad_input("Cherchez avec 100 caractères au plus.", "Search with 100 characters at most.")
}

pub fn entry_out_of_range() -> Error {
    Error::bad_input(
        "La date d'entrée en stock doit être postérieure à 1990 et au plus tard dans un an.",
        "The day of entry into the stock must be after 1990 and within a year from now.",
    )
}

pub fn registry_not_configured() -> Error {
    Error::new(
        REGISTRY_NOT_CONFIGURED,
        "Cette installation n'interroge aucun registre de véhicules : saisissez les informations de la carte grise.",
        "This installation asks no vehicle register: type in what the registration certificate says.",
    )
}

pub fn registry_access_missing() -> Error {
    Error::new(
        REGISTRY_ACCESS_MISSING,
        "Donnez d'abord votre identifiant du registre de véhicules (setRegistryAccess).",
        "Give your credential of the vehicle register first (setRegistryAccess).",
    )
}

pub fn credential() -> Error {
    Error::bad_input(
        "L'identifiant du registre a de 1 à 500 caractères, sans retour à la ligne.",
        "The credential of the register has 1 to 500 characters and no line break.",
    )
}

pub fn unknown_field(field: &str) -> Error {
    let field: String = field.chars().take(40).collect();
    Error::bad_input(
        format!("Information inconnue : « {field} ». Les noms sont ceux de VehicleInput."),
        format!("Unknown fact “{field}”. The names are those of VehicleInput."),
    )
}

pub fn not_found() -> Error {
    Error::not_found("Véhicule", "Vehicle")
}
