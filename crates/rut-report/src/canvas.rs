//! A sheet that figures are drawn on as SVG, in pixels of the page, and the colours that all of them share. What is drawn is
//! the figures' own.

use std::cell::RefCell;

use maud::{Markup, html};

use crate::wording::printable;

/// A colour as SVG and style sheets write it.
pub(crate) type Colour = &'static str;

/// Lines, ticks and words. The page's dark look finds these five by what they are.
pub(crate) const INK: Colour = "#1f2933";
/// Words of less weight.
pub(crate) const SOFT: Colour = "#616e7c";
/// Lines that join means of several networks.
pub(crate) const GREY: Colour = "#9aa5b1";
/// Lines behind the figures.
pub(crate) const GRID: Colour = "#e4e7eb";
/// The ground.
pub(crate) const WHITE: Colour = "#ffffff";

/// Colours that people with any kind of colour vision tell apart, in print too: those of Okabe and Ito (2008) but for the
/// yellow, which is too pale for lines, then four of Tol's muted ones (2021).
const PALETTE: [Colour; 11] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", INK, "#882255", "#44aa99",
    "#999933", "#332288",
];

/// The colour of the network at `index`.
pub(crate) fn colour(index: usize) -> Colour {
    PALETTE[index % PALETTE.len()]
}

/// The shape of a point: shapes come again after four networks, colours after eleven, both together after forty-four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle.
    Triangle,
    /// A diamond.
    Diamond,
}

impl Marker {
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
pub(crate) fn mark(index: usize) -> Marker {
    const MARKS: [Marker; 4] = [
        Marker::Disc,
        Marker::Square,
        Marker::Triangle,
        Marker::Diamond,
    ];
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
pub(crate) struct TextStyle {
    /// Pixels.
    pub(crate) size: f64,
    /// Its colour.
    pub(crate) colour: Colour,
    /// Where its place is on it.
    pub(crate) anchor: Anchor,
}

/// For whom figures are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FigureStyle {
    /// Width, pixels of which an inch has 96.
    pub(crate) width: f64,
    /// Whether the title stands inside; a paper has it below.
    pub(crate) titled: bool,
}

impl FigureStyle {
    /// On the page: as wide as a phone.
    pub(crate) const PAGE: Self = Self {
        width: 360.0,
        titled: true,
    };

    /// In a file for a paper, so many inches wide.
    pub(crate) fn of_paper(inches: f64) -> Self {
        Self {
            width: 96.0 * inches,
            titled: false,
        }
    }

    /// `title`, at the top of a figure if it has one, cut to its width.
    pub(crate) fn title(self, canvas: &Canvas, title: &str) {
        if self.titled {
            let most = ((self.width - 24.0) / 7.0) as usize;
            let title = crate::wording::cut(title, most);
            canvas.text(
                &title,
                (12.0, 15.0),
                TextStyle::new(12.5, INK, Anchor::Head),
            );
        }
    }
}

impl TextStyle {
    /// Words of `size`, pixels.
    pub(crate) fn new(size: f64, colour: Colour, anchor: Anchor) -> Self {
        Self {
            size,
            colour,
            anchor,
        }
    }
}

/// A picture in the making.
#[derive(Default)]
pub(crate) struct Canvas {
    body: RefCell<String>,
}

/// Draws a picture of `size`, pixels, that is called `title`; those words are read out in place of it.
pub(crate) fn picture(title: &str, size: (f64, f64), draw: impl FnOnce(&Canvas)) -> String {
    let canvas = Canvas::default();
    canvas.block([(0.0, 0.0), size], WHITE, 1.0);
    draw(&canvas);
    let title = html! { (printable(title)) }.into_string();
    let (width, height) = (number(size.0), number(size.1));
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\" \
         font-family=\"sans-serif\">\n<title>{title}</title>\n{}</svg>\n",
        canvas.body.into_inner()
    )
}

/// A length in hundredths of a pixel, without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

fn path(points: &[(f64, f64)]) -> String {
    let place = |(x, y): &(f64, f64)| format!("{},{}", number(*x), number(*y));
    points.iter().map(place).collect::<Vec<_>>().join(" ")
}

impl Canvas {
    fn put(&self, element: Markup) {
        let mut body = self.body.borrow_mut();
        body.push_str(&element.into_string());
        body.push('\n');
    }

    /// What `draw` draws, as one thing that says `words` to who points at it.
    pub(crate) fn titled(&self, words: &str, draw: impl FnOnce(&Self)) {
        let inside = Self::default();
        draw(&inside);
        let inside = maud::PreEscaped(inside.body.into_inner());
        self.put(html! { g { title { (printable(words)) } (inside) } });
    }

    /// A line through `points`, `width` pixels wide.
    pub(crate) fn line(&self, points: &[(f64, f64)], colour: Colour, width: f64) {
        self.put(html! {
            polyline points=(path(points)) fill="none" stroke=(colour) stroke-width=(number(width)) {}
        });
    }

    /// A line of dashes through `points`.
    pub(crate) fn dashes(&self, points: &[(f64, f64)], colour: Colour, width: f64) {
        self.put(html! {
            polyline points=(path(points)) fill="none" stroke=(colour) stroke-width=(number(width)) stroke-dasharray="4" {}
        });
    }

    /// A filled rectangle between two corners, `opacity` from 0 to 1.
    pub(crate) fn block(
        &self,
        [(ax, ay), (bx, by)]: [(f64, f64); 2],
        colour: Colour,
        opacity: f64,
    ) {
        let opacity = (opacity < 1.0).then(|| number(opacity));
        self.put(html! {
            rect x=(number(ax.min(bx))) y=(number(ay.min(by))) width=(number((bx - ax).abs())) height=(number((by - ay).abs())) fill=(colour) fill-opacity=[opacity] {}
        });
    }

    /// A filled shape with `corners`.
    pub(crate) fn shape(&self, corners: &[(f64, f64)], colour: Colour) {
        self.put(html! { polygon points=(path(corners)) fill=(colour) {} });
    }

    /// A point at `place`.
    pub(crate) fn point(&self, (x, y): (f64, f64), colour: Colour, mark: Marker) {
        const RADIUS: f64 = 3.6;
        let corners: &[(f64, f64)] = match mark {
            Marker::Disc => {
                return self.put(html! {
                    circle cx=(number(x)) cy=(number(y)) r=(number(RADIUS)) fill=(colour) {}
                });
            }
            Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Triangle => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Marker::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        let corner = |(dx, dy): &(f64, f64)| (x + RADIUS * dx, y + RADIUS * dy);
        let corners: Vec<(f64, f64)> = corners.iter().map(corner).collect();
        self.shape(&corners, colour);
    }

    /// A text at `place`, in the middle of its height.
    pub(crate) fn text(&self, text: &str, (x, y): (f64, f64), set: TextStyle) {
        let anchor = match set.anchor {
            Anchor::Left | Anchor::Head | Anchor::Rising => None,
            Anchor::Middle => Some("middle"),
            Anchor::Right => Some("end"),
        };
        let weight = matches!(set.anchor, Anchor::Head).then_some("bold");
        let (x, y) = (number(x), number(y));
        let turn = matches!(set.anchor, Anchor::Rising).then(|| format!("rotate(-90 {x} {y})"));
        self.put(html! {
            text x=(x) y=(y) dy="0.35em" font-size=(number(set.size)) fill=(set.colour) text-anchor=[anchor] font-weight=[weight] transform=[turn] { (printable(text)) }
        });
    }
}
