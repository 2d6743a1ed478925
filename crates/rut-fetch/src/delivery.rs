//! One archive, from its publisher to the folder that rut reads.

use std::fs;
use std::path::{Path, PathBuf};

use rut_data::Archive;

use crate::archive::Kind;
use crate::digest::Expected;
use crate::error::{Error, Result, file};
use crate::job::Job;
use crate::lock::Entry;
use crate::original::Original;
use crate::placement::place;
use crate::receipt::Receipt;
use crate::session::Session;
use crate::slot::{Slot, remove};
use crate::unpack::{Contents, Limits, unpack};

/// How an archive came to be where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was there, and what it was unpacked from had the right checksum.
    AlreadyThere,
    /// It was unpacked now.
    Unpacked,
}

/// Brings one archive and unpacks it, unless that was done before.
///
/// # Errors
/// If it cannot be downloaded, verified or unpacked, or `LOCK.json` knows it as another file: nothing is then where data is
/// looked for that was not there before. Also if it cannot be moved there: a part of it may then be there, and no
/// receipt says that it is whole.
pub fn fetch_archive(archive: &Archive, session: &Session) -> Result<Outcome> {
    session.stop.check()?;
    let slot = Slot::of(&session.options.data_dir, archive.file);
    let target = target(archive, session);
    let is_done = |expected: &Expected<'_>| {
        Receipt::read(&slot.receipt).is_some_and(|receipt| receipt.holds(expected, &target))
    };
    let entry = session.options.lock.entry(archive.file)?;
    if is_done(&expected(archive, entry.as_ref())) {
        return Ok(Outcome::AlreadyThere);
    }
    let _alone = slot.lock()?;
    // Another run may have done it in the meantime, and written down what it got.
    let entry = session.options.lock.entry(archive.file)?;
    let expected = expected(archive, entry.as_ref());
    if is_done(&expected) {
        return Ok(Outcome::AlreadyThere);
    }
    let job = session.job(archive.file);
    let original = Original {
        name: archive.file,
        official: archive.url,
        url: &session.address(archive.url, archive.file),
        token: None,
        slot: &slot,
        expected,
        room: Kind::of(archive.file).room(),
    };
    let digests = original.obtain(session, &job)?;
    let contents = unpack_beside(&original, &job)?;
    // A conflicting entry of the lock is reported before anything is moved.
    let delivered = original
        .record(session, &job, &digests)
        .and_then(|()| deliver(&slot, &target));
    remove(&slot.staging)?;
    delivered?;
    Receipt { digests, contents }.write(&slot.receipt)?;
    Ok(Outcome::Unpacked)
}

/// The folder that an archive is unpacked into.
pub(crate) fn target(archive: &Archive, session: &Session) -> PathBuf {
    session.options.data_dir.join(archive.unpack_into)
}

/// What an archive should be.
pub(crate) fn expected<'a>(archive: &Archive, entry: Option<&'a Entry>) -> Expected<'a> {
    Expected {
        md5: archive.md5,
        sha256: archive.sha256,
        sha256_prefix: None,
        locked: entry.map(|entry| entry.sha256.as_str()),
    }
}

/// Unpacks the archive beside its place. What came of one that is damaged is removed.
fn unpack_beside(original: &Original<'_>, job: &Job) -> Result<Contents> {
    let slot = original.slot;
    remove(&slot.staging)?;
    let unpacked = unpack_whole(slot, job);
    if unpacked.is_err() {
        remove(&slot.staging)?;
        let is_known = original.expected.is_published() || original.expected.locked.is_some();
        // Only its being whole could prove that it is the right file.
        if !is_known && !job.stop.is_requested() {
            let kept = slot.set_aside()?;
            return unpacked.map_err(|error| Error::Unproven {
                kept,
                source: Box::new(error),
            });
        }
    }
    unpacked
}

/// Moves what was unpacked to its place.
fn deliver(slot: &Slot, target: &Path) -> Result<()> {
    // From here on the old receipt would say too much.
    remove(&slot.receipt)?;
    // Archives of one data set may bring the same folder, and a whole one can be moved only to where none is.
    let _alone = slot.wait_to_place()?;
    place(&slot.staging, target)
}

fn unpack_whole(slot: &Slot, job: &Job) -> Result<Contents> {
    let bytes = fs::metadata(&slot.file)
        .map_err(file("read", &slot.file))?
        .len();
    unpack(&slot.file, &slot.staging, Limits::of_archive(bytes), job)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_asked_beside_the_publisher() {
        let archive = Archive {
            url: "https://example.org/a.zip",
            file: "a.zip",
            md5: Some("0a"),
            sha256: None,
            unpack_into: "a",
        };
        let entry = Entry {
            sha256: "0b".to_owned(),
            bytes: 1,
            url: String::new(),
        };
        let both = expected(&archive, Some(&entry));
        assert_eq!((both.md5, both.locked), (Some("0a"), Some("0b")));
        assert_eq!(expected(&archive, None).locked, None);
    }
}
