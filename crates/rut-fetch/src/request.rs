//! Asking a server for a file or for the rest of it, and what the head of its answer says.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, RequestBuilder};

use crate::error::Error;
use crate::job::Job;
use crate::obstacle::Obstacle;
use crate::patience::retry_after;
use crate::redirect::target;

/// How often a server may send elsewhere.
const REDIRECTS: u32 = 10;

/// Why an attempt ended before the file did.
pub(crate) enum Failure {
    /// It may work the next time.
    Passing {
        why: String,
        asked: Option<Duration>,
    },
    /// It may: no server answered.
    Unreachable(String),
    /// It may, but what came so slowly is no progress.
    Slow(String),
    /// It will not.
    Lasting(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

impl Failure {
    /// One that may pass, and the server did not say when.
    pub(crate) fn passing(why: impl Into<String>) -> Self {
        Self::Passing {
            why: why.into(),
            asked: None,
        }
    }

    /// One of `url` that will not pass.
    fn lasting(url: &str, reason: String) -> Self {
        Self::Lasting(Error::Download {
            url: url.to_owned(),
            reason,
        })
    }

    /// The end of all attempts at `url`, `because` of which and of the last one.
    pub(crate) fn last(self, url: &str, because: &str) -> Error {
        match self {
            Self::Passing { why, .. } | Self::Unreachable(why) | Self::Slow(why) => {
                Error::Download {
                    url: url.to_owned(),
                    reason: format!("{because}: {why}"),
                }
            }
            Self::Lasting(error) => error,
        }
    }

    fn obstacle(url: &str, obstacle: Obstacle) -> Self {
        Self::Lasting(Error::Obstacle {
            url: url.to_owned(),
            obstacle,
        })
    }

    /// The same where `url` redirects to `target`: a server that cannot be reached is not waited for.
    fn behind_redirect(self, url: &str, target: &str) -> Self {
        match self {
            Self::Unreachable(_)
            | Self::Lasting(Error::Obstacle {
                obstacle: Obstacle::NoHost,
                ..
            }) => {
                let target = target.to_owned();
                Self::obstacle(url, Obstacle::DeadEnd { target })
            }
            other => other,
        }
    }

    /// What a status that brings no file means.
    pub(crate) fn of_status(url: &str, status: StatusCode, headers: &HeaderMap) -> Self {
        if let Some(obstacle) = Obstacle::of(status) {
            return Self::obstacle(url, obstacle);
        }
        let why = format!("the server answered {status}");
        if !matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504) {
            return Self::lasting(url, why);
        }
        let asked = text(headers, header::RETRY_AFTER)
            .and_then(|value| retry_after(value, SystemTime::now()));
        Self::Passing { why, asked }
    }
}

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Address.
    pub(crate) url: &'a str,
    /// What proves who asks; sent to the server of `url` only, not where it redirects to.
    pub(crate) token: Option<&'a str>,
    /// How slow the server may be, and by way of whom it is asked.
    pub(crate) job: &'a Job,
}

