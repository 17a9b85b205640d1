use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    },
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
