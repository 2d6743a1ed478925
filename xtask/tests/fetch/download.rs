//! Downloads against a server on this machine that cuts, refuses, stalls and lies.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::loopback::{Seen, Server, cut, reply, rest, status, whole};
use tempfile::TempDir;
use xtask::fetch::{Digests, Download, Expected, Patience, download};

/// Something that is long enough to be cut.
fn body() -> Vec<u8> {
    (0..100_000_u32).flat_map(|n| n.to_le_bytes()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, bytes).unwrap();
    Digests::of(&path).unwrap().sha256
}

/// A server with a list of replies, and a download from it.
struct Trial {
    folder: TempDir,
    server: Server,
    sha256: String,
}

impl Trial {
    fn of(body: &[u8], replies: Vec<Vec<u8>>) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            server: Server::start(replies),
            sha256: sha256(body),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("a.tar.gz")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("a.tar.gz.part")
    }

    fn run(&self) -> Result<(), String> {
        let file = self.file();
        let url = format!("{}/a.tar.gz", self.server.url);
        let expected = Expected {
            md5: None,
            sha256: Some(&self.sha256),
        };
        let wanted = Download {
            url: &url,
            file: &file,
            expected,
        };
        let patience = Patience {
            attempts: 3,
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(300),
        };
        download(&wanted, &patience)
            .map(|_| ())
            .map_err(|error| format!("{error:#}"))
    }

    /// Asserts what was asked for, one range per request.
    fn saw(self, ranges: &[Option<&str>]) {
        let seen = self.server.finish();
        let expected = ranges.iter().map(|range| Seen {
            path: "/a.tar.gz".to_owned(),
            range: range.map(str::to_owned),
        });
        assert_eq!(seen, expected.collect::<Vec<_>>());
    }
}

#[test]
fn a_file_comes_whole() {
    let body = body();
    let trial = Trial::of(&body, vec![whole(&body)]);
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    assert!(!trial.part().exists());
    trial.saw(&[None]);
}

#[test]
fn a_file_without_a_length_comes_whole() {
    let body = body();
    let trial = Trial::of(&body, vec![reply("200 OK", &[], &body)]);
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[None]);
}

#[test]
fn a_cut_connection_is_resumed_where_it_was_cut() {
    let body = body();
    let trial = Trial::of(&body, vec![cut(&body, 1000), rest(&body, 1000)]);
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[None, Some("bytes=1000-")]);
}

#[test]
fn an_earlier_run_is_resumed() {
    let body = body();
    let trial = Trial::of(&body, vec![rest(&body, 77)]);
    fs::write(trial.part(), &body[..77]).unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=77-")]);
}

#[test]
fn progress_renews_patience() {
    let body = body();
    let mut replies = vec![cut(&body, 1000)];
    for at in (1000..6000).step_by(1000) {
        // The whole rest is announced and 1,000 bytes come.
        let announced = rest(&body, at);
        let head = announced.len() - (body.len() - at);
        replies.push(announced[..head + 1000].to_vec());
    }
    replies.push(rest(&body, 6000));
    let trial = Trial::of(&body, replies);
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    assert_eq!(trial.server.finish().len(), 7);
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let body = body();
    let trial = Trial::of(&body, vec![whole(&body)]);
    fs::write(trial.part(), b"something else").unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=14-")]);
}

#[test]
fn another_range_than_asked_for_is_not_taken() {
    let body = body();
    let trial = Trial::of(&body, vec![rest(&body, 50), whole(&body)]);
    fs::write(trial.part(), &body[..77]).unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=77-"), None]);
}

#[test]
fn status_416_with_the_same_length_is_complete() {
    let body = body();
    let range = [("Content-Range", format!("bytes */{}", body.len()))];
    let trial = Trial::of(&body, vec![status("416 Range Not Satisfiable", &range)]);
    fs::write(trial.part(), &body).unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=400000-")]);
}

