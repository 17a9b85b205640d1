//! Nobody reaches what is another organization's, whatever of the schema they ask with its ids.

use std::collections::BTreeSet;

use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::{Map, Value, json};

use super::schema::{NOBODY, Question, Types};

const PREPARE: &str = "mutation($p: UUID!) { prepareListing(input: { photoIds: [$p], vehicle: { make: \"Renault\", model: \"Clio\", firstRegistration: \"2020-03\", mileageKm: 45000 } }) { id } }";

/// A garage with a car, photos, an advertisement, a team and a key.
pub async fn house(app: &TestApp, name: &str) -> Actor {
    let owner = app.verified_garage(name).await;
    furnish(app, &owner, name).await;
    owner
}

pub async fn furnish(app: &TestApp, owner: &Actor, name: &str) {
    let photo = owner.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let listing = owner.run(PREPARE, json!({ "p": photo })).await.text("/prepareListing/id");
    app.run_jobs().await;
    app.member(owner, &format!("{name}-seller"), "SELLER").await;
    app.program(owner, &["READ"]).await;
    let make = [
        "mutation { createVehicle(input: { make: \"Peugeot\", model: \"208\" }) { id } }".to_owned(),
        "mutation { createSite(input: { name: \"Lyon\" }) { id } }".to_owned(),
        "mutation { inviteMember(email: \"later@example.org\", role: SELLER) { id } }".to_owned(),
        "mutation { createWebhook(input: { url: \"https://hooks.example.org/\", events: [LISTING_TAKEN_BACK] }) { secret } }"
            .to_owned(),
        "mutation { createStockFeed(format: XML) { id } }".to_owned(),
        format!("mutation {{ archiveListingPhotos(listingId: \"{listing}\") {{ url }} }}"),
    ];
    for mutation in make {
        let answer = owner.run(&mutation, json!({})).await;
        assert!(answer.codes().is_empty(), "{mutation}: {:?}", answer.0);
    }
    let lead = "mutation($l: UUID!) { createLead(input: { email: \"jean@example.net\", name: \"Jean\", message: \"Bonjour\", listingId: $l,
        consents: [{ purpose: OFFERS, version: \"1\" }] }) { lead { id } } }";
    let lead = owner.run(lead, json!({ "l": listing })).await.text("/createLead/lead/id");
    for mutation in [
        "mutation($l: UUID!) { moveLead(id: $l, to: \"CONTACTED\") { id } }",
        "mutation($l: UUID!) { createLeadTask(leadId: $l, input: { title: \"Rappeler\", dueAt: \"2036-01-01T00:00:00Z\" }) { id } }",
        "mutation($l: UUID!) { answerLead(id: $l, message: \"Elle est disponible.\") { id } }",
    ] {
        let answer = owner.run(mutation, json!({ "l": lead })).await;
        assert!(answer.codes().is_empty(), "{mutation}: {:?}", answer.0);
    }
    papers(owner, &listing).await;
    app.run_jobs().await;
}

/// A draft, an issued paper and an entry of the police register.
async fn papers(owner: &Actor, listing: &str) {
    let address = "address: { lines: [\"1 rue Haute\"], postcode: \"38000\", city: \"Grenoble\" }";
    let seller = format!(
        "mutation {{ setSellerDetails(input: {{ legalForm: \"EI\", siret: \"73282932000074\", vatId: \"FR44732829320\", {address} }}) {{ name }} }}"
    );
    owner.run(&seller, json!({})).await.at("/setSellerDetails/name");
    let input = format!(
        "{{ buyer: {{ name: \"Jean\", {address} }}, lines: [{{ description: \"Vidange\", nature: SERVICE, unitPriceCents: 12000 }}] }}"
    );
    let draft = format!(
        "mutation($l: UUID!) {{ draftPaper(kind: INVOICE, listingId: $l, input: {input}) {{ id vehicleId }} }}"
    );
    owner.run(&draft, json!({ "l": listing })).await.at("/draftPaper/id");
    let drafted = owner.run(&draft, json!({ "l": listing })).await;
    let (paper, vehicle) = (drafted.text("/draftPaper/id"), drafted.text("/draftPaper/vehicleId"));
    let issue = "mutation($p: UUID!) { issuePaper(id: $p) { number } }";
    owner.run(issue, json!({ "p": paper })).await.at("/issuePaper/number");
    let complete =
        "mutation($v: UUID!) { updateVehicle(id: $v, input: { vin: \"VF3LCYHZRLS012345\", colour: \"Gris\" }) { id } }";
    owner.run(complete, json!({ "v": vehicle })).await.at("/updateVehicle/id");
    let site = owner.run("{ sites { id } }", json!({})).await.text("/sites/0/id");
    let enter = "mutation($s: UUID!, $v: UUID!) { enterRegister(siteId: $s, input: { vehicleId: $v,
        from: { name: \"Paul\", address: \"Lyon\", document: \"CNI\", documentNumber: \"X\" } }) { id } }";
    owner.run(enter, json!({ "s": site, "v": vehicle })).await.at("/enterRegister/id");
}

/// Every id that belongs to an organization, from the database itself.
pub async fn ids_of(app: &TestApp, email: &str) -> BTreeSet<String> {
    let org = app.texts(&format!("SELECT org_id::text AS text FROM auth_users WHERE email = '{email}'")).await;
    let tables = app
        .texts(
            "SELECT o.table_name AS text FROM information_schema.columns o JOIN information_schema.columns i \
               ON i.table_name = o.table_name AND i.table_schema = o.table_schema AND i.column_name = 'id' AND i.data_type = 'uuid' \
             WHERE o.table_schema = 'public' AND o.column_name = 'org_id' ORDER BY 1",
        )
        .await;
    let mut ids: BTreeSet<String> = org.iter().cloned().collect();
    for table in tables {
        let query = format!("SELECT id::text AS text FROM {table} WHERE org_id = '{}'", org[0]);
        ids.extend(app.texts(&query).await);
    }
    ids
}

/// All that an organization has, as the database would print it.
pub async fn everything_of(app: &TestApp, org: &str) -> Vec<String> {
    let tables = app
        .texts("SELECT table_name AS text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'org_id' ORDER BY 1")
        .await;
    let mut all = Vec::new();
    for table in tables {
        all.extend(
            app.texts(&format!("SELECT t::text AS text FROM {table} t WHERE org_id = '{org}' ORDER BY 1")).await,
        );
    }
    all
}

/// Somebody else's id and one that nothing has are the same answer.
#[tokio::test]
async fn another_organizations_ids_open_nothing() {
    let app = TestApp::start().await;
    house(&app, "victim").await;
    let stranger = house(&app, "stranger").await;
    let ids = ids_of(&app, "victim@example.org").await;
    assert!(ids.len() > 15, "{ids:?}");
    let org =
        app.texts("SELECT org_id::text AS text FROM auth_users WHERE email = 'victim@example.org'").await.remove(0);
    let before = everything_of(&app, &org).await;
    let sdl = keroxio_schema::sdl();
    let types = Types::of(&sdl);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for root in ["Query", "Mutation"] {
        for field in types.fields(root) {
            let bare = types.question(root, field, &[]);
            for (argument, ty) in bare.ids.iter().filter(|_| !bare.takes_file) {
                let question = types.question(root, field, &[argument]);
                let to_nobody = answer(&stranger, &question, argument, ty, NOBODY).await;
                for id in &ids {
                    asked += 1;
                    let given = answer(&stranger, &question, argument, ty, id).await;
                    if given != to_nobody {
                        wrong.push(format!("{} with {argument} {id}: {given:?}, not {to_nobody:?}", question.field));
                    }
                }
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
    assert!(wrong.is_empty(), "{} told apart, for instance {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    app.run_jobs().await;
    assert_eq!(everything_of(&app, &org).await, before, "and nothing was changed");
    app.finish().await;
}

/// What a field answers to an id: the code of its error and its data.
async fn answer(stranger: &Actor, question: &Question, argument: &str, ty: &str, id: &str) -> (Vec<String>, Value) {
    let value = if ty.starts_with('[') { json!([id]) } else { json!(id) };
    let variables = Value::Object(Map::from_iter([(argument.to_owned(), value)]));
    let answer = stranger.run(&question.text, variables).await;
    (answer.codes().into_iter().map(str::to_owned).collect(), answer.data().clone())
}
