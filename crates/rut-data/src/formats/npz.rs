//! NumPy's `.npz` files at their paths.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rut_formats::npz::Npz;
use rut_formats::regular;

use super::fault::InFile as _;
use crate::{Error, Result};

/// Checks that these arrays of the archive at `path` have the bytes that their headers declare, and at most 2 GiB: whoever reads
/// them afterwards may take memory for what is declared. An array that is not there is left to whoever misses it.
///
/// # Errors
/// [`Error::Malformed`] naming the array; [`Error::Io`].
pub fn check_npz(path: &Path, names: &[String]) -> Result<()> {
    let mut npz = open(path)?;
    let mut names = names.iter();
    names
        .try_for_each(|name| npz.check(name))
        .map_err(|fault| fault.at(path))
}

/// Opens the archive at `path`.
pub(crate) fn open(path: &Path) -> Result<Npz<BufReader<File>>> {
    let file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    Npz::new(BufReader::new(file)).map_err(|fault| fault.at(path))
}
