use chrono::DateTime;
use serde_json::json;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

/// An ad of the subject's twin, this much above the estimate.
fn twin(n: u128, residual: f64) -> MarketAd {
    MarketAd {
        id: Uuid::from_u128(n),
        org_id: None,
        kind: "ad".to_owned(),
        source: "test".to_owned(),
        reference: n.to_string(),
        make: "renault".to_owned(),
        model: "clio".to_owned(),
        facts: json!({ "version": "Zen", "first_registration_year": 2020, "first_registration_month": 3 }),
        age: 6.0,
        mileage_km: 60_000,
        fuel: Some("petrol".to_owned()),
        power_hp: Some(90),
        price_eur: (10_000.0 * residual.exp()).round() as i32,
        seen_on: day("2026-08-01"),
        first_seen_on: None,
        gone_on: None,
        residual,
        estimated_by: "1".to_owned(),
        created_at: DateTime::UNIX_EPOCH,
    }
}

fn subject() -> Subject<'static> {
    Subject { age: 6.0, mileage_km: 60_000.0, fuel: Some("petrol"), power_hp: Some(90.0), on: day("2026-08-01") }
}

#[test]
fn without_ads_the_level_alone_moves_the_price() {
    assert_eq!(blend(&subject(), 10_000.0, 0.03, &[]), Blend { shift: 0.03, comparables: Vec::new() });
}

#[test]
fn one_twin_of_today_weighs_twice_the_model() {
    let one = blend(&subject(), 10_000.0, 0.0, &[twin(1, 0.09)]);
    assert!((one.shift - 0.06).abs() < 1e-12, "{}", one.shift);
    assert_eq!(one.comparables[0].adjusted_eur, 10_942);
    assert_eq!(one.comparables[0].weight, 1.0);
    let many: Vec<MarketAd> = (0..20).map(|n| twin(n, 0.09)).collect();
    assert!(blend(&subject(), 10_000.0, 0.0, &many).shift > 0.0875);
}

#[test]
fn an_ad_of_half_a_year_ago_weighs_half() {
    let old = MarketAd { seen_on: day("2026-01-31"), ..twin(1, 0.09) };
    let shift = blend(&subject(), 10_000.0, 0.0, &[old]).shift;
    assert!((shift - 0.045).abs() < 0.001, "{shift}");
}

#[test]
fn the_nearest_twenty_are_compared_with_and_strangers_never() {
    let mut ads: Vec<MarketAd> =
        (0..30).map(|n| MarketAd { mileage_km: 60_000 + 1_000 * n, ..twin(n as u128, 0.0) }).collect();
    ads.reverse();
    let near = blend(&subject(), 10_000.0, 0.0, &ads).comparables;
    assert_eq!(near.len(), 20);
    assert!(near.iter().all(|ad| ad.mileage_km < 80_000) && near[0].mileage_km == 60_000);
    let strangers = [MarketAd { age: 13.0, ..twin(1, 0.3) }, MarketAd { power_hp: Some(190), ..twin(2, 0.3) }];
    assert_eq!(blend(&subject(), 10_000.0, 0.0, &strangers), Blend::default());
}

#[test]
fn an_odd_price_says_no_more_than_a_high_one() {
    let shift = |residual: f64| blend(&subject(), 10_000.0, 0.0, &[twin(1, residual)]).shift;
    assert_eq!(shift(0.4), shift(1.3));
}

#[test]
fn days_on_offer_are_counted_where_both_ends_are_known() {
    let gone = MarketAd { first_seen_on: Some(day("2026-07-01")), gone_on: Some(day("2026-07-31")), ..twin(1, 0.0) };
    let near = blend(&subject(), 10_000.0, 0.0, &[gone, twin(2, 0.0)]).comparables;
    assert_eq!((near[0].days_on_offer, near[1].days_on_offer), (Some(30), None));
}
