//! As many warm sessions as may run at once.

use std::sync::{Mutex, PoisonError};

use keroxio_plugin_sdk::PluginError;

/// Lends what inference needs; each lent thing works on one thread at a time.
pub struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

impl<T> Pool<T> {
    /// # Errors
    /// What `make` answers.
    pub fn new(size: usize, make: impl FnMut() -> Result<T, PluginError>) -> Result<Self, PluginError> {
        let idle = std::iter::repeat_with(make).take(size).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Mutex::new(idle) })
    }

    /// # Errors
    /// [`PluginError::Failed`] when everything is lent, or what `work` answers.
    pub fn lend<A>(&self, work: impl FnOnce(&mut T) -> Result<A, PluginError>) -> Result<A, PluginError> {
        let lent = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut lent = lent.ok_or_else(|| PluginError::Failed("every session is busy".to_owned()))?;
        let answer = work(&mut lent);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(lent);
        answer
    }
}
