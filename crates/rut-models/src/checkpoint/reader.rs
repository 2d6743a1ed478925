//! Opens a file of named tensors, whatever its format, and hands each tensor to a decoder.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use rut_formats::{Digest, regular};

use super::entry::{Decode, Raw, Wanted, damaged, io};
use super::{digest, pytorch, safetensors};
use crate::bundled::bundled;
use crate::error::Result;

/// The first bytes of a safetensors file: the header's length, and the brace that opens it.
const SAFETENSORS_START: usize = 9;

/// Reads all wanted tensors of a file.
pub(crate) fn read<T>(path: &Path, wanted: Wanted<'_>, decode: Decode<'_, T>) -> Result<Raw<T>> {
    if let Some(bytes) = bundled(path) {
        let mut raw = safetensors::read(path, Cursor::new(bytes), wanted, decode)?;
        raw.digest = Digest::of_bytes(bytes).to_string();
        return Ok(raw);
    }
    let (mut file, start) = open(path)?;
    if start.is_empty() {
        return Err(damaged(
            path,
            "the file is empty".into(),
            "download or copy it again",
        ));
    }
    let digest = digest::of_file(&mut file).map_err(io(path))?;
    let mut raw = if start.get(SAFETENSORS_START - 1) == Some(&b'{') {
        safetensors::read(path, file, wanted, decode)?
    } else {
        pytorch::read(path, file, wanted, decode)?
    };
    raw.digest = digest;
    if raw.entries.is_empty() {
        let remedy = "save the state dict itself: torch.save(model.state_dict(), ...)";
        return Err(damaged(path, "it holds no tensors".into(), remedy));
    }
    Ok(raw)
}

/// The file and its first bytes.
fn open(path: &Path) -> Result<(File, Vec<u8>)> {
    let mut start = Vec::new();
    let limit = SAFETENSORS_START as u64;
    let mut file = regular::open(path, regular::WEIGHTS).map_err(io(path))?;
    let read = file.by_ref().take(limit).read_to_end(&mut start);
    read.map_err(io(path))?;
    Ok((file, start))
}
