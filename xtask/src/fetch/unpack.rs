//! Unpacking an archive into a folder of its own, and moving what is in that folder to its place.
//! Regular files and folders only; an archive that holds anything else is refused, as is one that
//! unpacks to far more than it is. Modes, owners and times are not taken over.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use tar::EntryType;
use zip::ZipArchive;

use super::archive::Kind;
use super::member::member_path;

/// The most that an archive may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files and folders.
    pub members: u64,
}

impl Limits {
    /// For an archive of `bytes` bytes: a hundred times that, and something for small ones. Pictures
    /// hardly shrink and tables shrink twentyfold; beyond that it is no data set.
    pub fn of_archive(bytes: u64) -> Self {
        Self {
            bytes: bytes.saturating_mul(100).saturating_add(64 << 20),
            members: 5_000_000,
        }
    }
}

/// Unpacks `archive` into the new folder `into`.
///
/// # Errors
/// If the archive is damaged, holds a link, a device or a path that leaves the folder, or is larger
/// than `limits` allow. What was unpacked until then stays in `into`, for the caller to remove.
pub fn unpack(archive: &Path, into: &Path, limits: Limits) -> Result<()> {
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut folder = Folder {
        root: into,
        left: limits,
    };
    fs::create_dir(into).with_context(|| format!("failed to create {}", into.display()))?;
    let file =
        File::open(archive).with_context(|| format!("failed to read {}", archive.display()))?;
    let unpacked = match Kind::of(&name) {
        // Twice the limit leaves room for the headers; it stops one file of zeros behind another.
        Kind::TarGz => {
            let reader = MultiGzDecoder::new(BufReader::new(file));
            folder.tar(reader.take(limits.bytes.saturating_mul(2)))
        }
        Kind::Tar => folder.tar(BufReader::new(file)),
        Kind::Zip => folder.zip(file),
        Kind::Plain => folder.plain(archive, &name),
    };
    unpacked.with_context(|| format!("failed to unpack {}", archive.display()))
}

/// A folder that is being filled, and what may still come.
struct Folder<'a> {
    root: &'a Path,
    left: Limits,
}

impl Folder<'_> {
    fn tar(&mut self, reader: impl Read) -> Result<()> {
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = String::from_utf8(entry.path_bytes().into_owned())
                .context("a file name is not UTF-8")?;
            let bytes = entry.size();
            match entry.header().entry_type() {
                EntryType::Directory => self.folder(&name)?,
                EntryType::Regular | EntryType::Continuous => {
                    self.file(&name, bytes, &mut entry)?
                }
                // A comment on the whole archive, as `git archive` writes it.
                EntryType::XGlobalHeader => {}
                EntryType::Symlink | EntryType::Link => bail!("refused `{name}`: a link"),
                other => bail!("refused `{name}`: neither a file nor a folder ({other:?})"),
            }
        }
        // The checksum of a compressed archive stands behind the last file.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(())
    }

    fn zip(&mut self, file: File) -> Result<()> {
        let mut archive = ZipArchive::new(BufReader::new(file))?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let name = entry.name()?.into_owned();
            let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
            if entry.is_symlink() || kind == 0o120_000 {
                bail!("refused `{name}`: a link");
            }
            if !matches!(kind, 0 | 0o100_000 | 0o040_000) {
                bail!("refused `{name}`: neither a file nor a folder (mode {kind:o})");
            }
            let bytes = entry.size();
            if entry.is_dir() {
                self.folder(&name)?
            } else {
                self.file(&name, bytes, &mut entry)?
            }
        }
        Ok(())
    }

    fn plain(&mut self, archive: &Path, name: &str) -> Result<()> {
        let place = self.root.join(name);
        if fs::hard_link(archive, &place).is_err() {
            fs::copy(archive, &place)?;
        }
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<()> {
        let path = self.admit(name)?;
        fs::create_dir_all(&path).with_context(|| format!("failed to create {}", path.display()))
    }

    fn file(&mut self, name: &str, bytes: u64, reader: &mut dyn Read) -> Result<()> {
        let path = self.admit(name)?;
        ensure!(
            bytes <= self.left.bytes,
            "refused `{name}`: the archive unpacks to far more than a data set would"
        );
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("failed to create {}", folder.display()))?;
        }
        let mut file =
            File::create(&path).with_context(|| format!("failed to create {}", path.display()))?;
        // One byte more than is declared is enough to see that the declaration lies.
        let written = io::copy(&mut reader.take(bytes + 1), &mut file)
            .with_context(|| format!("failed at `{name}`"))?;
        ensure!(
            written == bytes,
            "`{name}` is damaged: {bytes} bytes are declared and {written} are there"
        );
        file.flush()?;
        self.left.bytes -= written;
        Ok(())
    }

    /// Where the member called `name` goes, if there may be one more.
    fn admit(&mut self, name: &str) -> Result<PathBuf> {
        self.left.members = self
            .left
            .members
            .checked_sub(1)
            .context("refused: too many files for a data set")?;
        Ok(self.root.join(member_path(name)?))
    }
}

/// Moves what is in the folder `from` into the folder `to`: whole subfolders by one rename each where
/// nothing is there yet, file by file where something is. A file in the way is replaced.
///
/// # Errors
/// If a file stands where a folder should go, or the other way round, or something cannot be moved.
pub fn place(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create {}", to.display()))?;
    for (name, is_folder) in entries(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        match fs::symlink_metadata(&target) {
            Ok(there) if is_folder && there.is_dir() => {
                place(&source, &target)?;
                continue;
            }
            Ok(there) if is_folder || !there.is_file() => bail!(
                "{} is in the way: it is {} and a {} should be there; move it away",
                target.display(),
                if there.is_dir() {
                    "a folder"
                } else {
                    "no folder"
                },
                if is_folder { "folder" } else { "file" },
            ),
            _ => {}
        }
        fs::rename(&source, &target)
            .with_context(|| format!("failed to move to {}", target.display()))?;
    }
    Ok(())
}

/// Names and kinds of what is in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?
    {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .ok()
            .context("a file name is not UTF-8")?;
        found.push((name, entry.file_type()?.is_dir()));
    }
    found.sort();
    Ok(found)
}

/// The paths in `folder` down to the second level, with `/` between their parts, by name.
pub(super) fn members(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, is_folder) in entries(folder)? {
        if is_folder {
            for (inner, _) in entries(&folder.join(&name))? {
                found.push(format!("{name}/{inner}"));
            }
        }
        found.push(name);
    }
    found.sort();
    Ok(found)
}
