//! Weights of the hub, by the program: what it takes from the environment, and what it leaves when it is killed.

use std::fs;
use std::path::PathBuf;

use crate::home::{Home, digests, safetensors, wait_for};
use crate::process::{fetch_data, text};
use crate::site::{Files, Pace, Site};
use rut_testkit::loopback::{Seen, reply};

fn folder(home: &Home) -> PathBuf {
    home.checkpoints("")
}

/// The program with a hub at `endpoint`.
fn hub(home: &Home, endpoint: &str) -> std::process::Command {
    let mut command = fetch_data(home, &["--hf", "o/n/model.safetensors"]);
    command
        .env("HF_ENDPOINT", endpoint)
        .env("HF_TOKEN", "secret")
        .env("HF_HOME", home.folder.path().join("hf"))
        .env_remove("HF_HUB_OFFLINE");
    command
}

const RESOLVE: &str = "/o/n/resolve/main/model.safetensors";

/// The hub's answer for a large file: its digest, and where it is.
fn linked(bytes: &[u8]) -> Vec<u8> {
    let headers = [
        ("Location", "/blob".to_owned()),
        ("Content-Length", "0".to_owned()),
        ("X-Linked-Etag", format!("\"{}\"", digests(bytes).sha256)),
    ];
    reply("302 Found", &headers, b"")
}

#[test]
fn a_file_of_the_hub_is_verified_and_the_token_stays_with_the_hub() {
    let (home, bytes) = (Home::new(), safetensors());
    let site = Site::start(Files::default().answer(RESOLVE, linked(&bytes)).file(
        "/blob",
        &bytes,
        Pace::Quick,
    ));
    let output = hub(&home, &site.url).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).contains(" as `checkpoint`"),
        "{}",
        text(&output)
    );
    assert_eq!(
        fs::read(folder(&home).join("o--n--model.safetensors")).unwrap(),
        bytes
    );
    let tokens = |path: &str| -> Vec<Option<String>> {
        let seen = site.seen().into_iter();
        let seen = seen.filter(|seen: &Seen| seen.path == path);
        seen.map(|seen| seen.authorization).collect()
    };
    assert_eq!(tokens(RESOLVE), vec![Some("Bearer secret".to_owned()); 2]);
    assert_eq!(tokens("/blob"), [None]);
    // Another file behind the same digest is refused.
    let other = Home::new();
    site.replace(Files::default().answer(RESOLVE, linked(&bytes)).file(
        "/blob",
        b"other",
        Pace::Quick,
    ));
    let output = hub(&other, &site.url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("wrong checksum"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_killed_download_ends_whole() {
    let (home, bytes) = (Home::new(), safetensors());
    let files = |pace| {
        Files::default()
            .answer(RESOLVE, linked(&bytes))
            .file("/blob", &bytes, pace)
    };
    let site = Site::start(files(Pace::Stalls(20)));
    let mut child = hub(&home, &site.url).spawn().unwrap();
    let file = "o--n--main--model.safetensors";
    wait_for(&folder(&home).join(format!(".downloads/{file}.part")), 20);
    child.kill().unwrap();
    child.wait().unwrap();
    site.replace(files(Pace::Quick));
    let output = hub(&home, &site.url).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let seen = site.seen().into_iter();
    let ranges: Vec<_> = seen
        .filter(|seen| seen.path == "/blob")
        .map(|seen| seen.range)
        .collect();
    assert_eq!(ranges, [None, Some("bytes=20-".to_owned())]);
    assert_eq!(
        fs::read(folder(&home).join("o--n--model.safetensors")).unwrap(),
        bytes
    );
}

#[test]
fn the_hubs_cache_is_used_and_offline_is_offline() {
    let (home, bytes) = (Home::new(), safetensors());
    let run = || {
        hub(&home, "http://127.0.0.1:1")
            .env("HF_HUB_OFFLINE", "1")
            .output()
            .unwrap()
    };
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("`HF_HUB_OFFLINE` forbids"),
        "{}",
        text(&output)
    );
    let model = home.folder.path().join("hf/hub/models--o--n");
    fs::create_dir_all(model.join("snapshots/0123")).unwrap();
    fs::create_dir_all(model.join("refs")).unwrap();
    fs::write(model.join("refs/main"), "0123").unwrap();
    fs::write(model.join("snapshots/0123/model.safetensors"), &bytes).unwrap();
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(
        fs::read(folder(&home).join("o--n--model.safetensors")).unwrap(),
        bytes
    );
}

#[test]
fn a_file_that_is_not_for_everybody_is_got_by_hand() {
    let home = Home::new();
    let refusal = reply(
        "401 Unauthorized",
        &[("Content-Length", "0".to_owned())],
        b"",
    );
    let site = Site::start(Files::default().answer(RESOLVE, refusal));
    let output = hub(&home, &site.url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "401 Unauthorized",
        "  put   it to ",
        "o--n--main--model.safetensors",
    ] {
        assert!(text(&output).contains(part), "{}", text(&output));
    }
}
