//! What stands at the beginning of a run: which weights, which transform, which split, how many labels.

use rut_formats::{counted, escape};
use rut_images::Filter;
use rut_models::Precision;
use rut_record::ValidationFrom;

use crate::adaptation::adapter;
use crate::checked::CheckedRunSpec;
use crate::network::Inspected;
use crate::transform::normalization;

/// The block that a run begins with, by what its network turned out to be.
pub fn announcement(run: &CheckedRunSpec, network: &Inspected) -> String {
    let precision = run.computing.placement.precision;
    let mut rows = vec![
        ("method", adapter(&run.spec).describe(run)),
        ("weights", weights(run, network)),
        ("transform", transform(run)),
        ("split", split(run)),
        ("labels", labels(run)),
    ];
    if precision != Precision::default() {
        let row = precision.spec();
        rows.push(("precision", format!("{}: {}", row.name, row.about)));
    }
    let rows = rows.iter().map(|(name, text)| format!("{name:<9}  {text}"));
    rows.collect::<Vec<_>>().join("\n")
}

fn weights(run: &CheckedRunSpec, network: &Inspected) -> String {
    let mask = run.files.mask.as_ref();
    let mask = mask.map_or_else(String::new, |mask| format!(" × {}", escape(mask).whole()));
    let classes = match network.classes {
        Some(classes) => format!("{classes} source classes"),
        None => "no classifier".to_owned(),
    };
    let under = match network.keys.under.as_str() {
        "." => String::new(),
        under => format!(", under `{}`", escape(under)),
    };
    format!(
        "{}{under}{mask}: {}, {} kept, {classes}",
        escape(&run.files.checkpoint).whole(),
        escape(&run.network_title()),
        network.density.overall
    )
}

fn transform(run: &CheckedRunSpec) -> String {
    let transform = &run.transform;
    let normalization = normalization(&run.spec, run.model);
    let filter = match transform.filter {
        Filter::Bilinear => ", bilinear",
        // The transform's own text contains it.
        Filter::Bicubic => "",
    };
    format!(
        "{}{filter}; mean {:?}, std {:?}",
        transform.describe(),
        normalization.mean,
        normalization.std
    )
}

fn split(run: &CheckedRunSpec) -> String {
    let split = run.spec.data.split.as_deref();
    let split = split.map_or_else(String::new, |split| format!(", split {}", escape(split)));
    let validation = match (run.validation.is_empty(), run.spec.labels.validation) {
        (true, _) => "no validation",
        (false, Some(ValidationFrom::Own)) => "validation on its own validation images",
        (false, _) => "validation on images kept from its training images",
    };
    let remarks = run.dataset.remarks.iter();
    let remarks: String = remarks
        .map(|remark| format!("; {}", escape(remark).at_most(2000)))
        .collect();
    format!(
        "{}{split}, {}; {validation}, {}{remarks}",
        escape(&run.dataset.name),
        counted(run.targets(), "class"),
        counted(run.dataset.test.len(), "test image")
    )
}

fn labels(run: &CheckedRunSpec) -> String {
    let (train, validation) = (run.draw.train.len(), run.draw.validation.len());
    let used = run.labels_used();
    let skipped = match run.dataset.skipped.as_slice() {
        [] => String::new(),
        [first, ..] => format!(
            "; left out: {} that cannot be read, the first {}",
            counted(run.dataset.skipped.len(), "image"),
            escape(&first.to_string()).at_most(2000)
        ),
    };
    format!(
        "{train} training + {validation} validation = {} used{skipped}",
        counted(used, "label")
    )
}
