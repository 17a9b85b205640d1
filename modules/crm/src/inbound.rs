//! A mail about a car, whoever wrote it and however broken it is.

use std::borrow::Cow;

use keroxio_core::table::unaccented;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use sha2::{Digest as _, Sha256};

use crate::adf;
use crate::kinds::LeadSource;
use crate::reach::{self, LONGEST_MESSAGE, Person};

/// Text of a mail that is looked at, in bytes.
const MOST_TEXT: usize = 256 << 10;
/// Addresses of pages that are looked at, and largest XML beside a mail.
const MOST_URLS: usize = 20;
const MOST_XML: usize = 1 << 20;
/// Headers that say whom a mail was sent to.
const RECIPIENTS: [&str; 8] =
    ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "resent-to", "to", "cc"];

/// Portals that forward what people write to them.
struct Portal {
    source: LeadSource,
    domains: &'static [&'static str],
}

const PORTALS: [Portal; 2] = [
    Portal { source: LeadSource::EmailLeboncoin, domains: &["leboncoin.fr"] },
    Portal { source: LeadSource::EmailLacentrale, domains: &["lacentrale.fr", "carboat.com"] },
];

/// What a line that ends in a colon says comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Name,
    FirstName,
    Email,
    Phone,
    PostalCode,
    Car,
    Reference,
    Message,
    /// Known, and none of our business: it ends what was before.
    Other,
}

const LABELS: [(Label, &[&str]); 9] = [
    (
        Label::Name,
        &["nom", "nom complet", "nom et prenom", "nom du contact", "acheteur", "contact", "name", "de la part de"],
    ),
    (Label::FirstName, &["prenom", "first name"]),
    (Label::Email, &["email", "e-mail", "mail", "courriel", "adresse e-mail", "adresse email", "adresse mail"]),
    (Label::Phone, &["telephone", "tel", "tel.", "portable", "mobile", "numero de telephone", "phone"]),
    (Label::PostalCode, &["code postal", "cp", "postal code", "zip"]),
    (Label::Car, &["vehicule", "annonce", "voiture", "titre de l'annonce", "votre annonce", "vehicle", "modele"]),
    (Label::Reference, &["reference", "ref", "ref.", "reference vehicule", "votre reference", "reference interne"]),
    (
        Label::Message,
        &["message", "son message", "message de l'acheteur", "commentaire", "commentaires", "demande", "comments"],
    ),
    (
        Label::Other,
        &["prix", "ville", "date", "lien", "kilometrage", "annee", "type de demande", "price", "objet", "sujet"],
    ),
];

/// Lines that portals and mail programs put below what people wrote.
const ENDINGS: [&str; 9] = [
    "--",
    "-----",
    "_____",
    "=====",
    "l'equipe leboncoin",
    "l'equipe la centrale",
    "ce message vous est envoye",
    "cet email a ete envoye",
    "pour repondre",
];

/// What a mail says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub source: Option<LeadSource>,
    pub person: Person,
    pub language: Option<String>,
    pub message: Option<String>,
    /// Addresses of pages in it; one may be the ad's.
    pub urls: Vec<String>,
    /// The seller's own number of the car.
    pub reference: Option<String>,
    pub car_text: Option<String>,
    /// What was left out.
    pub remark: Option<String>,
    /// Whether somebody answers a mail of ours.
    pub is_answer: bool,
}

/// A mail, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    /// Everybody it was sent to.
    pub recipients: Vec<String>,
    /// The same for the same mail, however often it comes.
    pub external_id: String,
    pub found: Found,
}

/// Reads a mail as it came (RFC 5322). Never fails: of what cannot be read little is found.
pub fn read(raw: &[u8]) -> Read {
    let Some(mail) = MessageParser::default().parse(raw) else {
        return Read { recipients: Vec::new(), external_id: id(raw), found: Found::default() };
    };
    let external_id = mail.message_id().map_or_else(|| id(raw), |own| id(own.as_bytes()));
    Read { recipients: recipients(&mail), external_id, found: find(&mail) }
}

/// No identifier of somebody else's is kept as it is: it may hold an address.
fn id(of: &[u8]) -> String {
    format!("mail:{}", hex::encode(&Sha256::digest(of)[..16]))
}

