//! How many labels a run may use, as readers of many runs order and call it.

use std::cmp::Ordering;

use rut_data::{Budget, Shots};

use crate::spec::RunSpec;

/// A number of labels, as an axis has it: ordered from few to all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labels(pub Budget);

impl Labels {
    /// That of `spec`. One that cannot be is taken for all: the run that recorded it had passed the check.
    pub fn of(spec: &RunSpec) -> Self {
        Self(spec.budget().unwrap_or(Budget::All))
    }

    /// What it is called below an axis.
    pub fn tick(self) -> String {
        match self.0 {
            Budget::All => "all".into(),
            Budget::PerClass(Shots(shots)) => shots.to_string(),
            Budget::Fraction(share) => format!("{} %", 100.0 * share.get()),
        }
    }

    /// What it is called in a sentence.
    pub fn name(self) -> String {
        match self.0 {
            Budget::All => "all images".into(),
            Budget::PerClass(Shots(1)) => "1 shot".into(),
            Budget::PerClass(Shots(shots)) => format!("{shots} shots"),
            Budget::Fraction(share) => format!("{} % of the images", 100.0 * share.get()),
        }
    }

    fn rank(self) -> (u8, f64) {
        match self.0 {
            Budget::PerClass(Shots(shots)) => (0, shots as f64),
            Budget::Fraction(share) => (1, share.get()),
            Budget::All => (2, 0.0),
        }
    }
}

impl Eq for Labels {}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((kind, size), (others_kind, others_size)) = (self.rank(), other.rank());
        kind.cmp(&others_kind).then(size.total_cmp(&others_size))
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
