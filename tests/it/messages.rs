//! What people are told: letters as they leave, what becomes of them, and notifications as each member wants them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use keroxio_core::standard_webhooks::sign;
use keroxio_core::{Secret, relay};
use keroxio_test_support::{Actor, Setup, TestApp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// The letter that every account begins with.
const CONFIRM: &str = "Confirmez votre adresse e-mail";
/// The one that follows once it is confirmed.
const WELCOME: &str = "Bienvenue sur Keroxio";
const HOOK: &str = "whsec_a2Vyb3hpbw==";
const LEAD: &str = "mutation($n: String!) { createLead(input: { name: $n, email: \"lea@example.org\", message: \"Encore là ?\" }) { lead { id } } }";
const SETTINGS: &str =
    "{ notificationSettings { preferences { kind channel enabled locked } quietHours { from to timeZone } digest } }";
const CHOOSE: &str = "mutation($k: NotificationKind!, $c: NotificationChannel!, $e: Boolean!) {
    setNotificationPreference(kind: $k, channel: $c, enabled: $e) { preferences { kind channel enabled } } }";
const NOTICES: &str = "{ notifications(first: 50) { nodes { id kind readAt } } unreadNotifications }";

/// Resend, as far as it takes letters.
#[derive(Clone, Default)]
struct Catcher(Arc<Mutex<Vec<(HeaderMap, Value)>>>);

impl Catcher {
    async fn start() -> (Self, String) {
        let catcher = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/emails", post(take)).with_state(catcher.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (catcher, url)
    }

    /// The letters to somebody but those that an account begins with.
    fn to(&self, address: &str) -> Vec<(HeaderMap, Value)> {
        let all = self.0.lock().unwrap();
        let is_first = |mail: &Value| mail["subject"] == CONFIRM || mail["subject"] == WELCOME;
        all.iter().filter(|(_, mail)| mail["to"][0] == address && !is_first(mail)).cloned().collect()
    }

    fn confirmations(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|(_, mail)| mail["subject"] == CONFIRM).count()
    }
}

async fn take(State(catcher): State<Catcher>, headers: HeaderMap, Json(mail): Json<Value>) -> Json<Value> {
    catcher.0.lock().unwrap().push((headers, mail));
    Json(json!({ "id": uuid::Uuid::new_v4() }))
}

async fn with_resend(url: &str) -> TestApp {
    let setup = Setup::default().set("RESEND_API_KEY", "re_test").set("RESEND_BASE_URL", url);
    setup.set("RESEND_WEBHOOK_SECRET", HOOK).start().await
}

