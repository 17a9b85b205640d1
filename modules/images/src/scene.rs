//! Grounds to put a car on, drawn by our own code: no photo of anybody's.

use async_graphql::Enum;
use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::pixels::stretched;

/// Longer side at which grounds are drawn: nothing on them is sharp.
const DRAWN_SIDE: u32 = 768;

/// What a car is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum, Serialize, Deserialize)]
#[graphql(name = "PhotoScene")]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// A white studio.
    #[default]
    StudioWhite,
    /// A grey studio.
    StudioGrey,
    /// A black studio with a polished floor.
    StudioBlack,
    /// A dark hall with lit panels.
    Showroom,
    /// A workshop with a concrete floor.
    Garage,
    /// A car park by day.
    Outdoor,
    /// No background: a PNG file with transparency, neither framed nor with a logo.
    Transparent,
}

type Colour = [f32; 3];

impl Scene {
    pub const ALL: [Self; 7] = [
        Self::StudioWhite,
        Self::StudioGrey,
        Self::StudioBlack,
        Self::Showroom,
        Self::Garage,
        Self::Outdoor,
        Self::Transparent,
    ];

    /// Share of the car that the floor mirrors right under it.
    pub fn gloss(self) -> f32 {
        match self {
            Self::StudioWhite => 0.10,
            Self::StudioGrey => 0.12,
            Self::StudioBlack => 0.30,
            Self::Showroom => 0.22,
            Self::Garage => 0.05,
            Self::Outdoor | Self::Transparent => 0.0,
        }
    }

    /// The empty scene, `width` x `height` pixels, whose floor begins at row `line`. `tint` multiplies red, green
    /// and blue.
    pub fn draw(self, (width, height): (u32, u32), line: f32, tint: Colour) -> RgbImage {
        let scale = (DRAWN_SIDE as f32 / width.max(height) as f32).min(1.0);
        let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
        let (small_width, small_height) = (side(width), side(height));
        let place = Place { width: small_width as f32, height: small_height as f32, line: line * scale };
        let drawn = RgbImage::from_fn(small_width, small_height, |x, y| {
            let colour = self.colour(&place, x as f32 + 0.5, y as f32 + 0.5);
            image::Rgb(std::array::from_fn(|c| (colour[c] * tint[c]).round().clamp(0.0, 255.0) as u8))
        });
        stretched(&drawn, (width, height))
    }

    fn colour(self, place: &Place, x: f32, y: f32) -> Colour {
        match self {
            Self::StudioWhite | Self::Transparent => studio(place, y, (250.0, 238.0), (222.0, 242.0)),
            Self::StudioGrey => studio(place, y, (176.0, 150.0), (132.0, 164.0)),
            Self::StudioBlack => studio(place, y, (22.0, 40.0), (30.0, 14.0)),
            Self::Showroom => showroom(place, x, y),
            Self::Garage => garage(place, x, y),
            Self::Outdoor => outdoor(place, x, y),
        }
    }
}

/// Where a pixel is in the scene.
struct Place {
    width: f32,
    height: f32,
    /// Row where wall and floor meet.
    line: f32,
}

impl Place {
    /// 0 at the upper end of the wall, 1 at the floor.
    fn up_the_wall(&self, y: f32) -> f32 {
        (y / self.line.max(1.0)).clamp(0.0, 1.0)
    }

    /// 0 where the floor begins, 1 at the lower end.
    fn on_the_floor(&self, y: f32) -> f32 {
        ((y - self.line) / (self.height - self.line).max(1.0)).clamp(0.0, 1.0)
    }

    /// How far a row belongs to the floor: the cove between is round, so that no hard line is behind the car.
    fn turned(&self, y: f32, softness: f32) -> f32 {
        smooth(((y - self.line) / (softness * self.height).max(1.0) + 0.5).clamp(0.0, 1.0))
    }

    /// Coordinates on the floor, in widths of the picture at its lower end; far away near the line.
    fn floor(&self, x: f32, y: f32) -> (f32, f32) {
        let far = 1.0 / (self.on_the_floor(y) + 0.06);
        ((x / self.width - 0.5) * far, far)
    }

    fn across(&self, x: f32) -> f32 {
        x / self.width
    }
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn mix(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}

fn blend(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|c| mix(from[c], to[c], share))
}

/// Grey wall and floor, from far to near, with a round cove between.
fn studio(place: &Place, y: f32, wall: (f32, f32), floor: (f32, f32)) -> Colour {
    let behind = mix(wall.0, wall.1, place.up_the_wall(y));
    let under = mix(floor.0, floor.1, place.on_the_floor(y).sqrt());
    [mix(behind, under, place.turned(y, 0.05)); 3]
}

/// A dark hall with lit panels on the wall and a polished floor that shows them.
fn showroom(place: &Place, x: f32, y: f32) -> Colour {
    let panels = |blur: f32| -> f32 {
        let stripe = |middle: f32| (-((place.across(x) - middle) / (0.05 * blur)).powi(2)).exp();
        [0.1, 0.36, 0.64, 0.9].into_iter().map(stripe).sum::<f32>().min(1.0)
    };
    let up = place.up_the_wall(y);
    let lit = panels(1.0) * smooth(((up - 0.08) / 0.3).clamp(0.0, 1.0));
    let wall = blend([52.0, 56.0, 64.0], [214.0, 216.0, 212.0], 0.75 * lit);
    let near = place.on_the_floor(y);
    let shine = panels(1.0 + 2.5 * near) * (1.0 - near).powi(2);
    let floor = blend([70.0, 72.0, 78.0], [168.0, 170.0, 170.0], 0.6 * shine + 0.25 * near);
    blend(wall, floor, place.turned(y, 0.012))
}

