//! What staff see and do, and what those whom it concerns see of it.

use keroxio_core::relay;
use keroxio_test_support::{Actor, Setup, TestApp, fixture};
use reqwest::StatusCode;
use serde_json::{Value, json};

const CAR: &str = "mutation { createVehicle(input: { make: \"Renault\", model: \"Clio\" }) { id } }";
const CARS: &str = "{ vehicles { nodes { make } } }";
const HOLD: &str = "mutation($o: UUID!, $r: String!) { suspendOrganization(id: $o, reason: $r) { suspendedAt } }";
const FREE: &str = "mutation($o: UUID!, $r: String!) { reinstateOrganization(id: $o, reason: $r) { suspendedAt } }";
const LOG: &str = "{ auditLog(first: 50) { nodes { actor userId action outcome subjectId network reason apiKeyId } } }";
const NOTICES: &str = "{ notifications(first: 20) { nodes { kind title } } }";
const ENTER: &str = "mutation($o: UUID!, $u: UUID!, $r: String!) {
    impersonate(organizationId: $o, userId: $u, reason: $r) { accessToken expiresAt } }";
const SWITCH: &str = "mutation($n: String!, $p: Int!, $o: [UUID!]) {
    setFeature(name: $n, percent: $p, organizationIds: $o) { percent organizationIds changedAt } }";
const REPORT: &str = "mutation($i: ReportListingInput!) { reportListing(input: $i) }";
const REPORTS: &str = "query($o: Boolean!) { listingReports(open: $o) { nodes {
    id listingId reason details email state statement } } }";
const DECIDE: &str = "mutation($i: UUID!, $h: Boolean!, $s: String!) {
    decideListingReport(id: $i, hide: $h, statement: $s) { state statement } }";
const WHY: &str = "Plusieurs acheteurs se plaignent de la même arnaque.";

async fn me(who: &Actor) -> (String, String) {
    let me = who.run("{ viewer { id organization { id } } }", json!({})).await;
    (me.text("/viewer/id"), me.text("/viewer/organization/id"))
}

async fn log(who: &Actor) -> Vec<Value> {
    who.run(LOG, json!({})).await.at("/auditLog/nodes").as_array().unwrap().clone()
}

fn actions(steps: &[Value]) -> Vec<String> {
    steps
        .iter()
        .map(|step| format!("{} {}", step["action"].as_str().unwrap(), step["outcome"].as_str().unwrap()))
        .collect()
}

async fn kinds(who: &Actor) -> Vec<String> {
    let notices = who.run(NOTICES, json!({})).await.at("/notifications/nodes").clone();
    notices.as_array().unwrap().iter().map(|notice| notice["kind"].as_str().unwrap().to_owned()).collect()
}

/// A garage whose car is on a page of its own: the garage, its ad and the slug of the page.
async fn shop(app: &TestApp, name: &str) -> (Actor, String, String) {
    let garage = app.verified_garage(name).await;
    garage
        .run("mutation { updateOrganization(siren: \"732829320\") { id } }", json!({}))
        .await
        .at("/updateOrganization");
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let car = json!({ "make": "Renault", "model": "Clio", "version": "TCe 90 Zen", "firstRegistration": "2018-03",
        "mileageKm": 45_000, "critAir": "CLASS_1" });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
    let listing = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": car } })).await;
    let listing = listing.text("/prepareListing/id");
    app.run_jobs().await;
    let open = "mutation($l: UUID!) { openListingPage(listingId: $l) { url } }";
    let url = garage.run(open, json!({ "l": listing })).await.text("/openListingPage/url");
    let slug = url.rsplit('/').next().unwrap().to_owned();
    (garage, listing, slug)
}

