use std::io::Cursor;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

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

/// A decoded photo: upright, 8-bit sRGB, without metadata. Cloning shares the pixels.
#[derive(Clone)]
pub struct Photo {
    rgb: Arc<RgbImage>,
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
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| match e {
            ImageError::Limits(_) => PhotoError::TooManyPixels { width, height },
            _ => PhotoError::Damaged,
        })?;
        picture.apply_orientation(orientation);
        let rgb = flatten(picture);
        if rgb.width() == 0 || rgb.height() == 0 {
            return Err(PhotoError::Damaged);
        }
        Ok(Self { rgb: Arc::new(rgb) })
    }

    /// Wraps pixels that are already upright sRGB.
    pub fn from_rgb(rgb: RgbImage) -> Self {
        Self { rgb: Arc::new(rgb) }
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
