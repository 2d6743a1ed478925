//! How often and after what pause a download that failed is tried again.

use std::time::{Duration, SystemTime};

/// How patient a download is with a server.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Attempts in a row that may bring nothing new before the download is given up.
    pub attempts: u32,
    /// Pause after the first failure, doubled after each further one.
    pub first_pause: Duration,
    /// The longest pause, whatever the server asks for.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// The pause after `failures` failures in a row, of which the last came with what the server asked for.
    pub fn pause(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let own = self.first_pause.saturating_mul(1 << doublings);
        asked.unwrap_or(own).min(self.longest_pause)
    }
}

/// The pause that a `Retry-After` header asks for: seconds, or a date after `now` (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_bounded() {
        let patience = Patience::default();
        let seconds = |failures, asked: Option<u64>| {
            patience
                .pause(failures, asked.map(Duration::from_secs))
                .as_secs()
        };
        assert_eq!(
            [1, 2, 3, 7, 8, 40].map(|failures| seconds(failures, None)),
            [1, 2, 4, 64, 120, 120]
        );
        assert_eq!(seconds(1, Some(30)), 30);
        assert_eq!(seconds(1, Some(86_400)), 120);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:50 GMT").unwrap();
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Fri, 31 Dec 1999 23:59:59 GMT", now),
            Some(Duration::from_secs(9))
        );
        assert_eq!(
            retry_after("Fri, 31 Dec 1999 23:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("soon", now), None);
    }
}
