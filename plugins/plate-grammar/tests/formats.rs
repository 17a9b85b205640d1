#![allow(clippy::unwrap_used, clippy::expect_used)]

use keroxio_plate_grammar::{Plate, PlateError, PlateKind, SIV_CAPACITY, decode};
use proptest::prelude::*;

fn kind(text: &str) -> Option<PlateKind> {
    Plate::parse(text).ok().map(|p| p.kind())
}

#[test]
fn siv_row() {
    for yes in ["AA-001-AA", "ab 123 cd", "FS.938.HA", "BQ·360·YQ", "WA-123-AA", "ZZ-999-ZZ"] {
        assert_eq!(kind(yes), Some(PlateKind::Siv), "{yes}");
    }
    for no in ["SS-123-AA", "AA-123-SS", "AA-000-AA", "IA-123-AA", "AO-123-AA", "AA-123-UA", "AA-12-AAA", "AA-123-A1"] {
        assert_eq!(kind(no), None, "{no}");
    }
}

#[test]
fn trade_and_provisional_rows() {
    assert_eq!(kind("WW-238-BB"), Some(PlateKind::WwProvisional));
    assert_eq!(kind("W-304-JF"), Some(PlateKind::WGarage));
    for no in ["WW-000-BB", "WW-238-SS", "W-000-JF", "W-304-SS", "W-304-IF"] {
        assert_eq!(kind(no), None, "{no}");
    }
    assert!(!Plate::parse("WW-238-BB").unwrap().identifies_car());
    assert!(!Plate::parse("W-304-JF").unwrap().identifies_car());
    assert!(Plate::parse("AA-123-AA").unwrap().identifies_car());
}

#[test]
fn fni_row() {
    let yes = [
        "1 A 01",
        "1234 A 75",
        "1234 AB 75",
        "1020HG90",
        "995 AXF 35",
        "24 EZ 90",
        "12 AB 2A",
        "12 AB 2B",
        "12 AB 971",
        "12 AB 976",
        "123 UU 13",
    ];
    for text in yes {
        assert_eq!(kind(text), Some(PlateKind::Fni), "{text}");
    }
    let no = [
        "0123 AB 75",
        "1234 D 75",
        "1234 I 75",
        "1234 O 75",
        "1234 W 75",
        "12 SS 75",
        "12 TT 75",
        "12 WW 75",
        "12 AI 75",
        "1234 ABC 75",
        "123 TAB 75",
        "123 WAB 75",
        "123 KKK 75",
        "123 MMM 75",
        "123 MMW 75",
        "123 MWM 75",
        "123 MWW 75",
        "12 AB 20",
        "12 AB 00",
        "12 AB 96",
        "12 AB 970",
        "12 AB 977",
        "12 AB 2C",
    ];
    for text in no {
        assert_eq!(kind(text), None, "{text}");
    }
}

#[test]
fn moped_row() {
    for yes in ["A 11 A", "B-123-C", "AB 99 C", "AB-999-C"] {
        assert_eq!(kind(yes), Some(PlateKind::MopedSiv), "{yes}");
    }
    for no in ["A 10 A", "A 09 A", "A 012 A", "A 100 A", "A 900 B", "S 123 S", "T 12 T", "W 12 W", "AA 12 A", "I 12 A"]
    {
        assert_eq!(kind(no), None, "{no}");
    }
}

#[test]
fn refusals_say_why() {
    assert_eq!(Plate::parse(" -. "), Err(PlateError::Empty));
    assert_eq!(Plate::parse("AA_123_AA"), Err(PlateError::ForeignCharacter('_')));
    assert_eq!(Plate::parse("ÉA123AA"), Err(PlateError::ForeignCharacter('É')));
    assert_eq!(Plate::parse("1HGCM82633A004352"), Err(PlateError::UnknownFormat));
}

#[test]
fn printed_forms() {
    for (raw, printed) in [
        ("aa123aa", "AA-123-AA"),
        ("1234ab75", "1234 AB 75"),
        ("12ab2a", "12 AB 2A"),
        ("12ab974", "12 AB 974"),
        ("ww238bb", "WW-238-BB"),
        ("w304jf", "W-304-JF"),
        ("b123c", "B-123-C"),
    ] {
        assert_eq!(Plate::parse(raw).unwrap().formatted(), printed);
    }
}

