//! Downloads as a person sees them: a bar for each file on a terminal, a line every few seconds elsewhere. Results go to
//! stdout, everything else to stderr.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use indicatif::{
    DecimalBytes, FormattedDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle,
};
use rut_fetch::{Event, Observer, Stage, StageLines};

use crate::output::{note, result};

const KNOWN: &str = "{prefix} {wide_bar:.cyan/dim} {decimal_bytes}/{decimal_total_bytes} {speed}";
const UNKNOWN: &str = "{prefix} {spinner} {decimal_bytes} {speed}";

/// Shows downloads.
#[derive(Debug)]
pub struct Downloads {
    bars: Option<MultiProgress>,
    /// The bar of each file that is on its way.
    running: Mutex<BTreeMap<String, ProgressBar>>,
    stages: StageLines,
    /// The first result that could not be written.
    failure: Mutex<Option<anyhow::Error>>,
}

impl Downloads {
    /// Bars if stderr is a terminal, else lines.
    pub fn new() -> Self {
        Self {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            running: Mutex::default(),
            stages: StageLines::default(),
            failure: Mutex::default(),
        }
    }

    /// Whether all results were written.
    ///
    /// # Errors
    /// If one was not, as [`result`].
    pub fn written(&self) -> Result<()> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().map_or(Ok(()), Err)
    }

    /// Runs `print` while no bar is drawn.
    fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    fn result(&self, text: &str) {
        if let Err(error) = self.above(|| result(text)) {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        }
    }

    fn draw(&self, bars: &MultiProgress, event: &Event<'_>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Stage(stage) => running
                .entry(stage.file.to_owned())
                .or_insert_with(|| bars.add(bar(stage)))
                .set_position(stage.done),
            Event::Over(file) => {
                if let Some(bar) = running.remove(*file) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

impl Observer for Downloads {
    fn event(&self, event: &Event<'_>) {
        match (event, &self.bars) {
            (Event::Result(text), _) => self.result(text),
            (Event::Note(text), _) => self.above(|| note(text)),
            (_, Some(bars)) => self.draw(bars, event),
            (_, None) => {
                if let Some(line) = self.stages.line(event) {
                    note(&line);
                }
            }
        }
    }
}

fn bar(stage: &Stage<'_>) -> ProgressBar {
    let bar = stage
        .total
        .map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match stage.total {
        Some(_) => KNOWN,
        None => UNKNOWN,
    };
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.with_key("speed", speed(stage.start)))
        .with_prefix(format!("{} {}", stage.file, stage.name))
}

/// Speed and rest of a stage that began at `start`: what an earlier run fetched does not count.
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
