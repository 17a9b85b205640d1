//! The text of an ad: its versions, and what a language model may make of it.

use std::sync::Arc;
use std::time::Duration;

use keroxio_plugin_sdk::{Draft, RewriteError};
use keroxio_test_support::{Actor, Answer, FakeRewriter, Setup, TestApp, fixture};
use serde_json::{Value, json};

const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
const EDIT: &str = "mutation($l: UUID!, $t: String, $b: String) { editListing(id: $l, title: $t, body: $b) { id } }";
const CORRECT: &str = "mutation($l: UUID!, $v: VehicleInput!) { correctListing(id: $l, vehicle: $v) { id } }";
const REWRITE: &str = "mutation($l: UUID!) { rewriteListing(id: $l) { rewriting { state } } }";
const RESTORE: &str = "mutation($l: UUID!, $v: Int!) { restoreListingText(id: $l, version: $v) { body } }";
const TEXTS: &str = "query($l: UUID!) { listing(id: $l) { state title body
  texts { version title body origin restoredFrom model }
  rewriting { state errorCode endedAt objections { kind text } } } }";

async fn prepared(app: &TestApp, garage: &Actor) -> String {
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let vehicle = json!({ "make": "Renault", "model": "Clio", "version": "TCe 90", "firstRegistration": "2018-03",
        "mileageKm": 45_000 });
    let made = garage.run(PREPARE, json!({ "i": { "photoIds": [photo], "vehicle": vehicle } })).await;
    let listing = made.text("/prepareListing/id");
    app.run_jobs().await;
    listing
}

async fn texts(garage: &Actor, listing: &str) -> Answer {
    garage.run(TEXTS, json!({ "l": listing })).await
}

fn origins(answer: &Answer) -> Vec<Value> {
    answer.at("/listing/texts").as_array().unwrap().iter().map(|text| text["origin"].clone()).collect()
}

#[tokio::test]
async fn every_text_is_kept_compared_and_brought_back() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let listing = prepared(&app, &garage).await;
    let first = texts(&garage, &listing).await.text("/listing/body");
    let own = json!({ "l": listing, "t": "Ma Clio", "b": format!("{first} Pneus neufs.") });
    garage.run(EDIT, own.clone()).await.at("/editListing");
    garage.run(EDIT, own).await.at("/editListing");
    app.run_jobs().await;
    let answer = texts(&garage, &listing).await;
    assert_eq!(origins(&answer), ["SELLER", "FACTS"], "the same text twice is one version");
    assert_eq!(answer.at("/listing/texts/0/title"), "Ma Clio");

    let diff = "query($l: UUID!, $to: Int!) { listing(id: $l) { textDiff(from: 1, to: $to) {
      title { kind text } body { kind text } } } }";
    let changes = garage.run(diff, json!({ "l": listing, "to": 2 })).await;
    let body = changes.at("/listing/textDiff/body").as_array().unwrap();
    let side = |gone: &str| -> String {
        body.iter().filter(|part| part["kind"] != gone).map(|part| part["text"].as_str().unwrap()).collect()
    };
    assert_eq!((side("ADDED"), side("REMOVED")), (first.clone(), format!("{first} Pneus neufs.")));
    assert_eq!(garage.run(diff, json!({ "l": listing, "to": 9 })).await.code(), "NOT_FOUND");

    let back = garage.run(RESTORE, json!({ "l": listing, "v": 1 })).await;
    assert_eq!(back.at("/restoreListingText/body"), first.as_str());
    app.run_jobs().await;
    let answer = texts(&garage, &listing).await;
    assert_eq!(origins(&answer), ["RESTORED", "SELLER", "FACTS"]);
    assert_eq!(answer.at("/listing/texts/0/restoredFrom"), 1);
    assert_eq!(answer.at("/listing/state"), "READY");
    garage.run(CORRECT, json!({ "l": listing, "v": { "mileageKm": 46_000 } })).await.at("/correctListing");
    app.run_jobs().await;
    let answer = texts(&garage, &listing).await;
    assert_eq!(answer.at("/listing/body"), first.as_str(), "what was brought back is not overwritten");
    assert_eq!(garage.run(RESTORE, json!({ "l": listing, "v": 4 })).await.code(), "NOT_FOUND");
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(RESTORE, json!({ "l": listing, "v": 1 })).await.code(), "NOT_FOUND");
    assert_eq!(garage.run(REWRITE, json!({ "l": listing })).await.code(), "REWRITER_NOT_CONFIGURED");
    app.finish().await;
}

/// The facts in other words.
#[allow(clippy::unnecessary_wraps)]
fn honest(draft: &Draft) -> Result<String, RewriteError> {
    let said: Vec<String> = draft.keep.iter().map(|words| format!("Voici : {words}.")).collect();
    Ok(format!("Bonjour et bienvenue ! {}", said.join(" ")))
}

