//! From an ad that is ready to one that is online, and away again.

use std::time::Duration;

use keroxio_core::relay;
use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::{Value, json};

const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
const JUDGE: &str =
    "query($l: UUID!, $c: String!, $d: NaiveDate) { publishability(listingId: $l, channel: $c, on: $d) {
  publishable findings { code severity article message fix field deadline } } }";
const CORRECT: &str = "mutation($l: UUID!, $v: VehicleInput!) { correctListing(id: $l, vehicle: $v) { id } }";

async fn prepared(app: &TestApp, garage: &Actor, vehicle: Value) -> String {
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let made = garage.run(PREPARE, json!({ "i": { "photoIds": [photo], "vehicle": vehicle } })).await;
    let listing = made.text("/prepareListing/id");
    app.run_jobs().await;
    listing
}

fn clio() -> Value {
    json!({ "make": "Renault", "model": "Clio", "firstRegistration": "2018-03", "mileageKm": 45_000 })
}

async fn judged(garage: &Actor, listing: &str) -> (bool, Vec<String>) {
    let answer = garage.run(JUDGE, json!({ "l": listing, "c": "leboncoin" })).await;
    let findings = answer.at("/publishability/findings").as_array().unwrap();
    let codes = findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    (answer.at("/publishability/publishable").as_bool().unwrap(), codes)
}

