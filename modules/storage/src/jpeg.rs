//! Removes what a photo says about its owner without touching a pixel.

/// What an upload becomes.
pub enum Stripped {
    /// The same picture without metadata.
    Clean(Vec<u8>),
    /// Turned by EXIF, CMYK, or unusual: has to be encoded again.
    MustReencode,
}

/// Drops every APPn segment but JFIF (0), colour profile (2) and Adobe (14), and comments.
pub fn strip(bytes: &[u8]) -> Stripped {
    match walk(bytes) {
        Some(clean) => Stripped::Clean(clean),
        None => Stripped::MustReencode,
    }
}

fn walk(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..2)?.to_vec();
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let segment = bytes.get(at..at + 2 + length)?;
        match marker {
            0xDA => {
                let end = end_of_scan(bytes, at + 2 + length)?;
                out.extend_from_slice(bytes.get(at..end)?);
                if bytes.get(end + 1) == Some(&0xD9) {
                    // Whatever follows the end marker (previews, phone trailers) may carry metadata of its own.
                    out.extend_from_slice(&[0xFF, 0xD9]);
                    return Some(out);
                }
                at = end;
                continue;
            }
            0xE1 if !is_upright(segment) => return None,
            0xC0..=0xC2 if *segment.get(9)? == 4 => return None,
            0xE1 | 0xE3..=0xED | 0xEF | 0xFE => {}
            0xE2 if !segment.get(4..)?.starts_with(b"ICC_PROFILE\0") => {}
            _ => out.extend_from_slice(segment),
        }
        at += 2 + length;
    }
}

/// Where the next marker after entropy-coded data stands; stuffed bytes and restarts belong to the data.
fn end_of_scan(bytes: &[u8], from: usize) -> Option<usize> {
    let next =
        bytes.get(from..)?.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7 | 0xFF))?;
    Some(from + next)
}

/// False when an EXIF segment asks for a rotation, or when it cannot be understood.
fn is_upright(segment: &[u8]) -> bool {
    let Some(body) = segment.get(4..).and_then(|s| s.strip_prefix(b"Exif\0\0")) else { return true };
    orientation(body).is_some_and(|o| o <= 1)
}

/// Tag 0x0112 of the first directory; 1 when it has none.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let little = tiff.starts_with(b"II");
    let u16_at = |at: usize| {
        let pair = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let u32_at = |at: usize| {
        let (first, second) = (u32::from(u16_at(at)?), u32::from(u16_at(at + 2)?));
        Some(if little { second << 16 | first } else { first << 16 | second })
    };
    let directory = usize::try_from(u32_at(4)?).ok()?;
    let entries = usize::from(u16_at(directory)?);
    for entry in 0..entries.min(512) {
        let at = directory + 2 + entry * 12;
        if u16_at(at)? == 0x0112 {
            return u16_at(at + 8);
        }
    }
    Some(1)
}

/// A file cut short lacks its end marker, even when the decoder forgives it. What follows that marker, such as the film
/// of a motion photo, may be long.
pub fn is_complete(bytes: &[u8]) -> bool {
    end(bytes).is_some()
}

/// Where the end marker stands.
fn end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            // Not written by the book, but a decoder read it: the marker is looked for where such files end.
            let tail = bytes.len().saturating_sub(4_096).max(at);
            return bytes.get(tail..)?.windows(2).position(|pair| pair == [0xFF, 0xD9]).map(|place| tail + place);
        }
        at = match *bytes.get(at + 1)? {
            0xD9 => return Some(at),
            // More of the same byte may stand before a marker.
            0xFF => at + 1,
            0x01 | 0xD0..=0xD7 => at + 2,
            marker => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                let next = at + 2 + length;
                if marker == 0xDA { end_of_scan(bytes, next)? } else { next }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn jpeg() -> Vec<u8> {
        let mut bytes = Vec::new();
        jpeg_encoder::Encoder::new(&mut bytes, 80)
            .encode(&[90; 16 * 16 * 3], 16, 16, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        bytes
    }

    fn with_exif(orientation: u8) -> Vec<u8> {
        let mut tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let mut bytes = jpeg();
        let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
        let segment = [&[0xFF, 0xE1][..], &length, &tiff].concat();
        bytes.splice(2..2, segment);
        bytes
    }

    #[test]
    fn metadata_goes_and_pixels_stay() {
        let Stripped::Clean(clean) = strip(&with_exif(1)) else { panic!("an upright photo is stripped in place") };
        assert_eq!(clean, jpeg());
    }

    #[test]
    fn nothing_after_the_end_marker_is_kept() {
        let mut trailed = jpeg();
        trailed.extend_from_slice(b"Exif\0\0 of a preview");
        let Stripped::Clean(clean) = strip(&trailed) else { panic!("a trailer is cut off") };
        assert_eq!(clean, jpeg());
    }

    #[test]
    fn a_turned_photo_has_to_be_encoded_again() {
        assert!(matches!(strip(&with_exif(6)), Stripped::MustReencode));
    }

    #[test]
    fn half_a_file_is_not_complete() {
        let whole = jpeg();
        assert!(is_complete(&whole));
        assert!(!is_complete(&whole[..whole.len() / 2]));
        assert!(!is_complete(&whole[..whole.len() - 1]));
        let preview = [&with_exif(1)[..], &whole].concat();
        assert!(is_complete(&preview));
    }

    #[test]
    fn a_motion_photo_is_complete_however_long_its_film() {
        let film = [jpeg(), vec![0; 3 << 20]].concat();
        assert!(is_complete(&film) && is_complete(&[with_exif(1), vec![7; 100_000]].concat()));
        let Stripped::Clean(clean) = strip(&film) else { panic!("a trailer is cut off") };
        assert_eq!(clean, jpeg());
        // The end of a preview within its metadata is not that of the photo.
        let mut cut = with_exif(1);
        let body = cut.len() - jpeg().len() / 2;
        cut.splice(30..32, [0xFF, 0xD9]);
        cut.truncate(body);
        assert!(!is_complete(&cut));
    }
}
