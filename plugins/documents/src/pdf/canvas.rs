//! Pages as lists of things to draw, so that the number of pages is known before the first one is written.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;

use super::font::{Fonts, Run, Weight};
use crate::DocumentError;

pub(super) type Colour = [u8; 3];

pub(super) const INK: Colour = [24, 29, 39];
pub(super) const GREY: Colour = [98, 106, 120];
pub(super) const RULE: Colour = [214, 219, 227];
pub(super) const TINT: Colour = [244, 246, 249];
pub(super) const WHITE: Colour = [255, 255, 255];

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) colour: Colour,
}

impl Style {
    pub(super) const fn regular(size: f32, colour: Colour) -> Self {
        Self { size, weight: Weight::Regular, colour }
    }

    pub(super) const fn bold(size: f32, colour: Colour) -> Self {
        Self { size, weight: Weight::Bold, colour }
    }

    /// Distance between two lines, points.
    pub(super) fn leading(self) -> f32 {
        self.size * 1.38
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    Centre,
}

enum Op {
    Text { x: f32, baseline: f32, run: Run, colour: Colour },
    Box { x: f32, y: f32, width: f32, height: f32, radius: f32, colour: Colour },
}

/// Pages under construction. Points from the top left corner.
pub(super) struct Canvas {
    pub(super) fonts: Fonts,
    pub(super) width: f32,
    pub(super) height: f32,
    pages: Vec<Vec<Op>>,
}

impl Canvas {
    pub(super) fn new(width: f32, height: f32) -> Result<Self, DocumentError> {
        Ok(Self { fonts: Fonts::load()?, width, height, pages: vec![Vec::new()] })
    }

    pub(super) fn new_page(&mut self) {
        self.pages.push(Vec::new());
    }

    pub(super) fn page_count(&self) -> usize {
        self.pages.len()
    }

    fn push(&mut self, page: usize, op: Op) {
        if let Some(page) = self.pages.get_mut(page) {
            page.push(op);
        }
    }

    fn last(&self) -> usize {
        self.pages.len().saturating_sub(1)
    }

    /// One line; `top` is the upper edge of its line box. Returns the width of the text.
    pub(super) fn text(&mut self, x: f32, top: f32, text: &str, style: Style, align: Align) -> f32 {
        self.text_on(self.last(), x, top, text, style, align)
    }

    pub(super) fn text_on(&mut self, page: usize, x: f32, top: f32, text: &str, style: Style, align: Align) -> f32 {
        let run = self.fonts.run(text, style.size, style.weight);
        let width = run.width;
        self.run_on(page, x, top, run, style, align);
        width
    }

    fn run_on(&mut self, page: usize, x: f32, top: f32, run: Run, style: Style, align: Align) {
        let x = match align {
            Align::Left => x,
            Align::Right => x - run.width,
            Align::Centre => x - run.width / 2.0,
        };
        let baseline = top + style.leading() * 0.5 + style.size * 0.364;
        self.push(page, Op::Text { x, baseline, run, colour: style.colour });
    }

    /// Lines wrapped to a width; returns the height they take.
    pub(super) fn paragraph(&mut self, x: f32, top: f32, text: &str, style: Style, width: f32) -> f32 {
        let runs = self.fonts.wrap(text, style.size, style.weight, width);
        let height = style.leading() * runs.len() as f32;
        for (line, run) in runs.into_iter().enumerate() {
            self.run_on(self.last(), x, top + style.leading() * line as f32, run, style, Align::Left);
        }
        height
    }

    /// Height that [`Self::paragraph`] would take.
    pub(super) fn measure(&self, text: &str, style: Style, width: f32) -> f32 {
        style.leading() * self.fonts.wrap(text, style.size, style.weight, width).len() as f32
    }

    pub(super) fn filled(&mut self, x: f32, y: f32, width: f32, height: f32, radius: f32, colour: Colour) {
        self.push(self.last(), Op::Box { x, y, width, height, radius, colour });
    }

    pub(super) fn filled_on(&mut self, page: usize, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.push(page, Op::Box { x, y, width, height, radius: 0.0, colour });
    }

    pub(super) fn rule(&mut self, x: f32, y: f32, width: f32, colour: Colour) {
        self.filled(x, y, width, 0.6, 0.0, colour);
    }

    /// Draws every page into the PDF.
    pub(super) fn render(self, document: &mut Document) -> Result<(), DocumentError> {
        for ops in &self.pages {
            let settings = PageSettings::from_wh(self.width, self.height)
                .ok_or_else(|| DocumentError::Pdf("a page has no size".to_owned()))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for op in ops {
                draw(&mut surface, &self.fonts, op);
            }
            surface.finish();
            page.finish();
        }
        Ok(())
    }
}

fn draw(surface: &mut Surface, fonts: &Fonts, op: &Op) {
    match op {
        Op::Text { x, baseline, run, colour } => {
            surface.set_fill(Some(fill(*colour)));
            let start = Point::from_xy(*x, *baseline);
            surface.draw_glyphs(start, &run.glyphs, fonts.font(run.weight), &run.text, run.size, false);
        }
        Op::Box { x, y, width, height, radius, colour } => {
            surface.set_fill(Some(fill(*colour)));
            if let Some(path) = rounded(*x, *y, *width, *height, *radius) {
                surface.draw_path(&path);
            }
        }
    }
}

fn fill(colour: Colour) -> Fill {
    let [red, green, blue] = colour;
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Option<krilla::geom::Path> {
    let mut path = PathBuilder::new();
    if radius <= 0.0 {
        path.push_rect(Rect::from_xywh(x, y, width, height)?);
        return path.finish();
    }
    let (right, bottom) = (x + width, y + height);
    path.move_to(x + radius, y);
    path.line_to(right - radius, y);
    path.quad_to(right, y, right, y + radius);
    path.line_to(right, bottom - radius);
    path.quad_to(right, bottom, right - radius, bottom);
    path.line_to(x + radius, bottom);
    path.quad_to(x, bottom, x, bottom - radius);
    path.line_to(x, y + radius);
    path.quad_to(x, y, x + radius, y);
    path.close();
    path.finish()
}