/// The published figures: near 278 million in all, near 12 million at the end of A, near 73 at the end of F.
#[test]
fn published_siv_counts() {
    let count_up_to = |text: &str| Plate::parse(text).unwrap().siv_rank().unwrap() + 1;
    assert_eq!(Plate::parse("AA-001-AA").unwrap().siv_rank(), Some(0));
    assert_eq!(count_up_to("ZZ-999-ZZ"), 277_977_744);
    assert_eq!(SIV_CAPACITY, 277_977_744);
    assert_eq!(count_up_to("AZ-999-ZZ"), 12_131_856);
    assert_eq!(count_up_to("FZ-999-ZZ"), 72_791_136);
    assert_eq!(Plate::parse("1234 AB 75").unwrap().siv_rank(), None);
}

#[test]
fn decode_puts_letters_and_digits_where_they_belong() {
    let sure = |text: &str| text.chars().map(|c| vec![(c, 0.98)]).collect::<Vec<_>>();
    let looks_alike: Vec<String> = decode(&sure("BO123I2"), 3).into_iter().map(|(text, _)| text).collect();
    assert_eq!(looks_alike, ["BD123LZ", "BQ123LZ"], "no I or O in the series");
    assert_eq!(decode(&sure("A8I23CO"), 1)[0].0, "AB123CD");
    assert_eq!(decode(&sure("IO2OHG9O"), 1)[0].0, "1020HG90");
    assert!(decode(&sure("MMKKN"), 3).is_empty(), "five letters that look like no digit");
    assert!(decode(&[], 3).is_empty());
}

#[test]
fn decode_weighs_what_the_reader_saw() {
    let mut slots: Vec<Vec<(char, f32)>> = "AB123CD".chars().map(|c| vec![(c, 0.99)]).collect();
    slots[1] = vec![('B', 0.55), ('R', 0.44)];
    let ranked = decode(&slots, 2);
    assert_eq!(ranked[0].0, "AB123CD");
    assert_eq!(ranked[1].0, "AR123CD");
    assert!(ranked[0].1 > ranked[1].1 && ranked[0].1 < 0.7, "{ranked:?}");
}

fn siv() -> impl Strategy<Value = String> {
    "[A-HJ-NP-TV-Z]{2}[0-9]{3}[A-HJ-NP-TV-Z]{2}"
}

proptest! {
    #[test]
    fn printing_then_parsing_gives_the_same_plate(text in siv()) {
        if let Ok(plate) = Plate::parse(&text) {
            prop_assert_eq!(Plate::parse(&plate.formatted()).unwrap(), plate.clone());
            prop_assert_eq!(plate.normalized(), text.as_str());
            if plate.kind() == PlateKind::Siv {
                prop_assert!(plate.siv_rank().unwrap() < SIV_CAPACITY);
            }
        }
    }

    #[test]
    fn rank_follows_the_order_of_issue(a in siv(), b in siv()) {
        let rank = |t: &str| Plate::parse(t).ok().and_then(|p| p.siv_rank());
        if let (Some(first), Some(second)) = (rank(&a), rank(&b)) {
            // Digits turn fastest, then the right pair, then the left pair.
            let key = |t: &str| (t[..2].to_owned(), t[5..].to_owned(), t[2..5].to_owned());
            prop_assert_eq!(first.cmp(&second), key(&a).cmp(&key(&b)));
        }
    }

    #[test]
    fn any_text_is_refused_or_accepted_without_panic(text in "\\PC{0,20}") {
        let _ = Plate::parse(&text);
    }

    #[test]
    fn decoded_texts_are_plates_with_probabilities(
        slots in prop::collection::vec(prop::collection::vec((prop::char::any(), -1.0_f32..2.0), 0..5), 0..12)
    ) {
        let ranked = decode(&slots, 5);
        prop_assert!(ranked.len() <= 5);
        prop_assert!(ranked.iter().map(|r| r.1).sum::<f32>() <= 1.001);
        for (text, probability) in ranked {
            prop_assert!(Plate::parse(&text).is_ok());
            prop_assert!((0.0..=1.0).contains(&probability));
        }
    }
}