fn boasting(draft: &Draft) -> Result<String, RewriteError> {
    honest(draft).map(|text| format!("{text} Première main, climatisation, 3 clés."))
}

fn silent(_: &Draft) -> Result<String, RewriteError> {
    Err(RewriteError::Failed("503".to_owned()))
}

fn refusing(_: &Draft) -> Result<String, RewriteError> {
    Err(RewriteError::Refused("401".to_owned()))
}

#[tokio::test]
async fn a_language_model_is_believed_only_where_every_word_is_proved() {
    let model = Arc::new(FakeRewriter::answering(&[boasting, honest, boasting]));
    let app = Setup::default().rewriter(model.clone()).start().await;
    let garage = app.garage("dupont").await;
    let listing = prepared(&app, &garage).await;
    let ours = texts(&garage, &listing).await.text("/listing/body");
    let asked = garage.run(REWRITE, json!({ "l": listing })).await;
    assert_eq!(asked.at("/rewriteListing/rewriting/state"), "RUNNING");
    app.run_jobs().await;
    let answer = texts(&garage, &listing).await;
    assert!(answer.text("/listing/body").starts_with("Bonjour et bienvenue"), "the second attempt passes");
    assert!(answer.text("/listing/body").contains("45\u{202f}000\u{a0}km (non garanti)"), "{answer:?}");
    assert_eq!(origins(&answer), ["REWRITTEN", "FACTS"]);
    assert_eq!(answer.at("/listing/rewriting/state"), "DONE");
    assert_eq!(answer.at("/listing/state"), "READY");
    let packs = garage.run("query($l: UUID!) { publications(listingId: $l) { body } }", json!({ "l": listing })).await;
    assert!(packs.text("/publications/0/body").starts_with("Bonjour et bienvenue"), "the portals get it too");
    {
        let drafts = model.drafts.lock().unwrap();
        assert_eq!((drafts.len(), drafts[0].wrong.len(), drafts[0].body.as_str()), (2, 0, ours.as_str()));
        assert!(drafts[1].wrong.iter().any(|wrong| wrong.contains("climatisation")), "{:?}", drafts[1].wrong);
    }

    garage.run(REWRITE, json!({ "l": listing })).await.at("/rewriteListing");
    app.run_jobs().await;
    let answer = texts(&garage, &listing).await;
    assert_eq!(answer.at("/listing/rewriting/state"), "REFUSED");
    assert_eq!(answer.at("/listing/rewriting/errorCode"), "TEXT_REFUSED");
    let objections = answer.at("/listing/rewriting/objections").as_array().unwrap();
    assert!(objections.contains(&json!({ "kind": "CLAIM", "text": "climatisation" })), "{objections:?}");
    assert!(objections.contains(&json!({ "kind": "NUMBER", "text": "3" })), "{objections:?}");
    assert_eq!(origins(&answer), ["REWRITTEN", "FACTS"], "what does not pass is not kept");

    garage.run(CORRECT, json!({ "l": listing, "v": { "mileageKm": 52_000 } })).await.at("/correctListing");
    app.run_jobs().await;
    let answer = texts(&garage, &listing).await;
    assert!(answer.text("/listing/body").contains("52\u{202f}000\u{a0}km"), "new facts are written anew");
    assert_eq!(origins(&answer), ["FACTS", "REWRITTEN", "FACTS"]);
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(REWRITE, json!({ "l": listing })).await.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn without_an_answer_our_own_text_stands() {
    for way in [silent as fn(&Draft) -> _, refusing] {
        let app = Setup::default().rewriter(Arc::new(FakeRewriter::answering(&[way]))).start().await;
        let garage = app.garage("dupont").await;
        let listing = prepared(&app, &garage).await;
        let before = texts(&garage, &listing).await.text("/listing/body");
        garage.run(REWRITE, json!({ "l": listing })).await.at("/rewriteListing");
        for _ in 0..4 {
            app.run_jobs().await;
            app.app.clock().advance(Duration::from_secs(90));
        }
        let answer = texts(&garage, &listing).await;
        assert_eq!(answer.text("/listing/body"), before);
        assert_eq!(answer.at("/listing/rewriting/state"), "FAILED");
        assert_eq!(answer.at("/listing/rewriting/errorCode"), "REWRITER_FAILED");
    }
}

#[tokio::test]
async fn a_garage_that_gets_its_company_number_later_has_it_in_its_ads() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let listing = prepared(&app, &garage).await;
    assert!(!texts(&garage, &listing).await.text("/listing/body").contains("SIREN"));
    garage
        .run("mutation { updateOrganization(siren: \"732829320\") { id } }", json!({}))
        .await
        .at("/updateOrganization");
    app.run_jobs().await;
    let body = texts(&garage, &listing).await.text("/listing/body");
    assert!(body.contains("SIREN 732\u{a0}829\u{a0}320"), "{body}");
    app.finish().await;
}
