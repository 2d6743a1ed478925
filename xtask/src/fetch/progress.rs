//! What a person sees while files come: a bar for each on a terminal, a line every few seconds elsewhere. All of it on
//! stderr; results are printed by others.

use std::borrow::Cow;
use std::fmt;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{
    DecimalBytes, FormattedDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle,
};
use rut_formats::lines;

use super::disk::megabytes;

/// Characters of a line; a longer one quotes what came from elsewhere.
const LONGEST_LINE: usize = 4000;
/// Time between two lines about one file.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

const KNOWN: &str = "{prefix} {wide_bar:.cyan/dim} {decimal_bytes}/{decimal_total_bytes} {speed}";
const UNKNOWN: &str = "{prefix} {spinner} {decimal_bytes} {speed}";

/// The display of a run.
#[derive(Debug, Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
}

impl Progress {
    /// Bars if stderr is a terminal, else lines.
    pub fn new() -> Self {
        Self {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
        }
    }

    /// Lines, wherever they go.
    pub fn lines() -> Self {
        Self { bars: None }
    }

    /// A meter for what is called `label`.
    pub fn meter(&self, label: &str) -> Meter {
        Meter {
            progress: self.clone(),
            label: label.to_owned(),
            running: Mutex::default(),
        }
    }

    /// Says something above the bars.
    pub fn say(&self, text: &str) {
        self.above(|| eprintln!("{}", lines(text, LONGEST_LINE)));
    }

    /// Runs `print` while no bar is drawn.
    pub fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// How far one file is.
#[derive(Debug)]
pub struct Meter {
    progress: Progress,
    label: String,
    running: Mutex<Option<Running>>,
}

/// A stage of a file's way.
#[derive(Debug)]
struct Running {
    stage: &'static str,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Meter {
    /// Says something about the file.
    pub(super) fn say(&self, text: &str) {
        self.progress.say(&format!("{}: {text}", self.label));
    }

    /// A stage begins, with `done` of its `total` bytes behind it.
    pub(super) fn begin(&self, stage: &'static str, total: Option<u64>, done: u64) {
        let bar = self.progress.bars.as_ref().map(|bars| {
            let bar = bars.add(total.map_or_else(ProgressBar::no_length, ProgressBar::new));
            let template = if total.is_some() { KNOWN } else { UNKNOWN };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.with_key("speed", speed(done)));
            }
            bar.set_prefix(format!("{} {stage}", self.label));
            bar.set_position(done);
            bar
        });
        self.end();
        *self.running() = Some(Running {
            stage,
            total,
            bar,
            last_line: Instant::now(),
        });
    }

    /// `done` bytes of the stage are behind it.
    pub(super) fn at(&self, done: u64) {
        let mut running = self.running();
        let Some(stage) = running.as_mut() else {
            return;
        };
        if let Some(bar) = &stage.bar {
            bar.set_position(done);
        } else if stage.last_line.elapsed() >= BETWEEN_LINES {
            stage.last_line = Instant::now();
            let of_total = stage.total.map_or(Cow::Borrowed(""), |total| {
                format!(" of {}", megabytes(total)).into()
            });
            let (name, done) = (stage.stage, megabytes(done));
            self.say(&format!("{name}, {done}{of_total} MB"));
        }
    }

    /// The stage is over.
    pub(super) fn end(&self) {
        if let Some(Running { bar: Some(bar), .. }) = self.running().take() {
            bar.finish_and_clear();
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Speed and rest of a stage that began at `start`: what an earlier run brought says nothing about either.
fn speed(start: u64) -> impl Fn(&ProgressState, &mut dyn fmt::Write) + Clone {
    move |state, out| {
        let seconds = state.elapsed().as_secs_f64();
        let done = state.pos().saturating_sub(start);
        if seconds < 1.0 || done == 0 {
            return;
        }
        let speed = done as f64 / seconds;
        // What cannot be written is not seen.
        let _ = write!(out, "{}/s", DecimalBytes(speed as u64));
        if let Some(total) = state.len() {
            let rest = total.saturating_sub(state.pos()) as f64 / speed;
            let rest = Duration::from_secs(rest as u64);
            let _ = write!(out, ", {} left", FormattedDuration(rest));
        }
    }
}

impl Default for Meter {
    /// One that says its lines without a name.
    fn default() -> Self {
        Progress::lines().meter("download")
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.end();
    }
}
