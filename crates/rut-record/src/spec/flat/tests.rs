//! The flat form against the typed one.

use super::*;
use crate::field::Field;
use crate::field_value::field_value;
use crate::fields::FIELDS;

fn spec(toml: &str) -> Result<RunSpec> {
    RunSpec::from_toml(toml)
}

/// Every value that is left out may stand in a file.
const EVERYTHING: &str = "
    split = 'a'\nskip_unreadable = 1\nclasses = ['a']\nvalidation = 'own'\nn_shot = 1\nfraction = 0.5\nval_fraction = 0.1
    val_shots = 1\nsparsity = 1\ncheckpoint = 'c'\ncheckpoint_key = 'k'\nmask = 'm'\nrecipe = 'r'\nsource_classes = 10
    mean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\ninterpolation = 'bicubic'\nsteps = 10\neval_every = 1\nimage_size = 8";

#[test]
fn keys_of_files_stand_in_their_order_whatever_the_adaptation() {
    let vp = EVERYTHING;
    let lp = format!(
        "method = 'lp'\nresize = 9\ncrop = 8\nlr_grid = [1.0]\nweight_decay_grid = [1.0]{EVERYTHING}"
    );
    let probing = ["resize", "crop", "lr_grid", "weight_decay_grid"];
    let without = |keys: &[&str]| -> Vec<&str> {
        FILE_KEYS
            .into_iter()
            .filter(|key| !keys.contains(key))
            .collect()
    };
    for (toml, want) in [(vp, without(&probing)), (&*lp, without(&[]))] {
        let text = spec(toml).unwrap().to_toml().unwrap();
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        assert_eq!(lines.map(|(key, _)| key).collect::<Vec<_>>(), want);
        assert_eq!(spec(&text).unwrap(), spec(toml).unwrap());
        let json = serde_json::to_string(&spec(toml).unwrap()).unwrap();
        assert_eq!(
            serde_json::from_str::<RunSpec>(&json).unwrap(),
            spec(toml).unwrap()
        );
    }
    let keys = |table: &[Field]| table.iter().map(|field| field.key).collect::<Vec<_>>();
    let known = keys(FIELDS);
    let rows = WRITTEN.map(|(key, _)| key);
    assert!(
        FILE_KEYS
            .iter()
            .all(|key| known.contains(key) || rows.contains(key))
    );
}

/// Whatever decides which files are read, and nothing else, tells networks apart.
#[test]
fn networks_are_told_apart_by_all_that_names_their_weights() {
    let base = "network = 'quantized'\nbits = 4";
    let key = |toml: &str| spec(toml).unwrap().network.weights_key();
    let other = [
        "network = 'quantized'\nbits = 3",
        "network = 'quantized'\nbits = 4\nactivation_bits = 8",
        "network = 'quantized'\nbits = 4\npretrained_dir = 'p'",
        "network = 'quantized'\nbits = 4\nmodel = 'resnet18'",
        "network = 'quantized'\ncheckpoint = 'c'",
        "network = 'quantized'\ncheckpoint = 'c'\ncheckpoint_key = 'k'",
        "network = 'dense'",
        "network = 'ticket'\nsparsity = 4",
        "network = 'ticket'\nsparsity = 5",
        "network = 'ticket'\nsparsity = 5\nmasking = 'dropped'",
        "network = 'ticket'\ncheckpoint = 'c'\nmask = 'm'",
    ];
    let keys: std::collections::BTreeSet<String> =
        other.into_iter().chain([base]).map(key).collect();
    assert_eq!(keys.len(), other.len() + 1);
    let same = "seed = 7\nepochs = 3\nrecipe = 'r'\nprecision = 'bf16'";
    assert_eq!(key(&format!("{base}\n{same}")), key(base));
}

#[test]
fn options_of_rows_stand_in_files_where_they_are_set() {
    let read =
        spec("prompt = 'patch'\ncorner = 'left'\nties = 'index'\nmapping_interval = 1").unwrap();
    let prompt = read.prompt().unwrap();
    assert_eq!(
        prompt.options.keys().collect::<Vec<_>>(),
        ["corner", "ties"]
    );
    let text = read.to_toml().unwrap();
    for line in [
        "prompt = \"patch\"",
        "corner = \"left\"",
        "ties = \"index\"",
        "remap = \"on\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    assert!(!RunSpec::default().to_toml().unwrap().contains("prompt"));
}

#[test]
fn what_would_be_ignored_is_refused_by_name_unless_it_is_to_be_dropped() {
    for (toml, texts) in [
        (
            "method = 'lp'\nmapping = 'flm'",
            ["mapping = flm", "linear probing"],
        ),
        (
            "method = 'lp'\nremap = 'off'",
            ["remap = off", "linear probing"],
        ),
        (
            "method = 'lp'\ncorner = 3",
            ["corner = 3", "linear probing"],
        ),
        ("lr_grid = [1]", ["lr_grid = [1.0]", "visual prompting"]),
        (
            "method = 'lp'\naugment = ['flip']",
            ["augment = ", "linear probing"],
        ),
        (
            "method = 'joint'\nmapping = 'flm'",
            ["mapping = flm", "prompt and head together"],
        ),
        ("resize = 256", ["resize = 256", "visual prompting"]),
    ] {
        let error = spec(toml).unwrap_err().to_string();
        assert!(
            texts.iter().all(|text| error.contains(text)),
            "{toml}: {error}"
        );
        let dropped = RunSpec::of_useful(toml.parse().unwrap()).unwrap();
        assert_eq!(dropped, RunSpec::of(dropped.method()));
    }
    assert!(spec("method = 'lp'\nmapping = 'ilm'\nties = 'mass'").is_ok());
}

#[test]
fn a_value_is_held_against_its_field() {
    let field = |key: &str, text: &str| {
        let table: toml::Table = format!("v = {text}").parse().unwrap();
        field_value(FIELDS, key, &table["v"])
    };
    assert_eq!(field("n_shot", "-1").unwrap(), "all");
    assert_eq!(field("lr", "1").unwrap(), 1.0);
    for (key, text, want) in [
        ("lrr", "1", "unknown field `lrr`"),
        ("lr", "'a'", "expected f64"),
        ("select", "'best'", "best-val"),
    ] {
        let problem = field(key, text).unwrap_err();
        assert!(problem.contains(want), "{problem}");
    }
}
