//! A file as its publisher has it, brought to the disk and verified: by the published checksum, and by what `LOCK.json`
//! says that it was the first time.

use anyhow::{Result, bail};

use super::digest::{Digests, Expected};
use super::download::{Download, download};
use super::job::Job;
use super::lock::{Entry, Recorded};
use super::session::{Network, Session};
use super::slot::Slot;

/// A published file.
#[derive(Debug)]
pub(super) struct Original<'a> {
    /// Its name in `LOCK.json`.
    pub(super) name: &'a str,
    /// Where it is published.
    pub(super) official: &'a str,
    /// Where it is taken from: there, or a mirror.
    pub(super) url: &'a str,
    /// What proves who asks.
    pub(super) token: Option<&'a str>,
    /// Where it goes.
    pub(super) slot: &'a Slot,
    /// What it should be.
    pub(super) expected: Expected<'a>,
    /// Disk space that it takes to unpack it, in multiples of its size.
    pub(super) room: u64,
}

impl Original<'_> {
    /// Brings it, unless it is there.
    ///
    /// # Errors
    /// If it is not there and cannot be fetched, or what comes is wrong.
    pub(super) fn obtain(&self, session: &Session, job: &Job) -> Result<Digests> {
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
            bail!(
                "{} is not there and --offline forbids to fetch it; get {url} and put it there",
                file.display()
            );
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

    /// Writes down what it is, if nobody did before.
    ///
    /// # Errors
    /// If `LOCK.json` cannot be read or written, or has it otherwise since.
    pub(super) fn record(&self, session: &Session, job: &Job, digests: &Digests) -> Result<()> {
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
        let recorded = session.lock.record(self.name, entry)?;
        if recorded == Recorded::Now && !is_published {
            job.meter.say(&format!(
                "no checksum is published: trusted on first use; its SHA-256 {} is now in {}",
                digests.sha256,
                session.options.lock_file.display()
            ));
        }
        Ok(())
    }
}
