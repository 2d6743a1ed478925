//! Unpacking an archive, and the archives in it, into a folder of its own. Regular files and folders only; an archive that
//! holds anything else is refused, as is one that unpacks to far more than it is. Modes, owners and times are not taken
//! over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rut_formats::{Metered, escape};
use sha2::{Digest, Sha256};
use tar::EntryType;
use zip::ZipArchive;

use crate::archive::Kind;
use crate::digest::{Digests, hexadecimal};
use crate::disk::Claim;
use crate::error::{Result, file};
use crate::halt::{Halt, refused, refused_member};
use crate::job::Job;
use crate::member::{is_litter, member_path};

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
/// [`Error::Archive`](crate::Error::Archive), if the archive is damaged, holds a link, a device or a path that leaves the folder, or is larger than
/// `limits` allow; [`Error::Space`](crate::Error::Space), if it is larger than the disk. What was unpacked until then
/// stays in `into`, for the caller to remove.
pub fn unpack(archive: &Path, into: &Path, limits: Limits, job: &Job) -> Result<Contents> {
    fs::create_dir(into).map_err(file("create", into))?;
    let length = fs::metadata(archive).map_err(file("read", archive))?.len();
    let mut folder = Folder {
        root: into,
        below: PathBuf::new(),
        left: limits,
        kept: kept_of_archive(length),
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
        fs::remove_file(&path).map_err(file("remove", &path))?;
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
        unpacked.map_err(|halt| halt.of(archive))
    }

    /// Opens an archive, once there is room for what is in it.
    fn prepare(&mut self, archive: &Path, kind: Kind) -> Result<File, Halt> {
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

    fn tar(&mut self, reader: impl Read) -> Result<(), Halt> {
        let (reader, allowance) = Metered::new(reader);
        let mut archive = tar::Archive::new(reader);
        let mut entries = archive.entries()?;
        loop {
            allowance.grant(LONGEST + BLOCKS);
            let Some(entry) = entries.next() else { break };
            if allowance.is_used_up() {
                return refused(
                    "a name or a PAX header of more than 1 MiB; the archive is damaged or hostile",
                );
            }
            allowance.lift();
            let mut entry = entry?;
            let name = String::from_utf8(entry.path_bytes().into_owned())
                .map_err(|_| "a file name is not UTF-8".to_owned())?;
            let bytes = entry.size();
            if is_sparse(&mut entry)? {
                return refused_member(&name, "a sparse file");
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
                    return refused(format_args!(
                        "a PAX header of {bytes} bytes, more than 1 MiB"
                    ));
                }
                EntryType::Symlink | EntryType::Link => {
                    return refused_member(&name, "a link");
                }
                other => {
                    let why = format_args!("neither a file nor a folder ({other:?})");
                    return refused_member(&name, why);
                }
            }
            // Skips the rest of the member, so that a description comes next.
            io::copy(&mut entry, &mut io::sink())?;
        }
        allowance.lift();
        // The checksum of a compressed archive stands behind the last file.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(())
    }

    fn zip(&mut self, file: File) -> Result<(), Halt> {
        let mut archive = ZipArchive::new(BufReader::new(file))?;
        if archive.has_overlapping_entries()? {
            return refused("files of the archive lie over each other; it is damaged or hostile");
        }
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let name = entry.name()?.into_owned();
            let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
            if entry.is_symlink() || kind == 0o120_000 {
                return refused_member(&name, "a link");
            }
            if !matches!(kind, 0 | 0o100_000 | 0o040_000) {
                let why = format_args!("neither a file nor a folder (mode {kind:o})");
                return refused_member(&name, why);
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

    fn plain(&mut self, archive: &Path, name: &str) -> Result<(), Halt> {
        let place = self.root.join(name);
        if fs::hard_link(archive, &place).is_err() {
            fs::copy(archive, &place)?;
        }
        let Digests { bytes, sha256, .. } = Digests::of(&place, self.job)?;
        self.contents
            .insert(name.to_owned(), Content { bytes, sha256 });
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<(), Halt> {
        let member = self.admit(name)?;
        if is_litter(&member) {
            return Ok(());
        }
        let path = self.root.join(member);
        Ok(fs::create_dir_all(&path).map_err(file("create", &path))?)
    }

    fn file(&mut self, name: &str, bytes: u64, reader: &mut dyn Read) -> Result<(), Halt> {
        let member = self.admit(name)?;
        if is_litter(&member) {
            return Ok(());
        }
        if bytes > self.left.bytes {
            return refused_member(
                name,
                "the archive unpacks to far more than a data set would",
            );
        }
        // One byte more than is declared is enough to see that the declaration lies.
        let content = self
            .write(
                &self.root.join(&member),
                &mut reader.take(bytes.saturating_add(1)),
            )
            .map_err(|halt| halt.at(name))?;
        if content.bytes != bytes {
            let (name, found) = (escape(name), content.bytes);
            return Err(Halt::Archive(format!(
                "`{name}` is damaged: {bytes} bytes are declared and {found} are there"
            )));
        }
        self.left.bytes -= bytes;
        let parts: Vec<_> = member.iter().map(|part| part.to_string_lossy()).collect();
        self.contents.insert(parts.join("/"), content);
        Ok(())
    }

    /// Writes a file, and says what it became.
    fn write(&mut self, path: &Path, reader: &mut dyn Read) -> Result<Content, Halt> {
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
    fn admit(&mut self, name: &str) -> Result<PathBuf, Halt> {
        let length = name.len();
        if length > LONGEST_NAME {
            return refused(format_args!(
                "a name of {length} bytes, at most {LONGEST_NAME} are a path"
            ));
        }
        match self.kept.checked_sub(KEPT + length as u64) {
            Some(kept) => self.kept = kept,
            None => return refused("too many files for an archive of its size"),
        }
        match self.left.members.checked_sub(1) {
            Some(members) => self.left.members = members,
            None => return refused("too many files for a data set"),
        }
        Ok(self.below.join(member_path(name)?))
    }
}

/// Whether PAX records say that a member is sparse: its content is then not what it unpacks to.
fn is_sparse(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<bool> {
    if entry.header().entry_type() == EntryType::XGlobalHeader {
        return Ok(false);
    }
    let Some(mut records) = entry.pax_extensions()? else {
        return Ok(false);
    };
    Ok(records
        .any(|record| record.is_ok_and(|record| record.key_bytes().starts_with(b"GNU.sparse."))))
}
