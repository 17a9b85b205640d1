//! Subscriptions at Stripe: what we know is what Stripe knows, whatever was told, when, how often and in which order.

use std::time::Duration;

use chrono::DateTime;
use keroxio_test_support::{
    Actor, FakeStripe, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, Setup, TestApp, fixture, post_event, stripe_signature,
};
use serde_json::{Value, json};

const DAY: u64 = 86_400;
const BILLING: &str = "{ billing { configured status plan currentPeriodEnd cancelAt trialEnd graceEnd paymentProblem { amount attempts message } } \
    plan { plan { code } status graceEndsAt endsAt } billingInvoices(first: 100) { nodes { number status totalCents paidCents total pdfUrl hostedUrl } } }";
const CHECK_OUT: &str = "mutation($p: PlanCode!) { createCheckout(plan: $p) { url } }";
const CHANGE: &str = "mutation($p: PlanCode!) { changePlan(plan: $p) { plan status } }";
const CANCEL: &str = "mutation { cancelSubscription { cancelAt status } }";
const RESUME: &str = "mutation { resumeSubscription { cancelAt status } }";
const PORTAL: &str = "mutation { openBillingPortal { url } }";

fn setup(stripe: &FakeStripe) -> Setup {
    Setup::default()
        .set("STRIPE_SECRET_KEY", STRIPE_KEY)
        .set("STRIPE_WEBHOOK_SECRET", STRIPE_WEBHOOK_SECRET)
        .set("STRIPE_API_BASE", &stripe.base)
        .set("STRIPE_TAX", "on")
        .set("KEROXIO_APP_URL", "https://app.keroxio.example")
}

/// A garage with an installation and a Stripe of its own.
struct Story {
    app: TestApp,
    stripe: FakeStripe,
    garage: Actor,
}

impl Story {
    async fn begin() -> Self {
        let stripe = FakeStripe::start().await;
        let app = setup(&stripe).start().await;
        stripe.follow(app.app.clock());
        let garage = app.verified_garage("dupont").await;
        Self { app, stripe, garage }
    }

    /// So many days go by, and what Stripe tells is heard.
    async fn pass(&mut self, days: u64) {
        self.skip(days).await;
        self.hear().await;
    }

    /// So many days go by, and nothing is heard.
    async fn skip(&mut self, days: u64) {
        self.app.app.clock().advance(Duration::from_secs(days * DAY));
        self.garage = self.app.log_in("dupont").await;
    }

    async fn hear(&self) {
        // Asking Stripe for anything lets its time pass.
        if !self.stripe.requests().is_empty() {
            for event in self.stripe.take_events() {
                assert_eq!(self.stripe.deliver(&self.app.base, &event).await, 200, "{event}");
            }
        }
        self.app.run_jobs().await;
    }

    async fn subscribe(&self, plan: &str) {
        let url = self.garage.run(CHECK_OUT, json!({ "p": plan })).await.text("/createCheckout/url");
        self.stripe.check_out(&url);
        self.hear().await;
    }

    fn customer(&self) -> String {
        self.stripe.customer()
    }

    /// What we know equals what Stripe knows; answers it.
    async fn agree(&self) -> Value {
        let truth = self.stripe.truth(&self.customer());
        let answer = self.garage.run(BILLING, json!({})).await;
        let ours = answer.at("/billing");
        let moment = |name: &str| ours[name].as_str().map(|at| DateTime::parse_from_rfc3339(at).unwrap().timestamp());
        let (status, price, end, cancel_at) = truth.subscription.expect("Stripe knows a subscription");
        let plan = if price == "price_pro" { "PRO" } else { "ENTERPRISE" };
        assert_eq!(ours["status"], status.to_uppercase(), "{ours}");
        assert_eq!((&ours["plan"], moment("currentPeriodEnd")), (&json!(plan), Some(end)), "{ours}");
        assert_eq!(moment("cancelAt"), cancel_at, "{ours}");
        let nodes = answer.at("/billingInvoices/nodes").as_array().unwrap().iter();
        let invoices: Vec<_> = nodes
            .map(|node| {
                let text = |name: &str| node[name].as_str().unwrap().to_owned();
                let cents = |name: &str| node[name].as_i64().unwrap();
                (text("number"), text("status").to_lowercase(), cents("totalCents"), cents("paidCents"))
            })
            .collect();
        assert_eq!(invoices, truth.invoices);
        answer.data().clone()
    }

