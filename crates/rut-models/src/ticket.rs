//! The files of a lottery ticket, of a dense or of a quantized network, by name: finds them, and in `new_ticket` and
//! `new_quantized` writes them. Names are `{model}*_{state}_checkpoint` and `{model}*_{state}_mask`.

mod new_files;
mod new_quantized;
mod new_ticket;

use std::path::{Path, PathBuf};

pub use new_files::Existing;
pub use new_quantized::NewQuantized;
pub use new_ticket::NewTicket;

use crate::bundled;
use crate::error::{Error, Result};
use crate::registry::MODELS;
use crate::spec::ModelSpec;

/// Endings of files that can be read.
const ENDINGS: &[&str] = &[".safetensors", ".pth", ".pt", ".th"];

/// The files of one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketFiles {
    /// The trained values; pruned places may hold anything.
    pub checkpoint: PathBuf,
    /// Which weights stay; `None` for a dense member without one.
    pub mask: Option<PathBuf>,
}

/// The files of `model` after `state` rounds of pruning, in the folder `directory`, for instance
/// `resnet50_dyn4_8_checkpoint.pth` and `resnet50_dyn4_8_mask.pth`. State 0 is the dense member of a series and needs
/// no mask.
///
/// # Errors
///
/// [`Error::Ticket`] where nothing matches, with what is there; [`Error::AmbiguousTicket`] where several files match;
/// [`Error::Io`] where the folder cannot be read.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// for name in ["resnet18_a_2_checkpoint.pth", "resnet18_a_2_mask.pth"] {
///     std::fs::write(folder.path().join(name), "")?;
/// }
/// let files = rut_models::find_ticket(folder.path(), "resnet18", 2)?;
/// assert_eq!(files.mask, Some(folder.path().join("resnet18_a_2_mask.pth")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find_ticket(directory: &Path, model: &str, state: u32) -> Result<TicketFiles> {
    let search = Search {
        directory,
        model,
        state: &state.to_string(),
        names: names(directory)?,
    };
    let checkpoint = search.one("checkpoint")?;
    let mask = match search.matches("mask")[..] {
        [] if state == 0 => None,
        _ => Some(search.one("mask")?),
    };
    Ok(TicketFiles { checkpoint, mask })
}

/// The dense checkpoint of `model` in the folder `directory`: state 0 of a series of tickets, or a file with the name that
/// weights of the table are published under, converted or not ([`WeightsSpec::stem`](crate::WeightsSpec::stem)).
///
/// # Errors
///
/// As [`find_ticket`].
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("resnet50-0676ba61.safetensors");
/// std::fs::write(&file, "")?;
/// let resnet50 = rut_models::find("resnet50").expect("in the table");
/// assert_eq!(rut_models::find_dense(folder.path(), resnet50)?, file);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find_dense(directory: &Path, model: &ModelSpec) -> Result<PathBuf> {
    let search = Search {
        directory,
        model: model.name,
        state: "0",
        names: names(directory)?,
    };
    let published = model.weights.iter().filter_map(|weights| {
        let file = |ending: &str| format!("{}{ending}", weights.stem());
        // Converted weights and what they were converted from are the same.
        ENDINGS
            .iter()
            .map(|ending| file(ending))
            .find(|file| search.names.contains(file))
    });
    let mut found: Vec<String> = published.collect();
    found.extend(
        search
            .matches("checkpoint")
            .iter()
            .map(|&name| name.to_owned()),
    );
    match found.as_slice() {
        [] => search.one("checkpoint"),
        [name] => Ok(directory.join(name)),
        several => Err(search.ambiguous("checkpoint", several)),
    }
}

/// The checkpoint of the quantized `model` in the folder `directory` whose name says `bits`, for instance
/// `resnet50_w4_checkpoint.safetensors` for `w4`.
///
/// # Errors
///
/// As [`find_ticket`].
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("resnet50_w4a8_checkpoint.safetensors");
/// std::fs::write(&file, "")?;
/// assert_eq!(rut_models::find_quantized(folder.path(), "resnet50", "w4a8")?, file);
/// assert!(rut_models::find_quantized(folder.path(), "resnet50", "w4").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find_quantized(directory: &Path, model: &str, bits: &str) -> Result<PathBuf> {
    let search = Search {
        directory,
        model,
        state: bits,
        names: names(directory)?,
    };
    search.one("checkpoint")
}

/// The names of a folder's files, in order.
fn names(directory: &Path) -> Result<Vec<String>> {
    if let Some(names) = bundled::names(directory) {
        return Ok(names);
    }
    let io = |source| Error::Io {
        path: directory.to_path_buf(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        names.push(
            entry
                .map_err(io)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

struct Search<'a> {
    directory: &'a Path,
    model: &'a str,
    /// The number of a ticket's state, or the bits of a quantized network.
    state: &'a str,
    names: Vec<String>,
}

impl Search<'_> {
    fn matches(&self, what: &str) -> Vec<&str> {
        let end = format!("_{}_{what}", self.state);
        self.names
            .iter()
            .map(String::as_str)
            .filter(|name| self.is_match(name, &end))
            .collect()
    }

    fn is_match(&self, name: &str, end: &str) -> bool {
        let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
        let middle = stem.and_then(|stem| stem.strip_suffix(end)?.strip_prefix(self.model));
        middle.is_some_and(|middle| middle.is_empty() || middle.starts_with('_'))
            && !self.is_of_longer_model(name)
    }

    /// `vgg11_bn_…` begins like `vgg11` but belongs to another model.
    fn is_of_longer_model(&self, name: &str) -> bool {
        MODELS
            .iter()
            .filter(|other| {
                other.name.len() > self.model.len() && other.name.starts_with(self.model)
            })
            .any(|other| {
                name.strip_prefix(other.name)
                    .is_some_and(|rest| rest.starts_with('_'))
            })
    }

    fn one(&self, what: &'static str) -> Result<PathBuf> {
        match self.matches(what)[..] {
            [name] => Ok(self.directory.join(name)),
            [] => Err(Error::Ticket {
                what,
                ticket: self.ticket(),
                directory: self.directory.to_path_buf(),
                pattern: self.pattern(what),
                found: format!("none; the folder holds {}", self.listing()),
            }),
            ref several => Err(self.ambiguous(what, several)),
        }
    }

    fn ambiguous(&self, what: &str, several: &[impl AsRef<str>]) -> Error {
        let names: Vec<&str> = several.iter().map(AsRef::as_ref).collect();
        Error::AmbiguousTicket {
            wanted: format!("{what} of {}", self.ticket()),
            directory: self.directory.to_path_buf(),
            pattern: self.pattern(what),
            found: names.join(", "),
        }
    }

    fn listing(&self) -> String {
        if self.names.is_empty() {
            "nothing".into()
        } else {
            self.names.join(", ")
        }
    }

    fn ticket(&self) -> String {
        let (model, state) = (self.model, self.state);
        if state.starts_with('w') {
            format!("{model}, {state}")
        } else {
            format!("{model}, state {state}")
        }
    }

    fn pattern(&self, what: &str) -> String {
        let (model, state) = (self.model, self.state);
        format!("{model}*_{state}_{what}{{{}}}", ENDINGS.join(","))
    }
}
