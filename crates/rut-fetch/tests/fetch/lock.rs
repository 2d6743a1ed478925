//! `LOCK.json` beside published checksums: what is written down when, and what happens when a file changes.

use std::fs;
use std::thread;

use crate::home::{Home, digests};
use crate::loopback::{Server, cut, whole};
use crate::samples::{archive, tar_gz};
use crate::site::{Files, Pace, Site};
use rut_data::Archive;
use rut_fetch::{Entry, LockFile, Outcome, fetch_archive};

fn bytes() -> Vec<u8> {
    tar_gz(&[("set/a.txt", "a")])
}

fn lock(home: &Home) -> LockFile {
    LockFile::at(&home.lock_file())
}

fn fails(archive: &Archive, home: &Home, url: &str) -> String {
    format!(
        "{}",
        fetch_archive(archive, &home.session(url)).unwrap_err()
    )
}

#[test]
fn the_first_verified_download_is_written_down() {
    let (home, bytes) = (Home::new(), bytes());
    let archive = archive("set.tar.gz", &bytes);
    let site = Site::start(Files::default().file("/set.tar.gz", &bytes, Pace::Quick));
    fetch_archive(&archive, &home.session(&site.url)).unwrap();
    let expected = Entry {
        sha256: digests(&bytes).sha256,
        bytes: bytes.len() as u64,
        // The published checksum vouches for the mirror.
        url: archive.url.to_owned(),
    };
    assert_eq!(lock(&home).entry("set.tar.gz").unwrap(), Some(expected));
}

#[test]
fn a_file_that_differs_from_the_lock_is_refused_though_its_md5_is_right() {
    let (home, bytes) = (Home::new(), bytes());
    let archive = archive("set.tar.gz", &bytes);
    let entry = Entry {
        sha256: "00".repeat(32),
        bytes: 9,
        url: archive.url.to_owned(),
    };
    lock(&home).record("set.tar.gz", entry.clone()).unwrap();
    let server = Server::start(vec![whole(&bytes)]);
    let error = fails(&archive, &home, &server.url);
    server.finish();
    assert!(error.contains(&entry.sha256), "{error}");
    assert!(error.contains(&digests(&bytes).sha256), "{error}");
    assert!(error.contains("LOCK.json"), "{error}");
    assert!(!home.data("sets").exists());
    assert!(home.data(".downloads/set.tar.gz.bad").exists());
    assert_eq!(lock(&home).entry("set.tar.gz").unwrap(), Some(entry));
}

#[test]
fn a_receipt_that_differs_from_the_lock_is_worth_nothing() {
    let (home, bytes) = (Home::new(), bytes());
    let archive = archive("set.tar.gz", &bytes);
    let site = Site::start(Files::default().file("/set.tar.gz", &bytes, Pace::Quick));
    fetch_archive(&archive, &home.session(&site.url)).unwrap();
    let path = home.lock_file();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(&digests(&bytes).sha256, &"00".repeat(32)),
    )
    .unwrap();
    assert!(fails(&archive, &home, &site.url).contains("LOCK.json"));
}

#[test]
fn without_a_published_checksum_the_first_use_is_trusted() {
    let (home, bytes) = (Home::new(), bytes());
    let unpublished = Archive {
        md5: None,
        ..archive("set.tar.gz", &bytes)
    };
    let site = Site::start(Files::default().file("/set.tar.gz", &bytes, Pace::Quick));
    let session = home.session(&site.url);
    assert_eq!(
        fetch_archive(&unpublished, &session).unwrap(),
        Outcome::Unpacked
    );
    let entry = lock(&home).entry("set.tar.gz").unwrap().unwrap();
    assert_eq!(entry.url, format!("{}/set.tar.gz", site.url));
    // Another user has the lock file and gets another file.
    let other = Home::new();
    lock(&other).record("set.tar.gz", entry).unwrap();
    let changed = tar_gz(&[("set/a.txt", "b")]);
    site.replace(Files::default().file("/set.tar.gz", &changed, Pace::Quick));
    let error = fails(&unpublished, &other, &site.url);
    assert!(error.contains(&digests(&bytes).sha256), "{error}");
    assert!(error.contains(&digests(&changed).sha256), "{error}");
    assert!(!other.data("sets").exists());
}

#[test]
fn what_another_run_wrote_down_meanwhile_is_heard_before_anything_is_moved() {
    let (home, bytes) = (Home::new(), bytes());
    let archive = archive("set.tar.gz", &bytes);
    let site = Site::start(Files::default().file("/set.tar.gz", &bytes, Pace::Together(2)));
    let entry = Entry {
        sha256: "00".repeat(32),
        bytes: 9,
        url: archive.url.to_owned(),
    };
    let error = thread::scope(|scope| {
        let run = scope.spawn(|| fails(&archive, &home, &site.url));
        site.wait_for_one(|| assert!(!run.is_finished()));
        lock(&home).record("set.tar.gz", entry.clone()).unwrap();
        // The answer comes only once a second request is there.
        site.ask();
        run.join().unwrap()
    });
    assert!(error.contains(&entry.sha256), "{error}");
    assert!(!home.data("sets").exists());
    assert!(!home.data(".downloads/set.tar.gz.unpacking").exists());
    assert_eq!(lock(&home).entry("set.tar.gz").unwrap(), Some(entry));
}

#[test]
fn what_does_not_unpack_is_never_trusted() {
    let (home, bytes) = (Home::new(), bytes());
    let unpublished = Archive {
        md5: None,
        ..archive("set.tar.gz", &bytes)
    };
    // Cut, and no length was announced: nothing but the archive itself shows it.
    let half = cut(&bytes, bytes.len() / 2);
    let text = String::from_utf8_lossy(&half);
    let announced = format!("Content-Length: {}\r\n", bytes.len());
    assert!(text.contains(&announced));
    let at = half
        .windows(announced.len())
        .position(|w| w == announced.as_bytes());
    let mut unannounced = half.clone();
    unannounced.drain(at.unwrap()..at.unwrap() + announced.len());
    let server = Server::start(vec![unannounced, whole(&bytes)]);
    let error = fails(&unpublished, &home, &server.url);
    assert!(
        error.contains("no checksum is known to verify it with"),
        "{error}"
    );
    assert_eq!(lock(&home).entry("set.tar.gz").unwrap(), None);
    // The next run does not take the half for the whole.
    fetch_archive(&unpublished, &home.session(&server.url)).unwrap();
    server.finish();
    assert!(home.data("sets/set/a.txt").exists());
}

#[test]
fn a_damaged_lock_stops_everything_before_the_network() {
    let home = Home::new();
    fs::write(home.lock_file(), "{").unwrap();
    let error = fails(&archive("set.tar.gz", b""), &home, "http://127.0.0.1:1");
    assert!(
        error.contains("restore it from the repository's history"),
        "{error}"
    );
}