    async fn finish(self) {
        self.app.finish().await;
    }
}

fn status(of: &Value) -> (&str, &str, &str) {
    let text = |pointer: &str| of.pointer(pointer).unwrap().as_str().unwrap();
    (text("/billing/status"), text("/plan/plan/code"), text("/plan/status"))
}

#[tokio::test]
async fn without_a_key_every_mutation_says_so_and_everything_else_works() {
    let app = TestApp::start().await;
    let (garage, staff) = (app.garage("dupont").await, app.staff("ops").await);
    for (query, variables) in [
        (CHECK_OUT, json!({ "p": "PRO" })),
        (CHANGE, json!({ "p": "PRO" })),
        (CANCEL, json!({})),
        (RESUME, json!({})),
        (PORTAL, json!({})),
    ] {
        assert_eq!(garage.run(query, variables).await.code(), "BILLING_NOT_CONFIGURED", "{query}");
    }
    assert_eq!(staff.run("mutation { reconcileBilling }", json!({})).await.code(), "BILLING_NOT_CONFIGURED");
    let answer = garage.run(BILLING, json!({})).await;
    assert_eq!((answer.at("/billing/configured"), answer.at("/billing/status")), (&json!(false), &json!("NONE")));
    assert_eq!(answer.at("/billingInvoices/nodes"), &json!([]));
    assert_eq!(post_event(&app.base, "t=1,v1=00", "{}".to_owned()).await, 404);
    app.finish().await;
}

