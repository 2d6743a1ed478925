//! A run that is killed at random moments and resumed ends like one that was left alone.

mod rut;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rut::{ends, only_run, record, small};

/// Kills per method.
const KILLS: usize = 10;

/// Pseudo-random milliseconds of life for a killed process: another sequence in every run of the test, printed
/// when it fails.
struct Lives(u64);

impl Lives {
    fn new() -> Self {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Self(u64::from(now.subsec_nanos()) | 1)
    }

    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_millis(30 + self.0 % 400)
    }
}

fn compare(method: &str, trained: &str) {
    let (left_alone, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let more = "--epochs 40 --save-every 0";
    ends(small(left_alone.path(), method, more), 0);
    let mut lives = Lives::new();
    let (mut kills, mut printed) = (0, Vec::new());
    let what = |printed: &[u128]| format!("{method}, killed or ended after {printed:?} ms");
    let started = Instant::now();
    while kills < KILLS {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "{method}: {kills} kills in five minutes"
        );
        let mut child = small(killed.path(), method, &format!("{more} --resume"));
        let mut child = child
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let life = lives.next();
        printed.push(life.as_millis());
        std::thread::sleep(life);
        if child.try_wait().unwrap().is_some() {
            // It came to its end first. It must have ended rightly; then it starts again, for the kills that are owed.
            assert_equal(&what(&printed), trained, left_alone.path(), killed.path());
            std::fs::remove_dir_all(killed.path()).unwrap();
            std::fs::create_dir_all(killed.path()).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    ends(small(killed.path(), method, &format!("{more} --resume")), 0);
    assert_equal(&what(&printed), trained, left_alone.path(), killed.path());
}

fn assert_equal(what: &str, trained: &str, left_alone: &Path, killed: &Path) {
    let (a, b) = (only_run(left_alone), only_run(killed));
    assert_eq!(record(&a), record(&b), "{what}");
    for name in ["events.jsonl", "logits.safetensors", trained] {
        let read = |run: &Path| std::fs::read(run.join(name)).unwrap();
        assert!(read(&a) == read(&b), "{what}: {name} differs");
    }
}

#[test]
fn a_killed_probe_ends_like_one_left_alone() {
    compare("lp", "head.safetensors");
}

#[test]
fn a_killed_prompt_ends_like_one_left_alone() {
    compare("vp", "prompt.safetensors");
}

/// What they alone keep: running statistics, evidence of training, velocities, momenta, two trained parts.
#[test]
fn killed_runs_of_other_methods_end_like_ones_left_alone() {
    for method in [
        "vp --prompt smm --mask-patch 4 --mapping blm --map-from training-pass",
        "vp --optimizer spsa --spsa-draws 2 --prompt affine",
        "joint --prompt lowrank --optimizer sgd --schedule cosine-step --augment crop:4,flip,trivial",
    ] {
        compare(method, "prompt.safetensors");
    }
}

/// A killed sweep and what it started are gone soon, and it ends like one left alone.
#[cfg(unix)]
#[test]
fn a_killed_sweep_ends_like_one_left_alone() {
    let (left_alone, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sweep = |dir: &Path| {
        let file = dir.join("study.toml");
        let study = "[base]\ndataset = 'digits'\nmodel = 'resnet20_cifar100'\nsparsity = 8\nclasses = ['0-2']\nbatch_size = 5\nn_shot = 4\nsave_every = 0\n\
                     [axes]\nrun = [{ method = 'lp', epochs = 300 }, { method = 'vp', epochs = 15 }]\nseed = [1, 2]";
        std::fs::write(&file, study).unwrap();
        let line = format!(
            "sweep run {} --results-path {} --jobs 2 --threads 2",
            file.display(),
            dir.join("results").display()
        );
        rut::rut(dir, &line)
    };
    ends(sweep(left_alone.path()), 0);
    let runs = |dir: &Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(dir.join("results")).unwrap();
        let mut runs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        runs.retain(|path| path.is_dir());
        runs.sort();
        runs
    };
    let compare = |what: &str| {
        let (want, got) = (runs(left_alone.path()), runs(killed.path()));
        assert_eq!((want.len(), got.len()), (4, 4), "{what}");
        for (want, got) in want.iter().zip(&got) {
            assert_eq!(record(want), record(got), "{what}");
            for name in [
                "events.jsonl",
                "logits.safetensors",
                "head.safetensors",
                "prompt.safetensors",
            ] {
                let read = |run: &Path| std::fs::read(run.join(name)).ok();
                assert!(read(want) == read(got), "{what}: {name} of {got:?} differs");
            }
        }
    };
    let (mut lives, mut kills, mut printed) = (Lives::new(), 0, Vec::new());
    let started = Instant::now();
    while kills < KILLS {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "{kills} kills in five minutes"
        );
        let mut sweep = sweep(killed.path());
        let quiet = sweep.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = quiet.spawn().unwrap();
        let life = 3 * lives.next();
        printed.push(life.as_millis());
        std::thread::sleep(life);
        if child.try_wait().unwrap().is_some() {
            compare(&format!("killed or ended after {printed:?} ms"));
            std::fs::remove_dir_all(killed.path().join("results")).unwrap();
            continue;
        }
        // By turns, for good and as a terminal that is closed does it.
        let signal = if kills % 2 == 0 && hears_hang_ups() {
            "-HUP"
        } else {
            "-KILL"
        };
        assert!(send(signal, child.id()));
        child.wait().unwrap();
        kills += 1;
    }
    ends(sweep(killed.path()), 0);
    compare(&format!("killed or ended after {printed:?} ms"));
}

/// Whether processes that this test starts receive SIGHUP; under `nohup` it does not.
#[cfg(unix)]
fn hears_hang_ups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_none_or(|set| u64::from_str_radix(set.trim(), 16).is_ok_and(|set| set & 1 == 0))
}

