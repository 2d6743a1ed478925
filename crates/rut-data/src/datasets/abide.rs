//! ABIDE I: correlations between 200 brain regions of people with autism and of controls, as images of real values.
//!
//! A file holds 19,900 values of each subject. As in the paper's code they are put into the strict upper triangle of a
//! 200×200 matrix row by row, the matrix is scaled by its least and its largest value to [0, 1], in f32, and what is on
//! and below the diagonal is zero again. (acerta-abide writes the lower triangle row by row, so a pixel is not the
//! correlation of the regions that its row and column name; the same rearrangement holds for all subjects.)
//!
//! There is no official split. A fixed one is made here, stratified, with a tenth of each class for testing; it does
//! not depend on the seed of a run. The subjects of an HDF5 file stand in the order of their ids, those of an npz file as
//! they are.

#[cfg(feature = "hdf5")]
mod hdf5;
mod npz;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rut_images::{Depth, Extent, Picture};

use crate::image_set::{ImageSource, picture_digest};
use crate::stratify::split_anew;
use crate::{
    Counts, DatasetSpec, Digest, Error, Form, ImageRegion, ImageSet, ImageSize, Parts, Result,
    Seed, SplitSpec,
};

/// Regions: rows and columns of a matrix.
const SIDE: u32 = 200;
/// Values of a subject: those above the diagonal.
const VALUES: usize = 19_900;
/// The plain form.
const NPZ: &str = "abide.npz";
/// What acerta-abide writes.
const HDF5: &str = "abide.hdf5";
/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);
/// Share of each class that is for testing.
const TEST_SHARE: f64 = 0.1;

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "abide",
    aliases: &["abide1"],
    title: "Autism Brain Imaging Data Exchange I, 200-region correlations",
    // `y` of the files is DX_GROUP of the phenotypic table, 1 for autism and 2 for a control, less 1.
    classes: &["autism", "control"],
    image_size: ImageSize::Fixed {
        width: SIDE,
        height: SIDE,
    },
    prompt_size: SIDE,
    region: ImageRegion::UpperTriangle,
    splits: &[SplitSpec {
        name: "stratified",
        about: "no official split; a fixed one, stratified, 90 % to 10 %",
        counts: Counts {
            train: 931,
            validation: None,
            test: 104,
        },
        forms: &[
            Form {
                layout: &[NPZ],
                read: read_npz,
            },
            Form {
                layout: &[HDF5],
                read: read_hdf5,
            },
        ],
    }],
    licence: "CC BY-NC-SA; non-commercial research",
    source: "https://preprocessed-connectomes-project.org/abide/",
    citation: "A. Di Martino et al., The autism brain imaging data exchange, Molecular Psychiatry 19, 2014; \
               C. Craddock et al., The Neuro Bureau Preprocessing Initiative, Frontiers in Neuroinformatics 7, 2013",
    archives: &[],
    by_hand: Some(
        "make `abide.hdf5` with acerta-abide's download_abide.py and prepare_data.py from the time series of the \
         Preprocessed Connectomes Project (pipeline cpac, strategy filt_global, atlas cc200), turn it into `abide.npz` \
         with the lines in data/README.md, section ABIDE, and put that into the folder `abide` of the data folder",
    ),
};

fn read_npz(root: &Path) -> Result<Parts> {
    parts(npz::read(&root.join(NPZ))?)
}

#[cfg(feature = "hdf5")]
fn read_hdf5(root: &Path) -> Result<Parts> {
    parts(hdf5::read(&root.join(HDF5))?)
}

#[cfg(not(feature = "hdf5"))]
fn read_hdf5(root: &Path) -> Result<Parts> {
    Err(Error::MissingFeature {
        path: root.join(HDF5),
        what: "HDF5 files",
        feature: "hdf5",
        instead: ", or turn the file into abide.npz with the lines in data/README.md, section ABIDE",
    })
}

/// Checks the subjects and makes the fixed split.
fn parts(subjects: Subjects) -> Result<Parts> {
    let labels = subjects.labels.clone();
    subjects.check()?;
    let all = ImageSet::new(Arc::new(subjects), labels)?;
    let class_names = SPEC.class_names();
    split_anew(class_names, &all, TEST_SHARE, SPLIT_SEED, "abide split")
}

