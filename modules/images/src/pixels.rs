//! Sizes and files of pictures.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageEncoder as _, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};

/// A size with its longer side reduced to at most `max_side` pixels, never enlarged; 0 is no bound.
pub fn reduced_size((width, height): (u32, u32), max_side: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= max_side || max_side == 0 {
        return (width, height);
    }
    let side = |side: u32| ((f64::from(side) * f64::from(max_side) / f64::from(longer)).round() as u32).max(1);
    (side(width), side(height))
}

/// The photo with its longer side reduced to at most `max_side` pixels, never enlarged.
pub fn working_size(photo: &RgbImage, max_side: u32) -> RgbImage {
    stretched(photo, reduced_size(photo.dimensions(), max_side))
}

/// A picture stretched to a size; the picture itself where that is impossible.
pub fn stretched(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    let bytes = resized(picture.as_raw(), picture.dimensions(), (width, height), PixelType::U8x3);
    bytes.and_then(|b| RgbImage::from_raw(width, height, b)).unwrap_or_else(|| picture.clone())
}

/// JPEG with 4:2:0 colour, whose only metadata says what kind of picture it is; `quality` is 1 to 100.
///
/// # Errors
/// [`EncodingError`] when a side is 0 or over 65 535 pixels.
pub fn encode_jpeg(photo: &RgbImage, quality: u8, source: Source) -> Result<Vec<u8>, EncodingError> {
    let side = |pixels: u32| {
        let too_big = EncodingError::BadImageData { length: pixels as usize, required: usize::from(u16::MAX) };
        u16::try_from(pixels).map_err(|_| too_big)
    };
    let (width, height) = (side(photo.width())?, side(photo.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.add_app_segment(1, source.xmp().into_bytes())?;
    encoder.encode(photo.as_raw(), width, height, ColorType::Rgb)?;
    Ok(bytes)
}

/// PNG with a transparent background, without metadata.
///
/// # Errors
/// [`image::ImageError`] when a side is 0.
pub fn encode_png(picture: &RgbaImage) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, PngFilter::Up);
    encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgba8)?;
    Ok(bytes)
}

/// How a rendition came about, in the terms of the IPTC (Digital Source Type NewsCodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A photo on which plates were covered.
    Altered,
    /// The car of a photo before a ground that was drawn.
    Composite,
    /// The car of a photo before another photo.
    Montage,
}

impl Source {
    fn term(self) -> &'static str {
        match self {
            Self::Altered => "algorithmicallyEnhanced",
            Self::Composite => "compositeSynthetic",
            Self::Montage => "compositeCapture",
        }
    }

    /// The contents of the segment that carries XMP in a JPEG (ISO 16684-1, part 3).
    fn xmp(self) -> String {
        format!(
            concat!(
                "http://ns.adobe.com/xap/1.0/\0",
                r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">"#,
                r#"<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" "#,
                r#"Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"/>"#,
                "</rdf:RDF></x:xmpmeta>"
            ),
            self.term()
        )
    }
}

fn resized(bytes: &[u8], from: (u32, u32), to: (u32, u32), kind: PixelType) -> Option<Vec<u8>> {
    let source = ImageRef::new(from.0, from.1, bytes, kind).ok()?;
    let mut target = Image::new(to.0, to.1, kind);
    // A matte must not ring: its inside stays fully car. For photos, as sharp as bicubic at a third of the price.
    let filter = if kind == PixelType::U8 { FilterType::Bilinear } else { FilterType::Hamming };
    let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut target, &how).ok()?;
    Some(target.into_vec())
}

/// A matte at the size of its photo; none where that is impossible.
pub fn fitted(alpha: &GrayImage, size: (u32, u32)) -> Option<GrayImage> {
    if alpha.dimensions() == size {
        return Some(alpha.clone());
    }
    let bytes = resized(alpha.as_raw(), alpha.dimensions(), size, PixelType::U8)?;
    GrayImage::from_raw(size.0, size.1, bytes)
}

/// Grey bytes at another size; none where that is impossible.
pub fn resized_grey(bytes: &[u8], from: (u32, u32), to: (u32, u32)) -> Option<GrayImage> {
    GrayImage::from_raw(to.0, to.1, resized(bytes, from, to, PixelType::U8)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::{Rgb, Rgba};

    use super::*;

    fn drawn(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 37 % 256) as u8, (y * 53 % 256) as u8, 9]))
    }

    #[test]
    fn sizes_are_kept_or_reduced() {
        assert_eq!(working_size(&drawn(4_000, 1_000), 2_048).dimensions(), (2_048, 512));
        assert_eq!(working_size(&drawn(30, 40), 2_048), drawn(30, 40));
        assert_eq!(working_size(&drawn(3_000, 2), 320).dimensions(), (320, 1));
    }

    #[test]
    fn jpeg_files_decode_to_the_same_size_and_say_only_what_they_are() {
        let bytes = encode_jpeg(&drawn(65, 33), 88, Source::Composite).unwrap();
        let back = image::load_from_memory(&bytes).unwrap();
        assert_eq!((back.width(), back.height()), (65, 33));
        let has = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
        assert!(has(b"digitalsourcetype/compositeSynthetic") && !has(b"Exif"));
        assert!(encode_jpeg(&RgbImage::new(0, 0), 88, Source::Altered).is_err());
        assert!(encode_jpeg(&RgbImage::new(70_000, 1), 88, Source::Altered).is_err());
    }

    #[test]
    fn png_files_keep_what_is_transparent() {
        let picture = RgbaImage::from_fn(20, 10, |x, _| Rgba([10, 20, 30, if x < 10 { 0 } else { 255 }]));
        let back = image::load_from_memory(&encode_png(&picture).unwrap()).unwrap();
        assert_eq!(back.into_rgba8(), picture);
    }
}
