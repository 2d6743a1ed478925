//! Run folders, studies and scripts made by an earlier version are read, evaluated, resumed and reported.
//!
//! What they are and how they were made: `fixtures/earlier/README.md`.

#![cfg(unix)]

mod rut;

use std::path::{Path, PathBuf};
use std::process::Command;

use rut::{ends, root};
use serde_json::Value;

/// Figures may differ by this share of their size: the processor's instruction set decides the last digits, and
/// training carries them on.
const RELATIVE: f64 = 1e-3;

/// The fixtures in a folder of their own, with the bundled networks and digits where they were when the runs were made.
struct Earlier(tempfile::TempDir);

impl Earlier {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fixtures = root().join("crates/rut-cli/tests/fixtures/earlier");
        copy(&fixtures, dir.path());
        let root = root().canonicalize().unwrap();
        for name in ["checkpoints", "data"] {
            std::os::unix::fs::symlink(root.join(name), dir.path().join(name)).unwrap();
        }
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The binary, run in that folder.
    fn rut(&self, line: &str) -> Command {
        let mut command = rut::rut(self.0.path(), line);
        command.current_dir(self.0.path());
        command
    }

    /// The folders of runs in `name`, in the order of their names.
    fn runs(&self, name: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path(name)).unwrap();
        let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        runs.retain(|run| run.is_dir());
        runs.sort();
        assert!(!runs.is_empty(), "{name}");
        runs
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Every field of `earlier` is in `now` with the same value, numbers to [`RELATIVE`]. New fields may stand beside them.
fn assert_holds(place: &str, earlier: &Value, now: &Value) {
    match (earlier, now) {
        (Value::Object(earlier), Value::Object(now)) => {
            for (key, value) in earlier {
                let found = now.get(key).unwrap_or(&Value::Null);
                assert_holds(&format!("{place}.{key}"), value, found);
            }
        }
        (Value::Array(earlier), Value::Array(now)) => {
            assert_eq!(earlier.len(), now.len(), "{place}");
            for (index, (earlier, now)) in earlier.iter().zip(now).enumerate() {
                assert_holds(&format!("{place}[{index}]"), earlier, now);
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!(
                (a - b).abs() <= RELATIVE * a.abs().max(0.01),
                "{place}: {a} then, {b} now"
            );
        }
        _ => assert_eq!(earlier, now, "{place}"),
    }
}

/// What a record says that neither time nor the program's version changes.
fn lasting(run: &Path) -> Value {
    let mut record = rut::record(run);
    let fields = record.as_object_mut().unwrap();
    for changes in ["environment", "notes"] {
        fields.remove(changes);
    }
    // It counts how pixels are decoded, which changed for some kinds of files and not for these.
    fields["data"]
        .as_object_mut()
        .unwrap()
        .remove("preprocessing");
    // How often the search looks depends on last bits, which another instruction set rounds otherwise.
    if let Some(temperature) = fields["temperature"].as_object_mut() {
        temperature.remove("evaluations");
    }
    record
}

#[test]
fn finished_runs_are_evaluated() {
    let earlier = Earlier::new();
    for run in earlier.runs("runs") {
        let line = format!("eval {} --json", run.display());
        let (out, _) = ends(earlier.rut(&line), 0);
        let now: Value = serde_json::from_str(&out).unwrap();
        let then = rut::record(&run)["test"]["raw"].clone();
        let place = run.display().to_string();
        let raw = &now["raw"];
        for figure in ["accuracy", "nll", "brier", "mean_confidence"] {
            assert!(raw[figure].is_number(), "{place}: {now}");
            assert_holds(&format!("{place}: {figure}"), &then[figure], &raw[figure]);
        }
        let (out, _) = ends(
            earlier.rut(&format!(
                "metrics {} --part test --json",
                run.join("logits.safetensors").display()
            )),
            0,
        );
        let now: Value = serde_json::from_str(&out).unwrap();
        assert_holds(
            &format!("{place}: metrics"),
            &then["nll"],
            &now["summary"]["nll"],
        );
    }
}

#[test]
fn finished_runs_are_recognised_and_predict() {
    let earlier = Earlier::new();
    let line =
        "vp --classes 0-2 --n-shot 4 --epochs 5 --batch-size 5 --results-path runs --resume \
                --pretrained-dir checkpoints";
    let before = earlier.runs("runs");
    let (_, err) = ends(earlier.rut(line), 0);
    assert!(err.contains("finished already"), "{err}");
    assert_eq!(before, earlier.runs("runs"));
    for run in before
        .iter()
        .filter(|run| run.display().to_string().contains("shapes"))
    {
        let line = format!("predict {} shapes/test/across/00.png", run.display());
        let (out, _) = ends(earlier.rut(&line), 0);
        assert!(out.contains("across"), "{out}");
    }
}

/// No earlier version wrote a device down, and no checksum of `spec.toml`.
#[test]
fn finished_runs_are_taken_up_on_their_device() {
    let earlier = Earlier::new();
    let run = &earlier.runs("runs")[0];
    let path = run.join("spec.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("device = \"tpu\"\n{text}")).unwrap();
    let image = "shapes/test/across/00.png";
    for line in [
        format!("eval {}", run.display()),
        format!("predict {} {image}", run.display()),
    ] {
        let (_, err) = ends(earlier.rut(&line), 2);
        assert!(err.contains("device = `tpu`: expected one of cpu"), "{err}");
    }
}

/// The half-done runs and the flags that they were begun with.
const HALF_DONE: [(&str, &str); 4] = [
    (
        "digits-resnet20_cifar100-ticket8-lp-4shot-seed4-2f7c28d80e",
        "lp --classes 0-2 --n-shot 4 --epochs 40 --pretrained-dir checkpoints",
    ),
    (
        "digits-resnet20_cifar100-ticket8-vp-ilm-4shot-seed4-0a9e1fdec8",
        "vp --classes 0-2 --n-shot 4 --epochs 30 --pretrained-dir checkpoints",
    ),
    (
        "shapes-resnet20_cifar100-ticket8-lp-all-seed4-de3a02181c",
        "lp --dataset shapes --model resnet20_cifar100 --sparsity 8 --n-shot all --epochs 30",
    ),
    (
        "shapes-resnet20_cifar100-ticket8-vp-ilm-4shot-seed4-a4d1252fb6",
        "vp --dataset shapes --model resnet20_cifar100 --sparsity 8 --n-shot 4 --image-size 16 --epochs 30",
    ),
];

#[test]
fn half_done_runs_go_on_as_they_were_begun() {
    let earlier = Earlier::new();
    for (name, line) in HALF_DONE {
        let run = earlier.path("half").join(name);
        let begun = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
        let line = format!("{line} --batch-size 5 --results-path half --resume");
        ends(earlier.rut(&line), 0);
        let ended = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
        assert!(ended.starts_with(&begun), "{name}: it was begun again");
        let whole = earlier.path("whole").join(name);
        assert_holds(name, &lasting(&whole), &lasting(&run));
    }
    assert_eq!(earlier.runs("half").len(), HALF_DONE.len());
}

/// The program had networks in it that lie in the repository, too: a later one may have others.
#[test]
fn runs_on_networks_that_were_in_the_program() {
    let earlier = Earlier::new();
    let place = "--pretrained-dir checkpoints";
    let run = earlier.path("embedded/finished");
    let (out, _) = ends(
        earlier.rut(&format!(
            "eval {} {place} --data-dir data --json",
            run.display()
        )),
        0,
    );
    let now: Value = serde_json::from_str(&out).unwrap();
    let then = &rut::record(&run)["test"]["raw"]["accuracy"];
    assert_holds("accuracy", then, &now["raw"]["accuracy"]);
    let begun = std::fs::read_to_string(earlier.path("embedded/stopped/events.jsonl")).unwrap();
    let line = format!(
        "vp --epochs 40 --n-shot 4 --run-name stopped --results-path embedded --resume {place}"
    );
    ends(earlier.rut(&line), 0);
    let ended = std::fs::read_to_string(earlier.path("embedded/stopped/events.jsonl")).unwrap();
    assert!(ended.len() > begun.len() && ended.starts_with(&begun));
    let record = std::fs::read_to_string(earlier.path("embedded/stopped/record.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["cost"]["resumed"], 1);
}

/// Where the repository's folder of networks is not, the program's own of today are found in place of a run's.
#[test]
fn runs_on_earlier_networks_say_where_these_are() {
    let earlier = Earlier::new();
    // In a clone, the quickstart's networks are others, too.
    let line = "vp --classes 0-2 --n-shot 4 --epochs 5 --batch-size 5 --results-path runs --resume";
    let (_, err) = ends(earlier.rut(line), 3);
    for says in [
        "checkpoints/fair/resnet20_cifar100_8_checkpoint.safetensors is another file",
        "the folder checkpoints of rut's repository",
    ] {
        assert!(err.contains(says), "{says}: {err}");
    }
    std::fs::remove_file(earlier.path("checkpoints")).unwrap();
    let (finished, stopped) = ("embedded/finished", "embedded/stopped");
    let settings = "vp --epochs 40 --n-shot 4 --resume --results-path embedded";
    let files = ["events.jsonl", "spec.toml", "state.safetensors"];
    let read = || files.map(|file| std::fs::read(earlier.path(stopped).join(file)).unwrap());
    let before = read();
    let refuses = |line: &str| {
        let (_, err) = ends(earlier.rut(line), 3);
        for says in [
            "resnet20_cifar100_8_checkpoint.safetensors of an earlier version",
            "bundled:/resnet20_cifar100_8_checkpoint.safetensors is another file",
            "the folder checkpoints of rut's repository",
            "--pretrained-dir",
        ] {
            assert!(err.contains(says), "{line}: {says}: {err}");
        }
    };
    refuses(&format!("eval {finished}"));
    refuses(&format!("predict {finished} x.png"));
    refuses(&format!("{settings} --run-name stopped"));
    // Another file than its namesake is what was asked for by mistake.
    let other = format!("{settings} --run-name stopped --sparsity 0 --pretrained-dir bundled:");
    let (_, err) = ends(earlier.rut(&other), 2);
    assert!(err.contains("checkpoint_sha256"), "{err}");
    assert!(read() == before, "something was written");

    // Under the name that the program gives it: that of another run today.
    let name = "digits-resnet20_cifar100-ticket8-vp-ilm-4shot-seed4-232e934af2";
    let named = earlier.path("embedded").join(name);
    std::fs::rename(earlier.path(stopped), &named).unwrap();
    refuses(settings);
    std::fs::remove_dir_all(&named).unwrap();
    assert_eq!(earlier.runs("embedded").len(), 1);
    let (_, err) = ends(earlier.rut(&settings.replace("40", "1")), 0);
    assert!(err.contains("nothing to resume in embedded/"), "{err}");

    // A plan names runs of the earlier networks.
    std::fs::remove_dir_all(earlier.path("study")).unwrap();
    ends(earlier.rut("sweep task jobs/plan.jsonl --task 0"), 1);
    let failure = earlier.runs("study")[0].join("failure.json");
    let failure = std::fs::read_to_string(failure).unwrap();
    for says in [
        "resnet20_cifar100_0_checkpoint.safetensors of an earlier version",
        "the folder checkpoints of rut's repository",
    ] {
        assert!(failure.contains(says), "{says}: {failure}");
    }
}

#[test]
fn stopped_studies_go_on() {
    let earlier = Earlier::new();
    for (study, runs) in [("study", 16), ("shapes_study", 8)] {
        let finished: Vec<(PathBuf, Vec<u8>)> = earlier
            .runs(study)
            .into_iter()
            .filter_map(|run| {
                let record = std::fs::read(run.join("record.json")).ok()?;
                Some((run, record))
            })
            .collect();
        assert!(finished.len() >= 3, "{study}");
        let (out, _) = ends(earlier.rut(&format!("sweep status {study}.toml")), 0);
        assert!(out.contains(&finished.len().to_string()), "{out}");
        ends(
            earlier.rut(&format!("sweep run {study}.toml --cache-dir features")),
            0,
        );
        assert_eq!(earlier.runs(study).len(), runs, "{study}");
        for (run, record) in finished {
            assert!(
                std::fs::read(run.join("record.json")).unwrap() == record,
                "{} was run again",
                run.display()
            );
        }
    }
    // The earlier version drew validation images from train although there is val. What it had planned goes on like
    // that: a prompt of today has the images of the probe that it finished.
    let runs = earlier.runs("shapes_study");
    let named = |part: &str| {
        let mut found = runs
            .iter()
            .filter(|run| run.display().to_string().contains(part));
        rut::record(found.next().unwrap())["data"].clone()
    };
    for shots in ["2shot-seed4", "2shot-seed5", "all-seed4", "all-seed5"] {
        let (probe, prompt) = (
            named(&format!("lp-{shots}")),
            named(&format!("ilm-{shots}")),
        );
        for digest in ["train_digest", "validation_digest", "test_digest"] {
            assert!(probe[digest].is_string(), "{probe}");
            assert_eq!(probe[digest], prompt[digest], "{shots}: {digest}");
        }
    }
}

#[test]
fn scripts_that_were_emitted_go_on_working() {
    let earlier = Earlier::new();
    let place = earlier.0.path().canonicalize().unwrap();
    for script in std::fs::read_dir(earlier.path("jobs")).unwrap() {
        let script = script.unwrap().path();
        let text = std::fs::read_to_string(&script).unwrap();
        let text = text
            .replace("@RUT@", env!("CARGO_BIN_EXE_rut"))
            .replace("@FOLDER@", &place.display().to_string());
        std::fs::write(&script, text).unwrap();
    }
    std::fs::remove_dir_all(earlier.path("study")).unwrap();
    for (script, task) in [
        ("extract", "0"),
        ("runs", "0"),
        ("runs", "8"),
        ("collect", "0"),
    ] {
        let mut job = Command::new("bash");
        job.arg(earlier.path("jobs").join(format!("{script}.sbatch")))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_CACHE_HOME", earlier.path("cache"))
            .env("SLURM_ARRAY_TASK_ID", task);
        let output = job.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{script} {task}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(earlier.runs("study").len(), 2);
}

#[test]
fn a_report_says_what_it_said() {
    let earlier = Earlier::new();
    ends(earlier.rut("report runs --out report"), 0);
    let rows = |path: PathBuf| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let (then, now) = (
        rows(earlier.path("runs.jsonl")),
        rows(earlier.path("report/runs.jsonl")),
    );
    assert_eq!(then.len(), now.len());
    for (mut then, now) in then.into_iter().zip(&now) {
        // Settings are told apart in other words; prompts had one optimiser, which was not said.
        let fields = then.as_object_mut().unwrap();
        fields.remove("setting");
        fields.retain(|key, value| {
            !(value.is_null() && ["optimizer", "weight_decay"].contains(&key.as_str()))
        });
        assert_holds(&then["run_id"].to_string(), &then, now);
    }
    ends(
        earlier.rut("report runs study shapes_study half whole --out all"),
        0,
    );
}
