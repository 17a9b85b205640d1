//! What a row of uncertain characters may be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use keroxio_plate_grammar::{BLANK, Plate, PlateKind, Row, SYMBOLS, agree, day_of_rank, newest_rank, rank};
use proptest::prelude::*;

/// 24 November 2026.
const TODAY: i64 = 20_781;

fn row(likely: &[(char, f32)]) -> Row {
    let mut row = [0.0; 37];
    let rest = 1.0 - likely.iter().map(|(_, p)| p).sum::<f32>();
    row.iter_mut().for_each(|p| *p = rest / 37.0);
    for (character, p) in likely {
        let place = SYMBOLS.iter().position(|s| char::from(*s) == *character).unwrap_or(BLANK);
        row[place] += p;
    }
    row
}

/// Ten places, as a reader gives them: these characters for sure, then blanks.
fn rows(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = text.chars().map(|c| row(&[(c, 0.97)])).collect();
    rows.resize(10, row(&[(' ', 0.97)]));
    rows
}

fn first(rows: &[Row]) -> (String, Option<PlateKind>, f32) {
    let best = rank(rows, Some(newest_rank(TODAY)), 1).remove(0);
    (best.text, best.kind, best.probability)
}

#[test]
fn every_series_is_read_as_what_it_is() {
    let known = [
        ("FS938HA", Some(PlateKind::Siv)),
        ("WW238BB", Some(PlateKind::WwProvisional)),
        ("W304JF", Some(PlateKind::WGarage)),
        ("1020HG90", Some(PlateKind::Fni)),
        ("995AXF35", Some(PlateKind::Fni)),
        ("12AB2A", Some(PlateKind::Fni)),
        ("12AB974", Some(PlateKind::Fni)),
        ("9IRT558", None),
        ("BA812CI", None),
    ];
    for (text, kind) in known {
        let (read, found, probability) = first(&rows(text));
        assert_eq!((read.as_str(), found), (text, kind));
        assert!(probability > 0.5, "{text} {probability}");
    }
}

#[test]
fn a_series_decides_between_a_letter_and_a_digit() {
    let mut seen = rows("FS938HA");
    seen[1] = row(&[('5', 0.55), ('S', 0.4)]);
    seen[2] = row(&[('G', 0.6), ('9', 0.35)]);
    let (read, kind, _) = first(&seen);
    assert_eq!((read.as_str(), kind), ("FS938HA", Some(PlateKind::Siv)));
}

#[test]
fn old_numbers_have_three_letters_where_two_were_used_up() {
    let unsure = |text: &str, place: usize, may: [(char, f32); 2]| {
        let mut seen = rows(text);
        seen[place] = row(&may);
        first(&seen).0
    };
    assert_eq!(unsure("1020HG90", 3, [('D', 0.8), ('0', 0.18)]), "1020HG90", "Belfort never came to DHG");
    assert_eq!(unsure("102DHG75", 3, [('D', 0.8), ('0', 0.18)]), "102DHG75", "Paris did");
}

#[test]
fn doubt_stays_where_it_is() {
    let mut seen = rows("FS938HA");
    seen[5] = row(&[('H', 0.55), ('M', 0.42)]);
    let ranked = rank(&seen, None, 2);
    assert_eq!(ranked[0].text, "FS938HA");
    assert_eq!(ranked[1].text, "FS938MA");
    assert!(ranked[0].probability < 0.62, "{ranked:?}");
    let doubtful = ranked[0].characters.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert_eq!(doubtful, 5);
    assert!(ranked[0].characters[0] > 0.95);
}

#[test]
fn a_number_of_the_future_is_not_french() {
    assert_eq!(first(&rows("ZA123BC")).1, None);
    let mut seen = rows("GA123BC");
    seen[0] = row(&[('Z', 0.6), ('G', 0.38)]);
    let (read, kind, _) = first(&seen);
    assert_eq!((read.as_str(), kind), ("GA123BC", Some(PlateKind::Siv)));
}

#[test]
fn several_photos_of_one_car_agree() {
    let photo = |texts: &[(&str, f32)]| texts.iter().map(|(t, p)| ((*t).to_owned(), *p)).collect::<Vec<_>>();
    let ranked = agree(
        &[photo(&[("AB123CD", 0.5), ("AB128CD", 0.48)]), photo(&[]), photo(&[("AB128CD", 0.7), ("A8123CD", 0.28)])],
        2,
    );
    assert_eq!(ranked[0].0, "AB128CD");
    assert!(ranked[0].1 > 0.9, "{ranked:?}");
    let quarrel = agree(&[photo(&[("AB123CD", 0.99)]), photo(&[("XY456ZT", 0.99)])], 2);
    assert!(quarrel[0].1 < 0.6, "two cars are no certainty: {quarrel:?}");
    let guesses = agree(&[photo(&[("AB123CD", 0.27)]), photo(&[("AB123CD", 0.27)])], 1);
    assert!(guesses[0].1 < 0.2, "two weak guesses are no certainty: {guesses:?}");
    assert!(agree(&[], 3).is_empty());
}

#[test]
fn dates_follow_the_known_numbers() {
    let day = |text: &str| day_of_rank(Plate::parse(text).unwrap().siv_rank().unwrap());
    assert_eq!(day("FA-001-AA"), Some(17_772));
    assert_eq!(day("AA-001-AA"), Some(14_349));
    assert_eq!(day("HB-001-AA"), None, "after the last known number nothing is interpolated");
    // A known number had been given out on its own day, and not long before.
    let given = |text: &str, day: i64| Plate::parse(text).unwrap().siv_rank().unwrap() <= newest_rank(day);
    assert!(given("HA-001-AA", 20_027) && given("HK-001-AA", 20_469), "the second about January 2026");
    assert!(!given("JA-001-AA", TODAY) && !given("ZZ-999-ZZ", TODAY));
}

proptest! {
    #[test]
    fn whatever_a_reader_says_is_ranked_without_panic(seen in prop::collection::vec(prop::array::uniform32(-1.0_f32..2.0), 0..12)) {
        let rows: Vec<Row> = seen.iter().map(|half| {
            let mut row = [0.1; 37];
            row[..32].copy_from_slice(half);
            row[36] = f32::NAN;
            row
        }).collect();
        let ranked = rank(&rows, Some(newest_rank(TODAY)), 5);
        prop_assert!(ranked.len() <= 5);
        prop_assert!(ranked.iter().map(|r| r.probability).sum::<f32>() <= 1.001);
        for one in ranked {
            prop_assert_eq!(one.characters.len(), one.text.len());
            prop_assert!(one.characters.iter().all(|p| *p >= one.probability - 1e-3), "each character is right at least as often as all");
            prop_assert_eq!(one.kind.is_some(), one.kind.is_some() && Plate::parse(&one.text).is_ok());
        }
    }
}
