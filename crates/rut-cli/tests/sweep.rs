//! Many runs from one file: they end like single ones, whatever happens on the way. What is wrong with a file stands in
//! `bad_study.rs`, the scripts of a job array in `slurm.rs`.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rut::{checkpoint, ends, mask, record, rut};
use serde_json::Value;

/// What all studies here share.
const BASE: &str =
    "[base]\ndataset = 'digits'\nclasses = ['0-2']\nmodel = 'resnet20_cifar100'\nsparsity = 8\n\
                    batch_size = 5\nsave_every = 0.05\n";

/// `rut sweep` with results in `dir`, of a study of `BASE` and `rest`.
fn sweep(dir: &Path, words: &str, rest: &str) -> Command {
    let file = dir.join("study.toml");
    fs::write(&file, format!("title = 'a study'\n{BASE}{rest}")).unwrap();
    let results = dir.join("results");
    let (command, more) = words.split_once(' ').unwrap_or((words, ""));
    let line = format!(
        "sweep {command} {} --results-path {} {more}",
        file.display(),
        results.display()
    );
    rut(dir, &line)
}

fn json(dir: &Path, rest: &str) -> Value {
    let (out, _) = ends(sweep(dir, "status --json", rest), 0);
    serde_json::from_str(&out).unwrap()
}

fn count(dir: &Path, rest: &str, state: &str) -> u64 {
    json(dir, rest)["counts"][state].as_u64().unwrap()
}

/// The runs' folders, by name.
fn runs(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("results")).into_iter().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

fn records(dir: &Path) -> usize {
    let done = |run: &&PathBuf| run.join("record.json").exists();
    runs(dir).iter().filter(done).count()
}

fn has_state(dir: &Path) -> bool {
    let saved = |run: &PathBuf| run.join("state.safetensors").exists();
    runs(dir).iter().any(saved)
}

