//! Opening files that others name: only regular ones, and none longer than what is expected.
//!
//! A FIFO would wait for a writer for ever, a device may have no end or do something when it is opened, and what stands in
//! `/proc` may be either. So the kind is looked at before the file is opened, the opening never waits, and the kind is looked
//! at again on the handle, for a name may have come to mean something else in between.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The longest file that holds one image, in bytes: more than the largest image takes uncompressed.
pub const IMAGE: u64 = 1 << 30;
/// The longest text, list or table that is read whole, in bytes.
pub const TEXT: u64 = 1 << 30;
/// The longest file of weights, in bytes.
pub const WEIGHTS: u64 = 16 << 30;
/// The longest file of many images, in bytes; it is read in pieces.
pub const ARCHIVE: u64 = 1 << 40;

/// Opens a regular file of at most `cap` bytes for reading.
///
/// # Errors
/// Those of the operating system, with what was found where that is no regular file or a longer one.
pub fn open(path: impl AsRef<Path>, cap: u64) -> io::Result<File> {
    let file = open_with(OpenOptions::new().read(true), path)?;
    match file.metadata()?.len() {
        length if length > cap => Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("expected a file of at most {cap} bytes, found one of {length}"),
        )),
        _ => Ok(file),
    }
}

/// Opens a regular file as `options` say; one that is not there is made, if they say so.
///
/// # Errors
/// Those of the operating system, with what was found where that is no regular file.
pub fn open_with(options: &mut OpenOptions, path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    match std::fs::metadata(path) {
        Ok(found) => check(found.file_type())?,
        // Whether that is an error is for the options to say.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = never_waiting(options).open(path)?;
    check(file.metadata()?.file_type())?;
    Ok(file)
}

/// The bytes of a regular file, which are at most `cap`: as many as it had when it was opened.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("three.txt");
/// std::fs::write(&path, "abc")?;
/// assert_eq!(rut_formats::regular::read(&path, 3)?, b"abc");
/// assert!(rut_formats::regular::read(&path, 2).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`open`].
pub fn read(path: impl AsRef<Path>, cap: u64) -> io::Result<Vec<u8>> {
    let file = open(path, cap)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))
        .map_err(|_| {
            io::Error::new(
                ErrorKind::OutOfMemory,
                format!("{length} bytes are more than there is memory for"),
            )
        })?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read`], in UTF-8.
///
/// # Errors
/// As [`open`], and where the bytes are no UTF-8.
pub fn read_text(path: impl AsRef<Path>, cap: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, cap)?);
    text.map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// The options, such that opening a FIFO fails or returns at once; a regular file is opened as ever.
#[cfg(unix)]
fn never_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
}

#[cfg(not(unix))]
fn never_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn check(found: FileType) -> io::Result<()> {
    if found.is_file() {
        Ok(())
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!(
                "expected a regular file, found {}; name a file, or copy what is there into one",
                kind(found)
            ),
        ))
    }
}

#[cfg(unix)]
fn kind(found: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if found.is_dir() => "a folder",
        () if found.is_fifo() => "a FIFO",
        () if found.is_char_device() || found.is_block_device() => "a device",
        () if found.is_socket() => "a socket",
        () => "something else",
    }
}

#[cfg(not(unix))]
fn kind(found: FileType) -> &'static str {
    if found.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn says(result: io::Result<impl Sized>, text: &str) {
        let error = result.err().expect("an error").to_string();
        assert!(error.contains(text), "no '{text}' in: {error}");
    }

    #[test]
    fn what_is_no_regular_file_is_named_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
        assert!(made.success());
        let _listening = UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        symlink(at("fifo"), at("link")).unwrap();
        for (name, kind) in [
            ("fifo", "a FIFO"),
            ("link", "a FIFO"),
            ("socket", "a socket"),
            ("zero", "a device"),
            ("", "a folder"),
        ] {
            says(read(at(name), u64::MAX), kind);
            says(read_text(at(name), u64::MAX), kind);
            // As a lock or a log is opened.
            says(
                open_with(OpenOptions::new().append(true).create(true), at(name)),
                kind,
            );
        }
    }

    #[test]
    fn files_are_read_as_long_as_they_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        says(
            read(&path, IMAGE),
            "at most 1073741824 bytes, found one of 1099511627776",
        );
        // What `/proc` makes up while it is read has no length.
        if Path::new("/proc/self/status").exists() {
            assert_eq!(read(Path::new("/proc/self/status"), TEXT).unwrap(), b"");
        }
        assert_eq!(
            read(folder.path().join("none"), 1).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        std::fs::write(&path, [0xff]).unwrap();
        says(read_text(&path, 1), "UTF-8");
    }

    #[test]
    fn a_file_that_is_not_there_is_made_where_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        open_with(OpenOptions::new().write(true).create(true), &path).unwrap();
        assert_eq!(read(&path, 0).unwrap(), b"");
    }
}
