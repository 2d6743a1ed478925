//! What a journal does with a full disk and with files that changed.

use super::*;

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

#[test]
fn a_run_goes_on_without_tensorboard_where_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::at(folder.path());
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let save_options = SaveOptions {
        requests: &requests,
        save_interval: Duration::MAX,
        engine: EngineInfo {
            name: "engine-1",
            isa: "any",
        },
        board: Some(BoardOptions {
            source_classes: 7,
            fields: serde_json::Map::new(),
            specification: String::new(),
        }),
    };
    let mut journal = Journal::open(&dir, None, &mut notes, save_options.clone()).unwrap();
    assert!(journal.board.is_some());
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    journal.on_board(|_| Err(file("write", &dir.tensorboard())(full())));
    assert!(journal.board.is_none());
    for step in 1..4 {
        let (epoch, loss) = (0, 0.5);
        journal.event(&Event::Step { epoch, step, loss }).unwrap();
    }
    journal.save(TrainingState::default()).unwrap();
    let checksum = Checksum::of_file(&dir.events()).unwrap().digits();
    let files = BTreeMap::from([("events.jsonl".to_owned(), checksum)]);
    journal.check_events(&files).unwrap();
    assert!(journal.check_events(&BTreeMap::new()).is_err());
    drop(journal);
    assert_eq!(notes.0.len(), 1, "{:?}", notes.0);
    assert!(
        notes.0[0].starts_with("warning: failed to write "),
        "{:?}",
        notes.0
    );
    // One that cannot even be opened is the same.
    std::fs::remove_file(dir.tensorboard()).unwrap();
    std::fs::create_dir(dir.tensorboard()).unwrap();
    let state = TrainingState::from_bytes(&std::fs::read(dir.state()).unwrap()).unwrap();
    let journal = Journal::open(&dir, Some(&state), &mut notes, save_options.clone()).unwrap();
    assert!(journal.board.is_none());
    drop(journal);
    assert_eq!(notes.0.len(), 2, "{:?}", notes.0);
}

#[test]
fn events_that_changed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::at(folder.path());
    let (mut notes, requests) = (Notes::default(), Requests::default());
    let save_options = SaveOptions {
        requests: &requests,
        save_interval: Duration::MAX,
        engine: EngineInfo {
            name: "engine-1",
            isa: "any",
        },
        board: None,
    };
    let mut journal = Journal::open(&dir, None, &mut notes, save_options.clone()).unwrap();
    let (epoch, loss) = (0, 0.5);
    for step in [1, 2] {
        journal.event(&Event::Step { epoch, step, loss }).unwrap();
    }
    journal.save(TrainingState::default()).unwrap();
    journal
        .event(&Event::Step {
            epoch,
            step: 3,
            loss,
        })
        .unwrap();
    journal.sync().unwrap();
    drop(journal);
    let bytes = std::fs::read(dir.state()).unwrap();
    let state = TrainingState::from_bytes(&bytes).unwrap();
    let events = std::fs::read(dir.events()).unwrap();
    let kept = state.number(LENGTH).unwrap() as usize;
    for bit in 0..8 * events.len() {
        let mut changed = events.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(dir.events(), changed).unwrap();
        let opened = Journal::open(&dir, Some(&state), &mut notes, save_options.clone());
        // What the state does not cover is dropped anyway.
        match opened {
            Ok(_) => assert!(bit / 8 >= kept, "bit {bit}"),
            Err(error) => assert!(bit / 8 < kept && error.to_string().contains("checksum")),
        }
    }
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(TrainingState::from_bytes(&changed).is_err(), "bit {bit}");
    }
}
