//! The PDF files, read with nothing but the rules of the format.
#![allow(clippy::unwrap_used)]

use std::io::Read as _;

use chrono::{DateTime, Utc};
use keroxio_plugin_documents::chain::{GENESIS, Why, seal};
use keroxio_plugin_documents::invoice::{Kind, Sale};
use keroxio_plugin_documents::pdf::{self, Look, RegisterExtract};
use keroxio_plugin_documents::register::{Entry, Event};
use keroxio_plugin_documents::{DocumentError, facturx};

fn example(name: &str) -> Sale {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn made_at() -> DateTime<Utc> {
    "2026-11-26T09:30:00Z".parse().unwrap()
}

fn invoice(sale: &Sale) -> Vec<u8> {
    pdf::invoice(sale, Look::default(), made_at()).unwrap()
}

fn find(bytes: &[u8], needle: &str) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle.as_bytes())
}

/// Object `number` as the cross-reference table finds it, up to `endobj`.
fn object(pdf: &[u8], number: usize) -> &[u8] {
    let start = bytes_number(&pdf[find(pdf, "startxref\n").unwrap() + 10..]);
    assert!(pdf[start..].starts_with(b"xref\n0 "), "startxref is right");
    let entries = start + find(&pdf[start..], "0000000000 65535 f").unwrap();
    let offset = bytes_number(&pdf[entries + 20 * number..]);
    let name = format!("{number} 0 obj\n");
    assert!(pdf[offset..].starts_with(name.as_bytes()), "offset of object {number}");
    let end = find(&pdf[offset..], "\nendobj").unwrap();
    &pdf[offset + name.len()..offset + end]
}

fn bytes_number(bytes: &[u8]) -> usize {
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&bytes[..digits]).unwrap().parse().unwrap()
}

fn object_count(pdf: &[u8]) -> usize {
    let trailer = find(pdf, "trailer\n").unwrap();
    bytes_number(&pdf[trailer + find(&pdf[trailer..], "/Size ").unwrap() + 6..])
}

/// Content of the one stream whose dictionary contains `mark`.
fn stream(pdf: &[u8], mark: &str) -> Vec<u8> {
    let objects: Vec<&[u8]> = (1..object_count(pdf)).map(|number| object(pdf, number)).collect();
    let head = |object: &[u8]| object[..find(object, "stream\n").unwrap_or(0)].to_vec();
    let found: Vec<&&[u8]> = objects.iter().filter(|object| find(&head(object), mark).is_some()).collect();
    assert_eq!(found.len(), 1, "{mark}");
    let dictionary = head(found[0]);
    let length = bytes_number(&dictionary[find(&dictionary, "/Length ").unwrap() + 8..]);
    let start = dictionary.len() + "stream\n".len();
    let data = &found[0][start..start + length];
    assert_eq!(&found[0][start + length..], b"\nendstream", "the length is right");
    if find(&dictionary, "/FlateDecode").is_none() {
        return data.to_vec();
    }
    let mut text = Vec::new();
    flate2::read::ZlibDecoder::new(data).read_to_end(&mut text).unwrap();
    text
}

fn page_count(pdf: &[u8]) -> usize {
    bytes_number(&pdf[find(pdf, "/Type/Pages/Count ").unwrap() + 18..])
}

const INVOICES: [&str; 4] = ["margin_invoice", "repair_invoice", "company_invoice", "credit_note"];

#[test]
fn the_xml_is_attached_as_factur_x_wants_it() {
    for name in INVOICES {
        let sale = example(name);
        let pdf = invoice(&sale);
        assert_eq!(stream(&pdf, "/Type/EmbeddedFile"), facturx::xml(&sale).unwrap());
        for mark in
            ["/UF(factur-x.xml)", "/AFRelationship/Alternative", "/Subtype/text#2Fxml", "/AF[", "/EmbeddedFiles"]
        {
            assert!(find(&pdf, mark).is_some(), "{mark}");
        }
    }
}

#[test]
fn the_metadata_declare_pdf_a_3b_and_factur_x() {
    let xmp = String::from_utf8(stream(&invoice(&example("margin_invoice")), "/Type/Metadata")).unwrap();
    for text in [
        "<pdfaid:part>3</pdfaid:part>",
        "<pdfaid:conformance>B</pdfaid:conformance>",
        "<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>",
        "<fx:DocumentType>INVOICE</fx:DocumentType>",
        "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>",
        "<fx:Version>1.0</fx:Version>",
        "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
    ] {
        assert_eq!(xmp.matches(text).count(), 1, "{text}");
    }
    assert_eq!(xmp.matches("<pdfaExtension:schemas>").count(), 1, "a property may not be written twice");
    for name in ["DocumentFileName", "DocumentType", "Version", "ConformanceLevel"] {
        assert!(xmp.contains(&format!("<pdfaProperty:name>{name}</pdfaProperty:name>")), "{name} is declared");
    }
    let mut reader = quick_xml::Reader::from_str(&xmp);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
}

