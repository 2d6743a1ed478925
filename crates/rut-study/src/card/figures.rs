//! What a reproduction card holds. For how it is computed, see `table`.

use serde::Serialize;

use rut_metrics::Estimate;

/// What the switches do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Card {
    /// Runs that differ in network and seed only, together.
    pub settings: Vec<CardSetting>,
}

/// Runs that differ in network and seed only.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardSetting {
    /// Data set, method and number of labels.
    pub title: String,
    /// Networks, in the order of the study.
    pub networks: Vec<String>,
    /// Test images.
    pub test_images: usize,
    /// A row for each variant that concerns one of the runs; the first is without any switch.
    pub rows: Vec<CardRow>,
}

/// One variant in one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardRow {
    /// Name of the variant.
    pub switch: &'static str,
    /// Numbers of the defects.
    pub defect: &'static str,
    /// Of every network.
    pub figures: Vec<CardFigures>,
    /// Every dense network minus every ticket.
    pub differences: Vec<CardDifference>,
}

/// Figures of a network, means over seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CardFigures {
    /// Finished runs.
    pub seeds: usize,
    /// Share of right predictions on the test images, 0–1.
    pub accuracy: Option<f64>,
    /// ECE as the variant takes it; of logits or summed over batches, of any magnitude.
    pub ece: Option<f64>,
}

/// A dense network minus a ticket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardDifference {
    /// The dense network.
    pub dense: String,
    /// The ticket.
    pub ticket: String,
    /// Seeds that both have.
    pub seeds: usize,
    /// Of accuracies.
    pub accuracy: Option<CardInterval>,
    /// Of ECEs.
    pub ece: Option<CardInterval>,
}

/// A mean over seeds, and what one would conclude.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CardInterval {
    /// The mean.
    pub mean: f64,
    /// Student's 95 % interval over seeds, where there are some.
    pub interval: Option<(f64, f64)>,
    /// The conclusion, compared with the conclusion without any switch.
    pub conclusion: Conclusion,
}

/// The conclusion from a difference, compared with the one without any switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// The same.
    Same,
    /// An interval that contained 0 no longer does.
    Gained,
    /// An interval that did not hold 0 does so now.
    Lost,
    /// The other sign, and no interval holds 0.
    Reversed,
    /// Without intervals there is nothing to compare.
    Open,
}

impl Conclusion {
    pub(super) fn of(now: &Estimate, without: Option<&Estimate>) -> Self {
        let side = |estimate: &Estimate| {
            estimate.interval.map(|_| {
                if estimate.excludes_zero() {
                    estimate.mean.signum()
                } else {
                    0.0
                }
            })
        };
        match (side(now), without.and_then(side)) {
            (Some(now), Some(before)) if now == before => Self::Same,
            (Some(_), Some(0.0)) => Self::Gained,
            (Some(0.0), Some(_)) => Self::Lost,
            (Some(_), Some(_)) => Self::Reversed,
            _ => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(mean: f64, half: f64) -> Estimate {
        Estimate {
            mean,
            interval: Some((mean - half, mean + half)),
        }
    }

    #[test]
    fn a_conclusion_is_held_against_the_one_without_switches() {
        let (up, down, none) = (estimate(2.0, 1.0), estimate(-2.0, 1.0), estimate(0.5, 1.0));
        let of = |now: &Estimate, without: &Estimate| Conclusion::of(now, Some(without));
        assert_eq!(of(&up, &up), Conclusion::Same);
        assert_eq!(of(&none, &none), Conclusion::Same);
        assert_eq!(of(&down, &up), Conclusion::Reversed);
        assert_eq!(of(&none, &up), Conclusion::Lost);
        assert_eq!(of(&up, &none), Conclusion::Gained);
        let single = Estimate {
            mean: 2.0,
            interval: None,
        };
        assert_eq!(of(&single, &up), Conclusion::Open);
        assert_eq!(Conclusion::of(&up, None), Conclusion::Open);
    }
}
