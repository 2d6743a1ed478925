//! SHA-256 of a file, so that weights are identified by content.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

use sha2::{Digest, Sha256};

/// SHA-256 of a file, read in pieces, 64 lowercase hexadecimal digits.
pub(super) fn of_file(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    file.seek(SeekFrom::Start(0))?;
    io::copy(file, &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
}
