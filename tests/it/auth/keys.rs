use std::time::Duration;

use keroxio_test_support::{Actor, TestApp};
use serde_json::{Value, json};

const KEYS: &str = "{ apiKeys { id prefix scopes lastUsedAt revokedAt expiresAt } }";
const LIST: &str = "{ vehicles(first: 1) { nodes { id } } }";

async fn only_key(owner: &Actor) -> Value {
    owner.run(KEYS, json!({})).await.at("/apiKeys/0").clone()
}

#[tokio::test]
async fn a_program_does_what_its_key_was_made_for() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let program = app.program(&owner, &["READ"]).await;
    assert!(program.token.starts_with("kx_"));
    let key = only_key(&owner).await;
    assert!(program.token.starts_with(key["prefix"].as_str().unwrap()) && key["lastUsedAt"].is_null(), "{key}");
    assert_eq!(program.run(LIST, json!({})).await.at("/vehicles/nodes"), &json!([]));
    assert!(only_key(&owner).await["lastUsedAt"].is_string());
    let create = "mutation { createVehicle(input: {}) { id } }";
    assert_eq!(program.run(create, json!({})).await.code(), "FORBIDDEN");
    assert_eq!(program.run("{ viewer { email } }", json!({})).await.code(), "FORBIDDEN", "it is nobody");
    let stored = app.texts("SELECT key_hash AS text FROM auth_api_keys").await;
    assert!(!stored[0].contains(&program.token), "kept as a hash");
    for scopes in [json!([]), json!(["OWN"]), json!(["READ", "MEMBERS"])] {
        let create = "mutation($s: [Right!]!) { createApiKey(input: { name: \"x\", scopes: $s }) { secret } }";
        assert_eq!(owner.run(create, json!({ "s": scopes })).await.code(), "BAD_INPUT", "{scopes}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_key_cannot_make_keys_nor_a_person_one_that_may_more_than_they() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let program = app.program(&owner, &["READ", "SETTINGS"]).await;
    let create = "mutation($s: [Right!]!) { createApiKey(input: { name: \"x\", scopes: $s }) { secret } }";
    assert_eq!(program.run(create, json!({ "s": ["READ"] })).await.code(), "FORBIDDEN");
    let seller = app.member(&owner, "julie", "SELLER").await;
    assert_eq!(seller.run(create, json!({ "s": ["READ"] })).await.code(), "FORBIDDEN");
    app.finish().await;
}

#[tokio::test]
async fn a_key_is_rotated_with_a_day_of_overlap_and_revoked_at_once() {
    let app = TestApp::start().await;
    let (owner, other) = (app.verified_garage("dupont").await, app.verified_garage("martin").await);
    let old = app.program(&owner, &["READ"]).await;
    let id = only_key(&owner).await["id"].clone();
    let rotate = "mutation($id: UUID!) { rotateApiKey(id: $id) { secret apiKey { id scopes } } }";
    assert_eq!(other.run(rotate, json!({ "id": id })).await.code(), "NOT_FOUND");
    let rotated = owner.run(rotate, json!({ "id": id })).await;
    let new = app.holding(rotated.text("/rotateApiKey/secret"));
    for program in [&old, &new] {
        assert_eq!(program.run(LIST, json!({})).await.at("/vehicles/nodes"), &json!([]));
    }
    app.app.clock().advance(Duration::from_secs(24 * 3_600 + 1));
    assert_eq!(old.run(LIST, json!({})).await.code(), "UNAUTHENTICATED");
    let owner = app.log_in("dupont").await;
    let revoke = "mutation($id: UUID!) { revokeApiKey(id: $id) { revokedAt } }";
    owner.run(revoke, json!({ "id": rotated.at("/rotateApiKey/apiKey/id") })).await.text("/revokeApiKey/revokedAt");
    assert_eq!(new.run(LIST, json!({})).await.code(), "UNAUTHENTICATED");
    app.finish().await;
}

#[tokio::test]
async fn a_key_has_limits_of_its_own() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let create = "mutation { createApiKey(input: { name: \"x\", scopes: [READ], costCapacity: 30, costPerSecond: 1 }) { secret } }";
    let program = app.holding(owner.run(create, json!({})).await.text("/createApiKey/secret"));
    let limits = program.run("{ apiLimits { capacity perSecond } }", json!({})).await;
    assert_eq!(limits.at("/apiLimits"), &json!({ "capacity": 30, "perSecond": 1 }));
    let list = "{ vehicles(first: 10) { nodes { id make } } }";
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(program.run(list, json!({})).await.codes().first().map(|code| (*code).to_owned()));
    }
    assert_eq!(codes[2].as_deref(), Some("RATE_LIMITED"), "{codes:?}");
    assert!(owner.run(list, json!({})).await.codes().is_empty(), "its organization goes on");
    app.finish().await;
}
