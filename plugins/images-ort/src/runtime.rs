use std::sync::{Mutex, OnceLock, PoisonError};

use keroxio_plugin_sdk::PluginError;
use ort::environment::Environment;

/// A process may own one ONNX Runtime environment only, and it must outlive every session.
static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
static CREATING: Mutex<()> = Mutex::new(());

/// The process-wide ONNX Runtime environment, created at the first call from the library that
/// `ORT_DYLIB_PATH` names. Whoever else runs models in this process has to use this one.
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
    let fresh = builder
        .with_name("keroxio")
        .with_telemetry(false)
        .build()
        .map_err(|e| PluginError::ModelUnavailable(format!("ONNX Runtime: {e}")))?;
    Ok(ENVIRONMENT.get_or_init(|| fresh).clone())
}