/// What Resend tells, signed as it signs.
async fn tell(app: &TestApp, id: &str, secret: &str, event: &Value) -> (StatusCode, Value) {
    let (body, time) = (event.to_string(), app.app.now().timestamp());
    let signature = sign(&Secret::new(secret), id, time, body.as_bytes()).unwrap();
    let request = reqwest::Client::new().post(format!("{}/webhooks/resend", app.base)).body(body);
    let request = request.header("svix-id", id).header("svix-timestamp", time).header("svix-signature", signature);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn event(kind: &str, to: &str, message: &str, at: chrono::DateTime<chrono::Utc>) -> Value {
    json!({ "type": kind, "created_at": at, "data": { "email_id": "e", "to": [to], "tags": { "message_id": message },
        "bounce": { "type": "Permanent", "message": "No such mailbox" } } })
}

async fn lead(garage: &Actor, name: &str) {
    garage.run(LEAD, json!({ "n": name })).await.at("/createLead/lead/id");
}

async fn prefers(actor: &Actor, kind: &str, channel: &str) -> bool {
    let settings = actor.run(SETTINGS, json!({})).await;
    let all = settings.at("/notificationSettings/preferences").as_array().unwrap();
    all.iter().find(|one| one["kind"] == kind && one["channel"] == channel).unwrap()["enabled"].as_bool().unwrap()
}

#[tokio::test]
async fn a_letter_leaves_once_and_one_click_ends_its_kind() {
    let (catcher, url) = Catcher::start().await;
    let app = with_resend(&url).await;
    let garage = app.verified_garage("dupont").await;
    lead(&garage, "Léa").await;
    app.run_jobs().await;
    let (headers, mail) = catcher.to("dupont@example.org").pop().unwrap();
    let known = app.texts("SELECT id::text AS text FROM email_messages WHERE kind = 'lead_received'").await;
    assert_eq!(headers["idempotency-key"], known[0].as_str());
    assert_eq!(headers["authorization"], "Bearer re_test");
    assert_eq!(mail["tags"], json!([{ "name": "message_id", "value": known[0] }]));
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let link = mail["headers"]["List-Unsubscribe"].as_str().unwrap().trim_matches(['<', '>']).to_owned();
    assert!(mail["text"].as_str().unwrap().contains("/leads/"), "{mail}");
    let html = mail["html"].as_str().unwrap().replace("&#x2f;", "/");
    assert!(html.contains(&link), "the reader finds the link too: {html}");
    let path = &link[link.find("/email/").unwrap()..];

    let page = app.anonymous().page(path).await;
    assert_eq!(page.status(), StatusCode::OK);
    app.run_jobs().await;
    assert!(prefers(&garage, "LEAD_RECEIVED", "EMAIL").await, "whoever looks at links changes nothing");
    for _ in 0..2 {
        let ended = reqwest::Client::new().post(format!("{}{path}", app.base)).body("List-Unsubscribe=One-Click");
        assert_eq!(ended.send().await.unwrap().status(), StatusCode::OK, "as often as one likes");
    }
    app.run_jobs().await;
    assert!(!prefers(&garage, "LEAD_RECEIVED", "EMAIL").await);
    assert!(prefers(&garage, "LISTING_READY", "EMAIL").await, "other letters go on");
    lead(&garage, "Paul").await;
    app.run_jobs().await;
    assert_eq!(catcher.to("dupont@example.org").len(), 1);
    let forged = format!("{}{}x", app.base, &path[..path.len() - 1]);
    assert_eq!(reqwest::Client::new().post(forged).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    app.finish().await;
}

/// Whoever registers with the address of somebody else has us write nothing to them but the one question.
#[tokio::test]
async fn an_address_nobody_confirmed_gets_no_news() {
    let (catcher, url) = Catcher::start().await;
    let app = with_resend(&url).await;
    let garage = app.garage("dupont").await;
    garage
        .run("mutation { setNotificationDigest(digest: DAILY) { digest } }", json!({}))
        .await
        .at("/setNotificationDigest");
    lead(&garage, "Léa").await;
    // A day, an hour at a time: one of them is the morning.
    for _ in 0..25 {
        relay::look(&app.app).await.unwrap();
        app.run_jobs().await;
        app.app.clock().advance(Duration::from_secs(3_600));
    }
    assert_eq!((catcher.to("dupont@example.org").len(), catcher.confirmations()), (0, 1));
    let garage = app.log_in("dupont").await;
    assert_eq!(
        garage.run(NOTICES, json!({})).await.at("/unreadNotifications"),
        1,
        "they read of it where they sign in"
    );
    app.finish().await;
}

#[tokio::test]
async fn what_becomes_of_letters_is_told_once_and_heeded() {
    let (catcher, url) = Catcher::start().await;
    let app = with_resend(&url).await;
    let garage = app.verified_garage("dupont").await;
    let (mine, now) = ("dupont@example.org", app.app.now());
    lead(&garage, "Léa").await;
    app.run_jobs().await;
    let message = app.texts("SELECT id::text AS text FROM email_messages WHERE kind = 'lead_received'").await.remove(0);
    let state =
        async || app.texts("SELECT state AS text FROM email_messages WHERE kind = 'lead_received' ORDER BY id").await;
    let bounced = event("email.bounced", mine, &message, now);

    assert_eq!(tell(&app, "m1", "whsec_b3RoZXI=", &bounced).await.0, StatusCode::BAD_REQUEST, "forged");
    assert_eq!(state().await, ["sent"]);
    // In the wrong order, and twice.
    assert_eq!(tell(&app, "m1", HOOK, &bounced).await, (StatusCode::OK, json!({ "code": "ACCEPTED" })));
    assert_eq!(tell(&app, "m1", HOOK, &bounced).await.1["code"], "REPEATED");
    tell(&app, "m0", HOOK, &event("email.delivered", mine, &message, now)).await;
    assert_eq!(state().await, ["bounced"]);
    let other = event("email.opened", mine, &message, now);
    assert_eq!(tell(&app, "m2", HOOK, &other).await.1["code"], "IGNORED");

    let standing = "{ emailStanding { address bouncedAt complainedAt } }";
    assert!(garage.run(standing, json!({})).await.at("/emailStanding/bouncedAt").is_string());
    lead(&garage, "Paul").await;
    app.run_jobs().await;
    assert_eq!((catcher.to(mine).len(), state().await), (1, vec!["bounced".to_owned(), "suppressed".to_owned()]));
    let staff = app.staff("ops").await;
    let list = staff.run("{ emailSuppressions { nodes { addressHint reason detail } } }", json!({})).await;
    let known = json!([{ "addressHint": "d•••@example.org", "reason": "BOUNCED", "detail": "No such mailbox" }]);
    assert_eq!(list.at("/emailSuppressions/nodes"), &known);

    app.app.clock().advance(Duration::from_secs(5));
    let clear = "mutation { clearEmailSuppression { bouncedAt } }";
    assert_eq!(garage.run(clear, json!({})).await.at("/clearEmailSuppression/bouncedAt"), &Value::Null);
    // What is told again of the time before changes nothing; a complaint stops all but security.
    tell(&app, "m3", HOOK, &bounced).await;
    lead(&garage, "Anne").await;
    app.run_jobs().await;
    assert_eq!(catcher.to(mine).len(), 2);
    tell(&app, "m4", HOOK, &event("email.complained", mine, &message, app.app.now())).await;
    lead(&garage, "Marc").await;
    let forgotten = "mutation($e: String!) { requestPasswordReset(email: $e) }";
    app.anonymous().run(forgotten, json!({ "e": mine })).await.at("/requestPasswordReset");
    app.run_jobs().await;
    let left = app.texts("SELECT kind AS text FROM email_messages WHERE state = 'sent' ORDER BY id").await;
    assert_eq!(left.last().unwrap(), "reset_password", "what an account depends on");
    assert_eq!(catcher.to(mine).len(), 3, "nothing of the lead");
    app.finish().await;
}

/// A message as it was sent: the commands before it, and itself.
type Posted = (Vec<String>, String);

/// A mail server that takes everything.
#[derive(Clone, Default)]
struct PostOffice(Arc<Mutex<Vec<Posted>>>);

impl PostOffice {
    async fn start() -> (Self, String) {
        let office = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let desk = office.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(desk.clone().attend(stream));
            }
        });
        (office, url)
    }

    async fn attend(self, stream: tokio::net::TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 mail.example.org\r\n").await.unwrap();
        let mut commands = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            let is_data = line == "DATA";
            commands.push(line);
            if is_data {
                write.write_all(b"354 go on\r\n").await.unwrap();
                let mut message = String::new();
                while let Some(line) = lines.next_line().await.unwrap().filter(|line| line != ".") {
                    message += &format!("{line}\r\n");
                }
                self.0.lock().unwrap().push((std::mem::take(&mut commands), message));
            }
            write.write_all(b"250 mail.example.org\r\n").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_mail_server_gets_both_forms_and_the_identifier_of_the_letter() {
    let (office, url) = PostOffice::start().await;
    let app = Setup::default().set("SMTP_URL", &url).start().await;
    let garage = app.verified_garage("dupont").await;
    lead(&garage, "Léa").await;
    app.run_jobs().await;
    let id = app.texts("SELECT id::text AS text FROM email_messages WHERE kind = 'lead_received'").await.remove(0);
    let taken = office.0.lock().unwrap().clone();
    let (commands, message) = taken.iter().find(|(_, message)| message.contains(&id)).unwrap();
    assert!(commands.iter().any(|line| line.starts_with("RCPT TO:<dupont@example.org>")), "{commands:?}");
    for part in [
        format!("Message-ID: <{id}@"),
        "To: dupont@example.org".to_owned(),
        "Content-Type: multipart/alternative".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Type: text/html; charset=utf-8".to_owned(),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click".to_owned(),
        "/email/unsubscribe/".to_owned(),
    ] {
        assert!(message.contains(&part), "{part} in {message}");
    }
    assert_eq!(app.texts("SELECT state AS text FROM email_messages WHERE kind = 'lead_received'").await, ["sent"]);
    app.finish().await;
}

#[tokio::test]
async fn staff_see_every_letter_in_both_languages_as_any_program_shows_it() {
    let app = TestApp::start().await;
    let (staff, garage) = (app.staff("ops").await, app.garage("dupont").await);
    let templates = "{ emailTemplates { kind essential security } }";
    assert_eq!(garage.run(templates, json!({})).await.code(), "FORBIDDEN");
    let all = staff.run(templates, json!({})).await.at("/emailTemplates").as_array().unwrap().clone();
    assert!(all.len() > 15, "{all:?}");
    let preview = "query($k: EmailKind!, $l: Language!) { emailPreview(kind: $k, locale: $l) { subject html text } }";
    for template in &all {
        let mut subjects = Vec::new();
        for (locale, lang) in [("FR", "fr"), ("EN", "en")] {
            let letter = staff.run(preview, json!({ "k": template["kind"], "l": locale })).await;
            let (html, text) = (letter.text("/emailPreview/html"), letter.text("/emailPreview/text"));
            let what = format!("{} {locale}", template["kind"]);
            subjects.push(letter.text("/emailPreview/subject"));
            assert!(html.contains(&format!("lang=\"{lang}\"")), "{what}");
            assert!(
                !html.contains("<link") && !html.contains("<script") && !html.contains("src="),
                "{what}: needs nothing"
            );
            assert!(html.len() < 100 << 10 && text.len() > 80, "{what}");
            for whole in [&html, &text] {
                assert!(!whole.contains("{{") && !whole.contains("{%") && !whole.contains("None"), "{what}: {whole}");
            }
            assert_eq!(text.contains("/email/unsubscribe/"), template["essential"] == false, "{what}: {text}");
        }
        assert_ne!(subjects[0], subjects[1], "{template}");
    }
    app.finish().await;
}

#[tokio::test]
async fn each_member_reads_for_themselves_and_sees_what_they_want() {
    let app = TestApp::start().await;
    let owner = app.verified_garage("dupont").await;
    let seller = app.member(&owner, "anne", "SELLER").await;
    lead(&owner, "Léa").await;
    lead(&owner, "Paul").await;
    app.run_jobs().await;
    let told = owner.run(NOTICES, json!({})).await;
    assert_eq!(told.at("/unreadNotifications"), 2);
    let first = told.text("/notifications/nodes/0/id");
    let mark = "mutation($i: [UUID!]!) { markNotificationsRead(ids: $i) }";
    assert_eq!(owner.run(mark, json!({ "i": [first, first] })).await.at("/markNotificationsRead"), 1);
    let seen = owner.run(NOTICES, json!({})).await;
    assert!(seen.at("/notifications/nodes/0/readAt").is_string() && seen.at("/notifications/nodes/1/readAt").is_null());
    assert_eq!(seller.run(NOTICES, json!({})).await.at("/unreadNotifications"), 2, "what one has read, one has read");
    let all = "mutation { markAllNotificationsRead }";
    assert_eq!(seller.run(all, json!({})).await.at("/markAllNotificationsRead"), 0);
    assert_eq!(owner.run(NOTICES, json!({})).await.at("/unreadNotifications"), 1);

    app.app.clock().advance(Duration::from_secs(1));
    let muted = json!({ "k": "LEAD_RECEIVED", "c": "IN_APP", "e": false });
    seller.run(CHOOSE, muted).await.at("/setNotificationPreference");
    lead(&owner, "Marc").await;
    app.run_jobs().await;
    let hers = seller.run(NOTICES, json!({})).await;
    assert_eq!((hers.at("/unreadNotifications"), hers.at("/notifications/nodes")), (&json!(0), &json!([])));
    assert_eq!(owner.run(NOTICES, json!({})).await.at("/unreadNotifications"), 2);
    let locked = json!({ "k": "INVOICE_PAID", "c": "EMAIL", "e": false });
    assert_eq!(seller.run(CHOOSE, locked).await.code(), "BAD_INPUT");

    // Nothing is kept for ever.
    relay::look(&app.app).await.unwrap();
    app.app.clock().advance(Duration::from_secs(181 * 86_400));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.texts("SELECT id::text AS text FROM notification_items").await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn letters_wait_for_the_end_of_quiet_hours_and_digests_come_in_the_morning() {
    let (catcher, url) = Catcher::start().await;
    let app = with_resend(&url).await;
    let garage = app.verified_garage("dupont").await;
    let quiet = "mutation($f: String!, $t: String!, $z: String) {
        setQuietHours(hours: { from: $f, to: $t, timeZone: $z }) { quietHours { from to timeZone } } }";
    for bad in [
        json!({ "f": "25:00", "t": "07:00" }),
        json!({ "f": "07:00", "t": "07:00" }),
        json!({ "f": "1:00", "t": "2:00", "z": "Mars" }),
    ] {
        assert_eq!(garage.run(quiet, bad).await.code(), "BAD_INPUT");
    }
    let clock = |hours: i64| (app.app.now() + chrono::Duration::hours(hours)).format("%H:%M").to_string();
    let hours = json!({ "f": clock(-1), "t": clock(1), "z": "UTC" });
    garage.run(quiet, hours).await.at("/setQuietHours/quietHours/from");
    lead(&garage, "Léa").await;
    app.run_jobs().await;
    assert_eq!(catcher.to("dupont@example.org").len(), 0, "not now");
    app.app.clock().advance(Duration::from_secs(3_601));
    app.run_jobs().await;
    assert_eq!(catcher.to("dupont@example.org").len(), 1);

    let garage = app.log_in("dupont").await;
    garage.run("mutation { setQuietHours(hours: null) { digest } }", json!({})).await.at("/setQuietHours");
    garage
        .run("mutation { setNotificationDigest(digest: DAILY) { digest } }", json!({}))
        .await
        .at("/setNotificationDigest");
    // A day, an hour at a time: one of them is the morning, whatever the clock says now.
    for _ in 0..25 {
        app.app.clock().advance(Duration::from_secs(3_600));
        relay::look(&app.app).await.unwrap();
        app.run_jobs().await;
    }
    let mails = catcher.to("dupont@example.org");
    let digests: Vec<&Value> = mails.iter().skip(1).map(|(_, mail)| &mail["text"]).collect();
    assert_eq!(digests.len(), 1, "{digests:?}");
    assert!(digests[0].as_str().unwrap().contains("Nouveau contact"), "{digests:?}");
    assert!(mails[1].1["headers"]["List-Unsubscribe"].is_string());
    app.finish().await;
}
