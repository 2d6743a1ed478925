//! Reads a safetensors file: its header, which is checked with the file's length before anything is made of it, and then
//! one tensor after the other.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rut_formats::escape;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::element::Element;
use super::entry::{Decode, Entry, Raw, Wanted, damaged, io};
use crate::error::Result;

const REMEDY: &str = "download or copy the file again";
/// Bytes of the header's length, which stands first.
const LENGTH: u64 = 8;
/// The longest header of a small file; larger ones may have one of this share of them.
const LONGEST_HEADER: u64 = 1 << 20;
const HEADER_SHARE: u64 = 32;
/// The most axes of a tensor, as PyTorch has them.
const MOST_AXES: usize = 64;

pub(super) fn read<T>(
    path: &Path,
    mut file: impl Read + Seek,
    wanted: Wanted<'_>,
    decode: Decode<'_, T>,
) -> Result<Raw<T>> {
    let (metadata, start) = header(path, &mut file)?;
    let mut raw = Raw {
        digest: String::new(),
        entries: Default::default(),
        metadata: metadata
            .metadata()
            .iter()
            .flatten()
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect(),
        left_out: 0,
    };
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else {
            continue;
        };
        if !wanted(&name) {
            raw.left_out += 1;
            continue;
        }
        let bytes = elements(path, &mut file, start, info)?;
        let value = decode(Entry {
            name: &name,
            element: element(info.dtype),
            shape: &info.shape,
            bytes: &bytes,
        })?;
        raw.entries.insert(name, value);
    }
    Ok(raw)
}

/// The header, and where the tensors begin.
fn header(path: &Path, file: &mut (impl Read + Seek)) -> Result<(Metadata, u64)> {
    let length = file.seek(SeekFrom::End(0)).map_err(io(path))?;
    let misfit = |what: &str| {
        let reason = format!("its safetensors header does not fit its {length} bytes ({what})");
        damaged(path, reason, REMEDY)
    };
    let mut first = [0; LENGTH as usize];
    file.seek(SeekFrom::Start(0)).map_err(io(path))?;
    file.read_exact(&mut first).map_err(io(path))?;
    let header = u64::from_le_bytes(first);
    if header > length.saturating_sub(LENGTH) {
        return Err(misfit(&format!("it declares {header} of its own")));
    }
    let most = LONGEST_HEADER + length / HEADER_SHARE;
    if header > most {
        let reason =
            format!("its safetensors header has {header} bytes, of which at most {most} are read");
        let remedy = "save the weights of one network, without other metadata";
        return Err(damaged(path, reason, remedy));
    }
    let mut bytes = vec![0; header as usize];
    file.read_exact(&mut bytes).map_err(io(path))?;
    let metadata: Metadata = serde_json::from_slice(&bytes)
        .map_err(|error| misfit(&escape(&error.to_string()).to_string()))?;
    let start = LENGTH + header;
    if start.checked_add(metadata.data_len() as u64) != Some(length) {
        let declared = metadata.data_len();
        return Err(misfit(&format!("its tensors have {declared} bytes")));
    }
    Ok((metadata, start))
}

/// The bytes of a tensor, which the header has placed within the file.
fn elements(
    path: &Path,
    file: &mut (impl Read + Seek),
    start: u64,
    info: &TensorInfo,
) -> Result<Vec<u8>> {
    if info.shape.len() > MOST_AXES {
        let reason = format!(
            "one of its tensors has {} axes, more than {MOST_AXES}",
            info.shape.len()
        );
        return Err(damaged(path, reason, "save it with fewer axes"));
    }
    let (from, to) = info.data_offsets;
    let mut bytes = vec![0; to.saturating_sub(from)];
    file.seek(SeekFrom::Start(start + from as u64))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(io(path))?;
    Ok(bytes)
}

fn element(dtype: Dtype) -> Element {
    match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U64 => Element::U64,
        Dtype::U32 => Element::U32,
        Dtype::U16 => Element::U16,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::BOOL,
        Dtype::C64 => Element::other("complex64"),
        Dtype::F8_E4M3 => Element::other("float8_e4m3"),
        Dtype::F8_E5M2 => Element::other("float8_e5m2"),
        _ => Element::other("sub-byte"),
    }
}
