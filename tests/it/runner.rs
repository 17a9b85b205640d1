//! What the job runner promises, told with jobs that do as they are told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use fred::interfaces::SortedSetsInterface as _;
use keroxio_core::ledger::{self, JobFilter, JobState};
use keroxio_core::{App, BackgroundJob, Queue, relay, worker};
use keroxio_test_support::{Setup, TestApp};
use uuid::Uuid;

use crate::lab::{self, Call, Hold, Impatient, Note, Urgent, note};

const ONE_BY_ONE: worker::Concurrency = worker::Concurrency { default: 1, inference: 1, outbound: 1 };

async fn enqueue<J: BackgroundJob>(app: &TestApp, jobs: &[J]) -> Vec<Uuid> {
    app.app.enqueue_all(jobs).await.unwrap()
}

async fn states(app: &App, ids: &[Uuid]) -> Vec<Option<JobState>> {
    let mut conn = app.conn().await.unwrap();
    let mut states = Vec::new();
    for id in ids {
        states.push(ledger::show(&mut conn, *id).await.unwrap().map(|job| job.state));
    }
    states
}

async fn sql(app: &App, text: &str) {
    app.conn().await.unwrap().batch_execute(text).await.unwrap();
}

#[tokio::test]
async fn organizations_take_turns_and_urgent_work_goes_first() {
    let (app, lab) = lab::open().await;
    let (garage, seller) = (Some(Uuid::now_v7()), Some(Uuid::now_v7()));
    let many: Vec<Note> = (0..50).map(|n| Note { org: garage, ..note(&format!("garage {n}")) }).collect();
    let few: Vec<Note> = (0..3).map(|n| Note { org: seller, ..note(&format!("seller {n}")) }).collect();
    enqueue(&app, &many).await;
    enqueue(&app, &few).await;
    enqueue(&app, &[Urgent]).await;
    let worker = app.start_worker_of(ONE_BY_ONE);
    let log = lab.logged(54).await;
    worker.stop().await;
    let first = ["urgent", "garage 0", "seller 0", "garage 1", "seller 1", "garage 2", "seller 2", "garage 3"];
    assert_eq!(log[..8], first);
    assert_eq!(lab::notes(&app.app).await, log, "what was wanted became true, in that order");
    app.finish().await;
}

#[tokio::test]
async fn jobs_of_one_key_keep_their_order_when_one_has_to_try_again() {
    let (app, _) = lab::open().await;
    let ordered = |text: &str, trouble: Option<&str>| Note {
        order: Some("the same car".to_owned()),
        trouble: trouble.map(str::to_owned),
        ..note(text)
    };
    let jobs = [ordered("first", Some("retry")), ordered("second", Some("discard")), ordered("third", None)];
    enqueue(&app, &jobs).await;
    enqueue(&app, &[note("of no key")]).await;
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["of no key"], "the others wait for the first");
    app.app.clock().advance(Duration::from_secs(5));
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["of no key", "first", "second gave up: never", "third"]);
    forget_the_dead(&app, 1).await;
    app.finish().await;
}

async fn forget_the_dead(app: &TestApp, jobs: usize) {
    let mut conn = app.app.conn().await.unwrap();
    let soon = app.app.now() + chrono::Duration::days(1);
    assert_eq!(ledger::purge(&mut conn, JobState::Dead, soon).await.unwrap(), jobs);
}

#[tokio::test]
async fn an_equal_job_waits_once_and_may_be_asked_for_again_afterwards() {
    let (app, _) = lab::open().await;
    let unique = Note { unique: Some("car 7".to_owned()), ..note("look at car 7") };
    let first = enqueue(&app, std::slice::from_ref(&unique)).await;
    let second = enqueue(&app, std::slice::from_ref(&unique)).await;
    assert_eq!(first, second);
    assert_eq!(app.run_jobs().await, 1);
    let third = enqueue(&app, &[unique]).await;
    assert_ne!(first, third);
    assert_eq!(app.run_jobs().await, 1);
    app.finish().await;
}

#[tokio::test]
async fn a_batch_is_followed_once_whatever_became_of_its_members() {
    let (app, _) = lab::open().await;
    let dies = Note { trouble: Some("discard".to_owned()), ..note("b") };
    let crashes = Note { trouble: Some("crash".to_owned()), ..note("c") };
    let mut tx = app.app.begin().await.unwrap();
    tx.enqueue_batch(&[note("a"), dies, crashes], &note("all done")).await.unwrap();
    tx.enqueue_batch::<Note, _>(&[], &note("nothing to do")).await.unwrap();
    tx.commit().await.unwrap();
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["a", "b gave up: never", "nothing to do"], "one member is left");
    app.app.clock().advance(Duration::from_secs(5));
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await[3..], ["c", "all done"]);
    forget_the_dead(&app, 1).await;
    app.finish().await;
}

