//! A garage's stock: brought in from a table, found, moved, sold, taken out again.

use keroxio_test_support::{Actor, Answer, TestApp, fixture};
use serde_json::{Value, json};

const IMPORT: &str = "mutation($file: Upload!, $d: Boolean!, $s: Boolean!) {
  importStock(file: $file, dryRun: $d, skipErrors: $s) {
    id lines created updated unchanged refused errors { line column message messageEn } } }";
const UNDO: &str = "mutation($id: UUID!) { undoStockImport(id: $id) { removed restored kept } }";
const FIND: &str = "query($s: String, $in: [StockState!]) { vehicles(search: $s, states: $in, first: 100) {
  nodes { id stockNumber make model plate mileageKm firstRegistration fuel gearbox askingPrice { amount } stockState } } }";
const MOVE: &str = "mutation($id: UUID!, $to: StockState!) { moveVehicle(id: $id, to: $to) { stockState nextStates } }";
const CAR: &str = "query($id: UUID!) { vehicle(id: $id) { stockState daysInStock moves { from to movedBy } } }";
const HEADER: &str = "Référence;Immatriculation;Marque;Modèle;Version;Mise en circulation;Kilométrage;Énergie;Boîte de vitesses;Prix TTC\n";

async fn import(garage: &Actor, table: impl AsRef<[u8]>, dry_run: bool, skip_errors: bool) -> Answer {
    garage.send(IMPORT, json!({ "d": dry_run, "s": skip_errors }), table.as_ref().to_vec()).await
}

fn three_cars() -> String {
    format!(
        "{HEADER}VO-1;GA-123-BB;Renault;Mégane;1.5 dCi;03/2019;45 000 km;Gazole;Mécanique;\"11 990,00 €\"\n\
         VO-2;;Peugeot;208;PureTech 82;14/06/2020;30000;Essence;BVM5;12490\n\
         VO-3;FH-204-KZ;Citroën;C3;;2018-11;62000;Essence;Automatique;9990\n"
    )
}

async fn found(garage: &Actor, search: &str) -> Vec<String> {
    let answer = garage.run(FIND, json!({ "s": search })).await;
    let nodes = answer.at("/vehicles/nodes").as_array().unwrap().iter();
    nodes.map(|car| car["stockNumber"].as_str().unwrap().to_owned()).collect()
}

async fn id_of(garage: &Actor, number: &str) -> String {
    garage.run(FIND, json!({ "s": number })).await.text("/vehicles/nodes/0/id")
}

