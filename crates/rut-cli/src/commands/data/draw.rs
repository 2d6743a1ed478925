//! `rut data draw`: which images a run trains and validates on.

use anyhow::{Context, Result};
use rut_data::{Dataset, Draw, ImageSet};
use rut_formats::{csv_cell, escape};
use rut_run::drawn;

use super::specified;
use crate::args::DrawArgs;
use crate::output::{note, result};

/// Writes the drawn images, and the test images, as CSV: beside the data set's files it is a data set of its own.
pub fn run(args: &DrawArgs) -> Result<()> {
    let (spec, locations) = specified(&args.which)?;
    let (dataset, draw) = drawn(&spec, &locations)?;
    let text = table(&dataset, &draw)?;
    let (train, validation, test) = (draw.train.len(), draw.validation.len(), dataset.test.len());
    note(&format!(
        "{}: {train} training, {validation} validation, {test} test images; seed {}",
        escape(&dataset.name),
        spec.training.seed
    ));
    for remark in &dataset.remarks {
        note(&escape(remark).at_most(2000).to_string());
    }
    match &args.output {
        None => result(text.trim_end()),
        Some(path) => Ok(rut_record::write_whole(path, text.as_bytes())?),
    }
}

/// `path,label,split,index,class`: the path below the data set's folder (or the place in its archive), the class's name, the
/// part, the place in the training, validation or test images, and the class's number.
fn table(dataset: &Dataset, draw: &Draw) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["path", "label", "split", "index", "class"])?;
    let test: Vec<usize> = (0..dataset.test.len()).collect();
    let parts: [(&str, &ImageSet, &[usize]); 3] = [
        ("train", &dataset.train, &draw.train),
        (
            "validation",
            dataset.validation.as_ref().unwrap_or(&dataset.train),
            &draw.validation,
        ),
        ("test", &dataset.test, &test),
    ];
    for (part, set, indices) in parts {
        for &index in indices {
            let class = set.labels()[index];
            let name = &dataset.class_names[class as usize];
            let (place, class) = (index.to_string(), class.to_string());
            let (source, name) = (cell_of_path(&set.source(index)), csv_cell(name));
            writer.write_record([source.as_str(), &name, part, &place, &class])?;
        }
    }
    let bytes = writer.into_inner().context("write a table")?;
    String::from_utf8(bytes).context("write a table")
}

/// A path that a spreadsheet takes for no formula and that still leads to its file.
fn cell_of_path(path: &str) -> String {
    if path.starts_with(['=', '+', '-', '@']) {
        csv_cell(&format!("./{path}")).into_owned()
    } else {
        csv_cell(path).into_owned()
    }
}
