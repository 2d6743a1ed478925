//! One file over HTTP: resumed where an earlier attempt ended, tried again while trying helps,
//! verified before it gets its name. What the file is for is not known here.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Error, Result, anyhow, bail};
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::{Agent, Body, http};

use super::digest::{Digests, Expected};
use super::part::PartFile;
use super::patience::{Patience, retry_after};

/// A silent connection is given up after this time and the download resumed on a new one.
const SILENCE: Duration = Duration::from_secs(60);

/// Time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// What to download.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Where it goes; it grows in a file of that name with `.part` behind it.
    pub file: &'a Path,
    /// What it should be.
    pub expected: Expected<'a>,
}

/// Downloads and verifies a file that is not there yet.
///
/// # Errors
/// If the server refuses, does not answer in `patience`, or what it sends has the wrong checksum. In
/// the last case the file is kept as `NAME.bad`; in the others what came is kept for the next run.
pub fn download(wanted: &Download<'_>, patience: &Patience) -> Result<Digests> {
    let mut part = PartFile::open(wanted.file)?;
    let resumed = part.bytes() > 0;
    transfer(wanted.url, &mut part, patience)?;
    let mut digests = Digests::of(part.path())?;
    if let Some(objection) = digests.objection(&wanted.expected)
        && resumed
    {
        // The beginning is from another day: the file may have changed since, so it deserves one clean attempt.
        eprintln!("{}: {objection}; starting over", wanted.url);
        part.restart()?;
        transfer(wanted.url, &mut part, patience)?;
        digests = Digests::of(part.path())?;
    }
    if let Some(objection) = digests.objection(&wanted.expected) {
        let aside = with_ending(wanted.file, ".bad");
        part.rename(&aside)?;
        bail!(
            "{} has a {objection} (kept as {})",
            wanted.url,
            aside.display()
        );
    }
    part.rename(wanted.file)?;
    Ok(digests)
}

