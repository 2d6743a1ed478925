//! The reference's defects, switched on: alone, together, and on a card. And what else makes a comparison fair: steps
//! instead of epochs, words on a network's recipe, a network's accuracy on its own source data.

mod rut;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rut::{checkpoint, ends, only_run, record, refuses, root, rut, shared, small};
use serde_json::Value;

fn only(dir: &Path, method: &str, more: &str) -> Value {
    ends(small(dir, method, more), 0);
    record(&only_run(dir))
}

/// It differs in its id and that figure alone.
#[test]
fn an_ece_as_published_is_that_of_a_run_of_its_own() {
    for method in ["lp", "vp"] {
        let dir = tempfile::tempdir().unwrap();
        let words = "--as-published ece=logits,ece=batch-sum";
        ends(small(dir.path(), method, words), 0);
        let made = only_run(dir.path());
        let dir = tempfile::tempdir().unwrap();
        ends(small(dir.path(), method, ""), 0);
        let usual = only_run(dir.path());
        let trained = match method {
            "lp" => "head.safetensors",
            _ => "prompt.safetensors",
        };
        for name in ["logits.safetensors", trained] {
            let read = |run: &Path| fs::read(run.join(name)).unwrap();
            assert!(read(&made) == read(&usual), "{method}: {name} differs");
        }
        let (made, usual) = (record(&made), record(&usual));
        assert_eq!(made["test"], usual["test"], "{method}");
        assert_eq!(usual.get("published_ece"), None);
        assert_eq!(made["published_ece"]["rule"]["batching"], "batch-sum");
        assert_ne!(made["published_ece"]["ece"], made["test"]["raw"]["ece"]);
    }
}

/// A ticket whose mask is dropped is as dense as its checkpoint, and another run.
#[test]
fn a_dropped_mask_is_told_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    // Those whose checkpoints hold weights in pruned places.
    let dropped = "--pretrained-dir checkpoints --as-published mask=dropped";
    let (_, err) = ends(small(dir.path(), "lp", dropped), 0);
    assert!(
        err.contains("its mask dropped") && err.contains("D11"),
        "{err}"
    );
    let record = record(&only_run(dir.path()));
    assert_eq!(record["network"]["density"], 1.0);
    assert_eq!(record["network"]["mask"], Value::Null);
    let line =
        "lp --dataset digits --model resnet20_cifar100 --network dense --set masking=dropped";
    refuses(dir.path(), line, 2, &["masking", "no mask"]);
    // A switch without effect is reported, and changes nothing.
    let dense = format!(
        "--network dense --checkpoint {} --model resnet20_cifar100 --dataset digits --as-published mask=dropped --dry-run",
        checkpoint(0).display()
    );
    let (_, err) = ends(small(dir.path(), "lp", &dense), 0);
    assert!(err.contains("does not concern this run"), "{err}");
}

#[test]
fn a_run_of_steps_takes_as_many_whatever_the_images() {
    for (shots, epochs) in [(2, 11), (4, 7)] {
        let dir = tempfile::tempdir().unwrap();
        // Six or twelve training images in batches of five: two or three steps an epoch.
        let results = dir.path().join("results");
        let line = format!(
            "lp --classes 0-2 --n-shot {shots} --steps 21 --batch-size 5 --results-path {}",
            results.display()
        );
        ends(rut(dir.path(), &line), 0);
        let record = record(&only_run(dir.path()));
        assert_eq!(record["training"]["steps"], 21);
        assert_eq!(record["training"]["kept_epoch"], epochs - 1);
    }
    let dir = tempfile::tempdir().unwrap();
    refuses(
        dir.path(),
        "vp --steps 0 --dataset digits",
        2,
        &["steps", "at least 1"],
    );
    let both = "vp --dataset digits --set steps=3 --set epochs=4";
    refuses(dir.path(), both, 2, &["epochs", "`steps`"]);
}

