//! What is written on upright cuts: for each of some places, how likely each character is.

use image::RgbImage;
use keroxio_plate_grammar::{BLANK, Row};
use keroxio_plugin_sdk::PluginError;
use ort::session::Session;
use ort::value::TensorRef;

use crate::failed;

/// What a reading network takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// Ours: `[n, 3, 64, 192]`, RGB from -1 to 1, to `[n, 10, 37]`: letters, digits, blank.
    Slots,
    /// fast-plate-ocr's CCT: `[n, 64, 128, 3]`, RGB bytes, to `[n, 9, 37]`: digits, letters, blank.
    Cct,
}

impl Contract {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "plate-slots" => Some(Self::Slots),
            "plate-slots-cct" => Some(Self::Cct),
            _ => None,
        }
    }

    /// Width and height of a cut in pixels.
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Slots => (192, 64),
            Self::Cct => (128, 64),
        }
    }

    /// Probabilities in the order of the grammar.
    fn row(self, values: &[f32]) -> Row {
        let mut row = [0.0; BLANK + 1];
        match self {
            Self::Slots => row.copy_from_slice(values),
            Self::Cct => {
                row[26..36].copy_from_slice(&values[..10]);
                row[..26].copy_from_slice(&values[10..36]);
                row[BLANK] = values[36];
            }
        }
        row
    }
}

/// The places of each cut, all read in one run.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails or answers something else than the contract.
pub fn read(session: &mut Session, contract: Contract, cuts: &[RgbImage]) -> Result<Vec<Vec<Row>>, PluginError> {
    let (width, height) = contract.size();
    let (n, width, height) = (cuts.len(), width as usize, height as usize);
    if n == 0 {
        return Ok(Vec::new());
    }
    let rows = |values: &[f32]| {
        let places = values.len() / n / (BLANK + 1);
        if places == 0 || values.len() != n * places * (BLANK + 1) {
            return Err(failed(format!("{} values for {n} cuts", values.len())));
        }
        let cut = |values: &[f32]| values.chunks_exact(BLANK + 1).map(|row| contract.row(row)).collect();
        Ok(values.chunks_exact(places * (BLANK + 1)).map(cut).collect())
    };
    let extract =
        |answer: &ort::session::SessionOutputs<'_>| rows(answer[0].try_extract_tensor::<f32>().map_err(failed)?.1);
    match contract {
        Contract::Slots => {
            let values: Vec<f32> = cuts.iter().flat_map(planes).collect();
            let tensor = TensorRef::from_array_view(([n, 3, height, width], values.as_slice())).map_err(failed)?;
            keroxio_onnx::run(session, ort::inputs![tensor], extract)
        }
        Contract::Cct => {
            let values: Vec<u8> = cuts.iter().flat_map(|cut| cut.as_raw().iter().copied()).collect();
            let tensor = TensorRef::from_array_view(([n, height, width, 3], values.as_slice())).map_err(failed)?;
            keroxio_onnx::run(session, ort::inputs![tensor], extract)
        }
    }
}

/// Red, green and blue one after the other, from -1 to 1.
fn planes(cut: &RgbImage) -> Vec<f32> {
    let size = (cut.width() * cut.height()) as usize;
    let mut planes = vec![0.0; 3 * size];
    for (place, pixel) in cut.as_raw().chunks_exact(3).enumerate() {
        for (channel, value) in pixel.iter().enumerate() {
            planes[channel * size + place] = f32::from(*value) / 127.5 - 1.0;
        }
    }
    planes
}
