//! From a draft to what nobody changes any more.

use std::collections::BTreeSet;

use chrono::{Datelike as _, TimeZone as _, Utc};
use futures_util::future::join_all;
use keroxio_test_support::TestApp;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    ENTER, ISSUE, arrival, buyer, car, draft, file, garage, issue, issued, repair, seller, site, until, xml_in,
};

const CREDIT: &str =
    "mutation($p: UUID!, $l: [PaperLineInput!]) { creditInvoice(id: $p, reason: \"Geste\", lines: $l) {
    id kind creditsId faults { code } totals { grossCents marginVatCents } } }";
const UPDATE: &str =
    "mutation($p: UUID!, $i: PaperInput!) { updatePaper(id: $p, input: $i) { id totals { grossCents } } }";
const DELETE: &str = "mutation($p: UUID!) { deletePaper(id: $p) }";
const PAPER: &str =
    "query($p: UUID!) { paper(id: $p) { number state pdfUrl pdfSha256 creditedCents buyer { name isCompany }
    deliveredOn quoteId totals { grossCents paidCents dueCents vat { rateBasisPoints vatCents isTaxed } } } }";

#[tokio::test]
async fn a_car_is_offered_invoiced_under_the_margin_scheme_and_taken_back() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let vehicle = car(&garage, "VF3LCYHZRLS012345").await;
    let site = site(&garage, "Grenoble").await;
    garage.run(ENTER, json!({ "s": site, "i": arrival(&vehicle) })).await.at("/enterRegister/number");

    let offer = json!({ "buyer": buyer("Hélène Lefèvre"), "validUntil": "2099-01-31", "deliveredOn": "2098-12-01" });
    let (quote, number) = issued(&garage, "QUOTE", Some(&vehicle), offer).await;
    assert!(number.starts_with("D-") && number.ends_with("-000001"), "{number}");

    let follow = "mutation($p: UUID!) { invoiceFromQuote(id: $p) { id quoteId lines { description vat purchaseCents
        totalCents } totals { netCents vatCents grossCents marginVatCents } faults { code field } } }";
    let invoice = garage.run(follow, json!({ "p": quote })).await.at("/invoiceFromQuote").clone();
    assert_eq!((&invoice["quoteId"], &invoice["faults"]), (&json!(quote), &json!([])));
    let line = json!({ "description": "Véhicule d’occasion Peugeot 308 SW 1.5 BlueHDi 130 Allure", "vat": "MARGIN",
        "purchaseCents": 1_520_000, "totalCents": 1_799_000 });
    assert_eq!(invoice["lines"], json!([line]), "the price of the ad, the cost in the register");
    let totals = json!({ "netCents": 1_799_000, "vatCents": 0, "grossCents": 1_799_000, "marginVatCents": 46_500 });
    assert_eq!(invoice["totals"], totals, "(17990 - 15200) x 20 / 120");
    let id = invoice["id"].as_str().unwrap();
    let done = issue(&garage, id).await;
    assert!(done["number"].as_str().unwrap().starts_with("F-"));

    let url = done["pdfUrl"].as_str().unwrap();
    let pdf = file(&app, url).await;
    assert_eq!(file(&app, url).await, pdf, "always the same bytes");
    let xml = xml_in(&pdf);
    for said in ["Hélène Lefèvre", "Garage des Alpes", "VF3LCYHZRLS012345", "GB-482-KT", "2021-03", "17990.00"] {
        assert!(xml.contains(said), "{said} in {xml}");
    }
    for secret in ["15200", "465.00", "1520000"] {
        assert!(!xml.contains(secret), "the purchase and its margin are nobody's business: {secret}");
    }
    let path = &url[url.find("/documents/").unwrap()..];
    let forged = path.replace("signature=", "signature=00");
    assert_eq!(app.anonymous().page(&forged).await.status(), StatusCode::NOT_FOUND);
    app.app.clock().advance(std::time::Duration::from_secs(2 * 3_600));
    assert_eq!(app.anonymous().page(path).await.status(), StatusCode::NOT_FOUND, "the address has expired");

    let garage = app.log_in("dupont").await;
    let note = garage.run(CREDIT, json!({ "p": id })).await.at("/creditInvoice").clone();
    assert_eq!(note["totals"], json!({ "grossCents": 1_799_000, "marginVatCents": -46_500 }));
    let note = issue(&garage, note["id"].as_str().unwrap()).await;
    assert!(note["number"].as_str().unwrap().starts_with("A-"));
    let xml = xml_in(&file(&app, note["pdfUrl"].as_str().unwrap()).await);
    assert!(xml.contains("<ram:TypeCode>381</ram:TypeCode>") && xml.contains(done["number"].as_str().unwrap()));
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_at_once_and_uses_no_number() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let vehicle = "mutation { createVehicle(input: { make: \"Renault\", model: \"Clio\" }) { id } }";
    let vehicle = garage.run(vehicle, json!({})).await.text("/createVehicle/id");
    let drafted = draft(&garage, "INVOICE", Some(&vehicle), json!({ "buyer": buyer(" ") })).await;
    let codes = |faults: &Value| -> BTreeSet<String> {
        faults.as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap().to_owned()).collect()
    };
    let expected = [
        "ADDRESS_INCOMPLETE",
        "BUYER_NAME_MISSING",
        "CAR_FIRST_REGISTRATION_MISSING",
        "CAR_MILEAGE_MISSING",
        "CAR_NAME_MISSING",
        "CAR_PLATE_MISSING",
        "CAR_VIN_MISSING",
        "DELIVERY_MISSING",
        "MARGIN_PURCHASE_MISSING",
        "SELLER_LEGAL_FORM_MISSING",
        "SELLER_SIREN_MISSING",
        "SELLER_VAT_ID_MISSING",
    ];
    let expected: BTreeSet<String> = expected.map(str::to_owned).into();
    assert_eq!(codes(&drafted["faults"]), expected);
    let refused = garage.run(ISSUE, json!({ "p": drafted["id"] })).await;
    assert_eq!(refused.code(), "DOCUMENT_INVALID");
    let told = refused.0.pointer("/errors/0/extensions/details/faults").unwrap();
    assert_eq!(codes(told), expected);
    let siren = told.as_array().unwrap().iter().find(|fault| fault["code"] == "SELLER_SIREN_MISSING").unwrap();
    assert_eq!(siren["field"], "seller.siren");
    assert!(siren["fr"].as_str().unwrap().contains("SIREN") && siren["en"].is_string());
    assert_eq!(app.texts("SELECT series AS text FROM documents_series").await, Vec::<String>::new());

    let set = "mutation($i: SellerDetailsInput!) { setSellerDetails(input: $i) { name vat } }";
    garage.run(set, json!({ "i": seller() })).await.at("/setSellerDetails/name");
    let written = garage.run(UPDATE, json!({ "p": drafted["id"], "i": repair("Léa Moreau") })).await;
    assert_eq!(written.at("/updatePaper/totals/grossCents"), 12_000);
    let number = issue(&garage, drafted["id"].as_str().unwrap()).await["number"].clone();
    assert!(number.as_str().unwrap().ends_with("-000001"), "the first number: {number}");
    app.finish().await;
}

