//! Bad input: a clear message that names the file or field, what was expected, what was found and what to do; and the exit
//! code that a script can act on. The readers' own tests stand in their crates; here is what a person meets. Files of a
//! network stand in `bad_network.rs`, data in `bad_data.rs`.

mod rut;

use std::fs;

use rut::tensors::Tensors;
use rut::{checkpoint, ends, mask, refuses, rut, small, DIGITS};

#[test]
fn unknown_names_list_the_known_ones() {
    let dir = tempfile::tempdir().unwrap();
    refuses(
        dir.path(),
        "vp --dataset cifr10 --model resnet20_cifar100 --sparsity 8",
        2,
        &["cifr10", "cifar10"],
    );
    refuses(
        dir.path(),
        "vp --dataset digits --model resnet5",
        2,
        &["model", "resnet5", "resnet18, ", "did you mean 'resnet50'?"],
    );
    refuses(
        dir.path(),
        "vp --mapping blmm",
        2,
        &["mapping", "ilm, flm, rlm, blm", "'blm'"],
    );
    refuses(
        dir.path(),
        "vp --set learning_rate=1",
        2,
        &["learning_rate"],
    );
    refuses(
        dir.path(),
        "data info cifar11",
        2,
        &["cifar11", "digits, ", "did you mean 'cifar10'?"],
    );
    refuses(
        dir.path(),
        "models info resnet20",
        2,
        &["`resnet20`", "did you mean 'resnet20_cifar10'?"],
    );
    refuses(
        dir.path(),
        "vp --device cuda",
        2,
        &["device", "cuda", "cpu"],
    );
}

#[test]
fn an_unknown_engine_lists_the_known_ones() {
    let dir = tempfile::tempdir().unwrap();
    let known = ["fast", "auto", "dense", "sparse", "reference"];
    let ticket = "--model resnet20_cifar100 --sparsity 8";
    for line in [
        "vp --engine fast",
        "lp --set engine=fast",
        "eval results/none --engine fast",
        "predict results/none a.png --engine fast",
        &format!("upstream {ticket} --engine fast"),
        &format!("extract {ticket} --dataset digits --output a.safetensors --engine fast"),
    ] {
        refuses(dir.path(), line, 2, &known);
    }
}

#[test]
fn options_that_would_be_ignored_or_cannot_be_met_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ticket = "--sparsity 8";
    refuses(
        dir.path(),
        &format!("{DIGITS} {ticket} --mapping flm"),
        2,
        &["mapping", "linear probing"],
    );
    refuses(
        dir.path(),
        &format!("{DIGITS} {ticket} --val-shots 2 --val-fraction 0.1"),
        2,
        &["val-fraction"],
    );
    refuses(
        dir.path(),
        "vp --image-size 32",
        2,
        &["no pixel is left to train", "32"],
    );
    refuses(dir.path(), "vp --n-shot 0.5", 2, &["0.5", "whole number"]);
    refuses(dir.path(), "vp --n-shot 0", 2, &["from 1 up"]);
    refuses(
        dir.path(),
        "vp --n-shot 200 --classes 7,3",
        2,
        &["class '7' (index 0)", "200", "--allow-short"],
    );
    refuses(dir.path(), "vp --lr nan", 2, &["lr", "positive"]);
    refuses(dir.path(), "vp --epochs 0", 2, &["epochs", "at least 1"]);
    refuses(dir.path(), "vp --classes 3", 2, &["classes", "at least 2"]);
    refuses(dir.path(), "vp --classes 3,3", 2, &["3"]);
    refuses(
        dir.path(),
        "vp --select best-val --val-shots 0",
        2,
        &["best-val", "validation"],
    );
    refuses(dir.path(), "vp --run-name a/b", 2, &["run_name", "a/b"]);
    refuses(
        dir.path(),
        "vp --mapping rlm --remap off",
        2,
        &["remap", "rlm makes no use of it"],
    );
    refuses(
        dir.path(),
        "vp --classes 0-400000000",
        2,
        &["classes", "0-400000000", "10 classes"],
    );
    refuses(
        dir.path(),
        "vp --threads 60000",
        2,
        &["threads", "1 to 1024"],
    );
    refuses(
        dir.path(),
        "vp --network dense --dataset digits --model resnet20_cifar100 --sparsity 3",
        2,
        &["sparsity"],
    );
    let line = format!(
        "{DIGITS} --checkpoint {} --sparsity 8",
        checkpoint(8).display()
    );
    refuses(dir.path(), &line, 2, &["sparsity", "checkpoint"]);
    let line = format!("{DIGITS} --mask {}", mask(8).display());
    refuses(dir.path(), &line, 2, &["mask", "checkpoint"]);
}

