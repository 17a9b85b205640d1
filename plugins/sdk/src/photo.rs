use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use crate::colour;

/// Bounds a picture must respect before a single pixel of it is decoded.
#[derive(Debug, Clone, Copy)]
pub struct DecodeLimits {
    /// Longest allowed side in pixels.
    pub max_side: u32,
    /// Largest allowed number of pixels (width x height).
    pub max_pixels: u64,
}

impl Default for DecodeLimits {
    /// 12 000 pixels a side and 60 megapixels: above every phone, below every decompression bomb.
    fn default() -> Self {
        Self { max_side: 12_000, max_pixels: 60_000_000 }
    }
}

/// From this longer side on, in pixels, a photo has a half: below, everything looks at the photo itself.
const LARGE: u32 = 3_000;

/// A decoded photo: upright, 8-bit sRGB, without metadata. Cloning shares the pixels.
#[derive(Clone)]
pub struct Photo {
    rgb: Arc<RgbImage>,
    half: Arc<OnceLock<RgbImage>>,
}

/// Why bytes are not a photo we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is not a picture in a known format")]
    UnknownFormat,
    #[error("the format {0} is not supported")]
    UnsupportedFormat(&'static str),
    #[error("the picture measures {width} x {height} pixels, more than allowed")]
    TooManyPixels { width: u32, height: u32 },
    #[error("the picture is damaged or incomplete")]
    Damaged,
}

/// What the first bytes say a file is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoFormat {
    Jpeg,
    Png,
    Webp,
}

impl PhotoFormat {
    /// Media type to store and serve the file with.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    fn image_format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::Webp => ImageFormat::WebP,
        }
    }
}

/// Recognises a picture by its content.
///
/// # Errors
/// [`PhotoError::Empty`], [`PhotoError::UnsupportedFormat`] for pictures we know but do not read
/// (HEIC, AVIF, GIF, TIFF, BMP), [`PhotoError::UnknownFormat`] for everything else.
pub fn sniff(bytes: &[u8]) -> Result<PhotoFormat, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    let brand = bytes.get(8..12).unwrap_or_default();
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Ok(PhotoFormat::Jpeg)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Ok(PhotoFormat::Png)
    } else if bytes.starts_with(b"RIFF") && brand == b"WEBP" {
        Ok(PhotoFormat::Webp)
    } else if bytes.get(4..8) == Some(b"ftyp") {
        Err(PhotoError::UnsupportedFormat(match brand {
            b"avif" | b"avis" => "AVIF",
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => "HEIC",
            _ => "ISO media",
        }))
    } else if bytes.starts_with(b"GIF8") {
        Err(PhotoError::UnsupportedFormat("GIF"))
    } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
        Err(PhotoError::UnsupportedFormat("TIFF"))
    } else if bytes.starts_with(b"BM") {
        Err(PhotoError::UnsupportedFormat("BMP"))
    } else {
        Err(PhotoError::UnknownFormat)
    }
}

/// The size a picture announces, before any of its pixels is decoded.
///
/// # Errors
/// As for [`Photo::decode`].
pub fn measure(bytes: &[u8], limits: DecodeLimits) -> Result<(u32, u32), PhotoError> {
    decoder(bytes, limits).map(|decoder| decoder.dimensions())
}

fn decoder(bytes: &[u8], limits: DecodeLimits) -> Result<impl ImageDecoder + '_, PhotoError> {
    let format = sniff(bytes)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.image_format());
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(u32::MAX);
    bounds.max_image_height = Some(u32::MAX);
    bounds.max_alloc = Some(limits.max_pixels.saturating_mul(8).saturating_add(1 << 20));
    reader.limits(bounds);
    let decoder = reader.into_decoder().map_err(|_| PhotoError::Damaged)?;
    let (width, height) = decoder.dimensions();
    let too_many = u64::from(width) * u64::from(height) > limits.max_pixels;
    if width > limits.max_side || height > limits.max_side || too_many {
        return Err(PhotoError::TooManyPixels { width, height });
    }
    Ok(decoder)
}

