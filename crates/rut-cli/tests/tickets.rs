//! `rut ticket make` and `rut ticket convert` on the bundled networks.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};

use rut::tensors::Tensors;
use rut::{checkpoint, ends, mask, refuses, rut};
use serde_json::Value;

const MODEL: &str = "--model resnet20_cifar100";
/// The dense network.
const DENSE: &str = "--model resnet20_cifar100 --sparsity 0 --pretrained-dir bundled:";

fn make(dir: &Path, flags: &str, into: &str) -> Value {
    let line = format!("ticket make {flags} --json -o {}", dir.join(into).display());
    serde_json::from_str(&ends(rut(dir, &line), 0).0).unwrap()
}

fn convert(dir: &Path, flags: &str, into: &str) -> Value {
    let into = dir.join(into);
    let line = format!(
        "ticket convert {MODEL} {flags} --json -o {}",
        into.display()
    );
    serde_json::from_str(&ends(rut(dir, &line), 0).0).unwrap()
}

fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("resnet20_cifar100_{name}.safetensors"))
}

/// The tensors without metadata, as comparable values.
fn tensors(path: &Path) -> Vec<(String, Value, Vec<u8>)> {
    let mut all: Vec<_> = Tensors::read(path)
        .0
        .into_iter()
        .map(|(name, (about, bytes))| (name, about["shape"].clone(), bytes))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn metadata(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    serde_json::from_str(header["__metadata__"]["rut.ticket"].as_str().unwrap()).unwrap()
}

#[test]
fn a_ticket_is_written_as_other_commands_find_it() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), &format!("{DENSE} --density 0.4096"), "t");
    assert_eq!(
        (&made["kept"], &made["of"], &made["state"]),
        (&110_520.into(), &269_824.into(), &4.into())
    );
    let folder = dir.path().join("t");
    let (weights, masks) = (
        file(&folder, "magnitude_4_checkpoint"),
        file(&folder, "magnitude_4_mask"),
    );
    let about = metadata(&weights);
    assert_eq!(about, metadata(&masks));
    assert_eq!(about["pruned"]["density"], 0.4096);
    assert_eq!(about["source"]["checkpoint"].as_str().unwrap().len(), 64);
    assert_eq!(
        about["layers"]["conv1.weight"],
        serde_json::json!([432, 432])
    );
    // Nothing else is in them, and pruned places hold 0.
    let names: Vec<String> = tensors(&masks).into_iter().map(|(name, ..)| name).collect();
    let bundled: Vec<String> = tensors(&mask(4))
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(names, bundled);
    let found = format!("{MODEL} --sparsity 4 --pretrained-dir {}", folder.display());
    let line = format!("ticket inspect {found} --json");
    let inspected: Value = serde_json::from_str(&ends(rut(dir.path(), &line), 0).0).unwrap();
    let sides = &inspected["mask_against_weights"];
    assert_eq!(sides["kept_and_not_zero"], 110_520);
    assert_eq!(sides["pruned_but_not_zero"], 0);
    for method in ["lp", "vp"] {
        let line = format!("{method} --dataset digits --n-shot 2 {found} --dry-run");
        let (out, _) = ends(rut(dir.path(), &line), 0);
        assert!(out.contains("# kept        42.42 %"), "{out}");
    }
    // The same bytes again.
    let before = [fs::read(&weights).unwrap(), fs::read(&masks).unwrap()];
    make(
        dir.path(),
        &format!("{DENSE} --density 0.4096 --overwrite"),
        "t",
    );
    assert!(before == [fs::read(&weights).unwrap(), fs::read(&masks).unwrap()]);
}

#[test]
fn rounds_go_on_from_the_ticket_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let two = make(dir.path(), &format!("{DENSE} --rounds 2"), "a");
    let at_once = make(dir.path(), &format!("{DENSE} --rounds 4"), "b");
    let from = format!(
        "{MODEL} --sparsity 2 --pretrained-dir {} --rounds 2",
        dir.path().join("a").display()
    );
    let in_two = make(dir.path(), &from, "b2");
    assert_eq!((&two["state"], &in_two["state"]), (&2.into(), &4.into()));
    let masks = |into: &str| tensors(&file(&dir.path().join(into), "magnitude_4_mask"));
    assert!(masks("b") == masks("b2"));
    assert_eq!(at_once["kept"], in_two["kept"]);
    assert_eq!(in_two["source"]["mask"].as_str().unwrap().len(), 64);
}