/// Words about a network are recorded, and make no other run of it.
#[test]
fn a_recipe_is_no_part_of_a_run_s_identity() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = only(with.path(), "lp", "--recipe cifar-recipe");
    let other = only(without.path(), "lp", "");
    assert_eq!(one["run_id"], other["run_id"]);
    assert_eq!(one["spec"]["recipe"], "cifar-recipe");
}

/// The smallest study that has something of everything: a dense network and a ticket, two seeds, both methods.
const STUDY: &str = "title = 'card'\n[base]\ndataset = 'digits'\nclasses = ['0-2']\nmodel = 'resnet20_cifar100'\nn_shot = 4\n\
    batch_size = 5\nepochs = 3\n[axes]\nmethod = ['lp', 'vp']\n\
    network = [{network = 'dense'}, {network = 'ticket', sparsity = 8}]\nseed = [4, 5]\n";

#[test]
fn the_card_says_what_every_switch_does() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("card.toml");
    fs::write(&file, STUDY).unwrap();
    let results = dir.path().join("results");
    let line = format!(
        "study card {} --results-path {} --jobs 2 --json",
        file.display(),
        results.display()
    );
    let (out, _) = ends(rut(dir.path(), &line), 0);
    let card: Value = serde_json::from_str(&out).unwrap();
    let settings = card["settings"].as_array().unwrap();
    assert_eq!(settings.len(), 2, "{out}");
    let everywhere = ["none", "ece=logits", "ece=batch-sum", "ece=batch-mean"];
    let everywhere = [&everywhere[..], &["select=best-test", "mask=dropped"]].concat();
    let of_maps: [&[&str]; 2] = [&["all"], &["ties=index", "remap=off", "all"]];
    for (setting, of_maps) in settings.iter().zip(of_maps) {
        let rows = setting["rows"].as_array().unwrap();
        let names: Vec<&str> = rows
            .iter()
            .map(|row| row["switch"].as_str().unwrap())
            .collect();
        assert_eq!(names, [&everywhere, of_maps].concat());
        for row in rows {
            assert_eq!(row["figures"].as_array().unwrap().len(), 2);
            let difference = &row["differences"][0];
            assert_eq!(
                (&difference["seeds"], &difference["ticket"]),
                (&2.into(), &"state 8".into())
            );
        }
        // How an ECE is taken changes no accuracy; a dropped mask leaves the dense network alone.
        let of = |name: &str| rows.iter().find(|row| row["switch"] == name).unwrap();
        let (none, logits, dropped) = (of("none"), of("ece=logits"), of("mask=dropped"));
        for network in 0..2 {
            assert_eq!(
                logits["figures"][network]["accuracy"],
                none["figures"][network]["accuracy"]
            );
            assert_ne!(
                logits["figures"][network]["ece"],
                none["figures"][network]["ece"]
            );
        }
        assert_eq!(dropped["figures"][0], none["figures"][0]);
        assert_ne!(dropped["figures"][1], none["figures"][1]);
    }
    // Formulas are computed from the logits of the runs without any switch: only what trains otherwise is a run. Without
    // formulas, there are four variants of the probe (one without a mask to drop), and six of the prompt.
    let runs = fs::read_dir(&results).unwrap();
    let runs = runs.filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(runs.count(), 36);
    // The second time nothing is left to run.
    let (again, err) = ends(rut(dir.path(), &line), 0);
    assert_eq!(again, out);
    assert!(err.contains("0 to run"), "{err}");
    let (text, _) = ends(rut(dir.path(), &line.replace(" --json", "")), 0);
    assert!(
        text.contains("ece=batch-sum") && text.contains("accuracy dense − state 8"),
        "{text}"
    );
}

#[test]
fn the_switches_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (text, _) = ends(rut(dir.path(), "study switches"), 0);
    assert!(
        text.contains("remap = off") && text.contains("D18"),
        "{text}"
    );
    let (json, _) = ends(rut(dir.path(), "study switches --json"), 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().len(), text.lines().count() - 1);
}

