//! What a sale needs on paper, day by day.

use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::{Value, json};

use super::{ENTER, arrival, buyer, days, garage, site};

const FILE: &str = "query($l: UUID!) { saleFile(listingId: $l) { kind state dueOn daysLeft } }";

/// State and days left of an item.
async fn item(actor: &Actor, listing: &str, kind: &str) -> (String, Option<i64>) {
    let file = actor.run(FILE, json!({ "l": listing })).await.at("/saleFile").clone();
    let item = file.as_array().unwrap().iter().find(|item| item["kind"] == kind).unwrap().clone();
    (item["state"].as_str().unwrap().to_owned(), item["daysLeft"].as_i64())
}

fn is(state: &str, days: impl Into<Option<i64>>) -> (String, Option<i64>) {
    (state.to_owned(), days.into())
}

#[tokio::test]
async fn days_are_counted_down_and_facts_tick_things_off() {
    let app = TestApp::start().await;
    let owner = garage(&app, "dupont").await;
    let stranger = garage(&app, "martin").await;
    let site = site(&owner, "Grenoble").await;
    let photo = owner.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let car = json!({ "make": "Renault", "model": "Clio", "version": "TCe 90 Zen", "plate": "GB-482-KT", "colour": "Gris",
        "vin": "VF3LCYHZRLS012345", "firstRegistration": "2018-03", "mileageKm": 45_000 });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
    let listing = owner.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": car } })).await;
    let (listing, vehicle) = (listing.text("/prepareListing/id"), listing.text("/prepareListing/vehicle/id"));
    app.run_jobs().await;
    assert_eq!(stranger.run(FILE, json!({ "l": listing })).await.code(), "NOT_FOUND");
    // A program, whose key outlives the days of this test.
    let garage = app.program(&owner, &["READ", "STOCK", "PUBLISH"]).await;
    assert_eq!(item(&garage, &listing, "INSPECTION").await, is("DUE", None));
    assert_eq!(item(&garage, &listing, "STATUS_CERTIFICATE").await, is("DUE", None));
    assert_eq!(item(&garage, &listing, "REGISTER_ENTRY").await, is("DUE", 0));
    assert_eq!(item(&garage, &listing, "INVOICE").await, is("DUE", None));
    assert_eq!(item(&garage, &listing, "DECLARATION").await, is("DUE", None));

    let today = app.app.now().date_naive();
    let inspected = "mutation($v: UUID!, $d: NaiveDate!, $r: Boolean) { updateVehicle(id: $v, input: { technicalInspectionOn: $d, inspectionRetest: $r }) { id } }";
    garage.run(inspected, json!({ "v": vehicle, "d": today, "r": true })).await.at("/updateVehicle/id");
    let two_months = (today + chrono::Months::new(2) - today).num_days();
    assert_eq!(item(&garage, &listing, "INSPECTION").await, is("DONE", two_months));
    let report = json!({ "v": vehicle, "i": { "holderAgrees": true, "reportOn": today, "saleForbidden": false } });
    let histovec = "mutation($v: UUID!, $i: HistovecInput!) { recordHistovec(vehicleId: $v, input: $i) { id } }";
    owner.run(histovec, report).await.at("/recordHistovec/id");
    assert_eq!(item(&garage, &listing, "STATUS_CERTIFICATE").await, is("DONE", 15));

    days(&app, 16);
    assert_eq!(item(&garage, &listing, "STATUS_CERTIFICATE").await, is("OVERDUE", -1));
    assert_eq!(item(&garage, &listing, "REGISTER_ENTRY").await, is("OVERDUE", -16));
    assert_eq!(item(&garage, &listing, "INSPECTION").await, is("DONE", two_months - 16));
    garage.run(ENTER, json!({ "s": site, "i": arrival(&vehicle) })).await.at("/enterRegister/number");
    assert_eq!(item(&garage, &listing, "REGISTER_ENTRY").await.0, "DONE");

    let sold = "mutation($l: UUID!) { markListingSold(id: $l) { soldAt } }";
    garage.run(sold, json!({ "l": listing })).await.at("/markListingSold/soldAt");
    app.run_jobs().await;
    assert_eq!(item(&garage, &listing, "DECLARATION").await, is("DUE", 15));
    assert_eq!(item(&garage, &listing, "INVOICE").await, is("DUE", 0));
    days(&app, 10);
    assert_eq!(item(&garage, &listing, "DECLARATION").await, is("DUE", 5));
    for overdue in ["INVOICE", "REGISTER_EXIT", "TRANSFER_FORM"] {
        assert_eq!(item(&garage, &listing, overdue).await, is("OVERDUE", -10), "{overdue}");
    }
    days(&app, 6);
    assert_eq!(item(&garage, &listing, "DECLARATION").await, is("OVERDUE", -1));
    assert_eq!(item(&garage, &listing, "INSPECTION").await.0, "DONE", "it was good on the day of the sale");

    let tasks = garage.run("{ saleTasks { id kind } }", json!({})).await.at("/saleTasks").clone();
    let task = tasks.as_array().unwrap().iter().find(|task| task["kind"] == "DECLARE_SALE").unwrap()["id"].clone();
    let complete = "mutation($t: UUID!) { completeSaleTask(id: $t) { id } }";
    garage.run(complete, json!({ "t": task })).await.at("/completeSaleTask/id");
    assert_eq!(item(&garage, &listing, "DECLARATION").await.0, "DONE");
    assert_eq!(item(&garage, &listing, "TRANSFER_FORM").await.0, "DONE");

    let exit = json!({ "s": site, "i": { "arrival": 1, "to": { "name": "Auto Plus", "address": "Lyon", "siret": "73282932000074" } } });
    let leave = "mutation($s: UUID!, $i: RegisterExitInput!) { recordRegisterExit(siteId: $s, input: $i) { number } }";
    garage.run(leave, exit).await.at("/recordRegisterExit/number");
    assert_eq!(item(&garage, &listing, "REGISTER_EXIT").await.0, "DONE");
    invoice_to_a_company(&garage, &listing, app.app.now().date_naive().to_string()).await;
    assert_eq!(item(&garage, &listing, "INVOICE").await.0, "DONE");
    assert_eq!(item(&garage, &listing, "INSPECTION").await, is("NOT_NEEDED", None), "professionals need none");
    app.run_jobs().await;
    app.finish().await;
}

async fn invoice_to_a_company(garage: &Actor, listing: &str, on: String) {
    let mut company: Value = buyer("Auto Plus");
    (company["isCompany"], company["siren"]) = (json!(true), json!("732829320"));
    let input = json!({ "buyer": company, "deliveredOn": on, "dueOn": on });
    let draft = "mutation($l: UUID!, $i: PaperInput!) { draftPaper(kind: INVOICE, listingId: $l, input: $i) { id faults { code } vehicleId } }";
    let draft = garage.run(draft, json!({ "l": listing, "i": input })).await;
    let (id, faults) = (draft.text("/draftPaper/id"), draft.at("/draftPaper/faults"));
    assert_eq!(faults, &json!([]));
    super::issue(garage, &id).await;
}