#[tokio::test]
async fn a_year_of_a_subscription() {
    let mut story = Story::begin().await;
    // The trial without a card goes on as one with a card.
    story.pass(10).await;
    let url = story.garage.run(CHECK_OUT, json!({ "p": "PRO" })).await.text("/createCheckout/url");
    let (_, _, key, asked) =
        story.stripe.requests().into_iter().find(|(_, path, ..)| path == "/v1/checkout/sessions").unwrap();
    assert!(key.is_some_and(|key| key.starts_with("checkout:")));
    assert_eq!(asked["line_items"]["0"]["price"], "price_pro", "found by its lookup key");
    assert_eq!(asked["automatic_tax"]["enabled"], "true");
    assert_eq!(asked["success_url"], "https://app.keroxio.example/billing?checkout=done");
    let trial_end = story.garage.run("{ plan { trialEndsAt } }", json!({})).await.text("/plan/trialEndsAt");
    let trial_end = DateTime::parse_from_rfc3339(&trial_end).unwrap().timestamp();
    assert_eq!(asked["subscription_data"]["trial_end"], trial_end.to_string());
    assert_eq!(story.garage.run(BILLING, json!({})).await.at("/billing/status"), "NONE", "nothing is paid yet");
    story.stripe.check_out(&url);
    story.hear().await;
    assert_eq!(status(&story.agree().await), ("TRIALING", "PRO", "ACTIVE"));
    assert_eq!(story.garage.run(CHECK_OUT, json!({ "p": "PRO" })).await.code(), "ALREADY_SUBSCRIBED");

    // The first payment, and the next.
    story.pass(17).await;
    let kinds = "{ notifications(first: 20) { nodes { kind } } }";
    assert_eq!(story.garage.run(kinds, json!({})).await.at("/notifications/nodes/0/kind"), "trial_will_end");
    story.pass(4).await;
    let paid = story.agree().await;
    assert_eq!(status(&paid), ("ACTIVE", "PRO", "ACTIVE"));
    assert_eq!(paid.pointer("/billingInvoices/nodes/0/totalCents"), Some(&json!(5_880)), "49 euros and VAT");
    assert!(paid.pointer("/billingInvoices/nodes/0/pdfUrl").unwrap().is_string());
    let letters = async |kind: &str| {
        let all = story.app.letters_to("dupont@example.org").await;
        all.iter().filter(|known| *known == kind).count()
    };
    assert_eq!(letters("invoice_paid").await, 1);

    // A payment fails, and is made good.
    story.stripe.set_card(&story.customer(), false);
    story.pass(31).await;
    let failed = story.agree().await;
    assert_eq!(status(&failed), ("PAST_DUE", "PRO", "GRACE"));
    assert_eq!(failed.pointer("/billing/paymentProblem/amount"), Some(&json!("58,80\u{a0}€")));
    let letters = async |story: &Story, kind: &str| {
        let all = story.app.letters_to("dupont@example.org").await;
        all.iter().filter(|known| *known == kind).count()
    };
    assert_eq!(letters(&story, "payment_failed").await, 1);
    story.stripe.set_card(&story.customer(), true);
    story.pass(3).await;
    let mended = story.agree().await;
    assert_eq!(status(&mended), ("ACTIVE", "PRO", "ACTIVE"));
    assert_eq!(mended.pointer("/billing/paymentProblem"), Some(&Value::Null));

    // A larger plan, and back.
    let changed = story.garage.run(CHANGE, json!({ "p": "ENTERPRISE" })).await;
    assert_eq!(changed.at("/changePlan/plan"), "ENTERPRISE", "known at once, without any event");
    story.hear().await;
    let larger = story.agree().await;
    assert_eq!(status(&larger).1, "ENTERPRISE");
    let prorated = larger.pointer("/billingInvoices/nodes/0/totalCents").unwrap().as_i64().unwrap();
    assert!((1..15_000 * 12 / 10).contains(&prorated), "the difference for what is left: {prorated}");
    story.garage.run(CHANGE, json!({ "p": "PRO" })).await.at("/changePlan");
    let count = story.agree().await.pointer("/billingInvoices/nodes").unwrap().as_array().unwrap().len();
    story.pass(31).await;
    let smaller = story.agree().await;
    let nodes = smaller.pointer("/billingInvoices/nodes").unwrap().as_array().unwrap();
    assert_eq!(nodes.len(), count + 1);
    assert!(nodes[0]["totalCents"].as_i64().unwrap() < 5_880, "less what was credited: {}", nodes[0]);

    // Cancelled, taken back, cancelled.
    assert!(story.garage.run(CANCEL, json!({})).await.at("/cancelSubscription/cancelAt").is_string());
    assert_eq!(status(&story.agree().await), ("ACTIVE", "PRO", "ENDING"));
    assert_eq!(story.garage.run(RESUME, json!({})).await.at("/resumeSubscription/cancelAt"), &Value::Null);
    story.hear().await;
    story.pass(31).await;
    assert_eq!(status(&story.agree().await), ("ACTIVE", "PRO", "ACTIVE"));
    story.garage.run(CANCEL, json!({})).await.at("/cancelSubscription");
    story.pass(31).await;
    assert_eq!(status(&story.agree().await), ("CANCELED", "FREE", "FREE"));
    assert_eq!(story.garage.run(RESUME, json!({})).await.code(), "NOT_SUBSCRIBED");
    assert_eq!(story.garage.run(kinds, json!({})).await.at("/notifications/nodes/0/kind"), "subscription_ended");

    // Once more, without a second trial, to the end of the year.
    story.pass(20).await;
    story.subscribe("ENTERPRISE").await;
    assert_eq!(status(&story.agree().await), ("ACTIVE", "ENTERPRISE", "ACTIVE"));
    for _ in 0..5 {
        story.pass(31).await;
        assert_eq!(status(&story.agree().await), ("ACTIVE", "ENTERPRISE", "ACTIVE"));
    }
    assert!(story.garage.run(PORTAL, json!({})).await.text("/openBillingPortal/url").starts_with("https://billing."));
    let invoices = story.stripe.truth(&story.customer()).invoices;
    assert!(invoices.len() >= 11, "{invoices:?}");
    let paid = invoices.iter().filter(|(_, _, _, paid)| *paid > 0).count();
    assert_eq!(letters(&story, "invoice_paid").await, paid, "one letter for each payment");
    story.finish().await;
}

