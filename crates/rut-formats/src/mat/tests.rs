//! MAT-files of both byte orders, compressed and not, and hostile ones.

use std::io::Cursor;

use rut_testkit::mat::ByteOrder::{Big, Little};
use rut_testkit::mat::Writer;

use super::array::{Array, Values};
use super::file::variables;
use crate::Fault;

fn read<const N: usize>(file: &[u8], names: [&str; N]) -> Result<[Array; N], Fault> {
    variables(Cursor::new(file), file.len() as u64, names)
}

fn assert_says(file: &[u8], texts: &[&str]) {
    let fault = read(file, ["x"]).expect_err("a fault");
    let message = fault.to_string();
    for text in texts {
        assert!(message.contains(text), "no '{text}' in: {message}");
    }
}

/// A file of one array `x` in one of the forms.
fn one(class: u32, dims: &[u32], values: &[u8]) -> Vec<u8> {
    let writer = Writer(Little);
    writer.file(&[writer.matrix(class, dims, "x", values)])
}

#[test]
fn arrays_of_all_kinds_are_read_in_both_orders() {
    for order in [Little, Big] {
        let w = Writer(order);
        let number = |name, value| w.matrix(9, &[1, 1], name, &w.element(2, &[value]));
        let cells = [w.text("", "ab"), w.element(14, &[]), w.text("", "é☃")].concat();
        let values = [
            w.text("", "a.jpg"),
            number("", 3),
            w.text("", "b.jpg"),
            number("", 4),
        ];
        let elements = [
            number("skipped", 1),
            w.matrix(1, &[1, 3], "cells", &cells),
            w.records("records", &["fname", "class"], &values),
            w.matrix(6, &[2, 0], "none", &w.element(9, &[])),
            w.matrix(
                8,
                &[2, 2, 2],
                "cube",
                &w.element(1, &[1, 2, 3, 4, 5, 6, 7, 0xff]),
            ),
        ];
        let compressed: Vec<Vec<u8>> = elements.iter().map(|e| w.compressed(e)).collect();
        for elements in [elements.to_vec(), compressed] {
            let names = ["cube", "cells", "records", "none"];
            let [cube, cells, records, none] = read(&w.file(&elements), names).unwrap();
            assert_eq!(cube.describe(), "a 2x2x2 array of numbers");
            assert_eq!(cube.numbers().unwrap().integers().last(), Some(Some(-1)));
            let texts: Vec<_> = cells.cells().unwrap().iter().map(Array::text).collect();
            assert_eq!(texts, [Some("ab"), None, Some("é☃")]);
            let files = records.field("fname").unwrap().map(Array::text);
            assert_eq!(files.collect::<Vec<_>>(), [Some("a.jpg"), Some("b.jpg")]);
            let classes = records.field("class").unwrap().map(Array::integer);
            assert_eq!(classes.collect::<Vec<_>>(), [Some(3), Some(4)]);
            assert!(records.field("box").is_none() && records.numbers().is_none());
            assert_eq!(none.numbers().unwrap().len(), 0);
        }
    }
}

#[test]
fn numbers_keep_the_type_in_which_they_are_stored() {
    let numbers = |kind: u32, bytes: &[u8]| {
        let w = Writer(Little);
        // A double: its class does not determine how it is stored.
        let file = w.file(&[w.matrix(6, &[1, 2], "x", &w.element(kind, bytes))]);
        let [x] = read(&file, ["x"]).unwrap();
        let found = x.numbers().unwrap().integers().collect::<Vec<_>>();
        let is_bytes = match x.values {
            Values::Numbers(numbers) => numbers.into_bytes().is_some(),
            _ => false,
        };
        (found, is_bytes)
    };
    assert_eq!(numbers(2, &[1, 255]), (vec![Some(1), Some(255)], true));
    assert_eq!(numbers(1, &[1, 255]), (vec![Some(1), Some(-1)], false));
    assert_eq!(numbers(4, &[0, 1, 255, 255]).0, [Some(256), Some(65_535)]);
    assert_eq!(numbers(3, &[0, 1, 255, 255]).0, [Some(256), Some(-1)]);
    assert_eq!(numbers(5, &[255; 8]).0, [Some(-1); 2]);
    assert_eq!(numbers(6, &[255; 8]).0, [Some(0xffff_ffff); 2]);
    assert_eq!(numbers(12, &[255; 16]).0, [Some(-1); 2]);
    assert_eq!(numbers(13, &[255; 16]).0, [None; 2]);
    let floats = [1.0_f32, 0.5].map(f32::to_le_bytes).concat();
    assert_eq!(numbers(7, &floats).0, [Some(1), None]);
    let doubles = [-3.0, f64::NAN].map(f64::to_le_bytes).concat();
    assert_eq!(numbers(9, &doubles).0, [Some(-3), None]);
}

#[test]
fn other_versions_say_what_to_do() {
    let mut file = one(9, &[1, 1], &[]);
    file[124..128].copy_from_slice(b"\0\x02IM");
    assert_says(&file, &["header: expected", "version 7.3", "'-v7'"]);
    assert_says(b"\x89HDF\r\n\x1a\n and more", &["version 7.3"]);
    let version_4 = [&[0, 0, 0, 0, 1, 0, 0, 0][..], &[0; 200]].concat();
    assert_says(&version_4, &["version 4", "'-v7'"]);
    assert_says(&[b'a'; 300], &["a MAT-file of version 5", "another file"]);
    assert_says(b"MATLAB", &["fewer than 128 bytes"]);
    assert_says(b"", &["fewer than 128 bytes"]);
}

