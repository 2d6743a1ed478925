//! What the reader of Parquet files takes of memory: pages that say that they are large are refused before they are decoded.
//! A single test, because the whole process is measured.

#![cfg(feature = "zstd")]

mod common;

use std::path::Path;

use common::write;
use peak_alloc::PeakAlloc;
use rut_data::{Dataset, Error, open};
use tempfile::tempdir;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What any file may take beside four times itself, bytes.
const FREE: usize = 64 << 20;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet");
    std::fs::read(path.join(name)).expect("a fixture")
}

/// Opens a table and decodes an image, within the bound.
fn within(bytes: &[u8]) -> Result<Dataset, Error> {
    let folder = tempdir().expect("a folder");
    write(folder.path().join("t.parquet"), bytes);
    let path = folder.path().join("t.parquet");
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let data = open(path.to_str().expect("UTF-8"), Path::new("nowhere"));
    let data = data.and_then(|data| data.train.decode(0).map(|_| data));
    let taken = MEMORY.peak_usage() - before;
    assert!(
        taken <= 4 * bytes.len() + FREE,
        "{taken} bytes for {}",
        bytes.len()
    );
    data
}

/// The varint of zigzag `size`, as headers of pages have it.
fn varint(size: u64) -> Vec<u8> {
    let mut rest = size << 1;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

#[test]
fn pages_that_lie_take_no_memory() {
    let error = within(&fixture("zeros.parquet")).expect_err("too much");
    let text = error.to_string();
    assert!(
        text.contains("at most") && text.contains("smaller"),
        "{text}"
    );
    // The size of each page, replaced by another that takes as many bytes.
    let zeros = fixture("zeros.parquet");
    let (old, all) = (varint(60_000_010), zeros.len());
    for lie in [130_000_000, 134_217_727] {
        let new = varint(lie);
        assert_eq!(new.len(), old.len());
        let mut bytes = zeros.clone();
        let places: Vec<usize> = (0..all - old.len())
            .filter(|&at| bytes[at..].starts_with(&old))
            .collect();
        assert!(places.len() >= 6, "{places:?}");
        for &at in &places {
            bytes[at..at + new.len()].copy_from_slice(&new);
        }
        assert!(within(&bytes).is_err());
    }
    for name in ["none", "snappy", "gzip", "lz4", "zstd", "zstd_v2", "plain"] {
        let bytes = fixture(&format!("{name}.parquet"));
        within(&bytes).expect(name);
        for at in (4..bytes.len() - 8).step_by(9) {
            let mut broken = bytes.clone();
            broken[at] ^= 0xff;
            let _ = within(&broken);
        }
    }
}
