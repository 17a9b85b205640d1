//! How somebody is reached, in the one form by which they are found again.

use keroxio_core::Result;

use crate::error;

pub const LONGEST_NAME: usize = 120;
pub const LONGEST_MESSAGE: usize = 4_000;
const LONGEST_EMAIL: usize = 254;
const LONGEST_POSTAL_CODE: usize = 12;

/// What is known of somebody who writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub postal_code: Option<String>,
}

impl Person {
    /// What somebody typed, checked.
    ///
    /// # Errors
    /// `BAD_INPUT` naming what is wrong, and where there is no way to answer.
    pub fn typed(
        name: Option<String>,
        mail: Option<String>,
        number: Option<String>,
        code: Option<String>,
    ) -> Result<Self> {
        let person = Self::corrected(name, mail, number, code)?;
        if person.is_reachable() { Ok(person) } else { Err(error::unreachable_by_nobody()) }
    }

    /// The same of somebody who is known: nothing is needed.
    ///
    /// # Errors
    /// `BAD_INPUT` naming what is wrong.
    pub fn corrected(
        name: Option<String>,
        mail: Option<String>,
        number: Option<String>,
        code: Option<String>,
    ) -> Result<Self> {
        let given = |text: Option<String>| text.map(|text| line(&text)).filter(|text| !text.is_empty());
        let (name, mail, number, code) = (given(name), given(mail), given(number), given(code));
        for (what, text, most) in
            [(("Nom", "Name"), &name, LONGEST_NAME), (("Code postal", "Postal code"), &code, LONGEST_POSTAL_CODE)]
        {
            if text.as_ref().is_some_and(|text| text.chars().count() > most) {
                return Err(error::too_long(what, most));
            }
        }
        let email = mail.map(|mail| email(&mail).ok_or_else(error::email)).transpose()?;
        let phone = number.map(|number| phone(&number).ok_or_else(error::phone)).transpose()?;
        Ok(Self { name, email, phone, postal_code: code })
    }

    /// What a machine found, as far as it is any good.
    pub fn found(name: Option<&str>, mail: Option<&str>, number: Option<&str>, code: Option<&str>) -> Self {
        let short = |text: Option<&str>, most| text.map(|text| cut(&line(text), most)).filter(|text| !text.is_empty());
        Self {
            name: short(name, LONGEST_NAME),
            email: mail.and_then(email),
            phone: number.and_then(phone),
            postal_code: short(code, LONGEST_POSTAL_CODE),
        }
    }

    pub fn is_reachable(&self) -> bool {
        self.email.is_some() || self.phone.is_some()
    }
}

/// One line without control characters, its spaces single.
pub fn line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A message without control characters but its line breaks, at most two in a row.
pub fn message(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && lines.last().is_none_or(|last| last.is_empty()) {
            continue;
        }
        lines.push(line);
    }
    let plain: String = lines.join("\n").chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    plain.trim().to_owned()
}

/// At most so many characters.
pub fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// An address in small letters; none where it is none.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@')?;
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[]\\,;:\"".contains(c);
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let is_good = (1..=64).contains(&local.len())
        && !local.contains('@')
        && local.chars().all(is_plain)
        && text.len() <= LONGEST_EMAIL
        && labels.len() > 1
        && labels.iter().all(is_label);
    is_good.then_some(text)
}

/// A number as E.164: as it is dialled in France (overseas too) or with its country code; none where it is none.
pub fn phone(text: &str) -> Option<String> {
    let text = text.trim().replace("(0)", "");
    let plus = text.starts_with('+');
    let mut digits = String::new();
    for c in text.chars().skip(usize::from(plus)) {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2011}' => {}
            _ => return None,
        }
    }
    let international = if plus { Some(digits.as_str()) } else { digits.strip_prefix("00") };
    match international {
        Some(number) => {
            // With the zero that is not dialled from abroad.
            let number = number.strip_prefix("330").map_or_else(|| number.to_owned(), |rest| format!("33{rest}"));
            let is_french = number.strip_prefix("33");
            let is_good = is_french.map_or((8..=15).contains(&number.len()), |rest| rest.len() == 9);
            (is_good && !number.starts_with('0')).then(|| format!("+{number}"))
        }
        None => {
            let rest = digits.strip_prefix('0').filter(|rest| rest.len() == 9 && !rest.starts_with('0'))?;
            Some(format!("+{}{rest}", country(rest)))
        }
    }
}

/// The country code behind a number of the French plan, without its zero: what is overseas has its own.
fn country(rest: &str) -> &'static str {
    const OVERSEAS: [(&str, &[&str]); 4] = [
        ("262", &["262", "263", "269", "639", "692", "693"]),
        ("590", &["590", "690", "691"]),
        ("594", &["594", "694"]),
        ("596", &["596", "696", "697"]),
    ];
    let known = OVERSEAS.iter().find(|(_, starts)| starts.iter().any(|start| rest.starts_with(start)));
    known.map_or("33", |(code, _)| code)
}

/// Web addresses in a text.
pub fn links(text: &str) -> usize {
    let text = text.to_lowercase();
    text.matches("://").count() + text.split_whitespace().filter(|w| w.starts_with("www.")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form_however_it_is_written() {
        for text in [
            "06 12 34 56 78",
            "06.12.34.56.78",
            "+33 6 12 34 56 78",
            "0033612345678",
            "+33 (0)6 12 34 56 78",
            "+330612345678",
        ] {
            assert_eq!(phone(text).as_deref(), Some("+33612345678"), "{text}");
        }
        assert_eq!(phone("0692 12 34 56").as_deref(), Some("+262692123456"), "Réunion");
        assert_eq!(phone("0596 12 34 56").as_deref(), Some("+596596123456"), "Martinique");
        assert_eq!(phone("+44 20 7946 0958").as_deref(), Some("+442079460958"));
        for text in ["", "12", "0612", "06 12 34 56 7x", "+0612345678", "0012", "+33 6 12", "0012345678901234567"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_has_one_form_and_what_is_none_is_none() {
        assert_eq!(email(" Jean.DUPONT@Example.FR ").as_deref(), Some("jean.dupont@example.fr"));
        for text in [
            "",
            "jean",
            "jean@",
            "@example.fr",
            "jean@example",
            "a b@example.fr",
            "a@b@example.fr",
            "<a@b.fr>",
            "a@b..fr",
        ] {
            assert_eq!(email(text), None, "{text}");
        }
    }

    #[test]
    fn texts_lose_what_is_no_text() {
        assert_eq!(line(" Jean\r\nBcc: x\0 "), "Jean Bcc: x");
        assert_eq!(message("Bonjour\r\n\r\n\r\n\r\nElle\tva \u{7}\n"), "Bonjour\n\nElle\tva");
        assert_eq!(links("voir http://a et www.b et HTTPS://c"), 3);
    }
}
