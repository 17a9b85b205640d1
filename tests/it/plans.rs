//! What a plan gives, how it is counted, and what a smaller one leaves alone.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use keroxio_subscription::{Unit, service};
use keroxio_test_support::{Actor, Answer, Setup, TestApp, fixture};
use serde_json::{Value, json};
use uuid::Uuid;

const DAY: u64 = 86_400;
const PLAN: &str = "{ plan { plan { code } status trialEndsAt graceEndsAt limits { unit limit used reached } } }";
const USAGE: &str = "query($u: PlanUnit!, $m: Int) { usage(unit: $u, months: $m) { month used } }";
const PREPARE: &str = "mutation($p: UUID!) { prepareListing(input: { photoIds: [$p], vehicle: { make: \"Renault\", model: \"Clio\", firstRegistration: \"2020-03\", mileageKm: 45000 } }) { id } }";

/// So much time goes by, and people sign in again.
async fn after(app: &TestApp, days: u64, name: &str) -> Actor {
    app.app.clock().advance(Duration::from_secs(days * DAY));
    app.log_in(name).await
}

async fn plan_of(actor: &Actor) -> (String, String) {
    let answer = actor.run(PLAN, json!({})).await;
    (answer.text("/plan/plan/code"), answer.text("/plan/status"))
}

async fn used(actor: &Actor, unit: &str) -> i64 {
    let answer = actor.run(PLAN, json!({})).await;
    let limits = answer.at("/plan/limits").as_array().unwrap().clone();
    limits.iter().find(|limit| limit["unit"] == unit).unwrap()["used"].as_i64().unwrap()
}

fn details(answer: &Answer) -> &Value {
    assert_eq!(answer.code(), "PLAN_LIMIT_REACHED", "{}", answer.0);
    answer.0.pointer("/errors/0/extensions/details").unwrap()
}

