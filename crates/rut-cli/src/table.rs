//! Figures as text tables for a terminal. Which figures there are, `rut-metrics` says.

use rut_formats::{counted, escape};
use rut_metrics::{Interval, Intervals, Minimum, Summary, TemperatureFit};
use rut_record::{Doubt, GridRecord, Record, SplitScores};

use crate::flags::with_flags;

/// Rows of cells, two blanks apart: numbers to the right, texts to the left. The first row is the head. Each cell is on one
/// line, whatever name stands in it.
pub fn columns(rows: &[Vec<String>]) -> String {
    let one_line = |row: &Vec<String>| row.iter().map(|cell| escape(cell).to_string()).collect();
    let rows: &[Vec<String>] = &rows.iter().map(one_line).collect::<Vec<_>>();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let width = |column: usize| {
        cells(column)
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let is_number = |cell: &String| {
        cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit() || c == '–')
    };
    let layout: Vec<(usize, bool)> = (0..count)
        .map(|c| (width(c), c > 0 && cells(c).skip(1).all(is_number)))
        .collect();
    let pad = |(cell, &(width, right)): (&String, &(usize, bool))| {
        if right {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        }
    };
    let line = |row: &Vec<String>| {
        row.iter()
            .zip(&layout)
            .map(pad)
            .collect::<Vec<_>>()
            .join("  ")
            .trim_end()
            .to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// An entry a line, its name in a column of its own. Entries without a value are left out.
pub fn entries(rows: &[(&str, String)]) -> String {
    let filled = rows.iter().filter(|(_, value)| !value.is_empty());
    let line = |(name, value): &(&str, String)| format!("{name:<14} {}", escape(value).whole());
    filled.map(line).collect::<Vec<_>>().join("\n")
}

/// A fitted temperature, marked where it is no minimum: the note of a run says why.
pub fn temperature(fit: &TemperatureFit) -> String {
    let mark = match fit.minimum {
        Minimum::Inside => "",
        Minimum::AtLower | Minimum::AtUpper => " (bound)",
        Minimum::Flat => " (flat)",
    };
    format!("{:.3}{mark}", fit.temperature.get())
}

/// The figures of a split, at T = 1 with intervals and at the fitted temperature; where that is in `doubt`, its column says so.
pub fn scores(scores: &SplitScores, fit: Option<&TemperatureFit>, doubt: Option<&Doubt>) -> String {
    let SplitScores {
        raw,
        intervals,
        at_temperature,
    } = scores;
    let mut scaled = fit.map_or_else(String::new, |fit| format!("T = {}", temperature(fit)));
    if matches!(doubt, Some(Doubt::NoGain(..))) {
        scaled.push_str(" (no gain shown)");
    }
    let mut rows = vec![vec![
        counted(raw.n, "image"),
        "T = 1".into(),
        "95 % interval".into(),
        scaled,
    ]];
    let mut row = |name: &str,
                   figure: fn(&Summary) -> f64,
                   interval: Option<Interval>,
                   show: fn(f64) -> String| {
        let interval =
            interval.map_or_else(String::new, |i| format!("{} – {}", show(i.lo), show(i.hi)));
        let scaled = at_temperature
            .as_ref()
            .map_or_else(String::new, |summary| show(figure(summary)));
        rows.push(vec![name.into(), show(figure(raw)), interval, scaled]);
    };
    row(
        "accuracy",
        |s| s.accuracy,
        Some(intervals.accuracy),
        percent,
    );
    row("mean confidence", |s| s.mean_confidence, None, percent);
    row("ECE (15 bins)", |s| s.ece, Some(intervals.ece), percent);
    row("NLL", |s| s.nll, Some(intervals.nll), plain);
    row("Brier", |s| s.brier, Some(intervals.brier), plain);
    let mut text = columns(&rows);
    if let Some(doubt) = doubt {
        text.push_str(&format!("\n\n{doubt}"));
    }
    text
}

/// Every metric of a summary, one a line, with 95 % intervals where there are some.
pub fn summary(summary: &Summary, intervals: &Intervals) -> String {
    let range = |i: Interval, show: fn(f64) -> String| {
        format!("95 % interval {} to {}", show(i.lo), show(i.hi))
    };
    let rows = [
        ("samples", summary.n.to_string(), None),
        ("classes", summary.classes.to_string(), None),
        (
            "accuracy",
            percent(summary.accuracy),
            Some(range(intervals.accuracy, percent)),
        ),
        ("top-5 accuracy", percent(summary.top5), None),
        ("mean confidence", percent(summary.mean_confidence), None),
        ("NLL", plain(summary.nll), Some(range(intervals.nll, plain))),
        (
            "Brier",
            plain(summary.brier),
            Some(range(intervals.brier, plain)),
        ),
        (
            "ECE (15 bins)",
            percent(summary.ece),
            Some(range(intervals.ece, percent)),
        ),
        ("RMSCE", percent(summary.rmsce), None),
        ("MCE", percent(summary.mce), None),
        ("ECE (equal mass)", percent(summary.adaptive_ece), None),
        ("ECE (class-wise)", percent(summary.classwise_ece), None),
        (
            "squared CE (debiased)",
            format!("{:.6}", summary.debiased_ece_squared),
            None,
        ),
        ("KS", percent(summary.ks), None),
    ];
    columns(
        &rows.map(|(name, value, range)| vec![name.to_owned(), value, range.unwrap_or_default()]),
    )
}

/// The table at the end of a run.
pub fn record(record: &Record) -> String {
    let doubt = record.temperature_doubt();
    let mut text = scores(&record.test, record.temperature.as_ref(), doubt.as_ref());
    let mut facts: Vec<Vec<String>> = Vec::new();
    let mut fact = |name: &str, value: String| facts.push(vec![name.into(), String::new(), value]);
    if let Some(before) = &record.test_before_remap {
        fact(
            "accuracy before the last remapping",
            percent(before.raw.accuracy),
        );
    }
    let network = &record.network;
    fact("weights kept", percent(network.density));
    fact(
        "weights kept without stem and classifier",
        percent(network.density_without_stem_and_classifier),
    );
    fact(
        "labels used (training + validation)",
        record.data.labels_used.to_string(),
    );
    match &record.training.lbfgs {
        None => fact(
            "selected epoch",
            format!(
                "{} of {}",
                record.training.kept_epoch + 1,
                record.spec.training.epochs
            ),
        ),
        Some(lbfgs) => {
            fact("L-BFGS iterations", lbfgs.iterations.to_string());
            fact(
                "norm of the gradient",
                format!("{:.1e}", lbfgs.gradient_norm),
            );
        }
    }
    fact("seconds", format!("{:.1}", record.cost.total_seconds));
    text.push_str("\n\n");
    text.push_str(&columns(&facts));
    if let Some(grid) = &record.training.grid {
        text.push_str(&format!("\n\n{}", grid_table(grid)));
    }
    for note in &record.training.notes {
        text.push_str(&format!("\n\nnote: {}", with_flags(note)));
    }
    text
}

/// The members of a grid, the selected one marked.
fn grid_table(grid: &GridRecord) -> String {
    let head = [
        "learning rate",
        "weight decay",
        "validation accuracy",
        "NLL",
        "selected epoch",
        "",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (index, member) in grid.members.iter().enumerate() {
        let figure = |value: Option<f64>, show: fn(f64) -> String| {
            value.map_or_else(|| "–".to_owned(), show)
        };
        let mark = if index == grid.chosen { "selected" } else { "" };
        rows.push(vec![
            member
                .lr
                .map_or_else(|| "–".to_owned(), |lr| lr.to_string()),
            member.weight_decay.to_string(),
            figure(member.validation_accuracy, percent),
            figure(member.validation_nll, plain),
            (member.kept_epoch + 1).to_string(),
            mark.to_owned(),
        ]);
    }
    columns(&rows)
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn plain(value: f64) -> String {
    format!("{value:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rut_metrics::{fit_temperature, Logits, TemperatureOptions};

    #[test]
    fn a_temperature_that_is_no_minimum_is_marked() {
        let odds = [9f64.ln(), 0.0].repeat(4);
        let cases: [(&[f64], &[u32], &str); 4] = [
            (&odds, &[0, 0, 0, 1], "2.000"),
            (&[5.0, 0.0], &[0], "0.010 (bound)"),
            (&[5.0, 0.0], &[1], "100.000 (bound)"),
            (&[5.0, 5.0], &[1], "1.000 (flat)"),
        ];
        for (values, labels, text) in cases {
            let logits = Logits::new(values, 2).unwrap();
            let fit = fit_temperature(logits, labels, &TemperatureOptions::default()).unwrap();
            assert_eq!(temperature(&fit), text);
        }
    }
}
