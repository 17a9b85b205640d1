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
