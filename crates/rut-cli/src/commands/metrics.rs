//! `rut metrics`.

use std::path::Path;

use anyhow::{anyhow, Result};
use rut_metrics::{
    bootstrap, bootstrap_difference, fit_temperature, Binning, BootstrapOptions, Convention,
    Interval, Intervals, Logits, Outcomes, Reliability, Summary, TemperatureFit,
    TemperatureOptions, TopLabel,
};
use rut_study::logits_archive::{self, ArchivedLogits};
use serde::Serialize;

use crate::args::MetricsArgs;
use crate::exit::Usage;
use crate::output::{json, result};
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

/// Scores logits and labels from a file.
pub fn run(args: &MetricsArgs) -> Result<()> {
    let convention = convention(&args.convention)?;
    let read = |file: &Path| -> Result<ArchivedLogits> {
        Ok(logits_archive::read(file, args.part.as_deref())?)
    };
    let own = read(&args.file)?;
    let other = args.against.as_deref().map(read).transpose()?;
    let what = args.file.display().to_string();
    let report = report(&own, other.as_ref(), convention)
        .map_err(|source| rut_study::Error::Metrics { what, source })?;
    if args.json {
        return json(&report);
    }
    result(&format!(
        "{}\n\n{}",
        describe(&report, args),
        diagram::reliability(&report.summary)
    ))
}

fn report(
    own: &ArchivedLogits,
    other: Option<&ArchivedLogits>,
    convention: Convention,
) -> rut_metrics::Result<Report> {
    let logits = own.logits()?;
    let options = BootstrapOptions::default();
    let outcomes = Outcomes::of(logits, &own.labels)?;
    let against = |other: &ArchivedLogits| {
        let other = Outcomes::of(other.logits()?, &other.labels)?;
        bootstrap_difference(&outcomes, &other, &options)
    };
    Ok(Report {
        summary: Summary::of(logits, &own.labels)?,
        intervals: bootstrap(&outcomes, &options)?,
        temperature_on_itself: fit_temperature(
            logits,
            &own.labels,
            &TemperatureOptions::default(),
        )?,
        conventional: match convention {
            Convention::Guo => None,
            other => Some(conventional(other, logits, &own.labels)?),
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
    logits: Logits<'_>,
    labels: &[u32],
) -> rut_metrics::Result<Conventional> {
    let binning = Binning::of(convention);
    let found = Reliability::equal_width(&TopLabel::of(logits, labels)?, &binning)?;
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
    text.push_str(&format!(
        "\n\ntemperature fitted on these very samples: {t}, NLL {before:.4} to {after:.4}"
    ));
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
            other.display(),
            columns(&differences(difference))
        ));
    }
    text
}

fn differences(difference: &Intervals) -> [Vec<String>; 4] {
    let row = |name: &str, Interval { estimate, lo, hi }: Interval| {
        vec![
            name.to_owned(),
            format!("{estimate:+.4}"),
            format!("95 % interval {lo:+.4} to {hi:+.4}"),
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
