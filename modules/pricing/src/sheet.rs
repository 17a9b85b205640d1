//! Reads a table of advertisements.

use chrono::{Datelike as _, NaiveDate};
use keroxio_core::Result;
use keroxio_core::table::{self, LineError, Row, Table};
use keroxio_plugin_sdk::CarFacts;
use serde_json::json;

const REQUIRED: [&str; 7] = ["ad_date", "brand", "model", "year", "mileage_km", "fuel", "price"];
const MOST_ROWS: usize = 200_000;
/// Asking prices of cars, in euros, and the texts they come with.
const PRICES: std::ops::RangeInclusive<f64> = 300.0..=1_000_000.0;
const MAX_TEXT: usize = 120;

/// One advertisement of a table.
pub struct SheetAd {
    /// Line of the file, counted from 1 for the header.
    pub line: u64,
    /// The source's own name of the ad, where it has one.
    pub reference: Option<String>,
    /// The car, on the day of the ad.
    pub car: CarFacts,
    pub price_eur: i32,
    pub first_seen_on: Option<NaiveDate>,
    pub gone_on: Option<NaiveDate>,
}

/// Every line of a table, read or refused.
///
/// # Errors
/// As [`Table::read`] and [`Table::require`].
pub fn read(bytes: &[u8], today: NaiveDate) -> Result<Vec<Result<SheetAd, LineError>>> {
    let table = Table::read(bytes, MOST_ROWS)?;
    table.require(&REQUIRED)?;
    Ok(table.rows().map(|row| Line(row).read(today)).collect())
}

struct Line<'a>(Row<'a>);

