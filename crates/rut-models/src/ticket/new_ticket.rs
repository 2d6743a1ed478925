//! Writes the two files of a ticket under the names that it is found by.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rut_formats::whole_file::write_together;

use super::{Search, TicketFiles, names};
use crate::array::Array;
use crate::bundled;
use crate::error::{Error, Result};
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

/// What becomes of files that have the names of new ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is written.
    #[default]
    Refuse,
    /// They are replaced.
    Replace,
}

impl NewTicket<'_> {
    /// Makes the folder, and says where the files will be.
    ///
    /// # Errors
    ///
    /// [`Error::Prune`] for a label that is no part of a ticket's name; [`Error::TicketExists`] where one of its files is there
    /// and must stay, or another of this state, so that neither would be found; [`Error::Write`].
    pub fn files(&self) -> Result<TicketFiles> {
        let Self {
            directory,
            model,
            label,
            state,
            existing,
        } = *self;
        let own = |what: &str| format!("{model}_{label}_{state}_{what}.safetensors");
        let parts = ["checkpoint", "mask"].map(|what| (what, own(what)));
        let failed = write_failed(directory);
        if bundled::names(directory).is_some() {
            let reason = "these networks are part of the program; expected a folder";
            return Err(failed(io::Error::other(reason)));
        }
        std::fs::create_dir_all(directory).map_err(&failed)?;
        let number = state.to_string();
        let search = Search {
            directory,
            model,
            state: &number,
            names: names(directory)?,
        };
        let found =
            |(what, name): &(&str, String)| search.is_match(name, &format!("_{state}_{what}"));
        if !is_label(label) || !parts.iter().all(found) {
            return Err(Error::Prune {
                field: "label",
                expected: "letters, digits, `-`, `_` and `.` that do not make another model's name"
                    .into(),
                found: format!("`{label}`"),
            });
        }
        for (what, own) in &parts {
            let refused = |name: &&str| name != own || existing == Existing::Refuse;
            if let Some(name) = search.matches(what).into_iter().find(refused) {
                return Err(Error::TicketExists {
                    path: directory.join(name),
                    remedy: if name == own {
                        "name another folder or number (field `state`), or replace it (`overwrite`)"
                    } else {
                        "of two tickets of one state neither is found; name another folder or number (field `state`)"
                    },
                });
            }
        }
        let [checkpoint, mask] = parts.map(|(_, name)| directory.join(name));
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
    /// As [`files`](Self::files), and [`Error::Write`] where the disk is full.
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

/// Whether a part of a name is one: letters, digits, `-`, `_` and `.`.
pub(super) fn is_label(label: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !label.is_empty() && label.chars().all(plain)
}

pub(super) fn write_failed(path: &Path) -> impl Fn(io::Error) -> Error {
    let path: PathBuf = path.to_path_buf();
    move |source| Error::Write {
        path: path.clone(),
        source,
    }
}
