//! `abide.npz`, the plain form: an array `cc200` `[subjects, 19,900]` of f32 or f64 and an array `y` `[subjects]` of whole
//! numbers, 0 for autism and 1 for a control. Other arrays, such as the subjects' ids, are left alone.

use std::path::Path;

use rut_formats::Fault;
use rut_formats::npy::{self, Npy};
use rut_formats::numpy::Array;

use super::{Subjects, VALUES, label};
use crate::Result;
use crate::formats::fault::InFile as _;
use crate::formats::npz;

/// Name of the correlations.
const CORRELATIONS: &str = "cc200";
/// More subjects than an array of correlations can have.
const MOST_SUBJECTS: usize = 1 << 16;
/// Name of the labels.
const LABELS: &str = "y";

/// Reads the subjects of the file at `path`, in its order.
pub(super) fn read(path: &Path) -> Result<Subjects> {
    let mut arrays = npz::open(path)?;
    let mut read = || -> Result<Subjects, Fault> {
        let labels = labels_of(&arrays.array(LABELS)?)?;
        let values = values_of(&arrays.array(CORRELATIONS)?, labels.len())?;
        Ok(Subjects {
            file: path.to_path_buf(),
            ids: (0..labels.len()).map(|at| format!("#{at}")).collect(),
            labels,
            values,
        })
    };
    read().map_err(|fault| fault.at(path))
}

/// The array `name`, the last axis fastest.
fn array<'a>(bytes: &'a [u8], name: &str, expected: &str) -> Result<Array<'a>, Fault> {
    match npy::parse(bytes).map_err(|fault| fault.within(name))? {
        Npy::Numbers(array) => Ok(array.row_major()),
        Npy::Objects(_) => Err(Fault::new(name, expected, "objects")),
    }
}

fn labels_of(bytes: &[u8]) -> Result<Vec<u32>, Fault> {
    let expected = format!("an array of at most {MOST_SUBJECTS} whole numbers along one axis");
    let labels = array(bytes, LABELS, &expected)?;
    if !matches!(labels.shape(), [0..=MOST_SUBJECTS]) {
        let found = format!("one of shape {:?}", labels.shape());
        return Err(Fault::new(LABELS, expected, found));
    }
    let read = |(at, y): (usize, Option<i64>)| {
        label(y).ok_or_else(|| {
            let place = format!("{LABELS}, subject #{at}");
            let found = y.map_or("no whole number".to_owned(), |y| y.to_string());
            Fault::new(place, "0 (autism) or 1 (control)", found)
        })
    };
    labels.integers().enumerate().map(read).collect()
}

/// Elements of four bytes as they are, of eight rounded to f32.
fn values_of(bytes: &[u8], subjects: usize) -> Result<Vec<f32>, Fault> {
    let expected = format!("f32 or f64 numbers of shape [{subjects}, {VALUES}]");
    let values = array(bytes, CORRELATIONS, &expected)?;
    let unfit = |found: String| Fault::new(CORRELATIONS, expected.as_str(), found);
    if values.shape() != [subjects, VALUES] {
        return Err(unfit(format!("shape {:?}", values.shape())));
    }
    let read = |value: Option<f64>| Some(value? as f32);
    let values: Option<Vec<f32>> = values.floats().map(read).collect();
    values.ok_or_else(|| unfit("other numbers".to_owned()))
}
