//! From lines of text to the fields of a certificate (arrêté du 9 février 2009, annexe: codes of directive 1999/37/CE).

use chrono::NaiveDate;
use keroxio_plate_grammar::Plate;
use keroxio_plugin_sdk::{Fuel, RegisteredCar, TextLine};

use super::ReadField;

/// Every code printed on a certificate: those that are not read end the one before.
const CODES: [&str; 44] = [
    "A", "B", "C.1", "C.3", "C.4", "C.4.1", "C.4a", "D.1", "D.2", "D.2.1", "D.3", "E", "F.1", "F.2", "F.3", "G", "G.1",
    "H", "I", "I.1", "J", "J.1", "J.2", "J.3", "K", "P.1", "P.2", "P.3", "P.6", "Q", "S.1", "S.2", "U.1", "U.2", "V.7",
    "V.9", "X.1", "Y.1", "Y.2", "Y.3", "Y.4", "Y.5", "Y.6", "Z.1",
];
/// Fields that speak of the car, and the fact each of them is.
const READ: [(&str, &str); 10] = [
    ("A", "plate"),
    ("B", "firstRegistration"),
    ("D.1", "make"),
    ("D.3", "model"),
    ("E", "vin"),
    ("P.2", "powerHp"),
    ("P.3", "fuel"),
    ("P.6", "fiscalHp"),
    ("S.1", "seats"),
    ("V.7", "co2"),
];
/// Fields from which on a text is a certificate and not any paper.
const LEAST_FIELDS: usize = 3;
/// DIN horsepower of a kilowatt.
const HP_PER_KW: f64 = 1.359_62;

/// What a certificate says of a car.
#[derive(Debug, Default)]
pub struct Certificate {
    pub fields: Vec<ReadField>,
    pub plate: Option<String>,
    pub car: RegisteredCar,
}

/// A piece of text on one row of the paper.
struct Piece<'a> {
    text: &'a str,
    confidence: f64,
    x: f32,
    y: f32,
    height: f32,
}

pub fn parse(lines: &[TextLine]) -> Certificate {
    let mut fields: Vec<ReadField> = Vec::new();
    for row in rows(lines) {
        let mut open: Option<ReadField> = None;
        for piece in row {
            let (code, rest) = code(piece.text);
            if let Some(code) = code {
                fields.extend(open.take());
                open = Some(ReadField { code: code.to_owned(), text: String::new(), confidence: 1.0, fact: None });
            }
            if let (Some(field), false) = (&mut open, rest.is_empty()) {
                let space = if field.text.is_empty() { "" } else { " " };
                field.text = format!("{}{space}{rest}", field.text);
                field.confidence = field.confidence.min(piece.confidence);
            }
        }
        fields.extend(open);
    }
    // The name and address of the holder are none of ours: nothing is kept but what is understood as a fact of the car.
    fields.retain(|field| Certificate::default().fact_of(field).is_some());
    fields.sort_by(|a, b| a.code.cmp(&b.code).then(b.confidence.total_cmp(&a.confidence)));
    fields.dedup_by(|later, first| later.code == first.code);
    Certificate::of(fields)
}

impl Certificate {
    pub fn is_one(&self) -> bool {
        self.fields.iter().filter(|field| field.fact.is_some()).count() >= LEAST_FIELDS
    }

    /// What fields say, as far as it can be understood.
    pub fn of(mut fields: Vec<ReadField>) -> Self {
        let mut found = Self::default();
        for field in &mut fields {
            field.fact = found.fact_of(field).map(str::to_owned);
        }
        found.fields = fields;
        found
    }

    /// The fact a field is, noted; none where it is not understood.
    fn fact_of(&mut self, field: &ReadField) -> Option<&'static str> {
        let (_, fact) = READ.iter().find(|(code, _)| *code == field.code)?;
        self.take(&field.code, &field.text).then_some(*fact)
    }

    fn take(&mut self, code: &str, text: &str) -> bool {
        let car = &mut self.car;
        match code {
            "A" => set(&mut self.plate, plate(text)),
            "B" => set(&mut car.first_registration, day(text)),
            "D.1" => set(&mut car.make, name(text)),
            "D.3" => set(&mut car.model, name(text)),
            "E" => set(&mut car.vin, vin(text)),
            "P.2" => {
                set(&mut car.power_hp, number(text, 1..=1_500).map(|kw| (f64::from(kw) * HP_PER_KW).round() as u32))
            }
            "P.3" => set(&mut car.fuel, fuel(text)),
            "P.6" => set(&mut car.fiscal_hp, number(text, 1..=200)),
            "S.1" => set(&mut car.seats, number(text, 1..=9)),
            "V.7" => set(&mut car.co2, number(text, 0..=1_000)),
            _ => false,
        }
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let understood = value.is_some();
    *slot = value;
    understood
}

