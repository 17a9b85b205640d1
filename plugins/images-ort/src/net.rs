use std::fmt::Display;

use image::RgbImage;
use keroxio_onnx::Pool;
use keroxio_plugin_sdk::PluginError;
use ort::session::Session;
use ort::value::TensorRef;

use crate::card::Card;
use crate::plane::{Plane, crop_to};

/// The network with as many sessions as may run at once; each works on one thread.
pub struct Net {
    sessions: Pool<Session>,
    side: usize,
    input: String,
    output: String,
}

impl Net {
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the runtime refuses the model.
    pub fn new(card: &Card, model: &[u8], sessions: usize) -> Result<Self, PluginError> {
        Ok(Self {
            sessions: Pool::new(sessions, || keroxio_onnx::session(model))?,
            side: card.side(),
            input: card.input.name.clone(),
            output: card.output.name.clone(),
        })
    }

    /// Probability of "car" for each place of a rectangle (x, y, width, height) of the photo.
    ///
    /// # Errors
    /// [`PluginError::Failed`] when all sessions are busy or the runtime fails.
    pub fn probability(&self, photo: &RgbImage, area: (f64, f64, f64, f64)) -> Result<Plane, PluginError> {
        let small = crop_to(photo, area, self.side as u32)?;
        let pixels = self.side * self.side;
        let mut planes = vec![0.0_f32; 3 * pixels];
        for (place, pixel) in small.pixels().enumerate() {
            for channel in 0..3 {
                planes[channel * pixels + place] = f32::from(pixel.0[channel]) / 255.0;
            }
        }
        self.sessions.lend(|session| self.run(session, &planes))
    }

    fn run(&self, session: &mut Session, planes: &[f32]) -> Result<Plane, PluginError> {
        let tensor = TensorRef::from_array_view(([1, 3, self.side, self.side], planes)).map_err(failed)?;
        keroxio_onnx::run(session, ort::inputs![self.input.as_str() => tensor], |answer| {
            let car = answer.get(&self.output).ok_or_else(|| failed("the model has no such output"))?;
            let (_, values) = car.try_extract_tensor::<f32>().map_err(failed)?;
            if values.len() != self.side * self.side {
                return Err(failed(format!("{} values instead of {}", values.len(), self.side * self.side)));
            }
            let values = values.iter().map(|v| if v.is_finite() { v.clamp(0.0, 1.0) } else { 0.0 }).collect();
            Ok(Plane { width: self.side, height: self.side, values })
        })
    }
}

fn failed(reason: impl Display) -> PluginError {
    PluginError::Failed(reason.to_string())
}
