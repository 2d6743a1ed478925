//! Downloads from servers that hardly move and from servers that send elsewhere.

use std::fs;
use std::time::Duration;

use rut_fetch::{Download, Expected, Job, Pace, download};

use crate::download::{body, quick};
use crate::loopback::{Server, cut, drip, status};

/// What comes of a download from `url` at this pace, and what of its part.
fn paced(url: &str, pace: Pace) -> (String, u64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tar.gz");
    let job = Job { pace, ..quick() };
    let wanted = Download {
        url,
        token: None,
        file: &file,
        expected: Expected::default(),
        room: 0,
    };
    let error = download(&wanted, &job).unwrap_err();
    let part = fs::metadata(folder.path().join("a.tar.gz.part")).unwrap();
    (format!("{error}"), part.len())
}

const IMPATIENT: Pace = Pace {
    silence: Duration::from_millis(200),
    least: 10_000,
    budget: Duration::from_secs(3600),
};

#[test]
fn a_body_that_drips_is_given_up() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    let url = drip(head);
    let (error, came) = paced(&url, IMPATIENT);
    let says = "after 3 attempts without progress";
    assert!(error.contains(says), "{error}");
    let says = "brought fewer than 10000 bytes in 0.2 s";
    assert!(error.contains(says), "{error}");
    assert!(came > 0, "what came is kept");
}

#[test]
fn a_head_that_drips_is_given_up() {
    let url = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec());
    let (error, came) = paced(&url, IMPATIENT);
    assert!(
        error.contains("after 3 attempts without progress"),
        "{error}"
    );
    assert!(error.contains("timeout"), "{error}");
    assert_eq!(came, 0);
}

/// A few bytes with each connection are progress, but not for ever.
#[test]
fn a_download_that_comes_by_crumbs_is_given_up() {
    let server = Server::start(vec![cut(&body(), 1)]);
    let pace = Pace {
        budget: Duration::ZERO,
        ..Pace::default()
    };
    let (error, came) = paced(&format!("{}/a.tar.gz", server.url), pace);
    let says = "gave up: fewer than 65536 new bytes in 0 s";
    assert!(error.contains(says), "{error}");
    assert_eq!(came, 1);
}

#[test]
fn redirects_to_where_no_file_is_fail_at_once() {
    let nobody = Server::start(Vec::new()).url;
    for (location, reason) in [
        (
            "file:///etc/passwd".to_owned(),
            "redirects to 'file:///etc/passwd', which is no",
        ),
        (
            "ftp://127.0.0.1/a".to_owned(),
            "which is no address of HTTP",
        ),
        (format!("{nobody}/a"), "where none answers"),
        (
            "http://no-such-host.invalid/a".to_owned(),
            "where none answers",
        ),
    ] {
        let place = [("Location", location)];
        let server = Server::start(vec![status("302 Found", &place)]);
        // One connection: asking again would wait for the server until the test fails.
        let (error, _) = paced(&format!("{}/a.tar.gz", server.url), Pace::default());
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains("attempts"), "{error}");
        assert_eq!(server.finish().len(), 1);
    }
}

#[test]
fn redirects_in_a_circle_end() {
    let place = [("Location", "/a.tar.gz".to_owned())];
    let server = Server::start(vec![status("302 Found", &place); 11]);
    let (error, _) = paced(&format!("{}/a.tar.gz", server.url), Pace::default());
    assert!(error.contains("redirects more than 10 times"), "{error}");
    assert_eq!(server.finish().len(), 11);
}
