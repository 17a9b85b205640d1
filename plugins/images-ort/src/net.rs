use std::fmt::Display;

use keroxio_onnx::Pool;
use keroxio_plugin_sdk::{ModelCard, Photo, PluginError};
use ort::session::Session;
use ort::value::{TensorRef, ValueType};

use crate::kind::Kind;
use crate::plane::{Plane, crop_to};

/// Sides a network may ask for; more would take gigabytes.
const SIDES: std::ops::RangeInclusive<usize> = 32..=2_048;

/// The network with as many sessions as may run at once; each works on one thread.
pub struct Net {
    sessions: Pool<Session>,
    kind: Kind,
    side: usize,
}

impl Net {
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the runtime refuses the model, or it is not what its card says.
    pub fn new(card: &ModelCard, model: &[u8], sessions: usize) -> Result<Self, PluginError> {
        let refused = |what: String| PluginError::ModelUnavailable(format!("{}: {what}", card.model));
        let kind = Kind::named(&card.contract).ok_or_else(|| refused(format!("contract {}", card.contract)))?;
        let contract = keroxio_onnx::Contract::named(&card.contract);
        let contract = contract.ok_or_else(|| refused(format!("contract {}", card.contract)))?;
        let open = || {
            let session = keroxio_onnx::session(model)?;
            contract.check(&session)?;
            Ok::<_, PluginError>(session)
        };
        let side = side(&open()?).unwrap_or(kind.side);
        if !SIDES.contains(&side) {
            return Err(refused(format!("photos of {side} pixels")));
        }
        Ok(Self { sessions: Pool::new(sessions, open)?, kind, side })
    }

    /// Probability of "car" for each place of a rectangle (x, y, width, height) of the photo.
    ///
    /// # Errors
    /// [`PluginError::Failed`] when all sessions are busy or the runtime fails.
    pub fn probability(&self, photo: &Photo, area: (f64, f64, f64, f64)) -> Result<Plane, PluginError> {
        let small = crop_to(photo, area, self.side as u32)?;
        let brightest = small.as_raw().iter().copied().max().unwrap_or(255);
        let pixels = self.side * self.side;
        let mut planes = vec![0.0_f32; 3 * pixels];
        for (channel, plane) in planes.chunks_exact_mut(pixels).enumerate() {
            let table = self.kind.table(channel, brightest);
            for (value, pixel) in plane.iter_mut().zip(small.as_raw().chunks_exact(3)) {
                *value = table[usize::from(pixel[channel])];
            }
        }
        self.sessions.lend(|session| self.run(session, &planes))
    }

    fn run(&self, session: &mut Session, planes: &[f32]) -> Result<Plane, PluginError> {
        let tensor = TensorRef::from_array_view(([1, 3, self.side, self.side], planes)).map_err(failed)?;
        keroxio_onnx::run(session, ort::inputs![tensor], |answer| {
            let (_, values) = answer[0].try_extract_tensor::<f32>().map_err(failed)?;
            if values.len() != self.side * self.side {
                return Err(failed(format!("{} values instead of {}", values.len(), self.side * self.side)));
            }
            Ok(Plane { width: self.side, height: self.side, values: self.kind.probabilities(values) })
        })
    }
}

/// Width and height of the photos a network takes; none when it takes any.
fn side(session: &Session) -> Option<usize> {
    let ValueType::Tensor { shape, .. } = session.inputs().first()?.dtype() else { return None };
    let side = *shape.last()?;
    usize::try_from(side).ok().filter(|side| *side > 0)
}

fn failed(reason: impl Display) -> PluginError {
    PluginError::Failed(reason.to_string())
}