#[tokio::test]
async fn a_garage_learns_what_the_law_wants_of_its_ad_and_mends_it() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let listing = prepared(&app, &garage, clio()).await;
    let blocking = ["VERSION_MISSING", "SIREN_MISSING", "CRIT_AIR_MISSING"];
    let (publishable, codes) = judged(&garage, &listing).await;
    assert!(!publishable);
    assert_eq!(codes[..3], blocking);
    assert_eq!(codes[3..], ["INSPECTION_NEEDED"]);
    let own = "mutation($l: UUID!, $b: String!) { editListing(id: $l, body: $b) { id } }";
    let body = "45 000 km (non garanti), vendue en l'état.";
    garage.run(own, json!({ "l": listing, "b": body })).await.at("/editListing");
    app.run_jobs().await;
    assert!(judged(&garage, &listing).await.1.contains(&"GUARANTEE_DENIED".to_owned()));
    let again = "mutation($l: UUID!) { draftListing(id: $l, tone: FRIENDLY) { tone } }";
    assert_eq!(garage.run(again, json!({ "l": listing })).await.at("/draftListing/tone"), "FRIENDLY");
    app.run_jobs().await;
    let shown = garage.run("query($l: UUID!) { listing(id: $l) { body } }", json!({ "l": listing })).await;
    assert!(shown.text("/listing/body").starts_with("Bonjour"), "{}", shown.text("/listing/body"));

    let wrong = garage.run("mutation { updateOrganization(siren: \"732 829 321\") { siren } }", json!({})).await;
    assert_eq!(wrong.code(), "SIREN_INVALID");
    let named = garage.run("mutation { updateOrganization(siren: \"732 829 320\") { siren } }", json!({})).await;
    assert_eq!(named.at("/updateOrganization/siren"), "732829320");
    let today = app.app.now().date_naive();
    let facts = json!({ "version": "TCe 90 Zen", "critAir": "CLASS_1", "technicalInspectionOn": today });
    garage.run(CORRECT, json!({ "l": listing, "v": facts })).await.at("/correctListing");
    app.run_jobs().await;
    assert_eq!(judged(&garage, &listing).await, (true, vec![]), "the text we write says what it must");

    let later = today + chrono::Days::new(170);
    let answer = garage.run(JUDGE, json!({ "l": listing, "c": "leboncoin", "d": later })).await;
    let due = answer.at("/publishability/findings").as_array().unwrap();
    let report = due.iter().find(|finding| finding["code"] == "INSPECTION_NEEDED").unwrap();
    let good_until = today + chrono::Months::new(6);
    assert_eq!(report["deadline"], json!(good_until.to_string()));
    assert!(report["article"].as_str().unwrap().contains("six mois"));

    let elsewhere = garage.run(JUDGE, json!({ "l": listing, "c": "myspace" })).await;
    assert_eq!(elsewhere.code(), "BAD_INPUT");
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(JUDGE, json!({ "l": listing, "c": "leboncoin" })).await.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn a_page_of_our_own_shows_the_ad_until_the_car_is_sold() {
    const OPEN: &str = "mutation($l: UUID!) { openListingPage(listingId: $l) { url open } }";
    const CLOSE: &str = "mutation($l: UUID!) { closeListingPage(listingId: $l) { url open } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let listing = prepared(&app, &garage, clio()).await;
    assert_eq!(garage.run(OPEN, json!({ "l": listing })).await.code(), "NOT_PUBLISHABLE");
    garage
        .run("mutation { updateOrganization(siren: \"732829320\") { id } }", json!({}))
        .await
        .at("/updateOrganization");
    let facts = json!({ "version": "TCe </script><b>", "critAir": "CLASS_1" });
    garage.run(CORRECT, json!({ "l": listing, "v": facts })).await.at("/correctListing");
    app.run_jobs().await;
    let url = garage.run(OPEN, json!({ "l": listing })).await.text("/openListingPage/url");
    let path = &url[url.find("/a/").unwrap()..];
    let anybody = app.anonymous();
    let answer = anybody.page(path).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let html = answer.text().await.unwrap();
    for said in ["<h1>Renault Clio", "45\u{202f}000", "03&#x2f;2018", "non garanti", "SIREN", "og:image"] {
        assert!(html.contains(said), "{said} is missing from\n{html}");
    }
    assert!(!html.contains("<b>"), "what sellers write is text");
    let data = html.split("ld+json\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["@type"], &data["offers"]["price"]), (&json!("Car"), &json!(12_540)));
    assert_eq!(
        (&data["mileageFromOdometer"]["value"], &data["dateVehicleFirstRegistered"]),
        (&json!(45_000), &json!("2018-03"))
    );
    let picture = data["image"][0].as_str().unwrap();
    assert!(picture.contains("/p/"), "a rendition, never the photo: {picture}");
    assert_eq!(anybody.get(picture).await.status(), 200);
    assert!(anybody.page("/sitemap.xml").await.text().await.unwrap().contains(&url));

    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(CLOSE, json!({ "l": listing })).await.code(), "NOT_FOUND");
    let edit = "mutation($l: UUID!, $b: String!) { editListing(id: $l, body: $b) { id } }";
    garage.run(edit, json!({ "l": listing, "b": "Vendue en l'état." })).await.at("/editListing");
    assert_eq!(anybody.page(path).await.status(), 410, "what may not appear does not");
    garage
        .run("mutation($l: UUID!) { draftListing(id: $l) { id } }", json!({ "l": listing }))
        .await
        .at("/draftListing");
    app.run_jobs().await;
    assert_eq!(anybody.page(path).await.status(), 200);
    assert_eq!(garage.run(CLOSE, json!({ "l": listing })).await.at("/closeListingPage/open"), false);
    assert_eq!(anybody.page(path).await.status(), 410);
    assert_eq!(garage.run(OPEN, json!({ "l": listing })).await.text("/openListingPage/url"), url, "the same address");
    garage
        .run("mutation($l: UUID!) { markListingSold(id: $l) { id } }", json!({ "l": listing }))
        .await
        .at("/markListingSold");
    app.run_jobs().await;
    assert_eq!(anybody.page(path).await.status(), 410, "sold");
    assert!(!anybody.page("/sitemap.xml").await.text().await.unwrap().contains(&url));
    assert_eq!(garage.run(OPEN, json!({ "l": listing })).await.code(), "LISTING_SOLD");
    assert_eq!(anybody.page("/a/nothing-here").await.status(), 404);
    app.finish().await;
}

