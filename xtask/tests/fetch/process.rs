//! The program itself, started, killed and interrupted.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use crate::home::{Home, wait_for};
use crate::site::{Files, Pace, Site};

const ARCHIVE: &str = "/cifar-10-binary.tar.gz";
const PART: &str = ".downloads/cifar-10-binary.tar.gz.part";

/// `fetch-data` with `arguments`, into `home`.
pub(crate) fn fetch_data(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .arg("fetch-data")
        .args(arguments)
        .arg("--data-dir")
        .arg(home.data(""))
        .arg("--checkpoints-dir")
        .arg(home.checkpoints(""))
        .arg("--lock-file")
        .arg(home.lock_file())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a process wrote, both streams.
pub(crate) fn text(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A download that stands still after 100,000 bytes.
fn standing(home: &Home, site: &Site) -> Child {
    let child = fetch_data(home, &["cifar10", "--mirror", &site.url])
        .spawn()
        .unwrap();
    wait_for(&home.data(PART), 100_000);
    child
}

fn ranges(site: &Site) -> Vec<Option<String>> {
    site.seen().into_iter().map(|seen| seen.range).collect()
}

#[test]
fn a_killed_run_is_gone_on_with_and_nothing_half_is_taken() {
    let (home, body) = (Home::new(), vec![7; 300_000]);
    let site = Site::start(Files::default().file(ARCHIVE, &body, Pace::Stalls(100_000)));
    let mut child = standing(&home, &site);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::metadata(home.data(PART)).unwrap().len(), 100_000);
    site.replace(Files::default().file(ARCHIVE, &body, Pace::Quick));
    let output = fetch_data(&home, &["cifar10", "--mirror", &site.url])
        .output()
        .unwrap();
    // It is no CIFAR-10: what came of two days is asked for once more from its beginning, and then refused.
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let rest = Some("bytes=100000-".to_owned());
    assert_eq!(ranges(&site), [None, rest, None]);
    assert!(text(&output).contains("expected MD5 c32a1d4ab5d03f1284b67883e8d87530"));
    assert!(!home.data("cifar-10-batches-bin").exists());
    assert!(!home.data(".downloads/cifar-10-binary.tar.gz").exists());
    assert!(!home.lock_file().exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_part_and_its_exit_code() {
    let (home, body) = (Home::new(), vec![7; 300_000]);
    let site = Site::start(Files::default().file(ARCHIVE, &body, Pace::Stalls(100_000)));
    let child = standing(&home, &site);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    assert!(text(&output).contains("interrupted; the same command goes on"));
    assert_eq!(fs::metadata(home.data(PART)).unwrap().len(), 100_000);
}

#[test]
fn all_says_what_became_of_each() {
    let (home, site) = (Home::new(), Site::start(Files::default()));
    let output = fetch_data(&home, &["--all", "--mirror", &site.url])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    let line = |start: &str| {
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    assert_eq!(line("already there: "), "already there: digits", "{text}");
    for name in ["cifar10", "gtsrb"] {
        assert!(line("by hand: ").contains(name), "{text}");
    }
    let put = home.data(".downloads/cifar-10-binary.tar.gz");
    for part in [
        "cifar10: cifar-10-binary.tar.gz cannot be fetched from http://127.0.0.1:",
        "/cifar-10-binary.tar.gz: the server answered 404 Not Found\n",
        "  get   cifar-10-binary.tar.gz (MD5 c32a1d4ab5d03f1284b67883e8d87530)",
        "  from  https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, or where https://www.cs.toronto.edu/",
        &format!("  put   it to {}", put.display()),
        "  then  `rut fetch cifar10` again",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn verify_has_exit_code_1_for_what_was_named_and_asks_nobody() {
    let home = Home::new();
    let code = |arguments: &[&str]| fetch_data(&home, arguments).output().unwrap().status.code();
    assert_eq!(code(&["cifar10", "--verify"]), Some(1));
    assert_eq!(code(&["digits", "--verify"]), Some(0));
    assert_eq!(code(&["--all", "--verify"]), Some(0));
    assert_eq!(code(&["cifar10", "--verify", "--offline"]), Some(2));
    assert_eq!(code(&["cifar10", "--jobs", "0"]), Some(2));
    assert_eq!(code(&[]), Some(2));
}

#[cfg(all(unix, not(feature = "models")))]
#[test]
fn weights_are_left_to_a_build_that_reads_them() {
    let arguments = ["--models", "resnet50:V2,resnet18"];
    let output = fetch_data(&Home::new(), &arguments)
        .env("CARGO", "echo")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("run --package xtask --features models --manifest-path "),
        "{text}"
    );
    assert!(
        text.contains("Cargo.toml -- fetch-data --models resnet50:V2,resnet18 --data-dir "),
        "{text}"
    );
}