/// A network on its own source data is written down where a report finds it.
#[test]
fn upstream_figures_are_kept_for_a_report() {
    let Some(data) = shared("datasets/cifar100") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let line = format!(
        "upstream --model resnet20_cifar100 --network ticket --sparsity 8 --recipe sparse --pretrained-dir {} --data-dir {} \
         --record {} --json",
        root().join("checkpoints").display(),
        data.display(),
        results.display()
    );
    let (out, err) = ends(rut(dir.path(), &line), 0);
    let printed: Value = serde_json::from_str(&out).unwrap();
    let files: Vec<_> = fs::read_dir(results.join("upstream")).unwrap().collect();
    assert_eq!(files.len(), 1, "{err}");
    let text = fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(kept["scores"], printed);
    assert_eq!(
        (&kept["model"], &kept["recipe"]),
        (&"resnet20_cifar100".into(), &"sparse".into())
    );
    let density = kept["density"].as_f64().unwrap();
    assert!((0.1..0.3).contains(&density), "{density}");
}

/// A sweep measures its networks by itself where their source data is, each once.
#[test]
fn a_sweep_measures_its_networks_on_their_source_data() {
    let Some(data) = shared("datasets/cifar100") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (study, results) = (dir.join("study.toml"), dir.join("results"));
    let study_of = |networks: &str| {
        let text = format!(
            "[base]\nmethod = 'lp'\ndataset = 'cifar100'\nclasses = ['0-2']\nn_shot = 1\nmodel = 'resnet20_cifar100'\n\
             pretrained_dir = '{}'\n\
             [axes]\nnetwork = [{networks}]\nseed = [1, 2]\n",
            root().join("checkpoints").display()
        );
        fs::write(&study, text).unwrap();
    };
    let sweep = || {
        let line = format!(
            "sweep run {} --data-dir {} --results-path {}",
            study.display(),
            data.display(),
            results.display()
        );
        ends(rut(dir, &line), 0).1
    };
    let records = || -> Vec<Value> {
        let files = fs::read_dir(results.join("upstream")).unwrap();
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        texts
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    };
    study_of("{ network = 'dense' }, { network = 'ticket', sparsity = 8 }");
    let err = sweep();
    assert!(err.contains("PASS  source data of 2 networks"), "{err}");
    let found = records();
    assert_eq!(found.len(), 2);
    let densities: Vec<f64> = found
        .iter()
        .map(|record| record["density"].as_f64().unwrap())
        .collect();
    assert!(densities.contains(&1.0) && densities.iter().any(|density| *density < 0.3));
    // The same as `rut upstream`'s.
    let line = format!(
        "upstream --model resnet20_cifar100 --network dense --pretrained-dir {} --data-dir {} --json",
        root().join("checkpoints").display(),
        data.display()
    );
    let printed: Value = serde_json::from_str(&ends(rut(dir, &line), 0).0).unwrap();
    let dense = found
        .iter()
        .find(|record| record["density"] == 1.0)
        .unwrap();
    assert_eq!(dense["scores"], printed);
    // Again nothing is measured; another network is.
    let times = || -> Vec<std::time::SystemTime> {
        let files = fs::read_dir(results.join("upstream")).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().modified().unwrap())
            .collect()
    };
    let before = times();
    sweep();
    assert_eq!(times(), before);
    study_of("{ network = 'dense' }, { network = 'ticket', sparsity = 4 }");
    sweep();
    assert_eq!(records().len(), 3);
    // The same network behind another interpolation.
    study_of("{ network = 'dense' }, { network = 'dense', interpolation = 'bicubic' }");
    let err = sweep();
    assert!(err.contains("PASS  source data of 2 networks"), "{err}");
    let found = records();
    assert_eq!(found.len(), 4);
    let preprocessing: BTreeSet<&str> = found
        .iter()
        .map(|record| record["preprocessing"].as_str().unwrap())
        .collect();
    assert_eq!(preprocessing.len(), 2);
}