fn wait_until(what: &str, ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < Duration::from_secs(300), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn quiet(mut command: Command) -> std::process::Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_study_that_is_killed_ends_like_single_runs() {
    let (single, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let axes = "epochs = 120\n[axes]\nmethod = ['vp', 'lp']\nn_shot = [2, 4]\nseed = [1, 2]";
    for method in ["lp", "vp"] {
        for (shots, seed) in [(2, 1), (2, 2), (4, 1), (4, 2)] {
            let line = format!(
                "{method} --dataset digits --classes 0-2 --model resnet20_cifar100 --sparsity 8 --batch-size 5 \
                 --epochs 120 --n-shot {shots} --seed {seed} --results-path {}",
                single.path().join("results").display()
            );
            ends(rut(single.path(), &line), 0);
        }
    }
    for kill in 0..3 {
        let mut child = quiet(sweep(killed.path(), "run --jobs 2 --threads 2", axes));
        let before = records(killed.path());
        match kill {
            0 => wait_until("a run saves its state", || has_state(killed.path())),
            _ => wait_until("a run ends", || records(killed.path()) > before),
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it started must not outlive it for long.
        wait_until("its runs stop", || {
            count(killed.path(), axes, "going on") == 0
        });
    }
    assert!(records(killed.path()) < 8, "it was killed too late");
    let (out, err) = ends(sweep(killed.path(), "run --jobs 2 --threads 2", axes), 0);
    assert!(
        out.contains("done") && err.contains("done before"),
        "{out}{err}"
    );
    let (want, got) = (runs(single.path()), runs(killed.path()));
    assert_eq!((want.len(), got.len()), (8, 8));
    for (want, got) in want.iter().zip(&got) {
        assert_eq!(want.file_name(), got.file_name());
        assert_eq!(record(want), record(got));
        for name in ["events.jsonl", "logits.safetensors"] {
            let read = |run: &Path| fs::read(run.join(name)).unwrap();
            assert!(
                read(want) == read(got),
                "{name} of {} differs",
                got.display()
            );
        }
    }
    // The reports, too: the same bytes, but for what it cost.
    let plan = |dir: &Path| dir.join("results/plan.jsonl");
    fs::copy(plan(killed.path()), plan(single.path())).unwrap();
    let report = |dir: &Path| {
        let (results, out) = (dir.join("results"), dir.join("report"));
        let line = format!(
            "report {} --out {} --omit-cost",
            results.display(),
            out.display()
        );
        ends(rut(dir, &line), 0);
        ["report.html", "runs.csv", "runs.jsonl"].map(|name| fs::read(out.join(name)).unwrap())
    };
    assert!(report(killed.path()) == report(single.path()));
}

#[test]
fn failures_stop_nothing_and_are_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let networks = dir.path().join("networks");
    fs::create_dir(&networks).unwrap();
    let put = |from: PathBuf, name: &str| {
        fs::copy(from, networks.join(name)).unwrap();
    };
    put(checkpoint(8), "resnet20_cifar100_8_checkpoint.safetensors");
    put(mask(8), "resnet20_cifar100_8_mask.safetensors");
    let rest = format!(
        "pretrained_dir = '{}'\nepochs = 1\nmethod = 'lp'\n[axes]\nsparsity = [9, 8]\nn_shot = [2, 5000]",
        networks.display()
    );
    let (out, err) = ends(sweep(dir.path(), "run", &rest), 1);
    assert!(err.contains("finish 3 runs"), "{err}");
    assert!(out.contains("5000") && out.contains("state 9"), "{out}");
    let of = |state| count(dir.path(), &rest, state);
    assert_eq!((of("done"), of("failed")), (1, 3));
    // What was missing comes, under a name of its own; what cannot be met stays a failure.
    put(checkpoint(6), "resnet20_cifar100_9_checkpoint.safetensors");
    put(mask(6), "resnet20_cifar100_9_mask.safetensors");
    assert_eq!((of("done"), of("failed"), of("missing")), (1, 1, 2));
    let (_, err) = ends(sweep(dir.path(), "run", &rest), 1);
    assert!(err.contains("1 done before, 3 to run"), "{err}");
    assert_eq!(
        (of("done"), of("failed"), runs(dir.path()).len()),
        (2, 2, 4)
    );
    let allowed = format!("short_classes = 'allow'\n{rest}");
    let (_, err) = ends(sweep(dir.path(), "run", &allowed), 0);
    assert!(err.contains("of other studies"), "{err}");
}

#[test]
fn a_failure_goes_when_its_run_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let rest = "epochs = 1\nmethod = 'lp'\nn_shot = 2\n[axes]\nseed = [1]";
    ends(sweep(dir.path(), "run --dry-run", rest), 0);
    assert!(runs(dir.path()).is_empty(), "a dry run writes nothing");
    let planned = json(dir.path(), rest)["runs"][0]["run_id"].clone();
    let run = dir.path().join("results").join(planned.as_str().unwrap());
    // A folder of the run's name that cannot be locked.
    fs::create_dir_all(run.join(".lock")).unwrap();
    ends(sweep(dir.path(), "run", rest), 1);
    assert!(run.join("failure.json").exists());
    assert_eq!(count(dir.path(), rest, "failed"), 1);
    fs::remove_dir(run.join(".lock")).unwrap();
    ends(sweep(dir.path(), "run", rest), 0);
    assert!(!run.join("failure.json").exists());
    assert_eq!(count(dir.path(), rest, "done"), 1);
}

#[test]
fn an_interrupted_study_saves_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let rest = "method = 'vp'\nn_shot = 4\nepochs = 300\n[axes]\nseed = [1, 2, 3]";
    let mut child = sweep(dir.path(), "run --jobs 2 --threads 2", rest);
    let mut child = child
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a run saves its state", || has_state(dir.path()));
    signal("-INT", child.id());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(text.contains("go on with the same command"), "{text}");
    assert_eq!(count(dir.path(), rest, "failed"), 0, "{text}");
    assert!(count(dir.path(), rest, "half done") > 0, "{text}");
    let fewer = "method = 'vp'\nn_shot = 4\nepochs = 3\n[axes]\nseed = [1, 2, 3]";
    let (_, err) = ends(sweep(dir.path(), "run", fewer), 0);
    assert!(err.contains("of other studies"), "{err}");
}

#[test]
fn a_run_that_is_killed_fails_and_one_of_another_process_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let rest = "method = 'vp'\nn_shot = 4\nepochs = 100\n[axes]\nseed = [1, 2]";
    let mut child = quiet(sweep(dir.path(), "run --jobs 1", rest));
    wait_until("a run goes on", || count(dir.path(), rest, "going on") > 0);
    let parent = child.id();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    signal("-KILL", children.trim().parse().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let status = json(dir.path(), rest);
    assert_eq!(status["counts"]["failed"], 1);
    let error = status["runs"][0]["error"].as_str().unwrap();
    assert!(error.contains("signal 9"), "{error}");
    let first = dir
        .path()
        .join("results")
        .join(status["runs"][0]["run_id"].as_str().unwrap());
    let held = fs::File::options()
        .write(true)
        .open(first.join(".lock"))
        .unwrap();
    held.lock().unwrap();
    let (out, err) = ends(sweep(dir.path(), "run --jobs 1", rest), 4);
    assert!(err.contains("is going on in another process"), "{err}");
    assert!(out.contains("going on elsewhere  1"), "{out}");
    drop(held);
    ends(sweep(dir.path(), "run --jobs 1", rest), 0);
}

