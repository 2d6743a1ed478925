//! Writes the two files of a ticket under the names that it is found by.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rut_formats::whole_file::write_together;

use super::TicketFiles;
use super::new_files::{Existing, NewFiles, write_failed};
use crate::array::Array;
use crate::error::Result;
use crate::mask::MaskArray;
use crate::stored::{Stored, safetensors_bytes};

/// The metadata entry that says how a ticket was made.
const KEY: &str = "rut.ticket";

/// Where a ticket is written: `{model}_{label}_{state}_checkpoint.safetensors` and `…_mask.safetensors` in a folder.
#[derive(Debug, Clone, Copy)]
pub struct NewTicket<'a> {
    /// The folder, which is made.
    pub directory: &'a Path,
    /// The model's name in the table.
    pub model: &'a str,
    /// Letters, digits, `-`, `_` and `.`.
    pub label: &'a str,
    /// The number that it is found by.
    pub state: u32,
    /// What becomes of files that are there already.
    pub existing: Existing,
}

impl NewTicket<'_> {
    /// Makes the folder, and says where the files will be.
    ///
    /// # Errors
    ///
    /// [`Error::Label`](crate::Error::Label) for a label that is no part of a ticket's name;
    /// [`Error::NetworkExists`](crate::Error::NetworkExists) where one of its files is there and must stay, or another of this
    /// state, so that neither would be found; [`Error::Write`](crate::Error::Write).
    pub fn files(&self) -> Result<TicketFiles> {
        let new = NewFiles {
            directory: self.directory,
            model: self.model,
            label: Some(self.label),
            state: &self.state.to_string(),
            existing: self.existing,
            taken: "name another folder or number (field `state`), or replace it (`overwrite`)",
            ambiguous: "of two tickets of one state neither is found; name another folder or number (field `state`)",
        };
        let [checkpoint, mask] = new.paths(["checkpoint", "mask"])?;
        Ok(TicketFiles {
            checkpoint,
            mask: Some(mask),
        })
    }

    /// Writes weights and masks, both files or neither. `about`, how it was made, is the metadata entry `rut.ticket` of both.
    /// The same content has the same bytes.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files), and [`Error::Write`](crate::Error::Write) where the disk is full.
    pub fn write(
        &self,
        arrays: &BTreeMap<String, Array>,
        masks: &BTreeMap<String, MaskArray>,
        about: &str,
    ) -> Result<TicketFiles> {
        let files = self.files()?;
        let bytes = |path: &Path, tensors: BTreeMap<&str, Stored<'_>>| {
            let failed = write_failed(path);
            safetensors_bytes(tensors, KEY, about).map_err(|error| failed(io::Error::other(error)))
        };
        let mask = files.mask.clone().unwrap_or_default();
        let arrays = arrays.iter();
        let arrays = arrays.map(|(name, array)| (name.as_str(), Stored::array(array)));
        let masks = masks.iter();
        let masks = masks.map(|(name, mask)| (name.as_str(), Stored::mask(mask)));
        let masks = bytes(&mask, masks.collect())?;
        let weights = bytes(&files.checkpoint, arrays.collect())?;
        let all: [(&Path, &[u8]); 2] = [(&mask, &masks), (&files.checkpoint, &weights)];
        write_together(&all).map_err(|(index, source)| write_failed(all[index].0)(source))?;
        Ok(files)
    }
}
