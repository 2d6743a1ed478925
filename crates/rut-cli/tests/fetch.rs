//! `rut fetch`: where files go, messages, and exit codes. What downloads do is tested in `rut-fetch`, whose server and
//! folder this borrows.

use rut_testkit::home;
mod rut;
use rut_testkit::site;

use std::fs;
use std::process::{Command, Stdio};

use home::{names, safetensors, wait_for, Home};
use rut::{ends, refuses, rut};
use site::{Files, Pace, Site};

const ARCHIVE: &str = "/cifar-10-binary.tar.gz";

/// `rut fetch` with `words`, into `home`.
fn fetch(home: &Home, words: &str) -> Command {
    let (data, networks) = (home.data(""), home.checkpoints(""));
    let line = format!(
        "fetch {words} --data-dir {} --pretrained-dir {}",
        data.display(),
        networks.display()
    );
    rut(home.folder.path(), &line)
}

#[test]
fn what_is_bundled_needs_no_network() {
    let home = Home::new();
    let (out, err) = ends(fetch(&home, "digits"), 0);
    assert_eq!(out, "digits: bundled with rut, nothing to fetch\n");
    assert_eq!(err, "");
    assert!(!home.data("").exists());
}

#[test]
fn words_that_mean_nothing_are_a_usage_error() {
    let dir = tempfile::tempdir().unwrap();
    let says = [
        "failed to find data set 'cifr10'",
        "did you mean 'cifar10'?",
    ];
    refuses(dir.path(), "fetch cifr10", 2, &says);
    let says = [
        "failed to find model 'resnet51'",
        "did you mean 'resnet50'?",
    ];
    refuses(dir.path(), "fetch --models resnet51", 2, &says);
    refuses(dir.path(), "fetch --hf a/b", 2, &["ORG/NAME/FILE"]);
    refuses(dir.path(), "fetch", 2, &["NAME"]);
    refuses(dir.path(), "fetch digits --jobs 17", 2, &["--jobs"]);
}

#[test]
fn what_cannot_be_fetched_is_described() {
    let home = Home::new();
    let site = Site::start(Files::default());
    let words = format!("cifar10 digits --mirror {}", site.url);
    let (out, err) = ends(fetch(&home, &words), 1);
    assert!(
        out.ends_with("already there: digits\nby hand: cifar10\n"),
        "{out}"
    );
    let put = home.data(".downloads/cifar-10-binary.tar.gz");
    for part in [
        ": the server answered 404 Not Found\n",
        &format!("  put   it to {}\n", put.display()),
        "  then  `rut fetch cifar10` again\n",
        "error: failed to fetch cifar10\n",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
}

#[test]
fn weights_go_to_where_networks_are_looked_for() {
    let (home, bytes) = (Home::new(), safetensors());
    let files = Files::default().file("/o/n/resolve/main/m.safetensors", &bytes, Pace::Quick);
    let site = Site::start(files);
    let run = || {
        let mut command = fetch(&home, "--hf o/n/m.safetensors");
        command.env("HF_ENDPOINT", &site.url);
        ends(command, 0).0
    };
    let printed = run();
    let file = home.checkpoints("o--n--m.safetensors");
    assert!(printed.contains("verified and converted to "), "{printed}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    // What is trusted on first use is written down beside the data.
    assert_eq!(names(&home.data("")), [".LOCK.json.lock", "LOCK.json"]);
    assert!(run().contains("is there already, verified"));
    let mut altered = bytes.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&file, altered).unwrap();
    let (out, err) = ends(fetch(&home, "--hf o/n/m.safetensors --verify"), 3);
    assert!(out.contains("altered: "), "{out}");
    assert!(
        err.contains("failed to find everything right: 1 finding"),
        "{err}"
    );
}

#[test]
fn what_was_named_has_to_be_there_to_be_verified() {
    let home = Home::new();
    let (out, _) = ends(fetch(&home, "cifar10 --verify"), 3);
    assert!(out.contains("cifar10: cifar-10-binary.tar.gz: not fetched"));
    ends(fetch(&home, "--all --verify"), 0);
    ends(fetch(&home, "cifar10 --verify --offline"), 2);
    assert!(!home.data("").exists());
}

#[test]
fn the_folders_are_those_that_a_run_reads() {
    let home = Home::new();
    let mut command = rut(home.folder.path(), "fetch cifar10 --offline");
    command.env("RUT_DATA_DIR", home.data(""));
    let (_, err) = ends(command, 1);
    let put = home.data(".downloads/cifar-10-binary.tar.gz");
    let says = format!("put it to {}", put.display());
    assert!(
        err.contains("`offline` forbids") && err.contains(&says),
        "{err}"
    );
}

/// Those of a run that names its data set, not the quickstart's.
#[test]
fn weights_go_to_the_folder_that_runs_look_in_by_default() {
    let (home, bytes) = (Home::new(), safetensors());
    let files = Files::default().file("/o/n/resolve/main/m.safetensors", &bytes, Pace::Quick);
    let site = Site::start(files);
    let mut command = rut(home.folder.path(), "fetch --hf o/n/m.safetensors");
    command
        .current_dir(home.folder.path())
        .env("HF_ENDPOINT", &site.url);
    ends(command, 0);
    let file = home.folder.path().join("checkpoints/o--n--m.safetensors");
    assert_eq!(fs::read(file).unwrap(), bytes);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_part_that_the_next_run_goes_on_with() {
    let (home, body) = (Home::new(), vec![7; 300_000]);
    let files = |pace| Files::default().file(ARCHIVE, &body, pace);
    let site = Site::start(files(Pace::Stalls(100_000)));
    let run = || fetch(&home, &format!("cifar10 --mirror {}", site.url));
    let child = run().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    let part = home.data(".downloads/cifar-10-binary.tar.gz.part");
    wait_for(&part, 100_000);
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(
        err.contains("interrupted; the same command goes on"),
        "{err}"
    );
    assert_eq!(fs::metadata(part).unwrap().len(), 100_000);
    // It is no CIFAR-10: the rest is asked for, and the whole is refused.
    site.replace(files(Pace::Quick));
    let (_, err) = ends(run(), 1);
    assert!(
        err.contains("cifar10: failed to verify http://127.0.0.1:"),
        "{err}"
    );
    assert_eq!(site.seen()[1].range.as_deref(), Some("bytes=100000-"));
}