#[test]
fn broken_files_are_named() {
    let w = Writer(Little);
    let byte = w.element(2, &[7]);
    let good = one(9, &[1, 1], &byte);
    assert!(read(&good, ["x"]).is_ok());
    assert_says(
        &good[..good.len() - 1],
        &["element at byte 128", "at most 47 bytes", "fetch it again"],
    );
    assert_says(&good[..140], &["element at byte 128", "at most 4 bytes"]);
    assert_says(
        &w.file(&[w.text("y", "a"), w.text("z", "b")]),
        &["variable 'x'", "others: y, z"],
    );
    assert_says(&w.file(&[w.element(3, &[0; 16])]), &["type 3"]);
    assert_says(
        &one(9, &[1, 2], &byte),
        &["variable 'x'", "2 numbers of 1 bytes", "1 bytes"],
    );
    assert_says(
        &one(9, &[1, 1], &w.element(11, &[1])),
        &["elements of type 11"],
    );
    assert_says(&one(9, &[1, u32::MAX], &byte), &["a negative one"]);
    assert_says(&one(9, &[1; 9], &byte), &["at most 32 bytes"]);
    assert_says(&one(9, &[0x7fff_ffff; 3], &byte), &["too many elements"]);
    assert_says(&one(9 | 1 << 11, &[1, 1], &byte), &["complex"]);
    assert_says(&one(5, &[1, 1], &byte), &["class 5", "sparse"]);
    assert_says(&one(1, &[1, 1], &byte), &["an array", "type 2"]);
    assert_says(
        &one(4, &[1, 2], &w.element(16, &[0xff, 0xfe])),
        &["2 characters"],
    );
    assert_says(
        &one(4, &[1, 3], &w.element(4, &[65, 0])),
        &["3 characters", "1 of type 4"],
    );
    let no_fields = [w.element(5, &w.word(0)), w.element(1, &[])].concat();
    assert_says(&one(2, &[1, 1], &no_fields), &["names of at most"]);
    let mut damaged = w.file(&[w.compressed(&w.matrix(9, &[1, 1], "x", &byte))]);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_says(&damaged, &["variable 'x'", "damaged ones"]);
    damaged[136] ^= 0xff;
    assert_says(&damaged, &["element at byte 128", "damaged ones"]);
}

#[test]
fn bombs_do_not_go_off() {
    let w = Writer(Little);
    // A few bytes that declare four gigabytes.
    let declares = [w.word(14), w.word(u32::MAX)].concat();
    assert_says(
        &w.file(&[w.compressed(&declares)]),
        &["4294967295 declared", "hostile"],
    );
    let declares = [w.word(2), w.word(u32::MAX)].concat();
    assert_says(
        &one(9, &[1, u32::MAX / 2], &declares),
        &["an element of at most"],
    );
    // An array of more than two gigabytes, of which nothing is read, and one of fewer, of which as much as comes.
    let declares = [w.word(14), w.word((2 << 30) + 8)].concat();
    let mut bomb = w.compressed(&declares);
    bomb.resize(4 << 20, 0);
    bomb[4..8].copy_from_slice(&w.word((4 << 20) - 8));
    assert_says(
        &w.file(&[bomb]),
        &["at most 2147483648 bytes", "2147483656 declared"],
    );
    let text = w.matrix(4, &[1, 1 << 21], "x", &w.element(2, &[b'a'; 1 << 21]));
    assert_says(
        &w.file(&[w.compressed(&text)]),
        &["variable 'x'", "at most 1048576 bytes", "2097152"],
    );
    // Cells in cells in cells.
    let mut deep = w.matrix(9, &[1, 1], "", &w.element(2, &[7]));
    for _ in 0..40 {
        deep = w.matrix(1, &[1, 1], "x", &deep);
    }
    assert_says(&w.file(&[deep]), &["at most 16 arrays in each other"]);
    // More empty cells than there are arrays in any file, and records without end.
    let cells = w.element(14, &[]).repeat(1 << 18);
    assert_says(
        &w.file(&[w.compressed(&w.matrix(1, &[1, 1 << 18], "x", &cells))]),
        &["at most 262144 arrays and fields"],
    );
    // Structs without records, of as many fields as there may be.
    let fields = [w.element(5, &w.word(1)), w.element(1, &[b'a'; 1024])].concat();
    let structs = w.matrix(2, &[0, 0], "", &fields).repeat(1025);
    let structs = w.matrix(1, &[1, 1025], "x", &structs);
    assert_says(&w.file(&[w.compressed(&structs)]), &["arrays and fields"]);
    assert_says(&one(1, &[1, 0x7fff_ffff], &[]), &["truncated"]);
}

#[test]
fn damaged_files_do_no_harm() {
    let w = Writer(Little);
    let values = [
        w.text("", "a.jpg"),
        w.matrix(6, &[1, 1], "", &w.element(9, &[0; 8])),
    ];
    let plain = w.records("x", &["fname", "class"], &values);
    let cells = w.matrix(1, &[1, 1], "x", &plain);
    let mut state = 1_u32;
    for element in [&plain, &cells, &w.compressed(&plain)] {
        let file = w.file(std::slice::from_ref(element));
        for at in 120..file.len() {
            assert!(read(&file[..at], ["x"]).is_err());
            for _ in 0..16 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut damaged = file.clone();
                damaged[at] = (state >> 24) as u8;
                let _ = read(&damaged, ["x"]);
            }
        }
    }
}
