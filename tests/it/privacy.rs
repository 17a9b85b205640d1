//! No address that anybody may open shows a plate, whatever of the schema is asked.

use std::collections::BTreeSet;

use diesel_async::RunQueryDsl as _;
use image::{ImageFormat, Rgb, RgbImage};
use keroxio_test_support::{Actor, FakePlates, TestApp};
use serde_json::{Value, json};

/// Selections are as deep as an integrator would write them.
const DEPTH: usize = 4;
const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
const COVER: &str = "mutation($c: PlateCover!) { setPhotoPreset(input: { plateCover: $c }) { plateCover } }";
const CLEAN: &str = "mutation($p: UUID!, $s: PhotoScene) { cleanPhoto(photoId: $p, scene: $s) { id } }";

/// Every field of the schema that gives an address, and who may open it. A new one without a decision fails.
const ADDRESSES: [(&str, &str); 20] = [
    ("BillingInvoice.hostedUrl", "its owner: a page of Stripe's"),
    ("BillingInvoice.pdfUrl", "its owner: a file of Stripe's"),
    ("BillingPage.url", "whoever asked: a page of Stripe's"),
    ("DataExport.url", "its owners, for an hour"),
    ("HistovecReport.url", "its owner: the Ministry's page of the report, which buyers are given"),
    ("LeadMail.url", "its owner, for an hour: a message as it came"),
    ("ListingPage.url", "anybody: a page with renditions only"),
    ("Paper.pdfUrl", "its owner, for an hour: a paper as it was issued"),
    ("Photo.url", "its owner, for an hour"),
    ("PhotoArchive.url", "its owner, for an hour: renditions only"),
    ("PhotoRendition.url", "anybody"),
    ("PhotoVariant.url", "anybody"),
    ("Publication.adUrl", "anybody: a page of a portal"),
    ("Publication.url", "anybody: a page of a portal"),
    ("Query.registerPdfUrl", "its owner, for an hour: the police register"),
    ("SecondFactorSetup.url", "whoever turns it on: for their application"),
    ("StockExport.url", "its owner, for an hour"),
    ("StockFeed.url", "a multi-publisher who was given it: renditions only"),
    ("Webhook.url", "its owner: their own"),
    ("__Type.specifiedByURL", "anybody: a specification"),
];

/// A photo whose plate, where the stand-in sees it, has colours that nothing else has.
fn photo() -> Vec<u8> {
    photo_with(|x| if (x / 3).is_multiple_of(2) { [255, 0, 255] } else { [0, 255, 0] })
}

