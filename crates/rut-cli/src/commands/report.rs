//! `rut report`.

use std::path::PathBuf;

use anyhow::Result;
use chrono::Utc;
use rut_formats::{counted, escape, shell_word};
use rut_report::{report, Costs, FigureFormat, Provenance, ReportCounts, ReportOptions};
use rut_run::{draw_prompt, source_name, unused_fields};

use crate::args::{ReportArgs, DEFAULT_FIGURES};
use crate::output::{note, result};
use crate::COMMIT;

/// Makes the report, says what is in it on stderr, and prints where its page is.
pub fn run(args: &ReportArgs) -> Result<()> {
    let options = ReportOptions {
        title: args.title.clone(),
        costs: if args.omit_cost {
            Costs::Omitted
        } else {
            Costs::Shown
        },
        provenance: Some(provenance(args)),
        figures: args.figures,
        figure_width: args.figure_width,
        figure_formats: args.figure_format.iter().copied().collect(),
        unused: unused_fields,
        prompt_picture: draw_prompt,
        source_name,
    };
    let written = report(&args.folders, &args.out, &options)?;
    note(&described(&written));
    result(&escape(&args.out.join("report.html")).whole().to_string())
}

/// What the last line of the page says. Of folders it shows the last part, as the rest of the page does.
fn provenance(args: &ReportArgs) -> Provenance {
    let last = |path: &PathBuf| path.file_name().map(shell_word);
    let mut words = vec!["rut report".to_owned()];
    words.extend(args.folders.iter().filter_map(last));
    words.extend(last(&args.out).map(|out| format!("--out {out}")));
    if let Some(title) = &args.title {
        words.push(format!("--title {}", shell_word(title)));
    }
    if args.figures != DEFAULT_FIGURES {
        words.push(format!("--figures {}", args.figures));
    }
    if let Some(width) = args.figure_width {
        words.push(format!("--figure-width {width}in"));
    }
    if args.figure_format != [FigureFormat::Svg] {
        let names: Vec<&str> = args.figure_format.iter().map(|f| f.name()).collect();
        words.push(format!("--figure-format {}", names.join(",")));
    }
    Provenance {
        program: format!("rut {} (commit {COMMIT})", env!("CARGO_PKG_VERSION")),
        date: Utc::now().date_naive().to_string(),
        command: words.join(" "),
    }
}

fn described(written: &ReportCounts) -> String {
    let mut text = counted(written.runs, "run");
    let others = [
        (written.failed, "failed"),
        (written.missing, "missing"),
        (written.unreadable, "unreadable"),
        (written.conflicts, "with conflicting records"),
        (
            written.unchecked,
            "not checked (an earlier version wrote them, without checksums)",
        ),
    ];
    for (count, name) in others.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {name}"));
    }
    format!("{text}; {}", counted(written.files, "file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_wrong_is_told_behind_the_runs() {
        let counts = ReportCounts {
            runs: 1,
            failed: 1,
            missing: 1,
            unreadable: 2,
            unchecked: 0,
            conflicts: 3,
            files: 40,
        };
        assert_eq!(
            described(&counts),
            "1 run, 1 failed, 1 missing, 2 unreadable, 3 with conflicting records; 40 files"
        );
    }
}
