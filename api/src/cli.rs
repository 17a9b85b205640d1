use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use keroxio_core::ledger::JobState;
use uuid::Uuid;

/// Keroxio: from the photo of a car to its ad.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub role: Role,
}

#[derive(Subcommand)]
pub enum Role {
    /// Serves the API.
    Serve,
    /// Runs jobs.
    Work,
    /// Serves the API and runs jobs in one process.
    Run,
    /// Brings the database up to date.
    Migrate {
        /// Also undoes and repeats every migration, to prove the way back. Empties the database.
        #[arg(long)]
        redo: bool,
    },
    /// Looks at jobs, tries dead ones again, throws ended ones away.
    Jobs {
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// Looks after people's accounts.
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Lists, checks and adds the model files that read plates.
    Models {
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Looks at everything this installation depends on, and says how to mend what is wrong.
    Doctor {
        /// Prints one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Prints what can be set and what is; secrets are not shown.
    Settings {
        /// Prints the reference in Markdown instead (`api/SETTINGS.md`).
        #[arg(long)]
        markdown: bool,
    },
    /// Prints the GraphQL schema.
    Schema,
    /// Runs the journey from photos to an ad, and writes a report.
    Demo(Box<DemoOptions>),
    /// Measures the configured models on labelled data.
    Eval {
        what: EvalWhat,
        /// Folder with the labelled data.
        #[arg(long)]
        data: PathBuf,
        /// Prints JSON only.
        #[arg(long)]
        json: bool,
        /// For plates and images: also prints one JSON line per photo, before the summary.
        #[arg(long)]
        details: bool,
    },
}

#[derive(Subcommand)]
pub enum UsersCommand {
    /// Makes somebody one of the platform's staff; they log in again for it to take effect.
    Staff {
        /// The e-mail address of the account.
        email: String,
        /// Makes them an ordinary user again.
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Subcommand)]
pub enum ModelsCommand {
    /// Prints the plate models of this installation, one JSON object a line.
    List,
    /// Checks every model's checksum and shape.
    Verify,
    /// Copies a model into the store (`KEROXIO_MODELS_DIR`), to be chosen by `KEROXIO_PLATES_READERS`.
    Add(AddModel),
}

#[derive(Args, Clone, Debug)]
pub struct AddModel {
    /// An ONNX file.
    pub file: PathBuf,
    /// The name by which settings choose it.
    #[arg(long)]
    pub model: String,
    #[arg(long)]
    pub version: String,
    /// What goes in and comes out: plate-slots, plate-slots-cct, plate-corners, ppocr-detection, ppocr-recognition.
    #[arg(long)]
    pub contract: String,
    /// SPDX identifier of its licence.
    #[arg(long)]
    pub licence: String,
    /// For a licence other than the common free ones: you may use the model.
    #[arg(long)]
    pub licence_agreed: bool,
    /// The checksum it must have.
    #[arg(long)]
    pub sha256: Option<String>,
    /// Where it comes from.
    #[arg(long)]
    pub upstream: Option<String>,
}

#[derive(Subcommand)]
pub enum JobsCommand {
    /// Prints jobs, one JSON object a line, newest first.
    List {
        #[arg(long, value_parser = one_of(&JobState::ALL), default_value = "dead")]
        state: JobState,
        /// At most this many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        most: i64,
    },
    /// Prints one job.
    Show { id: Uuid },
    /// Gives dead jobs all their attempts again.
    Retry {
        ids: Vec<Uuid>,
        /// Every dead job.
        #[arg(long)]
        all: bool,
    },
    /// Deletes jobs that ended days ago.
    Purge {
        #[arg(long, value_parser = one_of(&JobState::ENDED))]
        state: JobState,
        /// How long ago they must have ended, in days.
        #[arg(long, default_value_t = 7)]
        days: u32,
    },
}

/// Takes the names of these states.
fn one_of(states: &'static [JobState]) -> impl TypedValueParser<Value = JobState> {
    PossibleValuesParser::new(states.iter().map(|state| state.name()))
        .try_map(|name| JobState::named(&name).ok_or("no such state"))
}

#[derive(Clone, Copy, ValueEnum)]
pub enum EvalWhat {
    Plates,
    Images,
    Pricing,
}

#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Photos of one car; without any, the bundled pictures are used.
    pub photos: Vec<PathBuf>,
    /// Prints one JSON document on stdout.
    #[arg(long)]
    pub json: bool,
    /// Where the report goes.
    #[arg(long, default_value = "demo-out", overrides_with = "out")]
    pub out: PathBuf,
    #[arg(long)]
    pub make: Option<String>,
    #[arg(long)]
    pub model: Option<String>,
    #[arg(long)]
    pub version: Option<String>,
    /// Month of first registration, `YYYY-MM`.
    #[arg(long)]
    pub first_registration: Option<String>,
    #[arg(long)]
    pub mileage_km: Option<i64>,
    /// PETROL, DIESEL, HYBRID, PLUGIN_HYBRID, ELECTRIC, LPG, CNG, ETHANOL or OTHER.
    #[arg(long)]
    pub fuel: Option<String>,
    /// MANUAL or AUTOMATIC.
    #[arg(long)]
    pub gearbox: Option<String>,
    #[arg(long)]
    pub power_hp: Option<i64>,
}