#[tokio::test]
async fn an_organization_on_hold_keeps_what_is_its_own_and_changes_nothing() {
    let app = TestApp::start().await;
    let (garage, listing, slug) = shop(&app, "dupont").await;
    let program = app.program(&garage, &["READ", "STOCK"]).await;
    let (staff, other) = (app.staff("ops").await, app.garage("martin").await);
    let (_, org) = me(&garage).await;
    assert_eq!(other.run(HOLD, json!({ "o": org, "r": WHY })).await.code(), "FORBIDDEN");
    assert_eq!(staff.run(HOLD, json!({ "o": org, "r": "parce que" })).await.code(), "BAD_INPUT");
    let unknown = json!({ "o": "00000000-0000-7000-8000-000000000000", "r": WHY });
    assert_eq!(staff.run(HOLD, unknown).await.code(), "NOT_FOUND");
    let page = format!("/a/{slug}");
    assert_eq!(app.anonymous().page(&page).await.status(), StatusCode::OK);

    staff.run(HOLD, json!({ "o": org, "r": WHY })).await.at("/suspendOrganization/suspendedAt");
    assert_eq!(
        garage.run(CAR, json!({})).await.code(),
        "TOKEN_EXPIRED",
        "what was open is renewed with what may be done now"
    );
    let garage = app.log_in("dupont").await;
    for refused in [CAR, "mutation { updateOrganization(name: \"X\") { id } }"] {
        assert_eq!(garage.run(refused, json!({})).await.code(), "ORGANIZATION_SUSPENDED");
    }
    let open = "mutation($l: UUID!) { openListingPage(listingId: $l) { url } }";
    assert_eq!(garage.run(open, json!({ "l": listing })).await.code(), "ORGANIZATION_SUSPENDED");
    assert_eq!(program.run(CAR, json!({})).await.code(), "ORGANIZATION_SUSPENDED", "keys as well, and at once");
    assert_eq!(program.run(CARS, json!({})).await.at("/vehicles/nodes").as_array().unwrap().len(), 1);
    assert_eq!(garage.run(CARS, json!({})).await.at("/vehicles/nodes").as_array().unwrap().len(), 1);
    garage.run("mutation { exportData { id } }", json!({})).await.at("/exportData/id");
    let why = garage.run("{ viewer { organization { suspension { reason since } } } }", json!({})).await;
    assert_eq!(why.text("/viewer/organization/suspension/reason"), WHY);
    assert_eq!(app.anonymous().page(&page).await.status(), StatusCode::GONE, "nobody sees its pages");
    assert!(kinds(&garage).await.contains(&"organization_suspended".to_owned()));
    let held = staff.run("{ organizations(suspended: true) { nodes { id suspendedFor } } }", json!({})).await;
    assert_eq!(held.at("/organizations/nodes"), &json!([{ "id": org, "suspendedFor": WHY }]));

    staff.run(FREE, json!({ "o": org, "r": "Tout est éclairci avec le garage." })).await.at("/reinstateOrganization");
    let garage = app.log_in("dupont").await;
    garage.run(CAR, json!({})).await.at("/createVehicle/id");
    program.run(CAR, json!({})).await.at("/createVehicle/id");
    assert_eq!(app.anonymous().page(&page).await.status(), StatusCode::OK);
    other.run(CAR, json!({})).await.at("/createVehicle/id");
}