impl Photo {
    /// Decodes an untrusted file: sniffs it, checks its announced size, decodes, turns it upright
    /// (EXIF) and converts CMYK, grey, palette, alpha (over white) and 16-bit samples to 8-bit RGB.
    ///
    /// # Errors
    /// See [`PhotoError`]; nothing is allocated for a picture over the limits.
    pub fn decode(bytes: &[u8], limits: DecodeLimits) -> Result<Self, PhotoError> {
        let mut decoder = decoder(bytes, limits)?;
        let (width, height) = decoder.dimensions();
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let profile = decoder.icc_profile().ok().flatten();
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| match e {
            ImageError::Limits(_) => PhotoError::TooManyPixels { width, height },
            _ => PhotoError::Damaged,
        })?;
        picture.apply_orientation(orientation);
        let is_coloured = picture.color().has_color();
        let mut rgb = flatten(picture);
        if rgb.width() == 0 || rgb.height() == 0 {
            return Err(PhotoError::Damaged);
        }
        if let Some(profile) = profile.filter(|_| is_coloured) {
            colour::to_srgb(&mut rgb, &profile);
        }
        Ok(Self::from_rgb(rgb))
    }

    /// Wraps pixels that are already upright sRGB.
    pub fn from_rgb(rgb: RgbImage) -> Self {
        Self { rgb: Arc::new(rgb), half: Arc::default() }
    }

    /// The photo at half its size, the mean of every four pixels: made when it is first asked for. None of a photo
    /// that is not large.
    pub fn half(&self) -> Option<&RgbImage> {
        (self.width().max(self.height()) >= LARGE).then(|| self.half.get_or_init(|| halved(&self.rgb)))
    }

    /// What to reduce the photo from, when it is to become at least `times` smaller, and how much smaller than the
    /// photo that is: the half is read four times as fast, and being reduced by two more it shows no less.
    pub fn source(&self, times: f64) -> (&RgbImage, f64) {
        match self.half() {
            Some(half) if times >= 4.0 => (half, 0.5),
            _ => (&self.rgb, 1.0),
        }
    }

    /// The pixels, rows top to bottom.
    pub fn rgb(&self) -> &RgbImage {
        &self.rgb
    }

    pub fn width(&self) -> u32 {
        self.rgb.width()
    }

    pub fn height(&self) -> u32 {
        self.rgb.height()
    }
}

/// The mean of every four pixels; of an odd side the last row or column is left out.
fn halved(rgb: &RgbImage) -> RgbImage {
    let (width, height) = (rgb.width() / 2, rgb.height() / 2);
    let mut half = RgbImage::new(width, height);
    let (own, wide) = (3 * rgb.width() as usize, 3 * width as usize);
    for (rows, target) in rgb.as_raw().chunks_exact(2 * own).zip(half.as_mut().chunks_exact_mut(wide.max(1))) {
        let (upper, lower) = rows.split_at(own);
        let pairs = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for ((above, below), pixel) in pairs.zip(target.chunks_exact_mut(3)) {
            for channel in 0..3 {
                let sum = u16::from(above[channel])
                    + u16::from(above[channel + 3])
                    + u16::from(below[channel])
                    + u16::from(below[channel + 3]);
                pixel[channel] = ((sum + 2) / 4) as u8;
            }
        }
    }
    half
}

/// Transparent pixels become white: a car cut out elsewhere must not turn black.
fn flatten(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (from, to) in rgba.pixels().zip(rgb.pixels_mut()) {
        let alpha = u32::from(from.0[3]);
        for channel in 0..3 {
            let mixed = (u32::from(from.0[channel]) * alpha + 255 * (255 - alpha) + 127) / 255;
            to.0[channel] = mixed.min(255) as u8;
        }
    }
    rgb
}
