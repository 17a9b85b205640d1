use crate::plane::Plane;

/// A smaller blob stays when it has at least this share of the largest one (a car cut in two by a pole).
const KEPT_SHARE: usize = 4;
/// So many places from the outline the inside begins.
const DEEP: usize = 3;

/// Connected pieces of the places where `wanted` holds: the piece of each place (0 is none) and,
/// from piece 1 on, (size, touches the rim).
fn pieces(wanted: &[bool], width: usize) -> (Vec<u32>, Vec<(usize, bool)>) {
    let mut piece_of = vec![0_u32; wanted.len()];
    let mut pieces = Vec::new();
    let mut open = Vec::new();
    let height = wanted.len() / width;
    for start in 0..wanted.len() {
        if !wanted[start] || piece_of[start] != 0 {
            continue;
        }
        let name = pieces.len() as u32 + 1;
        let (mut size, mut rim) = (0, false);
        piece_of[start] = name;
        open.push(start);
        while let Some(place) = open.pop() {
            size += 1;
            let (x, y) = (place % width, place / width);
            rim |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            let neighbours = [
                (x > 0).then(|| place - 1),
                (x + 1 < width).then(|| place + 1),
                (y > 0).then(|| place - width),
                (y + 1 < height).then(|| place + width),
            ];
            for next in neighbours.into_iter().flatten() {
                if wanted[next] && piece_of[next] == 0 {
                    piece_of[next] = name;
                    open.push(next);
                }
            }
        }
        pieces.push((size, rim));
    }
    (piece_of, pieces)
}

/// Keeps the main blob of a soft mask (and others only if they are big) and fills its holes.
pub fn tidy(soft: &Plane) -> Plane {
    let car: Vec<bool> = soft.values.iter().map(|v| *v >= 0.5).collect();
    let (piece_of, sizes) = pieces(&car, soft.width);
    let largest = sizes.iter().map(|(size, _)| *size).max().unwrap_or(0);
    let kept = |place: usize| match piece_of[place] {
        0 => false,
        name => sizes[name as usize - 1].0 * KEPT_SHARE >= largest,
    };
    let core = Plane { values: (0..car.len()).map(|place| f32::from(u8::from(kept(place)))).collect(), ..*soft };
    // The soft rim around a kept blob stays, what lies farther out goes with its blob.
    let near = core.blurred(soft.width.max(soft.height).div_ceil(64));
    let solid: Vec<bool> = core.values.iter().map(|v| *v > 0.5).collect();
    let outside: Vec<bool> = solid.iter().map(|v| !v).collect();
    let (gap_of, gaps) = pieces(&outside, soft.width);
    let values = (0..car.len()).map(|place| match gap_of[place] {
        0 => soft.values[place],
        name if !gaps[name as usize - 1].1 => 1.0,
        _ if car[place] || near.values[place] <= 0.0 => 0.0,
        _ => soft.values[place],
    });
    Plane { values: values.collect(), ..*soft }
}

/// Makes whole what lies deep inside the car: no door may show what stands behind it. What the network thought of it
/// is for the confidence to say, before.
pub fn solid(soft: &Plane) -> Plane {
    let car = soft.with(soft, |value, _| f32::from(u8::from(value >= 0.5)));
    let deep = car.blurred(DEEP);
    soft.with(&deep, |value, share| if share >= 0.999 { 1.0 } else { value })
}

/// Smallest rectangle (left, top, right, bottom; right and bottom excluded) around the car.
pub fn bounds(soft: &Plane) -> Option<(usize, usize, usize, usize)> {
    let mut found: Option<(usize, usize, usize, usize)> = None;
    for (place, value) in soft.values.iter().enumerate() {
        if *value >= 0.5 {
            let (x, y) = (place % soft.width, place / soft.width);
            let (left, top, right, bottom) = found.unwrap_or((x, y, x + 1, y + 1));
            found = Some((left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &[&str]) -> Plane {
        let values = rows.iter().flat_map(|r| r.chars().map(|c| if c == '#' { 0.9 } else { 0.1 })).collect();
        Plane { width: rows[0].len(), height: rows.len(), values }
    }

    fn outline(soft: &Plane) -> Vec<String> {
        let marks: Vec<char> = soft.values.iter().map(|v| if *v >= 0.5 { '#' } else { '.' }).collect();
        marks.chunks(soft.width).map(|row| row.iter().collect()).collect()
    }

    #[test]
    fn specks_go_and_holes_close() {
        let messy = drawn(&["......#", ".####..", ".#..#..", ".####..", ".####.."]);
        assert_eq!(outline(&tidy(&messy)), [".......", ".####..", ".####..", ".####..", ".####.."]);
    }

    #[test]
    fn a_big_second_part_stays() {
        let cut = drawn(&["###.##", "###.##", "###.##"]);
        assert_eq!(outline(&tidy(&cut)), outline(&cut));
    }

    #[test]
    fn the_inside_is_whole_and_the_rim_stays_soft() {
        let side = 20;
        let at = |x: usize, y: usize| y * side + x;
        let mut door = Plane { width: side, height: side, values: vec![0.0; side * side] };
        for (y, x) in (4..16).flat_map(|y| (4..16).map(move |x| (y, x))) {
            door.values[at(x, y)] = if x == 4 { 0.7 } else { 0.6 };
        }
        let whole = solid(&door);
        assert_eq!((whole.values[at(10, 10)], whole.values[at(7, 7)]), (1.0, 1.0));
        assert_eq!((whole.values[at(4, 10)], whole.values[at(6, 10)], whole.values[at(1, 1)]), (0.7, 0.6, 0.0));
    }

    #[test]
    fn nothing_has_no_bounds() {
        assert_eq!(bounds(&drawn(&["....", "...."])), None);
        assert_eq!(bounds(&drawn(&["....", ".##.", "...."])), Some((1, 1, 3, 2)));
    }
}
