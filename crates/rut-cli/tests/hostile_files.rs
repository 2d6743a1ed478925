//! Files that declare more than they hold: an error that names them, in little memory. What single readers take is measured
//! where they are, in the tests of `rut-data`.

mod rut;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use rut::{ends, refuses, rut};
use zip::write::SimpleFileOptions;
use zip::ZipWriter;

/// An `.npz` file of deflated arrays: name, header's type and shape, and bytes of zeros.
fn npz(path: &Path, arrays: &[(&str, &str, usize)]) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    for (name, about, zeros) in arrays {
        let header = format!("{{{about}, 'fortran_order': False, }}\n");
        writer
            .start_file(format!("{name}.npy"), SimpleFileOptions::default())
            .unwrap();
        writer.write_all(b"\x93NUMPY\x01\x00").unwrap();
        let length = u16::try_from(header.len()).unwrap();
        writer.write_all(&length.to_le_bytes()).unwrap();
        writer.write_all(header.as_bytes()).unwrap();
        writer.write_all(&vec![0; *zeros]).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn arrays_that_declare_more_than_there_is_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lie.npz");
    let labels = ("labels", "'descr': '<i8', 'shape': (1,)", 8);
    for (shape, declared) in [
        ("(1000000000000, 10)", "40000000000000"),
        ("(4611686018427387904, 4)", "another number"),
        ("(2, 10)", "80"),
    ] {
        let about = format!("'descr': '<f4', 'shape': {shape}");
        npz(&file, &[("logits", &about, 76), labels]);
        let line = format!("metrics {}", file.display());
        let says = ["lie.npz: logits.npy", declared, "found 76; save it again"];
        refuses(dir.path(), &line, 1, &says);
    }
    let about = "'descr': '<f4', 'shape': (1, 10)";
    npz(&file, &[("logits", about, 40), labels]);
    ends(rut(dir.path(), &format!("metrics {}", file.display())), 0);
}

/// The line, as `rut` gets it, in a shell that allows so many kilobytes of memory.
fn within(kilobytes: usize, dir: &Path, line: &str) -> Command {
    let script = format!("ulimit -v {kilobytes}; exec \"$0\" {line}");
    let mut shell = Command::new("bash");
    shell
        .current_dir(rut::root())
        .env_clear()
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .env("RAYON_NUM_THREADS", "1")
        .arg("-c")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_rut"));
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn studies_and_records_of_many_megabytes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study.toml");
    let cases = [
        format!("[axes]\nseed = [{}1]\n", "1,".repeat(3_000_000)),
        format!("title = '{}'\n", "x".repeat(8_000_000)),
        format!("{}a = 1\n", "a.".repeat(200_000)),
        format!("a = {}", "[".repeat(500_000)),
        format!("a = {}", "{a=".repeat(200_000)),
    ];
    for text in cases {
        fs::write(&study, text).unwrap();
        let line = format!("sweep run --dry-run --threads 1 {}", study.display());
        let (out, err) = ends(within(2_000_000, dir.path(), &line), 2);
        assert!(err.contains("study.toml") && err.len() < 5000, "{err}");
        assert!(out.is_empty(), "{out}");
    }
}

/// A safetensors file whose header is a text of JSON.
fn safetensors(path: &Path, header: &str, data: &[u8]) {
    let length = (header.len() as u64).to_le_bytes();
    fs::write(path, [&length, header.as_bytes(), data].concat()).unwrap();
}

#[test]
fn a_header_larger_than_any_is_not_parsed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("many.safetensors");
    let tensor = |at: usize| {
        let (from, to) = (4 * at, 4 * at + 4);
        format!(r#""w{at}":{{"dtype":"F32","shape":[],"data_offsets":[{from},{to}]}}"#)
    };
    let some = |count: usize| (0..count).map(tensor).collect::<Vec<_>>().join(",");
    safetensors(&file, &format!("{{{}}}", some(40_000)), &vec![0; 160_000]);
    let line = format!("metrics {}", file.display());
    let says = [
        "many.safetensors",
        "found a header of",
        "save logits and labels alone",
    ];
    refuses(dir.path(), &line, 1, &says);
    safetensors(&file, &format!("{{{}}}", some(12)), &[0; 48]);
    let says = ["found w0, w1, w10, w11, w2, w3, w4, w5, w6, w7 and 2 more;"];
    refuses(dir.path(), &line, 1, &says);
    let long = r#"{"logits":{"dtype":""#.to_owned() + &"X".repeat(1000) + r#""}}"#;
    safetensors(&file, &long, &[]);
    let (_, err) = ends(rut(dir.path(), &line), 1);
    assert!(err.contains("many.safetensors") && err.len() < 500, "{err}");
}

/// An array without elements may have any lengths, which multiply to no number.
#[test]
fn a_shape_without_elements_is_another_shape() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vgg.safetensors");
    let shape = "[4096,0,1099511627776,1099511627776]";
    let header = format!(
        r#"{{"classifier.0.weight":{{"dtype":"F32","shape":{shape},"data_offsets":[0,0]}}}}"#
    );
    safetensors(&file, &header, &[]);
    let line = format!(
        "ticket inspect --model vgg16 --network dense --checkpoint {}",
        file.display()
    );
    refuses(dir.path(), &line, 1, &["vgg.safetensors", "missing"]);
}

#[test]
fn a_cause_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    for line in ["sweep run nowhere.toml", "lp --config nowhere.toml"] {
        let (_, err) = ends(rut(dir.path(), line), 2);
        assert_eq!(err.matches("nowhere.toml").count(), 1, "{err}");
        assert_eq!(err.matches("No such file").count(), 1, "{err}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_outgrows_a_quota_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "lp --tensorboard off --results-path {}",
        dir.path().join("r").display()
    );
    let script = format!("ulimit -f 20; exec \"$0\" {line}");
    let mut shell = Command::new("bash");
    shell
        .current_dir(rut::root())
        .env("XDG_CACHE_HOME", dir.path().join("cache"))
        .args(["-c", &script, env!("CARGO_BIN_EXE_rut")]);
    let (_, err) = ends(shell, 1);
    assert!(
        err.contains("write") && err.contains("File too large"),
        "{err}"
    );
}
