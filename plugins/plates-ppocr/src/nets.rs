use std::fmt::Display;

use image::RgbImage;
use keroxio_onnx::Pool;
use keroxio_plugin_sdk::PluginError;
use ort::session::Session;
use ort::value::TensorRef;

use crate::text::{Frame, SYMBOLS, symbol_of};

/// Both networks, with as many pairs of sessions as may run at once; each works on one thread.
pub struct Nets {
    pairs: Pool<Pair>,
    /// For each class of the recognition network, the letter or digit it stands for.
    symbols: Vec<Option<usize>>,
    /// For each class, what it prints; the blank prints nothing.
    signs: Vec<String>,
}

/// One detection and one recognition session, borrowed for the length of one photo.
pub struct Pair {
    detection: Session,
    recognition: Session,
}

/// How likely each place of a shrunk photo belongs to text, from 0 to 1, row by row.
pub struct TextMap {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Nets {
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the runtime refuses a network or its alphabet is missing.
    pub fn new(detection: &[u8], recognition: &[u8], pairs: usize) -> Result<Self, PluginError> {
        let pair = || {
            Ok(Pair { detection: keroxio_onnx::session(detection)?, recognition: keroxio_onnx::session(recognition)? })
        };
        let pairs = Pool::new(pairs, pair)?;
        let signs = pairs.lend(|pair| alphabet(&pair.recognition))?;
        let symbol = |text: &String| match text.as_bytes() {
            [byte] => symbol_of(char::from(byte.to_ascii_uppercase())),
            _ => None,
        };
        Ok(Self { pairs, symbols: signs.iter().map(symbol).collect(), signs })
    }

    /// Lends a pair of sessions to `work`.
    ///
    /// # Errors
    /// [`PluginError::Failed`] when all are lent, or what `work` answers.
    pub fn with_pair<T>(&self, work: impl FnOnce(&mut Pair) -> Result<T, PluginError>) -> Result<T, PluginError> {
        self.pairs.lend(work)
    }

    /// Where text may be; the sides of `small` have to be multiples of 32.
    ///
    /// # Errors
    /// [`PluginError::Failed`] when the runtime fails.
    pub fn detect(&self, pair: &mut Pair, small: &RgbImage) -> Result<TextMap, PluginError> {
        let (width, height) = (small.width() as usize, small.height() as usize);
        let planes = planes(small);
        let tensor = TensorRef::from_array_view(([1, 3, height, width], planes.as_slice())).map_err(failed)?;
        keroxio_onnx::run(&mut pair.detection, ort::inputs![tensor], |answer| {
            let (_, values) = answer[0].try_extract_tensor::<f32>().map_err(failed)?;
            if values.len() != width * height {
                return Err(failed(format!("{} values instead of {}", values.len(), width * height)));
            }
            let values = values.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
            Ok(TextMap { width, height, values })
        })
    }

    /// The letters and digits in a strip 48 pixels high, place by place from left to right.
    ///
    /// # Errors
    /// [`PluginError::Failed`] when the runtime fails.
    pub fn recognize(&self, pair: &mut Pair, strip: &RgbImage) -> Result<Vec<Frame>, PluginError> {
        let (width, height) = (strip.width() as usize, strip.height() as usize);
        let planes = planes(strip);
        let tensor = TensorRef::from_array_view(([1, 3, height, width], planes.as_slice())).map_err(failed)?;
        keroxio_onnx::run(&mut pair.recognition, ort::inputs![tensor], |answer| {
            let (_, values) = answer[0].try_extract_tensor::<f32>().map_err(failed)?;
            Ok(values.chunks_exact(self.symbols.len().max(1)).map(|row| self.frame(row)).collect())
        })
    }

    /// The text of a strip 48 pixels high, and how sure the network is of it; nothing where it sees none.
    ///
    /// # Errors
    /// [`PluginError::Failed`] when the runtime fails.
    pub fn line(&self, pair: &mut Pair, strip: &RgbImage) -> Result<Option<(String, f32)>, PluginError> {
        let (width, height) = (strip.width() as usize, strip.height() as usize);
        let planes = planes(strip);
        let tensor = TensorRef::from_array_view(([1, 3, height, width], planes.as_slice())).map_err(failed)?;
        keroxio_onnx::run(&mut pair.recognition, ort::inputs![tensor], |answer| {
            let (_, values) = answer[0].try_extract_tensor::<f32>().map_err(failed)?;
            Ok(self.spelt(values.chunks_exact(self.signs.len().max(1))))
        })
    }

    /// The likeliest class of each place; a class again beside itself is the same sign, unless a blank parts them.
    fn spelt<'a>(&self, places: impl Iterator<Item = &'a [f32]>) -> Option<(String, f32)> {
        let (mut text, mut sum, mut count, mut before) = (String::new(), 0.0, 0_u16, 0);
        for place in places {
            let best = (0..place.len()).max_by(|a, b| place[*a].total_cmp(&place[*b])).unwrap_or_default();
            if best != 0 && best != before {
                text.push_str(&self.signs[best]);
                sum += place[best];
                count += 1;
            }
            before = best;
        }
        (count > 0).then(|| (text.trim().to_owned(), (sum / f32::from(count)).clamp(0.0, 1.0)))
    }

    /// Folds thousands of classes to letters and digits; the rest counts as nothing seen.
    fn frame(&self, row: &[f32]) -> Frame {
        let mut frame = [0.0; SYMBOLS];
        for (probability, symbol) in row.iter().zip(&self.symbols) {
            if let Some(symbol) = symbol {
                frame[*symbol] += if probability.is_finite() { *probability } else { 0.0 };
            }
        }
        frame
    }
}

/// The network's own list of characters: blank first, then the list, then the space.
fn alphabet(recognition: &Session) -> Result<Vec<String>, PluginError> {
    let refused = |e: &dyn Display| PluginError::ModelUnavailable(format!("alphabet of the recognition model: {e}"));
    let metadata = recognition.metadata().map_err(|e| refused(&e))?;
    let list = metadata.custom("character").ok_or_else(|| refused(&"missing"))?;
    let characters = list.strip_suffix('\n').unwrap_or(&list).split('\n').map(str::to_owned);
    Ok(std::iter::once(String::new()).chain(characters).chain(std::iter::once(" ".to_owned())).collect())
}

/// Red, green and blue one after the other, from -1 to 1.
fn planes(picture: &RgbImage) -> Vec<f32> {
    let size = (picture.width() * picture.height()) as usize;
    let mut planes = vec![0.0; 3 * size];
    for (place, pixel) in picture.pixels().enumerate() {
        for channel in 0..3 {
            // The networks were trained on pictures stored blue first.
            planes[(2 - channel) * size + place] = f32::from(pixel.0[channel]) / 127.5 - 1.0;
        }
    }
    planes
}

pub fn failed(reason: impl Display) -> PluginError {
    PluginError::Failed(reason.to_string())
}
