//! `rut metrics`.

use anyhow::{anyhow, Result};
use rut_metrics::{Binning, Convention, Logits, Reliability, Summary, TopLabel};
use rut_study::logits_archive;
use serde::Serialize;

use crate::args::MetricsArgs;
use crate::exit::Usage;
use crate::output::{json, result};
use crate::table::{columns, percent};
use crate::{diagram, table};

/// Figures under another binning convention than the default one.
#[derive(Serialize)]
struct Conventional {
    convention: Convention,
    bins: usize,
    ece: f64,
    rmsce: f64,
    mce: f64,
}

#[derive(Serialize)]
struct Report {
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    conventional: Option<Conventional>,
}

/// Scores logits and labels from a file.
pub fn run(args: &MetricsArgs) -> Result<()> {
    let convention = convention(&args.convention)?;
    let read = logits_archive::read(&args.file, args.split.as_deref())?;
    let what = args.file.display().to_string();
    let unscored = |source| rut_study::Error::Metrics {
        what: what.clone(),
        source,
    };
    let logits = Logits::new(&read.values, read.classes).map_err(unscored)?;
    let summary = Summary::of(logits, &read.labels).map_err(unscored)?;
    let conventional = match convention {
        Convention::Guo => None,
        other => Some(conventional(other, logits, &read.labels).map_err(unscored)?),
    };
    if args.json {
        return json(&Report {
            summary,
            conventional,
        });
    }
    let mut text = table::summary(&summary);
    if let Some(figures) = conventional {
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
    result(&format!("{text}\n\n{}", diagram::reliability(&summary)))
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