fn recipients(mail: &Message<'_>) -> Vec<String> {
    let headers =
        mail.headers_raw().filter(|(name, _)| RECIPIENTS.iter().any(|known| name.eq_ignore_ascii_case(known)));
    let ends = |c: char| c.is_whitespace() || "<>,;\"()".contains(c);
    let words = headers.flat_map(|(_, value)| value.split(ends)).filter(|word| word.contains('@'));
    words.take(100).map(str::to_lowercase).collect()
}

fn find(mail: &Message<'_>) -> Found {
    let from = mail.from().and_then(|from| from.first());
    let sender = from.and_then(|from| from.address()).and_then(reach::email);
    let portal = sender.as_deref().and_then(portal_of);
    let remark = remark(mail);
    if let Some(prospect) = prospect(mail) {
        let source = prospect.provider.as_deref().and_then(portal_named).or(portal);
        return Found {
            source: Some(source.unwrap_or(LeadSource::EmailOther)),
            person: prospect.person,
            language: prospect.language,
            message: prospect.comments.map(|text| short(&text)).filter(|text| !text.is_empty()),
            urls: Vec::new(),
            reference: prospect.stock.map(|text| reach::cut(&reach::line(&text), 60)),
            car_text: prospect.car.map(|text| reach::cut(&text, 200)),
            remark,
            is_answer: false,
        };
    }
    let text = body(mail);
    let fields = Fields::of(&text);
    let is_labelled = fields.says_who();
    let reply = mail.reply_to().and_then(|reply| reply.first());
    // Whoever is answered: a portal gives an address of its own for that.
    let reply = reply.and_then(|reply| reply.address()).and_then(reach::email).filter(|address| !is_nobody(address));
    let written = sender.filter(|address| portal.is_none() && !is_labelled && !is_nobody(address));
    let email = fields.get(Label::Email).and_then(reach::email).or(reply).or(written.clone());
    let own_name = from.and_then(|from| from.name()).filter(|_| written.is_some());
    let name = fields.name().or_else(|| own_name.map(str::to_owned));
    let phone = fields.get(Label::Phone).map(str::to_owned).or_else(|| {
        // Somebody who writes themselves signs with their number.
        if portal.is_none() && !is_labelled { phone_in(&text) } else { None }
    });
    let said = fields.get(Label::Message).map(str::to_owned);
    let said = said.or_else(|| (!is_labelled).then(|| unquoted(&text))).map(|text| short(&text));
    let subject = mail.subject().map(reach::line).filter(|subject| !subject.is_empty());
    let car = fields.get(Label::Car).map(reach::line).or_else(|| subject.as_deref().and_then(quoted));
    let is_answer =
        portal.is_none() && (mail.in_reply_to().as_text().is_some() || subject.as_deref().is_some_and(answers));
    Found {
        is_answer,
        source: Some(portal.unwrap_or(LeadSource::EmailOther)),
        person: Person::found(name.as_deref(), email.as_deref(), phone.as_deref(), fields.get(Label::PostalCode)),
        language: None,
        message: said.filter(|text| !text.is_empty()).or(subject),
        urls: urls(&text),
        reference: fields.get(Label::Reference).map(|text| reach::cut(&reach::line(text), 60)),
        car_text: car.map(|text| reach::cut(&text, 200)).filter(|text| !text.is_empty()),
        remark,
    }
}

/// Whether a subject says that the mail is an answer (`Re:`, in French also `RE :`).
fn answers(subject: &str) -> bool {
    subject.split_once(':').is_some_and(|(start, _)| start.trim().eq_ignore_ascii_case("re"))
}

fn short(text: &str) -> String {
    let text = reach::message(text);
    reach::cut(&text, LONGEST_MESSAGE)
}

fn portal_of(address: &str) -> Option<LeadSource> {
    let (_, domain) = address.rsplit_once('@')?;
    let is_of = |own: &&str| domain == *own || domain.strip_suffix(*own).is_some_and(|rest| rest.ends_with('.'));
    PORTALS.iter().find(|portal| portal.domains.iter().any(&is_of)).map(|portal| portal.source)
}

fn portal_named(name: &str) -> Option<LeadSource> {
    let plain: String = unaccented(name).chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.as_str() {
        name if name.contains("leboncoin") => Some(LeadSource::EmailLeboncoin),
        name if name.contains("lacentrale") => Some(LeadSource::EmailLacentrale),
        _ => None,
    }
}

