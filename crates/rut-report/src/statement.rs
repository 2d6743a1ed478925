//! Differences in words, each with its interval. One whose interval holds 0 is not put into words.

use crate::metric::{COMPARED, ECE_AT_TEMPERATURE, Unit};
use crate::pair::{Difference, Pair};
use crate::study::Study;
use crate::wording::signed;
use rut_metrics::Spread;

/// What a compressed network is said to be where its figure is lower than the dense network's, and where it is higher; of each of
/// [`COMPARED`], with what the figure is called.
const WORDS: [(&str, &str, &str); 4] = [
    ("less accurate than", "more accurate than", ""),
    ("better calibrated than", "worse calibrated than", "ECE "),
    (
        "better calibrated after temperature scaling than",
        "worse calibrated after temperature scaling than",
        "ECE at T ",
    ),
    ("of lower NLL than", "of higher NLL than", "NLL "),
];

/// The figures in the order in which they are told: those at T = 1 lead.
const ORDER: [usize; 4] = [0, 1, 3, 2];

/// What can be read from the records: every difference whose interval excludes 0, by figure.
pub(crate) fn statements(study: &Study, pairs: &[Pair]) -> Vec<String> {
    let of_metric = |at: usize| {
        let found = pairs.iter().filter_map(move |pair| {
            let difference = (*pair.paired.differences.get(at)?)?;
            statement(study, pair, &difference, at)
        });
        found.collect::<Vec<_>>()
    };
    ORDER.into_iter().flat_map(of_metric).collect()
}

fn statement(study: &Study, pair: &Pair, difference: &Difference, at: usize) -> Option<String> {
    let spread = difference.spread?;
    let estimate = difference.estimate;
    if !estimate.excludes_zero() {
        return None;
    }
    let (lower, higher, figure) = WORDS.get(at)?;
    let unit = COMPARED.get(at)?.unit;
    // Pairs are dense minus compressed; the sentence is about the compressed network.
    let (mean, ends) = signed(&difference.of_compressed(), unit);
    let [lo, hi] = ends?;
    let words = if estimate.mean > 0.0 { lower } else { higher };
    let points = match unit {
        Unit::Percent => " points",
        Unit::Plain => "",
    };
    let by = match spread {
        Spread::Seeds => format!("{} seeds", pair.paired.seeds),
        Spread::TestImages => "one seed, bootstrap over test images".to_owned(),
    };
    let doubt = if scaled(at) {
        doubt(study, pair)
    } else {
        String::new()
    };
    let network = |at: usize| study.networks.get(at).map(|n| n.label.as_str());
    Some(format!(
        "{} is {words} {} on {}, {}: {figure}{}{points}, 95 % interval {} to {}; {by}, N = {}{doubt}.",
        network(pair.compressed)?,
        network(pair.dense)?,
        study.settings.get(pair.setting)?.label(),
        pair.labels.name(),
        mean,
        lo,
        hi,
        pair.paired.images,
    ))
}

/// Whether the figure at `at` is one at the fitted temperature.
fn scaled(at: usize) -> bool {
    COMPARED
        .get(at)
        .is_some_and(|metric| std::ptr::eq(*metric, &ECE_AT_TEMPERATURE))
}

/// That the temperatures of some runs of `pair` are in doubt.
fn doubt(study: &Study, pair: &Pair) -> String {
    match study.doubtful(&pair.conditions()) {
        (0, _) => String::new(),
        (doubtful, fitted) => {
            format!("; T is in doubt in {doubtful} of the {fitted} runs: read the ECE at T = 1")
        }
    }
}
