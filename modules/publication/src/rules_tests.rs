use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::channel::Channels;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

/// An ad with everything that the law and the portal want.
struct Story {
    seller: Seller,
    siren: Option<&'static str>,
    ad: Ad,
    car: Vehicle,
    on: NaiveDate,
    disputed: &'static [&'static str],
    history: Option<Report>,
    sales: i64,
}

fn complete(seller: Seller) -> Story {
    let mut car = Vehicle::empty(Uuid::nil(), DateTime::UNIX_EPOCH);
    car.plate = Some("FS938HA".to_owned());
    car.make = Some("Renault".to_owned());
    car.model = Some("Clio".to_owned());
    car.version = Some("TCe 90 Zen".to_owned());
    (car.first_registration_year, car.first_registration_month) = (Some(2020), Some(3));
    car.mileage_km = Some(45_000);
    car.crit_air = Some("1".to_owned());
    car.inspected_on = Some(day("2026-11-01"));
    let body = "45 000 km (non garanti). Garantie légale de conformité de deux ans. SIREN 732 829 320.";
    let ad = Ad {
        id: Uuid::nil(),
        org_id: Uuid::nil(),
        vehicle_id: Uuid::nil(),
        state: "ready".to_owned(),
        language: "fr".to_owned(),
        title: Some("Renault Clio TCe 90 Zen - 2020".to_owned()),
        body: Some(body.to_owned()),
        text_edited: false,
        price_eur: Some(11_900),
        seq: 0,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        sold_at: None,
        tone: "professional".to_owned(),
    };
    Story { seller, siren: Some("732829320"), ad, car, on: day("2026-11-25"), disputed: &[], history: None, sales: 0 }
}

fn report(km: i32, sale_forbidden: bool) -> Report {
    Report {
        vehicle_id: Uuid::nil(),
        org_id: Uuid::nil(),
        consent_by: Uuid::nil(),
        consent_at: DateTime::UNIX_EPOCH,
        sealed_url: None,
        report_on: day("2026-11-01"),
        holders: None,
        sale_forbidden,
        mileages: json!([{ "on": "2024-03-01", "km": km }, { "on": "2022-03-01", "km": 9_000 }]),
    }
}

fn codes(story: &Story) -> Vec<String> {
    let (rules, channels) =
        (Rules::load().unwrap_or_else(|e| panic!("{e}")), Channels::load().unwrap_or_else(|e| panic!("{e}")));
    let facts = Facts {
        seller: story.seller,
        siren: story.siren,
        ad: &story.ad,
        vehicle: &story.car,
        disputed: story.disputed,
        history: story.history.as_ref(),
        sales: story.sales,
        channel: channels.get("leboncoin").unwrap_or_else(|| panic!("no such channel")),
        on: story.on,
    };
    rules.findings(&facts).iter().map(|finding| finding.rule.code.clone()).collect()
}

