//! Memory for values, used again and again.

use rut_kernels::Lanes;

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(super) struct Arena {
    free: Vec<Vec<Lanes>>,
}

impl Arena {
    /// A buffer of `len` elements of any content: the smallest free one that is large enough.
    pub(super) fn take(&mut self, len: usize) -> Vec<Lanes> {
        let fits = self.free.iter().enumerate();
        let best = fits
            .filter(|(_, buffer)| buffer.capacity() >= len)
            .min_by_key(|(_, buffer)| buffer.capacity())
            .map(|(index, _)| index);
        let mut buffer = best.map_or_else(Vec::new, |index| self.free.swap_remove(index));
        if buffer.len() > len {
            buffer.truncate(len);
        } else {
            buffer.resize(len, Lanes::ZERO);
        }
        buffer
    }

    pub(super) fn give(&mut self, buffer: Vec<Lanes>) {
        self.free.push(buffer);
    }
}
