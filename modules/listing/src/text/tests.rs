use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

const BODY_LIMIT: usize = 4_000;
const TONES: [AdTone; 3] = [AdTone::Professional, AdTone::Friendly, AdTone::Short];

pub fn manner(language: &'static str, tone: AdTone, seed: u64) -> Manner<'static> {
    Manner { language, tone, seed }
}

/// A car of which everything is known. No two facts are said by the same word.
pub fn known() -> AdFacts {
    AdFacts {
        make: "Renault".into(),
        model: "Clio".into(),
        version: Some("TCe Zen".into()),
        year: 2019,
        month: Some(3),
        mileage_km: 45_200,
        fuel: Some(("essence", "petrol")),
        gearbox: Some(("manuelle", "manual")),
        power_hp: Some(91),
        fiscal_hp: Some(6),
        doors: Some(5),
        seats: Some(4),
        colour: Some("Bleu Iron".into()),
        crit_air: Some("1".into()),
        inspected_on: NaiveDate::from_ymd_opt(2026, 11, 3),
        inspection_retest: Some(false),
        seller: Seller::Dealer { name: "Garage Dupont".into(), siren: Some("732829320".into()) },
    }
}

/// How a fact is taken away, and the words that only it may say, in French and in English.
type Claim = (fn(&mut AdFacts), &'static [&'static str]);

const CLAIMS: [Claim; 13] = [
    (|f| f.version = None, &["TCe Zen"]),
    (|f| f.month = None, &["mars", "March"]),
    (|f| f.fuel = None, &["essence", "petrol"]),
    (|f| f.gearbox = None, &["manuelle", "manual", "boîte", "gearbox"]),
    (|f| f.power_hp = None, &["91", "ch DIN", "hp DIN"]),
    (|f| f.fiscal_hp = None, &["CV"]),
    (|f| f.doors = None, &["porte", "door", "Doors"]),
    (|f| f.seats = None, &["place", "seat", "Seats"]),
    (|f| f.colour = None, &["bleu iron", "ouleur", "olour"]),
    (|f| f.crit_air = None, &["Crit'Air"]),
    (|f| f.inspected_on = None, &["ontrôle technique", "inspection", "contre-visite", "test ordered"]),
    (|f| f.inspection_retest = None, &["contre-visite", "test ordered"]),
    (
        |f| f.seller = Seller::Private,
        &["arantie légale", "guarantee of", "SIREN", "Dupont", "Contactez-nous", "Nous ", "nous "],
    ),
];

/// Two hundred ads of all kinds.
pub fn ads() -> Vec<(AdFacts, Manner<'static>)> {
    let makes =
        [("Renault", "Clio"), ("Audi", "A3"), ("Opel", "Corsa"), ("Citroën", "C3"), ("Alfa Romeo", "Giulietta")];
    let fuels = [None, Some(("essence", "petrol")), Some(("hybride rechargeable", "plug-in hybrid"))];
    let cases = (0..200_u32).map(|n| {
        let (make, model) = makes[n as usize % makes.len()];
        let some = |divisor: u32| n % divisor != 0;
        let facts = AdFacts {
            make: make.into(),
            model: model.into(),
            version: some(3).then(|| "1.5 Business".into()),
            year: 2005 + (n % 20) as i32,
            month: some(4).then_some(1 + n % 12),
            mileage_km: i64::from(n) * 1_111,
            fuel: fuels[n as usize % fuels.len()],
            gearbox: some(5).then_some(("automatique", "automatic")),
            power_hp: some(2).then_some(60 + n as i32),
            fiscal_hp: some(3).then_some(1 + (n % 9) as i32),
            doors: some(5).then_some(1 + (n % 5) as i32),
            seats: some(7).then_some(1 + (n % 7) as i32),
            colour: some(2).then(|| "Gris".into()),
            crit_air: ["e", "1", "none"].get(n as usize % 4).map(|class| (*class).to_owned()),
            inspected_on: some(3).then(|| NaiveDate::from_ymd_opt(2026, 1 + n % 12, 1 + n % 28)).flatten(),
            inspection_retest: [Some(true), Some(false), None][n as usize % 3],
            seller: if some(2) { known().seller } else { Seller::Private },
        };
        (facts, manner("fr", TONES[n as usize % 3], u64::from(n)))
    });
    cases.collect()
}

#[test]
fn without_a_fact_its_claim_disappears_and_nothing_else_takes_its_place() {
    for language in ["fr", "en"] {
        for (tone, seed) in TONES.into_iter().flat_map(|tone| (0..8).map(move |seed| (tone, seed))) {
            let manner = manner(language, tone, seed);
            let whole = write(&known(), &manner).body;
            for (take_away, words) in CLAIMS {
                assert!(words.iter().any(|word| whole.contains(word)), "{words:?} is not said in\n{whole}");
                let mut facts = known();
                take_away(&mut facts);
                let rest = write(&facts, &manner).body;
                for word in words {
                    assert!(!rest.contains(word), "{word} is said without a fact in\n{rest}");
                }
            }
        }
    }
}

