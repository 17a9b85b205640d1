use keroxio_test_support::{Actor, TestApp};
use serde_json::{Value, json};

const INVITE: &str = "mutation($e: String!, $r: Role!) { inviteMember(email: $e, role: $r) { id } }";
const ACCEPT: &str =
    "mutation($t: String!, $p: String!) { acceptInvitation(token: $t, password: $p) { accessToken viewer { role } } }";
const ROLE: &str = "mutation($u: UUID!, $r: Role!) { changeRole(userId: $u, role: $r) { role } }";
const REMOVE: &str = "mutation($u: UUID!) { removeMember(userId: $u) }";
const CREATE: &str = "mutation { createVehicle(input: { make: \"Renault\", model: \"Clio\" }) { id } }";

async fn id_of(actor: &Actor) -> Value {
    actor.run("{ viewer { id } }", json!({})).await.at("/viewer/id").clone()
}

#[tokio::test]
async fn a_team_grows_by_invitation_and_each_does_what_their_role_allows() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let seller = app.member(&owner, "julie", "SELLER").await;
    let accountant = app.member(&owner, "paul", "ACCOUNTANT").await;
    assert!(!seller.run(CREATE, json!({})).await.text("/createVehicle/id").is_empty());
    let refused = accountant.run(CREATE, json!({})).await;
    assert_eq!(refused.code(), "FORBIDDEN");
    assert_eq!(refused.0["errors"][0]["extensions"]["details"]["right"], "STOCK");
    let seen = accountant.run("{ vehicles(first: 5) { nodes { make } } }", json!({})).await;
    assert_eq!(seen.at("/vehicles/nodes"), &json!([{ "make": "Renault" }]), "one garage, one stock");
    assert_eq!(seller.run("{ members { email } }", json!({})).await.code(), "FORBIDDEN");
    let members = owner.run("{ members { email role } }", json!({})).await;
    let known = json!([
        { "email": "dupont@example.org", "role": "OWNER" },
        { "email": "julie@example.org", "role": "SELLER" },
        { "email": "paul@example.org", "role": "ACCOUNTANT" },
    ]);
    assert_eq!(members.at("/members"), &known);
    app.finish().await;
}

#[tokio::test]
async fn an_invitation_is_its_own_organizations_and_works_once() {
    let app = TestApp::start().await;
    let (owner, other) = (app.verified_garage("dupont").await, app.verified_garage("martin").await);
    let id = owner.run(INVITE, json!({ "e": "julie@example.org", "r": "SELLER" })).await.at("/inviteMember/id").clone();
    let revoke = "mutation($id: UUID!) { revokeInvitation(id: $id) }";
    assert_eq!(other.run(revoke, json!({ "id": id })).await.code(), "NOT_FOUND");
    let replaced = app.link_to("julie@example.org").await;
    owner.run(INVITE, json!({ "e": "julie@example.org", "r": "MANAGER" })).await.at("/inviteMember");
    let accept =
        async |token: &str| app.anonymous().run(ACCEPT, json!({ "t": token, "p": "correct horse battery" })).await;
    assert_eq!(accept(&replaced).await.code(), "LINK_INVALID");
    let token = app.link_to("julie@example.org").await;
    assert_eq!(accept(&token).await.text("/acceptInvitation/viewer/role"), "MANAGER");
    assert_eq!(accept(&token).await.code(), "LINK_INVALID");
    let id = owner.run(INVITE, json!({ "e": "paul@example.org", "r": "SELLER" })).await.at("/inviteMember/id").clone();
    owner.run(revoke, json!({ "id": id })).await.at("/revokeInvitation");
    assert_eq!(accept(&app.link_to("paul@example.org").await).await.code(), "LINK_INVALID");
    app.finish().await;
}