#[cfg(unix)]
fn send(signal: &str, process: u32) -> bool {
    let sent = std::process::Command::new("kill")
        .args([signal, &process.to_string()])
        .status();
    sent.unwrap().success()
}

/// What ignores SIGHUP when it starts, as `nohup` has it, goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let run = small(dir.path(), "vp", "--epochs 30");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    shell.arg(run.get_program()).args(run.get_args());
    shell.current_dir(rut::root()).env_clear();
    shell.env("XDG_CACHE_HOME", dir.path().join("cache"));
    let mut child = shell
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = || {
        let runs = std::fs::read_dir(dir.path().join("results"))
            .into_iter()
            .flatten()
            .flatten();
        let mut sizes = runs.filter_map(|run| run.path().join("spec.toml").metadata().ok());
        sizes.next().is_some()
    };
    let started = Instant::now();
    while !begun() && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(send("-HUP", child.id()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(only_run(dir.path()).join("record.json").exists());
}

/// SIGINT, SIGTERM and SIGHUP save and stop with 130; the message says how to go on.
#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on() {
    for signal in ["-INT", "-TERM"] {
        interrupted_by(signal);
    }
    if hears_hang_ups() {
        interrupted_by("-HUP");
    }
}

#[cfg(unix)]
fn interrupted_by(signal: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut child = small(dir.path(), "vp", "--epochs 3000")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let events = || {
        std::fs::read_dir(dir.path().join("results")).is_ok_and(|mut runs| runs.next().is_some())
    };
    let started = Instant::now();
    while !events() && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(send(signal, child.id()));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(text.contains("--resume"), "{text}");
    assert!(only_run(dir.path()).join("state.safetensors").exists());
    // The same specification with fewer epochs is another run: its folder has another name.
    let (_, err) = ends(small(dir.path(), "vp", "--epochs 3000"), 2);
    assert!(
        err.contains("an unfinished run") && err.contains("--resume"),
        "{err}"
    );
}

/// A resume whose feature cache is gone extracts again; a stop meanwhile must not lose the trained state.
#[cfg(unix)]
#[test]
fn a_stop_while_features_are_extracted_again_loses_nothing() {
    let (left_alone, stopped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let more = "--epochs 400 --save-every 0";
    ends(small(left_alone.path(), "lp", more), 0);
    let cache = stopped.path().join("cache");
    let interrupted_once = |ready: &dyn Fn() -> bool| {
        let mut child = small(stopped.path(), "lp", &format!("{more} --resume"));
        let mut child = child
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !ready()
            && child.try_wait().unwrap().is_none()
            && started.elapsed() < Duration::from_secs(60)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        let asked = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        asked.unwrap();
        child.wait().unwrap().code()
    };
    let steps = || {
        let runs = std::fs::read_dir(stopped.path().join("results"))
            .into_iter()
            .flatten()
            .flatten();
        let text =
            runs.filter_map(|run| std::fs::read_to_string(run.path().join("events.jsonl")).ok());
        text.map(|text| text.lines().count()).max().unwrap_or(0)
    };
    assert_eq!(
        interrupted_once(&|| steps() > 50),
        Some(130),
        "stopped in training"
    );
    assert!(steps() > 50);
    std::fs::remove_dir_all(&cache).unwrap();
    let part = || {
        std::fs::read_dir(cache.join("rut/features")).is_ok_and(|mut files| files.next().is_some())
    };
    interrupted_once(&part);
    ends(small(stopped.path(), "lp", &format!("{more} --resume")), 0);
    assert_equal("lp", "head.safetensors", left_alone.path(), stopped.path());
}

/// A stopped fit by L-BFGS starts again, says so, and ends like one left alone.
#[cfg(unix)]
#[test]
fn a_stopped_fit_starts_again() {
    let (left_alone, stopped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fit = |dir: &Path, more: &str| {
        let line = format!(
            "lp --optimizer lbfgs --epochs 2000 --results-path {} {more}",
            dir.join("results").display()
        );
        rut::rut(dir, &line)
    };
    ends(fit(left_alone.path(), ""), 0);
    let mut child = fit(stopped.path(), "--save-every 0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let state = || {
        let runs = std::fs::read_dir(stopped.path().join("results"));
        let mut runs = runs.into_iter().flatten().flatten();
        runs.any(|run| run.path().join("state.safetensors").exists())
    };
    let started = Instant::now();
    while !state()
        && child.try_wait().unwrap().is_none()
        && started.elapsed() < Duration::from_secs(60)
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (_, err) = ends(fit(stopped.path(), "--resume"), 0);
    assert!(
        err.contains("L-BFGS keeps nothing") || err.contains("finished already"),
        "{err}"
    );
    assert_equal(
        "lbfgs",
        "head.safetensors",
        left_alone.path(),
        stopped.path(),
    );
}
