//! `rut bench`.

use std::path::Path;

use anyhow::{anyhow, Result};
use rut_bench::{bench, BenchReport, Built, Measured};
use rut_formats::{counted, escape};

use crate::args::BenchArgs;
use crate::exit::Usage;
use crate::output::{note, result};
use crate::table::{columns, percent};
use crate::COMMIT;

/// Measures, prints a table, and writes JSON where it is asked for.
pub fn run(args: &BenchArgs) -> Result<()> {
    if let Some(path) = &args.json {
        check_folder(path)?;
    }
    let checked = args.options().check()?;
    let threads = crate::set_threads(args.threads.map(usize::from));
    let built = Built {
        commit: COMMIT,
        threads,
    };
    let report = bench(&checked, built, &mut note)?;
    result(&text(&report))?;
    if let Some(path) = &args.json {
        report.write(path)?;
        note(&format!("written to {}", escape(path).whole()));
    }
    Ok(())
}

/// What would fail at the end fails at the beginning.
fn check_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let problem = match folder {
        Some(folder) if !folder.is_dir() => {
            format!("there is no folder {}", escape(folder).whole())
        }
        _ if path.is_dir() => "expected a file, found a folder".to_owned(),
        _ => return Ok(()),
    };
    Err(Usage(anyhow!("write {}: {problem}", escape(path).whole())).into())
}

fn text(report: &BenchReport) -> String {
    let unknown = || "unknown processor".to_owned();
    let mut lines = Vec::new();
    if let Some(network) = &report.network {
        let made = match (&network.checkpoint, network.mask_kind) {
            (Some(_), None) => "of a checkpoint",
            (Some(_), Some(_)) => "of a checkpoint, pruned",
            (None, None) => "drawn",
            (None, Some(_)) => "drawn and pruned",
        };
        lines.push(format!(
            "{}, weights {made}, {} kept; batch {}, {}-pixel images",
            network.model,
            percent(network.density),
            report.batch_size,
            report.image_size
        ));
    }
    let engine = report.engine.iter().zip(&report.isa);
    let precision = report.precision.map(|name| format!(", precision {name}"));
    let precision = precision.unwrap_or_default();
    lines.extend(engine.map(|(name, isa)| format!("engine {name}, {isa}{precision}")));
    lines.push(format!(
        "{}, {}, commit {}; medians of {} after {}",
        report.cpu.clone().unwrap_or_else(unknown),
        counted(report.threads, "thread"),
        report.commit,
        report.repeats.repeat,
        report.repeats.warmup
    ));
    format!("{}\n\n{}", lines.join("\n"), columns(&rows(report)))
}

fn rows(report: &BenchReport) -> Vec<Vec<String>> {
    let head = [
        "",
        "images/s",
        "least",
        "most",
        "seconds",
        "peak MiB so far",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(report.measurements.iter().map(row));
    rows
}

fn row(measured: &Measured) -> Vec<String> {
    let name = match (measured.window, measured.prompt) {
        (Some(side), _) => format!("{} {side}", measured.name),
        (None, Some(prompt)) => format!("{} {prompt}", measured.name),
        (None, None) => measured.name.to_owned(),
    };
    let rate = |rate: f64| format!("{rate:.2}");
    let rates = measured.images_per_second.map_or_else(
        || [const { String::new() }; 3],
        |rates| [rate(rates.median), rate(rates.minimum), rate(rates.maximum)],
    );
    let seconds = format!("{:.4}", measured.seconds.median);
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
    let peak = measured.peak_memory_bytes.map_or("–".to_owned(), mib);
    [vec![name], rates.to_vec(), vec![seconds, peak]].concat()
}
