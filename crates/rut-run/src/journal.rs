//! The observer that stores a loop's reports: events in `events.jsonl` and for TensorBoard, states in `state.safetensors`,
//! seconds by phase.
//! The display shows progress to the user.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rut_adapt::{LoopControl, Observer, ObserverError, TrainingState};
use rut_formats::checksum::Checksum;
use rut_formats::regular;
use rut_images::RgbImage;
use rut_models::EngineInfo;
use rut_record::means;
use rut_record::sealed::CHANGED;
use rut_record::{Cost, Event, Phase, Record, RunDir, UNFINISHED_REMEDY, file_name, write_whole};

use crate::error::{Error, Result, broken, file};
use crate::tensorboard::{Board, BoardOptions};

/// Shows a run to a person while it goes on.
pub trait Display {
    /// Something happened.
    fn event(&mut self, event: &Event);
    /// `done` of `total` images of `phase` are through.
    fn progress(&mut self, phase: Phase, done: usize, total: usize);
    /// The run goes on from a saved state, `steps` steps in.
    fn resumed(&mut self, steps: u64);
    /// Something that a person should know.
    fn note(&mut self, note: &str);
}

/// Requests from outside, set by signal handlers.
#[derive(Debug, Default)]
pub struct Requests {
    /// Save the state and stop.
    pub stop: Arc<AtomicBool>,
    /// Save the state and go on.
    pub save: Arc<AtomicBool>,
}

/// When a journal saves, and what it writes down of the machine.
#[derive(Clone, Debug)]
pub struct SaveOptions<'a> {
    /// Requests from outside.
    pub requests: &'a Requests,
    /// Time between two savings.
    pub save_interval: Duration,
    /// The engine that computes the frozen network.
    pub engine: EngineInfo,
    /// What TensorBoard's event file goes by; `None` for no such file.
    pub board: Option<BoardOptions>,
}

/// Keeps events, states and times of one run.
pub struct Journal<'a> {
    dir: &'a RunDir,
    events: BufWriter<File>,
    written: u64,
    /// Of all that was written.
    checksum: Checksum,
    /// The checksum of the specification's file.
    spec: String,
    board: Option<Board>,
    display: &'a mut dyn Display,
    requests: &'a Requests,
    save_interval: Duration,
    saved: Instant,
    clock: Clock,
}

/// Entries of the saved state that are the journal's own.
const LENGTH: &str = "journal.events_length";
const EVENTS: &str = "journal.events_checksum";
const SPEC: &str = "journal.spec_checksum";
const MEANS: &str = "journal.means";
const RESUMED: &str = "journal.resumed";
const OTHER_MEANS: &str = "journal.other_means";

impl<'a> Journal<'a> {
    /// The journal of a run in `dir`, continuing after what `state` (of an earlier session) covers.
    ///
    /// # Errors
    /// If the events cannot be written, or are shorter than the state says.
    pub fn open(
        dir: &'a RunDir,
        state: Option<&TrainingState>,
        display: &'a mut dyn Display,
        save_options: SaveOptions<'a>,
    ) -> Result<Self> {
        let path = dir.events();
        let length = state.map_or(Ok(0), |state| state.number(LENGTH))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut events = regular::open_with(&mut options, &path).map_err(file("open", &path))?;
        let found = events.metadata().map_err(file("read", &path))?.len();
        if found < length {
            let problem =
                format!("expected at least {length} bytes, found {found}; {UNFINISHED_REMEDY}");
            return Err(broken(&path, problem));
        }
        let checksum = beginning(&events, length).map_err(file("read", &path))?;
        let spec = if dir.spec().exists() {
            Checksum::of_file(&dir.spec())
                .map_err(file("read", &dir.spec()))?
                .digits()
        } else {
            String::new()
        };
        if let Some(state) = state {
            unchanged(&path, state, EVENTS, &checksum.digits())?;
            unchanged(&dir.spec(), state, SPEC, &spec)?;
            if state.is_unchecked() {
                display.note(
                    "an earlier version saved the state, without checksums: it is not checked",
                );
            }
        }
        events.set_len(length).map_err(file("cut", &path))?;
        events
            .seek(SeekFrom::End(0))
            .map_err(file("write", &path))?;
        let board = |options| Board::open(&dir.tensorboard(), state, options);
        let board = save_options.board.and_then(|options| {
            let failed = |error| display.note(&without_board(&error));
            board(options).map_err(failed).ok()
        });
        let clock = Clock::resume(
            state,
            means(save_options.engine.name, save_options.engine.isa),
        )?;
        if let Some(other) = clock.other_means.last().filter(|_| state.is_some()) {
            display.note(&format!("the run was begun with {other} and goes on with {}: it is not bit-equal to an uninterrupted one", clock.means));
        }
        Ok(Self {
            dir,
            events: BufWriter::new(events),
            written: length,
            checksum,
            spec,
            board,
            display,
            requests: save_options.requests,
            save_interval: save_options.save_interval,
            saved: Instant::now(),
            clock,
        })
    }

