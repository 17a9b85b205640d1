use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::json;

const START: &str = "mutation { startAsGuest { accessToken viewer { email role } } }";
const ASK: &str = "mutation($e: String!) { requestClaim(email: $e) }";
const CLAIM: &str = "mutation($t: String!, $p: String!, $n: String) {
    claimGuest(token: $t, password: $p, organizationName: $n) { accessToken viewer { email emailVerified organization { name } } } }";
const PHOTO: &str = "query($id: UUID!) { photo(id: $id) { id } }";

async fn guest(app: &TestApp) -> Actor {
    let mut guest = app.anonymous();
    let session = guest.run(START, json!({})).await;
    assert!(session.at("/startAsGuest/viewer/email").is_null());
    guest.token = session.text("/startAsGuest/accessToken");
    guest
}

#[tokio::test]
async fn an_advertisement_begun_without_an_account_is_kept_by_a_link() {
    let app = TestApp::start().await;
    let mut guest = guest(&app).await;
    let photo = guest.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let pages = "mutation { createApiKey(input: { name: \"x\", scopes: [READ] }) { secret } }";
    assert_eq!(guest.run(pages, json!({})).await.code(), "EMAIL_NOT_VERIFIED");
    guest.run(ASK, json!({ "e": "Marie@example.org" })).await.at("/requestClaim");
    let token = app.link_to("marie@example.org").await;
    let claimed = app.anonymous().run(CLAIM, json!({ "t": token, "p": "correct horse battery", "n": "Marie" })).await;
    let viewer = json!({ "email": "marie@example.org", "emailVerified": true, "organization": { "name": "Marie" } });
    assert_eq!(claimed.at("/claimGuest/viewer"), &viewer);
    guest.token = claimed.text("/claimGuest/accessToken");
    assert_eq!(guest.run(PHOTO, json!({ "id": photo })).await.text("/photo/id"), photo);
    assert_eq!(guest.run(ASK, json!({ "e": "x@example.org" })).await.code(), "NOT_A_GUEST");
    let again = app.anonymous().run(CLAIM, json!({ "t": token, "p": "correct horse battery" })).await;
    assert_eq!(again.code(), "LINK_INVALID");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn whoever_has_an_account_already_gets_what_they_began_as_a_second_organization() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let begun = guest(&app).await;
    let photo = begun.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    begun.run(ASK, json!({ "e": "dupont@example.org" })).await.at("/requestClaim");
    let token = app.link_to("dupont@example.org").await;
    let claim = async |password: &str| app.anonymous().run(CLAIM, json!({ "t": token, "p": password })).await;
    assert_eq!(claim("not the password").await.code(), "INVALID_CREDENTIALS");
    let claimed = claim("correct horse battery").await;
    let mut owner = app.anonymous();
    owner.token = claimed.text("/claimGuest/accessToken");
    assert_eq!(owner.run(PHOTO, json!({ "id": photo })).await.text("/photo/id"), photo);
    let all = owner.run("{ viewer { memberships { organization { name } role } } }", json!({})).await;
    assert_eq!(all.at("/viewer/memberships").as_array().unwrap().len(), 2);
    assert_eq!(begun.run("{ viewer { email } }", json!({})).await.code(), "TOKEN_EXPIRED", "the guest is somebody now");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn whoever_began_as_a_guest_loses_what_they_hold_when_the_address_is_somebody_elses() {
    let app = TestApp::start().await;
    let mut thief = app.anonymous();
    let begun = thief.run("mutation { startAsGuest { accessToken refreshToken } }", json!({})).await;
    thief.token = begun.text("/startAsGuest/accessToken");
    let refresh = begun.text("/startAsGuest/refreshToken");
    thief.run(ASK, json!({ "e": "victim@example.org" })).await.at("/requestClaim");
    let token = app.link_to("victim@example.org").await;
    let claimed = app.anonymous().run(CLAIM, json!({ "t": token, "p": "correct horse battery" })).await;
    let mut victim = app.anonymous();
    victim.token = claimed.text("/claimGuest/accessToken");
    assert_eq!(victim.run("{ viewer { email } }", json!({})).await.text("/viewer/email"), "victim@example.org");
    assert_eq!(thief.run("{ viewer { email } }", json!({})).await.code(), "TOKEN_EXPIRED");
    let renew = "mutation($t: String!) { refreshSession(refreshToken: $t) { accessToken } }";
    assert_eq!(app.anonymous().run(renew, json!({ "t": refresh })).await.code(), "INVALID_REFRESH_TOKEN");
    app.run_jobs().await;
    app.finish().await;
}
