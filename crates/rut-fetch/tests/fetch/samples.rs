//! Archives, tables and sessions for the tests.

use flate2::Compression;
use flate2::write::GzEncoder;
use rut_data::{Archive, DatasetSpec};

use crate::home::digests;
pub(crate) use crate::home::of;

/// A tar.gz of these files.
pub(crate) fn tar_gz(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A row of a table of archives; its publisher gives an MD5.
pub(crate) fn archive(file: &'static str, bytes: &[u8]) -> Archive {
    Archive {
        url: "http://127.0.0.1:1/never",
        file,
        md5: Some(digests(bytes).md5.leak()),
        sha256: None,
        unpack_into: "sets",
    }
}

/// A row of the table of data sets.
pub(crate) fn spec(name: &'static str, archives: Vec<Archive>) -> DatasetSpec {
    DatasetSpec {
        name,
        archives: archives.leak(),
        ..*rut_data::find("cifar10").unwrap()
    }
}
