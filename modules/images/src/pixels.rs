//! Sizes of pictures.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{GrayImage, RgbImage};
use keroxio_plugin_sdk::Photo;

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

/// [`working_size`] of a picture that nobody else needs.
pub fn within(picture: RgbImage, max_side: u32) -> RgbImage {
    if picture.width().max(picture.height()) <= max_side { picture } else { working_size(&picture, max_side) }
}

/// [`working_size`] of a photo, taken from its half where that shows as much.
pub fn reduced_photo(photo: &Photo, max_side: u32) -> RgbImage {
    let size = reduced_size((photo.width(), photo.height()), max_side);
    let (source, _) = photo.source(f64::from(photo.width()) / f64::from(size.0));
    stretched(source, size)
}

/// A picture stretched to a size; the picture itself where that is impossible.
pub fn stretched(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    let bytes = resized(picture.as_raw(), picture.dimensions(), (width, height), PixelType::U8x3);
    bytes.and_then(|b| RgbImage::from_raw(width, height, b)).unwrap_or_else(|| picture.clone())
}

fn resized(bytes: &[u8], from: (u32, u32), to: (u32, u32), kind: PixelType) -> Option<Vec<u8>> {
    let source = ImageRef::new(from.0, from.1, bytes, kind).ok()?;
    let mut target = Image::new(to.0, to.1, kind);
    // A matte must not ring: its inside stays fully car. For photos made smaller, as sharp as bicubic at a third of
    // the price; what is made larger has nothing sharp to keep.
    let is_reduced = to.0 < from.0 || to.1 < from.1;
    let filter = if kind == PixelType::U8 || !is_reduced { FilterType::Bilinear } else { FilterType::Hamming };
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
mod tests {
    use image::Rgb;

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
}
