//! A data set's archive from a server on this machine to the folder that rut reads.

use std::fs;
use std::path::PathBuf;

use crate::home::{Home, names};
use crate::loopback::{Server, cut, rest, status, whole};
use crate::samples::{archive, of, tar_gz};
use rut_data::Archive;
use rut_fetch::{FetchOptions, Network, Outcome, Session, fetch, fetch_archive, named};

fn archive_bytes() -> Vec<u8> {
    tar_gz(&[
        ("set/labels.txt", "cat\ndog\n"),
        ("set/images/0.ppm", "P6 1 1 255\n..."),
    ])
}

/// A data folder, and how an archive of a table would describe `bytes`.
struct Trial {
    home: Home,
    archive: Archive,
}

impl Trial {
    fn of(bytes: &[u8]) -> Self {
        Self {
            home: Home::new(),
            archive: archive("set.tar.gz", bytes),
        }
    }

    fn data(&self, path: &str) -> PathBuf {
        self.home.data(path)
    }

    fn session(&self, mirror: &str, network: Network) -> Session {
        of(FetchOptions {
            network,
            ..self.home.session(mirror).options
        })
    }

    fn run(&self, mirror: &str, network: Network) -> Result<Outcome, String> {
        fetch_archive(&self.archive, &self.session(mirror, network))
            .map_err(|error| format!("{error}"))
    }

    fn is_whole(&self) -> bool {
        let labels = fs::read_to_string(self.data("sets/set/labels.txt"));
        labels.is_ok_and(|text| text == "cat\ndog\n") && self.data("sets/set/images/0.ppm").exists()
    }
}

#[test]
fn an_archive_is_fetched_once() {
    let bytes = archive_bytes();
    let trial = Trial::of(&bytes);
    let server = Server::start(vec![cut(&bytes, 20), rest(&bytes, 20)]);
    let mirror = format!("{}/mirror/", server.url);
    assert_eq!(trial.run(&mirror, Network::Online), Ok(Outcome::Unpacked));
    assert!(trial.is_whole());
    assert_eq!(
        names(&trial.data(".downloads")),
        [
            ".placing",
            ".set.tar.gz.lock",
            "set.tar.gz",
            "set.tar.gz.receipt"
        ]
    );
    assert_eq!(
        server
            .finish()
            .iter()
            .map(|seen| seen.path.as_str())
            .collect::<Vec<_>>(),
        ["/mirror/set.tar.gz"; 2]
    );
    // The server is gone: a second run sends no request.
    assert_eq!(
        trial.run(&mirror, Network::Online),
        Ok(Outcome::AlreadyThere)
    );
    fs::remove_file(trial.data(".downloads/set.tar.gz")).unwrap();
    assert_eq!(
        trial.run(&mirror, Network::Online),
        Ok(Outcome::AlreadyThere)
    );
}

#[test]
fn what_was_lost_is_unpacked_again_without_the_network() {
    let bytes = archive_bytes();
    let trial = Trial::of(&bytes);
    let server = Server::start(vec![whole(&bytes)]);
    let mirror = server.url.clone();
    trial.run(&mirror, Network::Online).unwrap();
    server.finish();
    fs::remove_dir_all(trial.data("sets/set/images")).unwrap();
    assert_eq!(trial.run(&mirror, Network::Offline), Ok(Outcome::Unpacked));
    assert!(trial.is_whole());
}

#[test]
fn offline_says_what_to_get_and_where_to_put_it() {
    let trial = Trial::of(&archive_bytes());
    let error = trial
        .run("http://mirror.example/sets", Network::Offline)
        .unwrap_err();
    assert!(error.contains("`offline` forbids"), "{error}");
    assert!(
        error.contains("get http://mirror.example/sets/set.tar.gz"),
        "{error}"
    );
    assert!(error.contains("use set.tar.gz: it is not there"), "{error}");
}

#[test]
fn an_archive_that_was_put_there_by_hand_is_used_if_it_is_right() {
    let bytes = archive_bytes();
    let trial = Trial::of(&bytes);
    fs::create_dir_all(trial.data(".downloads")).unwrap();
    fs::write(trial.data(".downloads/set.tar.gz"), b"something else").unwrap();
    assert!(trial.run("", Network::Offline).is_err());
    assert!(trial.data(".downloads/set.tar.gz.bad").exists());
    fs::write(trial.data(".downloads/set.tar.gz"), &bytes).unwrap();
    assert_eq!(trial.run("", Network::Offline), Ok(Outcome::Unpacked));
    assert!(trial.is_whole());
}

#[test]
fn remains_of_a_run_that_was_killed_are_not_taken_for_whole() {
    let bytes = archive_bytes();
    let trial = Trial::of(&bytes);
    let half = trial.data(".downloads/set.tar.gz.unpacking/set");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("from-before.txt"), "").unwrap();
    fs::write(trial.data(".downloads/set.tar.gz.part"), &bytes[..50]).unwrap();
    let server = Server::start(vec![rest(&bytes, 50)]);
    assert_eq!(
        trial.run(&server.url, Network::Online),
        Ok(Outcome::Unpacked)
    );
    assert!(trial.is_whole());
    assert_eq!(names(&trial.data("sets/set")), ["images", "labels.txt"]);
    assert_eq!(server.finish()[0].range.as_deref(), Some("bytes=50-"));
}

#[test]
fn a_failure_leaves_nothing_where_data_is_looked_for() {
    let bytes = archive_bytes();
    let trial = Trial::of(&bytes);
    let server = Server::start(vec![status("404 Not Found", &[])]);
    assert!(
        trial
            .run(&server.url, Network::Online)
            .unwrap_err()
            .contains("404")
    );
    server.finish();
    // Whole as its checksum goes, but not an archive.
    let damaged = &bytes[..bytes.len() - 30];
    let trial = Trial::of(damaged);
    let server = Server::start(vec![whole(damaged)]);
    assert!(
        trial
            .run(&server.url, Network::Online)
            .unwrap_err()
            .contains("unpack ")
    );
    server.finish();
    assert!(!trial.data("sets").exists());
    assert_eq!(
        names(&trial.data(".downloads")),
        [".set.tar.gz.lock", "set.tar.gz"]
    );
}

#[test]
fn the_bundled_data_set_needs_nothing() {
    let trial = Trial::of(b"");
    fetch(
        &named(&["digits".to_owned()]).unwrap(),
        &trial.session("", Network::Offline),
    )
    .unwrap();
    assert!(!trial.data("").exists());
}