#[tokio::test]
async fn what_is_issued_stays_whoever_asks() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let stranger = self::garage(&app, "martin").await;
    let (id, number) = issued(&garage, "INVOICE", None, repair("Léa Moreau")).await;
    let before = garage.run(PAPER, json!({ "p": id })).await.at("/paper").clone();

    let refused = garage.run(UPDATE, json!({ "p": id, "i": repair("Jean Petit") })).await;
    assert_eq!(refused.code(), "PAPER_ISSUED");
    assert!(refused.0.pointer("/errors/0/message").unwrap().as_str().unwrap().contains("faites un avoir"));
    assert_eq!(garage.run(DELETE, json!({ "p": id })).await.code(), "PAPER_ISSUED");
    assert_eq!(garage.run(ISSUE, json!({ "p": id })).await.code(), "PAPER_ISSUED");
    for sql in [
        "UPDATE documents_papers SET gross_cents = gross_cents - 1",
        "UPDATE documents_papers SET sale = jsonb_set(sale, '{buyer,name}', '\"Jean\"')",
        "UPDATE documents_papers SET state = 'draft', number = NULL, issued_on = NULL, issued_at = NULL, pdf_sha256 = NULL",
        "DELETE FROM documents_papers",
        "DELETE FROM documents_originals",
        "UPDATE documents_originals SET pdf = ''",
        "TRUNCATE documents_papers, documents_originals",
    ] {
        let refused = app.refused(sql).await;
        assert!(refused.contains("stays as it is") || refused.contains("only added"), "{sql}: {refused}");
    }
    let after = garage.run(PAPER, json!({ "p": id })).await.at("/paper").clone();
    let bare = |mut paper: Value| {
        paper["pdfUrl"].take();
        paper
    };
    assert_eq!(bare(after), bare(before));

    for (query, variables) in [
        (PAPER, json!({ "p": id })),
        (ISSUE, json!({ "p": id })),
        (DELETE, json!({ "p": id })),
        (CREDIT, json!({ "p": id })),
        (UPDATE, json!({ "p": id, "i": repair("Jean Petit") })),
    ] {
        assert_eq!(stranger.run(query, variables).await.code(), "NOT_FOUND", "{query}");
    }
    let papers = "{ papers(filter: { state: ISSUED, kind: INVOICE }) { nodes { number } } }";
    assert_eq!(*stranger.run(papers, json!({})).await.at("/papers/nodes"), json!([]));
    assert_eq!(*garage.run(papers, json!({})).await.at("/papers/nodes"), json!([{ "number": number }]));
    let earlier = "{ papers(filter: { to: \"2020-01-01\" }) { nodes { number } } }";
    assert_eq!(*garage.run(earlier, json!({})).await.at("/papers/nodes"), json!([]));
    app.finish().await;
}

