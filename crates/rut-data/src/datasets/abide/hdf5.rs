//! `abide.hdf5` as acerta-abide writes it: a group `patients` with a group per subject, in which an attribute `y` says
//! who is autistic and a data set `cc200` holds the correlations.

use std::fs;
use std::path::Path;

use hdf5_reader::error::Error as Refusal;
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Datatype, Hdf5File};
use rut_formats::regular;

use super::{Subjects, VALUES, label, malformed};
use crate::{Error, Result};

/// What a damaged file is met with.
const REMEDY: &str = "make or copy the file again";
/// What compression may make of a byte: correlations hardly get smaller by it.
const GROWTH: u64 = 4;

/// Reads the subjects of the file at `path`, by id.
pub(super) fn read(path: &Path) -> Result<Subjects> {
    let fault = |place: &str, expected: &str, error: Refusal| {
        malformed(path, place, expected, format!("{error}; {REMEDY}"))
    };
    // The library opens it by name.
    regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    let file = Hdf5File::open(path).map_err(|e| fault("start", "an HDF5 file", e))?;
    let patients = file.group("patients");
    let patients = patients.map_err(|e| fault("root", "a group 'patients'", e))?;
    let (mut ids, _) = patients
        .member_names()
        .map_err(|e| fault("patients", "groups", e))?;
    let length = fs::metadata(path).map_err(Error::io(path))?.len();
    check_count(path, ids.len(), length)?;
    ids.sort_unstable();
    let mut subjects = Subjects {
        file: path.to_path_buf(),
        labels: Vec::new(),
        values: Vec::new(),
        ids: Vec::new(),
    };
    for id in ids {
        let place = format!("subject {id}");
        let group = patients.group(&id);
        let group = group.map_err(|e| fault(&place, "a group", e))?;
        subjects.labels.push(label_of(&group, path, &place)?);
        subjects.values.extend(values_of(&group, path, &place)?);
        subjects.ids.push(id);
    }
    Ok(subjects)
}

/// Refuses more subjects than a file of `length` bytes can hold: many names may lead to one group.
fn check_count(path: &Path, count: usize, length: u64) -> Result<()> {
    let subject = (VALUES * size_of::<f32>()) as u64;
    let most = length.saturating_mul(GROWTH) / subject;
    if count as u64 <= most {
        return Ok(());
    }
    let expected = format!("at most {most} subjects in {length} bytes");
    let found = format!("{count}; {REMEDY}");
    Err(malformed(path, "patients", &expected, found))
}

fn label_of(group: &Group, path: &Path, place: &str) -> Result<u32> {
    let expected = "an attribute y of 0 (autism) or 1 (control)";
    let fault = |found: String| malformed(path, place, expected, found);
    let y = group.attribute("y").and_then(|y| y.read_as_f64());
    let y = y.map_err(|error| fault(format!("{error}; {REMEDY}")))?;
    let whole = (y.fract() == 0.0).then_some(y as i64);
    label(whole).ok_or_else(|| fault(y.to_string()))
}

fn values_of(group: &Group, path: &Path, place: &str) -> Result<Vec<f32>> {
    let fault = |found: String| malformed(path, place, "a data set cc200 of 19,900 numbers", found);
    let failed = |error: Refusal| fault(format!("{error}; {REMEDY}"));
    let data = group.dataset("cc200").map_err(failed)?;
    if data.shape() != [VALUES as u64] {
        return Err(fault(format!("one of shape {:?}", data.shape())));
    }
    floats(&data).map_err(failed)
}

/// Elements of four bytes as they are, of eight rounded to f32.
fn floats(data: &Dataset) -> Result<Vec<f32>, Refusal> {
    match data.dtype() {
        Datatype::FloatingPoint { size: 8, .. } => {
            let values = data.read_array::<f64>()?;
            Ok(values.into_iter().map(|value| value as f32).collect())
        }
        _ => Ok(data.read_array::<f32>()?.into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_subjects_than_the_file_can_hold_are_refused() {
        let check = |count| check_count(Path::new("abide.hdf5"), count, 79_600);
        assert!(check(4).is_ok());
        let message = check(5).unwrap_err().to_string();
        let says = "expected at most 4 subjects in 79600 bytes, found 5; make or copy";
        assert!(message.contains(says), "{message}");
    }
}
