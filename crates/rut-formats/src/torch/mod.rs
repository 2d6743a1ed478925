//! What `torch.save` writes (PyTorch, `torch/serialization.py`): a pickle whose tensors name storages
//! that stand beside it, in a zip archive or, before PyTorch 1.6, one after the other.
//!
//! Nothing is executed: tensors are understood, dicts and lists are walked, and objects of other
//! classes stay closed. Storages are read in one pass, a piece at a time; only the elements that a
//! tensor has are kept, whatever its strides.

mod element;
mod flatten;
mod gather;
mod layout;
mod legacy;
mod limits;
mod rebuild;
mod refusal;
mod storage;
#[cfg(test)]
mod tests;
mod view;

use std::io::{Read, Seek, SeekFrom};

pub use element::Element;
pub use refusal::Refusal;

use crate::pickle;
use crate::zip::fields::io;
use flatten::Flat;
use layout::Layout;
use storage::Storage;
use view::View;

/// A tensor of a file.
#[derive(Debug)]
pub struct Tensor {
    /// The keys under which it stands, from outside to inside, joined by points.
    pub name: String,
    /// What its elements are.
    pub element: Element,
    /// Length of each axis, outermost first.
    pub shape: Vec<usize>,
    /// Where its elements are; nowhere for elements that are not read.
    view: Option<View>,
}

/// An open file, whose pickle was read.
pub struct TorchFile<R> {
    layout: Layout<R>,
    tensors: Vec<Tensor>,
    storages: Vec<Storage>,
    object: Option<String>,
    length: u64,
}

impl<R: Read + Seek> TorchFile<R> {
    /// Reads the pickle of a file and finds its tensors.
    ///
    /// # Errors
    /// If the file is none that `torch.save` wrote, is damaged, or of a kind that is not read.
    pub fn open(mut source: R) -> Result<TorchFile<R>, Refusal> {
        let length = io(source.seek(SeekFrom::End(0)), "end")?;
        let (mut layout, bytes) = layout::open(source, length)?;
        let pickle = pickle::parse_names(&bytes, pickle::Names::Any)
            .map_err(|fault| fault.within("pickle"))?;
        let storages = storage::table(&pickle)?;
        let Flat { tensors, object } = flatten::flatten(&pickle, &storages)?;
        layout.locate(&storages)?;
        Ok(TorchFile {
            layout,
            tensors,
            storages: storages.into_vec(),
            object,
            length,
        })
    }

    /// All tensors, in the order in which they stand in the pickle.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Key and class of the first object that was not read, for messages about missing tensors.
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }
}