/// A tidy workshop: light plaster over a painted base, cast concrete with joints.
fn garage(place: &Place, x: f32, y: f32) -> Colour {
    let up = place.up_the_wall(y);
    let plaster = 206.0 - 26.0 * up + 5.0 * grain(place.across(x) * 9.0, up * 6.0);
    let base = smooth(((up - 0.78) / 0.012).clamp(0.0, 1.0));
    let wall = blend([plaster, plaster * 0.99, plaster * 0.96], [118.0, 124.0, 130.0], base);
    let (across, far) = place.floor(x, y);
    let blotch = 8.0 * grain(across * 5.0, far * 5.0) + 4.0 * grain(across * 23.0, far * 23.0);
    let joint = |at: f32| 1.0 - ((at.fract().abs() - 0.5).abs() * 90.0 - 44.0).clamp(0.0, 1.0) * 0.10;
    let concrete =
        (146.0 + 18.0 * place.on_the_floor(y) + blotch) * joint(across * 0.7 + 100.25) * joint(far * 0.35 + 0.25);
    blend(wall, [concrete, concrete * 0.99, concrete * 0.97], place.turned(y, 0.01))
}

/// Sky, hills out of focus, and a car park.
fn outdoor(place: &Place, x: f32, y: f32) -> Colour {
    let up = place.up_the_wall(y);
    let sky = blend([128.0, 174.0, 224.0], [226.0, 234.0, 240.0], smooth(up));
    let ridge = |height: f32, rough: f32, seed: f32| height + 0.07 * grain(place.across(x) * rough + seed, seed);
    let behind = |edge: f32| smooth(((up - edge) / 0.05).clamp(0.0, 1.0));
    let hills = blend(sky, [150.0, 166.0, 176.0], behind(ridge(0.66, 3.0, 3.0)));
    let trees = 8.0 * grain(place.across(x) * 30.0, up * 30.0);
    let trees = [88.0 + trees, 110.0 + trees, 82.0 + trees];
    let wall = blend(hills, trees, behind(ridge(0.82, 7.0, 11.0)));
    let (across, far) = place.floor(x, y);
    let rough = 5.0 * grain(across * 40.0, far * 40.0) + 7.0 * grain(across * 3.0, far * 3.0);
    let asphalt = 116.0 + 12.0 * place.on_the_floor(y) + rough;
    blend(wall, [asphalt, asphalt, asphalt * 1.01], place.turned(y, 0.012))
}

/// Value noise from -1 to 1, the same for the same place.
fn grain(x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (u, v) = (smooth(x - left), smooth(y - top));
    let at = |dx: f32, dy: f32| {
        let mixed = ((left + dx) as i32 as u32).wrapping_mul(0x9E37_79B1)
            ^ ((top + dy) as i32 as u32).wrapping_mul(0x85EB_CA77);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D);
        ((mixed ^ (mixed >> 12)) & 0xFFFF) as f32 / 32_767.5 - 1.0
    };
    mix(mix(at(0.0, 0.0), at(1.0, 0.0), u), mix(at(0.0, 1.0), at(1.0, 1.0), u), v)
}

/// The middle of a picture that fills a size, stretched to it without bending.
pub fn covering(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let wanted = width as f32 / height.max(1) as f32;
    let (own_width, own_height) = (picture.width() as f32, picture.height() as f32);
    let (used_width, used_height) = if own_width / own_height > wanted {
        (own_height * wanted, own_height)
    } else {
        (own_width, own_width / wanted)
    };
    let (left, top) = ((own_width - used_width) / 2.0, (own_height - used_height) / 2.0);
    let (used_width, used_height) = ((used_width as u32).max(1), (used_height as u32).max(1));
    let part = image::imageops::crop_imm(picture, left as u32, top as u32, used_width, used_height).to_image();
    stretched(&part, (width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_fills_its_picture_and_is_the_same_each_time() {
        for scene in Scene::ALL {
            let first = scene.draw((200, 150), 90.0, [1.0; 3]);
            assert_eq!(first.dimensions(), (200, 150), "{scene:?}");
            assert_eq!(first, scene.draw((200, 150), 90.0, [1.0; 3]), "{scene:?}");
            assert_eq!(scene.draw((1, 1), 0.0, [1.0; 3]).dimensions(), (1, 1), "{scene:?}");
        }
    }

    #[test]
    fn scenes_differ() {
        let drawn = Scene::ALL.map(|scene| scene.draw((120, 90), 50.0, [1.0; 3]));
        for (n, one) in drawn.iter().enumerate() {
            // Transparent borrows the white studio for what has no alpha.
            assert!(drawn[..n].iter().all(|other| other != one || n == Scene::ALL.len() - 1), "{:?}", Scene::ALL[n]);
        }
    }

    #[test]
    fn a_tint_warms_the_scene() {
        let plain = Scene::StudioGrey.draw((40, 30), 20.0, [1.0; 3]);
        let warm = Scene::StudioGrey.draw((40, 30), 20.0, [1.05, 1.0, 0.95]);
        assert!(plain.pixels().zip(warm.pixels()).all(|(p, w)| w.0[0] > p.0[0] && w.0[2] < p.0[2]));
    }

    #[test]
    fn a_background_is_cut_not_bent() {
        let halves = RgbImage::from_fn(400, 100, |x, _| image::Rgb([if x < 200 { 0 } else { 255 }; 3]));
        let cover = covering(&halves, (100, 100));
        assert_eq!((cover.get_pixel(10, 50).0[0], cover.get_pixel(90, 50).0[0]), (0, 255));
    }
}
