//! Runs from beginning to end on the bundled data: what is written, what is printed, and that it is the same twice.

mod rut;

use std::path::{Path, PathBuf};

use rut::{ends, only_run, record, rut, small};

/// Every file of a run that must not depend on time, threads or interruptions.
const SAME: [&str; 4] = [
    "events.jsonl",
    "logits.safetensors",
    "reliability.svg",
    "spec.toml",
];

fn assert_same(a: &Path, b: &Path, trained: &str) {
    assert_eq!(record(a), record(b));
    for name in SAME.into_iter().chain([trained]) {
        let read = |run: &Path| std::fs::read(run.join(name)).unwrap();
        assert!(
            read(a) == read(b),
            "{name} differs between {} and {}",
            a.display(),
            b.display()
        );
    }
}

#[test]
fn one_seed_gives_the_same_bits_twice_and_at_one_and_two_threads() {
    for (method, trained) in [("lp", "head.safetensors"), ("vp", "prompt.safetensors")] {
        let first = tempfile::tempdir().unwrap();
        let second = tempfile::tempdir().unwrap();
        ends(small(first.path(), method, "--threads 1"), 0);
        ends(small(second.path(), method, "--threads 2"), 0);
        assert_same(&only_run(first.path()), &only_run(second.path()), trained);
    }
}

#[test]
fn a_run_s_folder_holds_everything_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (out, _) = ends(small(dir.path(), "vp", ""), 0);
    for text in [
        "accuracy",
        "ECE (15 bins)",
        "T = 1  ",
        "weights kept",
        "16.78 %",
        "N = ",
        "confidence",
    ] {
        assert!(out.contains(text), "no {text:?} in:\n{out}");
    }
    let run = only_run(dir.path());
    for name in SAME
        .into_iter()
        .chain(["record.json", "prompt.safetensors"])
    {
        assert!(run.join(name).exists(), "{name}");
    }
    let found = record(&run);
    assert_eq!(found["data"]["train_indices"].as_array().unwrap().len(), 12);
    assert_eq!(found["data"]["labels_used"], 24);
    assert_eq!(found["training"]["steps"], 15);
    assert_eq!(found["mapping"]["sources"].as_array().unwrap().len(), 3);
    assert!(found["test_before_remap"].is_object());
    // A second call says what to do, changes nothing, and is a usage error.
    let (_, err) = ends(small(dir.path(), "vp", ""), 2);
    assert!(
        err.contains("a finished run") && err.contains("--overwrite"),
        "{err}"
    );
    let (_, err) = ends(small(dir.path(), "vp", "--resume"), 0);
    assert!(err.contains("finished already"), "{err}");
    assert_eq!(record(&run), found);
    ends(small(dir.path(), "vp", "--overwrite"), 0);
    assert_eq!(record(&run), found);
}

#[test]
fn eval_gives_the_record_s_figures_and_predict_a_class() {
    for method in ["lp", "vp"] {
        let dir = tempfile::tempdir().unwrap();
        ends(small(dir.path(), method, ""), 0);
        let run = only_run(dir.path());
        let (out, _) = ends(
            rut(dir.path(), &format!("eval {} --json", run.display())),
            0,
        );
        let again: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(again, record(&run)["test"]);

        let (out, _) = ends(
            rut(
                dir.path(),
                &format!("eval {} --part validation --json", run.display()),
            ),
            0,
        );
        let again: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(again, record(&run)["validation"]);

        let image = dir.path().join("grey.pgm");
        std::fs::write(&image, [b"P5 8 8 255\n".as_slice(), &[90; 64]].concat()).unwrap();
        let (out, _) = ends(
            rut(
                dir.path(),
                &format!("predict {} {} --json", run.display(), image.display()),
            ),
            0,
        );
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        let confidence = found[0]["confidence"].as_f64().unwrap();
        assert!((1.0 / 3.0..=1.0).contains(&confidence), "{out}");
        assert!(
            ["0", "1", "2"].contains(&found[0]["class"].as_str().unwrap()),
            "{out}"
        );
    }
}

