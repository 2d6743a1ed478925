//! Events of a fetch, and the observer that receives them. Nothing is printed here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::megabytes;

/// Time between two lines about one file.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// An event of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A result: the status of something that was asked for, or what is wrong with existing files. It may have several lines.
    Result(&'a str),
    /// What a person should know besides: what is tried again and why, what failed, what has to be got by hand.
    Note(&'a str),
    /// Progress of a file. Sent often; meant for display.
    Stage(Stage<'a>),
    /// The stage of this file is over.
    Over(&'a str),
}

/// A stage of a file's way. No two files of one label are on their way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage<'a> {
    /// What a person calls the file.
    pub file: &'a str,
    /// `downloading`, `verifying`, `unpacking`.
    pub name: &'static str,
    /// Bytes that were behind it when it began: an earlier run brought them.
    pub start: u64,
    /// Bytes that are behind it.
    pub done: u64,
    /// All of its bytes, where that is known.
    pub total: Option<u64>,
}

impl fmt::Display for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.file, self.name, megabytes(self.done))?;
        if let Some(total) = self.total {
            write!(f, " of {}", megabytes(total))?;
        }
        f.write_str(" MB")
    }
}

/// Receives the events of a fetch: a progress bar, a test. Several threads call it at the same time.
pub trait Observer: fmt::Debug + Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// An observer that ignores everything.
impl Observer for () {
    fn event(&self, _: &Event<'_>) {}
}

/// How far files are, as a line every few seconds: for where no bars are drawn.
#[derive(Debug, Default)]
pub struct StageLines {
    /// When something was last said of a file.
    last: Mutex<BTreeMap<String, Instant>>,
}

impl StageLines {
    /// What to say after `event`, if it is time to say something.
    pub fn line(&self, event: &Event<'_>) -> Option<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Stage(stage) => match last.get_mut(stage.file) {
                Some(when) if when.elapsed() >= BETWEEN_LINES => {
                    *when = Instant::now();
                    return Some(stage.to_string());
                }
                Some(_) => {}
                None => {
                    last.insert(stage.file.to_owned(), Instant::now());
                }
            },
            Event::Over(file) => {
                last.remove(*file);
            }
            Event::Result(_) | Event::Note(_) => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_says_how_far_it_is() {
        let mut stage = Stage {
            file: "a.zip",
            name: "downloading",
            start: 0,
            done: 3_100_000,
            total: Some(170_498_071),
        };
        assert_eq!(stage.to_string(), "a.zip: downloading, 3.1 of 170.4 MB");
        stage.total = None;
        assert_eq!(stage.to_string(), "a.zip: downloading, 3.1 MB");
    }

    #[test]
    fn lines_come_now_and_then() {
        let lines = StageLines::default();
        let event = Event::Stage(Stage {
            file: "a.zip",
            name: "unpacking",
            start: 0,
            done: 1_000_000,
            total: None,
        });
        assert_eq!(lines.line(&event), None);
        assert_eq!(lines.line(&event), None);
        let earlier = Instant::now().checked_sub(BETWEEN_LINES).unwrap();
        lines
            .last
            .lock()
            .unwrap()
            .insert("a.zip".to_owned(), earlier);
        let said = lines.line(&event);
        assert_eq!(said.as_deref(), Some("a.zip: unpacking, 1.0 MB"));
        assert_eq!(lines.line(&event), None);
        lines.line(&Event::Over("a.zip"));
        assert!(lines.last.lock().unwrap().is_empty());
    }
}
