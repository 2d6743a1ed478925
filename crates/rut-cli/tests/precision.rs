//! `--precision bf16`: what is refused, what is written down, and that nothing of another precision is taken for it. The
//! kernels are the portable ones, which every machine has.

mod rut;

use std::fs;
use std::path::Path;
use std::process::Command;

use rut::{ends, only_run, record, refuses, rut, small};
use serde_json::Value;

fn portable(mut command: Command) -> Command {
    command.env("RUT_ISA", "portable");
    command
}

/// What `line` prints, on both streams.
fn done(dir: &Path, line: &str) -> (String, String) {
    ends(portable(rut(dir, line)), 0)
}

/// The same of a small run of `method`.
fn run(dir: &Path, method: &str, more: &str) -> (String, String) {
    ends(portable(small(dir, method, more)), 0)
}

fn files(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(ending)).collect()
}

#[test]
fn engines_that_do_not_compute_in_it_are_refused_before_any_image_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for engine in ["sparse", "reference"] {
        let texts = [
            &format!("`--engine {engine}`"),
            "`--precision bf16`",
            "auto or dense",
        ];
        for line in [
            // The data set is not there: that would be the next thing to be said.
            "lp --dataset nowhere/images --network dense --model resnet50",
            "vp --dry-run",
            "upstream --model resnet20_cifar100",
            "extract --dataset digits --output features.safetensors",
            "bench --model resnet20_cifar100 --only forward",
        ] {
            let line = format!("{line} --precision bf16 --engine {engine}");
            refuses(dir.path(), &line, 2, &texts);
        }
    }
    let texts = ["precision", "f8", "f32", "bf16"];
    refuses(dir.path(), "lp --precision f8", 2, &texts);
    refuses(dir.path(), "bench --precision f8", 2, &texts);
}

#[test]
fn a_run_says_its_precision_and_is_taken_up_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let line = "--precision bf16 --engine dense";
    let (out, _) = ends(small(dir.path(), "vp", &format!("{line} --dry-run")), 0);
    let said = "precision  bf16: convolutions in bfloat16";
    assert!(
        out.contains("precision = \"bf16\"") && out.contains(said),
        "{out}"
    );
    for method in ["vp", "lp"] {
        let dir = tempfile::tempdir().unwrap();
        let (_, err) = run(dir.path(), method, line);
        assert!(err.contains(said), "{err}");
        let folder = only_run(dir.path());
        let found = record(&folder);
        assert_eq!(found["spec"]["precision"], "bf16");
        let engine = found["environment"]["engine"].as_str().unwrap();
        assert!(engine.starts_with("cpu-bf16-"), "{engine}");
        let text = fs::read_to_string(folder.join("spec.toml")).unwrap();
        assert!(text.contains("precision = \"bf16\""), "{text}");

        let eval = format!("eval {}", folder.display());
        let (out, _) = done(dir.path(), &eval);
        assert!(out.contains("equal to the record"), "{out}");
        let texts = ["`--engine sparse`", "`--precision bf16`"];
        refuses(dir.path(), &format!("{eval} --engine sparse"), 2, &texts);
        let image = dir.path().join("grey.pgm");
        fs::write(&image, [b"P5 8 8 255\n".as_slice(), &[90; 64]].concat()).unwrap();
        let predict = format!("predict {} {} --json", folder.display(), image.display());
        assert!(done(dir.path(), &predict).0.contains("confidence"));
    }
}

#[test]
fn a_folder_of_another_precision_is_not_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "vp", "--run-name x");
    let before = fs::read(dir.path().join("results/x/record.json")).unwrap();
    let again = |more: &str| portable(small(dir.path(), "vp", &format!("--run-name x {more}")));
    for more in ["--precision bf16", "--precision bf16 --resume"] {
        let (_, err) = ends(again(more), 2);
        assert!(err.contains("--overwrite"), "{err}");
        assert_eq!(err.contains("precision was"), more.contains("resume"));
    }
    assert_eq!(
        fs::read(dir.path().join("results/x/record.json")).unwrap(),
        before
    );
}