async fn kinds_of_notices(actor: &Actor) -> Vec<String> {
    let answer = actor.run("{ notifications(first: 50) { nodes { kind } } }", json!({})).await;
    let nodes = answer.at("/notifications/nodes").as_array().unwrap().clone();
    nodes.iter().map(|node| node["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_plans_are_open_to_everybody_and_say_what_they_give() {
    let app = TestApp::start().await;
    let plans = app
        .anonymous()
        .run("{ plans { code monthlyNetCents currency vatNote limits { unit limit } } }", json!({}))
        .await;
    let codes: Vec<&str> =
        plans.at("/plans").as_array().unwrap().iter().map(|plan| plan["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["FREE", "PRO", "ENTERPRISE"]);
    let free: Vec<_> =
        plans.at("/plans/0/limits").as_array().unwrap().iter().map(|limit| limit["limit"].as_i64().unwrap()).collect();
    assert_eq!(free, [5, 100, 2, 1_000]);
    assert_eq!(plans.at("/plans/2/limits/0/limit"), &Value::Null, "as many as one likes");
    assert!(plans.text("/plans/1/vatNote").contains("TVA"));
    app.finish().await;
}

#[tokio::test]
async fn a_new_organization_tries_the_larger_plan_and_falls_back_to_the_free_one() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    assert_eq!(plan_of(&garage).await, ("PRO".to_owned(), "TRIAL".to_owned()));
    assert_eq!(plan_of(&after(&app, 29, "dupont").await).await.1, "TRIAL");
    assert_eq!(plan_of(&after(&app, 1, "dupont").await).await, ("FREE".to_owned(), "FREE".to_owned()));
    app.finish().await;
}

#[tokio::test]
async fn an_installation_without_payment_gives_everybody_a_plan() {
    let app = Setup::default().set("KEROXIO_DEFAULT_PLAN", "ENTERPRISE").start().await;
    app.garage("dupont").await;
    let garage = after(&app, 400, "dupont").await;
    assert_eq!(plan_of(&garage).await, ("ENTERPRISE".to_owned(), "INCLUDED".to_owned()));
    app.finish().await;
}

/// A photo like no other.
fn photo(seed: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(96, 96, |x, y| image::Rgb([seed, (x * 2) as u8, (y * 2) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn the_free_plan_takes_five_ads_and_a_sale_makes_room() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let garage = after(&app, 31, "dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let mut ads = Vec::new();
    for _ in 0..5 {
        ads.push(garage.run(PREPARE, json!({ "p": photo })).await.text("/prepareListing/id"));
    }
    app.run_jobs().await;
    let cars = "{ vehicles(first: 50) { nodes { id } } }";
    let before = garage.run(cars, json!({})).await.at("/vehicles/nodes").as_array().unwrap().len();
    let refused = garage.run(PREPARE, json!({ "p": photo })).await;
    let expected = json!({ "unit": "ACTIVE_ADS", "limit": 5, "used": 5, "plan": "FREE", "action": "CHANGE_PLAN" });
    assert_eq!(details(&refused), &expected);
    let after = garage.run(cars, json!({})).await.at("/vehicles/nodes").as_array().unwrap().len();
    assert_eq!(before, after, "no car is left of what was refused");
    assert_eq!(kinds_of_notices(&garage).await.iter().filter(|kind| *kind == "plan_limit_near").count(), 1);
    let sell = "mutation($id: UUID!) { markListingSold(id: $id) { id } }";
    garage.run(sell, json!({ "id": ads[0] })).await.at("/markListingSold");
    assert_eq!(used(&garage, "ACTIVE_ADS").await, 4);
    garage.run(PREPARE, json!({ "p": photo })).await.at("/prepareListing");
    // The sale that fell through is not refused: what exists is sellable, whatever the plan.
    garage.run("mutation($id: UUID!) { cancelSale(id: $id) { id } }", json!({ "id": ads[0] })).await.at("/cancelSale");
    assert_eq!(used(&garage, "ACTIVE_ADS").await, 6);
    assert_eq!(garage.run(PREPARE, json!({ "p": photo })).await.code(), "PLAN_LIMIT_REACHED");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn of_two_last_ads_at_the_same_time_one_is_refused() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let garage = after(&app, 31, "dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let asked = (0..8).map(|_| garage.run(PREPARE, json!({ "p": photo })));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.codes().is_empty()).count(), 5);
    assert!(answers.iter().flat_map(|answer| answer.codes()).all(|code| code == "PLAN_LIMIT_REACHED"));
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn photos_are_counted_once_each_and_the_month_after_begins_anew() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let garage = after(&app, 31, "dupont").await;
    for _ in 0..3 {
        garage.upload(photo(1)).await.at("/uploadPhoto");
    }
    assert_eq!(used(&garage, "PHOTOS").await, 1);
    app.execute("UPDATE subscription_usage SET used = 99, warned_at = now() WHERE unit = 'PHOTOS'").await;
    garage.upload(photo(2)).await.at("/uploadPhoto");
    let refused = garage.upload(photo(3)).await;
    assert_eq!(details(&refused)["unit"], "PHOTOS");
    garage.upload(photo(1)).await.at("/uploadPhoto");
    assert_eq!(used(&garage, "PHOTOS").await, 100);
    let garage = after(&app, 31, "dupont").await;
    garage.upload(photo(3)).await.at("/uploadPhoto");
    let history = garage.run(USAGE, json!({ "u": "PHOTOS", "m": 3 })).await;
    let used: Vec<_> =
        history.at("/usage").as_array().unwrap().iter().map(|month| month["used"].as_i64().unwrap()).collect();
    assert_eq!(used, [1, 100, 0]);
    app.finish().await;
}

#[tokio::test]
async fn seats_are_members_and_open_invitations() {
    const INVITE: &str = "mutation($e: String!) { inviteMember(email: $e, role: SELLER) { id } }";
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    // Invited in the trial, when there was room.
    for name in ["a", "b"] {
        owner.run(INVITE, json!({ "e": format!("{name}@example.org") })).await.at("/inviteMember");
    }
    app.execute("UPDATE subscription_accounts SET trial_ends_at = now()").await;
    let refused = owner.run(INVITE, json!({ "e": "c@example.org" })).await;
    assert_eq!(
        details(&refused),
        &json!({ "unit": "SEATS", "limit": 2, "used": 3, "plan": "FREE", "action": "CHANGE_PLAN" })
    );
    let accept =
        "mutation($t: String!) { acceptInvitation(token: $t, password: \"correct horse battery\") { accessToken } }";
    let accepted = app.anonymous().run(accept, json!({ "t": app.link_to("a@example.org").await })).await;
    accepted.at("/acceptInvitation");
    let late = app.anonymous().run(accept, json!({ "t": app.link_to("b@example.org").await })).await;
    assert_eq!(details(&late)["unit"], "SEATS");
    app.execute("UPDATE subscription_accounts SET trial_ends_at = now() + interval '1 day'").await;
    let again = app.anonymous().run(accept, json!({ "t": app.link_to("b@example.org").await })).await;
    again.at("/acceptInvitation");
    assert_eq!(used(&owner, "SEATS").await, 3);
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn calls_of_programs_are_counted_and_those_of_people_are_not() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let program = app.program(&owner, &["READ"]).await;
    let ask = "{ vehicles(first: 1) { nodes { id } } }";
    for _ in 0..3 {
        program.run(ask, json!({})).await.at("/vehicles");
        owner.run(ask, json!({})).await.at("/vehicles");
    }
    assert_eq!(used(&owner, "API_CALLS").await, 3);
    app.execute("UPDATE subscription_accounts SET trial_ends_at = now()").await;
    app.execute("UPDATE subscription_usage SET used = 799 WHERE unit = 'API_CALLS'").await;
    program.run(ask, json!({})).await.at("/vehicles");
    app.run_jobs().await;
    assert!(kinds_of_notices(&owner).await.contains(&"plan_limit_near".to_owned()), "at eighty percent");
    app.execute("UPDATE subscription_usage SET used = 999 WHERE unit = 'API_CALLS'").await;
    program.run(ask, json!({})).await.at("/vehicles");
    for _ in 0..2 {
        let refused = program.run(ask, json!({})).await;
        let expected =
            json!({ "unit": "API_CALLS", "limit": 1000, "used": 1000, "plan": "FREE", "action": "CHANGE_PLAN" });
        assert_eq!(details(&refused), &expected);
    }
    owner.run(ask, json!({})).await.at("/vehicles");
    assert_eq!(used(&owner, "API_CALLS").await, 1_000);
    assert_eq!(kinds_of_notices(&owner).await.iter().filter(|kind| *kind == "plan_limit_near").count(), 1, "once");
    app.finish().await;
}

/// Numbers that look random and are the same for a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Whoever tries again is not counted again, however many try at the same time and however many break off.
#[tokio::test]
async fn usage_is_the_number_of_distinct_units() {
    let app = TestApp::start().await;
    for seed in 1..=6 {
        let (mut dice, org) = (Dice(seed), Uuid::now_v7());
        let (mut accepted, mut attempts) = (HashSet::new(), Vec::new());
        for _ in 0..60 {
            let key = format!("unit {}", dice.below(25));
            let breaks_off = dice.below(4) == 0;
            if !breaks_off {
                accepted.insert(key.clone());
            }
            let app = app.app.clone();
            attempts.push(async move {
                let mut tx = app.begin().await.unwrap();
                service::count(&mut tx, org, Unit::Photos, &key).await.unwrap();
                if !breaks_off {
                    tx.commit().await.unwrap();
                }
            });
        }
        // Six at a time, as the pool bears.
        futures_util::stream::iter(attempts).buffer_unordered(6).collect::<Vec<()>>().await;
        let used = app
            .texts(&format!(
                "SELECT used::text AS text FROM subscription_usage WHERE org_id = '{org}' AND unit = 'PHOTOS'"
            ))
            .await;
        assert_eq!(used, [accepted.len().to_string()], "seed {seed}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_smaller_plan_leaves_everything_as_it_is() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let mut ads = Vec::new();
    for _ in 0..7 {
        ads.push(garage.run(PREPARE, json!({ "p": photo })).await.text("/prepareListing/id"));
    }
    app.run_jobs().await;
    let everything =
        "{ listings(first: 20) { nodes { id title price { amount } photos { cleaning { cleaned { url } } } } } }";
    let before = garage.run(everything, json!({})).await.data().clone();
    let garage = after(&app, 31, "dupont").await;
    assert_eq!(plan_of(&garage).await.0, "FREE");
    assert_eq!(garage.run(everything, json!({})).await.data(), &before, "nothing is hidden");
    let address = before.pointer("/listings/nodes/0/photos/0/cleaning/cleaned/url").unwrap().as_str().unwrap();
    assert_eq!(app.anonymous().get(address).await.status(), 200, "nor withdrawn");
    assert_eq!(details(&garage.run(PREPARE, json!({ "p": photo })).await)["used"], 7);
    let edit = "mutation($id: UUID!) { editListing(id: $id, priceEur: 9000) { price { amount } } }";
    assert_eq!(garage.run(edit, json!({ "id": ads[0] })).await.at("/editListing/price/amount"), 9_000);
    app.run_jobs().await;
    let sell = "mutation($id: UUID!) { markListingSold(id: $id) { id } }";
    for ad in &ads[..3] {
        garage.run(sell, json!({ "id": ad })).await.at("/markListingSold");
    }
    garage.run(PREPARE, json!({ "p": photo })).await.at("/prepareListing");
    garage.run("mutation { exportData { state } }", json!({})).await.at("/exportData");
    app.run_jobs().await;
    assert_eq!(garage.run("{ dataExports { state } }", json!({})).await.at("/dataExports/0/state"), "READY");
    app.finish().await;
}

#[tokio::test]
async fn meters_are_kept_for_two_years_and_a_month() {
    let app = TestApp::start().await;
    app.garage("dupont").await.upload(photo(1)).await.at("/uploadPhoto");
    let count = async || app.texts("SELECT count(*)::text AS text FROM subscription_meter").await.remove(0);
    for (days, left) in [(700, "1"), (100, "0")] {
        app.app.clock().advance(Duration::from_secs(days * DAY));
        keroxio_core::relay::look(&app.app).await.unwrap();
        app.app.clock().advance(Duration::from_secs(DAY));
        keroxio_core::relay::look(&app.app).await.unwrap();
        app.run_jobs().await;
        assert_eq!(count().await, left);
    }
    app.finish().await;
}
