//! A process of this program that works on one part of a plan: started, asked to stop, and what its end means.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::exit::{GOING_ON, INTERRUPTED};
use crate::system::{ended_by, own_group};

/// Bytes of what a process said last that are kept.
const LAST_WORDS: usize = 2_000;

/// A process at work.
pub struct Job {
    child: Child,
    words: Option<JoinHandle<Vec<u8>>>,
    started: Instant,
}

/// What the end of a process means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All is done.
    Done,
    /// It failed, and a run's failure is written down; what it said last.
    Failed(String),
    /// Another process works on it.
    GoingOn,
    /// It was asked to stop, and saved.
    Stopped,
    /// It ended as it should not have; how, and what it said last.
    Crashed(String),
}

impl Job {
    /// Starts this program with these words. It stops when its standard input ends, because this process is gone.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(words: &[OsString]) -> Result<Self> {
        let program = std::env::current_exe().context("find the program itself")?;
        let mut command = Command::new(program);
        command
            .args(words)
            .arg("--until-eof")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Ctrl-C is for the process that started it, which asks it to stop once.
        own_group(&mut command);
        let mut child = command.spawn().context("start a process of this program")?;
        let stderr = child.stderr.take();
        let words = stderr.map(|mut stderr| std::thread::spawn(move || last_words(&mut stderr)));
        Ok(Self {
            child,
            words,
            started: Instant::now(),
        })
    }

    /// Asks it to save and stop.
    pub fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
    }

    /// What its end means, once it has ended; and the seconds that it took.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn ended(&mut self) -> Result<Option<(End, f64)>> {
        let status = self.child.try_wait().context("wait for a process")?;
        let Some(status) = status else {
            return Ok(None);
        };
        let words = self.words.take().and_then(|words| words.join().ok());
        let words = String::from_utf8_lossy(&words.unwrap_or_default()).into_owned();
        let seconds = self.started.elapsed().as_secs_f64();
        Ok(Some((meaning(status, words.trim()), seconds)))
    }
}

fn meaning(status: ExitStatus, words: &str) -> End {
    let how = match (status.code(), ended_by(status)) {
        (Some(0), _) => return End::Done,
        (Some(1..=3), _) => return End::Failed(words.into()),
        (Some(code), _) if code == i32::from(GOING_ON) => return End::GoingOn,
        (Some(code), _) if code == i32::from(INTERRUPTED) => return End::Stopped,
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(9)) => {
            "signal 9 (killed by a user, or by the system because memory ran out)".to_owned()
        }
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    };
    let words = match words {
        "" => String::new(),
        words => format!("; its last output: {words}"),
    };
    End::Crashed(format!(
        "end as a run should: its process ended by {how}{words}"
    ))
}

/// What is read until the end, but only the last of it.
fn last_words(from: &mut impl Read) -> Vec<u8> {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let surplus = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..surplus);
    }
    kept
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn an_end_is_told_by_its_code_or_signal() {
        // What `wait` gives: codes stand eight bits up, signals in the lowest bits.
        let of = |raw| meaning(ExitStatus::from_raw(raw), "help");
        assert_eq!(of(0), End::Done);
        assert_eq!(of(1 << 8), End::Failed("help".into()));
        assert_eq!(of(4 << 8), End::GoingOn);
        assert_eq!(of(130 << 8), End::Stopped);
        let crash = |raw| match of(raw) {
            End::Crashed(text) => text,
            other => panic!("{other:?}"),
        };
        assert!(crash(9).contains("signal 9"));
        assert!(crash(101 << 8).contains("exit code 101; its last output: help"));
    }

    #[test]
    fn the_last_words_are_kept() {
        let long = [vec![b'a'; 5_000], b"end".to_vec()].concat();
        let kept = last_words(&mut long.as_slice());
        assert_eq!(kept.len(), LAST_WORDS);
        assert!(kept.ends_with(b"aend"));
    }
}
