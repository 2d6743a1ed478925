//! What the journal keeps, cuts and writes when a run is resumed.

use std::time::Duration;

use rut_adapt::{LoopControl, Observer, TrainingState};
use rut_models::EngineInfo;
use rut_record::{Event, Phase, RunDir};
use rut_run::{BoardOptions, Display, Journal, Requests, SaveOptions};

#[derive(Default)]
struct Notes(Vec<String>);

impl Display for Notes {
    fn event(&mut self, _: &Event) {}

    fn progress(&mut self, _: Phase, _: usize, _: usize) {}

    fn resumed(&mut self, _: u64) {}

    fn note(&mut self, note: &str) {
        self.0.push(note.to_owned());
    }
}

const NEVER: Duration = Duration::from_secs(3600);

fn save_options(requests: &Requests, save_interval: Duration) -> SaveOptions<'_> {
    let engine = EngineInfo {
        name: "engine-1",
        isa: "any",
    };
    SaveOptions {
        requests,
        save_interval,
        engine,
        board: Some(BoardOptions {
            source_classes: 7,
            fields: serde_json::Map::new(),
            specification: String::new(),
        }),
    }
}

fn step(step: u64) -> Event {
    Event::Step {
        epoch: 0,
        step,
        loss: 0.5,
    }
}

/// A folder with two events that the saved state knows of, and one that it does not.
fn interrupted() -> (tempfile::TempDir, RunDir, TrainingState) {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::at(folder.path());
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let mut journal =
        Journal::open(&dir, None, &mut notes, save_options(&requests, NEVER)).unwrap();
    journal.event(&step(1)).unwrap();
    journal.event(&step(2)).unwrap();
    journal.save(TrainingState::default()).unwrap();
    journal.event(&step(3)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    assert_eq!(lines(&dir), 3);
    let state = TrainingState::from_bytes(&std::fs::read(dir.state()).unwrap()).unwrap();
    (folder, dir, state)
}

fn lines(dir: &RunDir) -> usize {
    std::fs::read_to_string(dir.events())
        .unwrap()
        .lines()
        .count()
}

#[test]
fn a_resume_cuts_what_the_state_does_not_know_of() {
    let (_folder, dir, state) = interrupted();
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let mut journal = Journal::open(
        &dir,
        Some(&state),
        &mut notes,
        save_options(&requests, NEVER),
    )
    .unwrap();
    assert_eq!(lines(&dir), 2);
    journal.event(&step(3)).unwrap();
    journal.sync().unwrap();
    assert_eq!(journal.cost(2).resumed, 1);
    assert_eq!(lines(&dir), 3);
    drop(journal);
    assert!(
        notes.0.is_empty(),
        "the same program and machine: nothing to warn of"
    );
}

/// Length of the event file for TensorBoard, and what is in it.
fn board(dir: &RunDir) -> (u64, Vec<u8>) {
    let bytes = std::fs::read(dir.tensorboard()).unwrap();
    (bytes.len() as u64, bytes)
}

#[test]
fn a_resume_cuts_what_tensorboard_was_told_too() {
    let (_folder, dir, state) = interrupted();
    let kept = state.number("board.length").unwrap();
    let (longer, before) = board(&dir);
    // Two events are kept of three of the same length.
    assert!(kept < longer && kept > 2 * (longer - kept));
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let mut journal = Journal::open(
        &dir,
        Some(&state),
        &mut notes,
        save_options(&requests, NEVER),
    )
    .unwrap();
    assert_eq!(board(&dir).0, kept);
    journal.event(&step(3)).unwrap();
    journal.save(TrainingState::default()).unwrap();
    drop(journal);
    let (length, after) = board(&dir);
    assert_eq!(length, longer);
    assert_eq!(after[..kept as usize], before[..kept as usize]);
}

#[test]
fn what_tensorboard_was_told_begins_anew_where_the_state_knows_nothing_of_it() {
    let (_folder, dir, state) = interrupted();
    let (longer, _) = board(&dir);
    // A state of an earlier build, or of a session without the file; and a file that was deleted.
    let mut earlier = TrainingState::default();
    for name in ["journal.events_length", "journal.resumed"] {
        earlier.put_number(name, state.number(name).unwrap());
    }
    for phase in ["extract", "map", "train", "validate", "test"] {
        earlier.put_float(&format!("journal.seconds.{phase}"), 0.0);
        earlier.put_number(&format!("journal.images.{phase}"), 0);
    }
    earlier.put_float("journal.seconds", 0.0);
    earlier.put_text("journal.means", state.text("journal.means").unwrap());
    earlier.put_text("journal.other_means", "");
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let mut fresh = 0;
    for (delete, state) in [(false, &earlier), (true, &state)] {
        if delete {
            std::fs::remove_file(dir.tensorboard()).unwrap();
        }
        let save_options = save_options(&requests, NEVER);
        drop(Journal::open(&dir, Some(state), &mut notes, save_options).unwrap());
        let (length, bytes) = board(&dir);
        assert!(length > 0 && length < longer, "{length}");
        assert!(bytes.windows(13).any(|part| part == b"brain.Event:2"));
        assert!(fresh == 0 || fresh == length);
        fresh = length;
    }
}

#[test]
fn events_shorter_than_the_state_says_are_refused() {
    let (_folder, dir, state) = interrupted();
    std::fs::write(dir.events(), "{}").unwrap();
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let error = Journal::open(
        &dir,
        Some(&state),
        &mut notes,
        save_options(&requests, NEVER),
    )
    .err()
    .unwrap()
    .to_string();
    assert!(
        error.contains("events.jsonl")
            && error.contains("found 2")
            && error.contains("`overwrite`"),
        "{error}"
    );
    assert_eq!(
        std::fs::read_to_string(dir.events()).unwrap(),
        "{}",
        "nothing was cut"
    );
}

#[test]
fn another_engine_warns_and_is_recorded() {
    let (_folder, dir, mut state) = interrupted();
    state.put_text("journal.means", "rut 0.0.0 reference-0 abacus");
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let journal = Journal::open(
        &dir,
        Some(&state),
        &mut notes,
        save_options(&requests, NEVER),
    )
    .unwrap();
    assert_eq!(
        journal.cost(2).other_means,
        ["rut 0.0.0 reference-0 abacus"]
    );
    drop(journal);
    assert!(
        notes.0[0].contains("abacus") && notes.0[0].contains("not bit-equal"),
        "{:?}",
        notes.0
    );
}

#[test]
fn requests_and_time_become_wishes() {
    let (_folder, dir, _) = interrupted();
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let mut journal =
        Journal::open(&dir, None, &mut notes, save_options(&requests, NEVER)).unwrap();
    assert_eq!(journal.control(), LoopControl::Continue);
    requests
        .save
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(
        (journal.control(), journal.control()),
        (LoopControl::Save, LoopControl::Continue)
    );
    requests
        .stop
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(journal.control(), LoopControl::SaveAndStop);
    drop(journal);
    let requests = Requests::default();
    let mut always = Journal::open(
        &dir,
        None,
        &mut notes,
        save_options(&requests, Duration::ZERO),
    )
    .unwrap();
    assert_eq!(always.control(), LoopControl::Save);
}