#[test]
fn the_record_names_the_engine_that_was_asked_for_and_the_one_that_ran() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "vp", "--engine reference"), 0);
    let run = only_run(dir.path());
    let found = record(&run);
    assert_eq!(found["spec"]["engine"], "reference");
    assert_eq!(found["environment"]["engine"], "reference-1");
    assert!(found["environment"]["isa"].is_string());
    // A finished run is taken up with its own engine, or with another.
    let line = format!("eval {}", run.display());
    let (out, _) = ends(rut(dir.path(), &line), 0);
    assert!(out.contains("equal to the record"), "{out}");
    ends(rut(dir.path(), &format!("{line} --engine sparse")), 0);
}

#[test]
fn metrics_of_a_run_s_logits_are_the_record_s() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "lp", ""), 0);
    let run = only_run(dir.path());
    let file = run.join("logits.safetensors");
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("metrics {} --part test --json", file.display()),
        ),
        0,
    );
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["summary"], record(&run)["test"]["raw"]);
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("metrics {} --part test --convention netcal", file.display()),
        ),
        0,
    );
    assert!(out.contains("ECE (netcal, 10 bins)"), "{out}");
}

/// The files of a folder; what lies in folders below it, as the cache's index of images, is not among them.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

#[test]
fn a_second_probe_reads_the_cache_and_a_broken_cache_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "lp", "--run-name a"), 0);
    let cache = dir.path().join("cache/rut/features");
    let entries = || files(&cache);
    assert_eq!(entries().len(), 3, "train, validation and test");
    let (_, err) = ends(small(dir.path(), "lp", "--run-name b -vv"), 0);
    assert!(!err.contains("extracting"), "{err}");
    assert!(
        err.contains("came from the cache: the network was not run"),
        "{err}"
    );
    let seconds = &cost(&dir.path().join("results/b"))["seconds"];
    assert!(seconds.get("extract").is_none(), "{seconds}");
    for file in entries() {
        std::fs::write(file, b"cut short").unwrap();
    }
    let (_, err) = ends(small(dir.path(), "lp", "--run-name c -vv"), 0);
    assert!(err.contains("extracting"), "{err}");
    let named = |name: &str| record(&dir.path().join("results").join(name));
    assert_eq!(named("a"), named("b"));
    assert_eq!(named("a"), named("c"));
}

#[test]
fn a_dry_run_prints_the_specification_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (out, _) = ends(small(dir.path(), "vp", "--dry-run"), 0);
    assert!(
        out.contains("n_shot = 4")
            && out.contains("# run id")
            && out.contains("_8_mask.safetensors"),
        "{out}"
    );
    assert!(!dir.path().join("results").exists());
    // What it prints is a configuration that gives the same run.
    let file = dir.path().join("run.toml");
    std::fs::write(&file, &out).unwrap();
    let line = format!(
        "vp --config {} --results-path {} --dry-run",
        file.display(),
        dir.path().join("results").display()
    );
    assert_eq!(ends(rut(dir.path(), &line), 0).0, out);
}

#[test]
fn the_dropped_mask_is_another_network() {
    let dir = tempfile::tempdir().unwrap();
    let (out, _) = ends(
        rut(
            dir.path(),
            "ticket inspect --model resnet20_cifar100 --sparsity 8",
        ),
        0,
    );
    assert!(
        out.contains("16.78 %") && out.contains("without its mask it is another network"),
        "{out}"
    );
    let (out, _) = ends(
        rut(
            dir.path(),
            "ticket inspect --model resnet20_cifar100 --sparsity 0 --json",
        ),
        0,
    );
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["density"]["overall"], 1.0);
}

/// Cargo sets variables of the build for the program that `cargo run` starts, too: none of them may be taken for a setting.
#[test]
fn the_quickstart_runs_under_cargo() {
    let mut command = std::process::Command::new(env!("CARGO"));
    command
        .current_dir(rut::root())
        // Without `-p`, with the features of the whole workspace, as the tests themselves: else much is compiled again.
        .args("run --quiet --bin rut -- vp --dry-run".split_whitespace());
    let (out, _) = ends(command, 0);
    assert!(out.contains("dataset = \"digits\""), "{out}");
}