#[tokio::test]
async fn a_provider_is_called_no_more_often_at_once_than_it_bears() {
    let (app, lab) = lab::open().await;
    let (one, other) = (app.start_worker(), app.start_worker());
    enqueue(&app, &[Call(0), Call(1), Call(2), Call(3), Call(4)]).await;
    lab.held(2).await;
    lab.gate.add_permits(5);
    let log = lab.logged(5).await;
    one.stop().await;
    other.stop().await;
    assert_eq!(log.len(), 5);
    assert_eq!(AtomicUsize::load(&lab.most_at_once, Ordering::Acquire), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_dead_job_that_is_tried_again_still_takes_a_place_of_its_provider() {
    let (app, _) = lab::open().await;
    let ids = enqueue(&app, &[Call(0)]).await;
    sql(&app.app, "UPDATE core_jobs SET attempt = max_attempts").await;
    app.run_jobs().await;
    assert_eq!(states(&app.app, &ids).await, [Some(JobState::Dead)]);
    let mut conn = app.app.conn().await.unwrap();
    assert_eq!(ledger::retry(&mut conn, &ids, app.app.now()).await.unwrap(), 1);
    let kept = diesel::sql_query("SELECT FROM core_jobs WHERE provider = 'lab'").execute(&mut conn).await.unwrap();
    assert_eq!(kept, 1);
    sql(&app.app, "DELETE FROM core_jobs").await;
    app.finish().await;
}

#[tokio::test]
async fn a_worker_stops_although_it_cannot_claim_what_it_has_taken() {
    let (app, _) = lab::open().await;
    enqueue(&app, &[note("taken")]).await;
    // PostgreSQL answers, but nothing can be claimed.
    sql(&app.app, "ALTER TABLE core_jobs RENAME TO core_jobs_away").await;
    let worker = app.start_worker();
    let waiting = app.app.redis().key("{jobs:default}:waiting");
    while app.app.redis().commands().zcard::<u64, _>(&waiting).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    worker.stop().await;
    sql(&app.app, "ALTER TABLE core_jobs_away RENAME TO core_jobs").await;
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["taken"]);
    app.finish().await;
}

#[tokio::test]
async fn the_jobs_of_a_worker_that_fell_silent_are_done_by_others() {
    let (app, _) = lab::open().await;
    let ids = enqueue(&app, &[note("left behind")]).await;
    let (worker, job) = (Uuid::now_v7(), ids[0]);
    sql(&app.app, &format!("INSERT INTO core_workers VALUES ('{worker}', now(), now() - interval '1 hour')")).await;
    sql(&app.app, &format!("UPDATE core_jobs SET worker = '{worker}', attempt = 1 WHERE id = '{job}'")).await;
    assert_eq!(app.run_jobs().await, 0, "it is somebody's");
    relay::look(&app.app).await.unwrap();
    let row = ledger::show(&mut app.app.conn().await.unwrap(), job).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempt), (JobState::Waiting, 1));
    assert_eq!(row.last_error(), Some("the worker stopped without an answer"));
    assert_eq!(row.history[0]["attempt"], 1);
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["left behind"]);
    app.finish().await;
}

#[tokio::test]
async fn a_job_that_takes_its_worker_along_every_time_is_given_up() {
    let (app, _) = lab::open().await;
    let ids = enqueue(&app, &[note("poison")]).await;
    sql(&app.app, &format!("UPDATE core_jobs SET attempt = 3 WHERE id = '{}'", ids[0])).await;
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["poison gave up: its worker died in each of 3 attempts"]);
    assert_eq!(states(&app.app, &ids).await, [Some(JobState::Dead)]);
    forget_the_dead(&app, 1).await;
    app.finish().await;
}

#[tokio::test]
async fn effects_of_an_attempt_that_is_no_longer_its_workers_are_dropped() {
    let (app, lab) = lab::open().await;
    let ids = enqueue(&app, &[Hold]).await;
    let worker = app.start_worker();
    lab.held(1).await;
    // As if it had been silent for too long, and somebody else had begun the job meanwhile.
    let other = Uuid::now_v7();
    sql(&app.app, &format!("UPDATE core_jobs SET worker = '{other}', attempt = 2 WHERE id = '{}'", ids[0])).await;
    lab.gate.add_permits(1);
    lab.logged(1).await;
    worker.stop().await;
    assert_eq!(lab::notes(&app.app).await, Vec::<String>::new());
    assert_eq!(states(&app.app, &ids).await, [Some(JobState::Running)], "the other one still has it");
    sql(&app.app, "UPDATE core_jobs SET worker = NULL").await;
    lab.gate.add_permits(1);
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["held"]);
    app.finish().await;
}

