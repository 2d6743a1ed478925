//! `--verify`: everything that can be wrong with what is there.

use std::fs;

use crate::home::Home;
use crate::samples::{archive, spec, tar_gz};
use crate::site::{Files, Pace, Site};
use rut_data::DatasetSpec;
use rut_fetch::{Absence, Error, Session, fetch, verify};

/// A data set that was fetched, and nothing is served any more.
struct Trial {
    home: Home,
    spec: DatasetSpec,
}

impl Trial {
    fn new() -> Self {
        let bytes = tar_gz(&[
            ("set/deep/down/a.txt", "aaa"),
            ("set/b.txt", "bbb"),
            ("set/c.txt", "ccc"),
        ]);
        let trial = Self {
            home: Home::new(),
            spec: spec("set", vec![archive("set.tar.gz", &bytes)]),
        };
        let site = Site::start(Files::default().file("/set.tar.gz", &bytes, Pace::Quick));
        fetch(&[&trial.spec], &trial.home.session(&site.url)).unwrap();
        trial
    }

    fn session(&self) -> Session {
        self.home.session("http://127.0.0.1:1")
    }

    fn findings(&self) -> usize {
        match verify(&[&self.spec], &self.session(), Absence::Finding) {
            Ok(()) => 0,
            Err(Error::Findings { count }) => count,
            Err(error) => panic!("{error}"),
        }
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.home.data(path), text).unwrap();
    }
}

#[test]
fn what_was_fetched_is_right() {
    let trial = Trial::new();
    assert_eq!(trial.findings(), 0);
    // The archive may go.
    fs::remove_file(trial.home.data(".downloads/set.tar.gz")).unwrap();
    assert_eq!(trial.findings(), 0);
}

#[test]
fn every_file_is_looked_at() {
    let trial = Trial::new();
    trial.write("sets/set/deep/down/a.txt", "aAa");
    assert_eq!(trial.findings(), 1);
    trial.write("sets/set/b.txt", "b");
    assert_eq!(trial.findings(), 2);
    fs::remove_file(trial.home.data("sets/set/c.txt")).unwrap();
    assert_eq!(trial.findings(), 3);
    trial.write(".downloads/set.tar.gz", "something else");
    assert_eq!(trial.findings(), 4);
    // Another file next to them is ignored.
    trial.write("sets/set/own.txt", "");
    assert_eq!(trial.findings(), 4);
}

#[test]
fn a_look_ends_when_stop_is_asked_for() {
    let trial = Trial::new();
    // The archive may go: then only its files are read.
    for _ in 0..2 {
        let session = trial.session();
        session.stop.request();
        let error = verify(&[&trial.spec], &session, Absence::Finding).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
        let _ = fs::remove_file(trial.home.data(".downloads/set.tar.gz"));
    }
}

#[test]
fn the_lock_is_asked_too() {
    let trial = Trial::new();
    let path = trial.home.lock_file();
    let text = fs::read_to_string(&path).unwrap();
    let at = text.find("\"sha256\": \"").unwrap() + 11;
    let changed = [&text[..at], &"0".repeat(64), &text[at + 64..]].concat();
    fs::write(&path, changed).unwrap();
    // Both the archive and what the receipt says it was.
    assert_eq!(trial.findings(), 2);
}

#[test]
fn what_is_not_there_is_a_finding_if_it_was_named() {
    let home = Home::new();
    let spec = spec("set", vec![archive("set.tar.gz", b"")]);
    let session = home.session("");
    let error = verify(&[&spec], &session, Absence::Finding).unwrap_err();
    assert_eq!(error.to_string(), "find everything right: 1 finding");
    verify(&[&spec], &session, Absence::Fine).unwrap();
    assert!(!home.data("").exists());
}

#[test]
fn a_receipt_of_an_earlier_version_is_none_and_is_written_anew() {
    let trial = Trial::new();
    let receipt = ".downloads/set.tar.gz.receipt";
    let text = fs::read_to_string(trial.home.data(receipt)).unwrap();
    let digests: Vec<_> = text.lines().skip(1).take(2).collect();
    let old = format!(
        "rut fetch-data receipt 1\n{}\nset\nset/b.txt\n",
        digests.join("\n")
    );
    trial.write(receipt, &old);
    assert_eq!(trial.findings(), 1);
    // The archive is there, so that nothing is downloaded.
    fetch(&[&trial.spec], &trial.session()).unwrap();
    assert_eq!(fs::read_to_string(trial.home.data(receipt)).unwrap(), text);
    assert_eq!(trial.findings(), 0);
}