#[tokio::test]
async fn whoever_of_staff_comes_in_leaves_a_trail_and_stays_out_of_what_is_personal() {
    let app = TestApp::start().await;
    let (garage, staff) = (app.verified_garage("dupont").await, app.staff("ops").await);
    let ((user, org), (staff_id, staff_org)) = (me(&garage).await, me(&staff).await);
    let reason = "Le garage nous a demandé par téléphone de l'aider.";
    let enter = |org: &str, user: &str, why: &str| json!({ "o": org, "u": user, "r": why });
    assert_eq!(garage.run(ENTER, enter(&org, &user, reason)).await.code(), "FORBIDDEN");
    assert_eq!(staff.run(ENTER, enter(&org, &user, "test")).await.code(), "BAD_INPUT");
    assert_eq!(staff.run(ENTER, enter(&staff_org, &user, reason)).await.code(), "NOT_FOUND", "not a member of that");
    assert_eq!(
        staff.run(ENTER, enter(&staff_org, &staff_id, reason)).await.code(),
        "FORBIDDEN",
        "nor in a colleague's place"
    );
    let token = staff.run(ENTER, enter(&org, &user, reason)).await.text("/impersonate/accessToken");
    let within = app.holding(token);
    within.run(CARS, json!({})).await.at("/vehicles/nodes");
    let car = within.run(CAR, json!({})).await.text("/createVehicle/id");
    for refused in [
        "{ viewer { email } }",
        "{ devices { id } }",
        "{ members { role } }",
        "mutation { updateOrganization(name: \"X\") { id } }",
        "mutation { createApiKey(input: { name: \"x\", scopes: [READ] }) { secret } }",
        "mutation { exportData { id } }",
        "{ billing { status } }",
        "{ staffTrail { nodes { id } } }",
        "mutation { revokeOtherDevices }",
    ] {
        assert_eq!(within.run(refused, json!({})).await.code(), "FORBIDDEN", "{refused}");
    }
    let steps = log(&garage).await;
    let by_staff: Vec<Value> = steps.iter().filter(|step| step["actor"] == "STAFF").cloned().collect();
    let done = actions(&by_staff);
    assert!(done.contains(&"vehicles OK".to_owned()) && done.contains(&"members FORBIDDEN".to_owned()), "{done:?}");
    assert_eq!(done.last().unwrap(), "impersonate OK");
    assert_eq!(by_staff.last().unwrap()["reason"], reason);
    assert!(
        by_staff.iter().all(|step| step["userId"] == user.as_str()),
        "whoever of staff it was, the garage does not learn"
    );
    assert!(kinds(&garage).await.contains(&"staff_access".to_owned()));
    let trail = "query($s: UUID) { staffTrail(staffId: $s) { nodes { staffId organizationId action } } }";
    let trail = staff.run(trail, json!({ "s": staff_id })).await.at("/staffTrail/nodes").clone();
    let trail = trail.as_array().unwrap();
    assert!(trail.iter().any(|step| step["action"] == "createVehicle" && step["organizationId"] == org.as_str()));
    assert!(trail.iter().all(|step| step["staffId"] == staff_id.as_str()));
    assert_eq!(
        garage.run("query($c: UUID!) { vehicle(id: $c) { make } }", json!({ "c": car })).await.text("/vehicle/make"),
        "Renault"
    );

    // It ends with whoever holds it being signed out anywhere else.
    staff.run("mutation { revokeOtherDevices }", json!({})).await.at("/revokeOtherDevices");
    assert_eq!(within.run(CARS, json!({})).await.code(), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn what_was_done_is_written_down_for_those_who_answer_for_it() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let (seller, other) = (app.member(&garage, "paul", "SELLER").await, app.garage("martin").await);
    let program = app.program(&garage, &["READ", "STOCK"]).await;
    let car = seller.run(CAR, json!({})).await.text("/createVehicle/id");
    let change = "mutation($c: UUID!) { updateVehicle(id: $c, input: { colour: \"bleu\" }) { id } }";
    program.run(change, json!({ "c": car })).await.at("/updateVehicle");
    assert_eq!(other.run(change, json!({ "c": car })).await.code(), "NOT_FOUND");
    let (paul, _) = me(&seller).await;
    let steps = log(&garage).await;
    let of_program = steps.iter().find(|step| step["actor"] == "API_KEY").unwrap();
    assert_eq!((&of_program["action"], &of_program["outcome"]), (&json!("updateVehicle"), &json!("OK")));
    assert_eq!(of_program["subjectId"], car.as_str(), "what it was done to");
    assert!(of_program["apiKeyId"].is_string());
    let created = steps.iter().find(|step| step["action"] == "createVehicle").unwrap();
    assert_eq!((&created["actor"], &created["userId"]), (&json!("MEMBER"), &json!(paul)));
    assert!(created["network"].is_string());
    let log_ins = steps.iter().filter(|step| step["action"] == "logIn").count();
    assert!(log_ins >= 1, "{:?}", actions(&steps));
    assert!(!actions(&steps).iter().any(|action| action.contains("NOT_FOUND")), "what others try is in theirs");
    assert_eq!(actions(&log(&other).await)[0], "updateVehicle NOT_FOUND");

    let own = log(&seller).await;
    assert!(own.iter().all(|step| step["userId"] == paul.as_str()), "a seller sees their own steps");
    assert!(actions(&own).contains(&"createVehicle OK".to_owned()));
    assert_eq!(actions(&log(&program).await), ["updateVehicle OK"], "and a program its own");
    let tampered = app.refused("UPDATE auth_trail SET action = 'nothing'").await;
    assert!(tampered.contains("stays written"), "{tampered}");

    relay::look(&app.app).await.unwrap();
    app.app.clock().advance(std::time::Duration::from_secs(366 * 86_400));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    let kept = app.texts("SELECT action AS text FROM auth_trail WHERE action = 'updateVehicle'").await;
    assert!(kept.is_empty(), "after a year it is forgotten");
}

#[tokio::test]
async fn parts_are_turned_off_and_given_to_some_first() {
    let app = Setup::default().start().await;
    let (garage, staff) = (app.garage("dupont").await, app.staff("ops").await);
    let (_, org) = me(&garage).await;
    let set = |name: &str, percent: i32, orgs: Value| json!({ "n": name, "p": percent, "o": orgs });
    assert_eq!(garage.run(SWITCH, set("auth.sign_up", 0, json!([]))).await.code(), "FORBIDDEN");
    assert_eq!(staff.run(SWITCH, set("auth.nothing", 0, json!([]))).await.code(), "NOT_FOUND");
    assert_eq!(staff.run(SWITCH, set("auth.sign_up", 101, json!([]))).await.code(), "BAD_INPUT");
    staff.run(SWITCH, set("auth.sign_up", 0, json!([]))).await.at("/setFeature");
    let sign_up = "mutation { register(input: { email: \"new@example.org\", password: \"a long enough passphrase\",
        organizationName: \"Neuf\", organizationKind: DEALER }) { accessToken } }";
    let refused = app.anonymous().run(sign_up, json!({})).await;
    assert_eq!(refused.code(), "FEATURE_OFF");
    let on = |answer: &Value, name: &str| {
        answer.as_array().unwrap().iter().find(|feature| feature["name"] == name).unwrap()["on"].as_bool().unwrap()
    };
    let features = app.anonymous().run("{ features { name title on } }", json!({})).await.at("/features").clone();
    assert!(!on(&features, "auth.sign_up") && on(&features, "auth.guests"));
    staff.run(SWITCH, set("auth.sign_up", 100, json!([]))).await.at("/setFeature");
    app.anonymous().run(sign_up, json!({})).await.text("/register/accessToken");

    let rewrite = "mutation($l: UUID!) { rewriteListing(id: $l) { id } }";
    let nothing = json!({ "l": "00000000-0000-7000-8000-000000000000" });
    staff.run(SWITCH, set("listing.rewriting", 0, json!([org]))).await.at("/setFeature");
    let other = app.garage("martin").await;
    assert_eq!(other.run(rewrite, nothing.clone()).await.code(), "FEATURE_OFF");
    assert_ne!(garage.run(rewrite, nothing).await.code(), "FEATURE_OFF", "who is named has it");
    let switches = staff.run("{ featureSwitches { name percent organizationIds changedBy } }", json!({})).await;
    let switch = switches
        .at("/featureSwitches")
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["name"] == "listing.rewriting")
        .unwrap()
        .clone();
    assert_eq!((&switch["percent"], &switch["organizationIds"]), (&json!(0), &json!([org])));
    assert!(switch["changedBy"].is_string());
}