/// A photo with a plate of these colours, by column.
fn photo_with(plate: impl Fn(u32) -> [u8; 3]) -> Vec<u8> {
    let on_plate = |x: u32, y: u32| (200..300).contains(&x) && (200..230).contains(&y);
    let picture = RgbImage::from_fn(640, 480, |x, y| match on_plate(x, y) {
        true => Rgb(plate(x)),
        false => Rgb([(90 + x / 8) as u8; 3]),
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn shows_the_plate(bytes: &[u8]) -> bool {
    let picture = image::load_from_memory(bytes).unwrap().into_rgb8();
    let is_of_plate = |p: &Rgb<u8>| p.0[1].abs_diff(p.0[0]) > 110 || p.0[1].abs_diff(p.0[2]) > 110;
    picture.pixels().filter(|p| is_of_plate(p)).count() > 20
}

/// The schema as introspection tells it.
struct Schema(Value);

impl Schema {
    async fn of(actor: &Actor) -> Self {
        const TYPE: &str = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
        let query = format!(
            "{{ __schema {{ types {{ kind name fields {{ name type {{ {TYPE} }} args {{ name type {{ {TYPE} }} }} }} }} }} }}"
        );
        Self(actor.run(&query, json!({})).await.at("/__schema/types").clone())
    }

    fn fields(&self, name: &str) -> impl Iterator<Item = &Value> {
        let found = self.0.as_array().unwrap().iter().find(|ty| ty["name"] == name);
        found.and_then(|ty| ty["fields"].as_array()).into_iter().flatten()
    }

    /// All that can be selected of a type without arguments; none of a type without such fields.
    fn selection(&self, name: &str, depth: usize) -> Option<String> {
        let mut selected = Vec::new();
        for field in self.fields(name).filter(|field| !needs_arguments(field)) {
            let (kind, ty, own) = (
                innermost(&field["type"])["kind"].as_str().unwrap(),
                type_name(field),
                field["name"].as_str().unwrap(),
            );
            match kind {
                // The nodes beside them are the same.
                "OBJECT" if own == "edges" => {}
                "OBJECT" if depth > 0 => {
                    selected.extend(self.selection(ty, depth - 1).map(|inner| format!("{own}{} {inner}", page(field))))
                }
                "OBJECT" | "INTERFACE" | "UNION" => {}
                _ => selected.push(own.to_owned()),
            }
        }
        (!selected.is_empty()).then(|| format!("{{ {} }}", selected.join(" ")))
    }

    /// Every question that can be asked with these ids.
    fn questions(&self, ids: &BTreeSet<String>) -> Vec<(String, Value)> {
        let mut questions = Vec::new();
        for field in self.fields("Query") {
            let own = field["name"].as_str().unwrap();
            let selection = self.selection(type_name(field), DEPTH).unwrap_or_default();
            let required: Vec<&Value> = arguments(field).filter(|arg| is_required(arg)).collect();
            match required[..] {
                [] => questions.push((format!("{{ {own}{} {selection} }}", page(field)), json!({}))),
                [arg] if type_name(arg) == "UUID" => {
                    let is_list = arg["type"]["ofType"]["kind"] == "LIST";
                    let (ty, name) = (if is_list { "[UUID!]!" } else { "UUID!" }, arg["name"].as_str().unwrap());
                    let query = format!("query($v: {ty}) {{ {own}({name}: $v) {selection} }}");
                    let value = |id: &String| if is_list { json!({ "v": [id] }) } else { json!({ "v": id }) };
                    questions.extend(ids.iter().map(|id| (query.clone(), value(id))));
                }
                // Search and estimates: what they answer is reached through the types all the same.
                _ => {}
            }
        }
        questions
    }
}

fn arguments(field: &Value) -> impl Iterator<Item = &Value> {
    field["args"].as_array().into_iter().flatten()
}

fn is_required(arg: &Value) -> bool {
    arg["type"]["kind"] == "NON_NULL"
}

/// A short page of a connection: whole ones would be refused for their cost.
fn page(field: &Value) -> &'static str {
    if arguments(field).any(|arg| arg["name"] == "first") { "(first: 2)" } else { "" }
}

fn needs_arguments(field: &Value) -> bool {
    arguments(field).any(is_required)
}

fn innermost(ty: &Value) -> &Value {
    if ty["ofType"].is_object() { innermost(&ty["ofType"]) } else { ty }
}

fn type_name(of: &Value) -> &str {
    innermost(&of["type"])["name"].as_str().unwrap()
}

/// Ids and addresses anywhere in an answer.
fn collect(value: &Value, ids: &mut BTreeSet<String>, addresses: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("http") => drop(addresses.insert(text.clone())),
        Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => drop(ids.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids, addresses)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, ids, addresses)),
        _ => {}
    }
}

/// Asks everything there is to ask, with every id that turns up, and answers the addresses of public files.
async fn public_addresses(garage: &Actor, schema: &Schema, known: &[&str]) -> BTreeSet<String> {
    let mut ids: BTreeSet<String> = known.iter().map(|id| (*id).to_owned()).collect();
    let (mut asked, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let fresh = schema.questions(&ids);
        let fresh: Vec<_> = fresh.into_iter().filter(|(q, v)| asked.insert(format!("{q}{v}"))).collect();
        if fresh.is_empty() {
            break;
        }
        for (query, variables) in fresh {
            let answer = garage.run(&query, variables).await;
            let codes: Vec<&str> = answer.codes();
            assert!(
                codes.iter().all(|code| ["NOT_FOUND", "FORBIDDEN", "BAD_INPUT"].contains(code)),
                "{query}: {codes:?}"
            );
            collect(answer.data(), &mut ids, &mut addresses);
        }
    }
    assert!(asked.len() > 20, "only {} questions were found", asked.len());
    addresses.into_iter().filter(|address| !address.contains("/files/")).collect()
}

