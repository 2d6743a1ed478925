//! `rut data show`: what a data set looks like.

use std::path::PathBuf;

use anyhow::{anyhow, Result};
use rut_data::{ContactSheet, Dataset, ImageSet, Survey};
use rut_formats::{counted, escape};
use rut_images::encode_png;
use rut_run::open_dataset;
use serde_json::json as object;

use super::specified;
use crate::args::{SheetPart, ShowArgs};
use crate::exit::Usage;
use crate::output::{json, result};
use crate::table::entries;

/// Sizes and colours are those of at most so many images, evenly spread over the set.
const SURVEYED: usize = 2000;

/// Writes a contact sheet, and reports sizes and colours.
pub fn run(args: &ShowArgs) -> Result<()> {
    let (spec, locations) = specified(&args.which)?;
    let sheet = ContactSheet {
        per_class: args.per_class,
        side: args.side,
    };
    let sheet = sheet.check().map_err(rut_run::Error::from)?;
    let dataset = open_dataset(&spec, &locations)?;
    let (part, set) = part_of(&dataset, args.part)?;
    let survey = Survey::of(set, SURVEYED).map_err(rut_run::Error::from)?;
    let picture = sheet.draw(set, &dataset.class_names);
    let picture = encode_png(&picture.map_err(rut_run::Error::from)?);
    let picture = picture.map_err(rut_run::Error::from)?;
    let default = || PathBuf::from(format!("{}.png", dataset.name));
    let path = args.output.clone().unwrap_or_else(default);
    rut_record::write_whole(&path, &picture)?;
    let Some(survey) = survey else {
        return result(&format!("{}: no {part} images", escape(&dataset.name)));
    };
    if args.json {
        return json(&object!({
            "dataset": dataset.name, "part": part, "images": set.len(), "surveyed": survey.images,
            "width": survey.widths, "height": survey.heights, "mean": survey.mean, "std": survey.std,
            "sheet": path.display().to_string(),
        }));
    }
    result(&report(&dataset, part, set, &survey, &path))
}

fn report(
    dataset: &Dataset,
    part: &str,
    set: &ImageSet,
    survey: &Survey,
    sheet: &std::path::Path,
) -> String {
    let three = |values: [f64; 3]| values.map(|value| format!("{value:.4}")).join(" ");
    let spread = |[least, median, most]: [u32; 3]| {
        if least == most {
            format!("{least} pixels")
        } else {
            format!("{least} to {most} pixels, median {median}")
        }
    };
    let surveyed = if survey.images == set.len() {
        String::new()
    } else {
        format!(" ({} of them looked at)", survey.images)
    };
    entries(&[
        ("data set", dataset.name.clone()),
        (
            "images",
            format!(
                "{} {part}{surveyed}, {}",
                set.len(),
                counted(dataset.class_names.len(), "class")
            ),
        ),
        ("width", spread(survey.widths)),
        ("height", spread(survey.heights)),
        (
            "mean",
            format!("{} (red, green, blue in [0, 1])", three(survey.mean)),
        ),
        ("std", three(survey.std)),
        ("sheet", sheet.display().to_string()),
    ])
}

fn part_of(dataset: &Dataset, part: SheetPart) -> Result<(&'static str, &ImageSet)> {
    match (part, &dataset.validation) {
        (SheetPart::Train, _) => Ok(("training", &dataset.train)),
        (SheetPart::Test, _) => Ok(("test", &dataset.test)),
        (SheetPart::Validation, Some(set)) => Ok(("validation", set)),
        (SheetPart::Validation, None) => Err(Usage(anyhow!(
            "show validation images of {}: it comes with none of its own",
            escape(&dataset.name)
        ))
        .into()),
    }
}
