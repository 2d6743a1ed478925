//! Memory for values and their bits, used again and again.

use std::ops::{Deref, DerefMut};

use rut_kernels::Lanes;

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(super) struct Arena {
    lanes: Vec<Vec<Lanes>>,
    bits: Vec<Vec<u16>>,
    floats: Vec<Vec<f32>>,
}

/// The first elements of a buffer, of any content until they are written.
#[derive(Debug, Clone)]
pub(super) struct Buffer<T> {
    all: Vec<T>,
    len: usize,
}

impl Arena {
    pub(super) fn take(&mut self, len: usize) -> Buffer<Lanes> {
        take(&mut self.lanes, len)
    }

    pub(super) fn give(&mut self, buffer: Buffer<Lanes>) {
        self.lanes.push(buffer.all);
    }

    pub(super) fn take_bits(&mut self, len: usize) -> Buffer<u16> {
        take(&mut self.bits, len)
    }

    pub(super) fn give_bits(&mut self, buffer: Buffer<u16>) {
        self.bits.push(buffer.all);
    }

    pub(super) fn take_floats(&mut self, len: usize) -> Buffer<f32> {
        take(&mut self.floats, len)
    }

    pub(super) fn give_floats(&mut self, buffer: Buffer<f32>) {
        self.floats.push(buffer.all);
    }
}

/// The smallest buffer that is long enough, or a new one. A buffer is never cut, so that none is ever cleared again.
fn take<T: Clone + Default>(free: &mut Vec<Vec<T>>, len: usize) -> Buffer<T> {
    let fits = free.iter().enumerate();
    let best = fits
        .filter(|(_, buffer)| buffer.len() >= len)
        .min_by_key(|(_, buffer)| buffer.len())
        .map(|(index, _)| index);
    let all = match best {
        Some(index) => free.swap_remove(index),
        None => vec![T::default(); len],
    };
    Buffer { all, len }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all[..self.len]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.all[..self.len]
    }
}
