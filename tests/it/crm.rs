//! From somebody who asks about a car to one who drives away in it.

use std::time::Duration;

use chrono::{DateTime, TimeZone as _, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::relay;
use keroxio_test_support::{Actor, Answer, Setup, TestApp, fixture};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;

const CREATE: &str = "mutation($i: CreateLeadInput!) { createLead(input: $i) { merged lead { id } } }";
const MOVE: &str = "mutation($l: UUID!, $t: String!, $r: String) { moveLead(id: $l, to: $t, reason: $r) {
    stage { key } closedAt lostReason } }";
const UNDO: &str = "mutation($l: UUID!) { undoLeadMove(id: $l) { stage { key } closedAt lostReason } }";
const SUBMIT: &str = "mutation($i: SubmitLeadInput!) { submitLead(input: $i) { received } }";
const LEADS: &str =
    "{ leads(first: 20) { nodes { id source message touches unreadable carText stage { key } value { amount }
    contact { name emails phones postalCode consents { purpose version source withdrawnAt } } vehicle { stockNumber }
    listing { id } mails { url } interactions { kind direction body remark } } } }";
const SECRET: &str = "a secret that signs mail";

/// A garage whose Clio is shown on a page of its own: the listing, and the path of the page.
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
    let path = url[url.find("/a/").unwrap()..].to_owned();
    (garage, listing, path)
}

fn later(app: &TestApp, seconds: u64) {
    app.app.clock().advance(Duration::from_secs(seconds));
}

async fn create(garage: &Actor, input: Value) -> (String, bool) {
    let made = garage.run(CREATE, json!({ "i": input })).await;
    (made.text("/createLead/lead/id"), made.at("/createLead/merged").as_bool().unwrap())
}

async fn leads(garage: &Actor) -> Vec<Value> {
    garage.run(LEADS, json!({})).await.at("/leads/nodes").as_array().unwrap().clone()
}

