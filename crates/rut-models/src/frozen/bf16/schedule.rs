//! How many images go through which steps at a time, so that what lies between two steps stays in a core's cache; and which
//! values may share memory.

use std::ops::Range;

use super::arithmetic::Bf16;
use super::layouts::Layouts;
use crate::frozen::batch::BLOCK_IMAGES;
use crate::frozen::plan::{Kind, Step, ValueId};

/// Bytes of maps that a group of images should not exceed.
const RESIDENT: usize = 1 << 20;

/// Consecutive steps that the same number of images goes through together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) steps: Range<usize>,
    /// A power of two; never below that of the segment before.
    pub(super) images: usize,
}

/// The order in which a block of images goes through a plan.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    pub(super) segments: Vec<Segment>,
    /// For each value how many images its memory holds: those of the last segment that touches it.
    pub(super) images: Vec<usize>,
    /// For each value the one in whose memory it stands: that of what is added to it, where nothing reads that later.
    pub(super) slots: Vec<ValueId>,
}

impl Schedule {
    /// Of steps on `values` values; `weights` are the bytes of each step's weights.
    pub(super) fn new(
        steps: &[Step<Bf16>],
        values: usize,
        layouts: &Layouts,
        weights: &[usize],
    ) -> Self {
        let bytes = |id: ValueId| layouts.bytes(id);
        let mut images: Vec<usize> = steps
            .iter()
            .zip(weights)
            .map(|(step, &weights)| {
                let maps = bytes(step.from) + bytes(step.into);
                let wanted = RESIDENT.max(weights) / maps.max(1);
                wanted.clamp(1, BLOCK_IMAGES)
            })
            .collect();
        // Images that stand together in what a step reads, or is added to, and in what it writes go through it at once; no later step can
        // have fewer.
        let is_together = |id: ValueId| layouts.images_together(id) > 1;
        let at_once = steps.iter().position(|step| {
            let is_average = matches!(step.kind, Kind::Average(_));
            step.reads().any(is_together) && (is_average || is_together(step.into))
        });
        if let Some(at_once) = at_once {
            images[at_once..].fill(BLOCK_IMAGES);
        }
        // Later steps with smaller groups would have to begin before earlier ones have ended.
        for at in (1..images.len()).rev() {
            images[at - 1] = images[at - 1].min(images[at]);
        }
        let images: Vec<usize> = images.iter().map(|&n| 1 << n.ilog2()).collect();
        let mut segments: Vec<Segment> = Vec::new();
        for (index, &images) in images.iter().enumerate() {
            match segments.last_mut() {
                Some(last) if last.images == images => last.steps.end = index + 1,
                _ => segments.push(Segment {
                    steps: index..index + 1,
                    images,
                }),
            }
        }
        let mut held: Vec<usize> = (0..values).map(|id| layouts.images_together(id)).collect();
        for (step, &images) in steps.iter().zip(&images) {
            for id in [Some(step.from), Some(step.into), step.add]
                .into_iter()
                .flatten()
            {
                held[id] = held[id].max(images);
            }
        }
        let mut slots: Vec<ValueId> = (0..held.len()).collect();
        for (index, step) in steps.iter().enumerate() {
            let Some(add) = step.add else { continue };
            let is_last = steps
                .iter()
                .rposition(|step| step.reads().any(|id| id == add))
                == Some(index);
            let is_alike = held[add] == held[step.into] && layouts.are_alike(add, step.into);
            if is_last && step.from != add && is_alike {
                slots[step.into] = slots[add];
            }
        }
        Self {
            segments,
            images: held,
            slots,
        }
    }

    /// One image at a time through `steps` steps, every value in its own memory.
    pub(super) fn apart(steps: usize, values: usize) -> Self {
        Self {
            segments: vec![Segment {
                steps: 0..steps,
                images: 1,
            }],
            images: vec![1; values],
            slots: (0..values).collect(),
        }
    }
}
