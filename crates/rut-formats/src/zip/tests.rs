//! Archives of all writers, and hostile ones.

use std::io::Cursor;

use super::Zip;
use super::sample::{End, Sample, archive};
use crate::Fault;

fn read(bytes: &[u8], name: &str) -> Result<Vec<u8>, Fault> {
    let mut zip = Zip::open(Cursor::new(bytes))?;
    let entry = zip.find(name.as_bytes()).expect(name).clone();
    zip.read(&entry, 1 << 20)
}

fn says(bytes: &[u8], text: &str) {
    let fault = read(bytes, "a").expect_err(text).to_string();
    assert!(fault.contains(text), "no '{text}' in: {fault}");
}

fn samples() -> Vec<Sample> {
    let long = Sample {
        long: true,
        ..Sample::deflated("folder/c", &[7; 5000])
    };
    let streamed = Sample {
        flags: 1 << 3,
        ..Sample::stored("d", b"behind")
    };
    vec![
        Sample::stored("a", b"stored"),
        Sample::deflated("b", b"deflated"),
        long,
        streamed,
    ]
}

#[test]
fn archives_of_all_forms_are_read() {
    for end in [End::Short, End::Both, End::Long] {
        let plain = archive(&samples(), end);
        let mut commented = plain.clone();
        let comment = b"a comment that holds PK\x05\x06 and twenty bytes more, really";
        let at = commented.len() - 2;
        commented[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        commented.extend(comment);
        let forms = [
            [b"#!/bin/sh\nexec something\n".as_slice(), &plain].concat(),
            [plain.as_slice(), &[0; 4096]].concat(),
            [plain.as_slice(), b"\n"].concat(),
            commented,
            plain,
        ];
        for bytes in &forms {
            assert_eq!(read(bytes, "a").unwrap(), b"stored");
            assert_eq!(read(bytes, "b").unwrap(), b"deflated");
            assert_eq!(read(bytes, "folder/c").unwrap(), [7; 5000]);
            assert_eq!(read(bytes, "d").unwrap(), b"behind");
        }
    }
}

#[test]
fn names_of_all_lengths_are_found() {
    for length in 1..=200 {
        let name = "n".repeat(length);
        let entries = [Sample::stored(&name, b"1"), Sample::stored("z", b"2")];
        for end in [End::Short, End::Both, End::Long] {
            assert_eq!(
                read(&archive(&entries, end), &name).unwrap(),
                b"1",
                "{length}"
            );
        }
    }
}

#[test]
fn an_archive_without_entries_is_one() {
    for end in [End::Short, End::Both, End::Long] {
        assert!(
            Zip::open(Cursor::new(archive(&[], end)))
                .unwrap()
                .entries()
                .is_empty()
        );
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let a = Sample::stored("a", b"contents");
    let one = |sample: Sample| archive(&[sample, Sample::stored("z", b"")], End::Both);
    says(
        &archive(&[a.clone(), a.clone()], End::Both),
        "one entry of this name, found two",
    );
    says(
        &one(Sample {
            local_name: b"b".to_vec(),
            ..a.clone()
        }),
        "found another name",
    );
    says(
        &one(Sample {
            crc: 1,
            ..a.clone()
        }),
        "contents with the checksum 00000001",
    );
    says(
        &one(Sample {
            size: 9,
            ..a.clone()
        }),
        "9 declared",
    );
    says(
        &one(Sample {
            flags: 1,
            ..a.clone()
        }),
        "found encrypted ones",
    );
    says(
        &one(Sample {
            method: 12,
            ..a.clone()
        }),
        "found bzip2; unpack the archive",
    );
    says(
        &one(Sample {
            method: 77,
            ..a.clone()
        }),
        "found method 77",
    );
    let deflated = Sample::deflated("a", &[0; 1000]);
    says(
        &one(Sample {
            size: 999,
            ..deflated.clone()
        }),
        "found more",
    );
    says(
        &one(Sample {
            size: 1001,
            ..deflated.clone()
        }),
        "fewer or damaged ones",
    );
    says(
        &one(Sample {
            size: 1 << 20,
            ..deflated
        }),
        "1048576 declared",
    );
    let huge = one(Sample {
        size: u64::MAX - 1,
        long: true,
        ..a.clone()
    });
    let mut zip = Zip::open(Cursor::new(&huge)).unwrap();
    let entry = zip.find(b"a").unwrap().clone();
    assert!(zip.read(&entry, u64::MAX).is_err());
    // Written without checksums, as PyTorch can.
    assert_eq!(
        read(&one(Sample { crc: 0, ..a }), "a").unwrap(),
        b"contents"
    );
}

#[test]
fn entries_over_each_other_are_refused() {
    let bytes = archive(&samples(), End::Short);
    let directory = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    let mut overlapping = bytes.clone();
    // The second entry's offset becomes the first's: 46 bytes and a name of one before it.
    let offset = directory + 47 + 42;
    overlapping[offset..offset + 4].copy_from_slice(&[0; 4]);
    says(&overlapping, "one over another");
    let mut outside = bytes;
    outside[offset..offset + 4].copy_from_slice(&0x00ff_ffff_u32.to_le_bytes());
    says(&outside, "no more than the file's");
}

#[test]
fn damaged_archives_do_no_harm() {
    let whole = archive(&samples(), End::Both);
    for at in 0..whole.len() {
        assert!(Zip::open(Cursor::new(&whole[..at])).is_err());
        for byte in [0, 0xff, whole[at] ^ 1, whole[at].wrapping_add(7)] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            let Ok(mut zip) = Zip::open(Cursor::new(damaged)) else {
                continue;
            };
            for entry in zip.entries().to_vec() {
                let _ = zip.read(&entry, 1 << 20);
            }
        }
    }
}

#[test]
fn a_directory_declares_no_more_than_it_holds() {
    let mut bytes = archive(&samples(), End::Long);
    let at = bytes
        .windows(4)
        .position(|four| four == b"PK\x06\x06")
        .unwrap();
    bytes[at + 32..at + 40].copy_from_slice(&u64::MAX.to_le_bytes());
    says(&bytes, "entries of 46 bytes or more");
}