#[tokio::test]
async fn staff_find_people_and_organizations() {
    let app = TestApp::start().await;
    let (garage, staff) = (app.verified_garage("dupont").await, app.staff("ops").await);
    app.member(&garage, "paul", "SELLER").await;
    garage
        .run("mutation { updateOrganization(name: \"Garage_100% Dupont\", siren: \"732829320\") { id } }", json!({}))
        .await
        .at("/updateOrganization");
    let find = "query($s: String) { organizations(search: $s) { nodes { name siren members { role user { email staff } } } } }";
    let found = |answer: &Value| answer.as_array().unwrap().len();
    for (search, expected) in
        [("garage_100%", 1), ("GARAGE_100% d", 1), ("732 829 320", 1), ("garage%", 0), ("_", 0), ("dupont", 0)]
    {
        let answer = staff.run(find, json!({ "s": search })).await;
        assert_eq!(found(answer.at("/organizations/nodes")), expected, "{search}");
    }
    let members = staff.run(find, json!({ "s": "garage_" })).await.at("/organizations/nodes/0/members").clone();
    let roles: Vec<&str> = members.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["OWNER", "SELLER"]);
    let email = members[1]["user"]["email"].as_str().unwrap().to_owned();
    let users = "query($s: String) { users(search: $s) { nodes { email emailVerified secondFactor } } }";
    let user = staff.run(users, json!({ "s": &email[..email.len() - 3] })).await.at("/users/nodes").clone();
    assert_eq!((found(&user), &user[0]["email"]), (1, &json!(email)));
    assert_eq!(garage.run(users, json!({ "s": email })).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn anybody_tells_of_an_ad_and_staff_decide() {
    let app = TestApp::start().await;
    let ((garage, listing, slug), staff) = (shop(&app, "dupont").await, app.staff("ops").await);
    let other = app.garage("martin").await;
    let told = |slug: &str, details: &str| json!({ "i": { "slug": slug, "reason": "FRAUD", "details": details, "email": "buyer@example.net" } });
    assert_eq!(app.anonymous().run(REPORT, told("nowhere", WHY)).await.code(), "NOT_FOUND");
    assert_eq!(app.anonymous().run(REPORT, told(&slug, "non")).await.code(), "BAD_INPUT");
    for who in [app.anonymous(), other] {
        assert_eq!(who.run(REPORT, told(&slug, WHY)).await.at("/reportListing"), &json!(true));
    }
    let form = app.anonymous().page(&format!("/a/{slug}/signaler")).await;
    assert_eq!(form.status(), StatusCode::OK);
    assert!(form.text().await.unwrap().contains("Que s'est-il passé"));
    let page = app.anonymous().page(&format!("/a/{slug}")).await.text().await.unwrap();
    assert!(page.contains(&format!("/a/{slug}/signaler")));
    let reports = staff.run(REPORTS, json!({ "o": true })).await.at("/listingReports/nodes").clone();
    assert_eq!(reports.as_array().unwrap().len(), 1, "the same from the same place is one");
    let report = &reports[0];
    assert_eq!((&report["listingId"], &report["details"]), (&json!(listing), &json!(WHY)));
    assert_eq!(garage.run(REPORTS, json!({ "o": true })).await.code(), "FORBIDDEN");

    let id = report["id"].as_str().unwrap();
    let hide = json!({ "i": id, "h": true, "s": "La voiture n'existe pas." });
    assert_eq!(garage.run(DECIDE, hide.clone()).await.code(), "FORBIDDEN");
    assert_eq!(staff.run(DECIDE, hide).await.text("/decideListingReport/state"), "HIDDEN");
    assert_eq!(app.anonymous().page(&format!("/a/{slug}")).await.status(), StatusCode::GONE);
    assert!(!app.anonymous().page("/sitemap.xml").await.text().await.unwrap().contains(&slug));
    assert!(kinds(&garage).await.contains(&"listing_hidden".to_owned()));
    let open = "mutation($l: UUID!) { openListingPage(listingId: $l) { url } }";
    let refused = garage.run(open, json!({ "l": listing })).await;
    assert_eq!(refused.code(), "PAGE_HIDDEN", "nor can it be opened again");
    let own = "query($l: UUID!) { listingPage(listingId: $l) { open hiddenFor } }";
    let own = garage.run(own, json!({ "l": listing })).await.at("/listingPage").clone();
    assert_eq!(own, json!({ "open": false, "hiddenFor": "La voiture n'existe pas." }));
    assert_eq!(staff.run(REPORTS, json!({ "o": true })).await.at("/listingReports/nodes"), &json!([]));

    let restore = "mutation($l: UUID!) { restoreListingPage(listingId: $l) }";
    staff.run(restore, json!({ "l": listing })).await.at("/restoreListingPage");
    assert_eq!(staff.run(restore, json!({ "l": listing })).await.code(), "NOT_FOUND");
    assert_eq!(app.anonymous().page(&format!("/a/{slug}")).await.status(), StatusCode::OK);
    for n in 0..3 {
        let answer = app.anonymous().run(REPORT, told(&slug, &format!("Encore autre chose, fois {n}."))).await;
        if n == 2 {
            assert_eq!(answer.code(), "TOO_MANY_ATTEMPTS", "a flood stops");
        }
    }
}

#[tokio::test]
async fn what_staff_look_at_is_written_down() {
    let app = TestApp::start().await;
    let staff = app.staff("ops").await;
    let before = log(&staff).await.len();
    staff.run("{ mailbox(first: 1) { nodes { id } } }", json!({})).await.at("/mailbox/nodes");
    staff
        .run("{ everybody: users(first: 1) { nodes { id } } vehicles { nodes { id } } }", json!({}))
        .await
        .at("/everybody");
    let steps = log(&staff).await;
    assert_eq!(
        actions(&steps[..steps.len() - before]),
        ["users OK", "mailbox OK"],
        "the newest first, and nothing of their own"
    );
    assert_eq!(app.garage("dupont").await.run("{ users { nodes { id } } }", json!({})).await.code(), "FORBIDDEN");
    app.finish().await;
}
