//! Downloads against a server on this machine that cuts, refuses, stalls and lies.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::home::digests;
use crate::loopback::{Seen, Server, cut, reply, rest, status, whole};
use rut_fetch::{Download, Error, Expected, Job, Patience, Space, download};
use tempfile::TempDir;

/// Something that is long enough to be cut.
pub(crate) fn body() -> Vec<u8> {
    (0..100_000_u32).flat_map(|n| n.to_le_bytes()).collect()
}

/// Three attempts, and pauses that a test can wait for.
pub(crate) fn quick() -> Job {
    Job {
        patience: Patience {
            attempts: 3,
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(300),
        },
        ..Job::default()
    }
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
            sha256: digests(body).sha256,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("a.tar.gz")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("a.tar.gz.part")
    }

    fn run(&self) -> Result<(), String> {
        let expected = Expected {
            sha256: Some(&self.sha256),
            ..Expected::default()
        };
        self.run_as(expected, &quick())
            .map_err(|error| format!("{error}"))
    }

    fn run_as(&self, expected: Expected<'_>, job: &Job) -> Result<(), Error> {
        let wanted = Download {
            url: &format!("{}/a.tar.gz", self.server.url),
            token: None,
            file: &self.file(),
            expected,
            room: 2,
        };
        download(&wanted, job).map(|_| ())
    }

    /// Asserts what was asked for, one range per request.
    fn saw(self, ranges: &[Option<&str>]) {
        let seen = self.server.finish();
        let expected = ranges.iter().map(|range| Seen {
            path: "/a.tar.gz".to_owned(),
            range: range.map(str::to_owned),
            ..Seen::default()
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
    assert!(error.contains("fetch http://127.0.0.1:"), "{error}");
    assert!(
        error.contains(
            "a.tar.gz: gave up after 3 attempts without progress: the server answered 503"
        ),
        "{error}"
    );
    trial.saw(&[None, None, None]);
}

#[test]
fn a_missing_file_is_not_asked_for_again() {
    let trial = Trial::of(b"", vec![status("404 Not Found", &[])]);
    let error = trial.run().unwrap_err();
    assert!(
        error.starts_with("fetch http://127.0.0.1:")
            && error.ends_with("/a.tar.gz: the server answered 404 Not Found"),
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
    let trial = Trial::of(&body, vec![whole(b"something else")]);
    let error = trial.run().unwrap_err();
    assert!(
        error.contains("wrong checksum: expected SHA-256"),
        "{error}"
    );
    assert!(error.contains("a.tar.gz.bad"), "{error}");
    assert!(!trial.file().exists() && !trial.part().exists());
    assert_eq!(
        fs::read(trial.folder.path().join("a.tar.gz.bad")).unwrap(),
        b"something else"
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
    let job = Job {
        patience,
        ..Job::default()
    };
    let wanted = Download {
        url: &url,
        token: None,
        file: &file,
        expected: Expected::default(),
        room: 0,
    };
    let error = format!("{}", download(&wanted, &job).unwrap_err());
    assert!(
        error.contains("after 2 attempts without progress: failed to reach http://127.0.0.1:"),
        "{error}"
    );
}

#[test]
fn too_many_bytes_are_not_taken() {
    let body = body();
    // No length is announced with the first reply, and the wrong one with the second.
    let more = [body.as_slice(), b"more"].concat();
    let long = reply("200 OK", &[], &more);
    let announced = [("Content-Length", "4".to_owned())];
    let trial = Trial::of(&body, vec![long]);
    let error = trial.run().unwrap_err();
    assert!(error.contains("wrong checksum"), "{error}");
    assert!(!trial.file().exists());
    // What comes behind the announced length is not read; what came is too little.
    let trial = Trial::of(&body, vec![reply("200 OK", &announced, &body)]);
    let error = trial.run().unwrap_err();
    assert!(error.contains("wrong checksum"), "{error}");
    assert!(!trial.file().exists());
}

#[test]
fn a_range_that_brings_more_than_there_is_starts_over() {
    let body = body();
    let headers = [(
        "Content-Range",
        format!("bytes 77-{}/{}", body.len() - 1, body.len()),
    )];
    let long = [&body[77..], b"more"].concat();
    let trial = Trial::of(
        &body,
        vec![reply("206 Partial Content", &headers, &long), whole(&body)],
    );
    fs::write(trial.part(), &body[..77]).unwrap();
    trial.run().unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[Some("bytes=77-"), None]);
}

#[test]
fn a_server_that_always_sends_too_little_is_given_up_and_what_came_is_kept() {
    let body = body();
    let nothing = |from: usize| {
        let announced = rest(&body, from);
        announced[..announced.len() - (body.len() - from)].to_vec()
    };
    let trial = Trial::of(&body, vec![cut(&body, 9), nothing(9), nothing(9)]);
    let error = trial.run().unwrap_err();
    assert!(
        error.contains("after 3 attempts without progress"),
        "{error}"
    );
    assert!(!trial.file().exists());
    assert_eq!(fs::read(trial.part()).unwrap(), &body[..9]);
    trial.saw(&[None, Some("bytes=9-"), Some("bytes=9-")]);
}

#[test]
fn a_web_page_is_no_data_and_nothing_to_go_on_with() {
    let page = b"\n<!DOCTYPE html>\n<title>Please log in</title>".to_vec();
    let long = [page.as_slice(), &[b' '; 2000]].concat();
    for page in [page, long] {
        let trial = Trial::of(&body(), vec![whole(&page)]);
        let error = trial.run_as(Expected::default(), &quick()).unwrap_err();
        assert!(matches!(error, Error::Obstacle { .. }), "{error}");
        assert!(format!("{error}").contains("sent a web page (HTML) in place of the file"));
        assert!(!trial.file().exists());
        assert_eq!(fs::read(trial.part()).unwrap(), b"");
        trial.saw(&[None]);
    }
}

#[test]
fn refusals_are_not_tried_again() {
    for line in [
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "410 Gone",
    ] {
        let trial = Trial::of(b"", vec![status(line, &[])]);
        let error = trial.run_as(Expected::default(), &quick()).unwrap_err();
        assert!(matches!(error, Error::Obstacle { .. }), "{error}");
        let says = format!("/a.tar.gz: the server answered {line}");
        assert!(error.to_string().ends_with(&says), "{error}");
        trial.saw(&[None]);
    }
}

#[test]
fn a_full_disk_is_seen_before_the_first_byte() {
    let body = body();
    let trial = Trial::of(&body, vec![whole(&body)]);
    // Enough for the file, and not for what is in it.
    let job = Job {
        space: Space::of(|_| Ok(1_000_000)),
        ..quick()
    };
    let error = trial
        .run_as(Expected::default(), &job)
        .unwrap_err()
        .to_string();
    let folder = trial.folder.path().display().to_string();
    for part in [
        folder.as_str(),
        "1.2 MB needed, 1.0 MB free",
        "/a.tar.gz and unpack it",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(fs::read(trial.part()).unwrap(), b"");
    trial.saw(&[None]);
}

#[test]
fn a_part_of_another_version_is_not_gone_on_with() {
    let (old, new) = (body(), vec![7; 5000]);
    let tag = |tag: &str| ("ETag", format!("\"{tag}\""));
    let length = |body: &[u8]| ("Content-Length", body.len().to_string());
    let first = reply("200 OK", &[tag("old"), length(&old)], &old[..1000]);
    let second = reply("200 OK", &[tag("new"), length(&new)], &new);
    let trial = Trial::of(&new, vec![first, second]);
    // Nothing is known about the file: only the server can say that it changed.
    trial.run_as(Expected::default(), &quick()).unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), new);
    let seen = trial.server.finish();
    assert_eq!(seen[1].range.as_deref(), Some("bytes=1000-"));
    assert_eq!(seen[1].if_range.as_deref(), Some("\"old\""));
    assert!(!trial.folder.path().join("a.tar.gz.part.version").exists());
}

#[test]
fn a_server_that_ignores_versions_is_seen_through() {
    let (old, new) = (body(), vec![7; 5000]);
    let tag = |tag: &str| ("ETag", format!("\"{tag}\""));
    let length = |bytes: usize| ("Content-Length", bytes.to_string());
    let first = reply("200 OK", &[tag("old"), length(old.len())], &old[..1000]);
    let range = ("Content-Range", "bytes 1000-4999/5000".to_owned());
    let second = reply(
        "206 Partial Content",
        &[tag("new"), length(4000), range],
        &new[1000..],
    );
    let third = reply("200 OK", &[tag("new"), length(new.len())], &new);
    let trial = Trial::of(&new, vec![first, second, third]);
    trial.run_as(Expected::default(), &quick()).unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), new);
    trial.server.finish();
}

#[test]
fn what_an_unknown_file_began_with_is_not_trusted() {
    let body = body();
    let trial = Trial::of(&body, vec![whole(&body)]);
    fs::write(trial.part(), b"from another day").unwrap();
    trial.run_as(Expected::default(), &quick()).unwrap();
    assert_eq!(fs::read(trial.file()).unwrap(), body);
    trial.saw(&[None]);
}

#[test]
fn a_download_that_is_asked_to_stop_leaves_its_part() {
    let body = body();
    let trial = Trial::of(&body, Vec::new());
    fs::write(trial.part(), &body[..77]).unwrap();
    let job = quick();
    job.stop.request();
    let expected = Expected {
        sha256: Some(&trial.sha256),
        ..Expected::default()
    };
    let error = trial.run_as(expected, &job).unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert_eq!(fs::read(trial.part()).unwrap(), &body[..77]);
    trial.saw(&[]);
}
