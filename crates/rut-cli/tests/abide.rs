//! ABIDE from beginning to end, on a generated file: images of real values that fill a triangle of their square, and a
//! prompt that is trained in the rest of it.

mod rut;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rut::{ends, only_run, record, rut};
use zip::write::SimpleFileOptions;
use zip::ZipWriter;

const SUBJECTS: usize = 24;
const VALUES: usize = 19_900;
/// The canvas of the bundled network, and the image on it.
const CANVAS: usize = 32;
const SIDE: usize = 16;

/// A NumPy file of these elements.
fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        length.as_slice(),
        header.as_bytes(),
        elements,
    ]
    .concat()
}

/// Writes `abide/abide.npz` into the data folder `dir`: in one class the first regions go together, in the other the last.
fn generate(dir: &Path) {
    let labels: Vec<u8> = (0..SUBJECTS as u8).map(|subject| subject % 2).collect();
    let value = |subject: usize, at: usize| {
        let noise = (at * 7919 + subject * 104_729) % 20_011;
        let strong = (at < VALUES / 2) == subject.is_multiple_of(2);
        noise as f32 / 40_022.0 - 0.25 + if strong { 0.5 } else { 0.0 }
    };
    let values: Vec<u8> = (0..SUBJECTS)
        .flat_map(|subject| (0..VALUES).map(move |at| value(subject, at)))
        .flat_map(f32::to_le_bytes)
        .collect();
    std::fs::create_dir(dir.join("abide")).unwrap();
    let file = std::fs::File::create(dir.join("abide/abide.npz")).unwrap();
    let mut archive = ZipWriter::new(file);
    for (name, bytes) in [
        (
            "cc200.npy",
            npy("<f4", &format!("({SUBJECTS}, {VALUES})"), &values),
        ),
        ("y.npy", npy("|u1", &format!("({SUBJECTS},)"), &labels)),
    ] {
        let options = SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap();
}

/// A run of `method` on the data in `dir`, with results in `dir`.
fn run(dir: &Path, method: &str, more: &str) -> Command {
    let (data, results) = (dir.display(), dir.join("results"));
    let network = "--model resnet20_cifar100 --sparsity 8";
    let line = format!(
        "{method} --dataset abide --data-dir {data} {network} --batch-size 5 --n-shot 6 --lr 0.05 --results-path {} \
         {more}",
        results.display()
    );
    rut(dir, &line)
}

/// Trained values of the prompt: the canvas without what the triangle fills.
fn trainable() -> usize {
    3 * (CANVAS * CANVAS - SIDE * (SIDE - 1) / 2)
}

#[test]
fn a_prompt_and_a_probe_are_trained_and_taken_up_again() {
    for (method, trained) in [("vp", trainable()), ("lp", (64 + 1) * 2)] {
        let dir = tempfile::tempdir().unwrap();
        generate(dir.path());
        ends(run(dir.path(), method, "--epochs 6"), 0);
        let folder = only_run(dir.path());
        let found = record(&folder);
        assert_eq!(found["data"]["name"], "abide");
        let classes = serde_json::json!(["autism", "control"]);
        assert_eq!(found["data"]["class_names"], classes);
        assert_eq!(found["data"]["test_images"], 2);
        let preprocessing = found["data"]["preprocessing"].as_str().unwrap();
        assert!(
            preprocessing.starts_with("real values 1: "),
            "{preprocessing}"
        );
        assert_eq!(found["training"]["trained_values"], trained, "{method}");
        let losses = losses(&folder);
        assert!(losses[losses.len() - 1] < losses[0], "{method}: {losses:?}");

        let line = |command: &str| {
            let data = dir.path().display();
            rut(
                dir.path(),
                &format!("{command} {} --data-dir {data} --json", folder.display()),
            )
        };
        let (out, _) = ends(line("eval"), 0);
        let again: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(again, found["test"], "{method}");
    }
}

fn losses(run: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    events
        .filter_map(|event: serde_json::Value| event["loss"].as_f64())
        .collect()
}

/// Killed once a state is there, and resumed.
#[test]
fn a_killed_prompt_ends_like_one_left_alone() {
    let (left_alone, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let more = "--epochs 60 --save-every 0";
    for dir in [&left_alone, &killed] {
        generate(dir.path());
    }
    ends(run(left_alone.path(), "vp", more), 0);
    let mut child = run(killed.path(), "vp", more);
    let mut child = child
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !state_in(killed.path()) && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(state_in(killed.path()), "it ended before it was killed");
    ends(run(killed.path(), "vp", &format!("{more} --resume")), 0);
    let (a, b) = (only_run(left_alone.path()), only_run(killed.path()));
    assert_eq!(record(&a), record(&b));
    for name in ["events.jsonl", "logits.safetensors", "prompt.safetensors"] {
        let read = |run: &Path| std::fs::read(run.join(name)).unwrap();
        assert!(read(&a) == read(&b), "{name} differs");
    }
}

/// Whether a run with results in `dir` has saved a state.
fn state_in(dir: &Path) -> bool {
    let runs = std::fs::read_dir(dir.join("results"));
    runs.is_ok_and(|runs| {
        runs.flatten()
            .any(|run| run.path().join("state.safetensors").exists())
    })
}

#[test]
fn a_missing_file_says_how_to_make_it() {
    let dir = tempfile::tempdir().unwrap();
    let (_, err) = ends(run(dir.path(), "vp", ""), 3);
    for text in ["abide.npz", "acerta-abide", "data/README.md", "--data-dir"] {
        assert!(err.contains(text), "no {text:?} in: {err}");
    }
}
