//! How slow a server may be before a connection to it, and then the whole download, is given up.

use std::time::{Duration, Instant};

/// The slowest that is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A connection is given up that is silent for so long, that needs longer for the head of its answer, or that brings
    /// fewer than `least` bytes of a file in this time.
    pub silence: Duration,
    /// Bytes that count as progress.
    pub least: u64,
    /// A download is given up that has brought fewer than `least` bytes in this time, over how many connections ever.
    pub budget: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(60),
            least: 64 << 10,
            budget: Duration::from_secs(15 * 60),
        }
    }
}

/// When there was progress, and how far it had come.
#[derive(Debug)]
pub(crate) struct Since {
    when: Instant,
    bytes: u64,
}

impl Since {
    /// At `bytes` now.
    pub(crate) fn now(bytes: u64) -> Self {
        Self {
            when: Instant::now(),
            bytes,
        }
    }

    /// Whether `bytes` are too few after `time`; enough of them reset the clock.
    pub(crate) fn is_too_slow(&mut self, bytes: u64, least: u64, time: Duration) -> bool {
        if bytes >= self.bytes.saturating_add(least) || bytes < self.bytes {
            *self = Self::now(bytes);
        }
        self.when.elapsed() >= time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_bytes_begin_anew_and_few_do_not() {
        let long = Duration::from_secs(3600);
        let mut since = Since::now(10);
        assert!(!since.is_too_slow(10, 5, long));
        assert!(since.is_too_slow(14, 5, Duration::ZERO));
        since.is_too_slow(15, 5, long);
        assert_eq!(since.bytes, 15);
        since.is_too_slow(19, 5, long);
        assert_eq!(since.bytes, 15);
        // The file is begun again.
        since.is_too_slow(0, 5, long);
        assert_eq!(since.bytes, 0);
    }
}