/// Our rows but those that say when something was done.
async fn rows(app: &TestApp) -> Vec<String> {
    let mut all = Vec::new();
    for query in [
        "SELECT s::text AS text FROM billing_subscriptions s ORDER BY stripe_id",
        "SELECT i::text AS text FROM billing_invoices i ORDER BY stripe_id",
        "SELECT row(plan, period_start, period_end, grace_ends_at, ends_at)::text AS text FROM subscription_accounts ORDER BY org_id",
        "SELECT row(kind, stripe_id, amount_cents)::text AS text FROM billing_notes ORDER BY kind, stripe_id",
        "SELECT kind || count(*) AS text FROM email_messages GROUP BY kind ORDER BY 1",
        "SELECT id AS text FROM billing_events ORDER BY 1",
    ] {
        all.extend(app.texts(query).await);
    }
    all
}

#[tokio::test]
async fn the_same_events_in_any_order_and_twice_end_in_the_same_state() {
    let mut story = Story::begin().await;
    story.subscribe("PRO").await;
    let mut events = Vec::new();
    for step in 0..6 {
        story.skip(31).await;
        match step {
            1 => story.stripe.set_card(&story.customer(), false),
            2 => story.stripe.set_card(&story.customer(), true),
            3 => drop(story.garage.run(CHANGE, json!({ "p": "ENTERPRISE" })).await),
            4 => drop(story.garage.run(CANCEL, json!({})).await),
            _ => {}
        }
        story.stripe.requests();
        let told = story.stripe.take_events();
        for event in &told {
            story.stripe.deliver(&story.app.base, event).await;
        }
        story.app.run_jobs().await;
        events.extend(told);
    }
    assert!(events.len() > 15, "{}", events.len());
    story.agree().await;
    let in_order = rows(&story.app).await;
    for seed in [3_usize, 7, 11] {
        story.app.execute("DELETE FROM billing_subscriptions").await;
        story.app.execute("DELETE FROM billing_invoices").await;
        story.app.execute("DELETE FROM billing_events WHERE happened_at > (SELECT min(created_at) + interval '1 day' FROM billing_customers)").await;
        story
            .app
            .execute(
                "UPDATE subscription_accounts SET plan = NULL, period_start = NULL, period_end = NULL, ends_at = NULL",
            )
            .await;
        let twice: Vec<&Value> = events.iter().chain(&events).collect();
        let stride = (1..).map(|n| n * seed + 1).find(|stride| num_coprime(*stride, twice.len())).unwrap();
        for at in 0..twice.len() {
            let event = twice[(at * stride) % twice.len()];
            assert_eq!(story.stripe.deliver(&story.app.base, event).await, 200);
            if at % 5 == 0 {
                story.app.run_jobs().await;
            }
        }
        story.app.run_jobs().await;
        assert_eq!(rows(&story.app).await, in_order, "seed {seed}");
        story.agree().await;
    }
    story.finish().await;
}

fn num_coprime(a: usize, b: usize) -> bool {
    if b == 0 { a == 1 } else { num_coprime(b, a % b) }
}

