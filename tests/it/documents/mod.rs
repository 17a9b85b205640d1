//! Papers, the police register and what a sale needs.

mod papers;
mod register;
mod sale_file;

use std::io::Read as _;

use chrono::{DateTime, Utc};
use keroxio_test_support::{Actor, TestApp};
use reqwest::StatusCode;
use serde_json::{Value, json};

const DRAFT: &str = "mutation($k: PaperDraftKind!, $v: UUID, $l: UUID, $i: PaperInput!) {
    draftPaper(kind: $k, vehicleId: $v, listingId: $l, input: $i) { id state number faults { code field }
    lines { description vat purchaseCents rateBasisPoints } totals { netCents vatCents grossCents marginVatCents } } }";
const ISSUE: &str = "mutation($p: UUID!) { issuePaper(id: $p) { number state issuedOn pdfUrl pdfSha256 } }";
const ENTER: &str =
    "mutation($s: UUID!, $i: RegisterArrivalInput!) { enterRegister(siteId: $s, input: $i) { number } }";

fn address() -> Value {
    json!({ "lines": ["12 avenue de l’Europe"], "postcode": "38100", "city": "Grenoble" })
}

fn seller() -> Value {
    json!({ "name": "Garage des Alpes", "legalForm": "SAS", "capitalEuros": 50_000, "siret": "732 829 320 00074",
        "vatId": "FR44732829320", "rcs": "RCS Grenoble", "address": address(), "iban": "FR76 3000 6000 0112 3456 7890 189" })
}

fn buyer(name: &str) -> Value {
    json!({ "name": name, "address": { "lines": ["8 rue des Œillets"], "postcode": "73000", "city": "Chambéry" } })
}

/// An invoice for work, whose price includes VAT.
fn repair(name: &str) -> Value {
    let line = json!({ "description": "Vidange", "nature": "SERVICE", "unitPriceCents": 12_000 });
    json!({ "buyer": buyer(name), "lines": [line] })
}

/// A garage whose papers can be issued.
async fn garage(app: &TestApp, name: &str) -> Actor {
    let garage = app.verified_garage(name).await;
    let set = "mutation($i: SellerDetailsInput!) { setSellerDetails(input: $i) { siren } }";
    let set = garage.run(set, json!({ "i": seller() })).await;
    assert_eq!(set.text("/setSellerDetails/siren"), "732829320");
    garage
}

/// A used car of which everything is known.
async fn car(garage: &Actor, vin: &str) -> String {
    let car = json!({ "make": "Peugeot", "model": "308 SW", "version": "1.5 BlueHDi 130 Allure", "plate": "GB-482-KT",
        "vin": vin, "firstRegistration": "2021-03", "mileageKm": 84_210, "colour": "Gris", "askingPrice": 17_990 });
    let create = "mutation($i: VehicleInput!) { createVehicle(input: $i) { id } }";
    garage.run(create, json!({ "i": car })).await.text("/createVehicle/id")
}

async fn site(garage: &Actor, name: &str) -> String {
    let create = "mutation($n: String!) { createSite(input: { name: $n, city: \"Grenoble\" }) { id } }";
    garage.run(create, json!({ "n": name })).await.text("/createSite/id")
}

fn arrival(vehicle: &str) -> Value {
    let from = json!({ "name": "Paul Durand", "address": "1 rue Haute, 38000 Grenoble", "document": "CNI",
        "documentNumber": "X4RTBPFW4" });
    json!({ "vehicleId": vehicle, "from": from, "priceCents": 1_520_000, "means": "TRANSFER" })
}

async fn draft(garage: &Actor, kind: &str, vehicle: Option<&str>, input: Value) -> Value {
    let drafted = garage.run(DRAFT, json!({ "k": kind, "v": vehicle, "i": input })).await;
    drafted.at("/draftPaper").clone()
}

async fn issue(garage: &Actor, paper: &str) -> Value {
    garage.run(ISSUE, json!({ "p": paper })).await.at("/issuePaper").clone()
}

/// Drafts and issues: identifier and number.
async fn issued(garage: &Actor, kind: &str, vehicle: Option<&str>, input: Value) -> (String, String) {
    let draft = draft(garage, kind, vehicle, input).await;
    assert_eq!(draft["faults"], json!([]));
    let id = draft["id"].as_str().unwrap().to_owned();
    let number = issue(garage, &id).await["number"].as_str().unwrap().to_owned();
    (id, number)
}

/// A file by its signed address.
async fn file(app: &TestApp, url: &str) -> Vec<u8> {
    let path = ["/documents/", "/registers/"].iter().find_map(|start| url.find(start)).unwrap();
    let answer = app.anonymous().page(&url[path..]).await;
    assert_eq!(
        (answer.status(), answer.headers()["content-type"].as_bytes()),
        (StatusCode::OK, &b"application/pdf"[..])
    );
    let bytes = answer.bytes().await.unwrap().to_vec();
    assert!(bytes.starts_with(b"%PDF-1.7"));
    bytes
}

/// The Factur-X file within a PDF: of all its streams the one that is an invoice, read to its end.
fn xml_in(pdf: &[u8]) -> String {
    let find = |from: usize, needle: &[u8]| {
        pdf[from..].windows(needle.len()).position(|window| window == needle).map(|at| from + at)
    };
    let mut at = 0;
    while let Some(start) = find(at, b"stream\n") {
        at = start + 7;
        let mut text = String::new();
        let read = flate2::read::ZlibDecoder::new(&pdf[at..]).read_to_string(&mut text);
        if read.is_ok() && text.contains("<rsm:CrossIndustryInvoice") {
            let mut reader = quick_xml::Reader::from_str(&text);
            while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
            return text;
        }
    }
    panic!("no Factur-X in the file");
}

fn until(app: &TestApp, moment: DateTime<Utc>) {
    app.app.clock().advance((moment - app.app.now()).to_std().unwrap());
}

fn days(app: &TestApp, days: u64) {
    app.app.clock().advance(std::time::Duration::from_secs(days * 24 * 3_600));
}
