use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::PluginError;

/// Who answered: stored with every result, so that a reading or a price can be explained later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Stable name of the plugin, for instance `plates-ort`.
    pub id: String,
    /// Version of the plugin together with its models.
    pub version: String,
    /// Files that decide the answer.
    pub models: Vec<ModelFile>,
}

/// One weight file, identified by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    /// File name without folder.
    pub name: String,
    /// Lower-case hexadecimal SHA-256 of the file.
    pub sha256: String,
    /// SPDX identifier, or a `LicenseRef-`.
    pub licence: String,
}

impl ModelFile {
    /// Reads a model and fingerprints it; with `expected`, another content is refused.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the file cannot be read or its checksum differs.
    pub fn load(path: &Path, licence: &str, expected: Option<&str>) -> Result<(Self, Vec<u8>), PluginError> {
        let bytes =
            std::fs::read(path).map_err(|e| PluginError::ModelUnavailable(format!("{}: {e}", path.display())))?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        if let Some(expected) = expected
            && expected != sha256
        {
            return Err(PluginError::ModelUnavailable(format!(
                "{}: checksum {sha256}, expected {expected}",
                path.display()
            )));
        }
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok((Self { name, sha256, licence: licence.to_owned() }, bytes))
    }
}

/// What has to be known of a model file before it is used; kept beside the file, as JSON.
///
/// Our own trainings write it together with their figures, `keroxio models add` for files found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCard {
    /// By which settings name it: letters, digits, `-` and `.`.
    pub model: String,
    pub version: String,
    /// What goes in and comes out, for instance `plate-slots`; the README of each plugin lists what it takes.
    pub contract: String,
    /// File name, in the folder of the card.
    pub file: String,
    /// Lower-case hexadecimal SHA-256 that the file must have.
    pub sha256: String,
    /// SPDX identifier, or a `LicenseRef-`.
    pub licence: String,
    /// Where the file comes from; none for our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
}

impl ModelCard {
    /// Reads a card.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when it is missing or malformed, or names a file of another folder.
    pub fn read(path: &Path) -> Result<Self, PluginError> {
        let card: Self = read_card(path)?;
        let named = |text: &str, extra: &[char]| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(&c))
        };
        if !named(&card.model, &['-', '.']) || !named(&card.file, &['-', '.', '_']) || card.file.starts_with('.') {
            return Err(wrong_card(path, "`model` and `file` are plain names"));
        }
        Ok(card)
    }

    /// Reads the card and the file it names.
    ///
    /// # Errors
    /// As for [`Self::read`], and when the file is missing or has another checksum.
    pub fn load(path: &Path) -> Result<(Self, ModelFile, Vec<u8>), PluginError> {
        let card = Self::read(path)?;
        let (file, bytes) = ModelFile::load(&path.with_file_name(&card.file), &card.licence, Some(&card.sha256))?;
        Ok((card, file, bytes))
    }
}

/// Reads further fields of a card, those that only one kind of model has.
///
/// # Errors
/// [`PluginError::ModelUnavailable`] when it is missing or malformed.
pub fn read_card<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, PluginError> {
    let text = std::fs::read_to_string(path).map_err(|e| wrong_card(path, e))?;
    serde_json::from_str(&text).map_err(|e| wrong_card(path, e))
}

fn wrong_card(path: &Path, reason: impl std::fmt::Display) -> PluginError {
    PluginError::ModelUnavailable(format!("{}: {reason}", path.display()))
}
