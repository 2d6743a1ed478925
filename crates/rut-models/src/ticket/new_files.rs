//! Where the files of a new network go, under the names that it is found by.

use std::io;
use std::path::{Path, PathBuf};

use super::{Search, names};
use crate::bundled;
use crate::error::{Error, Result};

/// What becomes of files that have the names of new ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is written.
    #[default]
    Refuse,
    /// They are replaced.
    Replace,
}

/// Files `{model}_{label}_{state}_{part}.safetensors` of a folder; without a label `{model}_{state}_{part}.safetensors`.
pub(super) struct NewFiles<'a> {
    pub(super) directory: &'a Path,
    pub(super) model: &'a str,
    pub(super) label: Option<&'a str>,
    /// The number of a ticket's state, or the bits of a quantized network.
    pub(super) state: &'a str,
    pub(super) existing: Existing,
    /// What to do where the file is there.
    pub(super) taken: &'static str,
    /// What to do where another file of this state is there, so that neither would be found.
    pub(super) ambiguous: &'static str,
}

impl NewFiles<'_> {
    /// Makes the folder, and says where the files of these parts will be.
    ///
    /// # Errors
    ///
    /// [`Error::Label`]; [`Error::NetworkExists`]; [`Error::Write`].
    pub(super) fn paths<const N: usize>(&self, parts: [&'static str; N]) -> Result<[PathBuf; N]> {
        let (directory, model, state) = (self.directory, self.model, self.state);
        if bundled::names(directory).is_some() {
            let reason = "these networks are part of the program; expected a folder";
            return Err(write_failed(directory)(io::Error::other(reason)));
        }
        std::fs::create_dir_all(directory).map_err(write_failed(directory))?;
        let search = Search {
            directory,
            model,
            state,
            names: names(directory)?,
        };
        let label = self
            .label
            .map_or_else(String::new, |label| format!("_{label}"));
        let own = parts.map(|part| format!("{model}{label}_{state}_{part}.safetensors"));
        let named =
            |(part, name): (&&str, &String)| search.is_match(name, &format!("_{state}_{part}"));
        if !self.label.is_none_or(is_label) || !parts.iter().zip(&own).all(named) {
            return Err(Error::Label {
                found: self.label.unwrap_or_default().to_owned(),
            });
        }
        for (part, own) in parts.iter().zip(&own) {
            let refused = |name: &&str| name != own || self.existing == Existing::Refuse;
            if let Some(name) = search.matches(part).into_iter().find(refused) {
                return Err(Error::NetworkExists {
                    path: directory.join(name),
                    remedy: if name == own {
                        self.taken
                    } else {
                        self.ambiguous
                    },
                });
            }
        }
        Ok(own.map(|name| directory.join(name)))
    }
}

fn is_label(label: &str) -> bool {
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