#[tokio::test]
async fn a_forged_a_stale_and_a_repeated_event_change_nothing() {
    let stripe = FakeStripe::start().await;
    let app = setup(&stripe).set("STRIPE_WEBHOOK_SECRET", "whsec_next, whsec_keroxio").start().await;
    stripe.follow(app.app.clock());
    let garage = app.garage("dupont").await;
    let url = garage.run(CHECK_OUT, json!({ "p": "PRO" })).await.text("/createCheckout/url");
    stripe.check_out(&url);
    let event = stripe.take_events().into_iter().find(|event| event["type"] == "checkout.session.completed").unwrap();
    let (body, now) = (event.to_string(), app.app.now().timestamp());
    let signed = |secret: &str, time: i64| stripe_signature(secret, time, &body);
    let good = signed(STRIPE_WEBHOOK_SECRET, now);
    let forged = [
        String::new(),
        signed("whsec_other", now),
        signed(STRIPE_WEBHOOK_SECRET, now - 600),
        signed(STRIPE_WEBHOOK_SECRET, now + 600),
        good.replace("v1=", "v0="),
        good.replace(&format!("t={now}"), &format!("t={}", now + 1)),
    ];
    for signature in forged {
        assert_eq!(post_event(&app.base, &signature, body.clone()).await, 400, "{signature}");
    }
    assert_eq!(post_event(&app.base, &good, body.replace("complete", "completed")).await, 400, "another body");
    let nonsense = "[]".to_owned();
    let signature = stripe_signature(STRIPE_WEBHOOK_SECRET, now, &nonsense);
    assert_eq!(post_event(&app.base, &signature, nonsense).await, 400);
    assert_eq!(post_event(&app.base, &good, " ".repeat(1 << 21)).await, 413);
    let count = async || app.texts("SELECT count(*)::text AS text FROM billing_events").await.remove(0);
    assert_eq!(count().await, "0");
    assert_eq!(app.texts("SELECT name AS text FROM core_jobs WHERE name LIKE 'billing.%'").await, Vec::<String>::new());
    // With a signature of the next secret beside one of a secret we do not know.
    let (other, next) = (signed("whsec_other", now), signed("whsec_next", now));
    let both = format!("{other},{}", next.split_once(',').unwrap().1);
    for _ in 0..3 {
        assert_eq!(post_event(&app.base, &both, body.clone()).await, 200);
    }
    assert_eq!(count().await, "1");
    let jobs = app.texts("SELECT name AS text FROM core_jobs WHERE name LIKE 'billing.%'").await;
    assert_eq!(jobs, ["billing.sync"], "one effect");
    // Of somebody who is no customer of ours: kept, and nothing follows.
    let strange = body.replace("cus_", "cus_strange_").replace("evt_", "evt_strange_");
    let signature = stripe_signature(STRIPE_WEBHOOK_SECRET, now, &strange);
    assert_eq!(post_event(&app.base, &signature, strange).await, 200);
    app.run_jobs().await;
    assert_eq!(garage.run(BILLING, json!({})).await.at("/billing/status"), "TRIALING");
    app.finish().await;
}

#[tokio::test]
async fn a_payment_that_succeeds_after_the_end_is_kept_and_gives_nothing_back() {
    let mut story = Story::begin().await;
    story.skip(31).await;
    story.subscribe("PRO").await;
    story.stripe.set_card(&story.customer(), false);
    story.pass(31).await;
    assert_eq!(status(&story.agree().await), ("PAST_DUE", "PRO", "GRACE"));
    let subscription = story.app.texts("SELECT stripe_id AS text FROM billing_subscriptions").await.remove(0);
    story.stripe.end(&subscription);
    story.hear().await;
    assert_eq!(status(&story.agree().await), ("CANCELED", "FREE", "FREE"));
    let late = story.app.texts("SELECT stripe_id AS text FROM billing_invoices WHERE status = 'open'").await.remove(0);
    story.stripe.pay(&late);
    story.hear().await;
    let after = story.agree().await;
    assert_eq!(status(&after), ("CANCELED", "FREE", "FREE"));
    assert_eq!(after.pointer("/billingInvoices/nodes/0/status"), Some(&json!("PAID")));
    story.finish().await;
}