#[test]
fn numbers_below_zero_are_refused_as_values_of_their_option() {
    let dir = tempfile::tempdir().unwrap();
    for option in [
        "epochs",
        "batch-size",
        "seed",
        "sparsity",
        "val-shots",
        "eval-every",
        "mapping-interval",
        "image-size",
        "threads",
        "source-classes",
    ] {
        let texts = [&format!("--{option}"), "'-1'", "a whole number, 0 or more"];
        refuses(dir.path(), &format!("vp --{option} -1"), 2, &texts);
    }
    refuses(
        dir.path(),
        "vp --epochs abc",
        2,
        &["--epochs", "'abc'", "a whole number"],
    );
    refuses(
        dir.path(),
        "vp --epochs 9999999999",
        2,
        &["--epochs", "a smaller number"],
    );
    refuses(
        dir.path(),
        "extract --threads -1",
        2,
        &["--threads", "'-1'"],
    );
    refuses(dir.path(), "vp --lr -0.1", 2, &["lr", "-0.1", "positive"]);
    refuses(
        dir.path(),
        "vp --val-fraction -0.1",
        2,
        &["validation fraction", "-0.1"],
    );
    refuses(
        dir.path(),
        "vp --save-every -1",
        2,
        &["save_every", "-1", "0 or more"],
    );
    refuses(
        dir.path(),
        "vp --cache-gib -1",
        2,
        &["cache_gib", "-1", "0 or more"],
    );
    refuses(dir.path(), "vp --n-shot -2", 2, &["n-shot", "-2"]);
    // An option is no value of the one before it.
    refuses(
        dir.path(),
        "vp --n-shot --epochs 3",
        2,
        &["--n-shot", "value"],
    );
    ends(rut(dir.path(), "vp --n-shot -1 --dry-run"), 0);
}

#[test]
fn a_results_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let line = format!(
        "{DIGITS} --sparsity 8 --results-path {}",
        file.join("results").display()
    );
    refuses(dir.path(), &line, 1, &["make the folder", "file/results"]);
}

#[test]
fn a_changed_specification_is_not_resumed() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "lp", "--run-name one"), 0);
    let run = dir.path().join("results/one");
    fs::remove_file(run.join("record.json")).unwrap();
    let (_, err) = ends(
        small(dir.path(), "lp", "--run-name one --lr 0.5 --resume"),
        2,
    );
    for text in ["lr", "0.01", "0.5", "--overwrite"] {
        assert!(err.contains(text), "{text}: {err}");
    }
    assert!(run.join("head.safetensors").exists(), "nothing was lost");
}

#[test]
fn a_finished_run_that_lost_a_file_is_not_called_finished() {
    let dir = tempfile::tempdir().unwrap();
    for (method, trained) in [("lp", "head.safetensors"), ("vp", "prompt.safetensors")] {
        let resume = |texts: &[&str], code| {
            let more = format!("--run-name {method} --resume");
            let (_, err) = ends(small(dir.path(), method, &more), code);
            for text in texts {
                assert!(err.contains(text), "{method}, {text}: {err}");
            }
            assert_eq!(err.contains("finished already"), code == 0, "{err}");
        };
        ends(
            small(dir.path(), method, &format!("--run-name {method}")),
            0,
        );
        let run = dir.path().join("results").join(method);
        resume(&[], 0);
        // What is changed is put back behind every case.
        let changed = |name: &str, bytes: Option<&[u8]>, texts: &[&str]| {
            let path = run.join(name);
            let whole = fs::read(&path).unwrap();
            match bytes {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            resume(texts, 1);
            fs::write(&path, whole).unwrap();
        };
        let remedy = "put it back, or run it again with `--overwrite`";
        changed(
            trained,
            None,
            &["is finished, but without", trained, remedy],
        );
        changed("logits.safetensors", None, &["logits.safetensors", remedy]);
        changed(trained, Some(b"torn"), &[trained, remedy]);
        changed(
            "record.json",
            Some(b"{\"format_"),
            &["record.json", "`--overwrite`"],
        );
        changed("spec.toml", None, &["spec.toml", "`--overwrite`"]);
        resume(&[], 0);
    }
}

#[test]
fn records_that_cannot_be_read_are_refused_by_eval() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "lp", "--run-name one"), 0);
    let record = dir.path().join("results/one/record.json");
    let eval = format!("eval {}", dir.path().join("results/one").display());
    let text = fs::read_to_string(&record).unwrap();
    fs::write(
        &record,
        text.replacen("\"format_version\": 1", "\"format_version\": 99", 1),
    )
    .unwrap();
    refuses(
        dir.path(),
        &eval,
        1,
        &["record.json", "expected format_version 1, found 99"],
    );
    fs::write(&record, &text[..text.len() / 2]).unwrap();
    refuses(dir.path(), &eval, 1, &["record.json"]);
    fs::remove_file(&record).unwrap();
    refuses(dir.path(), &eval, 1, &["not finished", "--resume"]);
}