/// Pieces row by row, from left to right. A paper is seldom straight: a row goes on where its last piece points.
fn rows(lines: &[TextLine]) -> Vec<Vec<Piece<'_>>> {
    let direction = direction(lines);
    let mut pieces: Vec<Piece<'_>> = lines.iter().map(|line| piece(line, direction)).collect();
    pieces.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut rows: Vec<Vec<Piece<'_>>> = Vec::new();
    for piece in pieces {
        let gap = |row: &Vec<Piece<'_>>| {
            let last = row.last()?;
            let gap = (last.y - piece.y).abs();
            (gap < 0.6 * last.height.max(piece.height)).then_some(gap)
        };
        let nearest = rows.iter_mut().filter_map(|row| Some((gap(row)?, row))).min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, row)) => row.push(piece),
            None => rows.push(vec![piece]),
        }
    }
    rows
}

/// Where the lines of a paper point to, as cosine and sine: those of its longest line.
fn direction(lines: &[TextLine]) -> (f32, f32) {
    let along = |line: &TextLine| (line.quad[1].x - line.quad[0].x, line.quad[1].y - line.quad[0].y);
    let longest = lines.iter().map(along).max_by(|a, b| a.0.hypot(a.1).total_cmp(&b.0.hypot(b.1)));
    longest.map_or((1.0, 0.0), |(x, y)| (x / x.hypot(y).max(1.0), y / x.hypot(y).max(1.0)))
}

/// Turned so that the lines of the paper lie level.
fn piece(line: &TextLine, (cos, sin): (f32, f32)) -> Piece<'_> {
    let [a, b, c, d] = line.quad.map(|p| (p.x * cos + p.y * sin, p.y * cos - p.x * sin));
    let middle = (a.1 + b.1 + c.1 + d.1) / 4.0;
    let height = ((d.1 - a.1).abs() + (c.1 - b.1).abs()) / 2.0;
    Piece { text: line.text.trim(), confidence: line.confidence.into(), x: (a.0 + d.0) / 2.0, y: middle, height }
}

/// The code a piece begins with, and what follows it.
fn code(text: &str) -> (Option<&'static str>, &str) {
    let inner = text.trim_start_matches('(');
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && !".,".contains(c)).unwrap_or(inner.len());
    let (head, rest) = inner.split_at(end);
    let rest = rest.trim_start_matches([')', ':']).trim_start();
    let bare: String = head.chars().filter(char::is_ascii_alphanumeric).collect();
    // `0.1` is `D.1`; but `8 RUE DES LILAS` is an address.
    let may_be_misread = head.contains('.') || rest.is_empty();
    let known = CODES.iter().find(|code| {
        let plain: String = code.chars().filter(|c| *c != '.').collect();
        plain.eq_ignore_ascii_case(&bare) || may_be_misread && plain == as_letters(&bare)
    });
    match known {
        // One letter is a code where it stands alone or its value follows: `B 14/03/2018`.
        Some(code) => (Some(code), rest),
        None => (None, text),
    }
}

/// A code begins with a letter: `0.1` is `D.1`, and `8` is `B`.
fn as_letters(bare: &str) -> String {
    let mut signs = bare.chars();
    let first = signs.next().map(|sign| match sign {
        '0' => 'D',
        '8' => 'B',
        '5' => 'S',
        other => other,
    });
    let rest = signs.map(|sign| match sign {
        'I' | 'l' => '1',
        other => other,
    });
    first.into_iter().chain(rest).collect()
}

fn plate(text: &str) -> Option<String> {
    let plate = Plate::parse(text).ok()?;
    plate.identifies_car().then(|| plate.normalized().to_owned())
}

/// Digits as they are printed, where letters that look like them were read.
fn digits(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'O' | 'o' | 'Q' | 'D' => '0',
            'I' | 'l' | '|' => '1',
            other => other,
        })
        .collect()
}

/// `14/03/2018`, however it is separated.
fn day(text: &str) -> Option<NaiveDate> {
    let digits: String = digits(text).chars().filter(char::is_ascii_digit).collect();
    (digits.len() == 8).then(|| NaiveDate::parse_from_str(&digits, "%d%m%Y").ok()).flatten()
}

/// Names of makes and models are short; an address read beside the wrong code is none.
fn name(text: &str) -> Option<String> {
    let words = text.split_whitespace().count();
    let street = ["rue", "avenue", "allee", "allée", "chemin", "place", "boulevard", "impasse", "route", "quai"];
    let is_street = text.split_whitespace().any(|word| street.contains(&word.to_lowercase().as_str()));
    if words > 4 || is_street {
        return None;
    }
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let clean = text.chars().all(|c| c.is_alphanumeric() || " -.'/+&!()".contains(c));
    (clean && (1..=40).contains(&letters) && text.chars().count() <= 50).then(|| text.to_owned())
}

/// No I, O or Q is in a VIN (ISO 3779), so those read are the digits they look like.
fn vin(text: &str) -> Option<String> {
    let signs: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_uppercase();
    let vin: String = signs
        .chars()
        .map(|c| {
            if c == 'I' {
                '1'
            } else if "OQ".contains(c) {
                '0'
            } else {
                c
            }
        })
        .collect();
    (vin.len() == 17).then_some(vin)
}

fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let whole = digits(text.split_whitespace().next()?);
    let number: u32 = whole.split(['.', ',']).next()?.parse().ok()?;
    range.contains(&number).then_some(number)
}

/// Codes of energies (arrêté du 9 février 2009, annexe V).
fn fuel(text: &str) -> Option<Fuel> {
    let code: String = text.chars().filter(char::is_ascii_alphanumeric).take(2).collect::<String>().to_uppercase();
    Some(match code.as_str() {
        "ES" => Fuel::Petrol,
        "GO" | "G0" => Fuel::Diesel,
        "EH" | "GH" => Fuel::Hybrid,
        "EE" | "GL" => Fuel::PluginHybrid,
        "EL" => Fuel::Electric,
        "GP" | "EG" => Fuel::Lpg,
        "GN" | "EN" => Fuel::Cng,
        "FE" => Fuel::Ethanol,
        "H2" | "HE" | "HH" => Fuel::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use keroxio_plugin_sdk::Point;

    use super::*;

    /// A line at a place, on a paper that falls to the right by a tenth.
    fn line(x: f32, y: f32, text: &str) -> TextLine {
        let width = 14.0 * text.chars().count() as f32;
        let at = |x: f32, y: f32| Point { x, y: y + 0.1 * x };
        let quad = [at(x, y), at(x + width, y), at(x + width, y + 24.0), at(x, y + 24.0)];
        TextLine { text: text.to_owned(), confidence: 0.97, quad }
    }

    #[test]
    fn fields_are_found_beside_their_codes_and_within_one_line() {
        let lines = [
            line(400.0, 0.0, "14/O3/2018"),
            line(350.0, 2.0, "B"),
            line(0.0, 0.0, "A"),
            line(60.0, 1.0, "YK-482-ZN"),
            line(0.0, 40.0, "C.1 MARTIN CAMILLE"),
            line(0.0, 80.0, "0.1 RENAULT"),
            line(0.0, 120.0, "D.2.1"),
            line(90.0, 121.0, "M10RENVP123A456"),
            line(0.0, 160.0, "D.3: CLIO"),
            line(0.0, 200.0, "E"),
            line(60.0, 200.0, "VF15RB2OA12345678"),
            line(0.0, 240.0, "P.2"),
            line(60.0, 240.0, "66"),
            line(150.0, 240.0, "P.3 ES"),
            line(300.0, 241.0, "P.6"),
            line(360.0, 240.0, "5"),
            line(0.0, 280.0, "V.7"),
            line(60.0, 280.0, "114"),
        ];
        let found = parse(&lines);
        assert_eq!(found.plate.as_deref(), Some("YK482ZN"));
        assert_eq!(found.car.first_registration.map(|day| day.to_string()).as_deref(), Some("2018-03-14"));
        assert_eq!((found.car.make.as_deref(), found.car.model.as_deref()), (Some("RENAULT"), Some("CLIO")));
        assert_eq!(found.car.vin.as_deref(), Some("VF15RB20A12345678"));
        assert_eq!((found.car.power_hp, found.car.fuel, found.car.fiscal_hp), (Some(90), Some(Fuel::Petrol), Some(5)));
        assert_eq!(found.car.co2, Some(114));
        assert!(found.is_one());
        assert!(found.fields.iter().all(|field| !field.text.contains("MARTIN")), "{:?}", found.fields);
    }

    #[test]
    fn another_paper_is_no_certificate_and_nonsense_is_no_fact() {
        let menu = [line(0.0, 0.0, "MENU DU JOUR"), line(0.0, 40.0, "Entrée A 12 EUR"), line(0.0, 80.0, "B")];
        assert!(!parse(&menu).is_one());
        let wrong = [
            line(0.0, 0.0, "A WW-123-AB"),
            line(0.0, 40.0, "B 99/99/2018"),
            line(0.0, 80.0, "P.2 99999"),
            line(0.0, 120.0, "P.3 XX"),
            line(0.0, 160.0, "E VF1"),
            line(0.0, 200.0, "D.1 <script>"),
        ];
        let found = parse(&wrong);
        assert!(found.fields.is_empty() && found.plate.is_none(), "{:?}", found.fields);
        assert!(!parse(&[]).is_one());
    }

    #[test]
    fn the_holder_and_their_address_are_not_taken_for_facts() {
        let lines = [
            line(0.0, 0.0, "C.3"),
            line(90.0, 0.0, "8 RUE DES LILAS"),
            line(0.0, 40.0, "01 RUE HAUTE"),
            line(0.0, 80.0, "03 ALLEE DES PINS"),
            line(0.0, 120.0, "51 AVENUE FOCH"),
            line(0.0, 160.0, "E. MARTIN"),
            line(0.0, 200.0, "A MARTIN"),
            line(0.0, 240.0, "B 14/03/2018"),
            line(0.0, 280.0, "D.1 RENAULT"),
            line(0.0, 320.0, "P.3 ES"),
        ];
        let found = parse(&lines);
        let kept: Vec<&str> = found.fields.iter().map(|field| field.text.as_str()).collect();
        assert_eq!(kept, ["14/03/2018", "RENAULT", "ES"]);
    }
}
