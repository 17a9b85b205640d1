//! What people may ask for of their own data.

use std::io::{Cursor, Read as _};
use std::time::Duration;

use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::{Value, json};

const PREPARE: &str = "mutation($p: UUID!) { prepareListing(input: { photoIds: [$p], vehicle: { make: \"Renault\", model: \"Clio\", firstRegistration: \"2020-03\", mileageKm: 45000 } }) { id } }";
const ERASE: &str = "mutation($n: String!, $p: String!) { eraseOrganization(name: $n, password: $p) }";
const CERTIFICATE: &str = "query($id: UUID!) { erasureCertificate(id: $id) { erasedAt deleted { kind rows } kept { code rows source until } } }";

async fn with_an_ad(app: &TestApp, name: &str) -> (Actor, String) {
    let garage = app.verified_garage(name).await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let listing = garage.run(PREPARE, json!({ "p": photo })).await.text("/prepareListing/id");
    app.run_jobs().await;
    (garage, listing)
}

/// All rows that name an organization, by table.
async fn rows_of(app: &TestApp, org: &str) -> Vec<String> {
    let tables = app
        .texts(
            "SELECT c.table_name AS text FROM information_schema.columns c JOIN information_schema.tables t \
            ON t.table_name = c.table_name AND t.table_schema = c.table_schema \
            WHERE c.table_schema = 'public' AND c.column_name = 'org_id' ORDER BY 1",
        )
        .await;
    let mut found = Vec::new();
    for table in tables {
        let query =
            format!("SELECT '{table}: ' || count(*) AS text FROM {table} WHERE org_id = '{org}' HAVING count(*) > 0");
        found.extend(app.texts(&query).await);
    }
    found
}

async fn org_of(app: &TestApp, name: &str) -> String {
    let query = format!("SELECT org_id::text AS text FROM auth_users WHERE email = '{name}@example.org'");
    app.texts(&query).await.remove(0)
}

#[tokio::test]
async fn everything_an_organization_has_is_in_one_archive_and_nothing_that_opens_it() {
    let app = TestApp::start().await;
    let (garage, listing) = with_an_ad(&app, "dupont").await;
    let (_, foreign) = with_an_ad(&app, "martin").await;
    let secret = app.program(&garage, &["READ"]).await.token.clone();
    let member = app.member(&garage, "julie", "MANAGER").await;
    garage.run("mutation { exportData { state } }", json!({})).await.at("/exportData/state");
    app.run_jobs().await;
    let exports = garage.run("{ dataExports { state url rows files } }", json!({})).await;
    assert_eq!(exports.at("/dataExports/0/state"), "READY");
    let bytes = garage.get(&exports.text("/dataExports/0/url")).await.bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut sessions = String::new();
    archive.by_name("data/auth_sessions.jsonl").unwrap().read_to_string(&mut sessions).unwrap();
    let owner = app.texts("SELECT id::text AS text FROM auth_users WHERE email = 'dupont@example.org'").await.remove(0);
    assert!(
        sessions.lines().count() > 0 && sessions.lines().all(|line| line.contains(&owner)),
        "where others are signed in is theirs"
    );
    let mut all = String::new();
    for name in names.iter().filter(|name| name.ends_with(".jsonl")) {
        archive.by_name(name).unwrap().read_to_string(&mut all).unwrap();
    }
    assert!(all.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "every line is JSON");
    assert!(all.contains(&listing) && all.contains("dupont@example.org") && all.contains("YK482ZN"));
    assert!(!all.contains(&foreign) && !all.contains("martin@example.org"), "of nobody else");
    assert!(!all.contains("$argon2") && !all.contains(&secret) && !all.contains("\"key_hash\""), "nothing that opens");
    assert!(names.iter().any(|name| name.starts_with("files/") && name.ends_with(".jpeg")), "{names:?}");
    assert!(app.letters_to("dupont@example.org").await.contains(&"export_ready".to_owned()));
    assert_eq!(member.run("{ dataExports { url } }", json!({})).await.code(), "FORBIDDEN");
    app.finish().await;
}

#[tokio::test]
async fn an_erased_organization_leaves_a_certificate_and_nothing_else() {
    let app = TestApp::start().await;
    let (garage, _) = with_an_ad(&app, "dupont").await;
    let (other, _) = with_an_ad(&app, "martin").await;
    let (org, theirs) = (org_of(&app, "dupont").await, org_of(&app, "martin").await);
    let before = rows_of(&app, &theirs).await;
    let erase = async |name: &str, password: &str| garage.run(ERASE, json!({ "n": name, "p": password })).await;
    assert_eq!(erase("dupont", "not the password").await.code(), "INVALID_CREDENTIALS");
    assert_eq!(erase("martin", "correct horse battery").await.code(), "NAME_MISMATCH");
    let id = erase("dupont", "correct horse battery").await.text("/eraseOrganization");
    app.run_jobs().await;
    assert_eq!(rows_of(&app, &org).await, Vec::<String>::new());
    assert_eq!(app.texts("SELECT email AS text FROM auth_users ORDER BY 1").await, ["martin@example.org"]);
    assert_eq!(rows_of(&app, &theirs).await, before, "nobody else lost anything");
    assert_eq!(garage.run("{ viewer { id } }", json!({})).await.code(), "TOKEN_EXPIRED");
    let certificate = app.anonymous().run(CERTIFICATE, json!({ "id": id })).await;
    let certificate = certificate.at("/erasureCertificate");
    let rows = |kind: &str| {
        let deleted = certificate["deleted"].as_array().unwrap();
        deleted.iter().find(|line| line["kind"] == kind).and_then(|line| line["rows"].as_u64())
    };
    assert_eq!((rows("listing_ads"), rows("auth_users")), (Some(1), Some(1)), "{certificate}");
    assert_eq!(certificate["kept"], json!([]), "nothing was sold");
    assert!(
        !other
            .run("{ vehicles(first: 1) { nodes { id } } }", json!({}))
            .await
            .at("/vehicles/nodes")
            .as_array()
            .unwrap()
            .is_empty()
    );
    app.finish().await;
}