#[tokio::test]
async fn when_the_grace_period_is_over_the_plan_is_the_free_one_until_somebody_pays() {
    let mut story = Story::begin().await;
    story.skip(31).await;
    story.subscribe("PRO").await;
    let photo = story.garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let prepare = "mutation($p: UUID!) { prepareListing(input: { photoIds: [$p], vehicle: {} }) { id } }";
    for _ in 0..6 {
        story.garage.run(prepare, json!({ "p": photo })).await.at("/prepareListing");
    }
    story.app.run_jobs().await;
    story.stripe.set_card(&story.customer(), false);
    story.pass(31).await;
    let begun = story.agree().await;
    assert_eq!(status(&begun), ("PAST_DUE", "PRO", "GRACE"));
    let end = begun.pointer("/plan/graceEndsAt").unwrap().as_str().unwrap();
    let failed = story.app.texts(
        "SELECT extract(epoch FROM finalized_at)::bigint::text AS text FROM billing_invoices WHERE status = 'open'",
    );
    let failed: i64 = failed.await.remove(0).parse().unwrap();
    assert_eq!(DateTime::parse_from_rfc3339(end).unwrap().timestamp(), failed + 14 * DAY as i64);
    story.garage.run(prepare, json!({ "p": photo })).await.at("/prepareListing");
    // Nothing is heard any more, and the clock does it.
    story.skip(14).await;
    let over = story.garage.run(BILLING, json!({})).await;
    assert_eq!(status(over.data()), ("PAST_DUE", "FREE", "FREE"));
    assert_eq!(story.garage.run(prepare, json!({ "p": photo })).await.code(), "PLAN_LIMIT_REACHED");
    let ads = story.garage.run("{ listings(first: 20) { nodes { id } } }", json!({})).await;
    assert_eq!(ads.at("/listings/nodes").as_array().unwrap().len(), 7);
    let owed = story.app.texts("SELECT stripe_id AS text FROM billing_invoices WHERE status = 'open'").await.remove(0);
    story.stripe.set_card(&story.customer(), true);
    story.stripe.pay(&owed);
    story.hear().await;
    assert_eq!(status(&story.agree().await), ("ACTIVE", "PRO", "ACTIVE"));
    story.finish().await;
}

#[tokio::test]
async fn every_night_what_differs_is_mended_and_reported() {
    const DIFFERENCES: &str = "{ billingDifferences(first: 50) { nodes { field ours theirs stripeId } } }";
    let mut story = Story::begin().await;
    story.stripe.set_page(2);
    story.skip(31).await;
    story.subscribe("PRO").await;
    for _ in 0..4 {
        story.pass(31).await;
    }
    story.agree().await;
    let staff = story.app.staff("ops").await;
    let night = async |story: &Story| {
        let staff = story.app.log_in("ops").await;
        staff.run("mutation { reconcileBilling }", json!({})).await.at("/reconcileBilling");
        story.app.run_jobs().await;
        let found = staff.run(DIFFERENCES, json!({})).await.at("/billingDifferences/nodes").as_array().unwrap().clone();
        let mut fields: Vec<String> = found.iter().map(|row| row["field"].as_str().unwrap().to_owned()).collect();
        fields.sort();
        fields
    };
    assert_eq!(night(&story).await, Vec::<String>::new());
    let before = rows(&story.app).await;
    story.app.execute("UPDATE billing_subscriptions SET status = 'canceled', period_end = now()").await;
    story.app.execute("UPDATE billing_invoices SET status = 'open', paid_cents = 0 WHERE number = 'KRX-0002'").await;
    story.app.execute("DELETE FROM billing_invoices WHERE number = 'KRX-0003'").await;
    story.app.execute("UPDATE subscription_accounts SET plan = NULL").await;
    let found = night(&story).await;
    assert_eq!(found, ["invoice_paid", "invoice_status", "invoice_status", "period_end", "status"]);
    assert_eq!(rows(&story.app).await, before, "mended");
    // Everything that was missed in a month without any event is found by the clock.
    story.skip(32).await;
    keroxio_core::relay::look(&story.app.app).await.unwrap();
    story.skip(1).await;
    keroxio_core::relay::look(&story.app.app).await.unwrap();
    story.app.run_jobs().await;
    story.agree().await;
    assert_eq!(story.garage.run(DIFFERENCES, json!({})).await.code(), "FORBIDDEN");
    drop(staff);
    story.finish().await;
}

