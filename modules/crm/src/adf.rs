//! The Auto-lead Data Format 1.0: a lead as XML, in the body of a mail or beside it.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use crate::reach::{self, Person};

/// How deep elements may lie in each other, and how much text they may hold.
const DEEPEST: usize = 32;
const MOST_TEXT: usize = 64 << 10;

/// The first prospect of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prospect {
    pub person: Person,
    pub comments: Option<String>,
    /// Year, make, model and trim, as the document says them.
    pub car: Option<String>,
    /// The seller's own number of the car.
    pub stock: Option<String>,
    pub vin: Option<String>,
    /// Who sent it.
    pub provider: Option<String>,
    pub language: Option<String>,
}

#[derive(Default)]
struct Fields {
    first: Option<String>,
    last: Option<String>,
    full: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    postal_code: Option<String>,
    year: Option<String>,
    make: Option<String>,
    model: Option<String>,
    trim: Option<String>,
    car_comments: Option<String>,
}

/// Where an ADF document begins in a text, if there is one.
pub fn find(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let start = [lower.find("<?adf"), lower.find("<adf")].into_iter().flatten().min()?;
    text.get(start..)
}

/// Reads the first prospect. A document that breaks off tells what it told until there; nothing in it is fetched or
/// expanded.
pub fn read(text: &str) -> Option<Prospect> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let (mut path, mut part, mut content) = (Vec::<String>::new(), String::new(), String::new());
    let (mut fields, mut prospect, mut seen) = (Fields::default(), Prospect::default(), false);
    let mut left = MOST_TEXT;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                let name = element.local_name().as_ref().to_ascii_lowercase();
                let attribute = |wanted: &str| {
                    let found = element.attributes().flatten().find(|a| a.key.as_ref().eq_ignore_ascii_case(wanted));
                    found.map(|a| a.value.to_ascii_lowercase())
                };
                seen |= name == "prospect";
                // What tells two elements of a name apart.
                part = match name.as_str() {
                    "name" => attribute("part").unwrap_or_else(|| "full".to_owned()),
                    _ => String::new(),
                };
                if path.len() == DEEPEST {
                    break;
                }
                path.push(name);
                content.clear();
            }
            Ok(Event::Text(text)) => push(&mut content, &text.xml10_content(), &mut left),
            Ok(Event::CData(text)) => push(&mut content, &text.xml10_content(), &mut left),
            Ok(Event::GeneralRef(reference)) => {
                let known = reference.resolve_char_ref().ok().flatten().map(String::from);
                let known = known.or_else(|| resolve_predefined_entity(&reference).map(str::to_owned));
                push(&mut content, &known.unwrap_or_default(), &mut left);
            }
            Ok(Event::End(_)) => {
                let value = std::mem::take(&mut content);
                take(&path, &part, &value, &mut fields, &mut prospect);
                let ended = path.pop();
                if ended.as_deref() == Some("prospect") {
                    break;
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    seen.then(|| finish(fields, prospect))
}

fn push(content: &mut String, text: &str, left: &mut usize) {
    let fits = text.floor_char_boundary((*left).min(text.len()));
    content.push_str(&text[..fits]);
    *left -= fits;
}

fn take(path: &[String], part: &str, value: &str, fields: &mut Fields, prospect: &mut Prospect) {
    let value = value.trim();
    if value.is_empty() {
        return;
    }
    let within = |name: &str| path.iter().any(|element| element == name);
    let first = |field: &mut Option<String>| {
        field.get_or_insert_with(|| value.to_owned());
    };
    let Some(name) = path.last().map(String::as_str) else { return };
    match name {
        _ if within("vendor") => {}
        "name" if within("provider") => first(&mut prospect.provider),
        _ if within("provider") => {}
        "name" if within("customer") => match part {
            "first" => first(&mut fields.first),
            "last" => first(&mut fields.last),
            _ => first(&mut fields.full),
        },
        "email" if within("customer") => first(&mut fields.email),
        "phone" if within("customer") => first(&mut fields.phone),
        "postalcode" if within("customer") => first(&mut fields.postal_code),
        "comments" if within("customer") => first(&mut prospect.comments),
        "comments" if within("vehicle") => first(&mut fields.car_comments),
        // A car that is given in exchange is not the one that is wanted.
        "year" if within("vehicle") => first(&mut fields.year),
        "make" if within("vehicle") => first(&mut fields.make),
        "model" if within("vehicle") => first(&mut fields.model),
        "trim" if within("vehicle") => first(&mut fields.trim),
        "stock" if within("vehicle") => first(&mut prospect.stock),
        "vin" if within("vehicle") => first(&mut prospect.vin),
        _ => {}
    }
}

fn finish(fields: Fields, mut prospect: Prospect) -> Prospect {
    let join = |parts: [Option<String>; 4]| parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let given = |text: String| Some(reach::line(&text)).filter(|text| !text.is_empty());
    let name = fields.full.or_else(|| given(join([fields.first, fields.last, None, None])));
    prospect.person =
        Person::found(name.as_deref(), fields.email.as_deref(), fields.phone.as_deref(), fields.postal_code.as_deref());
    prospect.car = given(join([fields.make, fields.model, fields.trim, fields.year]));
    prospect.comments = prospect.comments.or(fields.car_comments);
    prospect
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WHOLE: &str = r#"<?ADF VERSION="1.0"?><?xml version="1.0"?><adf><prospect>
        <requestdate>2026-11-20T10:00:00+01:00</requestdate>
        <vehicle interest="buy" status="used"><year>2020</year><make>Renault</make><model>Clio</model><stock>K-12</stock></vehicle>
        <customer><contact><name part="first">Zo&#233;</name><name part="last">Martin &amp; fils</name>
          <email>Zoe@Example.fr</email><phone type="voice">06 12 34 56 78</phone>
          <address><postalcode>69003</postalcode></address></contact><comments><![CDATA[Encore <dispo> ?]]></comments></customer>
        <vendor><contact><name>Garage</name><email>garage@example.org</email></contact></vendor>
        <provider><name>Portail</name></provider></prospect></adf>"#;

    #[test]
    fn a_prospect_is_read_and_the_vendor_is_not_taken_for_it() {
        let prospect = read(find(&format!("Bonjour,\n{WHOLE}")).unwrap()).unwrap();
        let person = Person {
            name: Some("Zoé Martin & fils".to_owned()),
            email: Some("zoe@example.fr".to_owned()),
            phone: Some("+33612345678".to_owned()),
            postal_code: Some("69003".to_owned()),
        };
        assert_eq!(prospect.person, person);
        assert_eq!(prospect.comments.as_deref(), Some("Encore <dispo> ?"));
        assert_eq!((prospect.car.as_deref(), prospect.stock.as_deref()), (Some("Renault Clio 2020"), Some("K-12")));
        assert_eq!(prospect.provider.as_deref(), Some("Portail"));
    }

    #[test]
    fn what_breaks_off_or_bites_does_no_harm() {
        let cut = &WHOLE[..WHOLE.find("<vendor>").unwrap()];
        assert_eq!(read(cut).unwrap().person.email.as_deref(), Some("zoe@example.fr"));
        let bomb = "<!DOCTYPE a [<!ENTITY x \"y\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]><adf><prospect><customer><comments>&x;&f;a</comments></customer></prospect></adf>";
        assert_eq!(read(bomb).unwrap().comments.as_deref(), Some("a"));
        assert!(read(&"<a>".repeat(100_000)).is_none());
        assert!(read("").is_none() && find("bonjour").is_none());
        let long = format!("<adf><prospect><customer><comments>{}", "é".repeat(100_000));
        assert!(read(&long).is_some());
    }
}
