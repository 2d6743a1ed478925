//! Handwritten digits of 8×8 pixels, part of the program: what the quickstart runs on.
//!
//! There is no official split. A fixed one is made here, stratified, of 1,000 training and 797
//! test images; it does not depend on the seed of a run.

use std::path::Path;

use rut_images::{Extent, Mode, Picture};

use crate::formats::list_file;
use crate::stratify::{Cut, cut, proportional, shuffled_by_class};
use crate::{
    Counts, DatasetSpec, Error, Form, ImageRegion, ImageSet, ImageSize, Parts, Result, Seed,
    SplitSpec,
};

/// The file, as it stands in the repository.
static BUNDLED: &str = include_str!("../../bundled/digits.csv");
/// Where the file may stand below the folder that is opened; the bundled copy serves otherwise.
const FILES: &[&str] = &["digits/digits.csv", "digits.csv"];
/// Pixels per row and rows.
const SIDE: u32 = 8;
/// Values per line: the pixels and the label.
const VALUES: usize = 65;
/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "digits",
    aliases: &["optdigits"],
    title: "Optical Recognition of Handwritten Digits",
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    image_size: ImageSize::Fixed {
        width: SIDE,
        height: SIDE,
    },
    prompt_size: 16,
    region: ImageRegion::Whole,
    splits: &[SplitSpec {
        name: "stratified",
        about: "no official split; a fixed one, stratified",
        counts: Counts {
            train: 1_000,
            validation: None,
            test: 797,
        },
        forms: &[Form { layout: &[], read }],
    }],
    licence: "CC BY 4.0",
    source: "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    citation: "E. Alpaydin and C. Kaynak, Optical recognition of handwritten digits, UCI, 1998",
    archives: &[],
    by_hand: None,
};

fn read(root: &Path) -> Result<Parts> {
    let file = FILES
        .iter()
        .map(|file| root.join(file))
        .find(|path| path.is_file());
    let (pictures, labels) = match file {
        Some(path) => parse(&list_file::text(&path)?, &path)?,
        None => parse(BUNDLED, Path::new("digits.csv"))?,
    };
    let Cut { train, test } = split(&labels)?;
    let all = ImageSet::from_pictures(pictures, labels)?;
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: all.select(&train),
        validation: None,
        test: all.select(&test),
        remarks: Vec::new(),
    })
}

fn split(labels: &[u32]) -> Result<Cut> {
    let members = shuffled_by_class(labels, SPEC.classes.len(), SPLIT_SEED, "digits split")?;
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let quotas = proportional(&sizes, SPEC.counts().train.min(labels.len()));
    Ok(cut(members, |class, _| quotas[class]))
}

/// Lines of 64 pixels from 0 to 16 and a label.
fn parse(text: &str, path: &Path) -> Result<(Vec<Picture>, Vec<u32>)> {
    let mut pictures = Vec::new();
    let mut labels = Vec::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let (pixels, label) = parse_line(line).ok_or_else(|| Error::Malformed {
            path: path.to_path_buf(),
            place: format!("line {}", number + 1),
            expected: "64 pixels from 0 to 16 and a label from 0 to 9".to_owned(),
            found: format!("'{}'", line.chars().take(40).collect::<String>()),
        })?;
        let picture = Picture::new(Mode::Grey, Extent::square(SIDE), pixels);
        pictures.push(picture.map_err(Error::image(|| SPEC.name.to_owned()))?);
        labels.push(label);
    }
    Ok((pictures, labels))
}

fn parse_line(line: &str) -> Option<(Vec<u8>, u32)> {
    let values: Option<Vec<u8>> = line
        .split(',')
        .map(|value| value.trim().parse().ok())
        .collect();
    let values = values.filter(|values| values.len() == VALUES)?;
    let (&label, pixels) = values.split_last()?;
    let valid = label <= 9 && pixels.iter().all(|&value| value <= 16);
    valid.then(|| {
        (
            pixels.iter().map(|&value| to_byte(value)).collect(),
            u32::from(label),
        )
    })
}

/// `value · 255 / 16`, rounded to nearest, halves up.
fn to_byte(value: u8) -> u8 {
    ((u32::from(value) * 255 + 8) / 16) as u8
}
