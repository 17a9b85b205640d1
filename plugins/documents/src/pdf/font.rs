//! The two fonts, and text turned into glyphs once: what is measured is what is drawn.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::ttf_parser::Tag;
use rustybuzz::{Face, Feature, UnicodeBuffer};

use crate::DocumentError;

static REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.otf");
static BOLD: &[u8] = include_bytes!("../../fonts/Inter-Bold.otf");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Both weights, ready to measure and to draw.
pub(super) struct Fonts {
    regular: (Face<'static>, Font),
    bold: (Face<'static>, Font),
}

/// A line of text as glyphs; `width` is in points.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    pub(super) width: f32,
    pub(super) size: f32,
    pub(super) weight: Weight,
}

impl Fonts {
    pub(super) fn load() -> Result<Self, DocumentError> {
        Ok(Self { regular: load(REGULAR)?, bold: load(BOLD)? })
    }

    pub(super) fn font(&self, weight: Weight) -> Font {
        self.pair(weight).1.clone()
    }

    fn pair(&self, weight: Weight) -> &(Face<'static>, Font) {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// Shapes a line; figures all have one width, so that amounts stand in columns.
    pub(super) fn run(&self, text: &str, size: f32, weight: Weight) -> Run {
        let face = &self.pair(weight).0;
        let text = drawable(face, text);
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.set_direction(rustybuzz::Direction::LeftToRight);
        buffer.guess_segment_properties();
        let shaped = rustybuzz::shape(face, &[Feature::new(Tag::from_bytes(b"tnum"), 1, ..)], buffer);
        let em = face.units_per_em() as f32;
        let starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let glyphs: Vec<KrillaGlyph> = shaped
            .glyph_infos()
            .iter()
            .zip(shaped.glyph_positions())
            .map(|(info, at)| {
                let start = info.cluster as usize;
                let end = starts.iter().copied().filter(|other| *other > start).min().unwrap_or(text.len());
                let scaled = |units: i32| units as f32 / em;
                let (advance, x, y) = (scaled(at.x_advance), scaled(at.x_offset), scaled(at.y_offset));
                KrillaGlyph::new(GlyphId::new(info.glyph_id), advance, x, y, scaled(at.y_advance), start..end, None)
            })
            .collect();
        let width = glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() * size;
        Run { text, glyphs, width, size, weight }
    }

    /// Breaks a text into lines of at most `width` points, at spaces and where it must be inside a word.
    pub(super) fn wrap(&self, text: &str, size: f32, weight: Weight, width: f32) -> Vec<Run> {
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
                let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if self.run(&joined, size, weight).width <= width {
                    line = joined;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                line = self.break_word(word, size, weight, width, &mut lines);
            }
            lines.push(line);
        }
        lines.into_iter().map(|line| self.run(&line, size, weight)).collect()
    }

    /// Pushes the full lines that a long word takes and returns its end.
    fn break_word(&self, word: &str, size: f32, weight: Weight, width: f32, lines: &mut Vec<String>) -> String {
        let mut part = String::new();
        for c in word.chars() {
            part.push(c);
            if self.run(&part, size, weight).width > width && part.chars().count() > 1 {
                part.pop();
                lines.push(std::mem::replace(&mut part, c.to_string()));
            }
        }
        part
    }
}

fn load(data: &'static [u8]) -> Result<(Face<'static>, Font), DocumentError> {
    let unreadable = || DocumentError::Pdf("a font of the program is unreadable".to_owned());
    let face = Face::from_slice(data, 0).ok_or_else(unreadable)?;
    let font = Font::new(data.into(), 0).ok_or_else(unreadable)?;
    Ok((face, font))
}

/// PDF/A forbids to draw a missing character: what the font lacks becomes a question mark, invisible characters go.
fn drawable(face: &Face, text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, '\n' | '\t' | '\r') { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .map(|c| if face.glyph_index(c).is_some() { c } else { '?' })
        .collect()
}

/// Controls, soft hyphen, byte order mark, marks of direction and zero-width characters.
fn is_invisible(c: char) -> bool {
    let format = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}'];
    c.is_control() || matches!(c, '\u{ad}' | '\u{feff}') || format.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_one_width_and_french_has_all_its_letters() {
        let fonts = Fonts::load().unwrap();
        let width = |text: &str| fonts.run(text, 10.0, Weight::Regular).width;
        assert!((width("1111") - width("0000")).abs() < 0.001);
        let french = "àâæçéèêëîïôœùûüÿ ÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ «» €’–\u{202f}\u{a0} Đỗ Łódź Șerban";
        for weight in [Weight::Regular, Weight::Bold] {
            assert_eq!(fonts.run(french, 9.0, weight).text, french);
        }
    }

    #[test]
    fn strange_characters_are_replaced() {
        let fonts = Fonts::load().unwrap();
        assert_eq!(fonts.run("a\u{1f697}\u{7}中\u{200b}b\nc", 9.0, Weight::Regular).text, "a??b c");
    }

    #[test]
    fn lines_fit() {
        let fonts = Fonts::load().unwrap();
        let text = "Un texte assez long avec un mot interminable : anticonstitutionnellementanticonstitutionnellement.";
        let lines = fonts.wrap(text, 9.0, Weight::Regular, 80.0);
        assert!(lines.len() > 4 && lines.iter().all(|line| line.width <= 80.0));
        let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
        assert_eq!(lines.iter().map(|line| letters(&line.text)).collect::<String>(), letters(text));
        assert_eq!(fonts.wrap("a\n\nb", 9.0, Weight::Regular, 80.0).len(), 3);
    }
}
