//! Asking again while that may help: failures in a row, and the pause after each.

use crate::error::Result;
use crate::job::Job;
use crate::request::Failure;

/// What a server was asked for without success.
pub(crate) struct Attempts<'a> {
    url: &'a str,
    job: &'a Job,
    failures: u32,
}

impl<'a> Attempts<'a> {
    /// Nothing has failed yet at `url`.
    pub(crate) fn of(url: &'a str, job: &'a Job) -> Self {
        Self {
            url,
            job,
            failures: 0,
        }
    }

    /// Progress resets the count.
    pub(crate) fn forget(&mut self) {
        self.failures = 0;
    }

    /// Waits until it is time for the next attempt.
    ///
    /// # Errors
    /// If there should be none: the failure will not pass, patience is at its end, or the run is asked to stop.
    pub(crate) fn pause_after(&mut self, failure: Failure) -> Result<()> {
        self.failures += 1;
        let failures = self.failures;
        if failures >= self.job.patience.attempts {
            let because = format!("gave up after {failures} attempts without progress");
            return Err(failure.last(self.url, &because));
        }
        let (why, asked) = match failure {
            Failure::Lasting(error) => return Err(error),
            Failure::Passing { why, asked } => (why, asked),
            Failure::Unreachable(why) | Failure::Slow(why) => (why, None),
        };
        let pause = self.job.patience.pause(failures, asked);
        let seconds = pause.as_secs_f64();
        self.job
            .meter
            .say(&format!("{why}; trying again in {seconds:.0} s"));
        self.job.stop.sleep(pause)
    }
}
