//! The variables of MAT-files at their paths.

use std::io::{BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use rut_formats::mat::{Array, variables};
use rut_formats::{Fault, regular};

use super::fault::InFile as _;
use crate::{Error, Result};

/// Indices in a variable; no data set that has any is as large.
const MOST_INDICES: usize = 1 << 17;

/// A variable of a file.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// The file.
    path: PathBuf,
    name: String,
    /// Its value.
    pub(crate) array: Array,
}

impl Variable {
    /// The error at `place` in this variable.
    pub(crate) fn malformed(
        &self,
        place: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        let place = format!("variable '{}'{place}", self.name);
        Fault::new(place, expected, found).at(&self.path)
    }

    /// Its numbers, which count from 1 to `last`, as indices from 0.
    pub(crate) fn indices(&self, last: usize) -> Result<Vec<u32>> {
        let expected = format!("whole numbers from 1 to {last}");
        let Some(numbers) = self.array.numbers() else {
            return Err(self.malformed("", expected, self.array.describe()));
        };
        if numbers.len() > MOST_INDICES {
            let expected = format!("at most {MOST_INDICES} of {expected}");
            return Err(self.malformed("", expected, numbers.len().to_string()));
        }
        let index = |(at, number): (usize, Option<i64>)| {
            let index = number.and_then(|number| u32::try_from(number.checked_sub(1)?).ok());
            index
                .filter(|&index| (index as usize) < last)
                .ok_or_else(|| {
                    let found =
                        number.map_or("another number".to_owned(), |number| number.to_string());
                    self.malformed(&format!(", element {at}"), &expected, found)
                })
        };
        numbers.integers().enumerate().map(index).collect()
    }
}

/// Reads the variables of these names from the file at `path`.
pub(crate) fn read<const N: usize>(path: &Path, names: [&str; N]) -> Result<[Variable; N]> {
    let mut file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    let length = file.seek(SeekFrom::End(0)).map_err(Error::io(path))?;
    file.rewind().map_err(Error::io(path))?;
    let arrays = variables(BufReader::new(file), length, names).map_err(|fault| fault.at(path))?;
    let mut names = names.into_iter();
    Ok(arrays.map(|array| Variable {
        path: path.to_path_buf(),
        name: names.next().unwrap_or_default().to_owned(),
        array,
    }))
}
