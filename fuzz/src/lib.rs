//! What the fuzz targets share: a folder that foreign bytes are put into and opened from, as a user would, and a watch over
//! the memory that this takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use peak_alloc::PeakAlloc;
use tempfile::TempDir;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory that any file may take, bytes: buffers, tables, messages.
const FREE: usize = 4 << 20;
/// Memory that any file may take whose reader is a library's, bytes.
const LIBRARY: usize = 64 << 20;
/// Bytes that deflate makes of one at most (<https://zlib.net/zlib_tech.html>).
const INFLATED: usize = 1032;
/// Images that are decoded of what opens.
const DECODED: usize = 3;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let in_memory = Path::new("/dev/shm");
    let made = match in_memory.is_dir() {
        true => TempDir::new_in(in_memory),
        false => TempDir::new(),
    };
    made.expect("a folder")
});

/// Puts these files into the fuzzer's folder, and gives the folder.
pub fn put(files: &[(&str, &[u8])]) -> PathBuf {
    for (name, bytes) in files {
        let path = FOLDER.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(path, bytes).expect("a file");
    }
    FOLDER.path().to_owned()
}

/// Opens a data set of the table, or a user's own, and decodes some of its images. Errors are right; anything else is not.
pub fn open(name: &str, folder: &Path, split: Option<&str>) {
    let Ok(dataset) = rut_data::open_split(name, folder, split) else {
        return;
    };
    let own = dataset.validation.as_ref();
    for set in [Some(&dataset.train), own, Some(&dataset.test)]
        .into_iter()
        .flatten()
    {
        for index in 0..set.len().min(DECODED) {
            let _ = set.decode(index);
            let _ = set.source(index);
        }
        let _ = set.class_counts(dataset.class_names.len());
    }
}

/// Runs `read`, which may take `times` the memory of `bytes` at its peak, and what any file may take.
///
/// # Panics
/// If it takes more.
pub fn within(times: usize, bytes: &[u8], read: impl FnOnce()) {
    watched(times * bytes.len() + FREE, bytes, read);
}

/// Runs `read`, which finds `bytes` in so many files. Each may take four times its size, what it inflates to, and a copy
/// of that.
///
/// # Panics
/// If they take more.
pub fn within_inflated(files: usize, bytes: &[u8], read: impl FnOnce()) {
    let most = files * bytes.len() * (4 + 2 * INFLATED) + LIBRARY;
    watched(most, bytes, read);
}

/// Runs `read`, which may take four times the memory of `bytes`, and `contents` bytes for what is in them.
///
/// # Panics
/// If it takes more.
pub fn within_contents(contents: usize, bytes: &[u8], read: impl FnOnce()) {
    watched(4 * bytes.len() + LIBRARY + contents, bytes, read);
}

/// What the tensors of a checkpoint may take: four times what its deflated entries unpack to, if it has any.
pub fn unpacked(bytes: &[u8]) -> usize {
    let is_deflated = |entry: &[u8]| entry.starts_with(b"PK\x01\x02") && entry.get(10) == Some(&8);
    match bytes.windows(11).any(is_deflated) {
        true => 4 * INFLATED * bytes.len(),
        false => 0,
    }
}

fn watched(most: usize, bytes: &[u8], read: impl FnOnce()) {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    read();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        taken <= most,
        "took {taken} bytes, at most {most}, for {} bytes of input",
        bytes.len()
    );
}