#[tokio::test]
async fn every_address_in_the_schema_is_decided_on() {
    let app = TestApp::start().await;
    let schema = Schema::of(&app.garage("dupont").await).await;
    let mut found = Vec::new();
    for ty in schema.0.as_array().unwrap().iter().filter(|ty| ty["kind"] == "OBJECT") {
        let owner = ty["name"].as_str().unwrap();
        for field in schema.fields(owner) {
            let own = field["name"].as_str().unwrap();
            let is_address = own.to_lowercase().ends_with("url") || own.to_lowercase().ends_with("urls");
            if is_address && type_name(field) == "String" {
                found.push(format!("{owner}.{own}"));
            }
        }
    }
    found.sort();
    assert_eq!(found, ADDRESSES.map(|(field, _)| field));
    app.finish().await;
}

#[tokio::test]
async fn nothing_is_public_before_plates_and_faces_were_looked_for() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let schema = Schema::of(&garage).await;
    let photo = garage.upload(photo()).await.text("/uploadPhoto/id");
    assert_eq!(public_addresses(&garage, &schema, &[&photo]).await, BTreeSet::new(), "uploaded");
    let listing = garage.run(PREPARE, json!({ "i": { "photoIds": [photo], "vehicle": {} } })).await;
    let listing = listing.text("/prepareListing/id");
    assert_eq!(public_addresses(&garage, &schema, &[&photo, &listing]).await, BTreeSet::new(), "waiting");

    app.run_jobs().await;
    let shown = public_addresses(&garage, &schema, &[&photo, &listing]).await;
    assert!(shown.len() >= 2, "the renditions: {shown:?}");
    for address in &shown {
        let answer = app.anonymous().get(address).await;
        assert_eq!(answer.status(), 200, "{address}");
        if answer.headers()["content-type"] != "image/avif" {
            assert!(!shows_the_plate(&answer.bytes().await.unwrap()), "{address}");
        }
    }
    let own = garage.run("query($p: UUID!) { photo(id: $p) { url } }", json!({ "p": photo })).await.text("/photo/url");
    let original = garage.get(&own).await.bytes().await.unwrap();
    assert!(shows_the_plate(&original), "the test sees plates");
    app.finish().await;
}

#[tokio::test]
async fn a_photo_whose_plate_cannot_be_hidden_stays_private() {
    let app = TestApp::with(FakePlates::seeing_through_covers()).await;
    let garage = app.garage("dupont").await;
    let schema = Schema::of(&garage).await;
    let photo = garage.upload(photo()).await.text("/uploadPhoto/id");
    let cleaning = garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id");
    app.run_jobs().await;
    assert_eq!(public_addresses(&garage, &schema, &[&photo, &cleaning]).await, BTreeSet::new());
    app.finish().await;
}

#[tokio::test]
async fn a_rendition_that_was_replaced_is_no_longer_open_to_anybody() {
    const SHOWN: &str = "query($id: UUID!) { photoCleaning(id: $id) { cleaned { url variants { url } } } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(photo()).await.text("/uploadPhoto/id");
    let id = garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id");
    app.run_jobs().await;
    let before = garage.run(SHOWN, json!({ "id": id })).await;
    let (mut ids, mut open) = (BTreeSet::new(), BTreeSet::new());
    collect(before.data(), &mut ids, &mut open);
    assert!(open.len() > 1, "the picture and its lighter files: {open:?}");
    garage.run(CLEAN, json!({ "p": photo, "s": "STUDIO_BLACK" })).await.text("/cleanPhoto/id");
    app.run_jobs().await;
    let after = garage.run(SHOWN, json!({ "id": id })).await.text("/photoCleaning/cleaned/url");
    let anybody = app.anonymous();
    for address in &open {
        assert_eq!(anybody.get(address).await.status(), 404, "{address}");
    }
    assert_eq!(anybody.get(&after).await.status(), 200);
    assert_eq!(anybody.get(&format!("{after}0")).await.status(), 404, "another key");
    app.finish().await;
}