#[tokio::test]
async fn a_known_address_joins_with_its_own_password_and_changes_between_garages() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    app.garage("martin").await;
    owner.run(INVITE, json!({ "e": "martin@example.org", "r": "READ_ONLY" })).await.at("/inviteMember");
    let token = app.link_to("martin@example.org").await;
    let accept = async |password: &str| app.anonymous().run(ACCEPT, json!({ "t": token, "p": password })).await;
    assert_eq!(accept("a password of mine").await.code(), "INVALID_CREDENTIALS");
    let mut martin = app.anonymous();
    martin.token = accept("correct horse battery").await.text("/acceptInvitation/accessToken");
    assert_eq!(martin.run(CREATE, json!({})).await.code(), "FORBIDDEN");
    let mine = martin.run("{ viewer { memberships { organization { id name } } } }", json!({})).await;
    let own = mine.at("/viewer/memberships/0/organization/id").clone();
    let log_in = "mutation { logIn(email: \"martin@example.org\", password: \"correct horse battery\") { refreshToken viewer { organization { name } } } }";
    let session = martin.run(log_in, json!({})).await;
    assert_eq!(session.text("/logIn/viewer/organization/name"), "dupont", "where they were last");
    let change = "mutation($t: String!, $o: UUID) { refreshSession(refreshToken: $t, organizationId: $o) { accessToken viewer { role } } }";
    let token = session.text("/logIn/refreshToken");
    let stranger = app.garage("petit").await.run("{ viewer { organization { id } } }", json!({})).await;
    let theirs = stranger.at("/viewer/organization/id");
    assert_eq!(martin.run(change, json!({ "t": token, "o": theirs })).await.code(), "NOT_FOUND");
    let changed = martin.run(change, json!({ "t": token, "o": own })).await;
    assert_eq!(changed.text("/refreshSession/viewer/role"), "OWNER");
    app.finish().await;
}

