//! Checkpoints as frameworks save them, on the command line: what is probed and prompted, what is refused and how, and that
//! the network is the same one. What a file's keys mean is tested in `rut-models`.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};

use rut::tensors::Tensors;
use rut::{checkpoint, ends, mask, only_run, record, refuses, root, rut, DIGITS};

/// The dense network's tensors, changed by `change`, in a file of `dir`.
fn made(dir: &Path, name: &str, change: impl Fn(&mut Tensors)) -> PathBuf {
    let mut tensors = Tensors::read(&checkpoint(0));
    change(&mut tensors);
    let path = dir.join(name);
    fs::write(&path, tensors.bytes()).unwrap();
    path
}

fn renamed(tensors: &mut Tensors, name: impl Fn(&str) -> String) {
    let all = std::mem::take(&mut tensors.0);
    tensors.0 = all
        .into_iter()
        .map(|(key, value)| (name(&key), value))
        .collect();
}

/// A tensor of zeros.
fn zeros(tensors: &mut Tensors, name: &str, shape: &[usize]) {
    let about = serde_json::json!({"dtype": "F32", "shape": shape});
    let bytes = vec![0; 4 * shape.iter().product::<usize>()];
    tensors.0.insert(name.into(), (about, bytes));
}

fn dense(dir: &Path, file: &Path) -> String {
    let results = dir.join("results");
    let (file, results) = (file.display(), results.display());
    format!("{DIGITS} --network dense --results-path {results} --checkpoint {file}")
}

/// The record of a probe of `file`, in a folder of its own.
fn probed(dir: &Path, file: &Path, more: &str) -> (serde_json::Value, String) {
    let results = dir.join("results");
    let _ = fs::remove_dir_all(&results);
    let line = format!("{} {more}", dense(dir, file));
    let (_, err) = ends(rut(dir, &line), 0);
    (record(&only_run(dir)), err)
}

#[test]
fn a_wrapped_network_is_the_network() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, _) = probed(dir.path(), &checkpoint(0), "");
    for prefix in ["net.", "backbone.", "module.model.", "state._orig_mod."] {
        let file = made(dir.path(), "wrapped.safetensors", |tensors| {
            renamed(tensors, |key| format!("{prefix}{key}"));
            zeros(tensors, "criterion.weight", &[100]);
        });
        let (found, err) = probed(dir.path(), &file, "");
        assert_eq!(found["test"], plain["test"], "{prefix}");
        assert_eq!(found["network"]["source_classes"], 100);
        let under = prefix.trim_end_matches('.');
        assert_eq!(found["network"]["keys"]["under"], under);
        for text in [
            format!("took what stands under `{under}`"),
            "left out `criterion` (1 key)".into(),
        ] {
            assert!(err.contains(&text), "{err}");
        }
    }
}

#[test]
fn a_network_without_a_classifier_is_probed_extracted_and_not_prompted() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, _) = probed(dir.path(), &checkpoint(0), "");
    let headless = made(dir.path(), "headless.safetensors", |tensors| {
        tensors.0.retain(|key, _| !key.starts_with("fc."));
    });
    let moco = made(dir.path(), "moco.safetensors", |tensors| {
        tensors.0.retain(|key, _| !key.starts_with("fc."));
        let momentum = tensors.0.clone();
        renamed(tensors, |key| format!("module.encoder_q.{key}"));
        let second = momentum
            .into_iter()
            .map(|(key, value)| (format!("module.encoder_k.{key}"), value));
        tensors.0.extend(second);
        zeros(tensors, "module.encoder_q.fc.0.weight", &[64, 64]);
        zeros(tensors, "module.queue", &[8, 9]);
    });
    for file in [&headless, &moco] {
        // Twice: the second time from cached features, without loading it.
        let mut before = None;
        for _ in 0..2 {
            let (found, err) = probed(dir.path(), file, "");
            assert_eq!(found["test"], plain["test"], "{}", file.display());
            assert_eq!(found["network"].get("source_classes"), None);
            assert!(err.contains("no classifier"), "{err}");
            assert!(before.is_none_or(|before| before == found));
            before = Some(found);
        }
        let run = only_run(dir.path());
        ends(rut(dir.path(), &format!("eval {}", run.display())), 0);
        let line = dense(dir.path(), file).replacen("lp", "vp", 1);
        refuses(
            dir.path(),
            &line,
            1,
            &["it has no classifier", "rut lp", "--features"],
        );
        let extract = format!(
            "extract --dataset digits --model resnet20_cifar100 --network dense --checkpoint {} -o {}",
            file.display(),
            dir.path().join("out.safetensors").display()
        );
        refuses(
            dir.path(),
            &extract,
            1,
            &["it has no classifier", "--features"],
        );
        let (out, _) = ends(rut(dir.path(), &format!("{extract} --features")), 0);
        assert!(out.contains("features [797, 64], labels [797]"), "{out}");
        assert!(!Tensors::read(&dir.path().join("out.safetensors"))
            .0
            .contains_key("logits"));
    }
    refuses(
        dir.path(),
        &format!("{} --source-classes 100", dense(dir.path(), &headless)),
        1,
        &["it has no classifier"],
    );
}

