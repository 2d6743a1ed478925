//! Writes a quantized network under the name that it is found by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rut_formats::whole_file::write_whole;

use super::new_files::{Existing, NewFiles, write_failed};
use crate::array::Array;
use crate::error::Result;
use crate::quantize::{QuantizationDescription, quantized_file};

/// Where a quantized network is written: `{model}_w{bits}_checkpoint.safetensors` in a folder, with `a{bits}` behind the bits of
/// weights where activations have few bits, and a label behind the model where there is one.
#[derive(Debug, Clone, Copy)]
pub struct NewQuantized<'a> {
    /// The folder, which is made.
    pub directory: &'a Path,
    /// The model's name in the table.
    pub model: &'a str,
    /// Letters, digits, `-`, `_` and `.`.
    pub label: Option<&'a str>,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Bits of an activation.
    pub activation_bits: Option<u32>,
    /// What becomes of a file that is there already.
    pub existing: Existing,
}

impl NewQuantized<'_> {
    /// Makes the folder, and says where the file will be.
    ///
    /// # Errors
    ///
    /// [`Error::Label`](crate::Error::Label) for a label that is no part of a network's name;
    /// [`Error::NetworkExists`](crate::Error::NetworkExists) where the file is there and must stay, or another of these bits, so
    /// that neither would be found; [`Error::Write`](crate::Error::Write).
    pub fn file(&self) -> Result<PathBuf> {
        let activations = self.activation_bits;
        let activations = activations.map_or_else(String::new, |bits| format!("a{bits}"));
        let new = NewFiles {
            directory: self.directory,
            model: self.model,
            label: self.label,
            state: &format!("w{}{activations}", self.weight_bits),
            existing: self.existing,
            taken: "name another folder, or replace it (`overwrite`)",
            ambiguous: "of two networks of the same bits neither is found; name another folder",
        };
        let [checkpoint] = new.paths(["checkpoint"])?;
        Ok(checkpoint)
    }

    /// Writes the file, completely or not at all; gives where it is. The same content has the same bytes.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file), and [`Error::Write`](crate::Error::Write) where the disk is full.
    pub fn write(
        &self,
        arrays: &BTreeMap<String, Array>,
        description: &QuantizationDescription,
    ) -> Result<PathBuf> {
        let path = self.file()?;
        let bytes = quantized_file(arrays, description)?;
        write_whole(&path, &bytes).map_err(write_failed(&path))?;
        Ok(path)
    }
}