#[test]
fn every_object_is_where_the_table_says() {
    let quote = pdf::quote(&example("quote"), Look::default(), made_at()).unwrap();
    for pdf in INVOICES.map(|name| invoice(&example(name))).into_iter().chain([quote]) {
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        assert!((1..object_count(&pdf)).all(|number| !object(&pdf, number).is_empty()));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(invoice(&example("margin_invoice")), invoice(&example("margin_invoice")));
}

#[test]
fn long_documents_have_several_pages_and_stay_valid() {
    let mut sale = example("repair_invoice");
    assert_eq!(page_count(&invoice(&sale)), 1);
    let lines = sale.lines.clone();
    // The table of objects grows by a digit on the way, which the metadata must survive.
    for count in [30, 90, 150] {
        sale.lines = (0..count).map(|index| lines[index % 3].clone()).collect();
        let pdf = invoice(&sale);
        assert!(page_count(&pdf) > count / 40, "{count} lines");
        assert!(String::from_utf8(stream(&pdf, "/Type/Metadata")).unwrap().contains("fx:ConformanceLevel"));
    }
}

#[test]
fn strange_texts_are_printed_as_far_as_the_font_goes() {
    let mut sale = example("margin_invoice");
    sale.lines[0].description = "Voiture \u{1f697} 中文 \u{202e}عربى\u{0} Œuvre \u{ad}".to_owned();
    sale.lines[1].details = Some("W".repeat(1000));
    sale.car.as_mut().unwrap().version = "x".repeat(120);
    sale.seller.trade_name = Some("Automobiles ".repeat(9));
    sale.notes = vec!["\n\n".to_owned(), "Ελληνικά".to_owned()];
    assert!(page_count(&invoice(&sale)) >= 1);
}

#[test]
fn each_kind_has_its_own_function() {
    let quote = example("quote");
    assert!(matches!(pdf::invoice(&quote, Look::default(), made_at()), Err(DocumentError::WrongKind)));
    let invoice = example("repair_invoice");
    assert!(matches!(pdf::quote(&invoice, Look::default(), made_at()), Err(DocumentError::WrongKind)));
    let empty = Sale { lines: Vec::new(), ..quote };
    assert_eq!(empty.kind, Kind::Quote);
    let refused = pdf::quote(&empty, Look::default(), made_at());
    assert!(matches!(refused, Err(DocumentError::Faults(faults)) if faults[0].code.as_str() == "lines_missing"));
}

fn extract(texts: &[String]) -> RegisterExtract {
    let mut entries = Vec::new();
    let mut previous = GENESIS;
    for (index, text) in texts.iter().enumerate() {
        let event = Event::Correction { corrected: 1, reason: "essai".to_owned(), text: text.clone() };
        let entry = Entry { site: "a".to_owned(), number: index as u64 + 1, recorded_at: made_at(), event };
        entries.push(seal(entry, previous));
        previous = entries[index].hash;
    }
    RegisterExtract {
        holder: "Garage des Alpes".to_owned(),
        holder_siret: "73282932000074".to_owned(),
        site_name: "Grenoble".to_owned(),
        site_address: "12 avenue de l’Europe".to_owned(),
        from: "2026-11-01".parse().unwrap(),
        until: "2026-11-30".parse().unwrap(),
        previous: GENESIS,
        first_number: 1,
        entries,
    }
}

#[test]
fn a_register_is_printed_only_while_its_chain_holds() {
    let print = |extract: &RegisterExtract| pdf::register_pdf(extract, Look::default(), made_at());
    let mut whole = extract(&vec!["texte".to_owned(); 60]);
    let pdf = print(&whole).unwrap();
    assert!(page_count(&pdf) > 2 && find(&pdf, "/Type/EmbeddedFile").is_none());
    assert_eq!(page_count(&print(&extract(&[])).unwrap()), 1);
    whole.entries.remove(30);
    let broken = print(&whole);
    assert!(matches!(broken, Err(DocumentError::Register(broken)) if broken.at == 30 && broken.why == Why::Link));
}

#[test]
fn an_entry_longer_than_a_page_is_refused_rather_than_cut() {
    let refused = pdf::register_pdf(&extract(&["mot ".repeat(800)]), Look::default(), made_at());
    assert!(matches!(refused, Err(DocumentError::Pdf(why)) if why.contains("entry 1")));
}
