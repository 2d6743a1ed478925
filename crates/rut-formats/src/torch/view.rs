//! A tensor's place in its storage, and a walk over its elements in the order in which they stand
//! there, so that a storage is read once, from front to back.

/// A tensor's place in its storage, in elements.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) storage: usize,
    pub(super) offset: u64,
    pub(super) lengths: Vec<u64>,
    pub(super) strides: Vec<u64>,
    /// Bytes of an element.
    pub(super) size: u64,
}

/// An axis of the walk.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    length: u64,
    /// From one element to the next in the storage.
    from: u64,
    /// The same in what is kept.
    to: u64,
}

impl View {
    /// How many elements it has; `None` if they cannot be counted.
    pub(super) fn elements(&self) -> Option<u64> {
        if self.lengths.contains(&0) {
            Some(0)
        } else {
            self.lengths
                .iter()
                .try_fold(1_u64, |count, &length| count.checked_mul(length))
        }
    }

    /// Whether all elements are among the first `count`.
    pub(super) fn is_within(&self, count: u64) -> bool {
        let last = self.span().and_then(|span| span.checked_add(self.offset));
        self.lengths.contains(&0) || last.is_some_and(|last| last < count)
    }

    /// From the first element to the last in the storage.
    fn span(&self) -> Option<u64> {
        let axes = self.lengths.iter().zip(&self.strides);
        axes.map(|(&length, &stride)| length.saturating_sub(1).checked_mul(stride))
            .try_fold(0_u64, |span, step| span.checked_add(step?))
    }

    /// How to gather its elements.
    pub(super) fn plan(&self) -> Plan {
        let (mut axes, mut spread, mut count) = (Vec::new(), Vec::new(), 1);
        for (&length, &from) in self.lengths.iter().zip(&self.strides).rev() {
            let is_kept = length > 1 && from > 0;
            let to = if is_kept { count } else { 0 };
            spread.push((length, to));
            if is_kept {
                axes.push(Axis { length, from, to });
                count = count.saturating_mul(length);
            }
        }
        spread.reverse();
        axes.sort_by_key(|axis| std::cmp::Reverse(axis.from));
        if !is_ordered(&axes) {
            return self.window();
        }
        let is_spread = self.elements() != Some(count);
        Plan {
            axes: joined(axes),
            count,
            spread: is_spread.then_some(spread),
        }
    }

    /// All of the storage from the first element to the last, out of which elements that stand
    /// across each other are taken.
    fn window(&self) -> Plan {
        let length = self.span().unwrap_or(0).saturating_add(1);
        let axis = Axis {
            length,
            from: 1,
            to: 1,
        };
        let spread = self
            .lengths
            .iter()
            .copied()
            .zip(self.strides.iter().copied());
        Plan {
            axes: vec![axis],
            count: length,
            spread: Some(spread.collect()),
        }
    }
}

/// Whether every step of an axis leads over all of the axes behind it.
fn is_ordered(axes: &[Axis]) -> bool {
    let mut span = 0_u64;
    axes.iter().rev().all(|axis| {
        let leads_over = axis.from > span;
        span = span.saturating_add(axis.from.saturating_mul(axis.length - 1));
        leads_over
    })
}

/// Axes that are one walk as one axis; at least one.
fn joined(axes: Vec<Axis>) -> Vec<Axis> {
    let mut joined: Vec<Axis> = Vec::new();
    for axis in axes {
        match joined.last_mut() {
            Some(outer)
                if outer.from == axis.from * axis.length && outer.to == axis.to * axis.length =>
            {
                *outer = Axis {
                    length: outer.length * axis.length,
                    ..axis
                };
            }
            _ => joined.push(axis),
        }
    }
    if joined.is_empty() {
        joined.push(Axis {
            length: 1,
            from: 1,
            to: 1,
        });
    }
    joined
}

/// How to gather the elements of a tensor.
#[derive(Debug)]
pub(super) struct Plan {
    /// From outside to inside.
    axes: Vec<Axis>,
    /// Elements that are kept.
    pub(super) count: u64,
    /// How the tensor's elements are taken from those that are kept, where these are others: length
    /// and step of each axis.
    pub(super) spread: Option<Vec<(u64, u64)>>,
}

/// A walk over the elements of a storage, and what it has kept.
pub(super) struct Walk {
    plan: Plan,
    /// Bytes of an element.
    size: usize,
    /// The next element's index along each axis.
    index: Vec<u64>,
    /// The next element in the storage.
    at: u64,
    /// Where it goes.
    put: u64,
    kept: Vec<u8>,
}

impl Walk {
    pub(super) fn new(view: &View) -> Walk {
        let plan = view.plan();
        Walk {
            size: view.size as usize,
            index: vec![0; plan.axes.len()],
            at: view.offset,
            put: 0,
            kept: vec![0; (plan.count * view.size) as usize],
            plan,
        }
    }

    /// The byte of the storage at which the next element starts.
    pub(super) fn next(&self) -> u64 {
        self.at * self.size as u64
    }

    /// Takes the elements in `piece`, which starts at byte `start` and ends between elements;
    /// whether there are more behind it.
    pub(super) fn take(&mut self, piece: &[u8], start: u64) -> bool {
        let end = (start + piece.len() as u64) / self.size as u64;
        let first = start / self.size as u64;
        while self.at < end {
            let Some((&inner, at)) = self.plan.axes.last().zip(self.index.last_mut()) else {
                return false;
            };
            let is_run = (inner.from, inner.to) == (1, 1);
            let count = if is_run {
                (inner.length - *at).min(end - self.at)
            } else {
                1
            };
            let bytes = count as usize * self.size;
            let from = (self.at - first) as usize * self.size;
            let to = self.put as usize * self.size;
            let places = (
                self.kept.get_mut(to..to + bytes),
                piece.get(from..from + bytes),
            );
            if let (Some(place), Some(elements)) = places {
                place.copy_from_slice(elements);
            }
            *at += count;
            self.at += count * inner.from;
            self.put += count * inner.to;
            if *at == inner.length && !self.carry() {
                return false;
            }
        }
        true
    }

    /// Steps to the next element of the outer axes; whether there is one.
    fn carry(&mut self) -> bool {
        let mut axes = self.plan.axes.iter().zip(&mut self.index).rev().peekable();
        while let Some((axis, at)) = axes.next() {
            if *at < axis.length {
                return true;
            }
            self.at -= axis.length * axis.from;
            self.put -= axis.length * axis.to;
            *at = 0;
            let Some((outer, at)) = axes.peek_mut() else {
                return false;
            };
            **at += 1;
            self.at += outer.from;
            self.put += outer.to;
        }
        false
    }

    /// The tensor's elements in row-major order.
    pub(super) fn finish(self) -> Vec<u8> {
        let Some(spread) = self.plan.spread else {
            return self.kept;
        };
        let count: u64 = spread.iter().map(|&(length, _)| length).product();
        let mut elements = Vec::with_capacity(count as usize * self.size);
        let mut index = vec![0; spread.len()];
        let mut at = 0_u64;
        for _ in 0..count {
            let from = at as usize * self.size;
            elements.extend_from_slice(self.kept.get(from..from + self.size).unwrap_or_default());
            for (i, &(length, step)) in index.iter_mut().zip(&spread).rev() {
                *i += 1;
                at += step;
                if *i < length {
                    break;
                }
                at -= length * step;
                *i = 0;
            }
        }
        elements
    }
}

#[cfg(test)]
mod tests;