impl Line<'_> {
    fn read(&self, today: NaiveDate) -> Result<SheetAd, LineError> {
        let seen_on = self.day("ad_date")?.ok_or_else(|| self.empty("ad_date"))?;
        if seen_on > today {
            return Err(self.error("ad_date", "date à venir", "a date to come"));
        }
        let number = |name, low, high| self.number(name, low..=high);
        let needed = |name, value: Option<f64>| value.ok_or_else(|| self.empty(name));
        let year = needed("year", number("year", 1900.0, f64::from(seen_on.year()))?)?;
        let price = needed("price", self.number("price", PRICES)?)?;
        let whole = |value: Option<f64>| value.map(|v| v.round() as u32);
        let text = |name| self.field(name).map(|text| text.chars().take(MAX_TEXT).collect::<String>());
        let (first_seen_on, gone_on) = (self.day("first_seen")?, self.day("gone_on")?);
        if first_seen_on.is_some_and(|first| first > seen_on) {
            return Err(self.error("first_seen", "après la date de l'annonce", "after the date of the ad"));
        }
        if gone_on.is_some_and(|gone| gone > today || first_seen_on.is_some_and(|first| gone < first)) {
            return Err(self.error("gone_on", "à venir, ou avant first_seen", "to come, or before first_seen"));
        }
        Ok(SheetAd {
            line: self.0.line,
            reference: text("ad_id"),
            price_eur: price.round() as i32,
            first_seen_on,
            gone_on,
            car: CarFacts {
                make: text("brand").ok_or_else(|| self.empty("brand"))?,
                model: text("model").ok_or_else(|| self.empty("model"))?,
                version: text("version"),
                first_registration_year: year as i32,
                first_registration_month: whole(number("month", 1.0, 12.0)?),
                mileage_km: needed("mileage_km", number("mileage_km", 0.0, 1_500_000.0)?)?.round() as u32,
                fuel: self.word("fuel")?,
                gearbox: self.word("gearbox")?,
                power_hp: whole(number("power_hp", 1.0, 2_000.0)?),
                fiscal_hp: whole(number("fiscal_hp", 1.0, 200.0)?),
                doors: whole(number("doors", 1.0, 7.0)?),
                seats: whole(number("seats", 1.0, 9.0)?),
                body: text("body"),
                country: Some(text("country").unwrap_or_else(|| "FR".to_owned())),
                valued_on: seen_on,
            },
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    fn error(&self, column: &'static str, fr: &str, en: &str) -> LineError {
        LineError::new(self.0.line, column, fr, en)
    }

    fn empty(&self, column: &'static str) -> LineError {
        self.error(column, "valeur absente", "value missing")
    }

    fn number(&self, name: &'static str, range: std::ops::RangeInclusive<f64>) -> Result<Option<f64>, LineError> {
        let Some(text) = self.field(name) else { return Ok(None) };
        let number = table::number(text).filter(|number| range.contains(number));
        let (low, high) = (range.start(), range.end());
        number.map(Some).ok_or_else(|| {
            self.error(
                name,
                &format!("un nombre de {low} à {high} est attendu"),
                &format!("a number from {low} to {high} is wanted"),
            )
        })
    }

    fn day(&self, name: &'static str) -> Result<Option<NaiveDate>, LineError> {
        let Some(text) = self.field(name) else { return Ok(None) };
        table::day(text)
            .map(Some)
            .ok_or_else(|| self.error(name, "date attendue : AAAA-MM-JJ", "a date is wanted: YYYY-MM-DD"))
    }

    fn word<T: serde::de::DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, LineError> {
        let Some(text) = self.field(name) else { return Ok(None) };
        serde_json::from_value(json!(text.to_lowercase()))
            .map(Some)
            .map_err(|_| self.error(name, "mot inconnu", "unknown word"))
    }
}

#[cfg(test)]
mod tests {
    use keroxio_core::ErrorCode;
    use keroxio_core::table::COLUMNS_MISSING;

    use super::*;

    const HEADER: &str = "ad_date,brand,model,year,mileage_km,fuel,price,version,month\n";

    fn lines(text: &str) -> Vec<Result<SheetAd, LineError>> {
        read(text.as_bytes(), "2026-11-25".parse().unwrap_or_default()).unwrap_or_default()
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_write_it() {
        let french = "\u{feff}ad_date;brand;model;year;mileage_km;fuel;price\n01/10/2026;Renault;Clio;2019;45 000;petrol;9 990,00 €\n";
        let dotted =
            "ad_date;brand;model;year;mileage_km;fuel;price\n01/10/2026;Renault;Clio;2019;45.000;petrol;9.990\n";
        for text in [french, dotted, &format!("{HEADER}2026-10-01,Renault,Clio,2019,45000,petrol,9990,Zen,3\n")] {
            let ad = lines(text).remove(0).ok();
            let ad = ad.as_ref().map(|ad| (ad.line, ad.price_eur, ad.car.mileage_km, ad.car.valued_on.to_string()));
            assert_eq!(ad, Some((2, 9_990, 45_000, "2026-10-01".to_owned())));
        }
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it_and_the_others_are_read() {
        let rows = [
            "2026-10-01,Renault,Clio,2019,45000,petrol,9990,,",
            "2027-10-01,Renault,Clio,2019,45000,petrol,9990,,",
            "2026-10-01,,Clio,2019,45000,petrol,9990,,",
            "2026-10-01,Renault,Clio,2035,45000,petrol,9990,,",
            "2026-10-01,Renault,Clio,2019,-3,petrol,9990,,",
            "2026-10-01,Renault,Clio,2019,45000,essence,9990,,",
            "2026-10-01,Renault,Clio,2019,45000,petrol,NaN,,",
            "2026-10-01,Renault,Clio,2019,45000,petrol",
        ];
        let read = lines(&format!("{HEADER}{}\n", rows.join("\n")));
        let wrong: Vec<_> = read.iter().filter_map(|row| row.as_ref().err()).map(|e| (e.line, e.column)).collect();
        let expected = ["ad_date", "brand", "year", "mileage_km", "fuel", "price", "price"];
        assert_eq!(wrong, (3..).zip(expected).collect::<Vec<_>>());
        assert!(read[0].is_ok());
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let today = NaiveDate::MIN;
        let code = |bytes: &[u8]| read(bytes, today).err().map(|e| (e.code(), e.message_en().to_owned()));
        assert_eq!(code(b"").map(|(code, _)| code), Some(COLUMNS_MISSING));
        assert!(code(b"brand,model\n").is_some_and(|(_, said)| said.contains("ad_date, year")));
        let mut bytes = HEADER.as_bytes().to_vec();
        bytes.extend(b"2026-10-01,\x00\x01,Clio,2019,45000,petrol,9990,,\n");
        assert_eq!(code(&bytes).map(|(code, _)| code), Some(ErrorCode::BAD_INPUT));
    }
}