/// Per rule: who sells, and what breaks it alone.
type Case = (&'static str, Seller, fn(&mut Story));

const CASES: [Case; 25] = [
    ("MAKE_MISSING", Seller::Private, |s| s.car.make = None),
    ("MODEL_MISSING", Seller::Private, |s| s.car.model = Some(" ".to_owned())),
    ("VERSION_MISSING", Seller::Private, |s| s.car.version = None),
    ("FIRST_REGISTRATION_MISSING", Seller::Private, |s| s.car.first_registration_month = None),
    ("MILEAGE_MISSING", Seller::Private, |s| s.car.mileage_km = None),
    ("MILEAGE_WORDING", Seller::Private, |s| s.ad.body = Some("45 000 km".to_owned())),
    ("PRICE_MISSING", Seller::Private, |s| s.ad.price_eur = None),
    ("NOT_IN_FRENCH", Seller::Private, |s| s.ad.language = "en".to_owned()),
    ("SIREN_MISSING", Seller::Dealer, |s| s.siren = None),
    ("SELLER_UNSAID", Seller::Dealer, |s| s.siren = Some("552100554")),
    ("GUARANTEE_DENIED", Seller::Dealer, |s| s.ad.body.iter_mut().for_each(|b| b.push_str(" Vendue en l’état."))),
    ("GUARANTEE_DENIED_PRIVATE", Seller::Private, |s| s.ad.body.iter_mut().for_each(|b| b.push_str(" Sans garantie."))),
    ("GUARANTEE_UNSAID", Seller::Dealer, |s| {
        s.ad.body = Some("45 000 km (non garanti). SIREN 732829320.".to_owned());
    }),
    ("CRIT_AIR_MISSING", Seller::Dealer, |s| s.car.crit_air = None),
    ("CRIT_AIR_ADVISED", Seller::Private, |s| s.car.crit_air = None),
    ("INSPECTION_NEEDED", Seller::Private, |s| s.car.inspected_on = None),
    ("DATE_CONTRADICTS_PLATE", Seller::Private, |s| s.car.plate = Some("BA001AA".to_owned())),
    ("INSPECTION_BEFORE_REGISTRATION", Seller::Private, |s| {
        s.car.plate = None;
        (s.car.first_registration_year, s.car.first_registration_month) = (Some(2026), Some(12));
        s.on = day("2027-01-01");
    }),
    ("CRIT_AIR_CONTRADICTS_FUEL", Seller::Private, |s| s.car.fuel = Some("diesel".to_owned())),
    ("FACTS_DISPUTED", Seller::Dealer, |s| s.disputed = &["plate"]),
    ("MILEAGE_BELOW_HISTORY", Seller::Private, |s| s.history = Some(report(45_001, false))),
    ("SALE_FORBIDDEN", Seller::Dealer, |s| s.history = Some(report(45_000, true))),
    ("FREQUENT_SALES", Seller::Private, |s| s.sales = 5),
    ("TITLE_TOO_LONG", Seller::Private, |s| s.ad.title = Some("x".repeat(51))),
    ("BODY_TOO_LONG", Seller::Private, |s| s.ad.body = Some(format!("non garanti {}", "x".repeat(4_000)))),
];

#[test]
fn a_complete_ad_has_no_finding() {
    assert_eq!(codes(&complete(Seller::Private)), Vec::<String>::new());
    assert_eq!(codes(&complete(Seller::Dealer)), Vec::<String>::new());
}

#[test]
fn each_rule_is_broken_by_what_it_is_about_and_by_nothing_else() {
    for (code, seller, spoil) in CASES {
        let mut story = complete(seller);
        spoil(&mut story);
        assert_eq!(codes(&story), [code]);
    }
    let rules = Rules::load().unwrap_or_else(|e| panic!("{e}"));
    let known: BTreeSet<&str> = rules.all().iter().map(|rule| rule.code.as_str()).collect();
    assert_eq!(known, CASES.iter().map(|(code, ..)| *code).collect(), "every rule has its case");
}

#[test]
fn a_rule_holds_from_its_day_on() {
    let mut story = complete(Seller::Dealer);
    story.car.crit_air = None;
    story.car.inspected_on = Some(day("2019-12-01"));
    (story.car.first_registration_year, story.car.first_registration_month) = (Some(2012), Some(5));
    story.on = day("2019-12-31");
    story.car.plate = None;
    assert_eq!(codes(&story), Vec::<String>::new(), "before the law on mobility");
    story.on = day("2020-01-01");
    assert_eq!(codes(&story), ["CRIT_AIR_MISSING"]);
}

#[test]
fn a_report_is_good_for_six_months_or_two_and_a_young_car_needs_none() {
    let found = |inspected: &str, retest: bool, on: &str| {
        let mut story = complete(Seller::Private);
        story.car.inspected_on = Some(day(inspected));
        story.car.inspection_retest = Some(retest);
        story.on = day(on);
        codes(&story) == ["INSPECTION_NEEDED"]
    };
    assert!(!found("2026-07-01", false, "2026-12-01"), "a month is left");
    assert!(found("2026-07-01", false, "2026-12-02"), "less than a month is left");
    assert!(found("2026-10-10", true, "2026-11-25"), "two months after another test was ordered");
    let mut young = complete(Seller::Private);
    young.car.inspected_on = None;
    young.car.plate = None;
    (young.car.first_registration_year, young.car.first_registration_month) = (Some(2022), Some(12));
    assert_eq!(codes(&young), Vec::<String>::new());
    young.on = day("2026-12-01");
    assert_eq!(codes(&young), ["INSPECTION_NEEDED"], "four years old");
}

#[test]
fn only_an_electric_car_is_in_class_e() {
    let contradicts = |fuel: &str, class: &str| {
        let mut story = complete(Seller::Private);
        (story.car.fuel, story.car.crit_air) = (Some(fuel.to_owned()), Some(class.to_owned()));
        codes(&story) == ["CRIT_AIR_CONTRADICTS_FUEL"]
    };
    for (fuel, class) in [("electric", "1"), ("electric", "none"), ("diesel", "1"), ("diesel", "e"), ("petrol", "e")] {
        assert!(contradicts(fuel, class), "{fuel} {class}");
    }
    for (fuel, class) in [("electric", "e"), ("diesel", "2"), ("petrol", "1"), ("petrol", "none"), ("other", "e")] {
        assert!(!contradicts(fuel, class), "{fuel} {class}");
    }
}

#[test]
fn a_finding_says_what_it_rests_on_and_how_it_is_mended() {
    let rules = Rules::load().unwrap_or_else(|e| panic!("{e}"));
    for rule in rules.all() {
        let said = json!([rule.article, rule.fix, rule.field, rule.fr, rule.en]);
        assert!(
            said.as_array().is_some_and(|all| all.iter().all(|t| t.as_str().is_some_and(|t| !t.is_empty()))),
            "{}",
            rule.code
        );
        assert!(rule.fr.ends_with('.') && rule.en.ends_with('.'), "{}", rule.code);
    }
}
