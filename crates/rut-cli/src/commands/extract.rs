//! `rut extract`.

use std::path::Path;

use anyhow::Result;
use rut_data::ImageSet;
use rut_study::images::{describe, evaluation_transform};
use rut_study::upstream::{features, write_features};

use crate::args::{ExtractArgs, ExtractSplit};
use crate::commands::upstream::{source, Source};
use crate::output::result;
use crate::progress::Progress;

/// Writes features and logits of a network over images.
pub fn run(args: &ExtractArgs) -> Result<()> {
    let source = source(&args.source)?;
    let images = images(&source, args.split)?;
    let transform = evaluation_transform(source.model, args.source.weights.as_deref())?;
    let extracted = features(&source.network, &images, &transform, &mut Progress::new(0))?;
    let text = format!(
        "{}\ncheckpoint {}\nmask {}\n{}\n",
        source.network.title,
        source.network.checkpoint,
        source.network.mask.as_deref().unwrap_or("none"),
        describe(&transform, source.network.normalization)
    );
    write_features(&args.output, &extracted, images.labels(), &text)?;
    result(&format!(
        "{}: features [{n}, {}], logits [{n}, {}], labels [{n}]",
        args.output.display(),
        extracted.width,
        extracted.classes,
        n = extracted.len()
    ))
}

/// A split of a data set; or, of a folder that holds no class folders, all its images.
fn images(source: &Source, split: ExtractSplit) -> Result<ImageSet> {
    let folder = Path::new(&source.spec.dataset);
    if rut_data::find(&source.spec.dataset).is_none() && folder.is_dir() && !has_folders(folder)? {
        return Ok(ImageSet::from_folder(folder).map_err(rut_study::Error::from)?);
    }
    let dataset = source.spec.open_dataset(&source.places)?;
    Ok(match split {
        ExtractSplit::Train => dataset.train,
        ExtractSplit::Test => dataset.test,
    })
}

fn has_folders(folder: &Path) -> Result<bool> {
    Ok(std::fs::read_dir(folder)?
        .flatten()
        .any(|entry| entry.path().is_dir()))
}
