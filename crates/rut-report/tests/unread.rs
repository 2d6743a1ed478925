//! What a report cannot read is a row with its reason, and the rest of the report stands.

#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Wanted, plain};
use rut_report::Error;

/// A dense network and a ticket, from one seed each, and where their folders are.
fn results(dir: &Path) -> (PathBuf, Vec<PathBuf>) {
    let results = dir.join("results");
    let one = |dense| {
        Wanted {
            dense,
            ..Wanted::PROBE
        }
        .make(&results)
    };
    let runs = vec![one(true), one(false)];
    (results, runs)
}

/// How many runs and how much that is unreadable a report of `folders` counts, its page, and its table of what could not be read.
fn report(dir: &Path, folders: &[&Path]) -> ((usize, usize), String, String) {
    let out = dir.join("report");
    let (counts, _) = common::report(folders, &out, &plain());
    let text = |name: &str| fs::read_to_string(out.join(name)).unwrap_or_default();
    (
        (counts.runs, counts.unreadable),
        text("report.html"),
        text("tables/unread.csv"),
    )
}

fn assert_rows(table: &str, rows: &[(&str, &str)]) {
    for (name, reason) in rows {
        let row = table.lines().find(|line| line.starts_with(name));
        let row = row.unwrap_or_else(|| panic!("no row {name}:\n{table}"));
        assert!(row.contains(reason), "{reason}: {row}");
    }
    assert_eq!(table.lines().count(), rows.len() + 1, "{table}");
}

fn name(run: &Path) -> String {
    run.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_whole_report_has_no_such_table() {
    let dir = tempfile::tempdir().unwrap();
    let (results, _) = results(dir.path());
    let (counts, page, table) = report(dir.path(), &[&results]);
    assert_eq!(counts, (2, 0));
    assert!(
        !page.contains("could not be read") && table.is_empty(),
        "{table}"
    );
}

#[test]
fn every_file_beside_a_record_may_be_broken() {
    let dir = tempfile::tempdir().unwrap();
    let (results, runs) = results(dir.path());
    fs::write(results.join("plan.jsonl"), "{\"format_version\": 1, \"tit").unwrap();
    let upstream = results.join("upstream");
    fs::create_dir(&upstream).unwrap();
    fs::write(upstream.join("a.json"), "").unwrap();
    fs::write(upstream.join("b.json"), "{\"format_version\": 7}").unwrap();
    fs::write(upstream.join("c.json"), b"\xff\xfe").unwrap();
    symlink("nowhere", upstream.join("d.json")).unwrap();
    // Records of an earlier version have no checksums: what is broken is met where it is used.
    let events = runs[0].join("events.jsonl");
    let printed = fs::read_to_string(&events).unwrap();
    fs::write(&events, &printed[..printed.len() - 9]).unwrap();
    let logits = runs[1].join("logits.safetensors");
    let bytes = fs::read(&logits).unwrap();
    fs::write(&logits, &bytes[..bytes.len() / 2]).unwrap();
    let (counts, page, table) = report(dir.path(), &[&results]);
    assert_eq!(counts, (2, 7));
    assert!(page.contains("Files and folders that could not be read (7)."));
    let (first, second) = (
        format!("{}/events.jsonl", name(&runs[0])),
        format!("{}/logits.safetensors", name(&runs[1])),
    );
    assert_rows(
        &table,
        &[
            ("plan.jsonl", "line 1: EOF while parsing"),
            ("upstream/a.json", "EOF while parsing"),
            ("upstream/b.json", "expected format_version 1, found 7"),
            ("upstream/c.json", "UTF-8"),
            ("upstream/d.json", "No such file"),
            (&first, "EOF while parsing"),
            (&second, ""),
        ],
    );
    assert!(!page.contains(dir.path().to_str().unwrap()));
}

#[test]
fn records_and_folders_of_every_kind_are_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (results, runs) = results(dir.path());
    let record = fs::read(runs[0].join("record.json")).unwrap();
    let folder = |name: &OsStr, record: &[u8]| {
        fs::create_dir(results.join(name)).unwrap();
        fs::write(results.join(name).join("record.json"), record).unwrap();
    };
    folder("empty".as_ref(), b"");
    folder("torn".as_ref(), &record[..record.len() / 2]);
    folder("bytes".as_ref(), b"\xff\xfe\x00");
    // Two names that are no UTF-8 and are shown alike, one of them with a record that can be read.
    folder(OsStr::from_bytes(b"n\xff"), b"{}");
    folder(OsStr::from_bytes(b"n\xfe"), b"[]");
    fs::create_dir(results.join("pipe")).unwrap();
    let pipe = results.join("pipe/record.json");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    fs::create_dir_all(results.join("folder/record.json")).unwrap();
    symlink("loop", results.join("loop")).unwrap();
    symlink("nowhere", results.join("dangling")).unwrap();
    let closed = results.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    // The superuser can read it all the same.
    let is_closed = fs::read_dir(&closed).is_err();
    let (counts, page, table) = report(dir.path(), &[&results]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let unreadable = 7 + 2 + usize::from(is_closed);
    assert_eq!(counts, (2, unreadable));
    for said in [
        "EOF while parsing a value at line 1 column 0",
        "UTF-8",
        "expected a regular file",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let mut rows = vec![("loop", "symbolic links"), ("dangling", "No such file")];
    if is_closed {
        rows.push(("closed", "denied"));
    }
    assert_rows(&table, &rows);
}

#[test]
fn a_broken_plan_alone_is_a_report_and_nothing_at_all_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    fs::create_dir(&results).unwrap();
    let folders = std::slice::from_ref(&results);
    let none = rut_report::report(folders, &dir.path().join("none"), &plain());
    assert!(matches!(none, Err(Error::NoRuns { .. })), "{none:?}");
    fs::create_dir(results.join("plan.jsonl")).unwrap();
    let (counts, _, table) = report(dir.path(), &[&results]);
    assert_eq!(counts, (0, 1));
    assert_rows(&table, &[("plan.jsonl", "expected a regular file")]);
}
