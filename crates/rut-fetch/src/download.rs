//! One file over HTTP: resumed where an earlier attempt ended, tried again while trying helps,
//! verified before it gets its name. What the file is for is not known here.

use std::io::Read;
use std::path::Path;

use ureq::http::StatusCode;
use ureq::{Agent, Body};

use crate::attempts::Attempts;
use crate::digest::{Digests, Expected};
use crate::disk::Claim;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::obstacle::{HEAD, Obstacle, is_page};
use crate::pace::Since;
use crate::part::PartFile;
use crate::request::{ContentRange, Failure, Request, length, version};
use crate::slot::with_ending;

/// What to download.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// Where it is.
    pub url: &'a str,
    /// What proves who asks, where the server wants that.
    pub token: Option<&'a str>,
    /// Where it goes; it grows in a file of that name with `.part` behind it.
    pub file: &'a Path,
    /// What it should be.
    pub expected: Expected<'a>,
    /// Disk space that it takes afterwards to unpack it, in multiples of its size.
    pub room: u64,
}

/// Downloads and verifies a file that is not there yet.
///
/// # Errors
/// [`Error::Obstacle`], if only a person can get it; [`Error::Download`], if the server refuses otherwise, or does not
/// answer in the job's patience; [`Error::Checksum`], if what it sends is wrong, which is then kept as `NAME.bad`. In all
/// other cases what came is kept for the next run.
pub fn download(wanted: &Download<'_>, job: &Job) -> Result<Digests> {
    let mut part = PartFile::open(wanted.file)?;
    let can_be_checked = wanted.expected.is_published() || wanted.expected.locked.is_some();
    if part.bytes() > 0 && part.version().is_none() && !can_be_checked {
        job.meter
            .say("nothing says whether what is there goes with what will come; starting over");
        part.begin(None)?;
    }
    let resumed = part.bytes() > 0;
    let transfer = Transfer { wanted, job };
    transfer.run(&mut part)?;
    let mut digests = Digests::of(part.path(), job)?;
    if let Some(objection) = digests.objection(&wanted.expected)
        && resumed
    {
        // The beginning is from another day: the file may have changed since, so it deserves one clean attempt.
        job.meter
            .say(&format!("{}: {objection}; starting over", wanted.url));
        part.begin(None)?;
        transfer.run(&mut part)?;
        digests = Digests::of(part.path(), job)?;
    }
    if let Some(objection) = digests.objection(&wanted.expected) {
        let aside = with_ending(wanted.file, ".bad");
        part.rename(&aside)?;
        return Err(Error::Checksum {
            what: wanted.url.to_owned(),
            objection,
            kept: Some(aside),
        });
    }
    part.rename(wanted.file)?;
    Ok(digests)
}

/// A download on its way.
struct Transfer<'a> {
    wanted: &'a Download<'a>,
    job: &'a Job,
}

