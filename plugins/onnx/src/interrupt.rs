//! Inference that stops when nobody waits for it any more.

use std::cell::RefCell;
use std::sync::Arc;

use keroxio_plugin_sdk::PluginError;
use ort::session::{NoSelectedOutputs, RunOptions, Session, SessionInputs, SessionOutputs};

type Stop = Arc<RunOptions<NoSelectedOutputs>>;

thread_local! {
    /// How the work on this thread is stopped, while it runs within [`interruptible`].
    static STOP: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// Ends every run under these options, those to come included.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        // Fails only where the runtime itself is broken, and then nothing runs.
        let _ = self.0.terminate();
    }
}

/// Does blocking work on a thread for such work. Dropped before it ends, it ends the inference under way
/// and lets none begin, so that a job that was called off or took too long leaves its session and its
/// processor to others.
///
/// # Errors
/// What `work` answers; [`PluginError::Failed`] when it panics.
pub async fn interruptible<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PluginError> + Send + 'static,
) -> Result<T, PluginError> {
    let stop: Stop = Arc::new(RunOptions::new().map_err(failed)?);
    let _stopper = StopOnDrop(Arc::clone(&stop));
    let done = tokio::task::spawn_blocking(move || {
        STOP.set(Some(stop));
        let answer = work();
        STOP.set(None);
        answer
    });
    done.await.map_err(failed)?
}

/// Runs a model and hands its outputs to `read`.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails or the work was interrupted, or what `read` answers.
pub fn run<'i, 'v: 'i, const N: usize, T>(
    session: &mut Session,
    inputs: impl Into<SessionInputs<'i, 'v, N>>,
    read: impl FnOnce(&SessionOutputs<'_>) -> Result<T, PluginError>,
) -> Result<T, PluginError> {
    match STOP.with_borrow(Clone::clone) {
        Some(stop) => read(&session.run_with_options(inputs, &stop).map_err(failed)?),
        None => read(&session.run(inputs).map_err(failed)?),
    }
}

fn failed(e: impl std::fmt::Display) -> PluginError {
    PluginError::Failed(format!("ONNX Runtime: {e}"))
}
