//! Pickles of pixels and labels, made here.

use super::*;

const LABELS: Labels<'_> = Labels {
    key: "names",
    classes: 2,
};

/// A pickle of `{"names": [name, name, …]}`, in which the name stands once.
fn pickle(name: &str, count: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x02}X\x05\0\0\0names](X".to_vec();
    bytes.extend((name.len() as u32).to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend(b"q\0");
    bytes.extend(b"h\0".repeat(count - 1));
    bytes.extend(b"es.");
    bytes
}

#[test]
fn names_are_counted_and_measured_before_they_are_copied() {
    let names = names_in(&pickle("ant", 2), LABELS);
    assert_eq!(names, Ok(vec!["ant".to_owned(); 2]));
    let many = names_in(&pickle("ant", 3), LABELS);
    let found = "3; this is another data set";
    assert_eq!(many, Err(Fault::new("names", "2 names", found)));
    let long = names_in(&pickle(&"a".repeat(257), 2), LABELS);
    let expected = "names of at most 256 bytes";
    let found = "one of 257; fetch the file again";
    assert_eq!(long, Err(Fault::new("names", expected, found)));
}
