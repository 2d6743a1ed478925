//! A file as its publisher has it, brought to the disk and verified: by the published checksum, and by what `LOCK.json`
//! says that it was the first time.

use crate::digest::{Digests, Expected};
use crate::download::{Download, download};
use crate::error::{Error, Result};
use crate::hub::Network;
use crate::job::Job;
use crate::lock::{Entry, Recorded};
use crate::session::Session;
use crate::slot::Slot;

/// A published file.
#[derive(Debug)]
pub(crate) struct Original<'a> {
    /// Its name in `LOCK.json`.
    pub(crate) name: &'a str,
    /// Where it is published.
    pub(crate) official: &'a str,
    /// Where it is taken from: there, or a mirror.
    pub(crate) url: &'a str,
    /// What proves who asks.
    pub(crate) token: Option<&'a str>,
    /// Where it goes.
    pub(crate) slot: &'a Slot,
    /// What it should be.
    pub(crate) expected: Expected<'a>,
    /// Disk space that it takes to unpack it, in multiples of its size.
    pub(crate) room: u64,
}

impl Original<'_> {
    /// Brings it, unless it is there.
    ///
    /// # Errors
    /// If it is not there and cannot be fetched, or what comes is wrong.
    pub(crate) fn obtain(&self, session: &Session, job: &Job) -> Result<Digests> {
        let file = &self.slot.file;
        if file.exists() {
            let digests = Digests::of(file, job)?;
            let Some(objection) = digests.objection(&self.expected) else {
                return Ok(digests);
            };
            let aside = self.slot.set_aside()?;
            job.meter.say(&format!(
                "{}: {objection} (kept as {})",
                file.display(),
                aside.display()
            ));
        }
        let url = self.url;
        if session.options.network == Network::Offline {
            return Err(Error::Offline {
                what: self.name.to_owned(),
                switch: "offline",
                url: url.to_owned(),
                put: file.clone(),
            });
        }
        job.meter.say(&format!("fetching {url}"));
        let wanted = Download {
            url,
            token: self.token,
            file,
            expected: self.expected,
            room: self.room,
        };
        download(&wanted, job)
    }

    /// Records its digest, if there is no record yet.
    ///
    /// # Errors
    /// If `LOCK.json` cannot be read or written, or has it otherwise since.
    pub(crate) fn record(&self, session: &Session, job: &Job, digests: &Digests) -> Result<()> {
        let is_published = self.expected.is_published();
        let entry = Entry {
            sha256: digests.sha256.clone(),
            bytes: digests.bytes,
            // Who is trusted without a checksum is written down as it was.
            url: if is_published {
                self.official
            } else {
                self.url
            }
            .to_owned(),
        };
        let recorded = session.options.lock.record(self.name, entry)?;
        if recorded == Recorded::Now && !is_published {
            job.meter.say(&format!(
                "no checksum is published: trusted on first use; its SHA-256 {} is now in {}",
                digests.sha256,
                session.options.lock.path().display()
            ));
        }
        Ok(())
    }
}