#[tokio::test]
async fn staff_rebuild_everything_from_the_events_that_were_kept() {
    let mut story = Story::begin().await;
    story.skip(31).await;
    story.subscribe("PRO").await;
    for _ in 0..3 {
        story.pass(31).await;
    }
    let before = rows(&story.app).await;
    for table in ["billing_subscriptions", "billing_invoices"] {
        story.app.execute(&format!("DELETE FROM {table}")).await;
    }
    story.app.execute("UPDATE subscription_accounts SET plan = NULL, period_start = NULL, period_end = NULL").await;
    let staff = story.app.staff("ops").await;
    let replay = "mutation { replayBillingEvents(since: \"2020-01-01T00:00:00Z\") }";
    assert!(staff.run(replay, json!({})).await.at("/replayBillingEvents").as_u64().unwrap() > 10);
    story.app.run_jobs().await;
    let after: Vec<String> =
        rows(&story.app).await.into_iter().filter(|row| !row.starts_with("verify_email")).collect();
    let before: Vec<String> = before.into_iter().filter(|row| !row.starts_with("verify_email")).collect();
    // The account of staff is another one.
    assert!(before.iter().all(|row| after.contains(row)), "{before:#?} {after:#?}");
    story.agree().await;
    assert_eq!(story.garage.run(replay, json!({})).await.code(), "FORBIDDEN");
    story.finish().await;
}

#[tokio::test]
async fn refunds_and_disputes_are_noted_once_and_void_invoices_are_no_debt() {
    let mut story = Story::begin().await;
    story.skip(31).await;
    story.subscribe("PRO").await;
    story.pass(31).await;
    let invoice = story.app.texts("SELECT stripe_id AS text FROM billing_invoices ORDER BY id").await.remove(0);
    story.stripe.refund(&invoice, 1_000);
    story.stripe.refund(&invoice, 500);
    story.stripe.dispute(&invoice);
    let events = story.stripe.take_events();
    for event in events.iter().chain(&events) {
        story.stripe.deliver(&story.app.base, event).await;
    }
    story.app.run_jobs().await;
    let notes = story.app.texts("SELECT kind || ' ' || amount_cents || ' ' || coalesce(reason, '') AS text FROM billing_notes WHERE kind IN ('refund', 'dispute') ORDER BY 1");
    assert_eq!(notes.await, ["dispute 5880 fraudulent", "refund 1500 "], "as it is at Stripe when it is read");
    let notices = story.garage.run("{ notifications(first: 20) { nodes { kind } } }", json!({})).await;
    let notices = notices.at("/notifications/nodes").to_string();
    assert!(notices.contains("payment_disputed") && notices.contains("payment_refunded"), "{notices}");
    story.stripe.set_card(&story.customer(), false);
    story.pass(31).await;
    let owed = story.app.texts("SELECT stripe_id AS text FROM billing_invoices WHERE status = 'open'").await.remove(0);
    story.stripe.void(&owed);
    story.hear().await;
    let after = story.agree().await;
    assert_eq!(after.pointer("/billing/paymentProblem"), Some(&Value::Null));
    assert_eq!(after.pointer("/billingInvoices/nodes/0/status"), Some(&json!("VOID")));
    story.finish().await;
}

#[tokio::test]
async fn a_deleted_customer_is_gone_and_another_checkout_makes_another() {
    let mut story = Story::begin().await;
    story.skip(31).await;
    story.subscribe("PRO").await;
    let first = story.customer();
    story.stripe.delete_customer(&first);
    story.hear().await;
    let after = story.garage.run(BILLING, json!({})).await;
    assert_eq!(status(after.data()), ("CANCELED", "FREE", "FREE"));
    assert_eq!(story.garage.run(PORTAL, json!({})).await.code(), "NOT_SUBSCRIBED");
    story.pass(2).await;
    story.subscribe("PRO").await;
    assert_ne!(story.customer(), first);
    let now = story.garage.run(BILLING, json!({})).await;
    assert_eq!(status(now.data()), ("ACTIVE", "PRO", "ACTIVE"));
    story.finish().await;
}

