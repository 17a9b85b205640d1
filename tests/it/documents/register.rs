//! The police register: it grows, and shows whatever else is done to it.

use keroxio_test_support::{Actor, TestApp};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{ENTER, arrival, car, days, file, garage, site};

const EXIT: &str = "mutation($s: UUID!, $i: RegisterExitInput!) { recordRegisterExit(siteId: $s, input: $i) { number event arrival } }";
const CORRECT: &str = "mutation($s: UUID!, $n: Int!) { correctRegister(siteId: $s, number: $n, reason: \"Faute de frappe\", text: \"Lire 84 211 km\") { number corrected } }";
const CHECK: &str = "query($s: UUID!) { registerCheck(siteId: $s) { isWhole entries brokenNumber fault lastHash } }";
const LIST: &str = "query($s: UUID!, $f: NaiveDate, $n: Int, $a: String) { register(siteId: $s, from: $f, first: $n, after: $a) {
    pageInfo { hasNextPage endCursor } nodes { number event on priceCents means previousHash hash object { vin plate } party { name documentNumber } } } }";
const PRINT: &str = "query($s: UUID!, $f: NaiveDate!, $t: NaiveDate!) { registerPdfUrl(siteId: $s, from: $f, to: $t) }";

async fn enter(garage: &Actor, site: &str, vin: &str) -> String {
    let vehicle = car(garage, vin).await;
    garage.run(ENTER, json!({ "s": site, "i": arrival(&vehicle) })).await.at("/enterRegister/number");
    vehicle
}

fn exit(arrival: i64) -> Value {
    let to = json!({ "name": "Hélène Lefèvre", "address": "8 rue des Œillets, 73000 Chambéry" });
    json!({ "arrival": arrival, "to": to, "priceCents": 1_799_000, "means": "FINANCING" })
}

async fn check(garage: &Actor, site: &str) -> Value {
    garage.run(CHECK, json!({ "s": site })).await.at("/registerCheck").clone()
}

#[tokio::test]
async fn cars_come_go_and_are_corrected_without_anything_being_changed() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let stranger = self::garage(&app, "martin").await;
    let (grenoble, lyon) = (site(&garage, "Grenoble").await, site(&garage, "Lyon").await);
    assert_eq!(check(&garage, &grenoble).await["entries"], 0);
    let vehicle = enter(&garage, &grenoble, "VF3LCYHZRLS012345").await;
    enter(&garage, &lyon, "VF3LCYHZRLS012346").await;
    garage.run(EXIT, json!({ "s": grenoble, "i": exit(1) })).await.at("/recordRegisterExit/number");
    assert_eq!(garage.run(EXIT, json!({ "s": grenoble, "i": exit(1) })).await.code(), "REGISTER_EXIT_RECORDED");
    assert_eq!(garage.run(EXIT, json!({ "s": grenoble, "i": exit(2) })).await.code(), "NOT_FOUND", "no arrival");
    let corrected = garage.run(CORRECT, json!({ "s": grenoble, "n": 1 })).await;
    assert_eq!(*corrected.at("/correctRegister"), json!({ "number": 3, "corrected": 1 }));

    let mut bare = arrival(&vehicle);
    bare["from"] = json!({ "name": "", "address": "x" });
    bare["means"] = Value::Null;
    let refused = garage.run(ENTER, json!({ "s": grenoble, "i": bare })).await;
    assert_eq!(refused.code(), "DOCUMENT_INVALID");
    let faults = refused.0.pointer("/errors/0/extensions/details/faults").unwrap().as_array().unwrap();
    let fields: Vec<_> = faults.iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["from.name", "from.document", "means"]);

    let page = garage.run(LIST, json!({ "s": grenoble, "n": 2 })).await.at("/register").clone();
    assert_eq!((&page["nodes"][0]["event"], &page["pageInfo"]["hasNextPage"]), (&json!("CORRECTION"), &json!(true)));
    let rest = garage.run(LIST, json!({ "s": grenoble, "n": 20, "a": page["pageInfo"]["endCursor"] })).await;
    let first = rest.at("/register/nodes/0");
    assert_eq!((&first["number"], &first["object"]["plate"]), (&json!(1), &json!("GB-482-KT")));
    assert_eq!(first["party"], json!({ "name": "Paul Durand", "documentNumber": "X4RTBPFW4" }));
    assert_eq!(first["previousHash"], "0".repeat(64));
    assert_eq!(page["nodes"][1]["previousHash"], first["hash"]);
    let whole = check(&garage, &grenoble).await;
    let expected = json!({ "isWhole": true, "entries": 3, "brokenNumber": null, "fault": null, "lastHash": page["nodes"][0]["hash"] });
    assert_eq!(whole, expected);

    let today = app.app.now().date_naive();
    let print = json!({ "s": grenoble, "f": today - chrono::Days::new(1), "t": today + chrono::Days::new(1) });
    let url = garage.run(PRINT, print.clone()).await.text("/registerPdfUrl");
    assert!(file(&app, &url).await.len() > 1_000);
    for query in [LIST, CHECK] {
        assert_eq!(stranger.run(query, json!({ "s": grenoble, "n": 20 })).await.code(), "NOT_FOUND");
    }
    assert_eq!(stranger.run(PRINT, print).await.code(), "NOT_FOUND");
    assert_eq!(stranger.run(CORRECT, json!({ "s": grenoble, "n": 1 })).await.code(), "NOT_FOUND");

    // A register outlives its site.
    garage.run("mutation($s: UUID!) { removeSite(id: $s) }", json!({ "s": grenoble })).await.at("/removeSite");
    assert_eq!(check(&garage, &grenoble).await, expected);
    // The print of the days after has nothing before it to begin with, and continues all the same.
    days(&app, 3);
    let garage = app.log_in("dupont").await;
    assert_eq!(garage.run(CORRECT, json!({ "s": lyon, "n": 1 })).await.codes(), [""; 0]);
    let later = app.app.now().date_naive();
    let url = garage.run(PRINT, json!({ "s": lyon, "f": later, "t": later })).await.text("/registerPdfUrl");
    file(&app, &url).await;
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn two_registers_at_once_have_each_their_numbers() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let site = site(&garage, "Grenoble").await;
    enter(&garage, &site, "VF3LCYHZRLS012345").await;
    let all = futures_util::future::join_all((0..12).map(|_| garage.run(CORRECT, json!({ "s": site, "n": 1 })))).await;
    let mut numbers: Vec<_> = all.iter().map(|a| a.at("/correctRegister/number").as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=13).collect::<Vec<_>>());
    assert_eq!(check(&garage, &site).await["isWhole"], true);
    app.finish().await;
}

