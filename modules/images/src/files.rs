//! Pictures as files, whose only metadata says what kind of picture they are.

use image::codecs::avif::AvifEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};
use keroxio_core::Error;

/// The encoder's own scale, 1 (slow) to 10: the last step that still gains over JPEG without taking seconds.
const AVIF_SPEED: u8 = 9;

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
    encoder.add_app_segment(1, format!("http://ns.adobe.com/xap/1.0/\0{}", source.xmp()).into_bytes())?;
    encoder.encode(photo.as_raw(), width, height, ColorType::Rgb)?;
    Ok(bytes)
}

/// PNG with a transparent background, without metadata.
///
/// # Errors
/// [`image::ImageError`] when a side is 0.
pub fn encode_png(picture: &RgbaImage) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Up);
    encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgba8)?;
    Ok(bytes)
}

/// WebP with losses; `quality` is 1 to 100.
///
/// # Errors
/// `INTERNAL` when a side is 0 or over 16 383 pixels.
pub fn encode_webp(picture: &RgbImage, quality: u8, source: Source) -> Result<Vec<u8>, Error> {
    let mut config =
        webp::WebPConfig::new().map_err(|()| Error::internal(anyhow::anyhow!("libwebp refuses to start")))?;
    config.quality = f32::from(quality.clamp(1, 100));
    let encoder = webp::Encoder::from_rgb(picture.as_raw(), picture.width(), picture.height());
    let plain = encoder.encode_advanced(&config).map_err(|e| Error::internal(anyhow::anyhow!("{e:?}")))?;
    Ok(with_xmp(&plain, picture.dimensions(), &source.xmp()))
}

/// A plain WebP file as an extended one with XMP (RFC 9649, 2.7).
fn with_xmp(plain: &[u8], (width, height): (u32, u32), xmp: &str) -> Vec<u8> {
    let mut chunks = b"WEBPVP8X\x0a\0\0\0\x04\0\0\0".to_vec();
    chunks.extend(width.saturating_sub(1).to_le_bytes().iter().take(3));
    chunks.extend(height.saturating_sub(1).to_le_bytes().iter().take(3));
    // Without its own RIFF header of twelve bytes, the plain file is the chunk of the picture.
    chunks.extend(plain.get(12..).unwrap_or_default());
    chunks.extend(b"XMP ");
    chunks.extend((xmp.len() as u32).to_le_bytes());
    chunks.extend(xmp.as_bytes());
    chunks.resize(chunks.len().next_multiple_of(2), 0);
    let mut file = b"RIFF".to_vec();
    file.extend((chunks.len() as u32).to_le_bytes());
    file.extend(chunks);
    file
}

/// AVIF with losses, on one thread; `quality` is 1 to 100.
///
/// # Errors
/// [`image::ImageError`] when a side is 0.
pub fn encode_avif(picture: &RgbImage, quality: u8, source: Source) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    let mut encoder =
        AvifEncoder::new_with_speed_quality(&mut bytes, AVIF_SPEED, quality.clamp(1, 100)).with_num_threads(Some(1));
    // Never refused: the format has room for it.
    let _ = encoder.set_exif_metadata(source.exif());
    encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)?;
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

    /// As an XMP packet (ISO 16684-1).
    fn xmp(self) -> String {
        format!(
            concat!(
                r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">"#,
                r#"<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" "#,
                r#"Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"/>"#,
                "</rdf:RDF></x:xmpmeta>"
            ),
            self.term()
        )
    }

    /// As EXIF, for files that carry no XMP: an image description (tag 0x010E) with the address of the term.
    fn exif(self) -> Vec<u8> {
        let text = format!("http://cv.iptc.org/newscodes/digitalsourcetype/{}\0", self.term());
        // Little-endian TIFF: one directory of one entry, whose text follows at offset 26.
        let mut bytes = b"II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0".to_vec();
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(26_u32.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(text.as_bytes());
        bytes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::{Rgb, Rgba};

    use super::*;

    fn drawn(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 37 % 256) as u8, (y * 53 % 256) as u8, 9]))
    }

    fn has(bytes: &[u8], text: &[u8]) -> bool {
        bytes.windows(text.len()).any(|w| w == text)
    }

    #[test]
    fn jpeg_files_decode_to_the_same_size_and_say_only_what_they_are() {
        let bytes = encode_jpeg(&drawn(65, 33), 88, Source::Composite).unwrap();
        let back = image::load_from_memory(&bytes).unwrap();
        assert_eq!((back.width(), back.height()), (65, 33));
        assert!(has(&bytes, b"digitalsourcetype/compositeSynthetic") && !has(&bytes, b"Exif"));
        assert!(encode_jpeg(&RgbImage::new(0, 0), 88, Source::Altered).is_err());
        assert!(encode_jpeg(&RgbImage::new(70_000, 1), 88, Source::Altered).is_err());
    }

    #[test]
    fn png_files_keep_what_is_transparent() {
        let picture = RgbaImage::from_fn(20, 10, |x, _| Rgba([10, 20, 30, if x < 10 { 0 } else { 255 }]));
        let back = image::load_from_memory(&encode_png(&picture).unwrap()).unwrap();
        assert_eq!(back.into_rgba8(), picture);
    }

    #[test]
    fn light_files_decode_and_say_what_they_are_too() {
        let smooth = RgbImage::from_fn(65, 33, |x, y| Rgb([(x * 3) as u8, (y * 5) as u8, 90]));
        let webp = encode_webp(&smooth, 80, Source::Montage).unwrap();
        let back = image::load_from_memory(&webp).unwrap().into_rgb8();
        assert_eq!(back.dimensions(), (65, 33));
        let far = |a: &Rgb<u8>, b: &Rgb<u8>| (0..3).any(|c| a.0[c].abs_diff(b.0[c]) > 40);
        assert!(!back.pixels().zip(smooth.pixels()).any(|(a, b)| far(a, b)));
        assert!(has(&webp, b"digitalsourcetype/compositeCapture"));
        let avif = encode_avif(&smooth, 60, Source::Composite).unwrap();
        assert!(has(&avif, b"ftypavif") && has(&avif, b"digitalsourcetype/compositeSynthetic"));
        assert!(encode_webp(&RgbImage::new(0, 0), 80, Source::Altered).is_err());
    }
}
