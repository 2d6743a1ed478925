//! Every number of `golden/metrics.json`, which PyTorch, torchmetrics and SciPy made in f64 (versions in the file).

use std::collections::HashMap;
use std::path::PathBuf;

use rut_metrics::{
    Binning, Convention, EqualMass, Logits, Minimum, Reliability, Summary, TemperatureOptions,
    Ties, TopLabel, accuracy, brier, classwise_ece, fit_temperature, nll, top_k_accuracy,
};
use safetensors::SafeTensors;
use serde::Deserialize;

use close::{Tolerance, assert_close};

mod close;

/// Two computations in f64 of the same formula.
const DOUBLE: Tolerance = Tolerance {
    abs: 1e-9,
    rel: 0.0,
};
/// torchmetrics averages in f32, and a calibration error is a difference of averages near 1.
const SINGLE: Tolerance = Tolerance {
    abs: 1e-6,
    rel: 0.0,
};
/// A minimiser is known to the root of the precision of its minimum.
const MINIMISER: Tolerance = Tolerance {
    abs: 0.0,
    rel: 1e-6,
};

/// netcal 1.4.0 (numpy 2.4.6, scipy 1.17.1) on the f64 softmax of `golden/metrics.safetensors`: `ECE(10)`, `MCE(10)`, `ECE(15)`.
const NETCAL: [(&str, [f64; 3]); 4] = [
    (
        "overconfident",
        [0.3370746109927135, 0.4679855506692214, 0.3375785611114218],
    ),
    (
        "near_calibrated",
        [
            0.013153946611409275,
            0.5203983490400483,
            0.017857220686985104,
        ],
    ),
    (
        "many_classes",
        [0.2844206676977293, 0.5479397356290123, 0.2844206676977294],
    ),
    (
        "tiny",
        [0.1553997243470549, 0.48763854846126753, 0.15539972434705498],
    ),
];

#[derive(Deserialize)]
struct Golden {
    cases: HashMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    accuracy: f64,
    top5: f64,
    nll: f64,
    brier_sum_over_classes: f64,
    ece15_torchmetrics: f64,
    rmsce15_torchmetrics: f64,
    mce15_torchmetrics: f64,
    ece15: f64,
    bins15: Vec<rut_metrics::Bin>,
    adaptive_ece15_array_split: f64,
    classwise_ece15: f64,
    temperature: f64,
    nll_at_temperature: f64,
}

struct Set {
    name: String,
    case: Case,
    classes: usize,
    logits: Vec<f32>,
    labels: Vec<u32>,
}

impl Set {
    fn logits(&self) -> Logits<'_> {
        Logits::new(&self.logits, self.classes).unwrap()
    }

    fn top(&self) -> TopLabel {
        TopLabel::of(self.logits(), &self.labels).unwrap()
    }

    fn check(&self, what: &str, got: f64, want: f64, tolerance: Tolerance) {
        assert_close(
            &format!("{}: {what}", self.name),
            &[got],
            &[want],
            tolerance,
        );
    }
}

fn sets() -> Vec<Set> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden");
    let golden: Golden =
        serde_json::from_slice(&std::fs::read(folder.join("metrics.json")).unwrap()).unwrap();
    let bytes = std::fs::read(folder.join("metrics.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let set = |(name, case): (String, Case)| {
        let logits = tensors.tensor(&format!("{name}.logits")).unwrap();
        let labels = tensors.tensor(&format!("{name}.labels")).unwrap();
        let classes = logits.shape()[1];
        let logits = logits
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        let labels = labels
            .data()
            .as_chunks::<8>()
            .0
            .iter()
            .map(|&bytes| i64::from_le_bytes(bytes) as u32)
            .collect();
        Set {
            name,
            case,
            classes,
            logits,
            labels,
        }
    };
    let sets: Vec<Set> = golden.cases.into_iter().map(set).collect();
    assert_eq!(sets.len(), 4);
    sets
}

