//! [`Diagram`]: the shapes of a reliability diagram, in shares of its frame. Whoever draws it, as SVG or in letters, decides
//! sizes and colours, and nothing else.

use crate::Bin;

/// What is drawn of a reliability diagram: a bar, a gap and a count for each bin.
///
/// ```
/// use rut_metrics::{Bin, Diagram};
/// let bin = Bin { lo: 0.4, hi: 0.6, count: 12, accuracy: Some(0.25), confidence: Some(0.5) };
/// let empty = Bin { lo: 0.6, hi: 0.8, count: 0, accuracy: None, confidence: None };
/// let diagram = Diagram::of(&[bin, empty]);
/// assert_eq!(diagram.most, 12);
/// assert_eq!(diagram.bars[0].gap(), [(0.5, 0.25), (0.5, 0.5)]);
/// assert_eq!((diagram.bars.len(), diagram.counts.len()), (1, 2));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    /// Of each bin that is not empty, by rising confidence.
    pub bars: Vec<Bar>,
    /// Of each bin, lower edge, upper edge and how many samples it holds.
    pub counts: Vec<(f64, f64, u64)>,
    /// The most samples of a bin.
    pub most: u64,
}

/// A bin that is not empty. All places are shares, 0–1: confidence to the right, accuracy up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// The bar's left edge.
    pub lo: f64,
    /// Its right edge.
    pub hi: f64,
    /// Its height: the accuracy of the bin's samples.
    pub accuracy: f64,
    /// Where the mark is: their mean confidence.
    pub confidence: f64,
    /// How many they are.
    pub count: u64,
}

impl Diagram {
    /// Of the bins of a [`Summary`](crate::Summary) or of a [`Reliability`](crate::Reliability).
    pub fn of(bins: &[Bin]) -> Self {
        let bar = |bin: &Bin| {
            Some(Bar {
                lo: bin.lo,
                hi: bin.hi,
                accuracy: bin.accuracy?,
                confidence: bin.confidence?,
                count: bin.count,
            })
        };
        Self {
            bars: bins.iter().filter_map(bar).collect(),
            counts: bins.iter().map(|bin| (bin.lo, bin.hi, bin.count)).collect(),
            most: bins.iter().map(|bin| bin.count).max().unwrap_or(0),
        }
    }
}

impl Bar {
    /// The line of the calibration error, at the mean confidence: from the accuracy to where it would be if the bin were
    /// calibrated, on the diagonal.
    pub fn gap(&self) -> [(f64, f64); 2] {
        [
            (self.confidence, self.accuracy),
            (self.confidence, self.confidence),
        ]
    }

    /// The corners of the bar, at the floor on the left and at its height on the right.
    pub fn corners(&self) -> [(f64, f64); 2] {
        [(self.lo, 0.0), (self.hi, self.accuracy)]
    }
}
