//! Runs the binary in a test.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]

pub mod tensors;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A run of a ticket on digits that stops soon: all that is missing is the ticket.
pub const DIGITS: &str = "lp --dataset digits --n-shot 2 --epochs 1 --model resnet20_cifar100";

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The binary, run at the workspace's root with no variables of the user's and a cache of its own in `dir`.
pub fn rut(dir: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rut"));
    command
        .current_dir(root())
        .env_clear()
        .env("XDG_CACHE_HOME", dir.join("cache"));
    command.args(line.split_whitespace());
    command
}

/// What a command printed, and that it ended with `code`.
pub fn ends(mut command: Command, code: i32) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the binary runs");
    let texts = (
        String::from_utf8(stdout).expect("UTF-8"),
        String::from_utf8(stderr).expect("UTF-8"),
    );
    assert_eq!(
        status.code(),
        Some(code),
        "{command:?}\n{}\n{}",
        texts.0,
        texts.1
    );
    texts
}

/// Runs `line`, which must end with `code` and say all of `texts` on stderr.
pub fn refuses(dir: &Path, line: &str, code: i32, texts: &[&str]) {
    let (_, err) = ends(rut(dir, line), code);
    for text in texts {
        assert!(
            err.contains(text),
            "`rut {line}` does not say {text:?}:\n{err}"
        );
    }
    assert!(!err.contains("panicked"), "{err}");
}

/// A small run of `method` on three digits, with results in `dir`.
pub fn small(dir: &Path, method: &str, more: &str) -> Command {
    let results = dir.join("results");
    let epochs = if more.contains("--epochs") {
        ""
    } else {
        "--epochs 5"
    };
    let line = format!(
        "{method} --classes 0-2 --n-shot 4 {epochs} --batch-size 5 --results-path {} {more}",
        results.display()
    );
    rut(dir, &line)
}

/// The only run's folder in `dir`.
pub fn only_run(dir: &Path) -> PathBuf {
    let mut runs: Vec<PathBuf> = std::fs::read_dir(dir.join("results"))
        .expect("results")
        .map(|e| e.expect("an entry").path())
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

/// A record without its cost.
pub fn record(run: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(run.join("record.json")).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    record
        .as_object_mut()
        .expect("an object")
        .remove("cost")
        .expect("a cost");
    record
}

/// The network of `checkpoints/` after `state` rounds of pruning.
pub fn checkpoint(state: u32) -> PathBuf {
    root().join(format!(
        "checkpoints/resnet20_cifar100_{state}_checkpoint.safetensors"
    ))
}

/// What the rounds up to `state` kept of it.
pub fn mask(state: u32) -> PathBuf {
    root().join(format!(
        "checkpoints/resnet20_cifar100_{state}_mask.safetensors"
    ))
}

/// What lies beside the workspace; without it the caller skips visibly.
pub fn shared(name: &str) -> Option<PathBuf> {
    rut_testkit::place::shared(name)
}
