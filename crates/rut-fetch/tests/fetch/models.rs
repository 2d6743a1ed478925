//! Weights, from PyTorch's files and from the hub, to what `rut` reads.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::home::{Home, digests, names, safetensors};
use crate::loopback::{Server, reply, status, whole};
use crate::samples::of;
use crate::site::{Files, Pace, Site};
use rut_fetch::models::{HubFile, Wanted, fetch_weights, select, verify_weights};
use rut_fetch::{Absence, Entry, FetchOptions, Hub, LockFile, Network, Session};
use rut_models::{Checkpoint, find_dense};
use serde_json::Value;

/// A file that PyTorch wrote.
fn pth(name: &str) -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rut-models/tests/fixtures");
    fs::read(fixtures.join(name)).unwrap()
}

/// Weights like those of the table.
fn wanted(bytes: &[u8]) -> Wanted {
    let digits = digests(bytes).sha256;
    Wanted {
        title: "resnet50 TEST".to_owned(),
        model: Some("resnet50"),
        recipe: Some("none"),
        name: "resnet50-test.pth".to_owned(),
        file: "resnet50-test.pth".to_owned(),
        url: "https://example.org/resnet50-test.pth".to_owned(),
        sha256_prefix: Some(digits[..8].to_owned().leak()),
        target: "resnet50-0676ba61.safetensors".to_owned(),
        arguments: "--models resnet50:TEST".to_owned(),
        hub_file: None,
    }
}

fn folder(home: &Home) -> PathBuf {
    home.checkpoints("")
}

fn sheet(home: &Home, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder(home).join(name)).unwrap()).unwrap()
}

#[test]
fn pytorch_weights_become_safetensors_that_are_found() {
    let (home, bytes) = (Home::new(), pth("flat.pth"));
    let site = Site::start(Files::default().file("/resnet50-test.pth", &bytes, Pace::Quick));
    let wanted = [wanted(&bytes)];
    fetch_weights(&wanted, &home.session(&site.url)).unwrap();
    let resnet50 = rut_models::find("resnet50").unwrap();
    let found = find_dense(&folder(&home), resnet50).unwrap();
    assert_eq!(found, folder(&home).join(&wanted[0].target));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rut-models/tests/fixtures");
    let original = Checkpoint::open(&fixtures.join("flat.pth")).unwrap();
    let converted = Checkpoint::open(&found).unwrap();
    assert_eq!(converted.tensors(), original.tensors());
    let sheet = sheet(&home, "resnet50-0676ba61.json");
    assert_eq!(sheet["sha256"], converted.digest.as_str());
    assert_eq!(sheet["source"]["sha256"], digests(&bytes).sha256.as_str());
    assert_eq!(
        sheet["source"]["url"],
        "https://example.org/resnet50-test.pth"
    );
    assert_eq!(sheet["tensors"]["conv1.weight"]["dtype"], "F32");
    assert_eq!(
        sheet["tensors"].as_object().unwrap().len(),
        original.tensors().len()
    );
    // The same again sends no request and needs nothing but the result.
    let count = site.seen().len();
    fs::remove_dir_all(folder(&home).join(".downloads")).unwrap();
    fetch_weights(&wanted, &home.session(&site.url)).unwrap();
    assert_eq!(site.seen().len(), count);
    verify_weights(&wanted, &home.session(""), Absence::Finding).unwrap();
    let mut altered = fs::read(&found).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&found, altered).unwrap();
    verify_weights(&wanted, &home.session(""), Absence::Finding).unwrap_err();
}

#[test]
fn weights_that_are_not_what_their_name_says_are_refused() {
    let (home, bytes) = (Home::new(), pth("flat.pth"));
    let site = Site::start(Files::default().file("/resnet50-test.pth", b"other", Pace::Quick));
    let error = fetch_weights(&[wanted(&bytes)], &home.session(&site.url)).unwrap_err();
    assert_eq!(error.to_string(), "fetch resnet50 TEST");
    assert!(
        folder(&home)
            .join(".downloads/resnet50-test.pth.bad")
            .exists()
    );
    assert!(!folder(&home).join(&wanted(&bytes).target).exists());
    // Right by its name, and no weights.
    let site = Site::start(Files::default().file("/resnet50-test.pth", b"other", Pace::Quick));
    fetch_weights(&[wanted(b"other")], &home.session(&site.url)).unwrap_err();
    assert!(!folder(&home).join(&wanted(b"other").target).exists());
    assert!(!home.lock_file().exists());
}

#[test]
fn weights_that_were_put_there_are_taken_offline() {
    let (home, bytes) = (Home::new(), pth("flat.pth"));
    let session = || {
        of(FetchOptions {
            network: Network::Offline,
            ..home.options()
        })
    };
    fetch_weights(&[wanted(&bytes)], &session()).unwrap_err();
    fs::write(folder(&home).join(".downloads/resnet50-test.pth"), &bytes).unwrap();
    fetch_weights(&[wanted(&bytes)], &session()).unwrap();
}