#[tokio::test]
async fn a_stock_comes_in_from_a_table_and_is_found_again() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let dry = import(&garage, three_cars(), true, false).await;
    assert_eq!(dry.at("/importStock/created"), 3);
    assert_eq!(dry.at("/importStock/id"), &Value::Null);
    assert_eq!(found(&garage, "").await, [""; 0], "a dry run saves nothing");

    let done = import(&garage, three_cars(), false, false).await;
    assert_eq!((done.at("/importStock/created"), done.at("/importStock/refused")), (&json!(3), &json!(0)));
    let cars = garage.run(FIND, json!({ "s": "VO-1" })).await;
    let mut car = cars.at("/vehicles/nodes/0").clone();
    car["id"] = Value::Null;
    let expected = json!({ "id": null, "stockNumber": "VO-1", "make": "Renault", "model": "Mégane", "plate": "GA-123-BB",
        "mileageKm": 45_000, "firstRegistration": "2019-03", "fuel": "DIESEL", "gearbox": "MANUAL",
        "askingPrice": { "amount": 11_990 }, "stockState": "PREPARING" });
    assert_eq!(car, expected);
    let painted = "mutation($id: UUID!) { updateVehicle(id: $id, input: { colour: \"BLEU MÉTALLISÉ\" }) { id } }";
    garage.run(painted, json!({ "id": id_of(&garage, "VO-3").await })).await.at("/updateVehicle");
    for (search, numbers) in [
        ("", vec!["VO-3", "VO-2", "VO-1"]),
        ("megane", vec!["VO-1"]),
        ("MEGANNE dci", vec!["VO-1"]),
        ("reanult", vec!["VO-1"]),
        ("citroen c3", vec!["VO-3"]),
        ("ga 123 bb", vec!["VO-1"]),
        ("ga-123-bb", vec!["VO-1"]),
        ("208", vec!["VO-2"]),
        ("2020", vec!["VO-2"]),
        ("renault 208", vec![]),
        ("% _", vec![]),
        ("ferrari", vec![]),
        ("metallise", vec!["VO-3"]),
        ("1.5 d ci", vec!["VO-1"]),
    ] {
        assert_eq!(found(&garage, search).await, numbers, "{search}");
    }
    assert_eq!(stranger.run(FIND, json!({})).await.at("/vehicles/nodes"), &json!([]));
    assert_eq!(garage.run(FIND, json!({ "s": "x".repeat(101) })).await.code(), "BAD_INPUT");

    let again = import(&garage, three_cars().replace("45 000", "46 000"), false, false).await;
    let counts = ["created", "updated", "unchanged"].map(|n| again.at(&format!("/importStock/{n}")).clone());
    assert_eq!(counts, [0, 1, 2]);
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_line_stops_all_unless_it_is_left_out() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let table = format!(
        "{HEADER}VO-1;;Renault;Clio;;03/2019;45000;Essence;;9990\n;;;Clio;;03/2019;45000;Essence;;9990\n\
         VO-3;;Renault;Clio;;2019;45000;Essence;;9990\nVO-4;;Renault;Clio;;03/2019;45000;Charbon;;9990\n\
         VO-1;;Fiat;500;;;;;;\nVO-6;WW-123-AB;Renault;Clio;;;;;;\nVO-7;;<b>Fiat</b>;=1+1;;;-3;;;\n"
    );
    let refused = import(&garage, &table, false, false).await;
    let errors = refused.at("/importStock/errors").as_array().unwrap().clone();
    let wrong: Vec<(i64, &str)> =
        errors.iter().map(|e| (e["line"].as_i64().unwrap(), e["column"].as_str().unwrap())).collect();
    let expected =
        [(3, "make"), (4, "first_registration"), (5, "fuel"), (6, "stock_number"), (7, "plate"), (8, "mileage_km")];
    assert_eq!(wrong, expected);
    assert_eq!(errors[2]["message"], "« Charbon » n'est pas compris");
    assert_eq!(found(&garage, "").await, [""; 0], "nothing is half-imported");
    let taken = import(&garage, &table, false, true).await;
    assert_eq!((taken.at("/importStock/created"), taken.at("/importStock/refused")), (&json!(1), &json!(6)));
    assert_eq!(found(&garage, "").await, ["VO-1"]);

    assert_eq!(import(&garage, "couleur\nbleu\n", false, false).await.code(), "COLUMNS_MISSING");
    let long = format!("marque;modele\n{}", "Renault;Clio\n".repeat(5_001));
    assert_eq!(import(&garage, long, false, false).await.code(), "BAD_INPUT");
    assert_eq!(import(&garage, b"PK\x03\x04 no workbook", false, false).await.code(), "BAD_INPUT");
    let taken = garage.run("mutation { createVehicle(input: { stockNumber: \"VO-1\" }) { id } }", json!({})).await;
    assert_eq!(taken.code(), "STOCK_NUMBER_TAKEN");
    app.finish().await;
}

