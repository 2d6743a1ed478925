//! Names that come from elsewhere and would drive a terminal, a spreadsheet or a shell: of classes, files, keys of a
//! checkpoint, studies and folders. Whatever is printed or written for people, nothing of them is obeyed.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rut::tensors::Tensors;
use rut::{checkpoint, ends, mask, rut};

/// Clears the screen, begins a line of its own, and turns the direction of writing.
const NAME: &str = "\u{1b}[2J\u{9b}31mcat\nINJECTED \u{202e}gnp\u{2028}\u{7f}";

/// Asserts that nothing in `text`, called `what`, is obeyed by a terminal or begins a line that is not rut's.
fn harmless(what: &str, text: &str) {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
    };
    let found = text.chars().position(obeyed);
    assert_eq!(found, None, "{what}: {text:?}");
    let injected = text.lines().find(|line| line.starts_with("INJECTED"));
    assert_eq!(injected, None, "{what}: {text}");
}

/// What a command prints on both streams; it ends with `code`.
fn says(command: Command, code: i32) -> String {
    let what = format!("{command:?}");
    let (out, err) = ends(command, code);
    harmless(&what, &out);
    harmless(&what, &err);
    format!("{out}{err}")
}

/// All files below `folder` that people read.
fn readable(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending {
            _ if path.is_dir() => readable(&path, found),
            Some("html" | "csv" | "svg" | "tex" | "sh" | "sbatch") => found.push(path),
            _ => {}
        }
    }
}

/// Class folders of one-pixel images with hostile names below `dir`; formulas are among them.
fn classes(dir: &Path) -> PathBuf {
    let root = dir.join(format!("set {NAME}"));
    for at in 0..32u8 {
        let part = if at < 24 { "train" } else { "test" };
        let class = if at % 2 == 0 { NAME } else { "=1+1" };
        let folder = root.join(part).join(class);
        fs::create_dir_all(&folder).unwrap();
        let image = [b"P5 1 1 255\n".as_slice(), &[at]].concat();
        fs::write(folder.join(format!("{NAME}{at}.pgm")), image).unwrap();
    }
    root
}

#[test]
fn names_of_classes_and_images_are_not_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    let root = classes(dir.path());
    let run = |words: &str, more: &[&Path], code| {
        let mut command = rut(dir.path(), words);
        command.arg(&root).args(more);
        says(command, code)
    };
    let printed = run("data check", &[], 0);
    assert!(
        printed.contains(r"\u{1b}[2J\u{9b}31mcat\nINJECTED \u{202e}gnp"),
        "{printed}"
    );
    run("data check --json", &[], 0);
    let sheet = dir.path().join(format!("{NAME}.png"));
    run("data show", &[Path::new("--output"), &sheet], 0);
    // Cells of a table are no formulas.
    let table = run("data draw --n-shot 2 --val-shots 0", &[], 0);
    assert!(table.contains(",'=1+1,train,"), "{table}");
    // Errors name files.
    let broken = root.join("train").join(NAME).join(format!("{NAME}.jpg"));
    fs::write(broken, b"\xff\xd8\xff").unwrap();
    let printed = run("data check", &[], 3);
    assert!(printed.contains("truncated JPEG"), "{printed}");
    run("data draw --n-shot 99", &[], 2);
    let mut absent = rut(dir.path(), "data check");
    absent.arg(dir.path().join(NAME));
    says(absent, 3);
}

#[test]
fn runs_reports_and_scripts_hold_no_hostile_name() {
    let dir = tempfile::tempdir().unwrap();
    let root = classes(dir.path());
    let results = dir.path().join(format!("results '$HOME' {NAME}"));
    let study = dir.path().join("study.toml");
    let toml = |text: &str| -> String {
        let spelt = text.chars().map(|c| format!("\\U{:08x}", c as u32));
        spelt.collect()
    };
    let (title, set) = (toml(NAME), toml(root.to_str().unwrap()));
    let text = format!(
        "title = \"{title}\"\n[base]\ndataset = \"{set}\"\nmodel = 'resnet20_cifar100'\nsparsity = 8\nn_shot = 2\n\
         val_shots = 0\nepochs = 2\nbatch_size = 4\n[axes]\nseed = [1, 2]\n"
    );
    fs::write(&study, text).unwrap();
    let run = |words: &str, more: &[&Path], code| {
        let mut command = rut(dir.path(), words);
        command.args(more);
        says(command, code)
    };
    let places = [&*study, Path::new("--results-path"), &*results];
    run("sweep run --dry-run", &places, 0);
    run("sweep run", &places, 0);
    run("sweep status", &places, 0);
    let jobs = dir.path().join("jobs of $HOME; it's");
    let emit = [&places[..], &[Path::new("--output"), &*jobs]].concat();
    let printed = run("sweep emit --slurm", &emit, 0);
    let line = printed
        .lines()
        .find(|line| line.starts_with("bash "))
        .unwrap();
    assert!(
        line.ends_with(r"jobs of $HOME; it'\''s/submit.sh'"),
        "{line}"
    );
    let out = dir.path().join("report");
    run("report", &[&results, Path::new("--out"), &out], 0);
    let mut files = Vec::new();
    for folder in [&out, &results, &jobs] {
        readable(folder, &mut files);
    }
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        harmless(
            &file.display().to_string(),
            &fs::read_to_string(&file).unwrap(),
        );
    }
    for entry in fs::read_dir(&results).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("record.json").exists() {
            run("eval", &[&folder], 0);
            run("eval --json", &[&folder], 0);
            let image = root.join("test/=1+1").join(format!("{NAME}25.pgm"));
            run("predict", &[&folder, &image], 0);
        }
    }
}

#[test]
fn keys_of_a_checkpoint_are_not_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    let name = NAME.replace('\n', " ");
    let file = dir.path().join(format!("{name}.safetensors"));
    let mut tensors = Tensors::read(&checkpoint(8));
    let first = tensors.0.keys().next().unwrap().clone();
    let tensor = tensors.0.remove(&first).unwrap();
    tensors
        .0
        .insert(format!("{NAME}{}", "x".repeat(5000)), tensor);
    fs::write(&file, tensors.bytes()).unwrap();
    for words in ["ticket inspect", "lp --dataset digits --n-shot 2"] {
        let mut command = rut(dir.path(), &format!("{words} --model resnet20_cifar100"));
        command
            .arg("--checkpoint")
            .arg(&file)
            .arg("--mask")
            .arg(mask(8));
        let printed = says(command, 1);
        assert!(printed.len() < 10_000, "{} bytes", printed.len());
    }
}

/// A file that would fill an error with itself.
#[test]
fn errors_are_short_whatever_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("list.csv");
    let word = "x".repeat(1 << 19);
    for text in [
        format!("path,label\n{word},a\n{word},b\n"),
        format!("path,label,split\na,b,{word}\n"),
        format!("{word},{word}\n"),
    ] {
        fs::write(&list, text).unwrap();
        let mut command = rut(dir.path(), "data check");
        command.arg(&list);
        let printed = says(command, 1);
        assert!(printed.len() < 10_000, "{} bytes", printed.len());
    }
    let study = dir.path().join("study.toml");
    for text in [
        format!("title = '{word}'\n[base]\nmethod = '{word}'\n"),
        format!("{word} = 1\n"),
        format!("[base]\nlr = '{word}"),
    ] {
        fs::write(&study, text).unwrap();
        let mut command = rut(dir.path(), "sweep run --dry-run");
        command.arg(&study);
        let printed = says(command, 2);
        assert!(printed.len() < 20_000, "{} bytes", printed.len());
    }
}