/// Photos of cars that differ in their plates only have one and the same masked picture.
#[tokio::test]
async fn a_picture_that_two_photos_share_stays_open_until_neither_shows_it() {
    const SHOWN: &str = "query($id: UUID!) { photoCleaning(id: $id) { masked { id url } } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    garage.run(COVER, json!({ "c": "SOLID" })).await.at("/setPhotoPreset");
    let mut cleanings = Vec::new();
    for colour in [[255, 0, 255], [0, 255, 255]] {
        let photo = garage.upload(photo_with(|_| colour)).await.text("/uploadPhoto/id");
        cleanings.push((garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id"), photo));
    }
    app.run_jobs().await;
    let first = garage.run(SHOWN, json!({ "id": cleanings[0].0 })).await;
    let second = garage.run(SHOWN, json!({ "id": cleanings[1].0 })).await;
    assert_eq!(first.text("/photoCleaning/masked/id"), second.text("/photoCleaning/masked/id"));
    let (address, anybody) = (first.text("/photoCleaning/masked/url"), app.anonymous());
    garage.run(COVER, json!({ "c": "BLUR" })).await.at("/setPhotoPreset");
    for ((_, photo), status) in cleanings.iter().zip([200, 404]) {
        garage.run(CLEAN, json!({ "p": photo })).await.at("/cleanPhoto");
        app.run_jobs().await;
        assert_eq!(anybody.get(&address).await.status(), status);
    }
    app.finish().await;
}

/// A rendition of a version that decided nothing is drawn again as soon as its photo is asked for.
#[tokio::test]
async fn a_rendition_from_before_decisions_is_drawn_again() {
    const SHOWN: &str = "query($id: UUID!) { photoCleaning(id: $id) { cleaned { url } } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(photo()).await.text("/uploadPhoto/id");
    let id = garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id");
    app.run_jobs().await;
    let mut conn = app.app.conn().await.unwrap();
    let before = "UPDATE storage_objects SET public_key = NULL, masking = NULL";
    diesel::sql_query(before).execute(&mut conn).await.unwrap();
    drop(conn);
    let shown = garage.run(SHOWN, json!({ "id": id })).await;
    assert_eq!(shown.at("/photoCleaning/cleaned/url"), &Value::Null);
    garage.run(CLEAN, json!({ "p": photo })).await.at("/cleanPhoto");
    assert!(app.run_jobs().await > 0);
    let url = garage.run(SHOWN, json!({ "id": id })).await.text("/photoCleaning/cleaned/url");
    assert_eq!(app.anonymous().get(&url).await.status(), 200);
    garage.run(CLEAN, json!({ "p": photo })).await.at("/cleanPhoto");
    assert_eq!(app.run_jobs().await, 0, "and only once");
    app.finish().await;
}

#[tokio::test]
async fn the_database_refuses_a_public_file_without_a_decision() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    garage.upload(photo()).await.text("/uploadPhoto/id");
    let mut conn = app.app.conn().await.unwrap();
    for change in ["public_key = 'abc'", "public_key = 'abc', masking = '{}'", "masking = '{\"cleaning_id\": 1}'"] {
        let statement = format!("UPDATE storage_objects SET {change}");
        let refused = diesel::sql_query(statement).execute(&mut conn).await;
        assert!(refused.is_err(), "{change}");
    }
    drop(conn);
    app.finish().await;
}