#[test]
fn what_the_law_wants_is_always_said() {
    for (facts, manner) in ads() {
        let body = write(&facts, &manner).body;
        assert!(body.contains("(non garanti)") && body.contains(&facts.year.to_string()), "{body}");
        assert_eq!(body.contains("arantie légale de conformité"), facts.seller != Seller::Private, "{body}");
    }
}

#[test]
fn every_ad_keeps_the_limits_of_its_portals() {
    for (facts, manner) in ads() {
        let text = write(&facts, &manner);
        assert!(text.title.chars().count() <= TITLE_LIMIT && text.body.chars().count() <= BODY_LIMIT);
        assert!(!text.body.contains("{") && !text.body.contains("  ") && !text.body.contains(" ."), "{}", text.body);
    }
}

#[test]
fn the_same_ad_is_always_put_the_same_way_and_others_otherwise() {
    let of = |seed| write(&known(), &manner("fr", AdTone::Friendly, seed)).body;
    assert_eq!(of(7), of(7));
    let ways: BTreeSet<String> = (0..40).map(of).collect();
    assert!(ways.len() >= 6, "{} ways", ways.len());
}

#[test]
fn french_elides_agrees_and_counts() {
    let friendly = |make: &str, month| {
        let facts = AdFacts { make: make.into(), month: Some(month), seller: Seller::Private, ..known() };
        (0..4).map(|seed| write(&facts, &manner("fr", AdTone::Friendly, seed)).body).collect::<Vec<_>>().join("\n")
    };
    assert!(friendly("Audi", 4).contains("mon Audi Clio TCe Zen d'avril 2019"), "{}", friendly("Audi", 4));
    assert!(friendly("Hyundai", 3).contains("ma Hyundai Clio TCe Zen de mars 2019"));
    assert!(friendly("Renault", 8).contains("d'août"));
    let one = AdFacts { doors: Some(1), seats: Some(2), fiscal_hp: Some(1), ..known() };
    let body = write(&one, &manner("fr", AdTone::Professional, 0)).body;
    assert!(body.contains("1\u{a0}porte, 2\u{a0}places") && body.contains("1\u{a0}CV fiscal,"), "{body}");
    let first = AdFacts { inspected_on: NaiveDate::from_ymd_opt(2026, 5, 1), ..known() };
    assert!(write(&first, &manner("fr", AdTone::Professional, 0)).body.contains("du 1er mai 2026"));
}

#[test]
fn a_title_always_fits_and_keeps_the_year() {
    let long =
        AdFacts { version: Some("BlueHDi 130 S&S EAT8 Allure Business Navigation Toit Panoramique".into()), ..known() };
    let title = write(&long, &manner("fr", AdTone::Short, 0)).title;
    assert!(title.chars().count() <= TITLE_LIMIT && title.ends_with("- 2019"), "{title}");
}

/// Names and abbreviations that no dictionary has.
const NAMES: [&str; 16] = [
    "Renault",
    "Clio",
    "Audi",
    "A3",
    "Opel",
    "Corsa",
    "Citroën",
    "C3",
    "Alfa",
    "Romeo",
    "Giulietta",
    "Crit'Air",
    "Crit",
    "SIREN",
    "DIN",
    "Dupont",
];

#[test]
fn a_french_dictionary_finds_nothing_but_names() {
    let mut dictionary = Command::new("hunspell");
    dictionary.args(["-d", "fr_FR", "-i", "utf-8", "-l"]);
    let Some(unknown) = misspelt(dictionary) else {
        eprintln!("SKIPPED: hunspell with its French dictionary is not installed (hunspell, hunspell-fr)");
        return;
    };
    // It takes the full stop after an abbreviation for a part of it.
    let bare = unknown.iter().map(|word| word.trim_end_matches('.'));
    let unknown: BTreeSet<&str> = bare.filter(|word| !NAMES.contains(word)).collect();
    assert_eq!(unknown, BTreeSet::new());
}

/// The words of all ads that a spell checker does not know; none where there is no spell checker.
fn misspelt(mut checker: Command) -> Option<Vec<String>> {
    let mut running = checker.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut text: String = ads().iter().map(|(facts, manner)| write(facts, manner).body + "\n").collect();
    text.push_str("fautte\n");
    let mut input = running.stdin.take()?;
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = running.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    let words: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    // A checker without its dictionary finds nothing, the planted mistake included.
    let works = output.status.success() && words.iter().any(|word| word == "fautte");
    works.then(|| words.into_iter().filter(|word| word != "fautte").collect())
}
