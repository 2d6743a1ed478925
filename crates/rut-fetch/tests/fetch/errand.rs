//! The instructions where a program cannot fetch, and that the rest is fetched all the same.

use std::fs;

use crate::home::Home;
use crate::loopback::{reply, status};
use crate::samples::{archive, spec, tar_gz};
use crate::site::{Files, Pace, Site};
use rut_data::{Archive, DatasetSpec, Form, SplitSpec};
use rut_fetch::fetch;

fn bytes(name: &str) -> Vec<u8> {
    tar_gz(&[(&format!("{name}/a.txt"), "a")])
}

#[test]
fn what_is_gone_does_not_keep_the_others_away() {
    let home = Home::new();
    let names = ["a.tar.gz", "b.tar.gz", "c.tar.gz", "d.tar.gz", "e.tar.gz"];
    let page = reply(
        "200 OK",
        &[],
        b"<!doctype html><title>Please log in</title>",
    );
    let site = Site::start(
        Files::default()
            .answer("/a.tar.gz", status("410 Gone", &[]))
            .answer("/b.tar.gz", status("403 Forbidden", &[]))
            .answer("/c.tar.gz", page)
            .file("/d.tar.gz", b"something else", Pace::Quick)
            .file("/e.tar.gz", &bytes("e"), Pace::Quick),
    );
    let specs: Vec<_> = ["a", "b", "c", "d", "e"]
        .into_iter()
        .zip(names)
        .map(|(name, file)| spec(name, vec![archive(file, &bytes(name))]))
        .collect();
    let specs: Vec<_> = specs.iter().collect();
    let error = fetch(&specs, &home.session(&site.url)).unwrap_err();
    assert_eq!(error.to_string(), "fetch a, b, c, d");
    assert!(home.data("sets/e/a.txt").exists());
    // What a person puts where the message says is taken, without the network.
    drop(site);
    fs::write(home.data(".downloads/a.tar.gz"), bytes("a")).unwrap();
    fetch(&specs[..1], &home.session("http://127.0.0.1:1")).unwrap();
    assert!(home.data("sets/a/a.txt").exists());
}

/// A data set that no program may fetch.
fn by_hand() -> DatasetSpec {
    const FORMS: &[Form] = &[Form {
        layout: &["images", "labels.txt"],
        read: |_| unreachable!("nothing is read here"),
    }];
    let split = rut_data::find("cifar10").unwrap().splits[0];
    let splits = vec![SplitSpec {
        forms: FORMS,
        ..split
    }];
    DatasetSpec {
        by_hand: Some("ask its authors for it and unpack it below the data folder"),
        splits: splits.leak(),
        ..spec("hand", Vec::new())
    }
}

#[test]
fn what_no_program_may_fetch_is_there_once_its_files_are() {
    let (home, spec) = (Home::new(), by_hand());
    let session = home.session("http://127.0.0.1:1");
    let error = fetch(&[&spec], &session).unwrap_err();
    assert_eq!(error.to_string(), "fetch hand");
    fs::create_dir_all(home.data("hand/images")).unwrap();
    fetch(&[&spec], &session).unwrap_err();
    fs::write(home.data("hand/labels.txt"), "").unwrap();
    fetch(&[&spec], &session).unwrap();
}

#[test]
fn what_an_archive_brings_is_enough_if_a_split_is_whole() {
    let home = Home::new();
    let bytes = tar_gz(&[("images/a.txt", "a"), ("labels.txt", "a")]);
    let spec = |unpack_into| {
        let archive = Archive {
            unpack_into,
            ..archive("a.tar.gz", &bytes)
        };
        DatasetSpec {
            archives: vec![archive].leak(),
            ..by_hand()
        }
    };
    let site = Site::start(Files::default().file("/a.tar.gz", &bytes, Pace::Quick));
    fetch(&[&spec("elsewhere")], &home.session(&site.url)).unwrap_err();
    assert!(home.data("elsewhere/labels.txt").exists());
    fetch(&[&spec("hand")], &home.session(&site.url)).unwrap();
}
