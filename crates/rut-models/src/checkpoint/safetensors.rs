//! Reads a safetensors file. The file is read whole, and every length in its header is checked against what was read
//! before anything is made of it, so a header that lies allocates nothing.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::digest;
use super::element::Element;
use super::reader::{Decode, Entry, Raw, Wanted, damaged};
use crate::error::{Error, Result};

const REMEDY: &str = "download or copy the file again";

pub(super) fn read<T>(path: &Path, wanted: Wanted<'_>, decode: Decode<'_, T>) -> Result<Raw<T>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: path.to_path_buf(),
        source,
    })?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| {
        damaged(
            path,
            format!(
                "its safetensors header does not fit its {} bytes ({error})",
                bytes.len()
            ),
            REMEDY,
        )
    })?;
    let mut raw = Raw {
        digest: digest::of_bytes(&bytes),
        entries: Default::default(),
        left_out: 0,
    };
    for (name, tensor) in file.iter() {
        if !wanted(name) {
            raw.left_out += 1;
            continue;
        }
        let value = decode(Entry {
            name,
            element: element(path, name, tensor.dtype())?,
            shape: tensor.shape(),
            bytes: tensor.data(),
        })?;
        raw.entries.insert(name.to_string(), value);
    }
    Ok(raw)
}

fn element(path: &Path, name: &str, dtype: Dtype) -> Result<Element> {
    Ok(match dtype {
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
        other => {
            return Err(Error::ElementType {
                path: path.to_path_buf(),
                name: name.into(),
                found: format!("{other:?}"),
                expected: "floats, integers or booleans of at least 8 bits that every framework knows",
            });
        }
    })
}
