//! Reads what `torch.save` wrote, zipped or legacy, without running any of the pickle's code.

use std::path::Path;

use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};

use super::digest;
use super::element::Element;
use super::reader::{Decode, Entry, Raw, Wanted, damaged};
use crate::error::{Error, Result};

const REMEDY: &str = "download it again, or save it anew with torch.save(model.state_dict(), ...)";

pub(super) fn read<T>(path: &Path, wanted: Wanted<'_>, decode: Decode<'_, T>) -> Result<Raw<T>> {
    let reader = PytorchReader::new(path).map_err(|error| unreadable(path, &error))?;
    let (wanted, others): (Vec<Tensor>, Vec<Tensor>) = reader
        .into_tensors()
        .into_values()
        .partition(|tensor| wanted(&tensor.name));
    check_sizes(path, &wanted)?;
    let mut raw = Raw {
        digest: digest::of_file(path)?,
        entries: Default::default(),
        left_out: others.len(),
    };
    for tensor in wanted {
        let bytes = tensor
            .read()
            .map_err(|error| damaged(path, error.to_string(), REMEDY))?;
        let value = decode(Entry {
            name: &tensor.name,
            element: element(tensor.dtype()),
            shape: tensor.shape(),
            bytes: &bytes,
        })?;
        raw.entries.insert(tensor.name, value);
    }
    Ok(raw)
}

fn unreadable(path: &Path, error: &PytorchError) -> Error {
    if is_torch_script(path) {
        let remedy = "save its weights: torch.save(torch.jit.load(path).state_dict(), ...)";
        return damaged(
            path,
            "it is a TorchScript archive, a program and not a state dict".into(),
            remedy,
        );
    }
    damaged(path, error.to_string(), REMEDY)
}

/// Whether the file is a zip archive with the entry that only `torch.jit.save` writes.
fn is_torch_script(path: &Path) -> bool {
    const ENTRY: &[u8] = b"/constants.pkl";
    std::fs::read(path).is_ok_and(|bytes| {
        bytes.starts_with(b"PK") && bytes.windows(ENTRY.len()).any(|window| window == ENTRY)
    })
}

/// Refuses tensors that would take more memory than the file has bytes: a view with stride 0 can declare any size.
fn check_sizes(path: &Path, tensors: &[Tensor]) -> Result<()> {
    /// Parameters may share a storage, but not many of them.
    const SHARED: u64 = 4;
    let file = path.metadata().map_err(|source| Error::Io {
        path: path.to_path_buf(),
        source,
    })?;
    let mut total: u64 = 0;
    for tensor in tensors {
        let size = tensor.byte_len() as u64;
        total = total.saturating_add(size);
        if size > file.len() || total > file.len().saturating_mul(SHARED) {
            let reason = format!(
                "`{}` declares {size} bytes, more than the file's {} bytes can hold",
                tensor.name,
                file.len()
            );
            return Err(damaged(
                path,
                reason,
                "make expanded tensors contiguous before saving",
            ));
        }
    }
    Ok(())
}

fn element(dtype: DType) -> Element {
    match dtype {
        DType::F64 => Element::F64,
        DType::F32 => Element::F32,
        DType::F16 => Element::F16,
        DType::BF16 => Element::BF16,
        DType::I64 => Element::I64,
        DType::I32 => Element::I32,
        DType::I16 => Element::I16,
        DType::I8 => Element::I8,
        DType::U64 => Element::U64,
        DType::U32 => Element::U32,
        DType::U16 => Element::U16,
        DType::U8 => Element::U8,
        DType::Bool => Element::BOOL,
    }
}