#[test]
fn a_folder_that_another_process_works_in_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "lp", "--run-name one"), 0);
    let lock = std::fs::File::open(dir.path().join("results/one/.lock")).unwrap();
    lock.lock().unwrap();
    for more in ["--resume", "--overwrite"] {
        let (_, err) = ends(
            small(dir.path(), "lp", &format!("--run-name one {more}")),
            2,
        );
        assert!(err.contains("going on in another process"), "{err}");
    }
    assert!(dir.path().join("results/one/record.json").exists());
    drop(lock);
    ends(small(dir.path(), "lp", "--run-name one --overwrite"), 0);
}

#[test]
fn a_finished_run_can_be_asked_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    // This state is no part of the program.
    ends(small(dir.path(), "lp", "--run-name one --sparsity 4"), 0);
    let run = dir.path().join("results/one");
    let mut away = rut(dir.path(), &format!("eval {}", run.display()));
    away.current_dir(dir.path());
    let (_, err) = ends(away, 3);
    assert!(err.contains("--pretrained-dir"), "{err}");
    let checkpoints = rut::root().canonicalize().unwrap().join("checkpoints/fair");
    let mut away = rut(
        dir.path(),
        &format!(
            "eval {} --pretrained-dir {}",
            run.display(),
            checkpoints.display()
        ),
    );
    away.current_dir(dir.path());
    let (out, _) = ends(away, 0);
    assert!(out.contains("equal to the record"), "{out}");
    let other = checkpoints.join("resnet20_cifar100_0_checkpoint.safetensors");
    let (_, err) = ends(
        rut(
            dir.path(),
            &format!("eval {} --checkpoint {}", run.display(), other.display()),
        ),
        1,
    );
    assert!(err.contains("SHA-256") && err.contains("expected"), "{err}");
}

#[test]
fn the_cache_deletes_only_files_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("shared");
    std::fs::create_dir_all(cache.join("features")).unwrap();
    let precious = [
        cache.join("precious.safetensors"),
        cache.join("features/precious.safetensors"),
    ];
    for file in &precious {
        std::fs::write(file, "not the cache's").unwrap();
    }
    ends(
        small(
            dir.path(),
            "lp",
            &format!("--cache-dir {} --cache-gib 0", cache.display()),
        ),
        0,
    );
    assert!(precious.iter().all(|file| file.exists()));
    assert_eq!(
        files(&cache.join("features")).len(),
        2,
        "the last features and the other's file"
    );
}

#[test]
fn without_a_usable_cache_the_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (_, err) = ends(
        small(dir.path(), "lp", &format!("--cache-dir {}", file.display())),
        0,
    );
    assert!(
        err.contains("no feature cache") && err.contains("--cache-dir"),
        "{err}"
    );
}