/// An address behind which nobody reads.
fn is_nobody(address: &str) -> bool {
    let local: String =
        address.split('@').next().unwrap_or_default().chars().filter(char::is_ascii_alphabetic).collect();
    ["noreply", "nepasrepondre", "donotreply", "mailerdaemon", "postmaster"].iter().any(|name| local.starts_with(name))
}

/// What ends a line in HTML, beside `<br>` and paragraphs.
const BLOCKS: [&str; 9] = ["tr>", "table>", "div>", "li>", "h1>", "h2>", "h3>", "h4>", "dd>"];

/// The plain part of a mail, or what its HTML says, line by line.
fn text_of<'a>(mail: &'a Message<'_>) -> Option<Cow<'a, str>> {
    match &mail.text_part(0)?.body {
        PartType::Text(text) => Some(Cow::Borrowed(text)),
        PartType::Html(html) => Some(Cow::Owned(html_to_text(&with_breaks(html)))),
        _ => None,
    }
}

/// HTML in which every block ends with a `<br>`: the library's reader breaks lines there and at paragraphs only.
fn with_breaks(html: &str) -> String {
    let begins = |piece: &str, tag: &&str| piece.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    let mut pieces = html.split("</");
    let mut broken = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        broken.push_str(if BLOCKS.iter().any(|tag| begins(piece, tag)) { "<br></" } else { "</" });
        broken.push_str(piece);
    }
    broken
}

/// The text of a mail.
fn body(mail: &Message<'_>) -> String {
    let text = text_of(mail).unwrap_or_default();
    let text = text.get(..text.floor_char_boundary(MOST_TEXT.min(text.len()))).unwrap_or_default();
    reach::message(text)
}

fn prospect(mail: &Message<'_>) -> Option<adf::Prospect> {
    let text = text_of(mail);
    if let Some(prospect) = text.as_deref().and_then(adf::find).and_then(adf::read) {
        return Some(prospect);
    }
    let xml = mail.attachments().filter(|part| {
        let named = part.attachment_name().is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.ends_with(".xml") || name.ends_with(".adf")
        });
        named || part.is_content_type("text", "xml") || part.is_content_type("application", "xml")
    });
    xml.filter(|part| part.contents().len() <= MOST_XML)
        .find_map(|part| adf::read(adf::find(&String::from_utf8_lossy(part.contents()))?))
}

/// What was left out of a mail.
fn remark(mail: &Message<'_>) -> Option<String> {
    let files = mail.attachments().filter(|part| !matches!(part.body, PartType::Text(_) | PartType::Html(_))).count();
    (files > 0).then(|| format!("{files} pièce(s) jointe(s) écartée(s)"))
}

/// What a text says by its labels.
struct Fields(Vec<(Label, String)>);

impl Fields {
    fn of(text: &str) -> Self {
        let mut fields: Vec<(Label, String)> = Vec::new();
        for line in text.lines() {
            if let Some((label, value)) = labelled(line) {
                fields.push((label, value.to_owned()));
            } else if let Some((label, value)) = fields.last_mut() {
                let goes_on = match label {
                    Label::Message => !is_ending(line),
                    // A table in HTML has the value below its label.
                    _ => value.is_empty(),
                };
                if !goes_on {
                    fields.push((Label::Other, "-".to_owned()));
                    continue;
                }
                if !value.is_empty() {
                    value.push('\n');
                }
                value.push_str(line);
            }
        }
        Self(fields)
    }

    fn get(&self, wanted: Label) -> Option<&str> {
        let all = self.0.iter().filter(|(label, value)| *label == wanted && !value.trim().is_empty());
        all.map(|(_, value)| value.trim()).next()
    }

    fn name(&self) -> Option<String> {
        match (self.get(Label::FirstName), self.get(Label::Name)) {
            (Some(first), Some(last)) => Some(format!("{first} {last}")),
            (first, last) => first.or(last).map(str::to_owned),
        }
    }

    fn says_who(&self) -> bool {
        self.get(Label::Email).or(self.get(Label::Phone)).is_some()
    }
}

fn labelled(line: &str) -> Option<(Label, &str)> {
    let (label, value) = line.split_once(':')?;
    // Portals set labels in bold, or begin their lines with a bullet.
    let plain = unaccented(label.trim_matches(|c: char| c.is_whitespace() || "*•-–>|".contains(c)));
    let plain = plain.replace('’', "'");
    let found = LABELS.iter().find(|(_, names)| names.contains(&plain.as_str()))?;
    Some((found.0, value.trim_matches(|c: char| c.is_whitespace() || c == '*')))
}

