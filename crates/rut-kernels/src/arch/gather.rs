//! Lines that are copied apart.

use crate::lanes::Lanes;

/// Copies lines apart: `packed[c · pitch + slot] = source[from + c]` for c below `channels`; zeros where `from` is
/// [`Gather::ZERO`].
#[derive(Debug)]
pub(crate) struct Gather<'a> {
    pub(crate) source: &'a [Lanes],
    pub(crate) packed: &'a mut [Lanes],
    pub(crate) pitch: usize,
    pub(crate) channels: usize,
    /// Pairs of slot and first source element.
    pub(crate) slots: &'a [(u32, u32)],
    /// Added to every first source element.
    pub(crate) shift: usize,
}

impl Gather<'_> {
    pub(crate) const ZERO: u32 = u32::MAX;

    pub(super) fn check(&self) {
        let last = self.channels.saturating_sub(1);
        assert!(self.channels == 0 || self.packed.len() >= last * self.pitch + self.pitch);
        for &(slot, from) in self.slots {
            assert!(
                (slot as usize) < self.pitch,
                "a slot lies outside the pitch"
            );
            let end = from as usize + self.shift + self.channels;
            assert!(
                from == Self::ZERO || end <= self.source.len(),
                "a line lies outside the source"
            );
        }
    }
}
