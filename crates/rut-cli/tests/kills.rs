//! A run that is killed at random moments and resumed ends like one that was left alone.

mod rut;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rut::{ends, only_run, record, small};

/// Kills per method.
const KILLS: usize = 10;

/// Pseudo-random milliseconds of life for a killed process: another sequence in every run of the test, printed.
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
        Duration::from_millis(30 + self.0 % 600)
    }
}

fn compare(method: &str, trained: &str) {
    let (left_alone, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let more = "--epochs 12 --save-every 0";
    ends(small(left_alone.path(), method, more), 0);
    let mut lives = Lives::new();
    let mut kills = 0;
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
        std::thread::sleep(life);
        if child.try_wait().unwrap().is_some() {
            // It came to its end first: begin anew, for the kills that are still owed.
            std::fs::remove_dir_all(killed.path()).unwrap();
            std::fs::create_dir_all(killed.path()).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    ends(small(killed.path(), method, &format!("{more} --resume")), 0);
    let (a, b) = (only_run(left_alone.path()), only_run(killed.path()));
    assert_eq!(record(&a), record(&b), "{method}");
    for name in ["events.jsonl", "logits.safetensors", trained] {
        let read = |run: &Path| std::fs::read(run.join(name)).unwrap();
        assert!(read(&a) == read(&b), "{method}: {name} differs");
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

/// SIGINT saves and stops with 130; the message says how to go on.
#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = small(dir.path(), "vp", "--epochs 200")
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
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(text.contains("--resume"), "{text}");
    assert!(only_run(dir.path()).join("state.safetensors").exists());
    // The same specification with fewer epochs is another run: its folder has another name.
    let (_, err) = ends(small(dir.path(), "vp", "--epochs 200"), 2);
    assert!(
        err.contains("an unfinished run") && err.contains("--resume"),
        "{err}"
    );
}
