//! As many warm sessions as may run at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keroxio_plugin_sdk::PluginError;

/// Lends what inference needs; each lent thing works on one thread at a time.
pub struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

/// Comes back whatever happens to its borrower: a panic is survived, and must not cost a session.
struct Lent<'a, T> {
    pool: &'a Pool<T>,
    thing: Option<T>,
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        self.pool.idle().extend(self.thing.take());
    }
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
        let thing = self.idle().pop();
        let mut lent = Lent { pool: self, thing };
        match lent.thing.as_mut() {
            Some(thing) => work(thing),
            None => Err(PluginError::Failed("every session is busy".to_owned())),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<T>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_borrower_that_panics_gives_back_what_it_had() {
        let pool = Pool::new(1, || Ok(7)).unwrap();
        let panics = || pool.lend(|_| -> Result<(), PluginError> { panic!("in the middle of a photo") });
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        assert_eq!(pool.lend(|thing| Ok(*thing)).unwrap(), 7);
        let twice = pool.lend(|_| pool.lend(|_| Ok(())));
        assert!(matches!(twice, Err(PluginError::Failed(_))));
    }
}
