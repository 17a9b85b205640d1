use std::time::Duration;

use diesel_async::RunQueryDsl as _;
use keroxio_test_support::TestApp;
use serde_json::json;

const LOG_IN: &str =
    "mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken refreshToken } }";
const VIEWER: &str = "{ viewer { email organization { name kind } } }";

#[tokio::test]
async fn an_account_is_opened_once_and_answers_alike_to_wrong_passwords_and_strangers() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let viewer = garage.run(VIEWER, json!({})).await;
    assert_eq!(
        viewer.at("/viewer"),
        &json!({ "email": "dupont@example.org", "organization": { "name": "dupont", "kind": "DEALER" } })
    );
    let again = json!({ "i": { "email": " Dupont@Example.org", "password": "another long one", "organizationName": "x", "organizationKind": "DEALER" } });
    let anybody = app.anonymous();
    let taken = anybody.run("mutation($i: RegisterInput!) { register(input: $i) { accessToken } }", again).await;
    assert_eq!(taken.code(), "EMAIL_TAKEN");
    let wrong = anybody.run(LOG_IN, json!({ "e": "dupont@example.org", "p": "wrong password" })).await;
    let unknown = anybody.run(LOG_IN, json!({ "e": "nobody@example.org", "p": "wrong password" })).await;
    assert_eq!((wrong.code(), unknown.code()), ("INVALID_CREDENTIALS", "INVALID_CREDENTIALS"));
    let right = anybody.run(LOG_IN, json!({ "e": "DUPONT@example.org", "p": "correct horse battery" })).await;
    assert!(!right.text("/logIn/accessToken").is_empty());
    app.finish().await;
}

const RESET: &str = "mutation($t: String!, $p: String!) { resetPassword(token: $t, password: $p) }";
const ASK: &str = "mutation($e: String!) { requestPasswordReset(email: $e) }";

#[tokio::test]
async fn an_address_is_confirmed_by_the_link_sent_to_it_once() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let verified =
        async || garage.run("{ viewer { emailVerified } }", json!({})).await.at("/viewer/emailVerified").clone();
    assert_eq!(verified().await, false);
    let invite = "mutation { inviteMember(email: \"a@example.org\", role: SELLER) { id } }";
    assert_eq!(garage.run(invite, json!({})).await.code(), "EMAIL_NOT_VERIFIED");
    let first = app.link_to("dupont@example.org").await;
    garage.run("mutation { requestEmailVerification }", json!({})).await.at("/requestEmailVerification");
    let verify = "mutation($t: String!) { verifyEmail(token: $t) }";
    let follow = async |token: &str| app.anonymous().run(verify, json!({ "t": token })).await;
    assert_eq!(follow(&first).await.code(), "LINK_INVALID", "a newer one was sent");
    let second = app.link_to("dupont@example.org").await;
    assert_eq!(
        app.anonymous().run(RESET, json!({ "t": second, "p": "another password" })).await.code(),
        "LINK_INVALID"
    );
    assert_eq!(follow(&second).await.at("/verifyEmail"), true);
    assert_eq!(follow(&second).await.code(), "LINK_INVALID", "it was used");
    assert_eq!(verified().await, true);
    app.finish().await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_every_session_ends() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let anybody = app.anonymous();
    for email in ["nobody@example.org", "Dupont@Example.org"] {
        assert_eq!(anybody.run(ASK, json!({ "e": email })).await.at("/requestPasswordReset"), true, "alike");
    }
    app.run_jobs().await;
    assert_eq!(app.letters_to("nobody@example.org").await, Vec::<String>::new());
    let token = app.link_to("dupont@example.org").await;
    assert_eq!(anybody.run(RESET, json!({ "t": token, "p": "short" })).await.code(), "BAD_INPUT");
    assert_eq!(anybody.run(RESET, json!({ "t": token, "p": "a brand new password" })).await.at("/resetPassword"), true);
    assert_eq!(garage.run(VIEWER, json!({})).await.code(), "TOKEN_EXPIRED", "whoever was signed in no longer is");
    let log_in = async |password: &str| anybody.run(LOG_IN, json!({ "e": "dupont@example.org", "p": password })).await;
    assert_eq!(log_in("correct horse battery").await.code(), "INVALID_CREDENTIALS");
    assert!(!log_in("a brand new password").await.text("/logIn/accessToken").is_empty());
    assert_eq!(app.letters_to("dupont@example.org").await, ["verify_email", "reset_password", "security_changed"]);
    app.finish().await;
}

#[tokio::test]
async fn a_link_to_a_new_password_is_good_for_an_hour() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    app.anonymous().run(ASK, json!({ "e": "dupont@example.org" })).await.at("/requestPasswordReset");
    app.run_jobs().await;
    let token = app.link_to("dupont@example.org").await;
    app.app.clock().advance(Duration::from_secs(3_601));
    let late = app.anonymous().run(RESET, json!({ "t": token, "p": "a brand new password" })).await;
    assert_eq!(late.code(), "LINK_INVALID");
    app.finish().await;
}

#[tokio::test]
async fn a_password_of_the_former_system_is_accepted_and_hashed_anew() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let legacy = bcrypt::hash("old but long enough", 4).unwrap();
    let mut conn = app.app.conn().await.unwrap();
    diesel::sql_query("UPDATE auth_users SET password_hash = $1")
        .bind::<diesel::sql_types::Text, _>(legacy)
        .execute(&mut conn)
        .await
        .unwrap();
    drop(conn);
    let log_in =
        async |password: &str| app.anonymous().run(LOG_IN, json!({ "e": "dupont@example.org", "p": password })).await;
    assert_eq!(log_in("correct horse battery").await.code(), "INVALID_CREDENTIALS");
    for _ in 0..2 {
        assert!(!log_in("old but long enough").await.text("/logIn/accessToken").is_empty());
        let hash = app.texts("SELECT password_hash AS text FROM auth_users").await;
        assert!(hash[0].starts_with("$argon2id$"), "{hash:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let (here, there) = (app.log_in("dupont").await, app.log_in("dupont").await);
    let change = "mutation($c: String!) { changePassword(currentPassword: $c, password: \"a brand new password\") }";
    assert_eq!(here.run(change, json!({ "c": "wrong wrong wrong" })).await.code(), "INVALID_CREDENTIALS");
    here.run(change, json!({ "c": "correct horse battery" })).await.at("/changePassword");
    assert_eq!(there.run(VIEWER, json!({})).await.code(), "TOKEN_EXPIRED");
    let open = app.texts("SELECT count(*)::text AS text FROM auth_sessions WHERE ended_at IS NULL").await;
    assert_eq!(open, ["1"], "the one in which it was changed");
    app.finish().await;
}
