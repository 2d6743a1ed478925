//! Verifies files on the disk with checksums, `LOCK.json` and receipts. No network, and nothing is
//! changed.

use rut_data::{Archive, DatasetSpec};
use rut_formats::counted;

use crate::by_hand::{self, Presence};
use crate::delivery::{expected, target};
use crate::digest::{Digests, Expected};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::receipt::Receipt;
use crate::session::Session;
use crate::slot::Slot;

/// Whether something has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It has: what is not there is a finding.
    Finding,
    /// Whatever is there is looked at.
    Fine,
}

/// Looks at everything that `specs` put on the disk, and reports what is wrong.
///
/// # Errors
/// [`Error::Findings`], if anything is; [`Error::File`], if it cannot be read; [`Error::Interrupted`], if the run is asked to
/// stop.
pub fn verify(specs: &[&DatasetSpec], session: &Session, absence: Absence) -> Result<()> {
    let mut count = 0;
    for spec in specs {
        for archive in spec.archives {
            count += report(spec, archive, session, absence)?;
        }
        let is_by_hand = spec.archives.is_empty() && spec.by_hand.is_some();
        if is_by_hand && by_hand::presence(spec, &session.options.data_dir) == Presence::None {
            count += absent(spec.name, session, absence);
        }
    }
    conclude(count)
}

/// # Errors
/// If there are findings.
pub(crate) fn conclude(findings: usize) -> Result<()> {
    match findings {
        0 => Ok(()),
        count => Err(Error::Findings { count }),
    }
}

/// Says that something is not there; the number of findings that this is.
pub(crate) fn absent(name: &str, session: &Session, absence: Absence) -> usize {
    session.result(&format!("{name}: not fetched"));
    usize::from(absence == Absence::Finding)
}

/// Reports what is wrong with an archive and its files, and counts it.
fn report(
    spec: &DatasetSpec,
    archive: &Archive,
    session: &Session,
    absence: Absence,
) -> Result<usize> {
    let name = spec.name;
    let slot = Slot::of(&session.options.data_dir, archive.file);
    let entry = session.options.lock.entry(archive.file)?;
    let expected = expected(archive, entry.as_ref());
    let receipt = Receipt::read(&slot.receipt);
    if receipt.is_none() && !slot.file.exists() {
        return Ok(absent(
            &format!("{name}: {}", archive.file),
            session,
            absence,
        ));
    }
    let job = session.job(archive.file);
    let mut found = of_archive(&slot, &expected, &job)?;
    match &receipt {
        Some(receipt) => {
            if let Some(objection) = receipt.digests.objection(&expected) {
                found.push(format!("{} was unpacked with a {objection}", archive.file));
            }
            job.meter.begin("verifying", Some(receipt.bytes()), 0);
            found.extend(receipt.findings(&target(archive, session), &|bytes| job.at(bytes))?);
            job.meter.end();
        }
        None => found.push(format!(
            "{} is there and not unpacked, or nothing says what it was unpacked to: `rut fetch {name}` does it",
            slot.file.display()
        )),
    }
    for finding in &found {
        session.result(&format!("{name}: {finding}"));
    }
    if let (Some(receipt), true) = (&receipt, found.is_empty()) {
        let files = counted(receipt.contents.len(), "file");
        let archive = if slot.file.exists() {
            "it and its"
        } else {
            "its"
        };
        session.result(&format!(
            "{name}: {}: {archive} {files} verified",
            slot.file.file_name().unwrap_or_default().display()
        ));
    }
    Ok(found.len())
}

/// What is wrong with the downloaded file, if it was kept.
pub(crate) fn of_archive(slot: &Slot, expected: &Expected<'_>, job: &Job) -> Result<Vec<String>> {
    if !slot.file.exists() {
        return Ok(Vec::new());
    }
    let objection = Digests::of(&slot.file, job)?.objection(expected);
    let named = |objection| format!("{}: {objection}", slot.file.display());
    Ok(objection.map(named).into_iter().collect())
}
