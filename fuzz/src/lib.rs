//! What the fuzz targets share: a folder that untrusted bytes are put into and opened from, as a user would, and a watch over
//! the memory and the time that this takes, and over what errors say.

pub mod png;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cpu_time::ProcessTime;
use peak_alloc::PeakAlloc;
use rut_formats::is_hidden;
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
/// Processor time that any input may take. `-timeout` also counts what the machine does beside, and ends what never ends.
const LONGEST: Duration = Duration::from_secs(10);
/// Characters of an error that a person still reads.
const LONGEST_ERROR: usize = 16_000;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let in_memory = Path::new("/dev/shm");
    let made = if in_memory.is_dir() { TempDir::new_in(in_memory) } else { TempDir::new() };
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

/// The value, or nothing where there is an error.
///
/// # Panics
/// If the error is longer than a person reads, or says what a terminal would obey.
pub fn checked<T>(result: Result<T, impl Display>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        // The alternate form of an error prints all causes.
        Err(error) => format!("{error:#}"),
    };
    let length = error.chars().count();
    assert!(length <= LONGEST_ERROR, "an error of {length} characters");
    let hidden = error
        .chars()
        .find(|&character| character != '\n' && is_hidden(character));
    assert_eq!(hidden, None, "in the error {error:?}");
    None
}

/// Opens a data set of the table, or a user's own, and decodes some of its images. Errors are right; anything else is not.
pub fn open(name: &str, folder: &Path, split: Option<&str>) {
    let Some(dataset) = checked(rut_data::open_split(name, folder, split)) else {
        return;
    };
    let own = dataset.validation.as_ref();
    for set in [Some(&dataset.train), own, Some(&dataset.test)]
        .into_iter()
        .flatten()
    {
        for index in 0..set.len().min(DECODED) {
            checked(set.decode(index));
            let _ = set.source(index);
        }
        let _ = set.class_counts(dataset.class_names.len());
    }
}

/// Runs `read`, which may take `times` the memory of `bytes` at its peak, and what any file may take.
///
/// # Panics
/// If it takes more, or too long.
pub fn within<T>(times: usize, bytes: &[u8], read: impl FnOnce() -> T) -> T {
    watched(times * bytes.len() + FREE, bytes, read)
}

/// Runs `read`, which finds `bytes` in so many files. Each may take four times its size, and what it inflates to.
///
/// # Panics
/// If they take more, or too long.
pub fn within_inflated<T>(files: usize, bytes: &[u8], read: impl FnOnce() -> T) -> T {
    let most = files * bytes.len() * (4 + INFLATED) + LIBRARY;
    watched(most, bytes, read)
}

/// Runs `read`, which may take four times the memory of `bytes`, and `contents` bytes for what is in them.
///
/// # Panics
/// If it takes more, or too long.
pub fn within_contents<T>(contents: usize, bytes: &[u8], read: impl FnOnce() -> T) -> T {
    watched(4 * bytes.len() + LIBRARY + contents, bytes, read)
}

/// What the tensors of a checkpoint may take: four times what its deflated entries unpack to, if it has any.
pub fn unpacked(bytes: &[u8]) -> usize {
    let is_deflated = |entry: &[u8]| entry.starts_with(b"PK\x01\x02") && entry.get(10) == Some(&8);
    if bytes.windows(11).any(is_deflated) { 4 * INFLATED * bytes.len() } else { 0 }
}

fn watched<T>(most: usize, bytes: &[u8], read: impl FnOnce() -> T) -> T {
    MEMORY.reset_peak_usage();
    let (before, start) = (MEMORY.current_usage(), ProcessTime::now());
    let value = read();
    let (taken, time) = (MEMORY.peak_usage().saturating_sub(before), start.elapsed());
    let length = bytes.len();
    show(taken, most, time, length);
    assert!(
        taken <= most,
        "took {taken} bytes, at most {most}, for {length} bytes of input"
    );
    assert!(
        time <= LONGEST,
        "took {time:?}, at most {LONGEST:?}, for {length} bytes of input"
    );
    value
}

/// Prints what comes closer to its limits than everything before.
fn show(taken: usize, most: usize, time: Duration, length: usize) {
    static SHARE: AtomicUsize = AtomicUsize::new(0);
    static MILLIS: AtomicUsize = AtomicUsize::new(100);
    let share = (taken as f64 / most as f64 * 1000.0) as usize;
    let millis = time.as_millis() as usize;
    let is_most = |known: &AtomicUsize, now| now > known.fetch_max(now, Ordering::Relaxed);
    if is_most(&SHARE, share) | is_most(&MILLIS, millis) {
        eprintln!("most so far: {taken} of {most} bytes, {millis} ms, for {length} bytes of input");
    }
}
