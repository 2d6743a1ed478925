//! What a person has to do where no program can: what to get, from where, and where to put it.

use std::path::{Path, PathBuf};

use rut_data::{Archive, DatasetSpec, Form, SplitSpec};

use crate::delivery::expected;
use crate::digest::Expected;
use crate::session::Session;
use crate::slot::Slot;

/// What a person has to get.
#[derive(Debug)]
pub(crate) struct Errand<'a> {
    /// What it is a part of.
    pub(crate) name: &'a str,
    /// The file.
    pub(crate) file: &'a str,
    /// What it should be.
    pub(crate) expected: Expected<'a>,
    /// Where to look for it, in words.
    pub(crate) from: &'a str,
    /// Where to put it.
    pub(crate) put: &'a Path,
    /// Arguments of `rut fetch` that take it from there.
    pub(crate) arguments: &'a str,
}

impl Errand<'_> {
    /// Instructions, where a program could fetch it until `why`: `from URL: …`.
    pub(crate) fn instructions(&self, why: &str) -> String {
        [
            format!("{}: {} cannot be fetched {why}", self.name, self.file),
            format!("  get   {} ({})", self.file, checksums(&self.expected)),
            format!("  from  {}", self.from),
            format!("  put   it to {}", self.put.display()),
            format!("  then  `rut fetch {}` again", self.arguments),
        ]
        .join("\n")
    }
}

/// Instructions for an archive that a program could fetch until `why`.
pub(crate) fn for_archive(
    spec: &DatasetSpec,
    archive: &Archive,
    session: &Session,
    why: &str,
) -> String {
    let entry = session.options.lock.entry(archive.file).ok().flatten();
    let errand = Errand {
        name: spec.name,
        file: archive.file,
        expected: expected(archive, entry.as_ref()),
        from: &format!("{}, or where {} has it now", archive.url, spec.source),
        put: &Slot::of(&session.options.data_dir, archive.file).file,
        arguments: spec.name,
    };
    errand.instructions(why)
}

/// Instructions of the table, for what no program may fetch.
pub(crate) fn of_table(spec: &DatasetSpec, words: &str, session: &Session) -> String {
    let folder = session.options.data_dir.display();
    format!("{}: {words} (the data folder is {folder})", spec.name)
}

fn checksums(expected: &Expected<'_>) -> String {
    let known = [
        ("MD5", expected.md5),
        ("SHA-256", expected.sha256),
        ("SHA-256 that begins with", expected.sha256_prefix),
        ("as LOCK.json has it: SHA-256", expected.locked),
    ];
    let known: Vec<_> = known
        .into_iter()
        .filter_map(|(name, digits)| Some(format!("{name} {}", digits?)))
        .collect();
    if known.is_empty() {
        return "no checksum is published".to_owned();
    }
    known.join(", ")
}

/// How much of a data set is in the data folder, however it came there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The files of no split.
    None,
    /// Those of some splits.
    Part,
    /// Those of every split.
    Whole,
}

/// Looks for the files of each split.
pub(crate) fn presence(spec: &DatasetSpec, data_dir: &Path) -> Presence {
    let roots = [data_dir.to_path_buf(), data_dir.join(spec.name)];
    let is_there = |form: &Form| {
        let has_all = |root: &PathBuf| form.layout.iter().all(|path| root.join(path).exists());
        !form.layout.is_empty() && roots.iter().any(has_all)
    };
    let has_one = |split: &&SplitSpec| split.forms.iter().any(is_there);
    match spec.splits.iter().filter(has_one).count() {
        0 => Presence::None,
        count if count < spec.splits.len() => Presence::Part,
        _ => Presence::Whole,
    }
}