#[tokio::test]
async fn an_import_is_taken_back_but_not_what_was_worked_on_since() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let first = import(&garage, three_cars(), false, false).await.text("/importStock/id");
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id price { amount } vehicle { stockNumber } } }";
    let input = json!({ "i": { "photoIds": [photo], "vehicleId": id_of(&garage, "VO-3").await } });
    assert_eq!(stranger.run(prepare, input.clone()).await.code(), "NOT_FOUND");
    let listing = garage.run(prepare, input.clone()).await;
    assert_eq!(listing.at("/prepareListing/vehicle/stockNumber"), "VO-3");
    assert_eq!(listing.at("/prepareListing/price/amount"), 9_990, "the ad begins with the price of the stock");
    assert_eq!(garage.run(prepare, input).await.code(), "VEHICLE_LISTED");
    app.run_jobs().await;
    let second = format!("{HEADER}VO-3;;Citroën;C3;Shine;;63000;;;9490\nVO-4;;Fiat;500;;;;;;\n");
    let second = import(&garage, second, false, false).await;
    let counts = ["created", "updated"].map(|n| second.at(&format!("/importStock/{n}")).clone());
    assert_eq!(counts, [1, 1]);
    let second = second.text("/importStock/id");

    assert_eq!(stranger.run(UNDO, json!({ "id": second })).await.code(), "NOT_FOUND");
    let undone = garage.run(UNDO, json!({ "id": second })).await;
    assert_eq!(undone.at("/undoStockImport"), &json!({ "removed": 1, "restored": 1, "kept": 0 }));
    let restored = garage.run(FIND, json!({ "s": "VO-3" })).await;
    assert_eq!(restored.at("/vehicles/nodes/0/mileageKm"), 62_000);
    assert_eq!(garage.run(UNDO, json!({ "id": second })).await.code(), "IMPORT_UNDONE");
    let undone = garage.run(UNDO, json!({ "id": first })).await;
    assert_eq!(undone.at("/undoStockImport"), &json!({ "removed": 2, "restored": 0, "kept": 1 }));
    assert_eq!(found(&garage, "").await, ["VO-3"]);
    let past = garage.run("{ stockImports { nodes { created updated undoneAt } } }", json!({})).await;
    assert_eq!(past.at("/stockImports/nodes").as_array().unwrap().len(), 2);
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn what_is_exported_comes_in_again_unchanged() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    import(&garage, three_cars().replace("1.5 dCi", "=HYPERLINK(1)"), false, false).await.at("/importStock");
    let abroad = json!({ "make": "Opel", "model": "Corsa", "plate": "B-AB 1234", "foreignPlate": true,
        "vin": "W0L0XEP6894123456", "co2": 118 });
    garage
        .run("mutation($i: VehicleInput!) { createVehicle(input: $i) { id } }", json!({ "i": abroad }))
        .await
        .at("/createVehicle");
    let export = "mutation($f: StockFormat!, $s: String) { exportStock(format: $f, search: $s) { url cars } }";
    for format in ["CSV", "XLSX"] {
        let file = garage.run(export, json!({ "f": format })).await;
        assert_eq!(file.at("/exportStock/cars"), 4);
        let answer = garage.get(&file.text("/exportStock/url")).await;
        let saved = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(saved.starts_with("attachment; filename="), "{saved}");
        let bytes = answer.bytes().await.unwrap();
        if format == "CSV" {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(text.starts_with("\u{feff}reference;immatriculation;plaque_etrangere;marque"), "{text}");
            assert!(text.contains(";'=HYPERLINK(1);"), "{text}");
        }
        let again = import(&garage, bytes, true, false).await;
        let counts =
            ["created", "updated", "unchanged", "refused"].map(|n| again.at(&format!("/importStock/{n}")).clone());
        assert_eq!(counts, [0, 0, 4, 0], "{format}: {}", again.0);
    }
    let some = garage.run(export, json!({ "f": "CSV", "s": "peugeot" })).await;
    assert_eq!(some.at("/exportStock/cars"), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_car_goes_through_the_stock_with_its_ad() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let state = async |id: &str| garage.run(CAR, json!({ "id": id })).await.text("/vehicle/stockState");
    let move_to = async |id: &str, to: &str| garage.run(MOVE, json!({ "id": id, "to": to })).await;
    let bare = garage.run("mutation { createVehicle(input: { make: \"Fiat\" }) { id } }", json!({})).await;
    let bare = bare.text("/createVehicle/id");
    assert_eq!(move_to(&bare, "READY").await.code(), "STOCK_MOVE_REFUSED", "facts are missing");
    assert_eq!(move_to(&bare, "PUBLISHED").await.code(), "STOCK_MOVE_REFUSED");
    assert_eq!(stranger.run(MOVE, json!({ "id": bare, "to": "ARRIVING" })).await.code(), "NOT_FOUND");
    assert_eq!(move_to(&bare, "ARRIVING").await.at("/moveVehicle/stockState"), "ARRIVING");

    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let facts = json!({ "make": "Renault", "model": "Clio", "firstRegistration": "2020-03", "mileageKm": 45_000 });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
    let made = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
    let (listing, id) = (made.text("/prepareListing/id"), made.text("/prepareListing/vehicle/id"));
    app.run_jobs().await;
    assert_eq!(state(&id).await, "READY", "the ad is ready");
    let packs = garage.run("query($l: UUID!) { publications(listingId: $l) { id } }", json!({ "l": listing })).await;
    let pack = packs.text("/publications/0/id");
    let confirm = "mutation($id: UUID!) { confirmPublication(id: $id, url: \"https://www.leboncoin.fr/ad/voitures/2718281828\") { id } }";
    garage.run(confirm, json!({ "id": pack })).await.at("/confirmPublication");
    assert_eq!(state(&id).await, "PUBLISHED");

    move_to(&id, "RESERVED").await.at("/moveVehicle");
    move_to(&id, "READY").await.at("/moveVehicle");
    app.run_jobs().await;
    assert_eq!(state(&id).await, "PUBLISHED", "its ad is still online");
    move_to(&id, "SOLD").await.at("/moveVehicle");
    app.run_jobs().await;
    let sold = "query($l: UUID!) { listing(id: $l) { soldAt } publications(listingId: $l) { task } }";
    let after = garage.run(sold, json!({ "l": listing })).await;
    assert!(after.at("/listing/soldAt").is_string(), "the ad is sold with the car");
    assert_eq!(after.at("/publications/0/task"), "WITHDRAW");
    move_to(&id, "READY").await.at("/moveVehicle");
    app.run_jobs().await;
    assert_eq!(state(&id).await, "PUBLISHED");
    assert_eq!(garage.run(sold, json!({ "l": listing })).await.at("/listing/soldAt"), &Value::Null);
    let withdraw = "mutation($id: UUID!) { withdrawPublication(id: $id) { id } }";
    garage.run(withdraw, json!({ "id": pack })).await.at("/withdrawPublication");
    assert_eq!(state(&id).await, "READY");
    let sell = "mutation($l: UUID!) { markListingSold(id: $l) { id } }";
    garage.run(sell, json!({ "l": listing })).await.at("/markListingSold");
    assert_eq!(state(&id).await, "SOLD");
    assert_eq!(move_to(&id, "DELIVERED").await.at("/moveVehicle/nextStates"), &json!([]));
    app.run_jobs().await;
    let car = garage.run(CAR, json!({ "id": id })).await;
    let moves = car.at("/vehicle/moves").as_array().unwrap();
    assert_eq!((&moves[0]["from"], &moves[0]["to"]), (&json!("SOLD"), &json!("DELIVERED")));
    assert_eq!((&moves[1]["to"], &moves[1]["movedBy"]), (&json!("SOLD"), &Value::Null));
    let summary = garage.run("{ stockSummary { state cars asking { amount } medianDays } }", json!({})).await;
    let by_state: Vec<(&Value, &Value)> =
        summary.at("/stockSummary").as_array().unwrap().iter().map(|s| (&s["state"], &s["cars"])).collect();
    assert_eq!(by_state, [(&json!("ARRIVING"), &json!(1)), (&json!("DELIVERED"), &json!(1))]);
    app.finish().await;
}