impl Transfer<'_> {
    /// Attempts until `part` is complete. Failures are counted in a row: new bytes reset the count.
    fn run(&self, part: &mut PartFile) -> Result<()> {
        let pace = self.job.pace;
        let agent = self.request().agent();
        let url = self.wanted.url;
        let mut attempts = Attempts::of(url, self.job);
        let mut farthest = part.bytes();
        let mut since = Since::now(farthest);
        loop {
            self.job.stop.check()?;
            let attempt = self.attempt(&agent, part);
            self.job.meter.end();
            let Err(failure) = attempt else {
                return Ok(());
            };
            if since.is_too_slow(part.bytes(), pace.least, pace.budget) {
                let (least, seconds) = (pace.least, pace.budget.as_secs_f64());
                let slow = format!("gave up: fewer than {least} new bytes in {seconds} s");
                return Err(failure.last(url, &slow));
            }
            if part.bytes() > farthest {
                farthest = part.bytes();
                if !matches!(failure, Failure::Slow(_)) {
                    attempts.forget();
                }
            }
            attempts.pause_after(failure)?;
        }
    }

    fn request(&self) -> Request<'_> {
        Request {
            url: self.wanted.url,
            token: self.wanted.token,
            job: self.job,
        }
    }

    /// One request, and as much of its answer as comes.
    fn attempt(&self, agent: &Agent, part: &mut PartFile) -> Result<(), Failure> {
        let url = self.wanted.url;
        let known = part.version();
        let mut response = self.request().get(agent, part.bytes(), known.as_deref())?;
        let headers = response.headers();
        let total = match response.status() {
            StatusCode::OK => {
                part.begin(version(headers))?;
                length(headers)
            }
            StatusCode::PARTIAL_CONTENT => {
                let range = ContentRange::of(headers);
                let changed = known.is_some()
                    && version(headers).is_some_and(|now| known.as_deref() != Some(now));
                if range.first != Some(part.bytes()) || changed {
                    part.begin(None)?;
                    return Err(Failure::passing(
                        "the server sent another part of the file than was asked for",
                    ));
                }
                range.total
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                if ContentRange::of(headers).total == Some(part.bytes()) {
                    return Ok(());
                }
                part.begin(None)?;
                return Err(Failure::passing(
                    "the file is shorter than what was downloaded before",
                ));
            }
            status => return Err(Failure::of_status(url, status, headers)),
        };
        let mut claim = self.claim(part, total)?;
        self.receive(response.body_mut(), part, total, &mut claim)
    }

    /// Disk space for what is still to come, and to unpack it all.
    fn claim(&self, part: &PartFile, total: Option<u64>) -> Result<Claim> {
        let folder = self.wanted.file.parent().unwrap_or(Path::new("."));
        let total = total.unwrap_or_default();
        let rest = total.saturating_sub(part.bytes());
        let bytes = rest.saturating_add(total.saturating_mul(self.wanted.room));
        let what = if self.wanted.room > 0 {
            format!("download {} and unpack it", self.wanted.url)
        } else {
            format!("download {}", self.wanted.url)
        };
        self.job.space.claim(folder, bytes, &what)
    }

    /// Appends the body to `part`, which should then have as many bytes as announced.
    fn receive(
        &self,
        body: &mut Body,
        part: &mut PartFile,
        total: Option<u64>,
        claim: &mut Claim,
    ) -> Result<(), Failure> {
        let meter = &self.job.meter;
        meter.begin("downloading", total, part.bytes());
        let mut reader = body.as_reader();
        let mut head = (part.bytes() == 0).then(Vec::new);
        let mut buffer = vec![0; 1 << 16];
        let (pace, mut since) = (self.job.pace, Since::now(part.bytes()));
        loop {
            self.job.stop.check()?;
            if since.is_too_slow(part.bytes(), pace.least, pace.silence) {
                let (least, seconds) = (pace.least, pace.silence.as_secs_f64());
                return Err(Failure::Slow(format!(
                    "the server brought fewer than {least} bytes in {seconds} s"
                )));
            }
            let length = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) => {
                    let came = part.bytes();
                    return Err(Failure::passing(format!("cut after {came} bytes: {error}")));
                }
            };
            let came = buffer.get(..length).unwrap_or_default();
            part.append(came)?;
            claim.spend(length as u64);
            meter.at(part.bytes());
            if let Some(start) = &mut head {
                start.extend(came.iter().take(HEAD.saturating_sub(start.len())));
                if start.len() >= HEAD {
                    self.refuse_page(start, part)?;
                    head = None;
                }
            }
        }
        self.refuse_page(&head.unwrap_or_default(), part)?;
        self.check_length(part, total)
    }

    /// A web page is no data, and what came of it no beginning of any.
    fn refuse_page(&self, head: &[u8], part: &mut PartFile) -> Result<()> {
        if !is_page(head) {
            return Ok(());
        }
        part.begin(None)?;
        let url = self.wanted.url.to_owned();
        Err(Error::Obstacle {
            url,
            obstacle: Obstacle::Page,
        })
    }

    fn check_length(&self, part: &mut PartFile, total: Option<u64>) -> Result<(), Failure> {
        let came = part.bytes();
        match total {
            Some(total) if came < total => Err(Failure::passing(format!(
                "cut after {came} of {total} bytes"
            ))),
            Some(total) if came > total => {
                part.begin(None)?;
                Err(Failure::passing(format!(
                    "the server sent {came} bytes of {total} that it announced"
                )))
            }
            _ => Ok(()),
        }
    }
}
