//! Verifies the files of a finished run with the checksums in its record, without parsing them.

use std::collections::BTreeMap;
use std::path::Path;

use rut_formats::checksum::Checksum;

use crate::error::{Error, Result, file};
use crate::record::Record;
use crate::run_dir::{FINISHED_REMEDY, RunDir};
use crate::sealed::CHANGED;
use crate::spec::Method;

/// Whether files could be verified with checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// They are what was written.
    Checked,
    /// The record has no checksums, for an earlier version wrote it.
    Unchecked,
}

impl Verification {
    /// The note for users.
    pub fn note(self) -> Option<&'static str> {
        (self == Self::Unchecked).then_some(
            "an earlier version wrote the run, without checksums of its files: they are not checked",
        )
    }
}

impl RunDir {
    /// Checksums of the files that are there of a finished run of `method`, by name; its record is none of them.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn checksums(&self, method: Method) -> Result<BTreeMap<String, String>> {
        let kept = self.kept(method);
        let there = kept.iter().filter(|path| path.exists());
        there
            .map(|path| {
                let checksum = Checksum::of_file(path).map_err(file("read", path))?;
                Ok((file_name(path), checksum.digits()))
            })
            .collect()
    }

    /// Whether the run is finished, and its record and files are what was written; `None` if it is not finished.
    ///
    /// # Errors
    /// As [`read_record`](Self::read_record) and [`check_files`](Self::check_files).
    pub fn finished(&self) -> Result<Option<Verification>> {
        if self.is_finished() {
            self.check_files(&self.read_record()?).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Verifies the existing files of the finished run with its `record`. Missing files are ignored.
    ///
    /// # Errors
    /// [`Error::Broken`] if one is not what was written, with its name and what to do.
    pub fn check_files(&self, record: &Record) -> Result<Verification> {
        if record.files.is_empty() {
            return Ok(Verification::Unchecked);
        }
        for (name, found) in self.checksums(record.spec.method())? {
            if record
                .files
                .get(&name)
                .is_some_and(|recorded| *recorded != found)
            {
                return Err(Error::Broken {
                    path: self.path().join(name),
                    problem: format!("{CHANGED}; {FINISHED_REMEDY}"),
                });
            }
        }
        Ok(Verification::Checked)
    }
}

/// Verifies a file with the record next to it, if it belongs to a finished run; `None` if not.
///
/// # Errors
/// As [`RunDir::finished`].
pub fn check_file(path: &Path) -> Result<Option<Verification>> {
    let dir = RunDir::at(path.parent().unwrap_or(Path::new("")));
    if path.file_name() == dir.logits().file_name() {
        dir.finished()
    } else {
        Ok(None)
    }
}

/// The last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
