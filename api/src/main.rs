//! Dispatches to the role asked for.

use std::process::ExitCode;

use clap::Parser as _;
use keroxio_api::cli::{Cli, Role};
use keroxio_api::{config, demo, doctor, eval, jobs, migrate, models, serve, settings, users};
use keroxio_core::Env;

/// The system's allocator keeps what a thousand connections took once for as long as the process lives.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stack of a thread that answers: resolvers of the library put the futures of all fields of a type there.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    config::load_env_files();
    match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime.block_on(run()),
        Err(e) => {
            eprintln!("keroxio: no threads: {e}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> ExitCode {
    // One TLS provider for the whole process; a second installation is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = match Cli::parse().role {
        Role::Serve => {
            keep_pages_small();
            serve::run(serve::Roles::SERVE).await
        }
        Role::Work => serve::run(serve::Roles::WORK).await,
        Role::Run => {
            keep_pages_small();
            serve::run(serve::Roles::BOTH).await
        }
        Role::Migrate { redo } => migrate::run(redo).await,
        Role::Jobs { command } => jobs::run(command).await,
        Role::Users { command } => users::run(command).await,
        Role::Models { command } => models::run(command),
        Role::Doctor { json } => doctor::run(json).await,
        Role::Settings { markdown: true } => {
            print!("{}", settings::reference(keroxio_schema::MODULES));
            Ok(())
        }
        Role::Settings { markdown: false } => {
            settings::print(&Env::from_process(), keroxio_schema::MODULES);
            Ok(())
        }
        Role::Schema => {
            print!("{}", keroxio_schema::sdl());
            Ok(())
        }
        Role::Demo(options) => demo::run(*options).await,
        Role::Eval { what, data, json, details } => eval::run(what, &data, json, details).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("keroxio: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// The allocator asks for pages of 2 MiB, and the first byte of each waits until it is filled with zeros. A crowd that
/// arrives at once makes all others wait for that; those who only compute keep them.
#[cfg(target_os = "linux")]
fn keep_pages_small() {
    if let Err(e) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("pages stay large: {e}");
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_pages_small() {}