#[tokio::test]
async fn a_worker_told_to_stop_hands_back_what_does_not_end_in_time() {
    let (app, lab) = lab::open_with(Setup::default().set("KEROXIO_SHUTDOWN_SECONDS", "0")).await;
    let ids = enqueue(&app, &[Hold]).await;
    let worker = app.start_worker();
    lab.held(1).await;
    worker.stop().await;
    assert_eq!(*lab.holding.borrow(), 0, "it was interrupted");
    let row = ledger::show(&mut app.app.conn().await.unwrap(), ids[0]).await.unwrap().unwrap();
    assert_eq!(row.attempt, 0, "the attempt does not count");
    lab.gate.add_permits(1);
    app.run_jobs().await;
    assert_eq!(lab::notes(&app.app).await, ["held"]);
    app.finish().await;
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_interrupted_and_tried_again() {
    let (app, lab) = lab::open().await;
    let ids = enqueue(&app, &[Impatient]).await;
    app.run_jobs().await;
    assert_eq!(*lab.holding.borrow(), 0, "nothing of it goes on");
    let row = ledger::show(&mut app.app.conn().await.unwrap(), ids[0]).await.unwrap().unwrap();
    assert_eq!((row.state, row.last_error()), (JobState::Scheduled, Some("no answer within 20ms")));
    lab.gate.add_permits(1);
    app.app.clock().advance(Duration::from_secs(5));
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_recurring_job_fires_once_a_slot_however_many_look() {
    let (app, _) = lab::open().await;
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert!(lab::notes(&app.app).await.is_empty(), "its hour has not come");
    for nights in 1..=2 {
        app.app.clock().advance(Duration::from_secs(24 * 3_600));
        let (one, other) = tokio::join!(relay::look(&app.app), relay::look(&app.app));
        one.and(other).unwrap();
        app.run_jobs().await;
        assert_eq!(lab::notes(&app.app).await.len(), nights);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_reader_that_waits_in_vain_goes_on_waiting() {
    let (app, _) = lab::open().await;
    assert_eq!(worker::wait_briefly(&app.app, Queue::Default).await.unwrap(), 0);
    app.finish().await;
}

#[tokio::test]
async fn what_was_never_committed_is_never_begun() {
    let (app, lab) = lab::open().await;
    let worker = app.start_worker_of(ONE_BY_ONE);
    for _ in 0..10 {
        // A worker that has nothing to do may keep a place for the job; it must get it back.
        let mut tx = app.app.begin().await.unwrap();
        tx.enqueue(&note("never")).await.unwrap();
        drop(tx);
        app.app.enqueue(&note("now")).await.unwrap();
    }
    lab.logged(10).await;
    worker.stop().await;
    assert_eq!(lab::notes(&app.app).await, vec!["now"; 10]);
    app.finish().await;
}

#[tokio::test]
async fn a_job_for_later_waits_for_its_time() {
    let (app, lab) = lab::open().await;
    let later = app.app.now() + chrono::Duration::hours(1);
    let mut tx = app.app.begin().await.unwrap();
    let id = tx.enqueue_at(&note("later"), later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(app.run_jobs().await, 0);
    assert_eq!(states(&app.app, &[id]).await, [Some(JobState::Scheduled)]);
    app.app.clock().advance(Duration::from_secs(3_601));
    let worker = app.start_worker();
    assert_eq!(lab.logged(1).await, ["later"]);
    worker.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn jobs_too_large_or_unreadable_are_refused_or_parked() {
    let (app, _) = lab::open().await;
    let mut tx = app.app.begin().await.unwrap();
    let refused = tx.enqueue(&note(&"x".repeat(70_000))).await.unwrap_err();
    assert!(refused.to_string().contains("larger than 65536 bytes"), "{refused}");
    drop(tx);
    let ids = enqueue(&app, &[note("fine")]).await;
    sql(&app.app, "UPDATE core_jobs SET args = '{\"text\": 5}'").await;
    app.run_jobs().await;
    let row = ledger::show(&mut app.app.conn().await.unwrap(), ids[0]).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempt), (JobState::Dead, 1));
    assert!(row.last_error().unwrap().contains("invalid type"), "{:?}", row.last_error());
    forget_the_dead(&app, 1).await;
    app.finish().await;
}

#[tokio::test]
async fn a_backlog_is_listed_page_by_page() {
    let (app, _) = lab::open().await;
    let ids = enqueue(&app, &[note("a"), note("b"), note("c")]).await;
    let mut conn = app.app.conn().await.unwrap();
    let filter = JobFilter { state: Some(JobState::Waiting), ..JobFilter::default() };
    let newest = ledger::list(&mut conn, &filter, None, 2).await.unwrap();
    let rest = ledger::list(&mut conn, &filter, Some(newest[1].id), 2).await.unwrap();
    let listed: Vec<Uuid> = newest.iter().chain(&rest).map(|job| job.id).collect();
    assert_eq!(listed, [ids[2], ids[1], ids[0]]);
    sql(&app.app, "DELETE FROM core_jobs").await;
    app.finish().await;
}
