//! What readers of lists and arrays take of memory: at most four times the file and 64 MiB, however the file is made. A
//! single test, because the whole process is measured.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;

use common::write;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use peak_alloc::PeakAlloc;
use rut_data::open_split;
use tempfile::tempdir;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What any file may take beside four times itself, bytes.
const FREE: usize = 64 << 20;

/// Opens a data set of one file, which must fail with all of `says` and within the bound.
fn refused(name: &str, split: Option<&str>, file: &str, bytes: &[u8], says: &[&str]) {
    let folder = tempdir().expect("a folder");
    write(folder.path().join(file), bytes);
    for other in ["test_32x32.mat", "food-101/images/a/1.jpg"] {
        write(folder.path().join(other), b"");
    }
    let list = folder.path().join(file);
    let name = match name {
        "" => list.to_str().expect("a path in UTF-8"),
        name => name,
    };
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let message = open_split(name, folder.path(), split)
        .expect_err("an error")
        .to_string();
    let taken = MEMORY.peak_usage() - before;
    let most = 4 * bytes.len() + FREE;
    assert!(taken <= most, "{file}: {taken} bytes for {}", bytes.len());
    for text in says {
        assert!(message.contains(text), "no '{text}' in {message:.500}");
    }
    assert!(
        message.len() < 2000,
        "{file}: {} bytes of error",
        message.len()
    );
}

/// An element of a MAT-file.
fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut all = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    all.extend_from_slice(bytes);
    all.resize(all.len().next_multiple_of(8), 0);
    all
}

/// A MAT-file of one deflated array `name` of these lengths that goes on with `zeros` bytes of the type `kind`.
fn deflated(name: &str, class: u32, dims: &[u32], kind: u32, zeros: u32) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
    let mut head = element(6, &[class.to_le_bytes(), [0; 4]].concat());
    head.extend(element(5, &dims));
    head.extend(element(1, name.as_bytes()));
    if kind > 0 {
        head.extend([kind.to_le_bytes(), zeros.to_le_bytes()].concat());
    }
    let length = head.len() as u32 + zeros;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let tag = [14_u32.to_le_bytes(), length.to_le_bytes()].concat();
    encoder.write_all(&[tag, head].concat()).expect("memory");
    let block = vec![0; 1 << 20];
    let mut left = zeros as usize;
    while left > 0 {
        let some = left.min(block.len());
        encoder.write_all(&block[..some]).expect("memory");
        left -= some;
    }
    let packed = encoder.finish().expect("memory");
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(124, b' ');
    file.extend([0, 1, b'I', b'M']);
    file.extend([15_u32.to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat());
    file.extend(packed);
    file
}

fn mat_files() {
    // An array of 2.3 GB in 2 MB.
    let count = 750_000;
    let bomb = deflated("X", 9, &[32, 32, 3, count], 2, 3072 * count);
    let says = ["train_32x32.mat", "at most 2147483648 bytes", "hostile"];
    refused("svhn", None, "train_32x32.mat", &bomb, &says);
    // Two million empty cells.
    let cells = deflated("X", 1, &[1, 2_000_000], 0, 16_000_000);
    refused(
        "svhn",
        None,
        "train_32x32.mat",
        &cells,
        &["train_32x32.mat"],
    );
}

fn csv_lists() {
    let rows = |row: &dyn Fn(u32) -> String| {
        let rows: String = (0..600_000).map(row).collect();
        format!("path,label\n{rows}")
    };
    let repeated = rows(&|at| format!("i{}.png,{}\n", at % 8, at % 2));
    let says = ["line 10, column 'path'", "'i0.png' again, after line 2"];
    refused("", None, "list.csv", repeated.as_bytes(), &says);
    let different = rows(&|at| format!("i{at}.png,{}\n", at % 2));
    let says = ["line 2, column 'path'", "'i2.png' and 599997 more"];
    refused("", None, "list.csv", different.as_bytes(), &says);
    let long = format!("path,label\n{}", "x".repeat(50_000_000));
    let says = ["line 2", "a row of at most 1048576 bytes"];
    refused("", None, "list.csv", long.as_bytes(), &says);
    let columns = format!("path,label\n{}", ",".repeat(5_000_000));
    refused("", None, "list.csv", columns.as_bytes(), &["line 2"]);
}

fn json_lists() {
    let mut entries = String::new();
    for at in 0..600_000 {
        write!(entries, "[\"i{at}\",0,\"a\"],").expect("memory");
    }
    let coop = format!("{{\"train\":[{entries}[\"j\",2,\"b\"]],\"test\":[]}}");
    let (split, file) = (Some("coop"), "food-101/split_zhou_Food101.json");
    let says = ["split_zhou_Food101.json"];
    refused("food101", split, file, coop.as_bytes(), &says);
    let deep = format!("{{\"train\":{}", "[".repeat(10_000_000));
    let says = ["recursion limit"];
    refused("food101", split, file, deep.as_bytes(), &says);
}

#[test]
fn readers_take_memory_for_what_is_there() {
    mat_files();
    csv_lists();
    json_lists();
}