#[test]
fn a_dry_run_counts_and_estimates() {
    let dir = tempfile::tempdir().unwrap();
    let rest = "epochs = 2\nval_shots = 1\n[axes]\nmethod = ['lp', 'vp', {method = 'vp', mapping = 'flm'}]\nn_shot = [2, 4]\n\
                mapping_interval = [1, 2]\n[[exclude]]\nmethod = 'vp'\nn_shot = [2]\nmapping = 'flm'";
    let (out, _) = ends(sweep(dir.path(), "run --dry-run", rest), 0);
    // The interval is nothing to probes and to `flm`.
    assert!(out.contains("7 runs\n"), "{out}");
    assert!(out.contains("missing       7"), "{out}");
    assert!(
        out.contains("assumed from the network's operations, to about a factor of 3: 7"),
        "{out}"
    );
    assert!(!dir.path().join("results").exists());
    ends(sweep(dir.path(), "run", rest), 0);
    let more = rest.replace("[2, 4]", "[2, 4, 8]");
    let (out, _) = ends(sweep(dir.path(), "run --dry-run", &more), 0);
    assert!(
        out.contains("11 runs\n") && out.contains("done          7"),
        "{out}"
    );
    assert!(
        out.contains("by finished runs of the same network: "),
        "{out}"
    );
    let (out, _) = ends(sweep(dir.path(), "run --dry-run", rest), 0);
    assert!(out.contains("nothing is left to run"), "{out}");
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("sweep status {}", dir.path().join("results").display()),
        ),
        0,
    );
    assert!(out.contains("a study") && out.contains("vp flm"), "{out}");
}

/// Two of one file at once: the second works on what the first leaves, and says so where that is nothing.
#[test]
fn two_sweeps_of_one_file_share_its_runs() {
    for _ in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let axes = "epochs = 3\n[axes]\nmethod = ['lp', 'vp']\nseed = [1, 2]";
        let start = || {
            sweep(dir.path(), "run --jobs 1 --threads 1", axes)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let both = [start(), start()];
        let mut done = false;
        for child in both {
            let output = child.wait_with_output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(output.status.code(), Some(0 | 4)), "{err}");
            // A line of a run that failed; what others work on is no failure.
            assert!(!err.contains("  failed to"), "{err}");
            done |= output.status.success();
        }
        assert!(done, "neither has seen the end");
        assert_eq!(records(dir.path()), 4);
        let left = fs::read_dir(dir.path().join("results")).unwrap().flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        assert_eq!(left.len(), 5, "{left:?}");
    }
}

/// Two studies in one folder of results: each keeps its plan, and a report knows what is missing of both.
#[test]
fn two_studies_in_one_folder_keep_their_plans() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let study = |name: &str, shots: u32| {
        let file = dir.path().join(name);
        fs::write(
            &file,
            format!("{BASE}method = 'lp'\nepochs = 1\n[axes]\nn_shot = [{shots}]\nseed = [1, 2]"),
        )
        .unwrap();
        file
    };
    let run = |file: &Path| {
        let line = format!(
            "sweep run {} --results-path {}",
            file.display(),
            results.display()
        );
        ends(rut(dir.path(), &line), 0)
    };
    let (first, second) = (study("one.toml", 2), study("two.toml", 4));
    run(&first);
    run(&second);
    run(&first);
    let mut plans: Vec<String> = fs::read_dir(&results)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".jsonl"))
        .collect();
    plans.sort();
    assert_eq!(plans.len(), 2, "{plans:?}");
    assert!(
        plans[0].starts_with("plan-two-") && plans[1] == "plan.jsonl",
        "{plans:?}"
    );
    // A run of each is lost, and a record torn.
    let all = runs(dir.path());
    assert_eq!(all.len(), 4);
    fs::remove_dir_all(&all[0]).unwrap();
    fs::remove_dir_all(&all[2]).unwrap();
    let record = all[3].join("record.json");
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("sweep status {} --json", results.display()),
        ),
        0,
    );
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status["runs"].as_array().unwrap().len(), 4, "{out}");
    assert_eq!(status["counts"]["missing"], 2, "{out}");
    assert_eq!(status["counts"]["done"], 1, "{out}");
    assert_eq!(status["counts"]["failed"], 1, "{out}");
    assert!(out.contains("record.json"), "{out}");
    let report = format!(
        "report {} --out {}",
        results.display(),
        dir.path().join("report").display()
    );
    let (_, err) = ends(rut(dir.path(), &report), 0);
    assert!(err.contains("1 run, 2 missing, 1 unreadable"), "{err}");
    // What cannot be read is no run that is done, and is not written over.
    let line = format!(
        "sweep run {} --results-path {}",
        second.display(),
        results.display()
    );
    let (out, _) = ends(rut(dir.path(), &line), 1);
    assert!(
        out.contains("record.json") && out.contains("delete its folder"),
        "{out}"
    );
    fs::write(&record, whole).unwrap();
    run(&second);
}
