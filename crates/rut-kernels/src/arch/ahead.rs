//! Lines that are asked for while others are computed with.

use super::gather::Gather;
use super::simd::Simd;
use crate::lanes::Lanes;

/// What will be gathered next. It is only asked for, never read, so that nothing of it is checked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ahead<'a> {
    pub(crate) source: &'a [Lanes],
    /// As in [`Gather`].
    pub(crate) slots: &'a [(u32, u32)],
    /// As in [`Gather`].
    pub(crate) shift: usize,
    /// As in [`Gather`].
    pub(crate) channels: usize,
}

/// Walks over the lines, some at a time.
pub(super) struct Walk<'a> {
    ahead: Ahead<'a>,
    slots: std::slice::Iter<'a, (u32, u32)>,
    line: *const Lanes,
    left: usize,
}

impl<'a> Ahead<'a> {
    pub(super) fn lines(&self) -> usize {
        self.slots.len() * self.channels
    }

    pub(super) fn walk(self) -> Walk<'a> {
        Walk {
            ahead: self,
            slots: self.slots.iter(),
            line: self.source.as_ptr(),
            left: 0,
        }
    }
}

impl Walk<'_> {
    /// Asks for the next `count` lines, or for those that are left.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `S`.
    #[inline(always)]
    pub(super) unsafe fn fetch<S: Simd>(&mut self, count: usize) {
        for _ in 0..count {
            if self.left == 0 {
                match self.slots.next() {
                    None => return,
                    Some(&(_, Gather::ZERO)) => continue,
                    Some(&(_, from)) => {
                        let first = from as usize + self.ahead.shift;
                        self.line = self.ahead.source.as_ptr().wrapping_add(first);
                        self.left = self.ahead.channels;
                    }
                }
            }
            // SAFETY: the caller has the instructions, and any address may be asked for.
            unsafe { S::prefetch(self.line.cast()) }
            self.line = self.line.wrapping_add(1);
            self.left -= 1;
        }
    }
}