#[test]
fn the_number_of_source_classes_is_taken_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let seven = made(dir.path(), "seven.safetensors", |tensors| {
        zeros(tensors, "fc.weight", &[7, 64]);
        zeros(tensors, "fc.bias", &[7]);
    });
    let (found, err) = probed(dir.path(), &seven, "");
    assert_eq!(found["network"]["source_classes"], 7);
    assert!(err.contains("7 source classes"), "{err}");
    let line = dense(dir.path(), &seven).replacen("lp", "vp", 1);
    refuses(
        dir.path(),
        &line,
        2,
        &["10 target classes onto 7 source classes"],
    );
    refuses(
        dir.path(),
        &format!("{line} --dry-run"),
        2,
        &["7 source classes"],
    );
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("{line} --classes 0-4 --overwrite --json"),
        ),
        0,
    );
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["network"]["source_classes"], 7);
}

#[test]
fn of_two_networks_the_key_decides_and_is_part_of_the_id() {
    let dir = tempfile::tempdir().unwrap();
    let both = made(dir.path(), "dino.safetensors", |tensors| {
        let mut teacher = tensors.0.clone();
        for (_, bytes) in teacher.values_mut() {
            bytes.reverse();
        }
        let plain = tensors.0.clone();
        renamed(tensors, |key| format!("student.module.{key}"));
        let teacher = plain
            .into_iter()
            .map(|(key, value)| (format!("teacher.{key}"), value));
        tensors.0.extend(teacher);
    });
    let line = dense(dir.path(), &both);
    refuses(
        dir.path(),
        &line,
        2,
        &["`student.module` and `teacher`", "--checkpoint-key"],
    );
    refuses(
        dir.path(),
        &format!("{line} --checkpoint-key ema"),
        2,
        &["there is no key `ema`; the network was found under `student.module` and `teacher`"],
    );
    let id = |key: &str| {
        let (out, _) = ends(
            rut(
                dir.path(),
                &format!("{line} --dry-run --checkpoint-key {key}"),
            ),
            0,
        );
        let id = out
            .lines()
            .find(|line| line.starts_with("# run id"))
            .unwrap()
            .to_owned();
        id
    };
    assert_ne!(id("student"), id("teacher"));
    assert_eq!(id("teacher"), id("teacher."));
    let (plain, _) = probed(dir.path(), &checkpoint(0), "");
    let (found, _) = probed(dir.path(), &both, "--checkpoint-key teacher");
    assert_eq!(found["test"], plain["test"]);
    assert_eq!(found["spec"]["checkpoint_key"], "teacher");
}

/// Raw and averaged weights in one file: earlier versions took the raw ones silently.
#[test]
fn what_an_earlier_version_began_is_gone_on_with_by_its_rule() {
    let dir = tempfile::tempdir().unwrap();
    let both = made(dir.path(), "both.safetensors", |tensors| {
        let plain = tensors.0.clone();
        renamed(tensors, |key| format!("model.{key}"));
        let other = plain
            .into_iter()
            .map(|(key, value)| (format!("model_ema.{key}"), value));
        tensors.0.extend(other);
    });
    let line = dense(dir.path(), &both);
    refuses(dir.path(), &line, 2, &["`model` and `model_ema`"]);
    // A run as an earlier version left it: of the specification and the record what says otherwise is taken away.
    let (_, _) = probed(dir.path(), &both, "--checkpoint-key model");
    let run = only_run(dir.path());
    let spec = fs::read_to_string(run.join("spec.toml")).unwrap();
    let earlier = |text: &str, without: &[&str]| -> String {
        let lines = text
            .lines()
            .filter(|line| !without.iter().any(|key| line.starts_with(key)));
        lines.map(|line| format!("{line}\n")).collect()
    };
    fs::write(
        run.join("spec.toml"),
        earlier(&spec, &["key_rule", "checkpoint_key"]),
    )
    .unwrap();
    let text = fs::read_to_string(run.join("record.json")).unwrap();
    let mut found: serde_json::Value = serde_json::from_str(&text).unwrap();
    found["network"].as_object_mut().unwrap().remove("keys");
    found.as_object_mut().unwrap().remove("files");
    found["cost"].as_object_mut().unwrap().remove("checksum");
    found["spec"]
        .as_object_mut()
        .unwrap()
        .remove("checkpoint_key");
    fs::write(
        run.join("record.json"),
        serde_json::to_string(&found).unwrap(),
    )
    .unwrap();
    let (out, _) = ends(
        rut(dir.path(), &format!("eval {} --json", run.display())),
        0,
    );
    let again: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(again["raw"], found["test"]["raw"]);
    // Unfinished, it is resumed; `--run-name` stands for the id, which names no key.
    fs::remove_file(run.join("record.json")).unwrap();
    let name = run.file_name().unwrap().to_str().unwrap();
    ends(
        rut(dir.path(), &format!("{line} --resume --run-name {name}")),
        0,
    );
    refuses(
        dir.path(),
        &format!("{line} --overwrite --run-name {name}"),
        2,
        &["`model` and `model_ema`"],
    );
}

