//! Bounds how many pixels are decoded at the same time, whoever asks.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keroxio_core::{Env, Error, Result};
use keroxio_plugin_sdk::Photo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long the photo decoded last is kept at most.
const KEPT: Duration = Duration::from_secs(10);
/// Smallest unit counted, in pixels.
const UNIT: u64 = 100_000;
const UNITS_A_MEGAPIXEL: u32 = 10;

/// Decoded pixels this process may hold at once; who comes too late waits.
#[derive(Clone)]
pub(crate) struct PixelBudget {
    units: Arc<Semaphore>,
    all: u32,
    /// The photo decoded last, by its content: the steps of the journey take it one after the other.
    recent: Arc<Mutex<Option<(String, HeldPhoto)>>>,
    /// How many wait for room.
    waiting: Arc<AtomicUsize>,
}

/// One that waits, for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn more(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl PixelBudget {
    pub fn from_env(env: &Env) -> Self {
        let megapixels = env.parsed("KEROXIO_PIXEL_BUDGET", 150_u32);
        if !(10..=100_000).contains(&megapixels) {
            env.problem("KEROXIO_PIXEL_BUDGET: from 10 to 100000 megapixels".to_owned());
        }
        let all = megapixels.clamp(10, 100_000) * UNITS_A_MEGAPIXEL;
        Self { units: Arc::new(Semaphore::new(all as usize)), all, recent: Arc::default(), waiting: Arc::default() }
    }

    /// Waits for room for a picture; one larger than the whole budget waits for all of it.
    pub async fn reserve(&self, (width, height): (u32, u32)) -> Result<OwnedSemaphorePermit> {
        let units = (u64::from(width) * u64::from(height)).div_ceil(UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX).clamp(1, self.all);
        if let Ok(share) = Arc::clone(&self.units).try_acquire_many_owned(units) {
            return Ok(share);
        }
        // What is kept only in case makes room for what is needed now.
        let _waiting = Waiting::more(&self.waiting);
        drop(self.recent().take());
        Arc::clone(&self.units).acquire_many_owned(units).await.map_err(Error::internal)
    }

    fn recent(&self) -> MutexGuard<'_, Option<(String, HeldPhoto)>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The photo of this content, if it is the one decoded last.
    pub fn kept(&self, sha256: &str) -> Option<HeldPhoto> {
        self.recent().as_ref().filter(|(content, _)| content == sha256).map(|(_, photo)| photo.clone())
    }

    /// Keeps a decoded photo until the next one comes, its pixels are wanted, or [`KEPT`] is over.
    pub fn keep(&self, sha256: &str, photo: &HeldPhoto) {
        if self.waiting.load(Ordering::Acquire) > 0 {
            return;
        }
        *self.recent() = Some((sha256.to_owned(), photo.clone()));
        let (recent, sha256) = (Arc::downgrade(&self.recent), sha256.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            if let Some(recent) = recent.upgrade() {
                let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
                if recent.as_ref().is_some_and(|(content, _)| *content == sha256) {
                    drop(recent.take());
                }
            }
        });
    }
}

/// A decoded photo and its share of the budget, given back with the last copy.
#[derive(Clone)]
pub struct HeldPhoto {
    pub(crate) photo: Photo,
    pub(crate) _share: Arc<OwnedSemaphorePermit>,
}

impl Deref for HeldPhoto {
    type Target = Photo;

    fn deref(&self) -> &Photo {
        &self.photo
    }
}
