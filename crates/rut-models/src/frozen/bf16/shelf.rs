//! Memory for maps, used again and again. A buffer goes only to values that lie as its last one did, so that halos stay
//! zero.

use rut_kernels::bf16::{ImageLayout, Layout, Row, zeros};

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    maps: Vec<(Layout, usize, Vec<Row>)>,
    images: Vec<(ImageLayout, Vec<Row>)>,
}

impl Shelf {
    /// Rows of `images` images; halos are zero, pixels of any content.
    pub(super) fn take(&mut self, layout: &Layout, images: usize) -> Vec<Row> {
        let fits = |(of, count, _): &(Layout, usize, _)| (of, *count) == (layout, images);
        match self.maps.iter().rposition(fits) {
            Some(at) => self.maps.swap_remove(at).2,
            None => zeros(layout, images),
        }
    }

    pub(super) fn give(&mut self, layout: &Layout, images: usize, rows: Vec<Row>) {
        self.maps.push((*layout, images, rows));
    }

    /// Rows of one image as the first convolution reads it; what surrounds its pixels is zero.
    pub(super) fn take_image(&mut self, layout: &ImageLayout) -> Vec<Row> {
        match self.images.iter().position(|(of, _)| of == layout) {
            Some(at) => self.images.swap_remove(at).1,
            None => vec![Row::ZERO; layout.rows()],
        }
    }

    pub(super) fn give_image(&mut self, layout: &ImageLayout, rows: Vec<Row>) {
        self.images.push((*layout, rows));
    }
}