#[tokio::test]
async fn credit_notes_take_back_no_more_than_is_left() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let (id, _) = issued(&garage, "INVOICE", None, repair("Léa Moreau")).await;
    let line = |cents: i64| json!([{ "description": "Geste", "nature": "SERVICE", "unitPriceCents": cents }]);
    // All three fit while none is issued.
    let mut notes = Vec::new();
    for cents in [7_000, 6_000, 5_000] {
        let note = garage.run(CREDIT, json!({ "p": id, "l": line(cents) })).await.at("/creditInvoice").clone();
        assert_eq!((&note["faults"], &note["creditsId"]), (&json!([]), &json!(id)));
        notes.push(note["id"].as_str().unwrap().to_owned());
    }
    // Two at a time that do not fit together: one of them finds the invoice taken back already.
    let both = join_all(notes[..2].iter().map(|note| garage.run(ISSUE, json!({ "p": note })))).await;
    let refused: Vec<_> = both.iter().filter(|answer| !answer.codes().is_empty()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "DOCUMENT_INVALID");
    let fault = refused[0].0.pointer("/errors/0/extensions/details/faults/0/code").unwrap();
    assert_eq!(fault, "CREDIT_EXCEEDS_INVOICE");
    let credited = garage.run(PAPER, json!({ "p": id })).await.at("/paper/creditedCents").as_i64().unwrap();
    assert!([6_000, 7_000].contains(&credited));
    issue(&garage, &notes[2]).await;
    let whole = garage.run(CREDIT, json!({ "p": id })).await.at("/creditInvoice").clone();
    assert_eq!(whole["faults"], json!([{ "code": "CREDIT_EXCEEDS_INVOICE" }]));
    let numbers = app
        .texts(
            "SELECT number AS text FROM documents_papers WHERE kind = 'credit_note' AND number IS NOT NULL ORDER BY 1",
        )
        .await;
    assert!(numbers.len() == 2 && numbers[1].ends_with("-000002"), "{numbers:?}");
    let of_a_quote = draft(&garage, "QUOTE", None, repair("Léa Moreau")).await;
    assert_eq!(garage.run(CREDIT, json!({ "p": of_a_quote["id"] })).await.code(), "PAPER_WRONG_KIND");
    let of_a_draft = draft(&garage, "INVOICE", None, repair("Léa Moreau")).await;
    assert_eq!(garage.run(CREDIT, json!({ "p": of_a_draft["id"] })).await.code(), "PAPER_NOT_ISSUED");
    garage.run(DELETE, json!({ "p": of_a_draft["id"] })).await.at("/deletePaper");
    app.finish().await;
}

/// What becomes of a paper of the property below.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Issued,
    Invalid,
    /// The database fails after the number was given.
    RolledBack,
}

#[tokio::test]
async fn numbers_have_no_gap_whatever_fails_at_once() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    app.execute(
        "CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF (SELECT sale #>> '{buyer,name}' FROM documents_papers WHERE id = NEW.paper_id) = 'Panne' THEN \
             RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$",
    )
    .await;
    app.execute("CREATE TRIGGER breaks BEFORE INSERT ON documents_originals FOR EACH ROW EXECUTE FUNCTION breaks()")
        .await;
    let (mut expected, mut seed) = (0, 0x2026_1127_u64);
    for _ in 0..2 {
        let mut papers = Vec::new();
        for _ in 0..40 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (fate, name) = match (seed >> 33) % 4 {
                0 => (Fate::Invalid, " "),
                1 => (Fate::RolledBack, "Panne"),
                _ => (Fate::Issued, "Léa Moreau"),
            };
            let drafted = draft(&garage, "INVOICE", None, repair(name)).await;
            papers.push((fate, drafted["id"].as_str().unwrap().to_owned()));
        }
        let answers = join_all(papers.iter().map(|(_, id)| garage.run(ISSUE, json!({ "p": id })))).await;
        for ((fate, _), answer) in papers.iter().zip(&answers) {
            match fate {
                Fate::Issued => drop(answer.text("/issuePaper/number")),
                Fate::Invalid => assert_eq!(answer.code(), "DOCUMENT_INVALID"),
                Fate::RolledBack => assert_eq!(answer.code(), "INTERNAL"),
            }
        }
        expected += papers.iter().filter(|(fate, _)| *fate == Fate::Issued).count();
        let numbers =
            app.texts("SELECT number AS text FROM documents_papers WHERE number IS NOT NULL ORDER BY number").await;
        let year = numbers[0].split('-').nth(1).unwrap();
        let whole: Vec<String> = (1..=expected).map(|place| format!("F-{year}-{place:06}")).collect();
        assert_eq!(numbers, whole);
    }
    let order = "SELECT count(*)::text AS text FROM documents_papers a JOIN documents_papers b ON a.number < b.number \
        WHERE a.issued_at > b.issued_at";
    assert_eq!(app.texts(order).await, ["0"], "numbers and moments run the same way");
    app.finish().await;
}