    /// The run's cost so far; `threads` computed it.
    pub fn cost(&self, threads: usize) -> Cost {
        self.clock.cost(threads)
    }

    /// Shows a note to the user.
    pub fn note(&mut self, note: &str) {
        self.display.note(note);
    }

    /// Writes all events to the disk.
    ///
    /// # Errors
    /// If it is full, say.
    pub fn sync(&mut self) -> Result<()> {
        let path = self.dir.events();
        self.events
            .flush()
            .and_then(|()| self.events.get_ref().sync_all())
            .map_err(file("write", &path))
    }

    /// Writes a trained prompt for TensorBoard.
    pub fn show_prompt(&mut self, picture: &RgbImage) {
        self.on_board(|board| board.show_prompt(picture));
    }

    /// Writes the figures of the finished run for TensorBoard.
    pub fn finish(&mut self, record: &Record) {
        self.on_board(|board| board.finish(record));
    }

    /// Whether `events.jsonl` holds what was written to it, by the checksums of `files`.
    ///
    /// # Errors
    /// If not.
    pub(crate) fn check_events(&self, files: &BTreeMap<String, String>) -> Result<()> {
        let path = self.dir.events();
        if files.get(&file_name(&path)) == Some(&self.checksum.digits()) {
            Ok(())
        } else {
            Err(changed(&path))
        }
    }

    /// Does something on the board. It is no part of the run: where it cannot be written, the run goes on without.
    fn on_board(&mut self, does: impl FnOnce(&mut Board) -> Result<()>) {
        if let Some(Err(error)) = self.board.as_mut().map(does) {
            self.board = None;
            self.display.note(&without_board(&error));
        }
    }

    fn write_state(&mut self, mut state: TrainingState) -> Result<()> {
        self.sync()?;
        state.put_number(LENGTH, self.written);
        state.put_text(EVENTS, self.checksum.digits());
        state.put_text(SPEC, self.spec.as_str());
        self.on_board(Board::flush);
        if let Some(board) = &self.board {
            board.save(&mut state);
        }
        self.clock.save(&mut state);
        Ok(write_whole(&self.dir.state(), &state.to_bytes()?)?)
    }
}

/// The warning if the file for TensorBoard cannot be written.
fn without_board(error: &Error) -> String {
    format!("warning: failed to {error}: the run goes on without a file for TensorBoard")
}

fn changed(path: &Path) -> Error {
    broken(path, format!("{CHANGED}; {UNFINISHED_REMEDY}"))
}

/// Compares what was found of the file at `path` with `state`, if that has an entry for it.
fn unchanged(path: &Path, state: &TrainingState, entry: &str, found: &str) -> Result<()> {
    if state.has(entry) && state.text(entry)? != found {
        Err(changed(path))
    } else {
        Ok(())
    }
}

