//! The renditions of a photo, before they are files.

use image::{GrayImage, RgbImage};
use keroxio_core::Error;
use keroxio_plugin_sdk::{Matte, Photo, Quad};

use crate::compose;

/// Longer side of a rendition, in pixels.
const MAX_SIDE: u32 = 2_048;
const QUALITY: u8 = 88;

/// Renditions as pixels, their plates hidden.
pub struct Drawn {
    masked: Photo,
    cleaned: Option<RgbImage>,
    /// Pixels of a rendition per pixel of the photo.
    scale: f32,
}

/// Renditions as files.
pub struct Renditions {
    pub masked: Vec<u8>,
    pub cleaned: Option<Vec<u8>>,
    pub size: (u32, u32),
}

impl Drawn {
    /// # Errors
    /// `INTERNAL` when the matte cannot be resized.
    pub fn of(photo: &Photo, matte: &Matte, quads: &[Quad]) -> Result<Self, Error> {
        let mut masked = compose::working_size(photo.rgb(), MAX_SIDE);
        let scale = masked.width() as f32 / photo.width().max(1) as f32;
        let quads: Vec<[(f32, f32); 4]> = quads.iter().map(|quad| quad.map(|p| (p.x * scale, p.y * scale))).collect();
        let cleaned = if matte.found {
            let alpha = resized(&matte.alpha, masked.width(), masked.height())?;
            let mut studio = compose::studio(&masked, &alpha);
            compose::mask_quads(&mut studio, &quads);
            Some(studio)
        } else {
            None
        };
        compose::mask_quads(&mut masked, &quads);
        Ok(Self { masked: Photo::from_rgb(masked), cleaned, scale })
    }

    /// The rendition that shows all of the photo.
    pub fn masked(&self) -> Photo {
        self.masked.clone()
    }

    /// Corners in a rendition as corners in the photo.
    pub fn in_photo(&self, quad: &Quad) -> Quad {
        quad.map(|mut p| {
            (p.x, p.y) = (p.x / self.scale, p.y / self.scale);
            p
        })
    }

    /// # Errors
    /// `INTERNAL` when a picture cannot be encoded.
    pub fn encode(&self) -> Result<Renditions, Error> {
        let jpeg = |picture: &RgbImage| compose::encode_jpeg(picture, QUALITY).map_err(Error::internal);
        Ok(Renditions {
            masked: jpeg(self.masked.rgb())?,
            cleaned: self.cleaned.as_ref().map(jpeg).transpose()?,
            size: (self.masked.width(), self.masked.height()),
        })
    }
}

fn resized(alpha: &GrayImage, width: u32, height: u32) -> Result<GrayImage, Error> {
    if alpha.dimensions() == (width, height) {
        return Ok(alpha.clone());
    }
    let mut out = GrayImage::new(width, height);
    fast_image_resize::Resizer::new().resize(alpha, &mut out, None).map_err(Error::internal)?;
    Ok(out)
}
