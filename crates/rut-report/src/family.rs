//! The differences that decide a claim in one figure, and what is said of each. For a difference, see `comparison`; for all of them on
//! the page, `claims`.

use crate::claim::{Claim, Compared, ECE_AT_TEMPERATURE, is_origin};
use crate::comparison::{Average, Comparison, Contrast, Tested, averages, comparisons, few_labels};
use crate::metric::{COMPARED, Metric};
use crate::pair::Pair;
use crate::study::Study;

/// An adjusted p-value below it is called a difference.
pub(crate) const LEVEL: f64 = 0.05;

/// The comparisons of one claim in one figure, and their averages: p-values are adjusted over each of the two.
pub(crate) struct Family<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) metric: &'static Metric,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) averages: Vec<Average>,
}

/// What is said of a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Better,
    Worse,
    Undecided,
}

impl Verdict {
    pub(crate) const ALL: [Self; 3] = [Self::Better, Self::Worse, Self::Undecided];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Undecided => "undecided",
        }
    }

    /// What it says of a difference.
    pub(crate) fn words(self, compared: Compared) -> &'static str {
        match (self, compared) {
            (Self::Better, Compared::Labels) => "lose less with few images",
            (Self::Worse, Compared::Labels) => "lose more with few images",
            _ => self.name(),
        }
    }
}

impl<'a> Family<'a> {
    /// In the figure at `at` of [`COMPARED`]; `None` where nothing has a p-value.
    pub(crate) fn of(study: &Study, pairs: &[Pair], claim: &'a Claim, at: usize) -> Option<Self> {
        let metric = *COMPARED.get(at)?;
        let about = |pair: &&Pair| {
            let network = study.networks.get(pair.compressed);
            network.is_some_and(|network| {
                (claim.about)(network) && is_origin(study, network, pair.dense)
            })
        };
        let pairs = pairs.iter().filter(about);
        let contrasts: Vec<Contrast> = match claim.compared {
            Compared::Networks => pairs
                .filter_map(|pair| Contrast::of(study, pair, at))
                .collect(),
            Compared::Labels => few_labels(study, pairs, at),
        };
        let averages = averages(&contrasts);
        let comparisons = comparisons(contrasts);
        (!comparisons.is_empty()).then_some(Self {
            claim,
            metric,
            comparisons,
            averages,
        })
    }

    pub(crate) fn title(&self) -> String {
        match self.claim.compared {
            Compared::Networks => format!("Difference in {}", self.metric.name),
            Compared::Labels => format!(
                "Difference in {} on the fewest training images minus that on the most",
                self.metric.name
            ),
        }
    }

    pub(crate) fn verdict(&self, tested: &Tested, p: f64) -> Verdict {
        let higher = tested.difference.mean > 0.0;
        match (p < LEVEL, higher == self.metric.higher_is_better) {
            (false, _) => Verdict::Undecided,
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
        }
    }

    pub(crate) fn is_at_temperature(&self) -> bool {
        let at = COMPARED.get(ECE_AT_TEMPERATURE);
        at.is_some_and(|metric| std::ptr::eq(*metric, self.metric))
    }
}
