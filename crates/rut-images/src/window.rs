//! A rectangle of an image, which may reach beyond it.

use std::ops::Range;

use crate::Extent;

/// Which pixels of an image are kept, as in Pillow's `Image.crop`: what lies outside the image is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Column of the image that becomes the first one; negative left of the image.
    pub left: i32,
    /// Row of the image that becomes the first one; negative above the image.
    pub top: i32,
    /// Width and height of what is kept.
    pub size: Extent,
}

impl Window {
    /// `pixels` `[from.height, from.width, channels]` → `[size.height, size.width, channels]`.
    pub(crate) fn of<T: Copy + Default>(
        self,
        pixels: &[T],
        channels: usize,
        from: Extent,
    ) -> Vec<T> {
        let mut out = vec![T::default(); self.size.pixels() * channels];
        let (columns, first) = overlap(self.left, self.size.width, from.width);
        let (rows, first_row) = overlap(self.top, self.size.height, from.height);
        if columns.is_empty() {
            return out;
        }
        let length = columns.len() * channels;
        for (at, row) in rows.enumerate() {
            let source = (row * from.width as usize + columns.start) * channels;
            let place = ((first_row + at) * self.size.width as usize + first) * channels;
            out[place..][..length].copy_from_slice(&pixels[source..][..length]);
        }
        out
    }
}

/// Along one axis: the places of the image that are kept, and where in the window the first of them comes.
fn overlap(first: i32, kept: u32, length: u32) -> (Range<usize>, usize) {
    let first = i64::from(first);
    let inside = |place: i64| place.clamp(0, i64::from(length));
    let (start, end) = (inside(first), inside(first + i64::from(kept)));
    (
        start as usize..end as usize,
        (start - first).max(0) as usize,
    )
}
