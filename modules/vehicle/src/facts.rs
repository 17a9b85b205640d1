//! What people call the facts that the API names in camel case.

const WORDS: [(&str, &str, &str); 21] = [
    ("plate", "immatriculation", "registration number"),
    ("make", "marque", "make"),
    ("model", "modèle", "model"),
    ("version", "version", "version"),
    ("firstRegistration", "première mise en circulation", "first registration"),
    ("mileageKm", "kilométrage", "mileage"),
    ("fuel", "énergie", "fuel"),
    ("gearbox", "boîte de vitesses", "gearbox"),
    ("powerHp", "puissance (ch)", "power (hp)"),
    ("fiscalHp", "puissance fiscale", "fiscal power"),
    ("doors", "nombre de portes", "number of doors"),
    ("seats", "nombre de places", "number of seats"),
    ("colour", "couleur", "colour"),
    ("technicalInspectionOn", "contrôle technique", "technical inspection"),
    ("inspectionRetest", "contre-visite", "re-test"),
    ("critAir", "Crit'Air", "Crit'Air"),
    ("vin", "numéro d'identification (VIN)", "identification number (VIN)"),
    ("co2", "émissions de CO2", "CO2 emissions"),
    ("stockNumber", "référence", "stock number"),
    ("askingPrice", "prix demandé", "asking price"),
    ("enteredOn", "entrée en stock", "entry into the stock"),
];

fn words(field: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    WORDS.iter().find(|(name, ..)| *name == field)
}

pub fn french(field: &str) -> &str {
    words(field).map_or(field, |(_, french, _)| french)
}

pub fn english(field: &str) -> &str {
    words(field).map_or(field, |(.., english)| english)
}

/// Facts as an enumeration for a sentence, in French and in English.
pub fn enumerate(fields: &[&str]) -> (String, String) {
    let list = |word: fn(&str) -> &str| fields.iter().map(|f| word(f)).collect::<Vec<_>>().join(", ");
    (list(french), list(english))
}