#[test]
fn summary() {
    for set in sets() {
        let (summary, case) = (Summary::of(set.logits(), &set.labels).unwrap(), &set.case);
        let pairs = [
            ("accuracy", summary.accuracy, case.accuracy),
            ("top5", summary.top5, case.top5),
            ("nll", summary.nll, case.nll),
            ("brier", summary.brier, case.brier_sum_over_classes),
            ("ece", summary.ece, case.ece15),
            ("classwise_ece", summary.classwise_ece, case.classwise_ece15),
        ];
        for (what, got, want) in pairs {
            set.check(what, got, want, DOUBLE);
        }
    }
}

#[test]
fn bins() {
    for set in sets() {
        let bins = Summary::of(set.logits(), &set.labels).unwrap().bins;
        assert_eq!(bins.len(), set.case.bins15.len());
        for (got, want) in bins.iter().zip(&set.case.bins15) {
            assert_eq!(got.count, want.count, "{}: {got:?} {want:?}", set.name);
            assert_eq!(got.accuracy.is_some(), want.accuracy.is_some());
            let numbers = |bin: &rut_metrics::Bin| {
                [
                    bin.lo,
                    bin.hi,
                    bin.accuracy.unwrap_or_default(),
                    bin.confidence.unwrap_or_default(),
                ]
            };
            assert_close(&set.name, &numbers(got), &numbers(want), DOUBLE);
        }
    }
}

#[test]
fn each_metric_alone() {
    for set in sets() {
        let (logits, labels, case) = (set.logits(), &set.labels, &set.case);
        let k = set.classes.min(5);
        let pairs = [
            ("accuracy", accuracy(logits, labels), case.accuracy),
            ("top5", top_k_accuracy(logits, labels, k), case.top5),
            ("nll", nll(logits, labels), case.nll),
            ("brier", brier(logits, labels), case.brier_sum_over_classes),
            (
                "classwise_ece",
                classwise_ece(logits, labels, &Binning::default()),
                case.classwise_ece15,
            ),
        ];
        for (what, got, want) in pairs {
            set.check(what, got.unwrap(), want, DOUBLE);
        }
        let array_split = EqualMass {
            ties: Ties::ArraySplit,
            ..EqualMass::default()
        };
        let adaptive = Reliability::equal_mass(&set.top(), &array_split)
            .unwrap()
            .ece();
        set.check(
            "adaptive_ece",
            adaptive,
            case.adaptive_ece15_array_split,
            DOUBLE,
        );
    }
}

#[test]
fn torchmetrics_convention() {
    for set in sets() {
        let binning = Binning::of(Convention::Torchmetrics);
        let reliability = Reliability::equal_width(&set.top(), &binning).unwrap();
        set.check(
            "ece",
            reliability.ece(),
            set.case.ece15_torchmetrics,
            SINGLE,
        );
        set.check(
            "rmsce",
            reliability.rmsce(),
            set.case.rmsce15_torchmetrics,
            SINGLE,
        );
        set.check(
            "mce",
            reliability.mce(),
            set.case.mce15_torchmetrics,
            SINGLE,
        );
    }
}

#[test]
fn netcal_convention() {
    for set in sets() {
        let (_, want) = NETCAL.iter().find(|(name, _)| *name == set.name).unwrap();
        let ten = Binning::of(Convention::Netcal);
        let [ten, fifteen] = [ten, Binning { bins: 15, ..ten }]
            .map(|b| Reliability::equal_width(&set.top(), &b).unwrap());
        assert_close(
            &set.name,
            &[ten.ece(), ten.mce(), fifteen.ece()],
            want,
            DOUBLE,
        );
    }
}

#[test]
fn temperature() {
    for set in sets() {
        let fit =
            fit_temperature(set.logits(), &set.labels, &TemperatureOptions::default()).unwrap();
        assert_eq!(fit.minimum, Minimum::Inside);
        set.check(
            "temperature",
            fit.temperature.get(),
            set.case.temperature,
            MINIMISER,
        );
        set.check("nll before", fit.nll_before, set.case.nll, DOUBLE);
        set.check(
            "nll after",
            fit.nll_after,
            set.case.nll_at_temperature,
            DOUBLE,
        );
        let at_temperature = set.logits().at_temperature(fit.temperature);
        set.check(
            "nll at temperature",
            nll(at_temperature, &set.labels).unwrap(),
            fit.nll_after,
            DOUBLE,
        );
        assert!(fit.evaluations < 80, "{fit:?}");
    }
}
