//! The figures that a report shows, as a table: name, unit, and where a record has each. Formulas are `rut-metrics`'.

use rut_metrics::{Interval, Summary};
use rut_record::Record;

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A share, 0–1, shown in percent.
    Percent,
    /// A plain number.
    Plain,
}

impl Unit {
    /// `value` as it is shown.
    pub(crate) fn shown(self, value: f64) -> f64 {
        match self {
            Self::Percent => 100.0 * value,
            Self::Plain => value,
        }
    }
}

/// A figure.
pub(crate) struct Metric {
    /// Its column in files.
    pub(crate) column: &'static str,
    /// Its name for readers.
    pub(crate) name: &'static str,
    /// How it is written.
    pub(crate) unit: Unit,
    /// Whether more of it is better; for all others, less is.
    pub(crate) higher_is_better: bool,
    /// Whether it needs the logits as they are to give probabilities.
    pub(crate) of_probabilities: bool,
    /// Where a record has it.
    pub(crate) of: fn(&Record) -> Option<f64>,
    /// Its bootstrap interval, where a record has one.
    pub(crate) interval: Option<fn(&Record) -> Interval>,
}

fn raw(record: &Record) -> &Summary {
    &record.test.raw
}

fn scaled(record: &Record) -> Option<&Summary> {
    record.test.at_temperature.as_ref()
}

/// The footnote of figures that are of no probability.
pub(crate) const NO_PROBABILITY: &str = "The scores as they are give no probability, and so this figure is of none; that at the fitted temperature is.";

/// Top-1 accuracy of the test images.
pub(crate) static ACCURACY: Metric = Metric {
    column: "accuracy",
    name: "accuracy",
    unit: Unit::Percent,
    higher_is_better: true,
    of_probabilities: false,
    of: |record| Some(raw(record).accuracy),
    interval: Some(|record| record.test.intervals.accuracy),
};

/// Expected calibration error, 15 bins.
pub(crate) static ECE: Metric = Metric {
    column: "ece",
    name: "ECE",
    unit: Unit::Percent,
    higher_is_better: false,
    of_probabilities: true,
    of: |record| Some(raw(record).ece),
    interval: Some(|record| record.test.intervals.ece),
};

/// The same at the temperature fitted on the validation images.
pub(crate) static ECE_AT_TEMPERATURE: Metric = Metric {
    column: "ece_at_temperature",
    name: "ECE at T",
    unit: Unit::Percent,
    higher_is_better: false,
    of_probabilities: false,
    of: |record| scaled(record).map(|scores| scores.ece),
    interval: None,
};

/// Negative log-likelihood.
pub(crate) static NLL: Metric = Metric {
    column: "nll",
    name: "NLL",
    unit: Unit::Plain,
    higher_is_better: false,
    of_probabilities: true,
    of: |record| Some(raw(record).nll),
    interval: Some(|record| record.test.intervals.nll),
};

/// Brier score.
pub(crate) static BRIER: Metric = Metric {
    column: "brier",
    name: "Brier",
    unit: Unit::Plain,
    higher_is_better: false,
    of_probabilities: true,
    of: |record| Some(raw(record).brier),
    interval: Some(|record| record.test.intervals.brier),
};

/// Squared calibration error without its bias.
pub(crate) static DEBIASED: Metric = Metric {
    column: "debiased_ece_squared",
    name: "CE², debiased",
    unit: Unit::Plain,
    higher_is_better: false,
    of_probabilities: true,
    of: |record| Some(raw(record).debiased_ece_squared),
    interval: None,
};

/// The same at the fitted temperature.
pub(crate) static DEBIASED_AT_TEMPERATURE: Metric = Metric {
    column: "debiased_ece_squared_at_temperature",
    name: "CE² at T, debiased",
    unit: Unit::Plain,
    higher_is_better: false,
    of_probabilities: false,
    of: |record| scaled(record).map(|scores| scores.debiased_ece_squared),
    interval: None,
};

/// Negative log-likelihood at the fitted temperature.
pub(crate) static NLL_AT_TEMPERATURE: Metric = Metric {
    column: "nll_at_temperature",
    name: "NLL at T",
    unit: Unit::Plain,
    higher_is_better: false,
    of_probabilities: false,
    of: |record| scaled(record).map(|scores| scores.nll),
    interval: None,
};

/// Those of the tables of results, in order.
pub(crate) static METRICS: [&Metric; 8] = [
    &ACCURACY,
    &ECE,
    &ECE_AT_TEMPERATURE,
    &DEBIASED,
    &DEBIASED_AT_TEMPERATURE,
    &NLL,
    &NLL_AT_TEMPERATURE,
    &BRIER,
];

/// Those that figures show.
pub(crate) static SHOWN: [&Metric; 3] = [&ACCURACY, &ECE, &ECE_AT_TEMPERATURE];

/// Those in which two networks are compared.
pub(crate) static COMPARED: [&Metric; 4] = [&ACCURACY, &ECE, &ECE_AT_TEMPERATURE, &NLL];
