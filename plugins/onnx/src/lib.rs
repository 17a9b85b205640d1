#![doc = include_str!("../README.md")]

mod contract;
mod interrupt;
mod pool;

pub use contract::{CONTRACTS, Contract};
pub use interrupt::{interruptible, run, spent};
pub use pool::Pool;

use std::sync::{Mutex, OnceLock, PoisonError};

use keroxio_plugin_sdk::PluginError;
use ort::environment::Environment;
use ort::session::Session;

/// It must outlive every session, hence for the whole life of the process.
static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
static CREATING: Mutex<()> = Mutex::new(());

/// The process-wide environment, created at the first call from the library that `ORT_DYLIB_PATH` names.
///
/// # Errors
/// [`PluginError::ModelUnavailable`] when the variable is not set, the library cannot be loaded, or
/// other code has already created an environment of its own.
pub fn environment() -> Result<Environment, PluginError> {
    let _one_at_a_time = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ready) = ENVIRONMENT.get() {
        return Ok(ready.clone());
    }
    let library = std::env::var_os("ORT_DYLIB_PATH")
        .ok_or_else(|| PluginError::ModelUnavailable("ORT_DYLIB_PATH is not set".to_owned()))?;
    let builder = ort::init_from(&library)
        .map_err(|e| PluginError::ModelUnavailable(format!("{}: {e}", library.to_string_lossy())))?;
    let fresh = builder.with_name("keroxio").with_telemetry(false).build().map_err(unavailable)?;
    Ok(ENVIRONMENT.get_or_init(|| fresh).clone())
}

/// A session of the given model, in the process-wide environment, on the thread that runs it.
///
/// # Errors
/// [`PluginError::ModelUnavailable`] as for [`environment`], or when the runtime refuses the model.
pub fn session(model: &[u8]) -> Result<Session, PluginError> {
    let environment = environment()?;
    Session::builder(&environment)
        .and_then(|b| Ok(b.with_intra_threads(1)?))
        .and_then(|b| Ok(b.with_intra_op_spinning(false)?))
        .map_err(unavailable)?
        .commit_from_memory(model)
        .map_err(unavailable)
}

fn unavailable(e: impl std::fmt::Display) -> PluginError {
    PluginError::ModelUnavailable(format!("ONNX Runtime: {e}"))
}