#[tokio::test]
async fn whoever_belongs_to_another_organization_stays_and_all_other_members_go() {
    let app = TestApp::start().await;
    let (dupont, martin) = (app.verified_garage("dupont").await, app.verified_garage("martin").await);
    app.member(&dupont, "julie", "SELLER").await;
    app.member(&martin, "julie", "SELLER").await;
    app.member(&dupont, "paul", "SELLER").await;
    app.member(&martin, "paul", "SELLER").await;
    let id = app.texts("SELECT id::text AS text FROM auth_users WHERE email = 'paul@example.org'").await.remove(0);
    // Signed in there last, and no longer a member there.
    martin.run("mutation($u: UUID!) { removeMember(userId: $u) }", json!({ "u": id })).await.at("/removeMember");
    let erased = dupont.run(ERASE, json!({ "n": "dupont", "p": "correct horse battery" })).await;
    erased.text("/eraseOrganization");
    app.run_jobs().await;
    let left = app.texts("SELECT email AS text FROM auth_users ORDER BY 1").await;
    assert_eq!(left, ["julie@example.org", "martin@example.org"]);
    app.log_in("julie").await.run("{ vehicles { nodes { id } } }", json!({})).await.at("/vehicles/nodes");
    app.finish().await;
}

#[tokio::test]
async fn what_was_being_written_while_an_organization_was_erased_does_not_stay() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let org = org_of(&app, "dupont").await;
    garage.run(ERASE, json!({ "n": "dupont", "p": "correct horse battery" })).await.text("/eraseOrganization");
    app.run_jobs().await;
    // An export that another worker had begun puts its archive away now.
    let late =
        keroxio_storage::service::put(&app.app, org.parse().unwrap(), b"all of it".to_vec(), "application/zip", None);
    let late = late.await.unwrap();
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.app.clock().advance(Duration::from_secs(24 * 3_600));
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(rows_of(&app, &org).await, Vec::<String>::new());
    assert!(keroxio_storage::service::read(&app.app, &late).await.is_err(), "nor its file");
    app.finish().await;
}

#[tokio::test]
async fn what_a_law_wants_is_kept_until_its_time_is_over() {
    let app = TestApp::start().await;
    let (garage, listing) = with_an_ad(&app, "dupont").await;
    app.execute(&format!("UPDATE listing_ads SET sold_at = now() WHERE id = '{listing}'")).await;
    let id = garage.run(ERASE, json!({ "n": "dupont", "p": "correct horse battery" })).await.text("/eraseOrganization");
    app.run_jobs().await;
    let kept =
        async || app.anonymous().run(CERTIFICATE, json!({ "id": id })).await.at("/erasureCertificate/kept").clone();
    let sales = kept().await;
    assert_eq!((&sales[0]["code"], &sales[0]["rows"]), (&json!("sales"), &json!(1)), "{sales}");
    assert!(sales[0]["source"].as_str().unwrap().contains("L.123-22"));
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.app.clock().advance(Duration::from_secs(3_654 * 24 * 3_600));
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(kept().await, json!([]));
    app.finish().await;
}

#[tokio::test]
async fn a_guest_who_does_not_come_back_is_erased() {
    let app = TestApp::start().await;
    let start = "mutation { startAsGuest { accessToken } }";
    let guest = app.holding(app.anonymous().run(start, json!({})).await.text("/startAsGuest/accessToken"));
    guest.upload(fixture("hatch-front.jpg")).await.at("/uploadPhoto/id");
    app.run_jobs().await;
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.app.clock().advance(Duration::from_secs(31 * 24 * 3_600));
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    let left = app
        .texts("SELECT id::text AS text FROM auth_organizations UNION ALL SELECT id::text FROM storage_objects")
        .await;
    assert_eq!(left, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn what_somebody_agreed_to_is_theirs_to_take_back() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let give = "mutation($v: String!) { giveConsent(purpose: TRAINING, version: $v) { version withdrawnAt } }";
    for version in ["2026-01", "2026-11"] {
        garage.run(give, json!({ "v": version })).await.at("/giveConsent/version");
    }
    garage.run("mutation { withdrawConsent(purpose: TRAINING) }", json!({})).await.at("/withdrawConsent");
    let all = garage.run("{ consents { purpose version withdrawnAt } }", json!({})).await;
    let all = all.at("/consents").as_array().unwrap();
    assert_eq!(all.len(), 2, "what was agreed to stays known");
    assert!(all.iter().all(|consent| consent["withdrawnAt"].is_string()), "{all:?}");
    assert_eq!(garage.run(give, json!({ "v": " " })).await.code(), "BAD_INPUT");
    app.finish().await;
}