fn cost(run: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(run.join("record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["cost"].clone()
}

/// What a specification names is checked, whether or not the network is known already.
#[test]
fn a_network_that_is_known_from_the_cache_is_still_checked() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = rut::root().join("checkpoints/resnet20_cifar100_0_checkpoint.safetensors");
    let network = |kind: &str, name: &str| {
        let checkpoint = checkpoint.display();
        let more = format!(
            "--dataset digits --model resnet20_cifar100 --network {kind} --checkpoint {checkpoint} --run-name {name}"
        );
        small(dir.path(), "lp", &more)
    };
    ends(network("dense", "a"), 0);
    let (_, err) = ends(network("dense", "b"), 0);
    assert!(err.contains("the network was not run"), "{err}");
    let (_, err) = ends(network("ticket", "c"), 2);
    assert!(err.contains("no weight is zero"), "{err}");
}

#[test]
fn a_grid_keeps_the_best_member_which_is_the_run_alone() {
    let dir = tempfile::tempdir().unwrap();
    let grid = "--run-name grid --lr-grid 0.0001,0.01,0.1 --weight-decay-grid 0,0.1";
    let (out, _) = ends(small(dir.path(), "lp", grid), 0);
    assert!(
        out.contains("learning rate") && out.contains("weight decay") && out.contains("kept"),
        "{out}"
    );
    let run = dir.path().join("results/grid");
    let found = record(&run);
    let members = found["training"]["grid"]["members"].as_array().unwrap();
    assert_eq!(members.len(), 6);
    let chosen = found["training"]["grid"]["chosen"].as_u64().unwrap() as usize;
    let (lr, decay) = (&members[chosen]["lr"], &members[chosen]["weight_decay"]);
    let alone = format!("--run-name alone --lr {lr} --weight-decay {decay}");
    ends(small(dir.path(), "lp", &alone), 0);
    let alone = dir.path().join("results/alone");
    for name in ["logits.safetensors", "head.safetensors"] {
        let read = |run: &Path| std::fs::read(run.join(name)).unwrap();
        assert!(read(&run) == read(&alone), "{name}");
    }
    assert_eq!(record(&alone)["test"], found["test"]);
    assert!(record(&alone)["training"].get("grid").is_none());
}

/// Half precision moves a feature by at most 1 in 2048: on the quickstart, no more than one image in two hundred is
/// decided otherwise.
#[test]
fn half_precision_features_give_the_quickstart_s_accuracy() {
    let dir = tempfile::tempdir().unwrap();
    let accuracy = |kept: &str| {
        let results = dir.path().join("results");
        let line = format!(
            "lp --cache-dtype {kept} --run-name {kept} --results-path {}",
            results.display()
        );
        ends(rut(dir.path(), &line), 0);
        let run = results.join(kept);
        let (out, _) = ends(rut(dir.path(), &format!("eval {}", run.display())), 0);
        assert!(out.contains("equal to the record"), "{out}");
        record(&run)["test"]["raw"]["accuracy"].as_f64().unwrap()
    };
    let (single, half) = (accuracy("f32"), accuracy("f16"));
    assert!((single - half).abs() <= 0.005, "{single} against {half}");
}

#[test]
fn lbfgs_ends_at_the_optimum() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let fit = |name: &str, more: &str| {
        let line = format!(
            "lp --optimizer lbfgs --weight-decay-grid 1,0.1,0.01 --epochs 500 --run-name {name} --results-path {} {more}",
            results.display()
        );
        ends(rut(dir.path(), &line), 0)
    };
    let (out, _) = fit("a", "--threads 1");
    assert!(
        out.contains("L-BFGS iterations") && out.contains("kept"),
        "{out}"
    );
    let found = record(&results.join("a"));
    let lbfgs = &found["training"]["lbfgs"];
    assert_eq!(lbfgs["converged"], true, "{lbfgs}");
    let norm = |name: &str| lbfgs[name].as_f64().unwrap();
    assert!(
        norm("gradient_norm") <= 1e-6 * norm("first_gradient_norm"),
        "{lbfgs}"
    );
    assert_eq!(
        found["training"]["grid"]["members"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    // A bound that is reached is reported.
    let line = format!(
        "lp --optimizer lbfgs --epochs 2 --results-path {}",
        results.display()
    );
    let (out, _) = ends(rut(dir.path(), &line), 0);
    assert!(
        out.contains("note: L-BFGS did not converge in 2 iterations"),
        "{out}"
    );
    fit("b", "--threads 2 --save-every 0");
    assert_same(&results.join("a"), &results.join("b"), "head.safetensors");
}

/// What a run draws of its prompt is what a report draws of what it trained, also where the picture was spoilt.
#[test]
fn a_prompt_is_drawn_beside_its_run_and_in_reports_from_what_was_trained() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "vp", "--run-name one"), 0);
    let run = rut_record::RunDir::at(dir.path().join("results/one"));
    let record = run.read_record().unwrap();
    let picture = std::fs::read(run.prompt_picture()).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    for spoilt in [Some(b"another".as_slice()), None] {
        match spoilt {
            Some(bytes) => std::fs::write(run.prompt_picture(), bytes).unwrap(),
            None => std::fs::remove_file(run.prompt_picture()).unwrap(),
        }
        assert_eq!(rut_run::draw_prompt(&run, &record).unwrap(), picture);
    }
    ends(small(dir.path(), "lp", "--run-name two"), 0);
    assert!(!dir.path().join("results/two/prompt.png").exists());
}
