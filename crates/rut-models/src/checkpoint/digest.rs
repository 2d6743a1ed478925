//! SHA-256 of a file, so that weights are identified by content.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

use rut_formats::Digest;

/// SHA-256 of a file, read in pieces, 64 lowercase hexadecimal digits.
pub(super) fn of_file(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    Ok(Digest::of_reader(file)?.to_string())
}