#[test]
fn random_tickets_of_a_seed_are_nested_and_groups_are_exact() {
    let dir = tempfile::tempdir().unwrap();
    let random = |density: f64, seed: u32, into: &str| {
        let flags = format!("{DENSE} --by random --seed {seed} --density {density} --state 1");
        let made = make(dir.path(), &flags, into);
        let masks = tensors(&file(&dir.path().join(into), "random_1_mask"));
        let keep: Vec<u8> = masks.into_iter().flat_map(|(.., bytes)| bytes).collect();
        let kept = keep.iter().filter(|&&keep| keep == 1).count();
        assert_eq!(made["kept"], kept);
        keep
    };
    let (half, fifth, other) = (
        random(0.5, 1, "a"),
        random(0.2, 1, "b"),
        random(0.5, 2, "c"),
    );
    assert_eq!(half.iter().filter(|&&keep| keep == 1).count(), 134_912);
    // int(0.8 · 269824) = 215859 go.
    assert_eq!(fifth.iter().filter(|&&keep| keep == 1).count(), 53_965);
    assert!(fifth.iter().zip(&half).all(|(few, many)| few <= many));
    assert_ne!(half, other);
    // What a seed draws does not change: the first weights of the first layer.
    assert_eq!(half[..16], FIRST_OF_SEED_1);
    let made = make(dir.path(), &format!("{DENSE} --scope 1:4"), "d");
    assert_eq!(
        (&made["kept"], &made["density"], &made["state"]),
        (&67_456.into(), &0.25.into(), &7.into())
    );
    let made = make(dir.path(), &format!("{DENSE} --scope 1:3 --keep none"), "e");
    assert_eq!((&made["kept"], &made["of"]), (&144.into(), &432.into()));
    assert_eq!(made["skipped"].as_array().unwrap().len(), 21);
}

/// `layer1.0.conv1.weight`, seed 1, half of all weights.
const FIRST_OF_SEED_1: [u8; 16] = [1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0];

#[test]
fn what_cannot_be_pruned_is_refused_by_the_flag_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("t");
    for (flags, code, text) in [
        (
            "--density 0",
            2,
            "`--density` is 0, expected the share of weights that stay",
        ),
        ("--density 1.01", 2, "`--density` is 1.01"),
        ("--density NaN", 2, "`--density` is NaN"),
        ("", 2, "expected how many weights go, by one of"),
        (
            "--density 0.5 --rounds 1",
            2,
            "cannot be used with '--rounds <K>'",
        ),
        (
            "--scope 2:4 --rounds 1",
            2,
            "`--rounds` beside `--scope 2:4`",
        ),
        (
            "--scope 2:4 --count-kept",
            2,
            "`--count-kept` beside `--scope 2:4`",
        ),
        ("--scope 4:4", 2, "0 < N < M"),
        ("--scope 0:4", 2, "0 < N < M"),
        (
            "--scope 2:5",
            2,
            "expected N:M whose M divides the input channels",
        ),
        (
            "--scope layer --count-kept --rounds 1",
            2,
            "`--count-kept` is given, expected none",
        ),
        ("--rounds 0", 2, "`--rounds` is 0, expected at least 1"),
        ("--rounds 99", 2, "`--rounds` is 99, expected at most"),
        (
            "--density 0.5 --keep stem,head",
            2,
            "`--keep` is `stem,head`, expected `stem`, `classifier`",
        ),
        (
            "--density 0.0001",
            2,
            "would lose all of its 2304 weights; ask for a higher density",
        ),
        ("--density 0.5 --label ../x", 2, "`--label` is `../x`"),
        (
            "--density 0.5 --recalibrate-images 9",
            2,
            "--recalibrate <NAME|PATH>",
        ),
        (
            "--density 0.5 --recalibrate digits --recalibrate-batch 0",
            2,
            "`--recalibrate-batch`: expected at least 1",
        ),
        ("--density 0.5 --recalibrate nowhere", 2, "nowhere"),
    ] {
        let line = format!("ticket make {DENSE} {flags} -o {}", into.display());
        refuses(dir.path(), &line, code, &[text]);
    }
    let left = fs::read_dir(&into).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing is written");
    let sparse = format!("{MODEL} --sparsity 8 --pretrained-dir bundled:");
    let line = format!("ticket make {sparse} --density 0.5 -o {}", into.display());
    refuses(
        dir.path(),
        &line,
        2,
        &["expected at most the 0.1678 of these weights that are kept already"],
    );
    let line = format!("ticket make {DENSE} --density 0.5 -o bundled:");
    refuses(dir.path(), &line, 1, &["part of the program"]);
}

