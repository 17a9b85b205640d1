use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keroxio_onnx::{Contract, Pool};
use keroxio_plugin_sdk::{Angle, AngleFinder, Manifest, ModelCard, Photo, PluginError, Rectangle};
use ort::session::Session;
use ort::value::TensorRef;
use tokio::sync::Semaphore;

use crate::plane::crop_to;

const AT_ONCE: usize = 2;
const SIDE: usize = 160;
/// Room around the car, as in training.
const ROOM: f32 = 0.04;

/// Tells angles of view by a classifier on ONNX Runtime.
pub struct CarAngle {
    manifest: Manifest,
    sessions: Arc<Pool<Session>>,
    turns: Arc<Semaphore>,
}

impl CarAngle {
    /// Loads the network by the path of its card.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when ONNX Runtime, the card or the network is missing, the network's
    /// checksum differs from the card, or it is of another kind.
    pub fn load(card: &Path) -> Result<Self, PluginError> {
        let (card, file, bytes) = ModelCard::load(card)?;
        let refused = || PluginError::ModelUnavailable(format!("{}: contract {}", card.model, card.contract));
        let contract = Contract::named("car-angle").filter(|c| c.name == card.contract).ok_or_else(refused)?;
        let sessions = Pool::new(AT_ONCE, || {
            let session = keroxio_onnx::session(&bytes)?;
            contract.check(&session)?;
            Ok(session)
        })?;
        let version = format!("{}+{}@{}", env!("CARGO_PKG_VERSION"), card.model, card.version);
        Ok(Self {
            manifest: Manifest { id: "car-angle".to_owned(), version, models: vec![file] },
            sessions: Arc::new(sessions),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

#[async_trait]
impl AngleFinder for CarAngle {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn angle(&self, photo: &Photo, car: Rectangle) -> Result<(Angle, f32), PluginError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(failed)?;
        let (sessions, photo) = (Arc::clone(&self.sessions), photo.clone());
        keroxio_onnx::interruptible(move || {
            let _turn = turn;
            let planes = planes(&photo, car)?;
            sessions.lend(|session| likeliest(session, &planes))
        })
        .await
    }
}

/// The car's rectangle as three planes of values from 0 to 1.
fn planes(photo: &Photo, car: Rectangle) -> Result<Vec<f32>, PluginError> {
    let seen = car.widened(ROOM, (photo.width(), photo.height()));
    // A rectangle without an area, or of numbers that are none, is no car: the whole photo then.
    let is_usable = seen.width >= 1.0 && seen.height >= 1.0;
    let area = if is_usable {
        (seen.left, seen.top, seen.width, seen.height)
    } else {
        (0.0, 0.0, photo.width() as f32, photo.height() as f32)
    };
    let area = (area.0.into(), area.1.into(), area.2.into(), area.3.into());
    let small = crop_to(photo, area, SIDE as u32)?;
    let mut planes = vec![0.0_f32; 3 * SIDE * SIDE];
    for (channel, plane) in planes.chunks_exact_mut(SIDE * SIDE).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(small.as_raw().chunks_exact(3)) {
            *value = f32::from(pixel[channel]) / 255.0;
        }
    }
    Ok(planes)
}

fn likeliest(session: &mut Session, planes: &[f32]) -> Result<(Angle, f32), PluginError> {
    let input = TensorRef::from_array_view(([1, 3, SIDE, SIDE], planes)).map_err(failed)?;
    keroxio_onnx::run(session, ort::inputs![input], |outputs| {
        let (_, shares) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        let best = Angle::ALL.into_iter().zip(shares.iter().copied()).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(angle, share)| (angle, share.clamp(0.0, 1.0))).ok_or_else(|| failed("no answer"))
    })
}

fn failed(e: impl std::fmt::Display) -> PluginError {
    PluginError::Failed(format!("ONNX Runtime: {e}"))
}
