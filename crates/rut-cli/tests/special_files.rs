//! FIFOs, devices and files that `/proc` makes up, wherever a command line or a folder names a file: none is waited for or
//! read without end, and each is named.
#![cfg(unix)]

mod rut;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rut::rut;

/// What no command of these tests takes, unless it waits for a writer that never comes.
const FOR_EVER: Duration = Duration::from_secs(120);

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success(), "{}", path.display());
}

/// Exit code and everything printed by a command that must end.
fn printed(mut command: Command) -> (i32, String) {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > FOR_EVER {
            child.kill().unwrap();
            panic!("it waits for ever: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(text).unwrap(),
    )
}

/// Two classes of ten images.
fn birds(dir: &Path) -> std::path::PathBuf {
    let folder = dir.join("birds");
    for class in ["crow", "owl"] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for i in 0..10 {
            let pixels: Vec<u8> = (0..64).map(|p| (p * i + class.len()) as u8).collect();
            let image = [b"P5 8 8 255\n".as_slice(), &pixels].concat();
            fs::write(folder.join(class).join(format!("{i}.pgm")), image).unwrap();
        }
    }
    folder
}

#[test]
fn in_a_folder_of_images_they_are_unreadable_images() {
    let dir = tempfile::tempdir().unwrap();
    let folder = birds(dir.path());
    fifo(&folder.join("crow/pipe.png"));
    symlink("/dev/zero", folder.join("owl/zero.png")).unwrap();
    symlink("/proc/self/status", folder.join("owl/made_up.png")).unwrap();
    let (code, text) = printed(rut(dir.path(), &format!("data check {}", folder.display())));
    assert_eq!(code, 3, "{text}");
    for said in [
        "crow/pipe.png",
        "found a FIFO",
        "owl/zero.png",
        "found a device",
        "owl/made_up.png",
        "0 bytes",
    ] {
        assert!(text.contains(said), "no '{said}' in: {text}");
    }
    let line = format!(
        "lp --dataset {} --model resnet20_cifar100 --sparsity 8 --n-shot 2 --epochs 1 --dry-run --skip-unreadable",
        folder.display()
    );
    let (code, text) = printed(rut(dir.path(), &format!("{line} 2")));
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("at most 2") && text.contains("found 3"),
        "{text}"
    );
    let (code, text) = printed(rut(dir.path(), &format!("{line} all")));
    assert_eq!(code, 0, "{text}");
}

#[test]
fn as_any_file_of_a_command_line_they_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "list.csv",
        "net.pth",
        "net.safetensors",
        "run.toml",
        "study.toml",
        "scores.npz",
        "scores.safetensors",
        "t.parquet",
    ] {
        fifo(&dir.path().join(name));
    }
    symlink("/dev/zero", dir.path().join("zero.safetensors")).unwrap();
    symlink("/dev/zero", dir.path().join("zero.toml")).unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let lp = "lp --dataset digits --n-shot 2 --epochs 1 --model resnet20_cifar100";
    for line in [
        format!("data check {}", at("list.csv")),
        format!("data check {}", at("t.parquet")),
        format!("{lp} --network dense --checkpoint {}", at("net.pth")),
        format!(
            "{lp} --network dense --checkpoint {}",
            at("net.safetensors")
        ),
        format!(
            "{lp} --network dense --checkpoint {}",
            at("zero.safetensors")
        ),
        format!("{lp} --sparsity 8 --config {}", at("run.toml")),
        format!("{lp} --sparsity 8 --config {}", at("zero.toml")),
        format!("sweep run {}", at("study.toml")),
        format!("sweep status {}", at("study.toml")),
        format!("metrics {}", at("scores.npz")),
        format!("metrics {}", at("scores.safetensors")),
    ] {
        let (code, text) = printed(rut(dir.path(), &line));
        assert_ne!(code, 0, "{line}: {text}");
        let named = ["a FIFO", "a device", "neither a folder"]
            .iter()
            .any(|kind| text.contains(kind));
        assert!(named, "{line}: {text}");
    }
}

#[test]
fn as_the_lock_of_a_run_they_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "{} --sparsity 8 --results-path {}",
        rut::DIGITS,
        dir.path().display()
    );
    fs::create_dir(dir.path().join("a")).unwrap();
    fifo(&dir.path().join("a/.lock"));
    let (code, text) = printed(rut(dir.path(), &format!("{line} --run-name a --overwrite")));
    assert_ne!(code, 0, "{text}");
    assert!(
        text.contains(".lock") && text.contains("found a FIFO"),
        "{text}"
    );
}