#[test]
fn status_416_with_another_length_starts_over() {
    let body = body();
    let range = [("Content-Range", format!("bytes */{}", body.len()))];
    let trial = Trial::of(
        &body,
        vec![status("416 Range Not Satisfiable", &range), whole(&body)],
    );
    fs::write(trial.part(), [body.as_slice(), b"more"].concat()).unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=400004-"), None]);
}

#[test]
fn a_busy_server_is_asked_again() {
    let body = body();
    let trial = Trial::of(
        &body,
        vec![status("503 Service Unavailable", &[]), whole(&body)],
    );
    trial.run().unwrap();
    trial.saw(&[None, None]);
}

#[test]
fn retry_after_is_honoured_and_bounded() {
    let body = body();
    let hour = [("Retry-After", "3600".to_owned())];
    let trial = Trial::of(
        &body,
        vec![status("429 Too Many Requests", &hour), whole(&body)],
    );
    let start = Instant::now();
    trial.run().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    // The bound of the patience is 0.3 s, its own first pause a millisecond.
    assert!((0.3..10.0).contains(&seconds), "{seconds}");
    trial.saw(&[None, None]);
}

#[test]
fn a_server_that_stays_busy_is_given_up() {
    let busy = || status("503 Service Unavailable", &[]);
    let trial = Trial::of(b"", vec![busy(), busy(), busy()]);
    let error = trial.run().unwrap_err();
    assert!(error.contains("gave up on http://127.0.0.1:"), "{error}");
    assert!(
        error.contains("after 3 attempts without progress: the server answered 503"),
        "{error}"
    );
    trial.saw(&[None, None, None]);
}

#[test]
fn a_missing_file_is_not_asked_for_again() {
    let trial = Trial::of(b"", vec![status("404 Not Found", &[])]);
    let error = trial.run().unwrap_err();
    assert!(
        error.starts_with("the server answered 404 Not Found for http://127.0.0.1:"),
        "{error}"
    );
    assert!(!trial.file().exists());
    trial.saw(&[None]);
}

#[test]
fn a_redirect_is_followed() {
    let body = body();
    let place = [("Location", "/elsewhere".to_owned())];
    let trial = Trial::of(&body, vec![status("302 Found", &place), whole(&body)]);
    trial.run().unwrap();
    let paths: Vec<_> = trial
        .server
        .finish()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert_eq!(paths, ["/a.tar.gz", "/elsewhere"]);
}

#[test]
fn wrong_bytes_are_kept_aside_and_never_taken_for_the_file() {
    let body = body();
    let trial = Trial::of(&body, vec![whole(b"<html>please log in</html>")]);
    let error = trial.run().unwrap_err();
    assert!(
        error.contains("wrong checksum: expected SHA-256"),
        "{error}"
    );
    assert!(error.contains("a.tar.gz.bad"), "{error}");
    assert!(!trial.file().exists() && !trial.part().exists());
    assert_eq!(
        fs::read(trial.folder.path().join("a.tar.gz.bad")).unwrap(),
        b"<html>please log in</html>"
    );
    trial.saw(&[None]);
}

#[test]
fn a_beginning_that_does_not_fit_costs_one_clean_attempt() {
    let body = body();
    let trial = Trial::of(&body, vec![rest(&body, 10), whole(&body)]);
    fs::write(trial.part(), b"wrong head").unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=10-"), None]);
}

#[test]
fn a_server_that_is_not_there_is_given_up() {
    let trial = Trial::of(b"", Vec::new());
    let Trial { folder, server, .. } = trial;
    let url = format!("{}/a.tar.gz", server.url);
    assert_eq!(server.finish(), []);
    let file = folder.path().join("a.tar.gz");
    let patience = Patience {
        attempts: 2,
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
    };
    let wanted = Download {
        url: &url,
        file: &file,
        expected: Expected::default(),
    };
    let error = format!("{:#}", download(&wanted, &patience).unwrap_err());
    assert!(
        error.contains("after 2 attempts without progress: failed to reach http://127.0.0.1:"),
        "{error}"
    );
}
