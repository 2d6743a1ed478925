//! From the names of data sets to their files: which archives, where each goes, what is there already.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rut_data::{Archive, DATASETS, DatasetSpec};

use super::digest::{Digests, Expected};
use super::download::{Download, download, with_ending};
use super::patience::Patience;
use super::receipt::Receipt;
use super::unpack::{Limits, members, place, unpack};

/// The folder below the data folder that holds archives, receipts and what is on its way.
const STORE: &str = ".downloads";

/// How to fetch.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Where data sets are kept.
    pub data_dir: PathBuf,
    /// Address of a folder that holds every archive under its own file name, to be used instead of the archives' own.
    pub mirror: Option<String>,
    /// Whether the network may be used.
    pub network: Network,
    /// How often to try again.
    pub patience: Patience,
}

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Online,
    /// Only archives that are on the disk are unpacked.
    Offline,
}

/// How an archive came to be where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was there, and what it was unpacked from had the right checksum.
    AlreadyThere,
    /// It was unpacked now.
    Unpacked,
}

/// Every data set of the table.
pub fn all() -> Vec<&'static DatasetSpec> {
    DATASETS.iter().collect()
}

/// The data sets called `names`, by name or alias.
///
/// # Errors
/// If a name is unknown. The message lists the known ones.
pub fn named(names: &[String]) -> Result<Vec<&'static DatasetSpec>> {
    let known = || {
        DATASETS
            .iter()
            .map(|spec| spec.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let find = |name: &String| {
        rut_data::find(name)
            .with_context(|| format!("no data set is called `{name}`; known: {}", known()))
    };
    names.iter().map(find).collect()
}

/// Fetches `specs` one after the other. One that fails does not keep the others from being fetched.
///
/// # Errors
/// If one of them cannot be fetched. Each reason is printed when it occurs.
pub fn fetch(specs: &[&DatasetSpec], options: &FetchOptions) -> Result<()> {
    let mut failed = Vec::new();
    for spec in specs {
        match spec.by_hand {
            _ if spec.is_bundled() => {
                println!("{}: bundled with rut, nothing to fetch", spec.name)
            }
            Some(words) if spec.archives.is_empty() => println!("{}: {words}", spec.name),
            _ => {}
        }
        for archive in spec.archives {
            let file = archive.file;
            match fetch_archive(archive, options) {
                Ok(Outcome::AlreadyThere) => {
                    println!("{}: {file} is there already, verified", spec.name)
                }
                Ok(Outcome::Unpacked) => {
                    let target = options.data_dir.join(archive.unpack_into);
                    println!(
                        "{}: {file} verified and unpacked into {}",
                        spec.name,
                        target.display()
                    );
                }
                Err(error) => {
                    eprintln!("{}: {error:#}", spec.name);
                    failed.push(spec.name);
                    break;
                }
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("failed to fetch {}", failed.join(", "))
    }
}

/// Brings one archive and unpacks it, unless that was done before.
///
/// # Errors
/// If it cannot be downloaded, verified or unpacked. Nothing is then where data is looked for that was
/// not there before.
pub fn fetch_archive(archive: &Archive, options: &FetchOptions) -> Result<Outcome> {
    let store = options.data_dir.join(STORE);
    fs::create_dir_all(&store).with_context(|| format!("failed to create {}", store.display()))?;
    let file = store.join(archive.file);
    let target = options.data_dir.join(archive.unpack_into);
    let receipt = with_ending(&file, ".receipt");
    let expected = Expected {
        md5: archive.md5,
        sha256: archive.sha256,
    };
    if Receipt::read(&receipt).is_some_and(|receipt| receipt.holds(&expected, &target)) {
        return Ok(Outcome::AlreadyThere);
    }
    let digests = obtain(archive, &file, &expected, options)?;
    let staging = with_ending(&file, ".unpacking");
    let _lock = lock(&file)?;
    remove(&staging)?;
    let bytes = fs::metadata(&file)
        .with_context(|| format!("failed to read {}", file.display()))?
        .len();
    let put = || -> Result<()> {
        unpack(&file, &staging, Limits::of_archive(bytes))?;
        let members = members(&staging)?;
        // From here on the old receipt would say too much.
        remove(&receipt)?;
        place(&staging, &target)?;
        Receipt { digests, members }.write(&receipt)
    };
    let outcome = put();
    remove(&staging)?;
    outcome.map(|()| Outcome::Unpacked)
}

/// The digests of the archive, which is at `file` afterwards.
fn obtain(
    archive: &Archive,
    file: &Path,
    expected: &Expected<'_>,
    options: &FetchOptions,
) -> Result<Digests> {
    if file.exists() {
        let digests = Digests::of(file)?;
        let Some(objection) = digests.objection(expected) else {
            return Ok(digests);
        };
        let aside = with_ending(file, ".bad");
        fs::rename(file, &aside)
            .with_context(|| format!("failed to move {} aside", file.display()))?;
        eprintln!(
            "{}: {objection} (kept as {})",
            file.display(),
            aside.display()
        );
    }
    let url = match &options.mirror {
        Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), archive.file),
        None => archive.url.to_owned(),
    };
    if options.network == Network::Offline {
        bail!(
            "{} is not there and --offline forbids to fetch it; get {url} and put it there",
            file.display()
        );
    }
    eprintln!("fetching {url}");
    download(
        &Download {
            url: &url,
            file,
            expected: *expected,
        },
        &options.patience,
    )
}

/// Keeps other runs from unpacking the same archive, until the file is dropped.
fn lock(archive: &Path) -> Result<File> {
    let file =
        File::open(archive).with_context(|| format!("failed to read {}", archive.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another run is unpacking {}", archive.display()),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("failed to lock {}", archive.display()))
        }
    }
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = named(&["cifar10".to_owned(), "moons".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("no data set is called `moons`; known: "),
            "{error}"
        );
        assert!(error.contains("cifar10"), "{error}");
        assert_eq!(named(&["cifar10".to_owned()]).unwrap()[0].name, "cifar10");
    }

    #[test]
    fn archives_have_plain_names_of_their_own() {
        let files: Vec<_> = all()
            .iter()
            .flat_map(|spec| spec.archives)
            .map(|archive| archive.file)
            .collect();
        for (at, file) in files.iter().enumerate() {
            assert!(
                !file.is_empty() && !file.starts_with('.') && !file.contains(['/', '\\']),
                "{file}"
            );
            assert!(
                !files[..at].contains(file),
                "{file} belongs to two archives"
            );
        }
    }
}