#[tokio::test]
async fn an_ad_is_followed_renewed_and_withdrawn_when_the_car_is_sold() {
    const PACKS: &str = "query($l: UUID!) { publications(listingId: $l) { id platform state task renewOn } }";
    const CONFIRM: &str = "mutation($id: UUID!, $u: String!) { confirmPublication(id: $id, url: $u) { state task } }";
    const SOLD: &str = "mutation($l: UUID!) { markListingSold(id: $l) { soldAt } }";
    const BACK: &str = "mutation($l: UUID!) { cancelSale(id: $l) { soldAt } }";
    const WITHDRAW: &str = "mutation($id: UUID!) { withdrawPublication(id: $id) { state task withdrawnAt } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let listing = prepared(&app, &garage, clio()).await;
    relay::look(&app.app).await.unwrap();
    let packs = garage.run(PACKS, json!({ "l": listing })).await.at("/publications").clone();
    assert!(packs.as_array().unwrap().iter().all(|pack| pack["task"] == "PUBLISH"), "{packs}");
    let pack = packs.as_array().unwrap().iter().find(|pack| pack["platform"] == "leboncoin").unwrap()["id"].clone();
    assert_eq!(garage.run(WITHDRAW, json!({ "id": pack })).await.code(), "NOT_PUBLISHED");
    let url = "https://www.leboncoin.fr/ad/voitures/2718281828";
    garage.run(CONFIRM, json!({ "id": pack, "u": url })).await.at("/confirmPublication");
    assert_eq!(told(&app, &garage, "publication_renew", 29).await, 0);
    assert_eq!(told(&app, &garage, "publication_renew", 2).await, 1, "a month is over");

    let garage = app.log_in("dupont").await;
    garage.run(SOLD, json!({ "l": listing })).await.at("/markListingSold/soldAt");
    assert_eq!(garage.run(SOLD, json!({ "l": listing })).await.code(), "LISTING_SOLD");
    app.run_jobs().await;
    let shown = garage.run(PACKS, json!({ "l": listing })).await.at("/publications").clone();
    let tasks: Vec<&Value> = shown.as_array().unwrap().iter().map(|pack| &pack["task"]).collect();
    assert_eq!(tasks.iter().filter(|task| **task == "WITHDRAW").count(), 1, "where it is online: {shown}");
    assert!(tasks.iter().all(|task| **task != "PUBLISH"), "nobody publishes a sold car: {shown}");
    assert_eq!(told(&app, &garage, "publication_withdraw", 0).await, 1);
    assert_eq!(told(&app, &garage, "publication_withdraw", 3).await, 2, "still online");

    let garage = app.log_in("dupont").await;
    let gone = garage.run(WITHDRAW, json!({ "id": pack })).await;
    assert_eq!(
        (gone.at("/withdrawPublication/state"), gone.at("/withdrawPublication/task")),
        (&json!("WITHDRAWN"), &Value::Null)
    );
    assert_eq!(told(&app, &garage, "publication_withdraw", 3).await, 2, "nothing is left to do");
    let garage = app.log_in("dupont").await;
    assert_eq!(garage.run(BACK, json!({ "l": listing })).await.at("/cancelSale/soldAt"), &Value::Null);
    assert_eq!(garage.run(BACK, json!({ "l": listing })).await.code(), "LISTING_NOT_SOLD");
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(SOLD, json!({ "l": listing })).await.code(), "NOT_FOUND");
    assert_eq!(stranger.run(WITHDRAW, json!({ "id": pack })).await.code(), "NOT_FOUND");
    app.run_jobs().await;
    app.finish().await;
}

/// Lets days go by, with their nightly jobs, and counts the notices of a kind.
async fn told(app: &TestApp, garage: &Actor, kind: &str, days: u64) -> usize {
    app.app.clock().advance(Duration::from_secs(days * 24 * 3_600));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    let garage = if days > 0 { &app.log_in("dupont").await } else { garage };
    let heard = garage.run("{ notifications(first: 50) { nodes { kind } } }", json!({})).await;
    heard.at("/notifications/nodes").as_array().unwrap().iter().filter(|node| node["kind"] == kind).count()
}

