//! Bounds how many pixels are decoded at the same time, whoever asks.

use std::ops::Deref;
use std::sync::Arc;

use keroxio_core::{Env, Error, Result};
use keroxio_plugin_sdk::Photo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Smallest unit counted, in pixels.
const UNIT: u64 = 100_000;
const UNITS_A_MEGAPIXEL: u32 = 10;

/// Decoded pixels this process may hold at once; who comes too late waits.
#[derive(Clone)]
pub(crate) struct PixelBudget {
    units: Arc<Semaphore>,
    all: u32,
}

impl PixelBudget {
    pub fn from_env(env: &Env) -> Self {
        let megapixels = env.parsed("KEROXIO_PIXEL_BUDGET", 150_u32);
        if !(10..=100_000).contains(&megapixels) {
            env.problem("KEROXIO_PIXEL_BUDGET: from 10 to 100000 megapixels".to_owned());
        }
        let all = megapixels.clamp(10, 100_000) * UNITS_A_MEGAPIXEL;
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits for room for a picture; one larger than the whole budget waits for all of it.
    pub async fn reserve(&self, (width, height): (u32, u32)) -> Result<OwnedSemaphorePermit> {
        let units = (u64::from(width) * u64::from(height)).div_ceil(UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX).clamp(1, self.all);
        Arc::clone(&self.units).acquire_many_owned(units).await.map_err(Error::internal)
    }
}

/// A decoded photo and its share of the budget, given back with it.
pub struct HeldPhoto {
    pub(crate) photo: Photo,
    pub(crate) _share: OwnedSemaphorePermit,
}

impl Deref for HeldPhoto {
    type Target = Photo;

    fn deref(&self) -> &Photo {
        &self.photo
    }
}
