//! NumPy's `.npz` files at their paths.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rut_formats::npz::Npz;
use rut_formats::regular;

use super::fault::InFile as _;
use crate::{Error, Result};

/// Opens the archive at `path`.
pub(crate) fn open(path: &Path) -> Result<Npz<BufReader<File>>> {
    let file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    Npz::new(BufReader::new(file)).map_err(|fault| fault.at(path))
}