#[tokio::test]
async fn an_inspection_to_come_is_no_inspection() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let create = "mutation($i: VehicleInput!) { createVehicle(input: $i) { id } }";
    let tomorrow = app.app.now().date_naive() + chrono::Days::new(1);
    let refused = garage.run(create, json!({ "i": { "technicalInspectionOn": tomorrow } })).await;
    assert_eq!(refused.code(), "BAD_INPUT");
    app.finish().await;
}

const TASKS: &str = "query($o: Boolean!) { saleTasks(open: $o) { id kind dueOn article listing { id } } }";

#[tokio::test]
async fn deadlines_of_the_law_are_tasks_that_follow_the_facts() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let today = app.app.now().date_naive();
    let mut facts = clio();
    facts["technicalInspectionOn"] = json!(today - chrono::Days::new(90));
    let listing = prepared(&app, &garage, facts).await;
    let open = garage.run(TASKS, json!({ "o": true })).await;
    let until = (today - chrono::Days::new(90)) + chrono::Months::new(6);
    assert_eq!(open.at("/saleTasks").as_array().unwrap().len(), 1);
    assert_eq!(
        (open.at("/saleTasks/0/kind"), open.at("/saleTasks/0/dueOn")),
        (&json!("RENEW_INSPECTION"), &json!(until.to_string()))
    );

    relay::look(&app.app).await.unwrap();
    for (days, told) in [(65, 1), (1, 1), (24, 2), (1, 2)] {
        app.app.clock().advance(Duration::from_secs(days * 24 * 3_600));
        relay::look(&app.app).await.unwrap();
        app.run_jobs().await;
        let garage = app.log_in("dupont").await;
        let all = garage.run("{ notifications(first: 50) { nodes { kind } } }", json!({})).await;
        let nodes = all.at("/notifications/nodes").as_array().unwrap().clone();
        assert_eq!(nodes.iter().filter(|node| node["kind"] == "sale_task_due").count(), told, "after {days} days more");
    }
    let garage = app.log_in("dupont").await;
    let fresh = app.app.now().date_naive();
    garage.run(CORRECT, json!({ "l": listing, "v": { "technicalInspectionOn": fresh } })).await.at("/correctListing");
    app.run_jobs().await;
    let open = garage.run(TASKS, json!({ "o": true })).await;
    assert_eq!(open.at("/saleTasks/0/dueOn"), &json!((fresh + chrono::Months::new(6)).to_string()), "a new report");
    assert_eq!(garage.run(TASKS, json!({ "o": false })).await.at("/saleTasks/0/dueOn"), &json!(until.to_string()));

    let sell = "mutation($l: UUID!) { markListingSold(id: $l) { id } }";
    garage.run(sell, json!({ "l": listing })).await.at("/markListingSold");
    app.run_jobs().await;
    let open = garage.run(TASKS, json!({ "o": true })).await;
    let declare = open.at("/saleTasks/0");
    assert_eq!(
        (&declare["kind"], &declare["dueOn"]),
        (&json!("DECLARE_SALE"), &json!((fresh + chrono::Days::new(15)).to_string()))
    );
    assert_eq!(declare["listing"]["id"], json!(listing));
    assert!(declare["article"].as_str().unwrap().contains("R. 322-4"));

    let done = "mutation($t: UUID!) { completeSaleTask(id: $t) { doneBy closedAt } }";
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(done, json!({ "t": declare["id"] })).await.code(), "NOT_FOUND");
    assert!(garage.run(done, json!({ "t": declare["id"] })).await.at("/completeSaleTask/doneBy").is_string());
    app.app.clock().advance(Duration::from_secs(12 * 24 * 3_600));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    let garage = app.log_in("dupont").await;
    assert_eq!(garage.run(TASKS, json!({ "o": true })).await.at("/saleTasks"), &json!([]), "what is done stays done");
    let again = "mutation($t: UUID!) { reopenSaleTask(id: $t) { closedAt } }";
    assert_eq!(garage.run(again, json!({ "t": declare["id"] })).await.at("/reopenSaleTask/closedAt"), &json!(null));
    app.finish().await;
}