fn is_ending(line: &str) -> bool {
    let plain = unaccented(line.trim()).replace('’', "'");
    let begins = |ending: &&str| match ending.chars().all(|c| "-_=".contains(c)) {
        true => plain == **ending || (ending.len() > 2 && plain.starts_with(*ending)),
        false => plain.starts_with(*ending),
    };
    ENDINGS.iter().any(begins)
}

/// A text without what it answers to and without its signature.
fn unquoted(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let plain = unaccented(line.trim());
        let is_heading = (plain.starts_with("le ") && plain.ends_with("a ecrit :"))
            || (plain.starts_with("on ") && plain.ends_with("wrote:"))
            || plain.starts_with("-----message d'origine")
            || plain.starts_with("-----original message");
        if is_heading || line.trim_end() == "--" {
            break;
        }
        if !line.starts_with('>') {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// What stands in quotation marks in a subject: the title of an ad.
fn quoted(subject: &str) -> Option<String> {
    [('"', '"'), ('«', '»'), ('“', '”')].iter().find_map(|(open, close)| {
        let (_, rest) = subject.split_once(*open)?;
        let (title, _) = rest.split_once(*close)?;
        Some(reach::line(title)).filter(|title| !title.is_empty())
    })
}

fn urls(text: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || "<>\"'()[]".contains(c);
    let all = text.split(ends).filter(|word| word.starts_with("https://") && word.len() <= 500);
    all.take(MOST_URLS).map(|url| url.trim_end_matches(['.', ',', ';']).to_owned()).collect()
}

/// A telephone number in a text.
fn phone_in(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_digit() || " .-+()\u{a0}".contains(c);
    let runs = text.split(|c: char| !is_part(c)).map(str::trim).filter(|run| (10..=25).contains(&run.len()));
    runs.take(50).find_map(|run| reach::phone(run.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_are_read_however_they_are_set() {
        let text = "Bonjour,\n*Nom :* Dupont\n• Prénom : Léa\nTéléphone :\n06 12 34 56 78\nPrix : 12 990 €\nMessage :\nElle est belle : oui\n\nEncore là ?\n-----\nL’équipe leboncoin";
        let fields = Fields::of(text);
        assert_eq!(fields.name().as_deref(), Some("Léa Dupont"));
        assert_eq!(fields.get(Label::Phone), Some("06 12 34 56 78"));
        assert_eq!(fields.get(Label::Message), Some("Elle est belle : oui\n\nEncore là ?"));
    }

    #[test]
    fn a_table_ends_its_lines() {
        let html = "<table><TR><td>Ref :</td><td>P-208</td></TR></table><p>Nom : Petit<br>Pr&eacute;nom : Hugo</p>";
        let text = html_to_text(&with_breaks(html));
        let fields = Fields::of(&text);
        assert_eq!(fields.name().as_deref(), Some("Hugo Petit"), "{text:?}");
    }

    #[test]
    fn any_bytes_are_a_mail_of_some_kind() {
        let mut seed = 7_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u8
        };
        let start = b"From: a@b.fr\r\nTo: lead+x@d.fr\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<adf><prospect>";
        for length in 0..400 {
            let noise: Vec<u8> = (0..length * 3).map(|_| random()).collect();
            read(&noise);
            read(&[start.as_slice(), &noise].concat());
            let cut = start.len().saturating_sub(length);
            read(&start[..cut]);
        }
        let nested = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n".repeat(5_000);
        read(nested.as_bytes());
        assert_eq!(read(b"").external_id, read(b"").external_id);
    }

    #[test]
    fn an_answer_is_told_from_what_it_answers() {
        assert_eq!(unquoted("Oui !\n\nLe 3 mars 2026, Garage a écrit :\n> Bonjour"), "Oui !\n");
        assert_eq!(phone_in("Appelez-moi au 06.12.34.56.78. Merci").as_deref(), Some("+33612345678"));
        assert_eq!(quoted("Message pour \"Clio\" sur X").as_deref(), Some("Clio"));
        assert!(is_nobody("no-reply@x.fr") && is_nobody("ne.pas.repondre@x.fr") && !is_nobody("nora@x.fr"));
    }
}