/// The checksum of the first `length` bytes of a file.
fn beginning(file: &File, length: u64) -> std::io::Result<Checksum> {
    let mut checksum = Checksum::default();
    if checksum.read(&mut file.take(length))? == length {
        Ok(checksum)
    } else {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

impl Observer for Journal<'_> {
    fn event(&mut self, event: &Event) -> Result<(), ObserverError> {
        let mut line = serde_json::to_string(event)?;
        line.push('\n');
        self.events
            .write_all(line.as_bytes())
            .map_err(file("write", &self.dir.events()))?;
        self.written += line.len() as u64;
        self.checksum.update(line.as_bytes());
        self.on_board(|board| board.write_event(event));
        self.display.event(event);
        Ok(())
    }

    fn progress(&mut self, phase: Phase, done: usize, total: usize) {
        self.clock.batch(phase, done);
        self.display.progress(phase, done, total);
    }

    fn control(&mut self) -> LoopControl {
        if self.requests.stop.load(Ordering::Relaxed) {
            LoopControl::SaveAndStop
        } else if self.requests.save.swap(false, Ordering::Relaxed)
            || self.saved.elapsed() >= self.save_interval
        {
            self.saved = Instant::now();
            LoopControl::Save
        } else {
            LoopControl::Continue
        }
    }

    fn save(&mut self, state: TrainingState) -> Result<(), ObserverError> {
        Ok(self.write_state(state)?)
    }
}

/// Seconds and images by phase, over all sessions of a run.
struct Clock {
    started: Instant,
    last: Instant,
    before: f64,
    seconds: BTreeMap<Phase, f64>,
    images: BTreeMap<Phase, u64>,
    phase: Option<(Phase, usize)>,
    resumed: u32,
    means: String,
    other_means: Vec<String>,
}

impl Clock {
    fn resume(state: Option<&TrainingState>, means: String) -> Result<Self> {
        let now = Instant::now();
        let (seconds, images) = (BTreeMap::new(), BTreeMap::new());
        let mut clock = Self {
            started: now,
            last: now,
            before: 0.0,
            seconds,
            images,
            phase: None,
            resumed: 0,
            means,
            other_means: Vec::new(),
        };
        let Some(state) = state else { return Ok(clock) };
        clock.before = state.float("journal.seconds")?;
        for phase in Phase::ALL {
            clock.seconds.insert(
                phase,
                state.float(&format!("journal.seconds.{}", phase.name()))?,
            );
            clock.images.insert(
                phase,
                state.number(&format!("journal.images.{}", phase.name()))?,
            );
        }
        clock.resumed = u32::try_from(state.number(RESUMED)?)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        clock.other_means = state
            .text(OTHER_MEANS)?
            .split(',')
            .filter(|means| !means.is_empty())
            .map(str::to_owned)
            .collect();
        let before = state.text(MEANS)?;
        if before != clock.means && !clock.other_means.iter().any(|known| known == before) {
            clock.other_means.push(before.to_owned());
        }
        Ok(clock)
    }

    fn save(&self, state: &mut TrainingState) {
        state.put_float("journal.seconds", self.total());
        for phase in Phase::ALL {
            state.put_float(
                &format!("journal.seconds.{}", phase.name()),
                self.seconds.get(&phase).copied().unwrap_or(0.0),
            );
            state.put_number(
                &format!("journal.images.{}", phase.name()),
                self.images.get(&phase).copied().unwrap_or(0),
            );
        }
        state.put_number(RESUMED, self.resumed.into());
        state.put_text(MEANS, self.means.as_str());
        state.put_text(OTHER_MEANS, self.other_means.join(","));
    }

    /// Credits the time since the last batch to `phase`, and the images that it brought.
    fn batch(&mut self, phase: Phase, done: usize) {
        let now = Instant::now();
        *self.seconds.entry(phase).or_default() += (now - self.last).as_secs_f64();
        self.last = now;
        let before = match self.phase {
            Some((last, before)) if last == phase && before < done => before,
            _ => 0,
        };
        *self.images.entry(phase).or_default() += (done - before) as u64;
        self.phase = Some((phase, done));
    }

    fn total(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    fn cost(&self, threads: usize) -> Cost {
        let used = || self.seconds.iter().filter(|(_, seconds)| **seconds > 0.0);
        let rate = |phase: &Phase, seconds: &f64| {
            self.images
                .get(phase)
                .map_or(0.0, |images| *images as f64 / seconds)
        };
        Cost {
            seconds: used()
                .map(|(phase, seconds)| (phase.name().into(), *seconds))
                .collect(),
            total_seconds: self.total(),
            images_per_second: used()
                .map(|(phase, seconds)| (phase.name().into(), rate(phase, seconds)))
                .collect(),
            peak_memory_bytes: rut_record::peak_memory().unwrap_or(0),
            threads,
            resumed: self.resumed,
            other_means: self.other_means.clone(),
            data_dir: None,
        }
    }
}