#[tokio::test]
async fn a_role_taken_away_is_gone_at_once_and_an_organization_keeps_an_owner() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let manager = app.member(&owner, "julie", "MANAGER").await;
    let seller = app.member(&owner, "paul", "SELLER").await;
    let (owner_id, manager_id, seller_id) = (id_of(&owner).await, id_of(&manager).await, id_of(&seller).await);
    let code = async |who: &Actor, query: &str, variables: Value| who.run(query, variables).await.code().to_owned();
    assert_eq!(code(&manager, ROLE, json!({ "u": seller_id, "r": "OWNER" })).await, "FORBIDDEN");
    assert_eq!(code(&manager, ROLE, json!({ "u": owner_id, "r": "SELLER" })).await, "FORBIDDEN");
    assert_eq!(code(&manager, REMOVE, json!({ "u": owner_id })).await, "FORBIDDEN");
    assert_eq!(code(&owner, ROLE, json!({ "u": owner_id, "r": "SELLER" })).await, "LAST_OWNER");
    assert_eq!(code(&owner, "mutation { leaveOrganization }", json!({})).await, "LAST_OWNER");
    manager.run(ROLE, json!({ "u": seller_id, "r": "READ_ONLY" })).await.at("/changeRole");
    assert_eq!(code(&seller, CREATE, json!({})).await, "TOKEN_EXPIRED", "the token says what they no longer may");
    assert_eq!(code(&app.log_in("paul").await, CREATE, json!({})).await, "FORBIDDEN");
    owner.run(REMOVE, json!({ "u": manager_id })).await.at("/removeMember");
    assert_eq!(code(&manager, "{ members { email } }", json!({})).await, "TOKEN_EXPIRED");
    let log_in =
        "mutation { logIn(email: \"julie@example.org\", password: \"correct horse battery\") { accessToken } }";
    assert_eq!(code(&app.anonymous(), log_in, json!({})).await, "NO_ORGANIZATION");
    let stranger = app.verified_garage("martin").await;
    assert_eq!(code(&stranger, REMOVE, json!({ "u": seller_id })).await, "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn whoever_does_not_own_alone_deletes_their_account_themselves() {
    const DELETE: &str = "mutation($p: String!) { deleteAccount(password: $p) }";
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let seller = app.member(&owner, "julie", "SELLER").await;
    let seller_id = id_of(&seller).await;
    seller.run(CREATE, json!({})).await.text("/createVehicle/id");
    let password = json!({ "p": "correct horse battery" });
    assert_eq!(owner.run(DELETE, password.clone()).await.code(), "LAST_OWNER");
    assert_eq!(seller.run(DELETE, json!({ "p": "a wrong password" })).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(seller.run(DELETE, password).await.at("/deleteAccount"), true);
    assert_eq!(seller.run(CREATE, json!({})).await.code(), "TOKEN_EXPIRED");
    let log_in =
        "mutation { logIn(email: \"julie@example.org\", password: \"correct horse battery\") { accessToken } }";
    assert_eq!(
        app.anonymous().run(log_in, json!({})).await.code(),
        "INVALID_CREDENTIALS",
        "as if there had never been one"
    );
    let left = format!(
        "SELECT email AS text FROM auth_users WHERE id = '{}' OR email LIKE 'julie%'",
        seller_id.as_str().unwrap()
    );
    assert!(app.texts(&left).await.is_empty());
    let stock = owner.run("{ vehicles(first: 5) { nodes { make } } }", json!({})).await;
    assert_eq!(stock.at("/vehicles/nodes"), &json!([{ "make": "Renault" }]), "what they did for the garage stays");
    // Whoever owns together with somebody may go.
    let other = app.member(&owner, "paul", "MANAGER").await;
    owner.run(ROLE, json!({ "u": id_of(&other).await, "r": "OWNER" })).await.at("/changeRole");
    let deleted = owner.run(DELETE, json!({ "p": "correct horse battery" })).await;
    assert_eq!(deleted.at("/deleteAccount"), true);
    app.finish().await;
}

#[tokio::test]
async fn an_organization_has_sites_of_its_own() {
    let app = TestApp::start().await;
    let (owner, other) = (app.garage("dupont").await, app.garage("martin").await);
    let create = "mutation { createSite(input: { name: \"Lyon\", street: \"1 rue de la Gare\", postalCode: \"69003\", city: \"Lyon\" }) { id city } }";
    let id = owner.run(create, json!({})).await.at("/createSite/id").clone();
    let update =
        "mutation($id: UUID!) { updateSite(id: $id, input: { name: \"Lyon 3e\", street: \"\" }) { name street city } }";
    assert_eq!(other.run(update, json!({ "id": id })).await.code(), "NOT_FOUND");
    let updated = owner.run(update, json!({ "id": id })).await;
    assert_eq!(updated.at("/updateSite"), &json!({ "name": "Lyon 3e", "street": null, "city": "Lyon" }));
    let remove = "mutation($id: UUID!) { removeSite(id: $id) }";
    assert_eq!(other.run(remove, json!({ "id": id })).await.code(), "NOT_FOUND");
    owner.run(remove, json!({ "id": id })).await.at("/removeSite");
    assert_eq!(owner.run("{ sites { id } }", json!({})).await.at("/sites"), &json!([]));
    app.finish().await;
}

#[tokio::test]
async fn what_a_member_prepared_for_the_time_after_ends_with_them() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let manager = app.member(&owner, "julie", "MANAGER").await;
    let (stays, read) = (app.program(&owner, &["READ"]).await, "{ vehicles(first: 1) { nodes { id } } }");
    let (stock, seen) = (app.program(&manager, &["STOCK"]).await, app.program(&manager, &["READ"]).await);
    manager.run(INVITE, json!({ "e": "second@example.org", "r": "MANAGER" })).await.at("/inviteMember");
    let token = app.link_to("second@example.org").await;
    owner.run(ROLE, json!({ "u": id_of(&manager).await, "r": "READ_ONLY" })).await.at("/changeRole");
    let accepted = app.anonymous().run(ACCEPT, json!({ "t": token, "p": "correct horse battery" })).await;
    assert_eq!(accepted.code(), "LINK_INVALID");
    assert_eq!(stock.run(CREATE, json!({})).await.code(), "UNAUTHENTICATED", "a reader has no key that writes");
    assert_eq!(seen.run(read, json!({})).await.codes(), Vec::<&str>::new());
    let julie = app.log_in("julie").await;
    owner.run(REMOVE, json!({ "u": id_of(&julie).await })).await.at("/removeMember");
    assert_eq!(seen.run(read, json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(stays.run(read, json!({})).await.codes(), Vec::<&str>::new(), "those of others go on");
    app.run_jobs().await;
    app.finish().await;
}
