use std::time::Duration;

use keroxio_test_support::{Actor, TestApp};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

const LOG_IN: &str = "mutation($c: String) { logIn(email: \"dupont@example.org\", password: \"correct horse battery\", code: $c) { accessToken } }";
const BEGIN: &str = "mutation($p: String!) { beginSecondFactor(password: $p) { secret url } }";
const CONFIRM: &str = "mutation($c: String!) { confirmSecondFactor(code: $c) }";

/// An authenticator application.
struct Phone(Totp);

impl Phone {
    fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).unwrap();
        Self(Builder::new().with_secret(secret).with_account_name("dupont").build().unwrap())
    }

    fn code(&self, app: &TestApp) -> String {
        self.0.generate(app.app.now().timestamp().try_into().unwrap()).to_string()
    }
}

async fn turned_on(app: &TestApp, garage: &Actor) -> (Phone, Vec<String>) {
    let setup = garage.run(BEGIN, json!({ "p": "correct horse battery" })).await;
    assert!(setup.text("/beginSecondFactor/url").starts_with("otpauth://totp/Keroxio"));
    let phone = Phone::new(&setup.text("/beginSecondFactor/secret"));
    let codes = garage.run(CONFIRM, json!({ "c": phone.code(app) })).await.at("/confirmSecondFactor").clone();
    (phone, serde_json::from_value(codes).unwrap())
}

#[tokio::test]
async fn a_code_is_asked_for_and_works_once() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    assert_eq!(garage.run(BEGIN, json!({ "p": "wrong wrong wrong" })).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(garage.run(CONFIRM, json!({ "c": "000000" })).await.code(), "SECOND_FACTOR_STATE");
    let (phone, _) = turned_on(&app, &garage).await;
    let log_in = async |code: Value| app.anonymous().run(LOG_IN, json!({ "c": code })).await;
    assert_eq!(log_in(Value::Null).await.code(), "SECOND_FACTOR_REQUIRED");
    assert_eq!(log_in(json!(phone.code(&app))).await.code(), "SECOND_FACTOR_INVALID", "it turned the factor on");
    app.app.clock().advance(Duration::from_secs(60));
    let code = phone.code(&app);
    assert!(!log_in(json!(code)).await.text("/logIn/accessToken").is_empty());
    assert_eq!(log_in(json!(code)).await.code(), "SECOND_FACTOR_INVALID", "somebody looked over the shoulder");
    let secret = app.texts("SELECT totp_secret AS text FROM auth_users").await;
    assert!(secret[0].len() > 60 && !secret[0].contains("otpauth"), "it is sealed");
    app.finish().await;
}

#[tokio::test]
async fn codes_are_not_guessed_for_long() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    turned_on(&app, &garage).await;
    let mut codes = Vec::new();
    for guess in 0..10 {
        codes.push(app.anonymous().run(LOG_IN, json!({ "c": format!("{guess:06}") })).await.code().to_owned());
    }
    assert_eq!(codes[0], "SECOND_FACTOR_INVALID");
    assert_eq!(codes[9], "TOO_MANY_ATTEMPTS", "{codes:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_lost_phone_is_replaced_by_a_recovery_code() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let (_, codes) = turned_on(&app, &garage).await;
    assert_eq!(codes.len(), 10);
    let left = "{ viewer { secondFactorEnabled recoveryCodesLeft } }";
    assert_eq!(
        garage.run(left, json!({})).await.at("/viewer"),
        &json!({ "secondFactorEnabled": true, "recoveryCodesLeft": 10 })
    );
    let written = codes[3].replace('-', " ").to_uppercase();
    let log_in = async |code: &str| app.anonymous().run(LOG_IN, json!({ "c": code })).await;
    assert!(!log_in(&written).await.text("/logIn/accessToken").is_empty());
    assert_eq!(log_in(&codes[3]).await.code(), "SECOND_FACTOR_INVALID", "each works once");
    let disable = "mutation($c: String!) { disableSecondFactor(password: \"correct horse battery\", code: $c) }";
    garage.run(disable, json!({ "c": codes[4] })).await.at("/disableSecondFactor");
    assert!(!app.anonymous().run(LOG_IN, json!({})).await.text("/logIn/accessToken").is_empty());
    assert_eq!(
        garage.run(left, json!({})).await.at("/viewer"),
        &json!({ "secondFactorEnabled": false, "recoveryCodesLeft": 0 })
    );
    app.finish().await;
}
