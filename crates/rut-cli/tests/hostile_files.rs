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
