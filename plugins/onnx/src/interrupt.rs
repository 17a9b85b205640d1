//! Inference that stops when nobody waits for it any more.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
    let begun = Instant::now();
    let stop = STOP.with_borrow(Clone::clone);
    let outputs = match &stop {
        Some(stop) => session.run_with_options(inputs, stop),
        None => session.run(inputs),
    };
    SPENT.fetch_add(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    read(&outputs.map_err(failed)?)
}

/// Nanoseconds within ONNX Runtime since the process began, over all threads.
static SPENT: AtomicU64 = AtomicU64::new(0);

/// Time spent within ONNX Runtime since the process began, over all threads.
pub fn spent() -> Duration {
    Duration::from_nanos(SPENT.load(Ordering::Relaxed))
}

fn failed(e: impl std::fmt::Display) -> PluginError {
    PluginError::Failed(format!("ONNX Runtime: {e}"))
}
