//! A frame around a picture with the names of its axes, in pixels. What is in the picture is decided elsewhere.

use rut_images::{Extent, RgbImage, Sheet};

/// Distance of words from the picture, pixels.
const GAP: usize = 6;

/// Names of the axes: to the right, below the picture, and up or down, above its left edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    /// The horizontal axis.
    pub(super) horizontal: &'static str,
    /// The vertical axis.
    pub(super) vertical: &'static str,
    /// What stands at the ends of both, if they are numbers.
    pub(super) ends: Option<[&'static str; 2]>,
}

/// `picture` on white paper with its axes.
pub(super) fn framed(picture: &RgbImage, axes: Axes) -> RgbImage {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let wide = |text: &str| Sheet::LETTER * text.chars().count();
    let ends = axes.ends.unwrap_or_default();
    let side = ends.map(wide).into_iter().max().unwrap_or_default();
    let left = GAP + if side > 0 { side + GAP } else { 0 };
    let top = 2 * GAP + Sheet::LETTER;
    let below = top + height + GAP;
    let full = left + width.max(wide(axes.horizontal)).max(wide(axes.vertical)) + 2 * GAP;
    let mut sheet = Sheet::blank(Extent {
        width: full as u32,
        height: (below + Sheet::LETTER + GAP) as u32,
    });
    let mut write = |text: &str, place| sheet.write(text, place, text.chars().count());
    write(axes.vertical, (left, GAP));
    let middle = left + width.saturating_sub(wide(axes.horizontal)) / 2;
    write(axes.horizontal, (middle, below));
    if axes.ends.is_some() {
        let [least, most] = ends;
        write(
            least,
            (GAP + side - wide(least), top + height - Sheet::LETTER),
        );
        write(most, (GAP + side - wide(most), top));
        write(least, (left, below));
        write(most, (left + width - wide(most).min(width), below));
    }
    sheet.paste(picture, (left, top));
    sheet.into_image()
}