#[test]
fn what_is_there_stays_unless_it_is_to_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("t");
    make(dir.path(), &format!("{DENSE} --density 0.5"), "t");
    let again = |flags: &str| format!("ticket make {DENSE} {flags} -o {}", into.display());
    let there = "magnitude_4_checkpoint.safetensors is there already";
    refuses(
        dir.path(),
        &again("--density 0.45"),
        2,
        &[there, "`--state`", "`--overwrite`"],
    );
    let other = again("--density 0.5 --label other --overwrite");
    refuses(
        dir.path(),
        &other,
        2,
        &[there, "of two tickets of one state neither is found"],
    );
    ends(rut(dir.path(), &again("--density 0.5 --state 5")), 0);
    ends(rut(dir.path(), &again("--density 0.45 --overwrite")), 0);
    assert_eq!(fs::read_dir(&into).unwrap().count(), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_there_is_no_half_of_a_ticket() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), &format!("{DENSE} --density 0.5"), "t");
    let folder = dir.path().join("t");
    let before = fs::read(file(&folder, "magnitude_4_mask")).unwrap();
    let line = format!(
        "ticket make {DENSE} --density 0.45 --overwrite -o {}",
        folder.display()
    );
    // The mask is 270 KB, the checkpoint 1.1 MB; the limit is in KiB.
    let script = format!("ulimit -f 600; exec \"$0\" {line}");
    let mut shell = std::process::Command::new("bash");
    shell
        .current_dir(rut::root())
        .env("XDG_CACHE_HOME", dir.path().join("cache"))
        .args(["-c", &script, env!("CARGO_BIN_EXE_rut")]);
    let (_, err) = ends(shell, 1);
    assert!(
        err.contains("write") && err.contains("File too large"),
        "{err}"
    );
    assert!(before == fs::read(file(&folder, "magnitude_4_mask")).unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn recalibration_changes_statistics_alone() {
    let dir = tempfile::tempdir().unwrap();
    let flags = format!("{DENSE} --density 0.4096");
    make(dir.path(), &flags, "plain");
    let more = "--recalibrate digits --recalibrate-images 40 --recalibrate-batch 16";
    let made = make(dir.path(), &format!("{flags} {more}"), "new");
    let of = &made["recalibrated"];
    assert_eq!(
        (&of["dataset"], &of["images"], &of["batch_size"]),
        (&"digits".into(), &40.into(), &16.into())
    );
    let weights = |into: &str| tensors(&file(&dir.path().join(into), "magnitude_4_checkpoint"));
    for (plain, new) in weights("plain").into_iter().zip(weights("new")) {
        let is_statistic = plain.0.contains("running_");
        assert_eq!(plain.2 != new.2, is_statistic, "{}", plain.0);
    }
    assert!(weights("plain").len() > 100);
}

#[test]
fn a_network_without_a_classifier_is_pruned_and_stays_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut headless = Tensors::read(&checkpoint(0));
    headless.0.retain(|name, _| !name.starts_with("fc."));
    let headless = write(dir.path(), "headless.safetensors", &headless);
    let flags = format!(
        "{MODEL} --network dense --checkpoint {headless} --density 0.5 --recalibrate digits --recalibrate-images 8"
    );
    let made = make(dir.path(), &flags, "t");
    assert_eq!(
        (&made["kept"], &made["of"]),
        (&134_912.into(), &269_824.into())
    );
    let weights = tensors(&file(&dir.path().join("t"), "magnitude_4_checkpoint"));
    assert!(weights.iter().all(|(name, ..)| !name.starts_with("fc.")));
    let found = format!(
        "{MODEL} --sparsity 4 --pretrained-dir {}",
        dir.path().join("t").display()
    );
    let line = format!("lp --dataset digits --n-shot 2 {found} --dry-run");
    ends(rut(dir.path(), &line), 0);
}

#[test]
fn images_for_a_recalibration_may_lie_in_any_folder_and_must_be_readable() {
    let dir = tempfile::tempdir().unwrap();
    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    let ppm = |name: &str, shade: u8| {
        let header = b"P6 2 2 255\n".to_vec();
        let pixels: Vec<u8> = (0..12u8).map(|i| shade.wrapping_mul(i + 1)).collect();
        fs::write(photos.join(name), [header, pixels].concat()).unwrap();
    };
    ppm("a.ppm", 3);
    ppm("b.ppm", 40);
    let flags = format!("{DENSE} --density 0.5 --recalibrate {}", photos.display());
    let made = make(dir.path(), &flags, "t");
    assert_eq!(made["recalibrated"]["images"], 2);
    fs::write(photos.join("broken.ppm"), "P6 2 2 255\nxx").unwrap();
    let line = format!("ticket make {flags} -o {}", dir.path().join("u").display());
    refuses(dir.path(), &line, 1, &["broken.ppm"]);
    assert_eq!(fs::read_dir(dir.path().join("u")).unwrap().count(), 0);
}