#[test]
fn weights_of_the_table_keep_the_name_that_they_are_published_under() {
    let target = |word: &str| {
        let selected = select(&[word.to_owned()]).unwrap().remove(0);
        Wanted::of_table(selected).target
    };
    assert_eq!(target("resnet50:V1"), "resnet50-0676ba61.safetensors");
}

/// The hub's answer for a large file: its digest, and where it is.
fn linked(bytes: &[u8]) -> Vec<u8> {
    let headers = [
        ("Location", "/blob".to_owned()),
        ("Content-Length", "0".to_owned()),
        ("X-Linked-Etag", format!("\"{}\"", digests(bytes).sha256)),
    ];
    reply("302 Found", &headers, b"")
}

/// A file of the hub of `session`.
fn of_hub(session: &Session) -> Wanted {
    let file = HubFile::parse("o/n/model.safetensors").unwrap();
    Wanted::of_hub(file, &session.options.hub)
}

/// A run with a hub at `endpoint`.
fn with_hub(home: &Home, endpoint: &str) -> Session {
    let hub = Hub {
        endpoint: endpoint.to_owned(),
        ..Hub::default()
    };
    of(FetchOptions {
        hub,
        ..home.options()
    })
}

#[test]
fn a_busy_hub_is_asked_for_the_digest_again() {
    let (home, bytes) = (Home::new(), safetensors());
    let busy = |line| status(line, &[("Retry-After", "0".to_owned())]);
    let link = || linked(b"what the hub has");
    let server = Server::start(vec![
        busy("429 Too Many Requests"),
        link(),
        link(),
        whole(&bytes),
    ]);
    // Asked once more, it says that another file is right.
    let session = with_hub(&home, &server.url);
    fetch_weights(&[of_hub(&session)], &session).unwrap_err();
    server.finish();
    assert!(
        folder(&home)
            .join(".downloads/o--n--main--model.safetensors.bad")
            .exists()
    );
}

#[test]
fn a_hub_that_says_no_digest_because_it_is_ill_is_not_trusted() {
    for (line, count) in [("503 Service Unavailable", 2), ("400 Bad Request", 1)] {
        let (home, bytes) = (Home::new(), safetensors());
        let mut replies = vec![status(line, &[]); count];
        let server = Server::start(replies.clone());
        let session = with_hub(&home, &server.url);
        let wanted = [of_hub(&session)];
        fetch_weights(&wanted, &session).unwrap_err();
        assert_eq!(server.finish().len(), count, "{line}");
        assert!(!folder(&home).join(&wanted[0].target).exists());
        // A mirror that knows no such question is another matter.
        replies = vec![status("405 Method Not Allowed", &[]), whole(&bytes)];
        let server = Server::start(replies);
        let session = with_hub(&home, &server.url);
        let wanted = [of_hub(&session)];
        fetch_weights(&wanted, &session).unwrap();
        server.finish();
        assert!(folder(&home).join(&wanted[0].target).exists());
    }
}

#[test]
fn one_at_a_time_makes_a_file() {
    let (home, bytes) = (Home::new(), pth("flat.pth"));
    let site = Site::start(Files::default().file("/resnet50-test.pth", &bytes, Pace::Quick));
    let store = folder(&home).join(".downloads");
    fs::create_dir_all(&store).unwrap();
    let path = store.join(".resnet50-0676ba61.safetensors.lock");
    let other = fs::File::create(path).unwrap();
    other.lock().unwrap();
    fetch_weights(&[wanted(&bytes)], &home.session(&site.url)).unwrap_err();
    assert_eq!(site.paths(), Vec::<String>::new());
    other.unlock().unwrap();
    fetch_weights(&[wanted(&bytes)], &home.session(&site.url)).unwrap();
}

#[test]
fn weights_that_the_lock_has_otherwise_since_do_not_get_their_name() {
    let (home, bytes) = (Home::new(), pth("flat.pth"));
    let wanted = [wanted(&bytes)];
    let site = Site::start(Files::default().file("/resnet50-test.pth", &bytes, Pace::Together(2)));
    let entry = Entry {
        sha256: "00".repeat(32),
        bytes: 9,
        url: wanted[0].url.clone(),
    };
    thread::scope(|scope| {
        let run = scope.spawn(|| fetch_weights(&wanted, &home.session(&site.url)));
        site.wait_for_one(|| assert!(!run.is_finished()));
        let lock = LockFile::at(&home.lock_file());
        lock.record(&wanted[0].name, entry).unwrap();
        site.ask();
        run.join().unwrap().unwrap_err();
    });
    assert_eq!(names(&folder(&home)), [".downloads"]);
}
