//! Where the pickle and the storages of a file are: entries of a zip archive, or one after the other.

use std::io::{Read, Seek, SeekFrom};

use super::legacy::{self, Legacy};
use super::refusal::Refusal;
use super::storage::{Storage, Storages};
use crate::zip::fields::io;
use crate::zip::{Entry, EntryReader, Zip};
use crate::{Fault, escape};

/// Bytes of the pickle of an archive that deflated it.
const MOST_UNPACKED: u64 = 8 << 20;
/// What a zip archive begins with.
const ZIP: &[u8] = b"PK\x03\x04";
/// The pickle of an archive, in its folder.
const PICKLE: &[u8] = b"data.pkl";
const DOWNLOAD: &str = "download or copy the file again, and check its address";
const PICKLED: &str = "it is a pickle that torch.save did not write, or cut off";
const SAVE: &str = "save its weights by torch.save, as a dictionary of tensors: of arrays, torch.as_tensor(array) each";

/// Files that are recognised only to say what they are, by what stands at a place.
const OTHERS: &[(usize, &[u8], &str, &str)] = &[
    (
        257,
        b"ustar",
        "it is a tar archive, perhaps in the tar format of PyTorch before 0.1.10",
        "unpack it if a checkpoint is in it, else save it again: torch.save(torch.load(path, weights_only=False), ...)",
    ),
    (0, b"\x80\x02", PICKLED, SAVE),
    (0, b"\x80\x03", PICKLED, SAVE),
    (0, b"\x80\x04", PICKLED, SAVE),
    (0, b"\x80\x05", PICKLED, SAVE),
    (0, b"\x1f\x8b", "it is compressed with gzip", "unpack it"),
    (0, b"7z\xbc\xaf", "it is a 7z archive", "unpack it"),
    (0, b"Rar!", "it is a RAR archive", "unpack it"),
    (
        0,
        b"\x89HDF\r\n",
        "it is an HDF5 file, as Keras writes",
        "convert its weights to PyTorch's names and save a state dict",
    ),
    (
        0,
        b"\x93NUMPY",
        "it is a NumPy array",
        "save a state dict: torch.save(model.state_dict(), ...)",
    ),
    (
        0,
        b"version https://git-lfs",
        "it is a pointer of Git LFS, not the file",
        "fetch the file: git lfs pull",
    ),
];

/// Where things are.
pub(super) enum Layout<R> {
    /// An archive, and the folder of its entries.
    Zip(Zip<R>, Folder),
    /// One after the other.
    Legacy(Legacy<R>),
}

/// The folder of an archive's entries.
pub(super) struct Folder {
    /// Its name, with a `/` behind it.
    name: Vec<u8>,
    is_big: bool,
}

/// Finds the pickle; its bytes, behind which more may stand.
pub(super) fn open<R: Read + Seek>(
    mut source: R,
    length: u64,
) -> Result<(Layout<R>, Vec<u8>), Refusal> {
    let mut start = Vec::new();
    io(source.seek(SeekFrom::Start(0)), "start")?;
    io(source.by_ref().take(512).read_to_end(&mut start), "start")?;
    if let Some(legacy) = legacy::magic(&start) {
        let (legacy, bytes) = legacy::open(source, length, legacy)?;
        return Ok((Layout::Legacy(legacy), bytes));
    }
    let other = OTHERS.iter().find(|(at, signature, ..)| {
        start
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(signature))
    });
    if let Some((_, _, reason, remedy)) = other {
        return Err(Refusal::new(*reason, remedy));
    }
    match Zip::open(source) {
        Ok(zip) => archive(zip),
        Err(fault) if start.starts_with(ZIP) => Err(fault.into()),
        Err(_) => {
            let start = start.get(..16).unwrap_or(&start).escape_ascii().to_string();
            let reason = format!("not a PyTorch checkpoint, it begins with '{start}'");
            Err(Refusal::new(reason, DOWNLOAD))
        }
    }
}

/// The layout of an archive, and its pickle.
fn archive<R: Read + Seek>(mut zip: Zip<R>) -> Result<(Layout<R>, Vec<u8>), Refusal> {
    let pickle = pickle_of(&zip)?;
    let name = pickle
        .name()
        .strip_suffix(PICKLE)
        .unwrap_or_default()
        .to_vec();
    let beside = |zip: &Zip<R>, file: &[u8]| zip.find(&[&name, file].concat()).cloned();
    if beside(&zip, b"constants.pkl").is_some() {
        return Err(torch_script());
    }
    let order = match beside(&zip, b"byteorder") {
        Some(entry) => zip.read(&entry, 16)?,
        None => b"little".to_vec(),
    };
    let is_big = match order.as_slice() {
        b"little" => false,
        b"big" => true,
        other => {
            let found = format!("'{}'", escape(&*String::from_utf8_lossy(other)));
            return Err(Fault::new("entry 'byteorder'", "little or big", found).into());
        }
    };
    let most = if pickle.is_stored() {
        u64::MAX
    } else {
        MOST_UNPACKED
    };
    let bytes = zip.read(&pickle, most)?;
    Ok((Layout::Zip(zip, Folder { name, is_big }), bytes))
}

