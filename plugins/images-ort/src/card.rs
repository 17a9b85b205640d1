use std::path::Path;

use keroxio_plugin_sdk::PluginError;
use serde::Deserialize;

/// The part of `card.json` that production needs; the rest of it is for people.
#[derive(Debug, Deserialize)]
pub struct Card {
    /// File name of the network, beside the card.
    pub file: String,
    /// Lower-case hexadecimal SHA-256 that the file must have.
    pub sha256: String,
    pub licence: String,
    pub input: Tensor,
    pub output: Tensor,
    /// Moment of the export: tells two trainings apart.
    pub exported_at: String,
}

#[derive(Debug, Deserialize)]
pub struct Tensor {
    pub name: String,
    /// Always `[1, channels, side, side]`.
    pub shape: [usize; 4],
}

impl Card {
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the card is missing, malformed or describes another kind of network.
    pub fn read(model_dir: &Path) -> Result<Self, PluginError> {
        let path = model_dir.join("card.json");
        let wrong = |reason: String| PluginError::ModelUnavailable(format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        let card: Self = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let side = card.side();
        if card.input.shape != [1, 3, side, side] || card.output.shape != [1, 1, side, side] || side < 32 {
            return Err(wrong(format!("shapes {:?} and {:?}", card.input.shape, card.output.shape)));
        }
        if card.file.contains(['/', '\\']) {
            return Err(wrong(format!("{} is not beside the card", card.file)));
        }
        Ok(card)
    }

    /// Width and height of the network's input and output in pixels.
    pub fn side(&self) -> usize {
        self.input.shape[3]
    }
}