#[tokio::test]
async fn numbers_begin_anew_with_the_year_of_french_clocks() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let program = app.program(&garage, &["READ", "PUBLISH"]).await;
    let this = app.app.now().year() + i32::from(app.app.now().ordinal() > 364);
    // Half past eleven in the evening in Paris.
    until(&app, Utc.with_ymd_and_hms(this, 12, 31, 22, 30, 0).unwrap());
    for place in ["000001", "000002"] {
        let (_, number) = issued(&program, "INVOICE", None, repair("Léa Moreau")).await;
        assert_eq!(number, format!("F-{this}-{place}"));
    }
    app.app.clock().advance(std::time::Duration::from_secs(40 * 60));
    let (_, number) = issued(&program, "INVOICE", None, repair("Léa Moreau")).await;
    assert_eq!(number, format!("F-{}-000001", this + 1));
    // Where another machine is already in the new year, days do not run backwards on this one.
    app.execute("UPDATE documents_series SET last_on = last_on + 1").await;
    let draft = draft(&program, "INVOICE", None, repair("Léa Moreau")).await;
    let late = issue(&program, draft["id"].as_str().unwrap()).await;
    assert_eq!(
        (&late["number"], &late["issuedOn"]),
        (&json!(format!("F-{}-000002", this + 1)), &json!(format!("{}-01-02", this + 1)))
    );
    app.finish().await;
}

#[tokio::test]
async fn who_is_forgotten_stays_on_what_was_issued_to_them() {
    let app = TestApp::start().await;
    let garage = garage(&app, "dupont").await;
    let lead = "mutation { createLead(input: { email: \"lea@example.net\", name: \"Léa Moreau\", message: \"Bonjour\" }) { lead { contact { id } } } }";
    let contact = garage.run(lead, json!({})).await.text("/createLead/lead/contact/id");
    app.run_jobs().await;
    let mut input = repair("Léa Moreau");
    input["contactId"] = json!(contact);
    let (id, number) = issued(&garage, "INVOICE", None, input.clone()).await;
    garage.run("mutation($c: UUID!) { eraseContact(id: $c) }", json!({ "c": contact })).await.at("/eraseContact");
    let kept = garage.run("query($p: UUID!) { paper(id: $p) { contactId buyer { name } } }", json!({ "p": id })).await;
    assert_eq!(*kept.at("/paper"), json!({ "contactId": null, "buyer": { "name": "Léa Moreau" } }));

    let site = site(&garage, "Grenoble").await;
    let vehicle = car(&garage, "VF3LCYHZRLS012345").await;
    garage.run(ENTER, json!({ "s": site, "i": arrival(&vehicle) })).await.at("/enterRegister/number");
    issued(
        &garage,
        "QUOTE",
        None,
        json!({ "buyer": buyer("Léa"), "lines": repair("")["lines"], "validUntil": "2099-01-01" }),
    )
    .await;
    let erase = "mutation { eraseOrganization(name: \"dupont\", password: \"correct horse battery\") }";
    let certificate = garage.run(erase, json!({})).await.text("/eraseOrganization");
    app.run_jobs().await;
    let left = "SELECT id::text AS text FROM documents_papers UNION ALL SELECT id::text FROM documents_register";
    assert_eq!(app.texts(left).await, Vec::<String>::new());
    let held = format!("SELECT kept::text AS text FROM privacy_erasures WHERE id = '{certificate}'");
    let kept: Value = serde_json::from_str(&app.texts(&held).await[0]).unwrap();
    let rows = |code: &str| kept.as_array().unwrap().iter().find(|rule| rule["code"] == code).unwrap()["rows"].clone();
    let paper = &rows("papers")[0];
    assert_eq!((rows("papers").as_array().unwrap().len(), &paper["row"]["number"]), (1, &json!(number)));
    // "%PDF-" in Base64: the paper itself, and not only that there was one.
    assert!(paper["row"]["pdf"].as_str().unwrap().starts_with("JVBERi0"));
    assert!(paper["until"].is_string());
    assert_eq!(rows("register")[0]["row"]["entry"]["event"]["from"]["name"], "Paul Durand");
    app.finish().await;
}
