//! Reads what `torch.save` wrote, zipped or legacy, without running any of the pickle's code.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rut_formats::torch::{self, Refusal, TorchFile};

use super::element::Element;
use super::entry::{Decode, Entry, Raw, Wanted, damaged};
use crate::error::{Error, Result};

pub(super) fn read<T>(
    path: &Path,
    file: File,
    wanted: Wanted<'_>,
    decode: Decode<'_, T>,
) -> Result<Raw<T>> {
    let refused = |Refusal { reason, remedy }| damaged(path, reason, remedy);
    let mut file = TorchFile::open(BufReader::new(file)).map_err(refused)?;
    if let (true, Some(object)) = (file.tensors().is_empty(), file.object()) {
        let remedy = if object.contains("`numpy.") {
            "load it in Python and save tensors: torch.save({name: torch.as_tensor(array), ...}, ...)"
        } else {
            "load it in Python and save its weights: torch.save(model.state_dict(), ...)"
        };
        let reason = format!("it holds no tensors but {object}");
        return Err(damaged(path, reason, remedy));
    }
    let mut raw = Raw {
        metadata: Default::default(),
        digest: String::new(),
        entries: Default::default(),
        left_out: 0,
    };
    let others = file.tensors().iter().filter(|tensor| !wanted(&tensor.name));
    raw.left_out = others.count();
    let read = file.read(
        |tensor| wanted(&tensor.name),
        |tensor, bytes| {
            let value = decode(Entry {
                name: &tensor.name,
                element: element(tensor.element),
                shape: &tensor.shape,
                bytes,
            })?;
            raw.entries.insert(tensor.name.clone(), value);
            Ok(())
        },
    );
    read.map_err(|stopped| match stopped {
        Stopped::Refused(refusal) => refused(refusal),
        Stopped::Failed(error) => error,
    })?;
    Ok(raw)
}

/// Why reading stopped: the file was refused, or a tensor was.
enum Stopped {
    Refused(Refusal),
    Failed(Error),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Stopped {
        Stopped::Refused(refusal)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped::Failed(error)
    }
}

fn element(element: torch::Element) -> Element {
    match element {
        torch::Element::F64 => Element::F64,
        torch::Element::F32 => Element::F32,
        torch::Element::F16 => Element::F16,
        torch::Element::Bf16 => Element::BF16,
        torch::Element::I64 => Element::I64,
        torch::Element::I32 => Element::I32,
        torch::Element::I16 => Element::I16,
        torch::Element::I8 => Element::I8,
        torch::Element::U64 => Element::U64,
        torch::Element::U32 => Element::U32,
        torch::Element::U16 => Element::U16,
        torch::Element::U8 => Element::U8,
        torch::Element::Bool => Element::BOOL,
        torch::Element::Other(name) => Element::other(name),
    }
}