#[tokio::test]
async fn a_car_that_is_withdrawn_leaves_its_page_and_the_portals() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let today = app.app.now().date_naive();
    let facts = json!({ "make": "Renault", "model": "Clio", "version": "TCe 90", "firstRegistration": "2020-03",
        "mileageKm": 45_000, "critAir": "CLASS_1", "technicalInspectionOn": today });
    garage.run("mutation { updateOrganization(siren: \"732 829 320\") { siren } }", json!({})).await.at("");
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
    let made = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
    let (listing, id) = (made.text("/prepareListing/id"), made.text("/prepareListing/vehicle/id"));
    app.run_jobs().await;
    let open =
        garage.run("mutation($l: UUID!) { openListingPage(listingId: $l) { url } }", json!({ "l": listing })).await;
    let url = open.text("/openListingPage/url");
    let path = &url[url.find("/a/").unwrap()..];
    assert_eq!(garage.page(path).await.status(), 200);
    garage.run(MOVE, json!({ "id": id, "to": "WITHDRAWN" })).await.at("/moveVehicle");
    app.run_jobs().await;
    assert_eq!(garage.page(path).await.status(), 410);
    let open = "mutation($l: UUID!) { openListingPage(listingId: $l) { url } }";
    assert_eq!(garage.run(open, json!({ "l": listing })).await.code(), "NOT_PUBLISHABLE", "no longer for sale");
    let tasks = "query($l: UUID!) { publications(listingId: $l) { task } }";
    let after = garage.run(tasks, json!({ "l": listing })).await;
    assert!(after.at("/publications").as_array().unwrap().iter().all(|pack| pack["task"].is_null()));
    garage.run(MOVE, json!({ "id": id, "to": "PREPARING" })).await.at("/moveVehicle");
    app.run_jobs().await;
    let after = garage.run(tasks, json!({ "l": listing })).await;
    assert!(after.at("/publications").as_array().unwrap().iter().all(|pack| pack["task"] == "PUBLISH"));
    garage.run(open, json!({ "l": listing })).await.at("/openListingPage/url");
    assert_eq!(garage.run(CAR, json!({ "id": id })).await.at("/vehicle/daysInStock"), 0);
    app.finish().await;
}

#[tokio::test]
async fn a_car_that_is_there_without_a_number_is_found_by_its_plate() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    garage.run("mutation { createVehicle(input: { plate: \"GA-123-BB\" }) { id } }", json!({})).await.at("");
    let done = import(&garage, three_cars(), false, false).await;
    let counts = ["created", "updated"].map(|n| done.at(&format!("/importStock/{n}")).clone());
    assert_eq!(counts, [2, 1]);
    let other = three_cars().replace("VO-", "AB-");
    let done = import(&garage, other, true, false).await;
    assert_eq!(done.at("/importStock/created"), 3, "the same plate under another number is another entry");
    app.run_jobs().await;
    app.finish().await;
}