impl Request<'_> {
    /// The client for it. It follows no redirects by itself.
    pub(crate) fn agent(&self) -> Agent {
        let silence = Some(self.job.pace.silence);
        let proxy = self.job.proxy.as_ref().filter(|_| !self.is_local());
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("rut-fetch/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(silence)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .proxy(proxy.map(|proxy| proxy.0.clone()));
        config.build().into()
    }

    /// Whether the server is on this machine; it is then not behind a proxy.
    fn is_local(&self) -> bool {
        ["http://127.0.0.1:", "http://localhost:"]
            .iter()
            .any(|start| self.url.starts_with(start))
    }

    /// The file from byte `from` on, if it still is `version`, from wherever the server sends to.
    pub(crate) fn get(
        &self,
        agent: &Agent,
        from: u64,
        version: Option<&str>,
    ) -> Result<Response<Body>, Failure> {
        let mut response = self.get_here(agent, from, version)?;
        let mut url = self.url.to_owned();
        for _ in 0..REDIRECTS {
            let location = text(response.headers(), header::LOCATION);
            let Some(location) = location.filter(|_| response.status().is_redirection()) else {
                return Ok(response);
            };
            let next =
                target(&url, location).map_err(|reason| Failure::lasting(self.url, reason))?;
            // What proves who asks is for the first server only.
            let request = Request {
                url: &next,
                token: None,
                job: self.job,
            };
            let own = (request.is_local() != self.is_local()).then(|| request.agent());
            let agent = own.as_ref().unwrap_or(agent);
            response = request
                .get_here(agent, from, version)
                .map_err(|failure| failure.behind_redirect(&url, &next))?;
            url = next;
        }
        let reason = format!("the server redirects more than {REDIRECTS} times");
        Err(Failure::lasting(self.url, reason))
    }

    fn get_here(
        &self,
        agent: &Agent,
        from: u64,
        version: Option<&str>,
    ) -> Result<Response<Body>, Failure> {
        let mut request = agent
            .get(self.url)
            .header(header::ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
            if let Some(version) = version {
                request = request.header(header::IF_RANGE, version);
            }
        }
        self.call(request)
    }

    /// What the server says of the file before it sends any of it.
    #[cfg(feature = "models")]
    pub(crate) fn head(&self, agent: &Agent) -> Result<Response<Body>, Failure> {
        self.call(agent.head(self.url))
    }

    fn call(&self, mut request: RequestBuilder<WithoutBody>) -> Result<Response<Body>, Failure> {
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.call().map_err(|error| self.failure(error))
    }

    fn failure(&self, error: ureq::Error) -> Failure {
        let url = self.url;
        if is_unknown_host(&error) {
            return Failure::obstacle(url, Obstacle::NoHost);
        }
        let may_pass = matches!(
            error,
            ureq::Error::Io(_)
                | ureq::Error::Timeout(_)
                | ureq::Error::ConnectionFailed
                | ureq::Error::Protocol(_)
        );
        let why = format!("failed to reach {url}: {error}");
        if is_unreachable(&error) {
            Failure::Unreachable(why)
        } else if may_pass {
            Failure::passing(why)
        } else {
            Failure::lasting(url, why)
        }
    }
}

/// Whether the name of a server is unknown, and not only for a moment. The system's resolver says so in words alone.
fn is_unknown_host(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound => true,
        ureq::Error::Io(error) => {
            let text = error.to_string();
            text.contains("failed to lookup address") && !text.contains("Temporary")
        }
        _ => false,
    }
}

/// Whether no server answered.
fn is_unreachable(error: &ureq::Error) -> bool {
    let refused = [
        ErrorKind::ConnectionRefused,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        ErrorKind::AddrNotAvailable,
        ErrorKind::TimedOut,
    ];
    match error {
        ureq::Error::Io(error) => refused.contains(&error.kind()),
        ureq::Error::Timeout(phase) => {
            matches!(phase, ureq::Timeout::Connect | ureq::Timeout::Resolve)
        }
        ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}

/// A header as text.
pub(crate) fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// `Content-Length`.
pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::CONTENT_LENGTH)?.parse().ok()
}

/// What names the version of the file well enough to go on with it later: a strong `ETag`, or the time of its last change.
pub(crate) fn version(headers: &HeaderMap) -> Option<&str> {
    text(headers, header::ETAG)
        .filter(|tag| tag.starts_with('"'))
        .or_else(|| text(headers, header::LAST_MODIFIED))
}

/// `Content-Range: bytes first-last/total` or `bytes */total` (RFC 9110, section 14.4).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ContentRange {
    pub(crate) first: Option<u64>,
    pub(crate) total: Option<u64>,
}

impl ContentRange {
    /// The one of an answer; empty where it has none.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        text(headers, header::CONTENT_RANGE)
            .and_then(Self::parse)
            .unwrap_or_default()
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
    fn a_weak_tag_is_no_version() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, "W/\"a\"".parse().unwrap());
        assert_eq!(version(&headers), None);
        let date = "Fri, 31 Dec 1999 23:59:59 GMT";
        headers.insert(header::LAST_MODIFIED, date.parse().unwrap());
        assert_eq!(version(&headers), Some(date));
        headers.insert(header::ETAG, "\"a\"".parse().unwrap());
        assert_eq!(version(&headers), Some("\"a\""));
    }
}
