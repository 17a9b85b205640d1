//! The renditions of a photo, before they are files.

use image::{GrayImage, RgbImage, RgbaImage};
use keroxio_core::Error;
use keroxio_plugin_sdk::{Matte, Photo, Quad, Rectangle};

use crate::cover::{Corners, Cover, Paint, mask_quads};
use crate::files::{Source, encode_jpeg, encode_png};
use crate::pixels::{fitted, reduced_photo, within};
use crate::scene::Scene;
use crate::stage::{Frame, Part, Staging, cut_out, print_logo, stage};

/// Longer side of a rendition, in pixels.
const MAX_SIDE: u32 = 2_048;
/// What the half of a photo may have instead.
const ENOUGH: std::ops::RangeInclusive<u32> = 1_920..=MAX_SIDE;
const QUALITY: u8 = 88;
/// How far a head reaches beyond its face on each side, as a share of the face.
const HEAD: f32 = 0.25;

/// How the renditions of a photo look, with the pictures that takes.
#[derive(Clone, Default)]
pub struct Style {
    pub scene: Scene,
    pub framed: bool,
    pub cover: Cover,
    pub background: Option<Photo>,
    pub logo: Option<Photo>,
}

impl Style {
    fn paint(&self) -> Paint<'_> {
        match (self.cover, &self.logo) {
            (Cover::Blur, _) => Paint::Blur,
            (Cover::Inlay, Some(logo)) => Paint::Inlay(logo.rgb()),
            (Cover::Solid | Cover::Inlay, _) => Paint::Solid,
        }
    }
}

/// Renditions as pixels, their plates hidden.
pub struct Drawn {
    masked: RgbImage,
    cleaned: Option<Cleaned>,
    part: Option<Part>,
}

enum Cleaned {
    Opaque(RgbImage, Source),
    Transparent(RgbaImage),
}

/// A rendition as a file.
pub struct File {
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
    pub size: (u32, u32),
}

/// Renditions as files.
pub struct Renditions {
    pub masked: File,
    pub cleaned: Option<File>,
    /// What of the photo the picture on the new ground shows; none where there is no such picture.
    pub part: Option<Part>,
}

/// A photo at the size of its renditions.
pub struct Working {
    picture: Photo,
    /// Pixels of a rendition per pixel of the photo.
    scale: f32,
}

impl Working {
    pub fn of(photo: &Photo) -> Self {
        let longer = photo.width().max(photo.height());
        let picture = match photo.half().filter(|_| ENOUGH.contains(&(longer / 2))) {
            // A photo of a phone: its half is there already, and no smaller to the eye.
            Some(half) => half.clone(),
            None => reduced_photo(photo, MAX_SIDE),
        };
        let picture = Photo::from_rgb(picture);
        let scale = picture.width() as f32 / photo.width().max(1) as f32;
        Self { picture, scale }
    }

    pub fn picture(&self) -> &Photo {
        &self.picture
    }

    /// The photo with its plates evenly covered, for the second look.
    pub fn covered(&self, quads: &[Quad]) -> Photo {
        let mut picture = self.picture.rgb().clone();
        mask_quads(&mut picture, &self.corners(quads), Paint::Solid);
        Photo::from_rgb(picture)
    }

    /// Corners in a rendition as corners in the photo.
    pub fn in_photo(&self, quad: &Quad) -> Quad {
        quad.map(|mut p| {
            (p.x, p.y) = (p.x / self.scale, p.y / self.scale);
            p
        })
    }

    fn corners(&self, quads: &[Quad]) -> Vec<Corners> {
        quads.iter().map(|quad| quad.map(|p| (p.x * self.scale, p.y * self.scale))).collect()
    }
}

impl Drawn {
    /// Without a matte there is no new background. Faces are in pixels of the working picture.
    pub fn of(working: &Working, matte: Option<&Matte>, quads: &[Quad], faces: &[Rectangle], style: &Style) -> Self {
        let quads = working.corners(quads);
        let mut masked = working.picture.rgb().clone();
        let heads: Vec<Corners> = faces.iter().map(head).collect();
        mask_quads(&mut masked, &heads, Paint::Blur);
        mask_quads(&mut masked, &quads, style.paint());
        let alpha = matte.and_then(|matte| fitted(&matte.alpha, masked.dimensions()));
        let cleaned = alpha.map(|alpha| cleaned(&masked, &alpha, &quads, style));
        let part = cleaned.as_ref().map(|(_, frame)| Part::of(frame, masked.dimensions()));
        Self { masked, cleaned: cleaned.map(|(picture, _)| picture), part }
    }

    /// # Errors
    /// `INTERNAL` when a picture cannot be encoded.
    pub fn encode(&self) -> Result<Renditions, Error> {
        let jpeg = |picture: &RgbImage, source| {
            let bytes = encode_jpeg(picture, QUALITY, source).map_err(Error::internal)?;
            Ok::<_, Error>(File { bytes, media_type: "image/jpeg", size: picture.dimensions() })
        };
        let cleaned = match &self.cleaned {
            None => None,
            Some(Cleaned::Opaque(picture, source)) => Some(jpeg(picture, *source)?),
            Some(Cleaned::Transparent(picture)) => {
                let bytes = encode_png(picture).map_err(Error::internal)?;
                Some(File { bytes, media_type: "image/png", size: picture.dimensions() })
            }
        };
        Ok(Renditions { masked: jpeg(&self.masked, Source::Altered)?, cleaned, part: self.part })
    }
}

/// What of a person is blurred around a face: hair, ears and chin belong to it.
pub fn head(face: &Rectangle) -> Corners {
    let (left, right) = (face.left - HEAD * face.width, face.left + (1.0 + HEAD) * face.width);
    let (top, bottom) = (face.top - HEAD * face.height, face.top + (1.0 + HEAD) * face.height);
    [(left, top), (right, top), (right, bottom), (left, bottom)]
}

