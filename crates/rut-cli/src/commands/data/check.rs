//! `rut data check`: what is wrong with a data set.

use anyhow::Result;
use rut_data::audit::{audit, other_files, Audit, Expected, Finding, OtherFiles, PartAudit};
use rut_data::{Counts, Dataset, SplitSpec};
use rut_formats::{counted, escape};
use rut_record::RunSpec;
use rut_run::open_dataset;
use serde_json::{json as object, Value};

use super::specified;
use crate::args::CheckArgs;
use crate::exit::Unsound;
use crate::output::{json, result};
use crate::table::columns;

/// Findings of one kind that a person is shown.
const SHOWN: usize = 10;
/// Characters of a finding that a person is shown.
const LONGEST: usize = 2000;

/// Audits a data set, and reports what was found.
pub fn run(args: &CheckArgs) -> Result<()> {
    let (spec, locations) = specified(&args.which)?;
    let dataset = open_dataset(&spec, &locations)?;
    let audit = audit(&dataset, expected(&spec));
    let others = other_files(&spec.data.dataset, &locations.data_dir)?;
    if args.json {
        json(&report(&spec, &dataset, &others, &audit))?
    } else {
        result(&summary(&dataset, &audit, &others))?
    }
    match audit.findings.len() {
        0 => Ok(()),
        findings => Err(Unsound {
            dataset: dataset.name,
            findings,
        }
        .into()),
    }
}

/// What the table says of the whole data set; nothing of a user's own, or of some of its classes.
fn expected(spec: &RunSpec) -> Option<Expected<'static>> {
    let known = rut_data::find(&spec.data.dataset).filter(|_| spec.data.classes.is_empty())?;
    let split = match &spec.data.split {
        None => known.splits.first(),
        Some(name) => known.split(name),
    };
    // A split that the table does not have was made from the images of the default split.
    let names = split.is_none_or(SplitSpec::has_names_of_table);
    Some(Expected {
        counts: split.map_or(Counts::UNKNOWN, |split| split.counts),
        classes: names.then_some(known.classes),
    })
}

fn report(spec: &RunSpec, dataset: &Dataset, others: &OtherFiles, audit: &Audit) -> Value {
    let part = |part: &PartAudit| {
        object!({
            "part": part.name, "images": part.images, "decoded": part.decoded, "no_images": part.no_images,
            "class_counts": part.class_counts, "repeated": part.repeated,
        })
    };
    let finding =
        |finding: &Finding| object!({ "kind": finding.kind(), "text": finding.to_string() });
    object!({
        "dataset": dataset.name, "split": spec.data.split, "classes": dataset.class_names,
        "remarks": dataset.remarks, "other_files": others.count,
        "parts": audit.parts.iter().map(part).collect::<Vec<_>>(),
        "findings": audit.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn summary(dataset: &Dataset, audit: &Audit, others: &OtherFiles) -> String {
    let mut rows = vec![["", "images", "repeated", "images per class"]
        .map(str::to_owned)
        .to_vec()];
    rows.extend(audit.parts.iter().map(|part| {
        vec![
            part.name.to_owned(),
            part.images.to_string(),
            part.repeated.to_string(),
            spread(&part.class_counts),
        ]
    }));
    let mut text = format!(
        "{}: {}; {}{}{}\n\n{}\n\n{}",
        escape(&dataset.name),
        counted(dataset.class_names.len(), "class"),
        decoded(audit),
        left_out(others),
        remarks(dataset),
        columns(&rows),
        histogram(dataset, audit),
    );
    text.push_str(&findings(&audit.findings));
    text
}

/// How many images were decoded, and how many files are none.
fn decoded(audit: &Audit) -> String {
    let sum = |of: fn(&PartAudit) -> usize| audit.parts.iter().map(of).sum::<usize>();
    let (images, decoded) = (sum(|part| part.images), sum(|part| part.decoded));
    match (images - decoded, sum(|part| part.no_images)) {
        (0, _) => "every image was decoded".to_owned(),
        (_, 0) => format!("{decoded} of {} decoded", counted(images, "image")),
        (_, none) => format!(
            "{decoded} of {} decoded; not images: {none}",
            counted(images, "file")
        ),
    }
}

/// Files that are no images by their names.
fn left_out(others: &OtherFiles) -> String {
    let names = others.first.iter();
    let names: Vec<String> = names.map(|path| format!("'{}'", escape(path))).collect();
    let more = match others.count - names.len() {
        0 => "",
        _ => " …",
    };
    match others.count {
        0 => String::new(),
        1 => format!("\n1 other file is left out: {}", names.join(", ")),
        count => format!(
            "\n{count} other files are left out: {}{more}",
            names.join(", ")
        ),
    }
}

/// What must be known of how the parts came about, a line each.
fn remarks(dataset: &Dataset) -> String {
    let remarks = dataset.remarks.iter();
    remarks
        .map(|remark| format!("\n{}", escape(remark).at_most(2000)))
        .collect()
}

/// `98 to 102`, or `4` where all classes have as many.
fn spread(counts: &[usize]) -> String {
    match (counts.iter().min(), counts.iter().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (_, most) => most.map(ToString::to_string).unwrap_or_default(),
    }
}

/// A line per class: its images in each part, and a bar for those of the first.
fn histogram(dataset: &Dataset, audit: &Audit) -> String {
    const BAR: usize = 40;
    let count = |part: &PartAudit, class: usize| part.class_counts.get(class).copied().unwrap_or(0);
    let of_first = |class| audit.parts.first().map_or(0, |part| count(part, class));
    let classes = 0..dataset.class_names.len();
    let most = classes.clone().map(of_first).max().unwrap_or(0).max(1);
    let mut head = vec!["class".to_owned()];
    head.extend(audit.parts.iter().map(|part| part.name.to_owned()));
    head.push(String::new());
    let mut rows = vec![head];
    rows.extend(classes.map(|class| {
        let mut row = vec![format!("{class} {}", dataset.class_names[class])];
        row.extend(
            audit
                .parts
                .iter()
                .map(|part| count(part, class).to_string()),
        );
        row.push("#".repeat((of_first(class) * BAR).div_ceil(most)));
        row
    }));
    columns(&rows)
}

/// The findings, kind by kind.
fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "\n\nnothing wrong".to_owned();
    }
    let mut text = format!("\n\n{}:", counted(findings.len(), "finding"));
    let mut kinds: Vec<&str> = Vec::new();
    for kind in findings.iter().map(Finding::kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let of_kind: Vec<&Finding> = findings.iter().filter(|f| f.kind() == kind).collect();
        for finding in of_kind.iter().take(SHOWN) {
            let finding = escape(&finding.to_string()).at_most(LONGEST).to_string();
            text.push_str(&format!("\n{finding}"));
        }
        if of_kind.len() > SHOWN {
            text.push_str(&format!(
                "\n… and {} more of this kind (--json has all)",
                of_kind.len() - SHOWN
            ));
        }
    }
    text
}
