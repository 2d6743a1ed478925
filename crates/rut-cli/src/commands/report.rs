//! `rut report`.

use anyhow::Result;
use rut_formats::escape;
use rut_report::{report, Costs, ReportOptions, Written};
use rut_run::{draw_prompt, unused_fields};

use crate::args::ReportArgs;
use crate::output::{note, result};

/// Makes the report, says what is in it on stderr, and prints where its page is.
pub fn run(args: &ReportArgs) -> Result<()> {
    let options = ReportOptions {
        title: args.title.clone(),
        costs: if args.omit_cost {
            Costs::Omitted
        } else {
            Costs::Shown
        },
        figures: args.figures,
        unused: unused_fields,
        prompt_picture: draw_prompt,
    };
    let written = report(&args.folders, &args.out, &options)?;
    note(&described(&written));
    result(&escape(&args.out.join("report.html")).whole().to_string())
}

fn described(written: &Written) -> String {
    let mut text = format!("{} runs", written.runs);
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
    format!("{text}; {} files", written.files)
}