/// The car on its new ground. Its plates are hidden already; those that reach over its outline once more, because
/// there the ground was mixed in.
fn cleaned(masked: &RgbImage, alpha: &GrayImage, quads: &[Corners], style: &Style) -> (Cleaned, Frame) {
    if style.scene == Scene::Transparent && style.background.is_none() {
        return (Cleaned::Transparent(cut_out(masked, alpha)), Frame::whole(masked.dimensions()));
    }
    let background = style.background.as_ref().map(Photo::rgb);
    let staged = stage(masked, alpha, &Staging { scene: style.scene, background, framed: style.framed });
    let (mut picture, frame) = (staged.picture, staged.frame);
    let moved = |(x, y): (f32, f32)| (x - frame.left as f32, y - frame.top as f32);
    let quads: Vec<Corners> = quads.iter().map(|quad| quad.map(moved)).collect();
    let on_car = |quad: &Corners| quad.iter().all(|(x, y)| is_car(&staged.alpha, *x, *y));
    let half_out: Vec<Corners> =
        quads.into_iter().filter(|quad| !on_car(quad) && touches(&staged.alpha, quad)).collect();
    mask_quads(&mut picture, &half_out, style.paint());
    if let Some(logo) = &style.logo {
        print_logo(&mut picture, &staged.alpha, logo.rgb());
    }
    let source = if background.is_some() { Source::Montage } else { Source::Composite };
    (Cleaned::Opaque(within(picture, MAX_SIDE), source), frame)
}

fn is_car(alpha: &GrayImage, x: f32, y: f32) -> bool {
    x >= 0.0 && y >= 0.0 && alpha.get_pixel_checked(x as u32, y as u32).is_some_and(|a| a.0[0] >= 128)
}

/// Whether any of a quad, its corners or its middle, is on the car: another car's plate went with the background.
fn touches(alpha: &GrayImage, quad: &Corners) -> bool {
    let middle = quad.iter().fold((0.0, 0.0), |m, p| (m.0 + p.0 / 4.0, m.1 + p.1 / 4.0));
    quad.iter().chain([&middle]).any(|(x, y)| is_car(alpha, *x, *y))
}

#[cfg(test)]
mod tests {
    use image::{Luma, Rgb};
    use keroxio_plugin_sdk::Point;

    use super::*;

    const PLATES: [(u32, u32, u32, u32); 3] = [(180, 190, 260, 210), (320, 190, 400, 210), (20, 30, 70, 44)];

    /// A grey photo with plates in stripes of colours that nothing else has: one on the car, one half beside it, one
    /// in the background.
    fn photo() -> Photo {
        let on_plate = |x, y| PLATES.iter().any(|(l, t, r, b)| (*l..*r).contains(&x) && (*t..*b).contains(&y));
        Photo::from_rgb(RgbImage::from_fn(480, 320, |x, y| match on_plate(x, y) {
            true if (x / 3).is_multiple_of(2) => Rgb([255, 0, 255]),
            true => Rgb([0, 255, 0]),
            false => Rgb([(100 + x / 8) as u8; 3]),
        }))
    }

    fn matte() -> Matte {
        let inside = |x: u32, y: u32| (80..360).contains(&x) && (120..240).contains(&y);
        let alpha = GrayImage::from_fn(480, 320, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]));
        Matte { alpha, coverage: 0.2, confidence: 0.95, found: true }
    }

    fn quads() -> Vec<Quad> {
        let corners = |(l, t, r, b): (u32, u32, u32, u32)| [(l, t), (r, t), (r, b), (l, b)];
        PLATES.map(|plate| corners(plate).map(|(x, y)| Point { x: x as f32, y: y as f32 })).to_vec()
    }

    /// Whether a colour can only come from a plate: far from every grey.
    fn is_of_a_plate(pixel: &[u8]) -> bool {
        pixel[1].abs_diff(pixel[0]) > 110 || pixel[1].abs_diff(pixel[2]) > 110
    }

    #[test]
    fn no_cover_scene_or_framing_shows_a_plate() {
        let working = Working::of(&photo());
        let logo = Photo::from_rgb(RgbImage::from_pixel(60, 20, Rgb([90; 3])));
        let background = Photo::from_rgb(RgbImage::from_pixel(90, 60, Rgb([170; 3])));
        let shown = |bytes: &[u8], channels: usize| bytes.chunks_exact(channels).any(is_of_a_plate);
        for cover in [Cover::Solid, Cover::Blur, Cover::Inlay] {
            for (scene, framed) in Scene::ALL.into_iter().flat_map(|scene| [(scene, true), (scene, false)]) {
                for background in [None, Some(background.clone())] {
                    let style = Style { scene, framed, cover, background, logo: Some(logo.clone()) };
                    let drawn = Drawn::of(&working, Some(&matte()), &quads(), &[], &style);
                    assert!(!shown(drawn.masked.as_raw(), 3), "masked: {cover:?} {scene:?} {framed}");
                    let is_shown = match drawn.cleaned {
                        Some(Cleaned::Opaque(picture, _)) => shown(picture.as_raw(), 3),
                        Some(Cleaned::Transparent(picture)) => shown(picture.as_raw(), 4),
                        None => true,
                    };
                    assert!(!is_shown, "cleaned: {cover:?} {scene:?} {framed}");
                }
            }
        }
        let bare = Drawn::of(&working, Some(&matte()), &[], &[], &Style::default());
        assert!(shown(bare.masked.as_raw(), 3), "the test sees plates that are not hidden");
    }
}
