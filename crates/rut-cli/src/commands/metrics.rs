//! `rut metrics`.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, Result};
use rut_formats::escape;
use rut_metrics::digits_apart;
use rut_metrics::{
    bootstrap, bootstrap_difference, Binning, BootstrapOptions, Convention, Interval, Intervals,
    Logits, Outcomes, Predictions, Reliability, Summary, TemperatureFit, TemperatureIntervals,
    TopLabel,
};
use rut_record::logits_archive::{self, ArchivedLogits, Meaning};
use rut_record::{check_file, temperature_of, Doubt, RunDir, Verification};
use serde::Serialize;

use crate::args::MetricsArgs;
use crate::exit::Usage;
use crate::output::{json, note, result};
use crate::table::{columns, percent};
use crate::{diagram, table};

/// All that is said of a file.
#[derive(Serialize)]
struct Report {
    summary: Summary,
    /// 95 % bootstrap intervals over the samples.
    intervals: Intervals,
    /// Fitted on these very logits: what one scalar could remove, not an estimate for other data.
    temperature_on_itself: TemperatureFit,
    /// How sure that is: bootstrap intervals of it and of what it gains.
    temperature_intervals: TemperatureIntervals,
    #[serde(skip_serializing_if = "Option::is_none")]
    conventional: Option<Conventional>,
    /// This file minus the other, paired by sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Intervals>,
}

/// Figures under another binning convention than the default one.
#[derive(Serialize)]
struct Conventional {
    convention: Convention,
    bins: usize,
    ece: f64,
    rmsce: f64,
    mce: f64,
}

/// Scores logits or probabilities and labels from a file.
pub fn run(args: &MetricsArgs) -> Result<()> {
    let convention = convention(&args.convention)?;
    let (file, part) = source(args)?;
    let own = Scored::read(&file, part, args)?;
    let other = args.against.as_deref();
    let other = other
        .map(|file| Scored::read(file, part, args))
        .transpose()?;
    let report = report(&own, other.as_ref(), convention).map_err(|source| own.unscored(source))?;
    if args.json {
        return json(&report);
    }
    result(&format!(
        "{}\n\n{}",
        describe(&report, args),
        diagram::reliability(&report.summary)
    ))
}

/// The file, and the part of it that is scored.
fn source(args: &MetricsArgs) -> Result<(PathBuf, Option<&str>)> {
    let part = args.part.as_deref();
    match (&args.run, &args.file) {
        (Some(folder), _) => {
            let run = RunDir::at(folder);
            run.read_record()?;
            Ok((run.logits(), part.or(Some("test"))))
        }
        (None, Some(file)) => Ok((file.clone(), part)),
        (None, None) => {
            Err(Usage(anyhow!("use rut metrics: expected a FILE, or --run FOLDER")).into())
        }
    }
}

/// A file and what its values mean.
struct Scored<'a> {
    path: &'a Path,
    meaning: Meaning,
    archive: ArchivedLogits,
}

impl<'a> Scored<'a> {
    /// Reads `path`. Values that look like probabilities are not taken for logits.
    fn read(path: &'a Path, part: Option<&str>, args: &MetricsArgs) -> Result<Self> {
        if let Some(text) = check_file(path)?.and_then(Verification::note) {
            note(text);
        }
        let meaning = if args.probabilities {
            Meaning::Probabilities
        } else {
            Meaning::Logits
        };
        let archive = logits_archive::read_as(meaning, path, part)?;
        let scored = Self {
            path,
            meaning,
            archive,
        };
        let found = scored.predictions();
        let labels = &scored.archive.labels;
        let is_binary = scored.archive.classes == 1
            && (found.is_err() || labels.iter().any(|label| *label > 0));
        let problem = match &found {
            _ if is_binary => ONE_COLUMN,
            Ok(Predictions::Logits(logits)) if logits.resemble_probabilities() => PROBABILITIES,
            Ok(_) => return Ok(scored),
            Err(source) => return Err(scored.unscored(source.clone()).into()),
        };
        let (path, problem) = (path.into(), problem.into());
        Err(rut_record::Error::Broken { path, problem }.into())
    }

    fn predictions(&self) -> rut_metrics::Result<Predictions<'_>> {
        Ok(match self.meaning {
            Meaning::Logits => self.archive.logits()?.into(),
            Meaning::Probabilities => self.archive.probabilities()?.into(),
        })
    }

    fn outcomes(&self) -> rut_metrics::Result<Outcomes> {
        Outcomes::of(self.predictions()?, &self.archive.labels)
    }

    /// The temperature that would help these very samples most; of probabilities, the divisor of their logarithms.
    fn fit(&self) -> rut_metrics::Result<(TemperatureFit, TemperatureIntervals)> {
        let logarithms;
        let logits = match self.predictions()? {
            Predictions::Logits(logits) => logits,
            Predictions::Probs(probs) => {
                logarithms = probs.logarithms();
                Logits::new(&logarithms, probs.classes())?
            }
        };
        temperature_of(logits, &self.archive.labels)
    }

    fn unscored(&self, source: rut_metrics::Error) -> rut_record::Error {
        let file = escape(&self.path).whole();
        let what = match self.meaning {
            Meaning::Logits => file.to_string(),
            Meaning::Probabilities => {
                format!("{file} with `--probabilities` (without, they are logits)")
            }
        };
        rut_record::Error::Metrics { what, source }
    }
}

