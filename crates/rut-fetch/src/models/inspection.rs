//! Checks weights on the disk with their recorded digests.

use super::sheet::Sheet;
use super::wanted::{Wanted, digests};
use crate::digest::Digests;
use crate::error::Result;
use crate::session::Session;
use crate::slot::Slot;
use crate::verify::{self, Absence};

/// Checks converted weights with what was recorded about them.
///
/// # Errors
/// [`Error::Findings`](crate::Error::Findings), if anything is wrong; [`Error::File`](crate::Error::File), if it cannot be
/// read; [`Error::Interrupted`](crate::Error::Interrupted), if the run is asked to stop.
pub fn verify_weights(wanted: &[Wanted], session: &Session, absence: Absence) -> Result<()> {
    let mut count = 0;
    for one in wanted {
        let found = match findings(one, session)? {
            Some(found) => found,
            None => {
                count += verify::absent(&one.title, session, absence);
                continue;
            }
        };
        for finding in &found {
            session.result(&format!("{}: {finding}", one.title));
        }
        if found.is_empty() {
            session.result(&format!("{}: {} is right", one.title, one.target));
        }
        count += found.len();
    }
    verify::conclude(count)
}

/// What is wrong with weights; `None` if nothing of them is there.
fn findings(wanted: &Wanted, session: &Session) -> Result<Option<Vec<String>>> {
    let entry = session.options.lock.entry(&wanted.name)?;
    let expected = wanted.expected(entry.as_ref());
    let slot = Slot::of(&session.options.checkpoints_dir, &wanted.file);
    let target = wanted.target(session);
    let sheet = Sheet::read(&target.with_extension("json"));
    if sheet.is_none() && !slot.file.exists() && !target.exists() {
        return Ok(None);
    }
    let job = session.job(&wanted.title);
    let mut found = verify::of_archive(&slot, &expected, &job)?;
    let Some(sheet) = sheet else {
        found.push(format!(
            "nothing says what {} should be: `rut fetch {}` does it",
            target.display(),
            wanted.arguments
        ));
        return Ok(Some(found));
    };
    if let Some(objection) = digests(&sheet).objection(&expected) {
        found.push(format!(
            "{} was made of a file with a {objection}",
            target.display()
        ));
    }
    if !target.exists() {
        found.push(format!("{}: missing", target.display()));
        return Ok(Some(found));
    }
    let now = Digests::of(&target, &job)?;
    if now.bytes != sheet.bytes || now.sha256 != sheet.sha256 {
        found.push(format!(
            "{}: altered: {} bytes with SHA-256 {}, and {} bytes with {} were written",
            target.display(),
            now.bytes,
            now.sha256,
            sheet.bytes,
            sheet.sha256
        ));
    }
    Ok(Some(found))
}
