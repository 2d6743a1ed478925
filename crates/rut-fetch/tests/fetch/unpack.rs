//! Archives that are fine, damaged and hostile.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rut_fetch::{Contents, Error, Job, Limits, Space, place, unpack};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An entry of a tar file exactly as given, whatever the tar crate thinks of the name.
fn entry(name: &str, kind: EntryType, content: &[u8]) -> (Header, Vec<u8>) {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    (header, content.to_vec())
}

fn tar_gz(entries: &[(Header, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (header, content) in entries {
        builder.append(header, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn file(name: &str, content: &str) -> (Header, Vec<u8>) {
    entry(name, EntryType::Regular, content.as_bytes())
}

/// A folder with an archive in it, and a place to unpack it.
struct Trial {
    folder: TempDir,
    archive: PathBuf,
}

impl Trial {
    fn of(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join(name);
        fs::write(&archive, bytes).unwrap();
        Self { folder, archive }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("inner").join("into")
    }

    fn run(&self) -> Result<Contents, String> {
        self.run_as(&Job::default())
            .map_err(|error| format!("{error}"))
    }

    fn run_as(&self, job: &Job) -> Result<Contents, Error> {
        fs::create_dir(self.folder.path().join("inner")).unwrap();
        let bytes = fs::metadata(&self.archive).unwrap().len();
        unpack(
            &self.archive,
            &self.target(),
            Limits::of_archive(bytes),
            job,
        )
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.target().join(path)).unwrap()
    }
}

/// Asserts that the archive is refused with `reason` and left nothing beside the folder it went to.
fn refused(name: &str, bytes: &[u8], reason: &str) {
    let trial = Trial::of(name, bytes);
    let error = trial.run().unwrap_err();
    assert!(error.contains(reason), "{error}");
    let outside: Vec<_> = fs::read_dir(trial.folder.path().join("inner"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(outside, [trial.target()]);
}

#[test]
fn a_tar_is_unpacked() {
    let folder = entry("a/empty/", EntryType::Directory, b"");
    let bytes = tar_gz(&[file("./a/b.txt", "b"), folder, file("c.txt", "c")]);
    for name in ["x.tar.gz", "x.tgz"] {
        let trial = Trial::of(name, &bytes);
        trial.run().unwrap();
        assert_eq!(
            (trial.read("a/b.txt").as_str(), trial.read("c.txt").as_str()),
            ("b", "c")
        );
        assert!(trial.target().join("a/empty").is_dir());
    }
}

#[test]
fn long_names_are_unpacked() {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let name = format!("{}/a.txt", "long".repeat(40));
    let mut header = Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, &name, b"a".as_slice())
        .unwrap();
    let trial = Trial::of("x.tar.gz", &builder.into_inner().unwrap().finish().unwrap());
    trial.run().unwrap();
    assert_eq!(trial.read(&name), "a");
}

fn zip_of(fill: impl FnOnce(&mut ZipWriter<File>)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zip");
    let mut writer = ZipWriter::new(File::create(&path).unwrap());
    fill(&mut writer);
    writer.finish().unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_zip_is_unpacked() {
    let bytes = zip_of(|writer| {
        writer
            .add_directory("a", SimpleFileOptions::default())
            .unwrap();
        writer
            .start_file("a/b.txt", SimpleFileOptions::default())
            .unwrap();
        writer.write_all("b".repeat(1000).as_bytes()).unwrap();
    });
    let trial = Trial::of("x.zip", &bytes);
    trial.run().unwrap();
    assert_eq!(trial.read("a/b.txt"), "b".repeat(1000));
}

#[test]
fn a_file_that_is_no_archive_is_the_data() {
    let trial = Trial::of("train_32x32.mat", b"MATLAB");
    trial.run().unwrap();
    assert_eq!(trial.read("train_32x32.mat"), "MATLAB");
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    refused(
        "x.tar.gz",
        &tar_gz(&[file("a", ""), file("../evil", "x")]),
        "refused `../evil`: it climbs",
    );
    refused(
        "x.tar.gz",
        &tar_gz(&[file("a/../../evil", "x")]),
        "refused `a/../../evil`",
    );
    refused(
        "x.tar.gz",
        &tar_gz(&[file("/evil", "x")]),
        "refused `/evil`: an absolute path",
    );
    // The zip crate writes no such name, so that it is patched in.
    let fine = zip_of(|writer| {
        writer
            .start_file("aa/evil", SimpleFileOptions::default())
            .unwrap()
    });
    let evil = String::from_utf8_lossy(&fine).matches("aa/evil").count();
    assert_eq!(evil, 2, "once at the file and once in the directory");
    refused(
        "x.zip",
        &replace(&fine, b"aa/evil", b"../evil"),
        "refused `../evil`: it climbs",
    );
    refused(
        "x.zip",
        &replace(&fine, b"aa/evil", b"/a/evil"),
        "refused `/a/evil`: an absolute path",
    );
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    for at in 0..=out.len() - from.len() {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
        }
    }
    out
}

#[test]
fn links_and_devices_are_refused() {
    refused(
        "x.tar.gz",
        &tar_gz(&[entry("a", EntryType::Symlink, b"")]),
        "refused `a`: a link",
    );
    refused(
        "x.tar.gz",
        &tar_gz(&[entry("a", EntryType::Link, b"")]),
        "refused `a`: a link",
    );
    refused(
        "x.tar.gz",
        &tar_gz(&[entry("a", EntryType::Fifo, b"")]),
        "refused `a`: neither a file nor a folder",
    );
    let link = zip_of(|writer| {
        writer
            .add_symlink("a", "/etc/passwd", SimpleFileOptions::default())
            .unwrap()
    });
    refused("x.zip", &link, "refused `a`: a link");
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 80 << 20];
    let bomb = tar_gz(&[entry("zeros", EntryType::Regular, &zeros)]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let limits = |archive: &Path, into: &Path, limits| {
        format!(
            "{}",
            unpack(archive, into, limits, &Job::default()).unwrap_err()
        )
    };
    let trial = Trial::of("x.tar.gz", &bomb);
    let small = Limits {
        bytes: 64 << 20,
        members: 10,
    };
    let error = limits(&trial.archive, &trial.folder.path().join("a"), small);
    assert!(error.contains("far more than a data set would"), "{error}");
    let many: Vec<_> = (0..11).map(|n| file(&n.to_string(), "")).collect();
    let trial = Trial::of("x.tar.gz", &tar_gz(&many));
    let error = limits(&trial.archive, &trial.folder.path().join("a"), small);
    assert!(error.contains("too many files"), "{error}");
}

/// A member that describes the next one by `length` bytes of zeros, and that one.
fn described(kind: EntryType, length: usize) -> Vec<u8> {
    tar_gz(&[entry("@", kind, &vec![0; length]), file("a", "a")])
}

#[test]
fn long_descriptions_of_a_file_are_refused() {
    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
    ] {
        refused("x.tar.gz", &described(kind, 2 << 20), "more than 1 MiB");
    }
    let global = described(EntryType::XGlobalHeader, 2 << 20);
    refused("x.tar.gz", &global, "a PAX header of 2097152 bytes");
    let mut long = entry("@", EntryType::GNULongName, &[b'a'; 5000]);
    refused(
        "x.tar.gz",
        &tar_gz(&[long, file("a", "a")]),
        "a name of 5000 bytes",
    );
    // Content is no description: files may be long, and what is passed over, too.
    long = entry("._litter", EntryType::Regular, &vec![0; 3 << 20]);
    let trial = Trial::of("x.tar.gz", &tar_gz(&[long, file("a", "a")]));
    trial.run().unwrap();
    assert_eq!(trial.read("a"), "a");
}

#[test]
fn sparse_files_are_refused() {
    let record = b"22 GNU.sparse.major=1\n";
    let sparse = tar_gz(&[entry("@", EntryType::XHeader, record), file("a", "a")]);
    refused("x.tar.gz", &sparse, "refused `a`: a sparse file");
    let (mut header, content) = entry("a", EntryType::GNUSparse, b"");
    header.as_gnu_mut().unwrap().set_real_size(0);
    header.set_cksum();
    let old = tar_gz(&[(header, content)]);
    refused("x.tar.gz", &old, "refused `a`: neither a file nor a folder");
}

#[test]
fn files_of_a_zip_that_lie_over_each_other_are_refused() {
    let one = zip_of(|writer| {
        let plain = SimpleFileOptions::default();
        writer.start_file("a", plain).unwrap();
        writer.write_all(&[7; 5000]).unwrap();
        writer.shallow_copy_file("a", "b").unwrap();
    });
    refused("x.zip", &one, "lie over each other");
}

#[test]
fn more_files_than_an_archive_has_room_for_are_refused() {
    // The longest names there are: ten thousand of them pack into little.
    let folder = format!("{}/", "a".repeat(250)).repeat(15);
    let mut members = Vec::new();
    for at in 0..10_000 {
        let name = format!("{folder}{at}");
        members.push(entry("@", EntryType::GNULongName, name.as_bytes()));
        members.push(entry("a", EntryType::Directory, b""));
    }
    let bomb = tar_gz(&members);
    refused(
        "x.tar.gz",
        &bomb,
        "too many files for an archive of its size",
    );
}

#[test]
fn a_zip_that_lies_about_its_size_is_damaged() {
    let fine = zip_of(|writer| {
        writer
            .start_file("a", SimpleFileOptions::default())
            .unwrap();
        writer.write_all(&[7; 5000]).unwrap();
    });
    let lie = replace(&fine, &5000_u32.to_le_bytes(), &50_u32.to_le_bytes());
    assert!(lie != fine);
    assert!(Trial::of("x.zip", &lie).run().is_err());
}

#[test]
fn damaged_archives_are_errors() {
    let bytes = tar_gz(&[file("a", &"a".repeat(5000)), file("b", "b")]);
    for length in [0, 5, bytes.len() / 2, bytes.len() - 9] {
        let error = Trial::of("x.tar.gz", &bytes[..length]).run();
        assert!(
            error.is_err(),
            "the first {length} of {} bytes",
            bytes.len()
        );
    }
    let bytes = zip_of(|writer| {
        writer
            .start_file("a", SimpleFileOptions::default())
            .unwrap()
    });
    assert!(Trial::of("x.zip", &bytes[..bytes.len() / 2]).run().is_err());
}

#[test]
fn placing_keeps_what_is_there_and_replaces_files() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for (path, content) in [
        ("from/a/new/x", "1"),
        ("from/a/same", "1"),
        ("to/a/same", "0"),
        ("to/a/other", "0"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    place(&from, &to).unwrap();
    let read = |path: &str| fs::read_to_string(to.join(path)).unwrap();
    assert_eq!(
        [read("a/new/x"), read("a/same"), read("a/other")],
        ["1", "1", "0"]
    );
}

#[test]
fn placing_stops_at_a_folder_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::create_dir_all(&from).unwrap();
    fs::create_dir_all(to.join("a")).unwrap();
    fs::write(from.join("a"), "").unwrap();
    let error = place(&from, &to).unwrap_err().to_string();
    assert!(error.contains(": a folder is in the way"), "{error}");
}

/// A zip as a Mac packs it, with archives in it.
fn nested(inner: &[u8]) -> Vec<u8> {
    let plain = {
        let mut builder = Builder::new(Vec::new());
        let (header, content) = file("notes/a.txt", "notes");
        builder.append(&header, content.as_slice()).unwrap();
        builder.into_inner().unwrap()
    };
    zip_of(|writer| {
        for (name, content) in [
            ("set/classes.tar.gz", inner),
            ("set/notes.tar", &plain),
            ("set/readme.txt", b"read me"),
            ("__MACOSX/set/._classes.tar.gz", b"litter"),
            ("set/.DS_Store", b"litter"),
        ] {
            writer
                .start_file(name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(content).unwrap();
        }
    })
}

#[test]
fn archives_in_an_archive_are_unpacked_where_they_are() {
    let deepest = tar_gz(&[file("deep.txt", "deep")]);
    let inner = tar_gz(&[
        file("classes/cat/1.jpg", "cat"),
        file("classes/cat/._1.jpg", "litter"),
        entry("classes/more.tgz", EntryType::Regular, &deepest),
    ]);
    let trial = Trial::of("x.zip", &nested(&inner));
    let contents = trial.run().unwrap();
    let names: Vec<_> = contents.keys().map(String::as_str).collect();
    let expected = [
        "set/classes/cat/1.jpg",
        // One level is unpacked, no more.
        "set/classes/more.tgz",
        "set/notes/a.txt",
        "set/readme.txt",
    ];
    assert_eq!(names, expected);
    assert_eq!(trial.read("set/classes/cat/1.jpg"), "cat");
    assert_eq!(contents["set/classes/cat/1.jpg"].bytes, 3);
    assert!(!trial.target().join("__MACOSX").exists());
    assert!(!trial.target().join("set/classes.tar.gz").exists());
    assert!(!trial.target().join("set/notes.tar").exists());
}

#[test]
fn what_is_refused_outside_is_refused_inside() {
    let climbs = tar_gz(&[file("../../../evil", "x")]);
    refused(
        "x.zip",
        &nested(&climbs),
        "refused `../../../evil`: it climbs",
    );
    // Out of its own folder but not out of the staging folder is out of its folder all the same.
    let climbs = tar_gz(&[file("../evil", "x")]);
    refused("x.zip", &nested(&climbs), "refused `../evil`: it climbs");
    let link = tar_gz(&[entry("a", EntryType::Symlink, b"")]);
    refused("x.zip", &nested(&link), "refused `a`: a link");
    refused("x.zip", &nested(b"no archive"), "unpack ");
    let zeros = vec![0; 80 << 20];
    let bomb = tar_gz(&[entry("zeros", EntryType::Regular, &zeros)]);
    refused("x.zip", &nested(&bomb), "far more than a data set would");
}

#[test]
fn a_full_disk_is_seen_before_the_first_file() {
    let bytes = tar_gz(&[file("a", &"a".repeat(3_000_000))]);
    let trial = Trial::of("x.tar.gz", &bytes);
    let job = Job {
        space: Space::of(|_| Ok(2_000_000)),
        ..Job::default()
    };
    let error = format!("{}", trial.run_as(&job).unwrap_err());
    let target = trial.target().display().to_string();
    for part in [target.as_str(), "3.0 MB needed, 2.0 MB free", "x.tar.gz"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(fs::read_dir(trial.target()).unwrap().count(), 0);
}

#[test]
fn unpacking_can_be_stopped() {
    let trial = Trial::of("x.tar.gz", &tar_gz(&[file("a", "a")]));
    let job = Job::default();
    job.stop.request();
    let error = trial.run_as(&job).unwrap_err();
    assert!(matches!(error, Error::Interrupted));
}

#[test]
fn contents_have_the_digests_of_the_files() {
    let trial = Trial::of(
        "x.tar.gz",
        &tar_gz(&[file("./a/b.txt", "abc"), file("a//b.txt", "abc")]),
    );
    let contents = trial.run().unwrap();
    assert_eq!(contents.len(), 1, "the same file twice");
    let content = &contents["a/b.txt"];
    // FIPS 180-2, appendix B.1.
    assert!(
        content.sha256.starts_with("ba7816bf8f01cfea"),
        "{content:?}"
    );
    assert_eq!(content.bytes, 3);
}