#[test]
fn logits_that_are_no_numbers_are_refused_by_metrics() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, logits: [f32; 4], labels: [i64; 2]| {
        let about =
            |dtype: &str, shape: &[usize]| serde_json::json!({"dtype": dtype, "shape": shape});
        let logits = logits.iter().flat_map(|v| v.to_le_bytes()).collect();
        let labels = labels.iter().flat_map(|v| v.to_le_bytes()).collect();
        let tensors = [
            ("logits".to_owned(), (about("F32", &[2, 2]), logits)),
            ("labels".to_owned(), (about("I64", &[2]), labels)),
        ];
        let path = dir.path().join(name);
        fs::write(&path, Tensors(tensors.into()).bytes()).unwrap();
        format!("metrics {}", path.display())
    };
    ends(
        rut(
            dir.path(),
            &file("good.safetensors", [0.0, 1.0, 2.0, 3.0], [0, 1]),
        ),
        0,
    );
    refuses(
        dir.path(),
        &file("nan.safetensors", [0.0, 1.0, f32::NAN, 3.0], [0, 1]),
        1,
        &["nan.safetensors", "row 1", "finite"],
    );
    refuses(
        dir.path(),
        &file("label.safetensors", [0.0, 1.0, 2.0, 3.0], [0, 2]),
        1,
        &["label", "2"],
    );
    refuses(
        dir.path(),
        &file("negative.safetensors", [0.0, 1.0, 2.0, 3.0], [0, -1]),
        1,
        &["labels from 0 up", "-1"],
    );
    refuses(
        dir.path(),
        "metrics Cargo.toml",
        1,
        &["Cargo.toml", ".safetensors or .npz"],
    );
    refuses(dir.path(), "metrics absent.npz", 3, &["absent.npz"]);
}

#[test]
fn the_reference_s_flags_that_do_nothing_here_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let (_, err) = ends(rut(dir.path(), "vp --wandb --caltech_path x --dry-run"), 0);
    assert!(
        err.contains("events.jsonl") && err.contains("--data-dir"),
        "{err}"
    );
}

#[test]
fn a_grid_that_cannot_be_trained_or_chosen_from_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (line, texts) in [
        ("lp --lr-grid 0.1,0.1", ["lr_grid", "0.1 twice"]),
        ("lp --lr-grid 0.1,-1", ["lr_grid", "positive numbers"]),
        ("lp --lr-grid 0.1,,1", ["--lr-grid", "empty string"]),
        ("lp --set lr_grid=[]", ["lr_grid", "an empty list"]),
        ("lp --lr 1 --lr-grid 0.1", ["--lr", "cannot be used with"]),
        ("lp --set lr=1 --lr-grid 0.1", ["lr = both", "`--lr-grid`"]),
        (
            "lp --weight-decay-grid 0,-1",
            ["weight_decay_grid", "0 or more"],
        ),
        ("lp --weight-decay -1", ["weight_decay", "0 or more"]),
        (
            "lp --lr-grid 0.1,1 --val-shots 0",
            ["lr_grid", "--val-shots"],
        ),
        (
            "vp --lr-grid 0.1,1",
            ["lr_grid", "visual prompting makes no use"],
        ),
        ("vp --weight-decay -1", ["weight_decay", "0 or more"]),
        (
            "vp --cache-dtype f16",
            ["cache_dtype", "visual prompting makes no use"],
        ),
        ("lp --cache-dtype f8", ["--cache-dtype", "f32"]),
        ("lp --optimizer sgd", ["optimizer", "adam or lbfgs"]),
        ("vp --optimizer lbfgs", ["optimizer", "adam, sgd or spsa"]),
        ("lp --optimizer lbfgs --lr 1", ["lr", "L-BFGS makes no use"]),
        (
            "lp --optimizer lbfgs --lr-grid 1,2",
            ["lr_grid", "L-BFGS makes no use"],
        ),
        (
            "lp --optimizer lbfgs --batch-size 7",
            ["batch_size", "L-BFGS makes no use"],
        ),
        (
            "lp --optimizer lbfgs --select best-val",
            ["select", "L-BFGS makes no use"],
        ),
    ] {
        let line = format!("{line} --dry-run");
        let (_, err) = ends(rut(dir.path(), &line), 2);
        for text in texts {
            assert!(
                err.contains(text),
                "`rut {line}` does not say {text:?}:\n{err}"
            );
        }
    }
}