#[tokio::test]
async fn whoever_is_erased_pays_no_longer() {
    let mut story = Story::begin().await;
    story.skip(31).await;
    story.subscribe("PRO").await;
    let customer = story.customer();
    let erase = "mutation { eraseOrganization(name: \"dupont\", password: \"correct horse battery\") }";
    let id = story.garage.run(erase, json!({})).await.text("/eraseOrganization");
    story.app.run_jobs().await;
    assert_eq!(story.stripe.truth(&customer).subscription.unwrap().0, "canceled");
    for event in story.stripe.take_events() {
        assert_eq!(story.stripe.deliver(&story.app.base, &event).await, 200);
    }
    story.app.run_jobs().await;
    let certificate = "query($id: UUID!) { erasureCertificate(id: $id) { kept { code rows source } } }";
    let kept = story.app.anonymous().run(certificate, json!({ "id": id })).await;
    assert_eq!(kept.at("/erasureCertificate/kept/0/code"), "invoices");
    let left = story.app.texts("SELECT count(*)::text AS text FROM billing_invoices UNION ALL SELECT count(*)::text FROM billing_customers").await;
    assert_eq!(left, ["0", "0"]);
    story.finish().await;
}

#[tokio::test]
async fn a_request_that_is_repeated_is_the_same_at_stripe_and_trouble_there_is_passing() {
    let story = Story::begin().await;
    let ask = async |key: &str| {
        let request =
            reqwest::Client::new().post(format!("{}/graphql", story.app.base)).bearer_auth(&story.garage.token);
        let body = json!({ "query": CHECK_OUT, "variables": { "p": "PRO" } });
        let answer = request.header("idempotency-key", key).json(&body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    story.stripe.fail(500, 1);
    let failed = story.garage.run(CHECK_OUT, json!({ "p": "PRO" })).await;
    assert_eq!(failed.code(), "UNAVAILABLE");
    assert!(!failed.0.to_string().contains("127.0.0.1") && !failed.0.to_string().contains("broken"), "{}", failed.0);
    let (first, again) = (ask("one").await, ask("one").await);
    assert_eq!(first["data"], again["data"]);
    let sessions: Vec<_> =
        story.stripe.requests().into_iter().filter(|(_, path, ..)| path == "/v1/checkout/sessions").collect();
    assert_eq!(sessions.len(), 1);
    assert!(sessions[0].2.as_ref().unwrap().ends_with(":one"), "{:?}", sessions[0].2);
    // Another window: the first checkout is closed, and two subscriptions cannot come of them.
    let second = ask("two").await;
    assert_ne!(first["data"], second["data"]);
    let expired = story.stripe.requests().into_iter().filter(|(_, path, ..)| path.ends_with("/expire")).count();
    assert_eq!(expired, 1);
    let customers = story.stripe.requests().into_iter().filter(|(_, path, ..)| path == "/v1/customers").count();
    assert_eq!(customers, 1, "one customer, however often somebody tries");
    assert_eq!(story.garage.run(CHECK_OUT, json!({ "p": "FREE" })).await.code(), "PLAN_NOT_SOLD");
    story.hear().await;
    story.finish().await;
}

#[tokio::test]
async fn who_may_not_handle_money_sees_none_of_it() {
    let story = Story::begin().await;
    let seller = story.app.member(&story.garage, "seller", "SELLER").await;
    let accountant = story.app.member(&story.garage, "accountant", "ACCOUNTANT").await;
    for query in ["{ billing { status } }", "{ billingInvoices(first: 1) { nodes { id } } }", CANCEL, PORTAL] {
        assert_eq!(seller.run(query, json!({})).await.code(), "FORBIDDEN", "{query}");
    }
    assert_eq!(accountant.run("{ billing { status } }", json!({})).await.at("/billing/status"), "NONE");
    assert_eq!(seller.run("{ plan { plan { code } } }", json!({})).await.at("/plan/plan/code"), "PRO");
    story.finish().await;
}
