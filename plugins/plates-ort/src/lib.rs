#![doc = include_str!("../README.md")]

mod detector;
mod pipeline;
mod reader;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use keroxio_onnx::Pool;
use keroxio_plate_grammar::newest_rank;
use keroxio_plugin_sdk::{Manifest, ModelCard, Photo, PlateReader, PlateSighting, PluginError, read_card};
use ort::session::Session;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::reader::Contract;

/// Photos worked on at the same time; the others wait their turn, so that memory stays bounded.
const AT_ONCE: usize = 2;

/// The contract a detector's card has to name.
const CORNERS: &str = "plate-corners";

/// Reads plates with a corner detector and a reader of single places, ordered by the grammar of French plates.
pub struct PlatesOrt {
    manifest: Manifest,
    nets: Arc<Nets>,
    turns: Arc<Semaphore>,
}

struct Nets {
    pairs: Pool<Pair>,
    contract: Contract,
    /// Raw probability and how often such readings were right, both rising.
    calibration: Vec<(f32, f32)>,
    /// From which confidence on nobody has to be asked.
    accept_from: f32,
}

struct Pair {
    detector: Session,
    reader: Session,
}

/// What only the card of a reader says.
#[derive(Deserialize)]
struct Reliability {
    /// From which confidence on nobody has to be asked; a reader that says nothing always asks.
    #[serde(default = "never")]
    accept_from: f32,
    #[serde(default)]
    calibration: Vec<(f32, f32)>,
}

fn never() -> f32 {
    1.01
}

impl Nets {
    /// The measured share of right readings at a raw probability.
    fn calibrated(&self, raw: f32) -> f32 {
        let raw = raw.clamp(0.0, 1.0);
        let above = self.calibration.iter().position(|(x, _)| *x >= raw);
        match (above, self.calibration.last()) {
            (Some(0), _) => self.calibration[0].1,
            (Some(at), _) => {
                let ((x0, y0), (x1, y1)) = (self.calibration[at - 1], self.calibration[at]);
                y0 + (y1 - y0) * (raw - x0) / (x1 - x0).max(f32::EPSILON)
            }
            (None, Some((_, last))) => *last,
            (None, None) => raw,
        }
    }
}

impl PlatesOrt {
    /// Loads a detector and a reader, each by the path of its card; ONNX Runtime is the library that
    /// `ORT_DYLIB_PATH` names.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when ONNX Runtime, a card or a network is missing, a checksum differs,
    /// or a card names a contract that is not this plugin's.
    pub fn load(detector: &Path, reader: &Path) -> Result<Self, PluginError> {
        let (corners, corners_file, corners_bytes) = ModelCard::load(detector)?;
        let (slots, slots_file, slots_bytes) = ModelCard::load(reader)?;
        let refused =
            |card: &ModelCard| PluginError::ModelUnavailable(format!("{}: contract {}", card.model, card.contract));
        if corners.contract != CORNERS {
            return Err(refused(&corners));
        }
        let contract = Contract::named(&slots.contract).ok_or_else(|| refused(&slots))?;
        let reliability: Reliability = read_card(reader)?;
        let session = |card: &ModelCard, bytes: &[u8]| {
            let session = keroxio_onnx::session(bytes)?;
            keroxio_onnx::Contract::named(&card.contract).ok_or_else(|| refused(card))?.check(&session)?;
            Ok::<_, PluginError>(session)
        };
        let pair = || Ok(Pair { detector: session(&corners, &corners_bytes)?, reader: session(&slots, &slots_bytes)? });
        let named = |card: &ModelCard| format!("{}@{}", card.model, card.version);
        Ok(Self {
            manifest: Manifest {
                id: "plates-ort".to_owned(),
                version: format!("{}+{}+{}", env!("CARGO_PKG_VERSION"), named(&corners), named(&slots)),
                models: vec![corners_file, slots_file],
            },
            nets: Arc::new(Nets {
                pairs: Pool::new(AT_ONCE, pair)?,
                contract,
                calibration: reliability.calibration,
                accept_from: reliability.accept_from,
            }),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

#[async_trait]
impl PlateReader for PlatesOrt {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn accept_from(&self) -> f32 {
        self.nets.accept_from
    }

    async fn read(&self, photo: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        self.work(photo, pipeline::read_photo).await
    }

    async fn look_again(&self, covered: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        self.work(covered, pipeline::look_again).await
    }
}

/// What a pipeline does with a photo, knowing the highest SIV rank that exists.
type Work = fn(&Nets, &Photo, u64) -> Result<Vec<PlateSighting>, PluginError>;

impl PlatesOrt {
    async fn work(&self, photo: &Photo, work: Work) -> Result<Vec<PlateSighting>, PluginError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(failed)?;
        let (nets, photo) = (Arc::clone(&self.nets), photo.clone());
        let today = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
        let newest = newest_rank(i64::try_from(today).unwrap_or(i64::MAX));
        // The turn moves along: a caller that gives up must not let one more photo in.
        let turned = move || {
            let _turn = turn;
            work(&nets, &photo, newest)
        };
        keroxio_onnx::interruptible(turned).await
    }
}

fn failed(reason: impl Display) -> PluginError {
    PluginError::Failed(reason.to_string())
}
