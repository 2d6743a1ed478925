//! Rows of outputs and of their gradients.

/// Features and logits of images, row by row.
#[derive(Debug, Default)]
pub(in crate::frozen) struct Rows {
    /// `[count, width]`.
    pub(in crate::frozen) features: Vec<f32>,
    /// `[count, classes]`.
    pub(in crate::frozen) logits: Vec<f32>,
}

impl Rows {
    /// Those of the next images after these.
    pub(super) fn append(&mut self, mut next: Self) {
        self.features.append(&mut next.features);
        self.logits.append(&mut next.logits);
    }

    pub(super) fn fill(&mut self, value: f32) {
        self.features.fill(value);
        self.logits.fill(value);
    }
}

/// Gradients of what a block's images gave, row by row; of one of the two or of both.
#[derive(Clone, Copy)]
pub(in crate::frozen) struct RowGrads<'a> {
    /// `[count, width]`.
    pub(in crate::frozen) features: Option<&'a [f32]>,
    /// `[count, classes]`.
    pub(in crate::frozen) logits: Option<&'a [f32]>,
    /// Images, at most sixteen.
    pub(in crate::frozen) count: usize,
}

impl<'a> RowGrads<'a> {
    /// Those that are there.
    pub(super) fn each(&self) -> impl Iterator<Item = &'a [f32]> {
        [self.features, self.logits].into_iter().flatten()
    }

    pub(super) fn is_finite(&self) -> bool {
        self.each().flatten().all(|value| value.is_finite())
    }
}
