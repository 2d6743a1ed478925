//! Writes a quantized network under the name that it is found by.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rut_formats::whole_file::write_together;

use super::new_ticket::{Existing, is_label, write_failed};
use super::{Search, names};
use crate::array::Array;
use crate::bundled;
use crate::error::{Error, Result};
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
    /// [`Error::Prune`] for a label that is no part of a network's name; [`Error::TicketExists`] where the file is there and must
    /// stay, or another of these bits, so that neither would be found; [`Error::Write`].
    pub fn file(&self) -> Result<PathBuf> {
        let (directory, model) = (self.directory, self.model);
        if bundled::names(directory).is_some() {
            let reason = "these networks are part of the program; expected a folder";
            return Err(write_failed(directory)(io::Error::other(reason)));
        }
        std::fs::create_dir_all(directory).map_err(write_failed(directory))?;
        let activations = self.activation_bits;
        let activations = activations.map_or_else(String::new, |bits| format!("a{bits}"));
        let bits = format!("w{}{activations}", self.weight_bits);
        let label = self
            .label
            .map_or_else(String::new, |label| format!("_{label}"));
        let own = format!("{model}{label}_{bits}_checkpoint.safetensors");
        let search = Search {
            directory,
            model,
            state: &bits,
            names: names(directory)?,
        };
        let is_named = self.label.is_none_or(is_label)
            && search.is_match(&own, &format!("_{bits}_checkpoint"));
        if !is_named {
            return Err(Error::Prune {
                field: "label",
                expected: "letters, digits, `-`, `_` and `.` that do not make another model's name"
                    .into(),
                found: format!("`{}`", self.label.unwrap_or_default()),
            });
        }
        let refused = |name: &&str| *name != own || self.existing == Existing::Refuse;
        if let Some(name) = search.matches("checkpoint").into_iter().find(refused) {
            return Err(Error::TicketExists {
                path: directory.join(name),
                remedy: if name == own {
                    "name another folder, or replace it (`overwrite`)"
                } else {
                    "of two networks of the same bits neither is found; name another folder"
                },
            });
        }
        Ok(directory.join(own))
    }

    /// Writes the file, completely or not at all; gives where it is. The same content has the same bytes.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file), and [`Error::Write`] where the disk is full.
    pub fn write(
        &self,
        arrays: &BTreeMap<String, Array>,
        description: &QuantizationDescription,
    ) -> Result<PathBuf> {
        let path = self.file()?;
        let bytes = quantized_file(arrays, description)?;
        write_together(&[(&path, &bytes)]).map_err(|(_, source)| write_failed(&path)(source))?;
        Ok(path)
    }
}
