//! Unpacking an archive, and the archives in it, into a folder of its own. Regular files and folders only; an archive that
//! holds anything else is refused, as is one that unpacks to far more than it is. Modes, owners and times are not taken
//! over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use rut_formats::{Metered, escape};
use sha2::{Digest, Sha256};
use tar::EntryType;
use zip::ZipArchive;

use super::archive::Kind;
use super::digest::{Digests, hexadecimal};
use super::disk::Claim;
use super::job::Job;
use super::member::{is_litter, member_path};

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

/// The longest name or PAX header that a tar archive may have before a member: the library keeps it in memory.
const LONGEST: u64 = 1 << 20;
/// Blocks of headers around them, bytes.
const BLOCKS: u64 = 1 << 16;
/// The longest name of a member, bytes; Linux opens no longer path.
const LONGEST_NAME: usize = 4096;
/// What is kept of a member besides its name, bytes.
const KEPT: u64 = 256;

/// Bytes that may be kept of the members of an archive of `bytes` bytes: an image has hundreds.
fn kept_of_archive(bytes: u64) -> u64 {
    bytes.saturating_mul(2).saturating_add(32 << 20)
}

/// What a file was when it was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Length.
    pub bytes: u64,
    /// SHA-256 in lowercase hexadecimal.
    pub sha256: String,
}

/// Files by their path below the folder that they were unpacked into, with `/` between its parts.
pub type Contents = BTreeMap<String, Content>;

/// Unpacks `archive` into the new folder `into`. Archives that it holds are unpacked where they are, and not kept; those
/// that they hold stay as they are.
///
/// # Errors
/// If the archive is damaged, holds a link, a device or a path that leaves the folder, is larger
/// than `limits` allow or than the disk. What was unpacked until then stays in `into`, for the caller to remove.
pub fn unpack(archive: &Path, into: &Path, limits: Limits, job: &Job) -> Result<Contents> {
    fs::create_dir(into).with_context(|| format!("failed to create {}", into.display()))?;
    let mut folder = Folder {
        root: into,
        below: PathBuf::new(),
        left: limits,
        kept: kept_of_archive(fs::metadata(archive)?.len()),
        job,
        claim: job.space.claim(into, 0, "unpack")?,
        contents: Contents::new(),
        written: 0,
    };
    folder.archive(archive)?;
    for nested in folder.nested() {
        let path = into.join(&nested);
        folder.below = Path::new(&nested).parent().unwrap_or(Path::new("")).into();
        folder.archive(&path)?;
        fs::remove_file(&path)
            .with_context(|| format!("failed to remove {}", escape(&path).whole()))?;
        folder.contents.remove(&nested);
    }
    job.meter.end();
    Ok(folder.contents)
}

/// A folder that is being filled, and what may still come.
struct Folder<'a> {
    root: &'a Path,
    /// Where the present archive's files go, below the root.
    below: PathBuf,
    left: Limits,
    /// Bytes of names and digests that may still be kept.
    kept: u64,
    job: &'a Job,
    claim: Claim,
    contents: Contents,
    /// Bytes of the present archive's files.
    written: u64,
}