/// The note for probabilities that were given as logits.
const PROBABILITIES: &str =
    "expected logits, found rows from 0 to 1 that sum to 1: these are probabilities, of which a softmax would make \
     others; pass `--probabilities` (if they are logits all the same, subtract 1 from each: no figure changes)";

/// The error for one column of logits for two classes.
const ONE_COLUMN: &str =
    "expected a column per class, found one column; for two classes save [0, logit], or the probabilities [1 - p, p] \
     for `--probabilities`";

fn report(
    own: &Scored<'_>,
    other: Option<&Scored<'_>>,
    convention: Convention,
) -> rut_metrics::Result<Report> {
    let (predictions, labels) = (own.predictions()?, &own.archive.labels);
    let options = BootstrapOptions::default();
    let outcomes = own.outcomes()?;
    let against =
        |other: &Scored<'_>| bootstrap_difference(&outcomes, &other.outcomes()?, &options);
    let (temperature_on_itself, temperature_intervals) = own.fit()?;
    Ok(Report {
        summary: Summary::of(predictions, labels)?,
        intervals: bootstrap(&outcomes, &options)?,
        temperature_on_itself,
        temperature_intervals,
        conventional: match convention {
            Convention::Guo => None,
            other => Some(conventional(other, predictions, labels)?),
        },
        difference: other.map(against).transpose()?,
    })
}

fn convention(name: &str) -> Result<Convention> {
    match name.to_ascii_lowercase().as_str() {
        "guo" => Ok(Convention::Guo),
        "torchmetrics" => Ok(Convention::Torchmetrics),
        "netcal" => Ok(Convention::Netcal),
        _ => Err(Usage(anyhow!(
            "use --convention {name}: expected guo, torchmetrics or netcal"
        ))
        .into()),
    }
}

fn conventional(
    convention: Convention,
    predictions: Predictions<'_>,
    labels: &[u32],
) -> rut_metrics::Result<Conventional> {
    let binning = Binning::of(convention);
    let found = Reliability::equal_width(&TopLabel::of(predictions, labels)?, &binning)?;
    let (ece, rmsce, mce) = (found.ece(), found.rmsce(), found.mce());
    Ok(Conventional {
        convention,
        bins: binning.bins,
        ece,
        rmsce,
        mce,
    })
}

fn describe(report: &Report, args: &MetricsArgs) -> String {
    let mut text = table::summary(&report.summary, &report.intervals);
    let fit = &report.temperature_on_itself;
    let (t, before, after) = (table::temperature(fit), fit.nll_before, fit.nll_after);
    let Interval { lo, hi, .. } = report.temperature_intervals.temperature;
    text.push_str(&format!(
        "\n\ntemperature fitted on these very samples: {t}, 95 % interval {lo:.3} to {hi:.3}, NLL {before:.4} to {after:.4}"
    ));
    if let Some(doubt) = Doubt::of(Some(fit), Some(&report.temperature_intervals)) {
        text.push_str(&format!("\n{doubt}"));
    }
    if let Some(figures) = &report.conventional {
        let rows = [
            ("ECE", figures.ece),
            ("RMSCE", figures.rmsce),
            ("MCE", figures.mce),
        ];
        let rows = rows.map(|(name, value)| {
            vec![
                format!("{name} ({}, {} bins)", args.convention, figures.bins),
                percent(value),
            ]
        });
        text.push_str(&format!("\n\n{}", columns(&rows)));
    }
    if let (Some(difference), Some(other)) = (&report.difference, &args.against) {
        text.push_str(&format!(
            "\n\nminus {}, paired by sample:\n{}",
            escape(other).whole(),
            columns(&differences(difference))
        ));
    }
    text
}

fn differences(difference: &Intervals) -> [Vec<String>; 4] {
    let row = |name: &str, Interval { estimate, lo, hi }: Interval| {
        let nearest = match (lo > 0.0, hi < 0.0) {
            (true, _) => lo,
            (_, true) => hi,
            _ => 0.0,
        };
        let digits = digits_apart(nearest, 4);
        vec![
            name.to_owned(),
            format!("{estimate:+.digits$}"),
            format!("95 % interval {lo:+.digits$} to {hi:+.digits$}"),
        ]
    };
    let Intervals {
        accuracy,
        ece,
        nll,
        brier,
        ..
    } = *difference;
    [
        row("accuracy", accuracy),
        row("ECE", ece),
        row("NLL", nll),
        row("Brier", brier),
    ]
}