/// All subjects of a file.
struct Subjects {
    /// Name of the file.
    file: PathBuf,
    /// What each is called in errors and lists: its id, or its number where the file has no ids.
    ids: Vec<String>,
    /// 0 for autism, 1 for a control.
    labels: Vec<u32>,
    /// `[subjects, 19,900]`.
    values: Vec<f32>,
}

impl Subjects {
    fn malformed(&self, index: usize, expected: &str, found: String) -> Error {
        let id = self.ids.get(index).map_or("", String::as_str);
        malformed(&self.file, &format!("subject {id}"), expected, found)
    }

    /// The values of a subject.
    fn values(&self, index: usize) -> Result<&[f32]> {
        let len = self.count();
        let values = self.values.chunks_exact(VALUES).nth(index);
        values.ok_or(Error::IndexOutOfRange { index, len })
    }

    /// Every subject has values of which an image can be made.
    fn check(&self) -> Result<()> {
        if self.ids.is_empty() {
            let found = "none".to_owned();
            return Err(malformed(&self.file, "subjects", "at least one", found));
        }
        (0..self.count()).try_for_each(|index| self.check_values(index))
    }

    fn check_values(&self, index: usize) -> Result<()> {
        let values = self.values(index)?;
        let finite = |value: &f32| value.is_finite();
        if let Some(at) = values.iter().position(|value| !finite(value)) {
            let found = format!("{} at place {at}; make the file again", values[at]);
            return Err(self.malformed(index, "finite correlations", found));
        }
        let first = values.first().copied().unwrap_or_default();
        if values.iter().all(|value| *value == first) {
            let found = format!("{first} throughout; leave the subject out");
            return Err(self.malformed(index, "correlations that differ", found));
        }
        match range(values) {
            (low, high) if (high - low).is_finite() => Ok(()),
            (low, high) => {
                let found = format!("{low:e} to {high:e}; make the file again");
                Err(self.malformed(index, "correlations", found))
            }
        }
    }
}

impl ImageSource for Subjects {
    fn count(&self) -> usize {
        self.ids.len()
    }

    fn depth(&self) -> Depth {
        Depth::Real
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let values = image(self.values(index)?);
        Picture::real(Extent::square(SIDE), values).map_err(Error::image(|| self.name(index)))
    }

    fn name(&self, index: usize) -> String {
        let file = self.file.file_name().unwrap_or_default().display();
        let id = self.ids.get(index).map_or("", String::as_str);
        format!("{file} {id}")
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Ok(picture_digest(&self.decode(index)?))
    }
}

/// The least and the largest element of the matrix, which holds zeros beside the values.
fn range(values: &[f32]) -> (f32, f32) {
    let of = |pick: fn(f32, f32) -> f32| values.iter().copied().fold(0.0, pick);
    (of(f32::min), of(f32::max))
}

/// The image of a subject, `[200, 200]`: scaled values strictly above the diagonal, row by row.
fn image(values: &[f32]) -> Vec<f32> {
    let (low, high) = range(values);
    let side = SIDE as usize;
    let mut image = vec![0.0; side * side];
    let mut rest = values.iter();
    for (row, pixels) in image.chunks_exact_mut(side).enumerate() {
        for (pixel, value) in pixels.iter_mut().skip(row + 1).zip(rest.by_ref()) {
            *pixel = (value - low) / (high - low);
        }
    }
    image
}

/// The label of a subject.
fn label(y: Option<i64>) -> Option<u32> {
    y.and_then(|y| u32::try_from(y).ok())
        .filter(|&label| (label as usize) < SPEC.classes.len())
}

fn malformed(path: &Path, place: &str, expected: &str, found: String) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        place: place.to_owned(),
        expected: expected.to_owned(),
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValidationRule;

    #[test]
    fn the_complete_set_is_split_as_the_table_says() {
        // acerta-abide keeps 505 people with autism and 530 controls.
        let test = [505, 530].map(|size| ValidationRule::Fraction(TEST_SHARE).count(size));
        let Counts {
            train, test: all, ..
        } = SPEC.counts();
        assert_eq!((test, all, train), ([51, 53], 104, 530 + 505 - 104));
    }
}
