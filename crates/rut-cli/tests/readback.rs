//! What runs leave behind, read by the tools that people read it with: TensorBoard, pandas, and Weights & Biases' client (a
//! stand-in that writes down how it is called). The readers are the Python files in `readback/`; each asserts for itself.

mod rut;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rut::{ends, only_run, root, rut, small};

/// The Python of `RUT_PYTHON`, or `python3`, where it has `modules`; without them the caller skips visibly.
fn python(modules: &[&str]) -> Option<PathBuf> {
    use std::io::Write;
    let python = std::env::var_os("RUT_PYTHON").unwrap_or_else(|| "python3".into());
    let python = PathBuf::from(python);
    let import = format!("import {}", modules.join(", "));
    let imported = Command::new(&python).args(["-c", &import]).output();
    let problem = match imported {
        Ok(output) if output.status.success() => return Some(python),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    let text = format!("{} cannot `{import}`: {problem}", python.display());
    assert!(
        std::env::var_os("RUT_REQUIRE_PYTHON").is_none(),
        "RUT_REQUIRE_PYTHON is set, but {text}"
    );
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {text}; set RUT_PYTHON to a Python that can"
    );
    None
}

/// Runs a Python file on `arguments`; what it asserts must hold.
fn reads(python: &Path, script: &Path, arguments: &[&Path]) {
    let mut command = Command::new(python);
    command.arg(script).args(arguments);
    // The stand-in `wandb` must not hide behind an installed one.
    command.env("PYTHONPATH", here("readback/stand_in"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    ends(command, 0);
}

fn here(name: &str) -> PathBuf {
    root().join("crates/rut-cli/tests").join(name)
}

/// The folder of the finished run that `line` describes, in `dir`.
fn run(dir: &Path, line: &str) -> PathBuf {
    let results = dir.join("results");
    let line = format!("{line} --results-path {}", results.display());
    ends(rut(dir, &line), 0);
    only_run(dir)
}

/// The quickstart's images and network, for a few seconds.
const FEW: &str = "--classes 0-2 --n-shot 4 --epochs 5 --batch-size 5";

#[test]
fn tensorboard_shows_what_events_and_record_say() {
    let Some(python) = python(&["tensorboard"]) else {
        return;
    };
    let script = here("readback/tensorboard_events.py");
    for line in [
        "vp",
        &format!("vp {FEW} --eval-every 2"),
        &format!("vp {FEW} --mapping flm"),
        &format!("vp {FEW} --remap off"),
        &format!("lp {FEW} --select best-test"),
        &format!("lp {FEW} --lr-grid 1,0.1 --val-shots 2"),
        "lp --optimizer lbfgs --weight-decay 0.01",
    ] {
        let dir = tempfile::tempdir().unwrap();
        reads(&python, &script, &[&run(dir.path(), line)]);
    }
}

/// What a killed run reported after its last save is recorded once.
#[test]
fn tensorboard_shows_a_killed_run_once() {
    let Some(python) = python(&["tensorboard"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let more = "--epochs 200 --save-every 0.2";
    let printed = || {
        let runs = std::fs::read_dir(dir.path().join("results"));
        let files = runs.into_iter().flatten().flatten();
        let file = |run: std::fs::DirEntry| run.path().join("events.out.tfevents.rut");
        let length = |path: PathBuf| Some(path.metadata().ok()?.len());
        files.map(file).filter_map(length).max().unwrap_or(0)
    };
    let mut kills = 0;
    for _ in 0..3 {
        let mut child = small(dir.path(), "vp", &format!("{more} --resume"));
        let mut child = child
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (before, started) = (printed(), Instant::now());
        while printed() <= before
            && child.try_wait().unwrap().is_none()
            && started.elapsed() < Duration::from_secs(60)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "the run ended before it was killed");
    ends(small(dir.path(), "vp", &format!("{more} --resume")), 0);
    let script = here("readback/tensorboard_events.py");
    reads(&python, &script, &[&only_run(dir.path())]);
}

#[test]
fn pandas_opens_events_as_the_readme_says() {
    let Some(python) = python(&["pandas"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), &format!("vp {FEW}"));
    reads(&python, &here("readback/pandas_events.py"), &[&run]);
}

#[test]
fn pandas_opens_the_index_of_a_report() {
    let Some(python) = python(&["pandas"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let dense = "lp --dataset digits --model resnet20_cifar100 --network dense";
    for line in ["lp --sparsity 8", dense, "vp --sparsity 8"] {
        ends(small(dir.path(), line, ""), 0);
    }
    // One without its record has a row, too.
    ends(small(dir.path(), "lp --sparsity 8", "--seed 5"), 0);
    let results = dir.path().join("results");
    let runs = std::fs::read_dir(&results).unwrap();
    let mut runs = runs.map(|run| run.unwrap().path());
    let seed_5 = |run: &PathBuf| run.to_string_lossy().contains("-seed5-");
    std::fs::remove_file(runs.find(seed_5).unwrap().join("record.json")).unwrap();
    let report = dir.path().join("report");
    let line = format!("report {} --out {}", results.display(), report.display());
    ends(rut(dir.path(), &line), 0);
    let script = here("readback/pandas_index.py");
    reads(&python, &script, &[&report, &results]);
}

#[test]
fn a_run_is_replayed_into_weights_and_biases() {
    let Some(python) = python(&["json"]) else {
        return;
    };
    for more in ["vp", "lp --lr-grid 1,0.1 --val-shots 2"] {
        let dir = tempfile::tempdir().unwrap();
        let run = run(dir.path(), &format!("{more} {FEW}"));
        let script = here("readback/wandb_replay.py");
        reads(
            &python,
            &script,
            &[&root().join("experiments/replay_to_wandb.py"), &run],
        );
    }
}

/// The switch leaves the file out, and moves neither the run's name nor its record.
#[test]
fn the_event_file_can_be_left_out() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shown = run(with.path(), &format!("lp {FEW}"));
    let hidden = run(without.path(), &format!("lp {FEW} --tensorboard off"));
    assert_eq!(shown.file_name(), hidden.file_name());
    assert_eq!(rut::record(&shown), rut::record(&hidden));
    let file = |run: &Path| run.join("events.out.tfevents.rut").exists();
    assert!(file(&shown) && !file(&hidden));
    ends(small(with.path(), "lp", "--tensorboard maybe"), 2);
}