/// Tensors of a bundled file under other names.
fn renamed(path: &Path, name: impl Fn(&str) -> String) -> Tensors {
    let tensors = Tensors::read(path).0.into_iter();
    Tensors(tensors.map(|(own, tensor)| (name(&own), tensor)).collect())
}

fn write(dir: &Path, name: &str, tensors: &Tensors) -> String {
    let path = dir.join(name);
    fs::write(&path, tensors.bytes()).unwrap();
    path.display().to_string()
}

/// As open_lth calls it.
fn open_lth(own: &str) -> String {
    if let Some(rest) = own.strip_prefix("layer") {
        let mut parts = rest.splitn(3, '.');
        let mut number = || parts.next().unwrap().parse::<usize>().unwrap();
        let block = 3 * (number() - 1) + number();
        let rest = parts.next().unwrap().replace("downsample", "shortcut");
        return format!("blocks.{block}.{rest}");
    }
    own.replace("conv1.", "conv.").replace("bn1.", "bn.")
}

#[test]
fn all_forms_of_a_pruned_network_become_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let bundled = format!(
        "--checkpoint {} --mask {}",
        checkpoint(8).display(),
        mask(8).display()
    );
    let first = convert(dir, &bundled, "a");
    assert_eq!(
        (&first["state"], &first["converted"]),
        (&8.into(), &"a mask beside the checkpoint".into())
    );
    let files = |into: &str| {
        let folder = dir.join(into);
        let names = ["converted_8_checkpoint", "converted_8_mask"];
        names.map(|name| tensors(&file(&folder, name)))
    };
    let [weights, masks] = files("a");
    assert!(masks == tensors(&mask(8)));

    let theirs = write(dir, "olth.safetensors", &renamed(&checkpoint(8), open_lth));
    let ones = write(dir, "olth_mask.safetensors", &renamed(&mask(8), open_lth));
    convert(dir, &format!("--checkpoint {theirs} --mask {ones}"), "b");
    assert!(files("b") == [weights.clone(), masks.clone()]);

    let masked: Vec<String> = masks.iter().map(|(name, ..)| name.clone()).collect();
    let mut pairs = renamed(&checkpoint(8), |own| {
        let pruned = masked.contains(&own.to_owned());
        format!("{own}{}", if pruned { "_orig" } else { "" })
    });
    pairs
        .0
        .extend(renamed(&mask(8), |own| format!("{own}_mask")).0);
    let pairs = write(dir, "pairs.safetensors", &pairs);
    let found = convert(dir, &format!("--checkpoint {pairs}"), "c");
    assert_eq!(
        found["converted"],
        "pairs of `weight_orig` and `weight_mask`"
    );
    assert!(files("c") == [weights.clone(), masks.clone()]);

    let zeros = file(&dir.join("a"), "converted_8_checkpoint");
    let found = convert(dir, &format!("--checkpoint {}", zeros.display()), "d");
    assert_eq!(found["converted"], "zeros of the weights");
    assert!(files("d") == [weights, masks]);
}

#[test]
fn what_is_no_pruned_network_is_refused_with_what_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let line = |file: &str| {
        let into = dir.join("t");
        format!(
            "ticket convert {MODEL} --checkpoint {file} -o {}",
            into.display()
        )
    };
    let dense = checkpoint(0).display().to_string();
    let texts = [
        "no weight of 22 convolutions and linear layers is zero",
        "`weight_orig`",
        "`--mask`",
    ];
    refuses(dir, &line(&dense), 2, &texts);
    let mut few = Tensors::read(&checkpoint(0));
    let (_, bytes) = few.0.get_mut("layer1.0.conv1.weight").unwrap();
    bytes[..4].fill(0);
    let few = write(dir, "few.safetensors", &few);
    refuses(
        dir,
        &line(&few),
        2,
        &["1 of 2304 in layer1.0.conv1.weight", "too few for a ticket"],
    );
    let other = renamed(&checkpoint(0), |own| format!("x{}", own.replace('.', "-")));
    let other = write(dir, "other.safetensors", &other);
    refuses(dir, &line(&other), 1, &["other.safetensors", "xbn1-bias"]);
}
