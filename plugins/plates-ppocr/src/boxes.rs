use image::RgbImage;
use keroxio_plugin_sdk::Point;

use crate::geometry::Tilted;
use crate::nets::TextMap;

/// Boxes read per pass at most: a wall of posters must not take minutes.
const MOST_BOXES: usize = 14;
/// Text areas come out of the network shrunk; this is its authors' factor to grow them back.
const UNCLIP: f32 = 1.6;
/// A box with a lower mean probability is noise.
const LOWEST_MEAN: f32 = 0.5;
/// Width of a plate at least, as a share of the photo's width.
const LEAST_WIDTH: f32 = 0.02;

/// Rectangles in photo pixels that have the shape of a plate, the most plausible first.
pub fn plate_shaped(map: &TextMap, photo: &RgbImage, threshold: f32) -> Vec<Tilted> {
    let scale = (photo.width() as f32 / map.width as f32, photo.height() as f32 / map.height as f32);
    let mut boxes: Vec<(f32, Tilted)> = areas(map, threshold)
        .into_iter()
        .filter_map(|area| {
            let tight = Tilted::around(&area.outline)?;
            let reach = tight.width * tight.height * UNCLIP / (2.0 * (tight.width + tight.height)).max(1.0);
            let full = tight.grown(reach, reach).scaled(scale.0, scale.1);
            let ratio = full.width / full.height;
            let plausible = (1.5..=9.0).contains(&ratio) && full.width >= LEAST_WIDTH * photo.width() as f32;
            let shape = if (2.5..=6.5).contains(&ratio) { 0.3 } else { 0.0 };
            (plausible && area.mean >= LOWEST_MEAN.min(threshold + 0.2)).then_some((area.mean + shape, full))
        })
        .collect();
    boxes.sort_by(|a, b| b.0.total_cmp(&a.0));
    boxes.truncate(MOST_BOXES);
    boxes.into_iter().map(|(_, tilted)| tilted).collect()
}

/// Rectangles in photo pixels around every line of text, the largest first, so many at most.
pub fn text_lines(map: &TextMap, photo: &RgbImage, threshold: f32, most: usize) -> Vec<Tilted> {
    let scale = (photo.width() as f32 / map.width as f32, photo.height() as f32 / map.height as f32);
    let line = |area: Area| {
        let tight = Tilted::around(&area.outline)?;
        let reach = tight.width * tight.height * UNCLIP / (2.0 * (tight.width + tight.height)).max(1.0);
        (area.mean >= LOWEST_MEAN).then(|| tight.grown(reach, reach).scaled(scale.0, scale.1))
    };
    let mut lines: Vec<Tilted> = areas(map, threshold).into_iter().filter_map(line).collect();
    lines.sort_by(|a, b| (b.width * b.height).total_cmp(&(a.width * a.height)));
    lines.truncate(most);
    lines
}

/// One connected area of text.
struct Area {
    outline: Vec<Point>,
    mean: f32,
}

/// Areas of at least 12 places, joined along edges and corners.
fn areas(map: &TextMap, threshold: f32) -> Vec<Area> {
    let mut seen = vec![false; map.values.len()];
    let mut found = Vec::new();
    for start in 0..map.values.len() {
        if seen[start] || map.values[start] < threshold {
            continue;
        }
        seen[start] = true;
        let (mut stack, mut places) = (vec![start], Vec::new());
        while let Some(place) = stack.pop() {
            places.push(place);
            for next in neighbours(map, place) {
                if !seen[next] && map.values[next] >= threshold {
                    seen[next] = true;
                    stack.push(next);
                }
            }
        }
        if places.len() >= 12 {
            found.push(area(map, &places));
        }
    }
    found
}

fn neighbours(map: &TextMap, place: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (place % map.width, place / map.width);
    let (width, columns) = (map.width, x.saturating_sub(1)..=(x + 1).min(map.width - 1));
    let rows = y.saturating_sub(1)..=(y + 1).min(map.height - 1);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
}

fn area(map: &TextMap, places: &[usize]) -> Area {
    let mut ends = std::collections::BTreeMap::<usize, (usize, usize)>::new();
    for place in places {
        let (x, y) = (place % map.width, place / map.width);
        let row = ends.entry(y).or_insert((x, x));
        *row = (row.0.min(x), row.1.max(x));
    }
    // The four corners of the outermost places of each row hold the whole hull.
    let outline = ends.iter().flat_map(|(y, (left, right))| {
        let (y, left, right) = (*y as f32, *left as f32, *right as f32 + 1.0);
        [(left, y), (right, y), (left, y + 1.0), (right, y + 1.0)].map(|(x, y)| Point { x, y })
    });
    let sum: f32 = places.iter().map(|p| map.values[*p]).sum();
    Area { outline: outline.collect(), mean: sum / places.len() as f32 }
}
