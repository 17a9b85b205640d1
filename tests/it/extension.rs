//! Somebody else's module: one dependency, and one name in the list.

use keroxio_test_support::Setup;
use serde_json::json;

mod theirs {
    use {keroxio_auth as auth, keroxio_email as email, keroxio_fixture_module as fixture};

    keroxio_schema::compose![email, auth, fixture];
}

const WRITE: &str = "mutation($body: String!) { writeFixtureNote(body: $body) { id signature } }";
const NOTES: &str = "{ fixtureNotes { body signature } }";
const SIGNED: &str = "subscription { fixtureNotesSigned { body signature } }";

#[tokio::test]
async fn a_module_from_outside_brings_everything_ours_do() {
    let setup = Setup::default().set("FIXTURE_SIGNATURE", "the notary");
    let app = setup.start_composed(theirs::MODULES, theirs::build).await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    assert_eq!(app.anonymous().get("/fixture").await.text().await.unwrap(), "a route of the fixture module");
    assert_eq!(app.anonymous().run(NOTES, json!({})).await.code(), "UNAUTHENTICATED");

    let mut signed = garage.subscribe(SIGNED, json!({})).await;
    assert_eq!(signed.next().await.unwrap().at("/fixtureNotesSigned"), &json!([]));
    let note = garage.run(WRITE, json!({ "body": "hello" })).await;
    assert!(note.at("/writeFixtureNote/signature").is_null());
    let worker = app.start_worker();
    let expected = json!([{ "body": "hello", "signature": "the notary" }]);
    assert_eq!(signed.next().await.unwrap().at("/fixtureNotesSigned"), &expected);
    assert_eq!(garage.run(NOTES, json!({})).await.at("/fixtureNotes"), &expected);
    assert_eq!(stranger.run(NOTES, json!({})).await.at("/fixtureNotes"), &json!([]));
    worker.stop().await;
    app.finish().await;
}

#[tokio::test]
#[should_panic(expected = "FIXTURE_SIGNATURE")]
async fn its_missing_setting_is_reported_like_ours() {
    Setup::default().start_composed(theirs::MODULES, theirs::build).await;
}
