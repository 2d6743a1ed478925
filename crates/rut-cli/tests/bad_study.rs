//! What is wrong with a study's file: a message that names file and key, what was expected, what was found.

mod rut;

use std::fs;

use rut::refuses;

/// A file, and what must be said of it.
const CASES: &[(&str, &[&str])] = &[
    (
        "[axis]\nseed = [1]",
        &["unknown key `axis`", "did you mean 'axes'?"],
    ),
    ("title = 3", &["`title`", "expected a text", "integer"]),
    ("axes = [1]", &["`axes`", "expected a table", "array"]),
    (
        "",
        &["expected settings of all runs in [base], or lists in [axes]"],
    ),
    (
        "title = 'nothing'\n[base]",
        &["expected settings of all runs in [base], or lists in [axes]"],
    ),
    (
        "[base]\nn_shots = 3",
        &[
            "[base]",
            "unknown field `n_shots`",
            "did you mean 'n_shot'?",
        ],
    ),
    (
        "[base]\nlr = 'fast'",
        &["[base]", "`lr = \"fast\"`", "expected f64"],
    ),
    ("[base]\nrun_name = 'one'", &["run_name", "leave it out"]),
    (
        "[axes]\nsed = [1]",
        &["unknown axis `sed`", "did you mean 'seed'?"],
    ),
    (
        "[axes]\nthreads = [1]",
        &["axis `threads`", "cannot be varied"],
    ),
    (
        "[axes]\nseed = 1",
        &["axis `seed`", "expected a list", "integer"],
    ),
    ("[axes]\nseed = []", &["axis `seed`", "empty list"]),
    (
        "[axes]\nseed = [1, 'two']",
        &["axis `seed`, value 2", "`seed = \"two\"`", "expected u64"],
    ),
    (
        "[axes]\nnets = [{sparsty = 8}]",
        &[
            "axis `nets`, value 1",
            "unknown field `sparsty`",
            "did you mean 'sparsity'?",
        ],
    ),
    (
        "[axes]\nseed = [{}]",
        &["axis `seed`, value 1", "empty table"],
    ),
    (
        "[axes]\nmethod = [{method = 'vp', lr = 0.1}]\nlr = [1.0]",
        &["`lr` is set by two axes, `method` and `lr`"],
    ),
    (
        "[axes]\nseed = [1]\n[[exclude]]\nseed = 2",
        &["exclude { seed = 2 }", "leaves out nothing"],
    ),
    (
        "[axes]\nseed = [1]\n[[exclude]]\nsed = 2",
        &["exclude 1", "unknown field `sed`", "did you mean 'seed'?"],
    ),
    (
        "[axes]\nseed = [1]\n[[exclude]]",
        &["exclude 1", "every run"],
    ),
    (
        "[axes]\nseed = [1]\n[[exclude]]\nseed = [1, 2]",
        &["no run is left"],
    ),
    (
        "[axes]\nlr = [0.1, nan]",
        &["`lr`", "expected finite numbers, found nan"],
    ),
    (
        "[spec]\nseed = 1\n[axes]\nlr = [0.1]",
        &["unknown key `spec`", "[base]"],
    ),
    ("[axes]\nseed = [1", &["study.toml", "TOML parse error"]),
];

#[test]
fn every_mistake_in_a_study_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("study.toml");
    for (text, texts) in CASES {
        fs::write(&file, text).unwrap();
        for command in ["run", "status", "emit --slurm --output nowhere"] {
            let line = format!("sweep {command} {}", file.display());
            let all = [texts, ["study.toml"].as_slice()].concat();
            refuses(dir.path(), &line, 2, &all);
        }
    }
    refuses(dir.path(), "sweep run nothing.toml", 2, &["nothing.toml"]);
}

#[test]
fn what_an_axis_varies_is_not_set_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("study.toml");
    fs::write(&file, "[axes]\nseed = [1, 2]").unwrap();
    let line = format!("sweep run {} --dry-run --set seed=3", file.display());
    let texts = ["`seed` is varied by the axis `seed`", "--set seed=3"];
    refuses(dir.path(), &line, 2, &texts);
    let line = format!("sweep run {} --jobs 0", file.display());
    refuses(dir.path(), &line, 2, &["--jobs 0", "1 to 1024"]);
}

#[test]
fn a_plan_that_is_none_or_has_no_such_run_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("plan.jsonl");
    fs::write(&plan, "{}\n").unwrap();
    let of = |more: &str| format!("sweep task {} {more}", plan.display());
    refuses(dir.path(), &of("--task 0"), 1, &["plan.jsonl", "line 1"]);
    refuses(dir.path(), &of(""), 2, &["--task", "--run"]);
    refuses(dir.path(), "sweep status nowhere", 2, &["nowhere"]);
    let places = "{\"data_dir\":\"data\",\"results_path\":\"r\",\"cache_dir\":\"c\",\"cache_gib\":1.0,\"save_every\":1.0,\
                  \"device\":\"cpu\"}";
    let heading =
        format!("{{\"format_version\":1,\"title\":\"\",\"about\":\"\",\"places\":{places}}}\n");
    fs::write(&plan, heading).unwrap();
    refuses(
        dir.path(),
        &of("--task 3"),
        2,
        &["task 3", "a plan of at least 4 runs"],
    );
    refuses(
        dir.path(),
        &of("--run a"),
        1,
        &["a run named a, found none"],
    );
}

#[test]
fn a_study_of_too_many_runs_is_refused_before_it_is_laid_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("study.toml");
    let run = format!("sweep run {} --dry-run", file.display());
    let values = |count: u32| {
        let values: Vec<String> = (0..count).map(|value| value.to_string()).collect();
        values.join(", ")
    };
    fs::write(&file, format!("[axes]\nseed = [{}]", values(1_000_000))).unwrap();
    refuses(dir.path(), &run, 2, &["study.toml", "expected at most"]);
    fs::write(&file, format!("[axes]\nseed = [{}]", "1,".repeat(300_000))).unwrap();
    refuses(
        dir.path(),
        &run,
        2,
        &["study.toml", "at most 250000 values", "split"],
    );
    let axes = format!("[axes]\nseed = [{0}]\nepochs = [{0}]", values(1000));
    fs::write(&file, axes).unwrap();
    let texts = ["study.toml", "at most 250000 combinations", "1000 × 1000"];
    refuses(dir.path(), &run, 2, &texts);
}

/// An axis of many values is planned, and summarised in a few lines.
#[test]
fn a_long_axis_is_told_in_short() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("study.toml");
    let seeds: Vec<String> = (0..2000).map(|seed| seed.to_string()).collect();
    let text = format!(
        "[base]\ndataset = 'digits'\nmodel = 'resnet20_cifar100'\nsparsity = 8\nmethod = 'lp'\n[axes]\nseed = [{}]",
        seeds.join(", ")
    );
    fs::write(&file, text).unwrap();
    let results = dir.path().join("results");
    let line = format!(
        "sweep run {} --results-path {} --dry-run",
        file.display(),
        results.display()
    );
    let (out, _) = rut::ends(rut::rut(dir.path(), &line), 0);
    assert!(out.starts_with("2000 runs"), "{out}");
    assert!(
        out.contains("and 1990 more") && out.lines().count() < 40,
        "{out}"
    );
}