impl Folder<'_> {
    fn archive(&mut self, archive: &Path) -> Result<()> {
        let name = archive.file_name().unwrap_or_default().to_string_lossy();
        let kind = Kind::of(&name);
        let unpacked = self.prepare(archive, kind).and_then(|file| match kind {
            // Twice the limit leaves room for the headers; it stops one file of zeros behind another.
            Kind::TarGz => {
                let reader = MultiGzDecoder::new(BufReader::new(file));
                self.tar(reader.take(self.left.bytes.saturating_mul(2)))
            }
            Kind::Tar => self.tar(BufReader::new(file)),
            Kind::Zip => self.zip(file),
            Kind::Plain => self.plain(archive, &name),
        });
        unpacked.with_context(|| format!("failed to unpack {}", archive.display()))
    }

    /// Opens an archive, once there is room for what is in it.
    fn prepare(&mut self, archive: &Path, kind: Kind) -> Result<File> {
        let file = File::open(archive)?;
        let declared = kind.declared(archive)?;
        let what = format!("unpack {}", archive.display());
        self.claim = self.job.space.claim(self.root, declared, &what)?;
        self.job.meter.begin("unpacking", Some(declared), 0);
        self.written = 0;
        Ok(file)
    }

    /// Archives among what was unpacked.
    fn nested(&self) -> Vec<String> {
        let is_archive = |path: &&String| Kind::of(path) != Kind::Plain;
        self.contents.keys().filter(is_archive).cloned().collect()
    }

    fn tar(&mut self, reader: impl Read) -> Result<()> {
        let (reader, allowance) = Metered::new(reader);
        let mut archive = tar::Archive::new(reader);
        let mut entries = archive.entries()?;
        loop {
            allowance.grant(LONGEST + BLOCKS);
            let Some(entry) = entries.next() else { break };
            ensure!(
                !allowance.is_used_up(),
                "refused: a name or a PAX header of more than 1 MiB; the archive is damaged or hostile"
            );
            allowance.lift();
            let mut entry = entry?;
            let name = String::from_utf8(entry.path_bytes().into_owned())
                .context("a file name is not UTF-8")?;
            let bytes = entry.size();
            if is_sparse(&mut entry)? {
                bail!("refused `{}`: a sparse file", escape(&name));
            }
            match entry.header().entry_type() {
                EntryType::Directory => self.folder(&name)?,
                EntryType::Regular | EntryType::Continuous => {
                    self.file(&name, bytes, &mut entry)?
                }
                // A comment on the whole archive, as `git archive` writes it.
                EntryType::XGlobalHeader if bytes <= LONGEST => {
                    self.admit("")?;
                }
                EntryType::XGlobalHeader => {
                    bail!("refused: a PAX header of {bytes} bytes, more than 1 MiB")
                }
                EntryType::Symlink | EntryType::Link => {
                    bail!("refused `{}`: a link", escape(&name))
                }
                other => bail!(
                    "refused `{}`: neither a file nor a folder ({other:?})",
                    escape(&name)
                ),
            }
            // What nobody wanted of it, so that a description comes next.
            io::copy(&mut entry, &mut io::sink())?;
        }
        allowance.lift();
        // The checksum of a compressed archive stands behind the last file.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(())
    }

    fn zip(&mut self, file: File) -> Result<()> {
        let mut archive = ZipArchive::new(BufReader::new(file))?;
        ensure!(
            !archive.has_overlapping_entries()?,
            "refused: files of the archive lie over each other; it is damaged or hostile"
        );
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let name = entry.name()?.into_owned();
            let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
            if entry.is_symlink() || kind == 0o120_000 {
                bail!("refused `{}`: a link", escape(&name));
            }
            if !matches!(kind, 0 | 0o100_000 | 0o040_000) {
                bail!(
                    "refused `{}`: neither a file nor a folder (mode {kind:o})",
                    escape(&name)
                );
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
        let Digests { bytes, sha256, .. } = Digests::of(&place, self.job)?;
        self.contents
            .insert(name.to_owned(), Content { bytes, sha256 });
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<()> {
        let member = self.admit(name)?;
        if is_litter(&member) {
            return Ok(());
        }
        let path = self.root.join(member);
        fs::create_dir_all(&path)
            .with_context(|| format!("failed to create {}", escape(&path).whole()))
    }

    fn file(&mut self, name: &str, bytes: u64, reader: &mut dyn Read) -> Result<()> {
        let member = self.admit(name)?;
        if is_litter(&member) {
            return Ok(());
        }
        ensure!(
            bytes <= self.left.bytes,
            "refused `{}`: the archive unpacks to far more than a data set would",
            escape(name)
        );
        // One byte more than is declared is enough to see that the declaration lies.
        let content = self
            .write(
                &self.root.join(&member),
                &mut reader.take(bytes.saturating_add(1)),
            )
            .with_context(|| format!("failed at `{}`", escape(name)))?;
        ensure!(
            content.bytes == bytes,
            "`{}` is damaged: {bytes} bytes are declared and {} are there",
            escape(name),
            content.bytes
        );
        self.left.bytes -= bytes;
        let parts: Vec<_> = member.iter().map(|part| part.to_string_lossy()).collect();
        self.contents.insert(parts.join("/"), content);
        Ok(())
    }

    /// Writes a file, and says what it became.
    fn write(&mut self, path: &Path, reader: &mut dyn Read) -> Result<Content> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        let (mut bytes, mut sha256) = (0, Sha256::new());
        let mut buffer = vec![0; 1 << 16];
        loop {
            self.job.stop.check()?;
            let length = reader.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            let came = buffer.get(..length).unwrap_or_default();
            file.write_all(came)?;
            sha256.update(came);
            bytes += length as u64;
            self.written += length as u64;
            self.claim.spend(length as u64);
            self.job.meter.at(self.written);
        }
        Ok(Content {
            bytes,
            sha256: hexadecimal(&sha256.finalize()),
        })
    }

    /// Where the member called `name` goes below the root, if there may be one more.
    fn admit(&mut self, name: &str) -> Result<PathBuf> {
        let length = name.len();
        ensure!(
            length <= LONGEST_NAME,
            "refused: a name of {length} bytes, at most {LONGEST_NAME} are a path"
        );
        let kept = self.kept.checked_sub(KEPT + length as u64);
        self.kept = kept.context("refused: too many files for an archive of its size")?;
        self.left.members = self
            .left
            .members
            .checked_sub(1)
            .context("refused: too many files for a data set")?;
        Ok(self.below.join(member_path(name)?))
    }
}

/// Whether PAX records say that a member is sparse: its content is then not what it unpacks to.
fn is_sparse(entry: &mut tar::Entry<'_, impl Read>) -> Result<bool> {
    if entry.header().entry_type() == EntryType::XGlobalHeader {
        return Ok(false);
    }
    let Some(mut records) = entry.pax_extensions()? else {
        return Ok(false);
    };
    Ok(records
        .any(|record| record.is_ok_and(|record| record.key_bytes().starts_with(b"GNU.sparse."))))
}