/// The entry `data.pkl`, in a folder of any name or in none.
fn pickle_of<R: Read + Seek>(zip: &Zip<R>) -> Result<Entry, Refusal> {
    let is_pickle = |entry: &&Entry| {
        let folder = entry.name().strip_suffix(PICKLE);
        folder.is_some_and(|folder| match folder.strip_suffix(b"/") {
            Some(folder) => !folder.contains(&b'/'),
            None => folder.is_empty(),
        })
    };
    let mut pickles = zip.entries().iter().filter(is_pickle);
    match (pickles.next(), pickles.next()) {
        (Some(pickle), None) => Ok(pickle.clone()),
        (Some(_), Some(_)) => {
            let reason = "it is a zip archive of several files of torch.save";
            Err(Refusal::new(reason, "unpack it and name one of them"))
        }
        (None, _)
            if zip
                .entries()
                .iter()
                .any(|entry| entry.name().ends_with(b"model.json")) =>
        {
            Err(torch_script())
        }
        (None, _) => {
            let names = zip
                .entries()
                .iter()
                .map(|entry| String::from_utf8_lossy(entry.name()));
            let names = names.map(std::borrow::Cow::into_owned);
            let reason = format!(
                "not a PyTorch checkpoint but a zip archive without data.pkl, of {}",
                crate::list(names)
            );
            let arrays = |entry: &Entry| entry.name().ends_with(b".npy");
            Err(if zip.entries().iter().any(arrays) {
                Refusal::new(reason, SAVE)
            } else {
                Refusal::new(reason, "unpack it if the checkpoint is in it")
            })
        }
    }
}

fn torch_script() -> Refusal {
    Refusal::new(
        "it is a TorchScript archive, a program and not a state dict",
        "save its weights: torch.save(torch.jit.load(path).state_dict(), ...)",
    )
}

/// A storage that is read from front to back.
pub(super) enum Pieces<'a, R> {
    Entry(EntryReader<'a, R>),
    Plain { source: &'a mut R, left: u64 },
}

impl<R: Read + Seek> Pieces<'_, R> {
    /// Bytes that are still to be read.
    pub(super) fn left(&self) -> u64 {
        match self {
            Pieces::Entry(reader) => reader.left(),
            Pieces::Plain { left, .. } => *left,
        }
    }

    /// Reads as many bytes as `piece` has.
    pub(super) fn fill(&mut self, piece: &mut [u8]) -> Result<(), Fault> {
        match self {
            Pieces::Entry(reader) => reader.fill(piece),
            Pieces::Plain { source, left } => {
                *left = left.saturating_sub(piece.len() as u64);
                io(source.read_exact(piece), "storages")
            }
        }
    }

    /// Checks what was read.
    pub(super) fn finish(self) -> Result<(), Fault> {
        match self {
            Pieces::Entry(reader) => reader.finish(),
            Pieces::Plain { .. } => Ok(()),
        }
    }
}

impl<R: Read + Seek> Layout<R> {
    /// Finds the storages behind a pickle.
    pub(super) fn locate(&mut self, storages: &Storages) -> Result<(), Fault> {
        match self {
            Layout::Zip(..) => Ok(()),
            Layout::Legacy(legacy) => legacy.locate(storages),
        }
    }

    /// Whether numbers stand with their highest byte first.
    pub(super) fn is_big_endian(&self) -> bool {
        match self {
            Layout::Zip(_, folder) => folder.is_big,
            Layout::Legacy(legacy) => legacy.is_big,
        }
    }

    /// The bytes that a storage takes in the file, if it is there and long enough.
    pub(super) fn check(&self, index: usize, storage: &Storage) -> Result<u64, Fault> {
        match self {
            Layout::Zip(zip, folder) => Ok(entry(zip, folder, storage)?.compressed),
            Layout::Legacy(legacy) => {
                legacy.start(index, storage)?;
                storage.bytes()
            }
        }
    }

    /// Starts reading a storage.
    pub(super) fn pieces(
        &mut self,
        index: usize,
        storage: &Storage,
    ) -> Result<Pieces<'_, R>, Fault> {
        match self {
            Layout::Zip(zip, folder) => {
                let entry = entry(zip, folder, storage)?;
                zip.open_entry(&entry).map(Pieces::Entry)
            }
            Layout::Legacy(legacy) => {
                let start = legacy.start(index, storage)?;
                let source = &mut legacy.source;
                io(source.seek(SeekFrom::Start(start)), "storages")?;
                let left = storage.bytes()?;
                Ok(Pieces::Plain { source, left })
            }
        }
    }
}

/// The entry of a storage.
fn entry<R: Read + Seek>(zip: &Zip<R>, folder: &Folder, storage: &Storage) -> Result<Entry, Fault> {
    let name = [&folder.name, b"data/".as_slice(), &storage.key].concat();
    let Some(entry) = zip.find(&name) else {
        let found = "none; the file is damaged";
        return Err(Fault::new(
            storage.place(),
            "an entry of the archive",
            found,
        ));
    };
    if entry.size >= storage.bytes()? {
        Ok(entry.clone())
    } else {
        Err(Fault::new(
            storage.place(),
            format!("{} bytes", storage.bytes()?),
            format!("{}; the file is damaged or hostile", entry.size),
        ))
    }
}