async fn send_form(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let body: String = fields.iter().map(|(name, value)| format!("{name}={}&", escaped(value))).collect();
    let request = client.post(format!("{}{path}/contact", app.base)).body(body);
    request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap()
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn token_in(html: &str) -> String {
    html.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn form(app: &TestApp, listing: &str) -> Answer {
    app.anonymous()
        .run("query($l: UUID!) { leadForm(listingId: $l) { token consentVersion } }", json!({ "l": listing }))
        .await
}

#[tokio::test]
async fn somebody_writes_on_the_page_and_buys_the_car() {
    let app = Setup::default().set("KEROXIO_WEBHOOKS_PRIVATE", "on").start().await;
    let (garage, listing, path) = shop(&app, "dupont").await;
    let stranger = app.garage("martin").await;
    let webhook = "mutation { createWebhook(input: { url: \"http://127.0.0.1:9/\", events: [LEAD_RECEIVED, LEAD_MOVED] }) { webhook { id } } }";
    garage.run(webhook, json!({})).await.at("/createWebhook");
    let mut live = garage.subscribe("subscription { leadChanged { id stage { key } } }", json!({})).await;

    let html = app.anonymous().page(&path).await.text().await.unwrap();
    let token = token_in(&html);
    let fields = [
        ("form", token.as_str()),
        ("name", "Léa <b>Moreau"),
        ("email", " Lea@Example.net "),
        ("phone", "06 11 22 33 44"),
        ("postal_code", "69003"),
        ("message", "Bonjour,\r\n\r\nest-elle encore disponible ?"),
        ("offers", "1"),
        ("website", ""),
    ];
    let hasty = send_form(&app, &path, &fields).await;
    assert_eq!(hasty.status(), StatusCode::TOO_MANY_REQUESTS);
    let again = hasty.text().await.unwrap();
    assert!(
        again.contains("Léa &lt;b&gt;Moreau") && again.contains("est-elle encore"),
        "nothing is written twice: {again}"
    );
    assert_eq!(token_in(&again), token);
    later(&app, 4);
    let taken = send_form(&app, &path, &fields).await;
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    let thanks = taken.headers()["location"].to_str().unwrap().to_owned();
    assert!(app.anonymous().page(&thanks).await.text().await.unwrap().contains("Merci"));
    app.run_jobs().await;

    let lead = leads(&garage).await.remove(0);
    let id = lead["id"].as_str().unwrap().to_owned();
    assert_eq!(live.next().await.unwrap().at("/leadChanged/id"), &json!(id));
    assert_eq!(
        (&lead["source"], &lead["stage"]["key"], &lead["listing"]["id"]),
        (&json!("PAGE_FORM"), &json!("NEW"), &json!(listing))
    );
    assert_eq!(lead["value"]["amount"], 12_540, "the price of the car");
    assert_eq!(lead["message"], "Bonjour,\n\nest-elle encore disponible ?");
    let contact = &lead["contact"];
    assert_eq!((&contact["emails"], &contact["phones"]), (&json!(["lea@example.net"]), &json!(["+33611223344"])));
    assert_eq!(
        contact["consents"],
        json!([{ "purpose": "OFFERS", "version": "page-2026-11", "source": "page_form", "withdrawnAt": null }])
    );
    assert_eq!(leads(&stranger).await, Vec::<Value>::new());
    let told = garage.run("{ notifications(first: 1) { nodes { kind title subjectId } } }", json!({})).await;
    assert_eq!(
        told.at("/notifications/nodes/0"),
        &json!({ "kind": "lead_received", "title": "Nouveau contact", "subjectId": id })
    );
    assert!(app.letters_to("dupont@example.org").await.contains(&"lead_received".to_owned()));

    later(&app, 600);
    let answer = "mutation($l: UUID!, $m: String!) { answerLead(id: $l, message: $m) { firstResponseMinutes score { total factors { name points most } } } }";
    let answered = garage.run(answer, json!({ "l": id, "m": "Bonjour,\n\nOui, passez samedi." })).await;
    assert_eq!(answered.at("/answerLead/firstResponseMinutes"), 10);
    let points = |name: &str| {
        let factors = answered.at("/answerLead/score/factors").as_array().unwrap();
        factors.iter().find(|factor| factor["name"] == name).unwrap()["points"].as_i64().unwrap()
    };
    let known = ["COMPLETENESS", "MESSAGE", "CAR_FOR_SALE", "RECENCY", "RETURNED", "RESPONSE"].map(points);
    assert_eq!(known, [25, 10, 20, 20, 0, 15]);
    assert_eq!(answered.at("/answerLead/score/total"), 90);
    let letter = app.texts("SELECT concat_ws('|', subject, reply_to, plain) AS text FROM email_messages WHERE recipient = 'lea@example.net'").await;
    assert!(
        letter[0].starts_with("Votre demande – Renault Clio") && letter[0].contains("|dupont@example.org|Bonjour,"),
        "{letter:?}"
    );

    for (stage, closed) in [("TEST_DRIVE", false), ("WON", true)] {
        let moved = garage.run(MOVE, json!({ "l": id, "t": stage })).await;
        assert_eq!(
            (moved.at("/moveLead/stage/key"), moved.at("/moveLead/closedAt").is_string()),
            (&json!(stage), closed)
        );
    }
    let board = "{ leadBoard { weightedValue { amount } columns { stage { key probability } count value { amount } weightedValue { amount } leads { id } } } }";
    let board = garage.run(board, json!({})).await;
    assert_eq!(board.at("/leadBoard/columns").as_array().unwrap().len(), 7);
    assert_eq!(
        board.at("/leadBoard/columns/5"),
        &json!({ "stage": { "key": "WON", "probability": 100 }, "count": 1,
        "value": { "amount": 12_540 }, "weightedValue": { "amount": 12_540 }, "leads": [{ "id": id }] })
    );
    assert_eq!(board.at("/leadBoard/weightedValue/amount"), 0, "what is won is no hope any more");
    let told =
        app.texts("SELECT name || ' ' || (facts - 'leadId')::text AS text FROM webhook_events ORDER BY id").await;
    assert_eq!(
        told,
        [r#"crm.lead_received {"merged": false, "source": "page_form"}"#,],
        "the moves are still to be told"
    );
    app.run_jobs().await;
    let told = app.texts("SELECT name || coalesce(facts ->> 'to', '') AS text FROM webhook_events ORDER BY id").await;
    assert_eq!(told, ["crm.lead_received", "crm.lead_movedTEST_DRIVE", "crm.lead_movedWON"]);
    // What is said of people is in no notice, no job and no event.
    let elsewhere = app
        .texts("SELECT row_to_json(t)::text AS text FROM notification_items t UNION ALL SELECT row_to_json(t)::text FROM core_jobs t UNION ALL SELECT row_to_json(t)::text FROM webhook_events t")
        .await;
    assert!(
        elsewhere.iter().all(|row| !row.to_lowercase().contains("lea@") && !row.contains("Moreau")),
        "{elsewhere:?}"
    );
    app.execute("DELETE FROM core_jobs").await;
    app.finish().await;
}

#[tokio::test]
async fn a_form_takes_no_flood_and_tells_nobody_who_is_known() {
    let app = Setup::default().set("KEROXIO_PROXY", "on").start().await;
    let (garage, listing, path) = shop(&app, "dupont").await;
    let other =
        garage.run("mutation { createVehicle(input: { make: \"Fiat\", model: \"500\" }) { id } }", json!({})).await;
    let hidden = other.text("/createVehicle/id");
    assert_eq!(form(&app, &hidden).await.code(), "NOT_FOUND", "nothing that is not shown");
    let token = form(&app, &listing).await.text("/leadForm/token");
    later(&app, 5);
    let from = async |address: &str, input: Value| {
        let mut all = json!({ "form": token, "email": "lea@example.net", "message": "Bonjour" });
        all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        let body = json!({ "query": SUBMIT, "variables": { "i": all } });
        let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).json(&body);
        Answer(request.header("x-forwarded-for", address).send().await.unwrap().json().await.unwrap())
    };
    let mut forged = token.clone();
    forged.replace_range(3..4, if &token[3..4] == "A" { "B" } else { "A" });
    for (input, code) in [
        (json!({ "form": forged }), "FORM_INVALID"),
        (json!({ "form": "" }), "FORM_INVALID"),
        (json!({ "message": "voir https://a.example http://b.example www.c.example" }), "MESSAGE_REFUSED"),
        (json!({ "message": "x".repeat(4_001) }), "BAD_INPUT"),
        (json!({ "email": null }), "BAD_INPUT"),
        (json!({ "email": "lea@example" }), "BAD_INPUT"),
    ] {
        assert_eq!(from("192.0.2.1", input.clone()).await.code(), code, "{input}");
    }
    let new = from("192.0.2.2", json!({})).await;
    let known = from("192.0.2.2", json!({ "message": "Encore moi" })).await;
    let found_out = from("192.0.2.2", json!({ "email": "bot@example.net", "website": "https://x" })).await;
    assert_eq!(new.data(), &json!({ "submitLead": { "received": true } }));
    assert_eq!((known.data(), found_out.data()), (new.data(), new.data()), "the answer is the same whoever it is");
    let kept = leads(&garage).await;
    assert_eq!(kept.len(), 1, "whoever fills in everything is not kept");
    assert_eq!(kept[0]["touches"], 2);
    assert_eq!(kept[0]["interactions"].as_array().unwrap().len(), 2, "and no message is lost");

    for _ in 0..2 {
        assert_eq!(from("192.0.2.2", json!({})).await.codes(), Vec::<&str>::new());
    }
    let held = from("192.0.2.2", json!({})).await;
    assert_eq!(held.code(), "TOO_MANY_ATTEMPTS");
    assert!(held.0["errors"][0]["extensions"]["details"]["retryAfterSeconds"].as_u64().unwrap() > 0);
    for n in 0..80 {
        from(&format!("198.51.100.{n}"), json!({ "email": format!("a{n}@example.net") })).await;
    }
    assert_eq!(from("203.0.113.1", json!({})).await.code(), "TOO_MANY_ATTEMPTS", "and not much about one ad");
    let board = garage.run("{ leadBoard { columns { count } } }", json!({})).await;
    let count = board.at("/leadBoard/columns/0/count").as_i64().unwrap();
    assert!((57..60).contains(&count), "sixty messages in an hour: {count}");
    let huge = "x".repeat(40_000);
    let refused = send_form(&app, &path, &[("form", &token), ("message", &huge)]).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);

    later(&app, 90_000);
    assert_eq!(from("192.0.2.9", json!({})).await.code(), "FORM_INVALID", "a form is good for a day");
    let garage = app.log_in("dupont").await;
    garage
        .run("mutation($l: UUID!) { closeListingPage(listingId: $l) { open } }", json!({ "l": listing }))
        .await
        .at("/closeListingPage");
    assert_eq!(form(&app, &listing).await.code(), "NOT_FOUND");
    assert_eq!(
        send_form(&app, &path, &[("form", &token), ("email", "l@example.net")]).await.status(),
        StatusCode::GONE
    );
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn one_person_about_one_car_is_one_lead_whatever_way_they_come() {
    let app = TestApp::start().await;
    let (garage, listing, _) = shop(&app, "dupont").await;
    let other = app.garage("martin").await;
    let input = |email: Option<&str>, phone: Option<&str>, listing: Option<&str>| json!({ "email": email, "phone": phone, "listingId": listing, "message": "Bonjour" });
    let (first, merged) = create(&garage, input(Some("lea@example.net"), Some("0611223344"), Some(&listing))).await;
    assert!(!merged);
    let by_phone = create(&garage, input(Some("lea.m@example.org"), Some("+33 6 11 22 33 44"), Some(&listing))).await;
    let by_mail = create(&garage, input(Some("LEA@example.net"), None, Some(&listing))).await;
    let by_other_mail = create(&garage, input(Some("lea.m@example.org"), None, Some(&listing))).await;
    assert_eq!([by_phone, by_mail, by_other_mail], [(); 3].map(|()| (first.clone(), true)));
    let (second, merged) = create(&garage, input(Some("lea@example.net"), None, None)).await;
    assert!(!merged && second != first, "another car is another lead");
    let kept = leads(&garage).await;
    assert_eq!(kept.len(), 2);
    let contact = json!({ "emails": ["lea@example.net", "lea.m@example.org"], "phones": ["+33611223344"] });
    for lead in &kept {
        assert_eq!((&lead["contact"]["emails"], &lead["contact"]["phones"]), (&contact["emails"], &contact["phones"]));
    }
    assert_eq!((&kept[1]["touches"], kept[1]["interactions"].as_array().unwrap().len()), (&json!(4), 4));
    let (theirs, merged) = create(&other, input(Some("lea@example.net"), None, None)).await;
    assert!(!merged && theirs != first, "another garage knows nothing of her");
    assert!(!create(&other, input(None, Some("06 99 88 77 66"), None)).await.1);
    // A message that fits two people: the address counts, and the number stays the other's.
    create(&other, input(Some("lea@example.net"), Some("0699887766"), None)).await;
    let found = other.run("{ contacts(search: \"06 99 88 77 66\") { nodes { emails phones } } }", json!({})).await;
    assert_eq!(found.at("/contacts/nodes"), &json!([{ "emails": [], "phones": ["+33699887766"] }]));

    later(&app, 31 * 86_400);
    let garage = app.log_in("dupont").await;
    let (third, merged) = create(&garage, input(Some("lea@example.net"), None, Some(&listing))).await;
    assert!(!merged && third != first, "after thirty days it is a new one");
    app.run_jobs().await;
    app.finish().await;
}

/// A signed mail, as a mail server of ours hands it over.
async fn deliver(app: &TestApp, raw: &[u8]) -> (StatusCode, Value) {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(raw);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = reqwest::Client::new().post(format!("{}/inbound/email", app.base)).body(raw.to_vec());
    let answer = request.header("x-keroxio-signature", format!("sha256={digest}")).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn mail(name: &str, alias: &str) -> Vec<u8> {
    let raw = fixture(&format!("mails/{name}.eml"));
    let at = raw.windows(5).position(|part| part == b"ALIAS").unwrap();
    [&raw[..at], alias.as_bytes(), &raw[at + 5..]].concat()
}

async fn alias(garage: &Actor, listing: Option<&str>) -> Answer {
    garage
        .run("mutation($l: UUID) { rotateLeadAlias(listingId: $l) { address listingId } }", json!({ "l": listing }))
        .await
}

fn inbound() -> Setup {
    Setup::default().set("KEROXIO_INBOUND_DOMAIN", "leads.example.org").set("KEROXIO_INBOUND_SECRET", SECRET)
}

#[tokio::test]
async fn mails_of_portals_and_people_become_leads_about_the_right_car() {
    let app = inbound().start().await;
    let (garage, listing, _) = shop(&app, "dupont").await;
    let packs =
        garage.run("query($l: UUID!) { publications(listingId: $l) { id platform } }", json!({ "l": listing })).await;
    let pack =
        packs.at("/publications").as_array().unwrap().iter().find(|pack| pack["platform"] == "leboncoin").unwrap();
    let confirm = "mutation($i: UUID!, $u: String!) { confirmPublication(id: $i, url: $u) { id } }";
    let url = "https://www.leboncoin.fr/ad/voitures/2891234567";
    garage.run(confirm, json!({ "i": pack["id"], "u": url })).await.at("/confirmPublication");
    let car = "mutation { createVehicle(input: { make: \"Peugeot\", model: \"208\", stockNumber: \"P-208\", askingPrice: 9900 }) { id } }";
    garage.run(car, json!({})).await.at("/createVehicle");
    let address = alias(&garage, None).await.text("/rotateLeadAlias/address");
    assert!(address.starts_with("lead+") && address.ends_with("@leads.example.org") && address.len() > 40, "{address}");
    let received = (StatusCode::ACCEPTED, json!({ "state": "received" }));
    for name in ["leboncoin", "lacentrale", "adf", "person"] {
        assert_eq!(deliver(&app, &mail(name, &address)).await, received, "{name}");
        app.run_jobs().await;
    }
    assert_eq!(deliver(&app, &mail("adf", &address)).await, (StatusCode::ACCEPTED, json!({ "state": "known" })));
    let all = leads(&garage).await;
    assert_eq!(all.len(), 4);
    let [person, adf, central, lbc] = &all[..] else { panic!("{all:?}") };
    let who = |lead: &Value| {
        let contact = &lead["contact"];
        json!([
            lead["source"],
            contact["name"],
            contact["emails"],
            contact["phones"],
            contact["postalCode"],
            lead["message"]
        ])
    };
    assert_eq!(
        who(lbc),
        json!([
            "EMAIL_LEBONCOIN",
            "Léa Moreau",
            ["5c1f2a9b7d@messagerie.leboncoin.fr"],
            ["+33611223344"],
            null,
            "Bonjour, votre Clio est-elle toujours disponible ? Je peux passer samedi.\n\nMerci d’avance,\nLéa"
        ])
    );
    assert_eq!(lbc["listing"]["id"], json!(listing), "by the address of its ad");
    assert_eq!(
        who(central),
        json!([
            "EMAIL_LACENTRALE",
            "Hugo Petit",
            ["hugo.petit@example.com"],
            ["+33755443322"],
            "69003",
            "Reprise possible de ma Twingo ?"
        ])
    );
    assert_eq!((&central["vehicle"]["stockNumber"], &central["value"]["amount"]), (&json!("P-208"), &json!(9_900)));
    assert_eq!(
        who(adf),
        json!([
            "EMAIL_OTHER",
            "Nadia Benali & fils",
            ["nadia@example.com"],
            ["+33601020304"],
            "13001",
            "Un essai cette semaine ?"
        ])
    );
    assert_eq!(adf["vehicle"]["stockNumber"], "P-208");
    assert_eq!(
        who(person),
        json!([
            "EMAIL_OTHER",
            "Clara Ngéma",
            ["clara@example.net"],
            ["+33699887766"],
            null,
            "Bonjour, la 208 est-elle visible demain ?\nClara, 06 99 88 77 66"
        ])
    );
    assert_eq!(person["interactions"][0]["remark"], "1 pièce(s) jointe(s) écartée(s)");

    // What is answered to an answer is part of the same lead.
    let answer = "mutation($l: UUID!) { answerLead(id: $l, message: \"Oui, dès 9 heures.\") { id } }";
    garage.run(answer, json!({ "l": adf["id"] })).await.at("/answerLead");
    app.run_jobs().await;
    let reply_to =
        app.texts("SELECT reply_to AS text FROM email_messages WHERE recipient = 'nadia@example.com'").await.remove(0);
    let reply = format!(
        "From: Nadia <nadia@example.com>\r\nTo: {reply_to}\r\nMessage-ID: <n2@example.com>\r\nSubject: Re: Votre demande\r\n\r\nParfait, merci.\r\n\r\nLe 26 nov. 2026, Garage a écrit :\r\n> Oui, dès 9 heures.\r\n"
    );
    assert_eq!(deliver(&app, reply.as_bytes()).await, received);
    app.run_jobs().await;
    let all = leads(&garage).await;
    let again = all.iter().find(|lead| lead["contact"]["name"] == "Nadia Benali & fils").unwrap();
    let bodies: Vec<&Value> = again["interactions"].as_array().unwrap().iter().map(|one| &one["body"]).collect();
    assert_eq!(bodies, ["Parfait, merci.", "Oui, dès 9 heures.", "Un essai cette semaine ?"]);
    app.finish().await;
}

#[tokio::test]
async fn a_mail_that_cannot_be_read_is_kept_and_one_that_nobody_signed_is_not() {
    let app = inbound().start().await;
    let (garage, listing, _) = shop(&app, "dupont").await;
    relay::look(&app.app).await.unwrap();
    let old = alias(&garage, Some(&listing)).await.text("/rotateLeadAlias/address");
    let new = alias(&garage, Some(&listing)).await.text("/rotateLeadAlias/address");
    assert_ne!(old, new);
    let stranger = app.garage("martin").await;
    assert_eq!(alias(&stranger, Some(&listing)).await.code(), "NOT_FOUND");
    assert_eq!(deliver(&app, &mail("broken", &old)).await.0, StatusCode::ACCEPTED, "a replaced address still works");
    app.run_jobs().await;
    let lead = leads(&garage).await.remove(0);
    assert_eq!(
        (&lead["unreadable"], &lead["contact"], &lead["listing"]["id"]),
        (&json!(true), &Value::Null, &json!(listing))
    );
    let url = lead["mails"][0]["url"].as_str().unwrap();
    let kept = garage.get(url).await.bytes().await.unwrap();
    assert_eq!(kept, mail("broken", &old), "as it came");
    let answer = "mutation($l: UUID!) { answerLead(id: $l, message: \"Bonjour\") { id } }";
    assert_eq!(garage.run(answer, json!({ "l": lead["id"] })).await.code(), "CONTACT_UNREACHABLE");

    assert_eq!(deliver(&app, &mail("person", "lead+000000@leads.example.org")).await.0, StatusCode::NOT_FOUND);
    let post = || reqwest::Client::new().post(format!("{}/inbound/email", app.base));
    let raw = mail("person", &new);
    let unsigned = post().body(raw.clone()).send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
    let forged =
        post().header("x-keroxio-signature", format!("sha256={}", "0".repeat(64))).body(raw.clone()).send().await;
    assert_eq!(forged.unwrap().status(), StatusCode::UNAUTHORIZED);
    let large = post().header("x-keroxio-signature", "sha256=00").body(vec![b'a'; 20 << 20]).send().await;
    // The server may close before all of it was sent.
    assert!(large.is_err() || large.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    assert_eq!(leads(&garage).await.len(), 1, "nothing of that was kept");

    later(&app, 31 * 86_400);
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(deliver(&app, &mail("person", &old)).await.0, StatusCode::NOT_FOUND, "thirty days later it does not");
    assert_eq!(deliver(&app, &raw).await.0, StatusCode::ACCEPTED);
    app.run_jobs().await;
    let garage = app.log_in("dupont").await;
    let all = leads(&garage).await;
    let mails: Vec<usize> = all.iter().map(|lead| lead["mails"].as_array().unwrap().len()).collect();
    assert_eq!(mails, [1, 0], "mails are kept for thirty days");
    assert_eq!(garage.get(url).await.status(), 404);
    app.finish().await;

    let without = TestApp::start().await;
    let garage = without.garage("dupont").await;
    assert_eq!(alias(&garage, None).await.code(), "INBOUND_NOT_CONFIGURED");
    let refused = (StatusCode::SERVICE_UNAVAILABLE, json!({ "code": "INBOUND_NOT_CONFIGURED" }));
    assert_eq!(deliver(&without, b"x").await, refused);
    without.finish().await;
}

#[tokio::test]
async fn a_garage_moves_leads_its_own_way_and_takes_moves_back() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let stranger = app.verified_garage("martin").await;
    let seller = app.member(&garage, "sylvie", "SELLER").await;
    let reader = app.member(&garage, "rene", "READ_ONLY").await;
    let program = app.program(&garage, &["PUBLISH"]).await;
    let (lead, _) = create(&program, json!({ "phone": "0611223344", "valueEur": 10_000 })).await;
    let moved = async |who: &Actor, to: &str, reason: Option<&str>| {
        who.run(MOVE, json!({ "l": lead, "t": to, "r": reason })).await
    };
    assert_eq!(moved(&stranger, "WON", None).await.code(), "NOT_FOUND");
    assert_eq!(stranger.run(UNDO, json!({ "l": lead })).await.code(), "NOT_FOUND");
    assert_eq!(moved(&reader, "WON", None).await.code(), "FORBIDDEN");
    assert_eq!(moved(&seller, "SOMEWHERE", None).await.code(), "STAGE_UNKNOWN");
    assert_eq!(moved(&seller, "LOST", None).await.code(), "REASON_NEEDED");
    assert_eq!(seller.run(UNDO, json!({ "l": lead })).await.code(), "NOTHING_TO_UNDO");
    moved(&seller, "CONTACTED", None).await.at("/moveLead");
    let lost = moved(&seller, "LOST", Some("Trop chère")).await;
    assert_eq!(lost.at("/moveLead/lostReason"), "Trop chère");
    let won = moved(&seller, "WON", None).await;
    assert_eq!((won.at("/moveLead/lostReason"), won.at("/moveLead/closedAt").is_string()), (&Value::Null, true));
    let undone = seller.run(UNDO, json!({ "l": lead })).await;
    assert_eq!(
        (undone.at("/undoLeadMove/stage/key"), undone.at("/undoLeadMove/lostReason")),
        (&json!("LOST"), &json!("Trop chère"))
    );
    let undone = seller.run(UNDO, json!({ "l": lead })).await;
    assert_eq!(
        undone.at("/undoLeadMove"),
        &json!({ "stage": { "key": "CONTACTED" }, "closedAt": null, "lostReason": null })
    );
    let log = garage
        .run("query($l: UUID!) { lead(id: $l) { moves { from to reason undoneAt } } }", json!({ "l": lead }))
        .await;
    let log = log.at("/lead/moves").as_array().unwrap().clone();
    assert_eq!(log.iter().map(|row| row["undoneAt"].is_string()).collect::<Vec<_>>(), [true, true, false]);

    let set = "mutation($s: [LeadStageInput!]!) { setLeadStages(stages: $s) { key probability } }";
    let stage =
        |key: &str, probability: i32| json!({ "key": key, "label": key, "labelEn": key, "probability": probability });
    let own = vec![stage("NEW", 5), stage("CONTACTED", 50), stage("WON", 100), stage("LOST", 0)];
    assert_eq!(seller.run(set, json!({ "s": own })).await.code(), "FORBIDDEN");
    assert_eq!(garage.run(set, json!({ "s": own[1..] })).await.code(), "BAD_INPUT");
    let without = [own[0].clone(), own[2].clone(), own[3].clone()];
    assert_eq!(garage.run(set, json!({ "s": without })).await.code(), "STAGE_IN_USE");
    garage.run(set, json!({ "s": own })).await.at("/setLeadStages/3");
    let total = garage
        .run("{ leadBoard { weightedValue { amount } } leads { nodes { weightedValue { amount } } } }", json!({}))
        .await;
    assert_eq!(
        (total.at("/leadBoard/weightedValue/amount"), total.at("/leads/nodes/0/weightedValue/amount")),
        (&json!(5_000), &json!(5_000))
    );
    assert_eq!(
        stranger.run("{ leadStages { probability } }", json!({})).await.at("/leadStages/0/probability"),
        10,
        "others have the usual ones"
    );

    let task = "mutation($l: UUID!, $i: LeadTaskInput!) { createLeadTask(leadId: $l, input: $i) { id overdue } }";
    let due = app.app.now() + chrono::Duration::hours(1);
    let input = json!({ "title": "Rappeler Léa", "dueAt": due });
    assert_eq!(stranger.run(task, json!({ "l": lead, "i": input })).await.code(), "NOT_FOUND");
    let theirs =
        app.texts("SELECT id::text AS text FROM auth_users WHERE email = 'martin@example.org'").await.remove(0);
    let assign = "mutation($l: UUID!, $u: UUID) { assignLead(id: $l, userId: $u) { assignedTo } }";
    assert_eq!(seller.run(assign, json!({ "l": lead, "u": theirs })).await.code(), "NOT_FOUND");
    let made = seller.run(task, json!({ "l": lead, "i": input })).await;
    assert_eq!(made.at("/createLeadTask/overdue"), false);
    app.run_jobs().await;
    for _ in 0..2 {
        later(&app, 3_700);
        relay::look(&app.app).await.unwrap();
        app.run_jobs().await;
    }
    let garage = app.log_in("dupont").await;
    let told = garage.run("{ notifications(first: 50) { nodes { kind title } } leadTasks(state: OVERDUE) { nodes { title overdue lead { id } } } }", json!({})).await;
    let due: Vec<_> = told
        .at("/notifications/nodes")
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "lead_task_due")
        .collect();
    assert_eq!(due.len(), 1, "once, and naming nobody: {due:?}");
    assert_eq!(
        told.at("/leadTasks/nodes"),
        &json!([{ "title": "Rappeler Léa", "overdue": true, "lead": { "id": lead } }])
    );
    let done = "mutation($t: UUID!) { completeLeadTask(id: $t) { overdue doneAt } }";
    assert_eq!(
        garage.run(done, json!({ "t": made.at("/createLeadTask/id") })).await.at("/completeLeadTask/overdue"),
        false
    );
    app.finish().await;
}

#[tokio::test]
async fn people_are_forgotten_three_years_after_their_last_sign() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let (silent, _) = create(&garage, json!({ "email": "silent@example.net", "name": "Silent" })).await;
    let (talking, _) = create(&garage, json!({ "email": "talking@example.net" })).await;
    let (buyer, _) = create(&garage, json!({ "email": "buyer@example.net" })).await;
    let answer = "mutation($l: UUID!) { answerLead(id: $l, message: \"Bonjour\") { id } }";
    garage.run(answer, json!({ "l": silent })).await.at("/answerLead");
    app.run_jobs().await;
    later(&app, 400 * 86_400);
    let garage = app.log_in("dupont").await;
    let note = "mutation($l: UUID!, $d: LeadDirection!) { addLeadInteraction(leadId: $l, input: { kind: CALL, direction: $d }) { id } }";
    garage.run(note, json!({ "l": talking, "d": "IN" })).await.at("/addLeadInteraction");
    // What the garage does is no sign of the person.
    garage.run(note, json!({ "l": silent, "d": "OUT" })).await.at("/addLeadInteraction");
    garage.run(answer, json!({ "l": silent })).await.at("/answerLead");
    garage.run(MOVE, json!({ "l": buyer, "t": "WON" })).await.at("/moveLead");
    app.run_jobs().await;
    later(&app, 690 * 86_400);
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    let garage = app.log_in("dupont").await;
    assert_eq!(leads(&garage).await.len(), 3, "a day before");
    later(&app, 10 * 86_400);
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    let garage = app.log_in("dupont").await;
    let left: Vec<Value> = leads(&garage).await.into_iter().map(|lead| lead["id"].clone()).collect();
    assert_eq!(left, [json!(buyer), json!(talking)]);
    let traces = app
        .texts("SELECT 'x' AS text FROM email_messages WHERE recipient = 'silent@example.net' UNION ALL SELECT 'y' FROM crm_interactions i WHERE NOT EXISTS (SELECT FROM crm_leads l WHERE l.id = i.lead_id)")
        .await;
    assert!(traces.is_empty());

    let found = garage.run("{ contacts(search: \"talking@example.net\") { nodes { id } } }", json!({})).await;
    let contact = found.text("/contacts/nodes/0/id");
    let erase = "mutation($c: UUID!) { eraseContact(id: $c) }";
    assert_eq!(app.garage("martin").await.run(erase, json!({ "c": contact })).await.code(), "NOT_FOUND");
    garage.run(erase, json!({ "c": contact })).await.at("/eraseContact");
    assert_eq!(leads(&garage).await.len(), 1, "at once where they ask for it");
    app.finish().await;
}

#[tokio::test]
async fn figures_are_what_one_counts_by_hand() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let other = app.garage("martin").await;
    let day = |month, day, hour| Utc.with_ymd_and_hms(2026, month, day, hour, 0, 0).unwrap();
    // The last is still October in Paris's clocks, the one before it is not.
    type Told<'a> = (&'a str, DateTime<Utc>, Option<i64>, &'a str, i32);
    let rows: [Told<'_>; 7] = [
        ("PHONE", day(9, 10, 8), Some(10), "WON", 8_000),
        ("PHONE", day(9, 11, 8), Some(20), "LOST", 9_000),
        ("PHONE", day(9, 12, 8), Some(60), "NEW", 5_000),
        ("EMAIL_LEBONCOIN", day(9, 13, 8), Some(240), "WON", 12_000),
        ("EMAIL_LEBONCOIN", day(10, 1, 8), None, "NEW", 4_000),
        ("WALK_IN", day(10, 31, 23), Some(0), "NEW", 3_000),
        ("WALK_IN", day(10, 31, 22), None, "NEW", 3_000),
    ];
    for (n, (source, at, minutes, stage, value)) in rows.iter().enumerate() {
        let input =
            json!({ "email": format!("p{n}@example.net"), "source": source, "receivedAt": at, "valueEur": value });
        let (lead, _) = create(&garage, input).await;
        if let Some(minutes) = minutes {
            let note = "mutation($l: UUID!, $a: DateTime!) { addLeadInteraction(leadId: $l, input: { kind: CALL, direction: OUT, happenedAt: $a }) { firstResponseMinutes } }";
            let noted = garage.run(note, json!({ "l": lead, "a": *at + chrono::Duration::minutes(*minutes) })).await;
            assert_eq!(noted.at("/addLeadInteraction/firstResponseMinutes"), *minutes);
        }
        if *stage != "NEW" {
            garage.run(MOVE, json!({ "l": lead, "t": stage, "r": "Trop chère" })).await.at("/moveLead");
        }
    }
    create(&other, json!({ "email": "p0@example.net", "receivedAt": day(9, 10, 8) })).await;
    let figures = "received answered won lost conversion wonValue { amount } medianResponseMinutes p90ResponseMinutes";
    let query = format!("query($f: DateTime!, $t: DateTime!) {{ leadStatistics(from: $f, to: $t, period: MONTH) {{ total {{ {figures} }}
        bySource {{ source figures {{ {figures} }} }} byPeriod {{ from figures {{ received won }} }} }} }}");
    let answer = garage.run(&query, json!({ "f": day(9, 1, 0), "t": day(11, 30, 0) })).await;
    // Answered within 0, 10, 20, 60 and 240 minutes: the median is 20; the ninth tenth lies 0.6 of the way from 60 to 240.
    assert_eq!(
        answer.at("/leadStatistics/total"),
        &json!({ "received": 7, "answered": 5, "won": 2, "lost": 1,
        "conversion": 2.0 / 7.0, "wonValue": { "amount": 20_000 }, "medianResponseMinutes": 20.0, "p90ResponseMinutes": 168.0 })
    );
    let by_source = answer.at("/leadStatistics/bySource").as_array().unwrap();
    let of = |source: &str| by_source.iter().find(|row| row["source"] == source).unwrap()["figures"].clone();
    assert_eq!(by_source.len(), 3);
    assert_eq!(
        of("PHONE"),
        json!({ "received": 3, "answered": 3, "won": 1, "lost": 1, "conversion": 1.0 / 3.0,
        "wonValue": { "amount": 8_000 }, "medianResponseMinutes": 20.0, "p90ResponseMinutes": 52.0 })
    );
    assert_eq!(of("EMAIL_LEBONCOIN")["medianResponseMinutes"], 240.0);
    assert_eq!(of("WALK_IN")["conversion"], 0.0);
    let months: Vec<Value> = answer
        .at("/leadStatistics/byPeriod")
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["from"], row["figures"]["received"], row["figures"]["won"]]))
        .collect();
    assert_eq!(
        months,
        [
            json!(["2026-08-31T22:00:00+00:00", 4, 2]),
            json!(["2026-09-30T22:00:00+00:00", 2, 0]),
            json!(["2026-10-31T23:00:00+00:00", 1, 0]),
        ]
    );
    let nothing = other.run(&query, json!({ "f": day(10, 1, 0), "t": day(10, 2, 0) })).await;
    assert_eq!(nothing.at("/leadStatistics/total/received"), 0);
    assert_eq!(nothing.at("/leadStatistics/total/medianResponseMinutes"), &Value::Null);
    assert_eq!(other.run(&query, json!({ "f": day(10, 1, 0), "t": day(9, 1, 0) })).await.code(), "BAD_INPUT");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_table_of_leads_is_taken_whole_or_by_its_good_lines() {
    const IMPORT: &str =
        "mutation($file: Upload!, $d: Boolean!, $s: Boolean!) { importLeads(file: $file, dryRun: $d, skipErrors: $s) {
        lines created merged refused saved errors { line column } } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let car = "mutation { createVehicle(input: { make: \"Peugeot\", model: \"208\", stockNumber: \"P-208\", askingPrice: 9900 }) { id } }";
    garage.run(car, json!({})).await.at("/createVehicle");
    app.run_jobs().await;
    let today = app.app.now().date_naive();
    let (recent, old) = (today - chrono::Days::new(40), today - chrono::Days::new(1_200));
    let table = format!(
        "Nom;Prénom;E-mail;Téléphone;Date;Origine;Référence;Message\n\
         Moreau;Léa;lea@example.net;06 11 22 33 44;{recent};Le Bon Coin;P-208;Bonjour\n\
         Petit;Hugo;hugo@example;;;;;\n\
         Ngéma;Clara;;0755443322;;;;\n\
         Moreau;Léa;;+33611223344;{recent};;P-208;Encore moi\n\
         Vieux;Jean;jean@example.net;;{old};;;\n\
         Neuf;Paul;paul@example.net;;;;X-1;\n\
         Rien;Rose;;;;;;\n"
    );
    let import = async |dry: bool, skip: bool, table: &str| {
        garage.send(IMPORT, json!({ "d": dry, "s": skip }), table.as_bytes().to_vec()).await
    };
    let errors = json!([{ "line": 3, "column": "email" }, { "line": 6, "column": "received_on" }, { "line": 7, "column": "reference" }, { "line": 8, "column": "email" }]);
    let stopped = import(false, false, &table).await;
    assert_eq!(
        stopped.at("/importLeads"),
        &json!({ "lines": 7, "created": 0, "merged": 0, "refused": 4, "saved": false, "errors": errors })
    );
    let tried = import(true, true, &table).await;
    assert_eq!(
        tried.at("/importLeads"),
        &json!({ "lines": 7, "created": 2, "merged": 1, "refused": 4, "saved": false, "errors": errors })
    );
    assert_eq!(leads(&garage).await, Vec::<Value>::new(), "nothing of that was saved");
    let saved = import(false, true, &table).await;
    assert_eq!((saved.at("/importLeads/created"), saved.at("/importLeads/saved")), (&json!(2), &json!(true)));
    assert_eq!(app.run_jobs().await, 0, "it is no news");
    let kept = leads(&garage).await;
    let lea = kept.iter().find(|lead| lead["contact"]["name"] == "Léa Moreau").unwrap();
    assert_eq!((&lead_of(lea), &lea["value"]["amount"]), (&json!(["EMAIL_LEBONCOIN", 2, "P-208"]), &json!(9_900)));
    assert_eq!(import(false, false, "nom\nLéa\n").await.code(), "COLUMNS_MISSING");
    assert_eq!(
        app.anonymous().send(IMPORT, json!({ "d": false, "s": false }), b"x".to_vec()).await.code(),
        "UNAUTHENTICATED"
    );
    app.finish().await;
}

fn lead_of(lead: &Value) -> Value {
    json!([lead["source"], lead["touches"], lead["vehicle"]["stockNumber"]])
}