/// Every place of a JSON value, as PostgreSQL names it, with something else in its place.
fn changes(value: &Value, path: &str) -> Vec<(String, Value)> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| changes(value, &format!("{path},{name}"))).collect()
        }
        Value::String(text) => vec![(path.to_owned(), json!(format!("{text} ")))],
        Value::Number(number) => vec![(path.to_owned(), json!(number.as_i64().unwrap() + 1))],
        Value::Null => vec![(path.to_owned(), json!(1)), (path.to_owned(), json!("x"))],
        other => panic!("{other} in an entry"),
    }
}

#[tokio::test]
async fn whatever_is_done_to_the_rows_is_seen() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let site = site(&garage, "Grenoble").await;
    enter(&garage, &site, "VF3LCYHZRLS012345").await;
    garage.run(EXIT, json!({ "s": site, "i": exit(1) })).await.at("/recordRegisterExit/number");
    garage.run(CORRECT, json!({ "s": site, "n": 1 })).await.at("/correctRegister/number");
    enter(&garage, &site, "VF3LCYHZRLS012346").await;
    let today = app.app.now().date_naive();
    let print = json!({ "s": site, "f": today - chrono::Days::new(1), "t": today + chrono::Days::new(1) });
    let url = garage.run(PRINT, print).await.text("/registerPdfUrl");
    for sql in [
        "UPDATE documents_register SET hash = previous",
        "DELETE FROM documents_register",
        "TRUNCATE documents_register",
        "UPDATE documents_register_heads SET last_hash = site_name",
        "DELETE FROM documents_register_heads",
    ] {
        let refused = app.refused(sql).await;
        assert!(refused.contains("only added") || refused.contains("only grows"), "{sql}: {refused}");
    }

    // From here on somebody who owns the database.
    app.execute("ALTER TABLE documents_register DISABLE TRIGGER USER").await;
    app.execute("CREATE TABLE kept AS SELECT * FROM documents_register").await;
    let mut tampered = Vec::new();
    for (number, text) in (1_i64..).zip(app.texts("SELECT entry::text AS text FROM kept ORDER BY number").await) {
        for (path, value) in changes(&serde_json::from_str(&text).unwrap(), "") {
            let path = path.trim_start_matches(',').to_owned();
            let set = format!("entry = jsonb_set(entry, '{{{path}}}', '{value}')");
            tampered.push((number, format!("UPDATE documents_register SET {set} WHERE number = {number}")));
        }
        for set in [
            "hash = overlay(hash placing 'abc' from 1)",
            "previous = repeat('0', 63) || '1'",
            "version = 2",
            "number = 50",
            "recorded_at = recorded_at + interval '1 minute'",
        ] {
            tampered.push((number, format!("UPDATE documents_register SET {set} WHERE number = {number}")));
        }
        tampered.push((number, format!("DELETE FROM documents_register WHERE number = {number}")));
    }
    tampered.push((3, "DELETE FROM documents_register WHERE number > 2".to_owned()));
    tampered.push((1, "DELETE FROM documents_register".to_owned()));
    assert!(tampered.len() > 60, "{}", tampered.len());
    for (number, sql) in &tampered {
        app.execute(sql).await;
        let found = check(&garage, &site).await;
        assert_eq!((&found["isWhole"], &found["brokenNumber"]), (&json!(false), &json!(number)), "{sql}: {found}");
        app.execute("DELETE FROM documents_register").await;
        app.execute("INSERT INTO documents_register SELECT * FROM kept").await;
    }
    assert_eq!(check(&garage, &site).await["isWhole"], true);

    app.execute("UPDATE documents_register SET entry = jsonb_set(entry, '{event,reason}', '\"x\"') WHERE number = 3")
        .await;
    let path = &url[url.find("/registers/").unwrap()..];
    assert_eq!(
        app.anonymous().page(path).await.status(),
        StatusCode::CONFLICT,
        "it is not printed as if it were whole"
    );
    app.finish().await;
}
