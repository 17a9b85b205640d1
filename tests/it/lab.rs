//! A module of jobs that do as they are told, for the tests of the runner.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use keroxio_core::{
    App, AppBuilder, BackgroundJob, Effects, Env, GivenUp, JobError, JobRegistry, Module, Priority, Provider,
    Recurrence, Result,
};
use keroxio_test_support::{Setup, TestApp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// What the jobs of one application share with its test.
#[derive(Clone)]
pub struct Lab {
    /// Effects, in the order in which they became wanted.
    pub log: watch::Sender<Vec<String>>,
    /// Jobs that hold begin here, and wait for a permit.
    pub holding: watch::Sender<usize>,
    pub most_at_once: Arc<AtomicUsize>,
    pub gate: Arc<Semaphore>,
}

impl Lab {
    pub async fn logged(&self, lines: usize) -> Vec<String> {
        self.log.subscribe().wait_for(|log| log.len() >= lines).await.unwrap().clone()
    }

    pub async fn held(&self, jobs: usize) {
        self.holding.subscribe().wait_for(|holding| *holding == jobs).await.unwrap();
    }
}

/// Leaves its text as an effect, after as many failures as it is told.
#[derive(Serialize, Deserialize, Default, Clone)]
pub struct Note {
    pub text: String,
    pub org: Option<Uuid>,
    pub order: Option<String>,
    pub unique: Option<String>,
    /// `retry`, `discard` or `crash` the first time it runs.
    pub trouble: Option<String>,
}

pub fn note(text: &str) -> Note {
    Note { text: text.to_owned(), ..Note::default() }
}

async fn write(app: &App, text: &str) -> Result<Effects> {
    let mut tx = app.begin().await?;
    diesel::sql_query("INSERT INTO lab_notes (text) VALUES ($1)").bind::<Text, _>(text).execute(&mut *tx).await?;
    app.get::<Lab>()?.log.send_modify(|log| log.push(text.to_owned()));
    Ok(tx.into())
}

impl BackgroundJob for Note {
    const NAME: &'static str = "lab.note";
    const MAX_ATTEMPTS: i32 = 3;

    fn org_id(&self) -> Option<Uuid> {
        self.org
    }

    fn ordering_key(&self) -> Option<String> {
        self.order.clone()
    }

    fn unique_key(&self) -> Option<String> {
        self.unique.clone()
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mark = format!("trouble with {}", self.text);
        let lab = app.get::<Lab>()?;
        if self.trouble.is_some() && !lab.log.borrow().contains(&mark) {
            lab.log.send_modify(|log| log.push(mark));
            match self.trouble.as_deref() {
                Some("retry") => return Err(JobError::Retry(anyhow::anyhow!("not yet"))),
                Some("discard") => return Err(JobError::Discard(anyhow::anyhow!("never"))),
                _ => panic!("as told"),
            }
        }
        Ok(write(&app, &self.text).await?)
    }

    async fn gave_up(self, app: App, why: GivenUp) -> Result<Effects> {
        let why = match why {
            GivenUp::Failed(reason) => reason,
            GivenUp::Cancelled => "cancelled".to_owned(),
        };
        write(&app, &format!("{} gave up: {why}", self.text)).await
    }
}

#[derive(Serialize, Deserialize)]
pub struct Urgent;

impl BackgroundJob for Urgent {
    const NAME: &'static str = "lab.urgent";
    const PRIORITY: Priority = Priority::High;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(write(&app, "urgent").await?)
    }
}

/// Counts down when it is dropped, however it ends.
struct Holding(Lab);

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.holding.send_modify(|holding| *holding -= 1);
    }
}

async fn hold(app: &App) -> Result<()> {
    let lab: Lab = app.get()?;
    lab.holding.send_modify(|holding| *holding += 1);
    lab.most_at_once.fetch_max(*lab.holding.borrow(), Ordering::AcqRel);
    let holding = Holding(lab.clone());
    lab.gate.acquire().await.unwrap().forget();
    drop(holding);
    Ok(())
}

/// Waits for the gate, in a service that bears two calls at once.
#[derive(Serialize, Deserialize)]
pub struct Call(pub usize);

impl BackgroundJob for Call {
    const NAME: &'static str = "lab.call";
    const PROVIDER: Option<Provider> = Some(Provider { name: "lab", at_once: 2 });

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        hold(&app).await?;
        Ok(write(&app, &format!("call {}", self.0)).await?)
    }
}

/// Waits for the gate, not for long.
#[derive(Serialize, Deserialize)]
pub struct Hold;

impl BackgroundJob for Hold {
    const NAME: &'static str = "lab.hold";

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        hold(&app).await?;
        Ok(write(&app, "held").await?)
    }
}

#[derive(Serialize, Deserialize)]
pub struct Impatient;

impl BackgroundJob for Impatient {
    const NAME: &'static str = "lab.impatient";
    const TIMEOUT: Duration = Duration::from_millis(20);

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        hold(&app).await?;
        Ok(Effects::none())
    }
}

/// Every night at three, on the clocks of France.
#[derive(Serialize, Deserialize)]
pub struct Nightly;

impl BackgroundJob for Nightly {
    const NAME: &'static str = "lab.nightly";

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(write(&app, "good night").await?)
    }
}

struct LabModule;

impl Module for LabModule {
    fn name(&self) -> &'static str {
        "lab"
    }

    fn init(&self, _env: &Env, app: &mut AppBuilder) -> anyhow::Result<()> {
        app.provide(Lab {
            log: watch::Sender::default(),
            holding: watch::Sender::default(),
            most_at_once: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        });
        Ok(())
    }

    fn jobs(&self, jobs: &mut JobRegistry) {
        jobs.register::<Note>().register::<Urgent>().register::<Call>().register::<Hold>().register::<Impatient>();
        jobs.register::<Nightly>().recur(Recurrence("0 3 * * *"), &Nightly);
    }
}

const MODULES: &[&dyn Module] = &[&LabModule];

pub async fn open_with(setup: Setup) -> (TestApp, Lab) {
    let app = setup.start_composed(MODULES, keroxio_schema::build).await;
    let mut conn = app.app.conn().await.unwrap();
    let table = "CREATE TABLE lab_notes (id bigserial, text text NOT NULL)";
    diesel::sql_query(table).execute(&mut conn).await.unwrap();
    let lab = app.app.get().unwrap();
    (app, lab)
}

pub async fn open() -> (TestApp, Lab) {
    open_with(Setup::default()).await
}

/// The effects that are true.
pub async fn notes(app: &App) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let mut conn = app.conn().await.unwrap();
    let rows: Vec<Row> = diesel::sql_query("SELECT text FROM lab_notes ORDER BY id").load(&mut conn).await.unwrap();
    rows.into_iter().map(|row| row.text).collect()
}