/// `path` with `ending` behind its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Why an attempt ended before the file did.
enum Failure {
    /// It may work the next time.
    Passing { why: Error, asked: Option<Duration> },
    /// It will not.
    Lasting(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

fn passing(why: Error) -> Failure {
    Failure::Passing { why, asked: None }
}

/// Attempts until `part` is complete. Failures are counted in a row: bytes never seen before start the count anew.
fn transfer(url: &str, part: &mut PartFile, patience: &Patience) -> Result<()> {
    let agent = agent(url);
    let (mut failures, mut farthest) = (0, part.bytes());
    loop {
        let (why, asked) = match attempt(&agent, url, part) {
            Ok(()) => return Ok(()),
            Err(Failure::Lasting(error)) => return Err(error),
            Err(Failure::Passing { why, asked }) => (why, asked),
        };
        if part.bytes() > farthest {
            (failures, farthest) = (0, part.bytes());
        }
        failures += 1;
        if failures >= patience.attempts {
            return Err(why).with_context(|| {
                format!("gave up on {url} after {failures} attempts without progress")
            });
        }
        let pause = patience.pause(failures, asked);
        eprintln!("{why:#}; trying again in {:.0} s", pause.as_secs_f64());
        thread::sleep(pause);
    }
}

fn agent(url: &str) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("rut-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE));
    // A server on this machine is not behind a proxy, whatever the environment says.
    let is_local = url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
    if is_local {
        config.proxy(None).build().into()
    } else {
        config.build().into()
    }
}

/// One request, and as much of its answer as comes.
fn attempt(agent: &Agent, url: &str, part: &mut PartFile) -> Result<(), Failure> {
    let mut response = request(agent, url, part.bytes())?;
    let headers = response.headers();
    let total = match response.status() {
        StatusCode::OK => {
            part.restart()?;
            number(headers, header::CONTENT_LENGTH)
        }
        StatusCode::PARTIAL_CONTENT => {
            let range = ContentRange::of(headers);
            if range.first != Some(part.bytes()) {
                part.restart()?;
                return Err(passing(anyhow!(
                    "{url} sent another part of the file than was asked for"
                )));
            }
            range.total
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            if ContentRange::of(headers).total == Some(part.bytes()) {
                return Ok(());
            }
            part.restart()?;
            return Err(passing(anyhow!(
                "{url} is shorter than what was downloaded before"
            )));
        }
        status => return Err(refusal(url, status, headers)),
    };
    receive(url, response.body_mut(), part, total)
}

fn request(agent: &Agent, url: &str, from: u64) -> Result<http::Response<Body>, Failure> {
    let mut request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    request.call().map_err(|error| {
        let may_pass = matches!(
            error,
            ureq::Error::Io(_)
                | ureq::Error::Timeout(_)
                | ureq::Error::ConnectionFailed
                | ureq::Error::Protocol(_)
        );
        let why = Error::new(error).context(format!("failed to reach {url}"));
        if may_pass {
            passing(why)
        } else {
            Failure::Lasting(why)
        }
    })
}

/// What a status that brings no file means.
fn refusal(url: &str, status: StatusCode, headers: &HeaderMap) -> Failure {
    let why = anyhow!("the server answered {status} for {url}");
    if !matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504) {
        return Failure::Lasting(why);
    }
    let value = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    Failure::Passing {
        why,
        asked: value.and_then(|value| retry_after(value, SystemTime::now())),
    }
}

/// Appends the body to `part`, which should then have `total` bytes.
fn receive(
    url: &str,
    body: &mut Body,
    part: &mut PartFile,
    total: Option<u64>,
) -> Result<(), Failure> {
    let mut reader = body.as_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut last_line = Instant::now();
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => part.append(&buffer[..length])?,
            Err(error) => {
                let came = part.bytes();
                return Err(passing(
                    Error::new(error).context(format!("{url} was cut after {came} bytes")),
                ));
            }
        }
        if last_line.elapsed() >= PROGRESS {
            last_line = Instant::now();
            let of_total = total
                .map(|total| format!(" of {}", megabytes(total)))
                .unwrap_or_default();
            eprintln!("{url}: {}{of_total} MB", megabytes(part.bytes()));
        }
    }
    match total {
        Some(total) if part.bytes() < total => Err(passing(anyhow!(
            "{url} was cut after {} of {total} bytes",
            part.bytes()
        ))),
        Some(total) if part.bytes() > total => {
            let came = part.bytes();
            part.restart()?;
            Err(passing(anyhow!(
                "{url} sent {came} bytes and said that it has {total}"
            )))
        }
        _ => Ok(()),
    }
}

/// Bytes in units of 10⁶, one decimal.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

fn number(headers: &HeaderMap, name: header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// `Content-Range: bytes first-last/total` or `bytes */total` (RFC 9110, section 14.4).
#[derive(Debug, Default, PartialEq, Eq)]
struct ContentRange {
    first: Option<u64>,
    total: Option<u64>,
}

impl ContentRange {
    fn of(headers: &HeaderMap) -> Self {
        let value = headers
            .get(header::CONTENT_RANGE)
            .and_then(|value| value.to_str().ok());
        value.and_then(Self::parse).unwrap_or_default()
    }

    fn parse(value: &str) -> Option<Self> {
        let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
        let first = range
            .split_once('-')
            .and_then(|(first, _)| first.trim().parse().ok());
        Some(Self {
            first,
            total: total.trim().parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        let parse = |value| ContentRange::parse(value).map(|range| (range.first, range.total));
        assert_eq!(parse("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(parse("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(parse("bytes */10"), Some((None, Some(10))));
        assert_eq!(parse("lines 1-2/3"), None);
    }

    #[test]
    fn sizes_are_in_millions_of_bytes() {
        assert_eq!(
            [0, 99_999, 170_498_071].map(megabytes),
            ["0.0", "0.0", "170.4"]
        );
    }
}