#[test]
fn features_of_different_precision_share_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let features = dir.path().join("cache/rut/features");
    let count = || files(&features, ".safetensors").len();
    let extracts = |more: &str| {
        let (_, err) = run(dir.path(), "lp", more);
        err.contains("extracting features")
    };
    assert!(extracts("--engine dense"));
    let single = count();
    assert!(extracts("--engine dense --precision bf16"));
    assert_eq!(count(), 2 * single);
    // Each finds its own again.
    assert!(!extracts(
        "--engine dense --precision bf16 --seed 4 --lr 0.02"
    ));
    assert!(!extracts("--engine dense --lr 0.02"));
    assert_eq!(count(), 2 * single);
}

#[test]
fn a_study_of_both_keeps_them_apart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("study.toml");
    fs::write(
        &file,
        "title = 'precisions'\n[base]\ndataset = 'digits'\nclasses = ['0-2']\nmodel = 'resnet20_cifar100'\nsparsity = 8\n\
         method = 'lp'\nn_shot = 4\nepochs = 2\nbatch_size = 5\n[axes]\nprecision = ['f32', 'bf16']\nseed = [1, 2]\n",
    )
    .unwrap();
    let results = dir.path().join("results");
    let sweep = |command: &str| {
        let (file, results) = (file.display(), results.display());
        done(
            dir.path(),
            &format!("sweep {command} {file} --results-path {results}"),
        )
    };
    let (out, err) = sweep("run");
    assert!(
        err.contains("features of digits by resnet20_cifar100 (state 8), precision bf16"),
        "{out}\n{err}"
    );
    let (out, _) = sweep("status");
    assert!(out.contains("ticket 8, precision bf16"), "{out}");

    let upstream = hundred_images(dir.path());
    for more in ["", "--precision bf16"] {
        let line = format!(
            "upstream --model resnet20_cifar100 --sparsity 8 --dataset {} --record {} {more}",
            upstream.display(),
            results.display()
        );
        let (out, _) = done(dir.path(), &line);
        assert_eq!(out.contains("precision bf16"), !more.is_empty(), "{out}");
    }
    assert_eq!(files(&results.join("upstream"), ".json").len(), 2);

    let report = dir.path().join("report");
    let line = format!("report {} --out {}", results.display(), report.display());
    done(dir.path(), &line);
    let read = |name: &str| fs::read_to_string(report.join(name)).unwrap();
    let table = read("tables/results.csv");
    for precision in ["f32", "bf16"] {
        // Of two runs each, never of four.
        let row = |line: &&str| line.starts_with(&format!("digits,LP,precision {precision},4,"));
        let rows: Vec<&str> = table.lines().filter(row).collect();
        assert_eq!(rows.len(), 1, "{table}");
        assert_eq!(rows[0].split(',').nth(6), Some("2"), "{table}");
        let methods = read("tables/methods-digits.tex");
        let named = format!("LP, precision {precision} &");
        assert!(methods.contains(&named), "{methods}");
    }
    let networks = read("tables/networks.csv");
    assert_eq!(networks.matches("accuracy").count(), 2, "{networks}");
    assert_eq!(networks.matches("precision bf16").count(), 1, "{networks}");
}

/// A folder of a grey image for each of a hundred classes.
fn hundred_images(dir: &Path) -> std::path::PathBuf {
    let folder = dir.join("hundred");
    for class in 0..100 {
        let class = folder.join(format!("{class:02}"));
        fs::create_dir_all(&class).unwrap();
        let image = [b"P5 8 8 255\n".as_slice(), &[90; 64]].concat();
        fs::write(class.join("a.pgm"), image).unwrap();
    }
    folder
}

#[test]
fn bench_measures_and_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bench.json");
    let line = format!(
        "bench --model resnet20_cifar100 --batch-size 2 --repeat 1 --only forward,backward --precision bf16 --json {}",
        file.display()
    );
    let (out, _) = done(dir.path(), &line);
    assert!(out.contains("precision bf16"), "{out}");
    let found: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(found["precision"], "bf16");
    assert_eq!(found["isa"], "portable");
    assert!(found["engine"].as_str().unwrap().starts_with("cpu-bf16-"));
    assert_eq!(found["measurements"].as_array().unwrap().len(), 2);
}