#[test]
fn keys_that_do_not_fit_are_told_briefly_and_with_v_all() {
    let dir = tempfile::tempdir().unwrap();
    let other = made(dir.path(), "other.safetensors", |tensors| {
        renamed(tensors, |key| format!("net.x{key}"));
    });
    let line = dense(dir.path(), &other);
    let (_, err) = ends(rut(dir.path(), &line), 1);
    let first = err.lines().find(|line| line.starts_with("error:")).unwrap();
    assert!(first.contains("all 107 keys begin with `net.`"), "{err}");
    assert!(
        err.lines().count() < 30 && err.contains("missing: and "),
        "{err}"
    );
    let (_, all) = ends(rut(dir.path(), &format!("{line} -v")), 1);
    assert!(
        all.contains("net.xlayer3.2.conv2.weight") && !all.contains("and 95 more"),
        "{all}"
    );
    let wrong = dense(dir.path(), &checkpoint(0)).replace("cifar100 ", "cifar10 ");
    refuses(dir.path(), &wrong, 1, &["it fits `resnet20_cifar100`"]);
}

#[test]
fn a_dense_network_does_not_pass_as_a_ticket() {
    let dir = tempfile::tempdir().unwrap();
    let one = made(dir.path(), "one_zero.safetensors", |tensors| {
        let (_, bytes) = tensors.0.get_mut("layer1.0.conv1.weight").unwrap();
        bytes[..4].fill(0);
    });
    let line = format!("{DIGITS} --checkpoint {}", one.display());
    let texts = [
        "1 of 2304 in layer1.0.conv1.weight",
        "--mask",
        "--network dense",
    ];
    refuses(dir.path(), &line, 2, &texts);
    refuses(dir.path(), &format!("{line} --dry-run"), 2, &texts);
    let ones = dir.path().join("ones.safetensors");
    let mut tensors = Tensors::read(&mask(8));
    for (_, bytes) in tensors.0.values_mut() {
        bytes.fill(1);
    }
    fs::write(&ones, tensors.bytes()).unwrap();
    let masked = format!("{line} --mask {}", ones.display());
    refuses(
        dir.path(),
        &masked,
        2,
        &["keeps every weight", "--network dense"],
    );
    // What is not called a ticket, the dense member of a series, and a mask that is dropped on purpose.
    ends(
        rut(
            dir.path(),
            &format!("{} --dry-run", dense(dir.path(), &one)),
        ),
        0,
    );
    let series = format!(
        "{DIGITS} --dry-run --sparsity 0 --pretrained-dir {}",
        root().join("checkpoints").display()
    );
    ends(rut(dir.path(), &series), 0);
    ends(
        rut(
            dir.path(),
            &format!("{masked} --dry-run --set masking=dropped"),
        ),
        0,
    );
    // Pruned by its zeros alone.
    let pruned = made(dir.path(), "pruned.safetensors", |tensors| {
        let (_, bytes) = tensors.0.get_mut("layer3.2.conv2.weight").unwrap();
        bytes.fill(0);
    });
    ends(
        rut(
            dir.path(),
            &format!("{DIGITS} --dry-run --checkpoint {}", pruned.display()),
        ),
        0,
    );
}

#[test]
fn what_is_no_number_may_stand_where_the_mask_prunes() {
    let dir = tempfile::tempdir().unwrap();
    let kept = Tensors::read(&mask(8)).0["layer1.0.conv1.weight"].1.clone();
    let with_nan = |name: &str, pruned: bool| {
        let mut tensors = Tensors::read(&checkpoint(8));
        let place = kept.iter().position(|&keep| (keep == 0) == pruned).unwrap();
        let (_, bytes) = tensors.0.get_mut("layer1.0.conv1.weight").unwrap();
        bytes[4 * place..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
        let path = dir.path().join(name);
        fs::write(&path, tensors.bytes()).unwrap();
        format!(
            "--model resnet20_cifar100 --checkpoint {} --mask {}",
            path.display(),
            mask(8).display()
        )
    };
    let fine = with_nan("fine.safetensors", true);
    ends(
        rut(
            dir.path(),
            &format!("lp --dataset digits --n-shot 2 --dry-run {fine}"),
        ),
        0,
    );
    ends(rut(dir.path(), &format!("ticket inspect {fine}")), 0);
    let broken = with_nan("broken.safetensors", false);
    let line = format!("lp --dataset digits --n-shot 2 --dry-run {broken}");
    refuses(
        dir.path(),
        &line,
        1,
        &["`layer1.0.conv1.weight` holds NaN at index"],
    );
}
