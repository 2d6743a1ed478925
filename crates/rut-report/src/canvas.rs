//! A sheet that figures are drawn on, in pixels of the page with fractions, and the colours that all of them share. What is
//! drawn is the figures' own.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, Result};
use crate::wording::printable;

/// Units of the drawing in a pixel of the page: the backend knows whole units only.
const FINE: f64 = 4.0;

/// The backend divides sizes of type by this.
const TYPE: f64 = 1.24;

/// Lines, ticks and words.
pub(crate) const INK: RGBColor = RGBColor(31, 41, 51);
/// Words of less weight.
pub(crate) const SOFT: RGBColor = RGBColor(97, 110, 124);
/// Lines behind the figures.
pub(crate) const GRID: RGBColor = RGBColor(228, 231, 235);

/// Colours that people with any kind of colour vision tell apart, in print too: those of Okabe and Ito (2008) but for the
/// yellow, which is too pale for lines, then four of Tol's muted ones (2021).
const PALETTE: [(RGBColor, &str); 11] = [
    (RGBColor(0, 114, 178), "#0072b2"),
    (RGBColor(213, 94, 0), "#d55e00"),
    (RGBColor(0, 158, 115), "#009e73"),
    (RGBColor(204, 121, 167), "#cc79a7"),
    (RGBColor(86, 180, 233), "#56b4e9"),
    (RGBColor(230, 159, 0), "#e69f00"),
    (RGBColor(31, 41, 51), "#1f2933"),
    (RGBColor(136, 34, 85), "#882255"),
    (RGBColor(68, 170, 153), "#44aa99"),
    (RGBColor(153, 153, 51), "#999933"),
    (RGBColor(51, 34, 136), "#332288"),
];

/// The colour of the network at `index`.
pub(crate) fn colour(index: usize) -> RGBColor {
    PALETTE[index % PALETTE.len()].0
}

/// The same for a style sheet.
pub(crate) fn css(index: usize) -> &'static str {
    PALETTE[index % PALETTE.len()].1
}

/// The shape of a point: shapes come again after four networks, colours after eleven, both together after forty-four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle.
    Triangle,
    /// A diamond.
    Diamond,
}

impl Mark {
    /// Its name in the style sheet.
    pub(crate) fn css(self) -> &'static str {
        match self {
            Self::Disc => "disc",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Diamond => "diamond",
        }
    }
}

/// The mark of the network at `index`.
pub(crate) fn mark(index: usize) -> Mark {
    const MARKS: [Mark; 4] = [Mark::Disc, Mark::Square, Mark::Triangle, Mark::Diamond];
    MARKS[index % MARKS.len()]
}

/// Where a text's place is on it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    /// At its left end.
    Left,
    /// In its middle.
    Middle,
    /// At its right end.
    Right,
    /// At its left end, and bold.
    Head,
    /// At its left end, turned to rise.
    Rising,
}

/// Size, colour and place of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type {
    /// Pixels.
    pub(crate) size: f64,
    /// Its colour.
    pub(crate) colour: RGBColor,
    /// Where its place is on it.
    pub(crate) anchor: Anchor,
}

/// A picture in the making.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws a picture of `size`, pixels, that is called `title`.
///
/// # Errors
/// If the backend refuses.
pub(crate) fn picture(
    title: &str,
    size: (f64, f64),
    draw: impl FnOnce(&Canvas<'_>) -> Result<()>,
) -> Result<String> {
    let mut text = String::new();
    let whole = |pixels: f64| (pixels * FINE).ceil() as u32;
    {
        let backend = SVGBackend::with_string(&mut text, (whole(size.0), whole(size.1)));
        let canvas = Canvas {
            area: backend.into_drawing_area(),
        };
        canvas.area.fill(&WHITE).map_err(refused)?;
        draw(&canvas)?;
        canvas.area.present().map_err(refused)?;
    }
    Ok(titled(&text, title, size))
}

/// Gives a drawing its size on the page, and the words that are read out in place of it.
fn titled(drawing: &str, title: &str, size: (f64, f64)) -> String {
    let title = maud::html! { (printable(title)) }.into_string();
    let rest = drawing
        .split_once("viewBox")
        .map_or(drawing, |(_, rest)| rest);
    let (attributes, body) = rest.split_once('>').unwrap_or((rest, ""));
    let (width, height) = size;
    format!(
        "<svg width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\" viewBox{attributes}>\n<title>{title}</title>{body}"
    )
}

fn refused<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> Error {
    Error::Drawing(error.to_string())
}

fn fine((x, y): (f64, f64)) -> (i32, i32) {
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

impl Canvas<'_> {
    /// A line through `points`, `width` pixels wide.
    pub(crate) fn line(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Result<()> {
        let style = colour.stroke_width((width * FINE).round() as u32);
        let points: Vec<(i32, i32)> = points.iter().copied().map(fine).collect();
        self.area
            .draw(&PathElement::new(points, style))
            .map_err(refused)
    }

    /// A line of dashes through `points`.
    pub(crate) fn dashes(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Result<()> {
        const DASH: f64 = 4.0;
        for pair in points.windows(2) {
            let &[(ax, ay), (bx, by)] = pair else {
                continue;
            };
            let length = (bx - ax).hypot(by - ay);
            let at = |along: f64| {
                let share = (along / length).min(1.0);
                (ax + share * (bx - ax), ay + share * (by - ay))
            };
            let dashes = (length / (2.0 * DASH)).ceil() as usize;
            for dash in 0..dashes {
                let start = 2.0 * DASH * dash as f64;
                self.line(&[at(start), at(start + DASH)], colour, width)?;
            }
        }
        Ok(())
    }

    /// A filled rectangle between two corners, `opacity` from 0 to 1.
    pub(crate) fn block(
        &self,
        corners: [(f64, f64); 2],
        colour: RGBColor,
        opacity: f64,
    ) -> Result<()> {
        let style = colour.mix(opacity).filled();
        self.area
            .draw(&Rectangle::new(corners.map(fine), style))
            .map_err(refused)
    }

    /// A point at `place`.
    pub(crate) fn point(&self, place: (f64, f64), colour: RGBColor, mark: Mark) -> Result<()> {
        const RADIUS: f64 = 3.6;
        let (x, y) = place;
        let around = |corners: &[(f64, f64)]| -> Vec<(i32, i32)> {
            let corner = |(dx, dy): &(f64, f64)| fine((x + RADIUS * dx, y + RADIUS * dy));
            corners.iter().map(corner).collect()
        };
        let corners: &[(f64, f64)] = match mark {
            Mark::Disc => {
                let radius = (RADIUS * FINE).round() as i32;
                let disc = Circle::new(fine(place), radius, colour.filled());
                return self.area.draw(&disc).map_err(refused);
            }
            Mark::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Mark::Triangle => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Mark::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        self.area
            .draw(&Polygon::new(around(corners), colour.filled()))
            .map_err(refused)
    }

    /// A text at `place`, in the middle of its height.
    pub(crate) fn text(&self, text: &str, place: (f64, f64), set: Type) -> Result<()> {
        let horizontal = match set.anchor {
            Anchor::Left | Anchor::Head | Anchor::Rising => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let font = ("sans-serif", set.size * FINE * TYPE).into_font();
        let font = match set.anchor {
            Anchor::Rising => font.transform(FontTransform::Rotate270),
            Anchor::Head => font.style(FontStyle::Bold),
            _ => font,
        };
        let style = font
            .color(&set.colour)
            .pos(Pos::new(horizontal, VPos::Center));
        self.area
            .draw(&Text::new(printable(text), fine(place), style))
            .map_err(refused)
    }
}
