//! A bit that changes in a file of a run, or of the cache, is reported or makes no difference. Where bits change is drawn from a
//! fixed seed; `experiments/durability/flips.py` does the same with as many as are asked for.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};

use rut::{ends, only_run, record, rut, small};

/// Flips per file.
const FLIPS: usize = 24;

/// Drawn bits.
struct Bits(u64);

impl Bits {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

/// Calls `look` with each of some bits of the file at `path` flipped, one at a time, and puts the file back. The first and the
/// last byte are always among them.
fn flipped(path: &Path, flips: usize, look: &dyn Fn(&str)) {
    let whole = fs::read(path).unwrap();
    let mut bits = Bits(0x5eed ^ whole.len() as u64);
    let drawn = (0..flips).map(|_| bits.next(8 * whole.len()));
    for bit in [0, 8 * whole.len() - 1].into_iter().chain(drawn) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, bytes).unwrap();
        look(&format!("bit {bit} of {}", path.display()));
    }
    fs::write(path, whole).unwrap();
}

fn fails(dir: &Path, line: &str, texts: &[&str], what: &str) {
    let output = rut(dir, line).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        matches!(output.status.code(), Some(1..=3)),
        "{what}: `rut {line}` ended with {:?}\n{err}",
        output.status.code()
    );
    for text in texts {
        assert!(err.contains(text), "{what}: `rut {line}` says\n{err}");
    }
}

#[test]
fn no_file_of_a_finished_run_changes_unnoticed() {
    let dir = tempfile::tempdir().unwrap();
    for (method, trained) in [("lp", "head.safetensors"), ("vp", "prompt.safetensors")] {
        ends(small(dir.path(), method, "--run-name one"), 0);
        let run = dir.path().join("results/one");
        let place = run.display().to_string();
        let eval = format!("eval {place}");
        ends(rut(dir.path(), &eval), 0);
        let files = [
            trained,
            "logits.safetensors",
            "events.jsonl",
            "record.json",
            "spec.toml",
            "reliability.svg",
        ];
        for name in files {
            flipped(&run.join(name), FLIPS, &|what| {
                let says = [name, "`--overwrite`"];
                // One of the record's may be that of its format.
                let says = &says[..if name == "record.json" { 1 } else { 2 }];
                fails(dir.path(), &eval, says, what);
            });
        }
        // All other commands refuse the run, too.
        let logits = run.join("logits.safetensors");
        flipped(&logits, 1, &|what| {
            for line in [
                format!("predict {place} {place}/reliability.svg"),
                format!("metrics {} --part test", logits.display()),
                format!("metrics --run {place}"),
            ] {
                fails(dir.path(), &line, &["logits.safetensors", "checksum"], what);
            }
            let (_, err) = ends(small(dir.path(), method, "--run-name one --resume"), 1);
            assert!(err.contains("logits.safetensors"), "{what}: {err}");
            let out = dir.path().join("report");
            let report = format!("report {place} --out {}", out.display());
            let (_, err) = ends(rut(dir.path(), &report), 0);
            assert!(err.contains("0 runs, 1 unreadable"), "{what}: {err}");
            let page = fs::read_to_string(out.join("report.html")).unwrap();
            assert!(
                page.contains("logits.safetensors: expected the checksum"),
                "{what}"
            );
        });
        ends(rut(dir.path(), &eval), 0);
        fs::remove_dir_all(&run).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn no_file_of_a_half_done_run_changes_unnoticed() {
    for method in ["lp", "vp"] {
        let dir = tempfile::tempdir().unwrap();
        let more = "--epochs 400 --save-every 0";
        let mut child = small(dir.path(), method, more);
        let mut child = child
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let state = || {
            let runs = fs::read_dir(dir.path().join("results"));
            let mut runs = runs.into_iter().flatten().flatten();
            runs.any(|run| {
                let events = fs::metadata(run.path().join("events.jsonl"));
                run.path().join("state.safetensors").exists()
                    && events.is_ok_and(|events| events.len() > 0)
            })
        };
        let started = std::time::Instant::now();
        while !state() && started.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let asked = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        asked.unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{method}");
        let run = only_run(dir.path());
        for name in ["state.safetensors", "events.jsonl", "spec.toml"] {
            flipped(&run.join(name), FLIPS, &|what| {
                let mut resume = small(dir.path(), method, &format!("{more} --resume"));
                let output = resume.output().unwrap();
                let err = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(!output.status.success(), "{what} passed:\n{err}");
                assert!(
                    err.contains(name) || name == "spec.toml" && err.contains("resume "),
                    "{what}: {err}"
                );
                assert!(err.contains("--overwrite"), "{what}: {err}");
            });
        }
    }
}

#[test]
fn no_file_of_the_cache_changes_a_result() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str| ends(small(dir.path(), "lp", &format!("--run-name {name}")), 0);
    run("one");
    let results = dir.path().join("results");
    let want = record(&results.join("one"));
    let cache = dir.path().join("cache/rut");
    let mut files = Vec::new();
    all_files(&cache, &mut files);
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        let features = file.extension().is_some_and(|e| e == "safetensors");
        let whole = fs::read(&file).unwrap();
        flipped(&file, 4, &|what| {
            let (_, err) = run("two");
            assert_eq!(record(&results.join("two")), want, "{what}");
            for name in ["events.jsonl", "logits.safetensors", "head.safetensors"] {
                let read = |run: &str| fs::read(results.join(run).join(name)).unwrap();
                assert!(read("one") == read("two"), "{what}: {name} differs");
            }
            if features {
                let name = file.file_name().unwrap().to_str().unwrap();
                assert!(
                    err.contains(name) && err.contains("extracting again"),
                    "{what}: {err}"
                );
                assert!(fs::read(&file).unwrap() == whole, "{what}: not made again");
            }
            fs::remove_dir_all(results.join("two")).unwrap();
        });
    }
}

fn all_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_files(&path, found)
        } else {
            found.push(path)
        }
    }
}
