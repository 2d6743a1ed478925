//! ABIDE against a sample of the real data and the paper's code, and the errors for broken files.

mod common;

use std::io::{Cursor, Write};

use common::{assert_says, json, shared, write};
use rut_data::{Dataset, Depth, Error, ImageRegion, ImageSet, find, open};
use tempfile::tempdir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Whether this program reads `abide.hdf5`.
const READS_HDF5: bool = cfg!(feature = "hdf5");
/// Values of a subject.
const VALUES: usize = 19_900;
/// The paper's code scales in f32 too; the numbers are written with all digits.
const ROUNDING: f64 = 1e-6;

/// The training and the test images, in the order of the file.
fn all(data: &Dataset) -> Vec<(String, u32, Vec<f32>)> {
    let of = |set: &ImageSet, index: usize| {
        let picture = set.decode(index).expect("an image");
        let label = set.labels()[index];
        (set.source(index), label, picture.values().to_vec())
    };
    let images = [&data.train, &data.test].map(|set| (0..set.len()).map(move |at| of(set, at)));
    let mut images: Vec<_> = images.into_iter().flatten().collect();
    let number = |source: &str| {
        source
            .split_once('#')
            .map(|(_, number)| number.parse::<usize>())
    };
    images.sort_by_key(|(source, ..)| (number(source).and_then(Result::ok), source.clone()));
    images
}

#[test]
fn the_table_s_line_says_how_the_images_lie() {
    let spec = find("ABIDE").expect("in the table");
    assert_eq!(spec.region, ImageRegion::UpperTriangle);
    assert_eq!(
        (spec.prompt_size, spec.classes),
        (200, ["autism", "control"].as_slice())
    );
    let counts = spec.counts();
    assert_eq!(
        (counts.train + counts.test, spec.is_bundled()),
        (1_035, false)
    );
    let nothing = tempdir().expect("a folder");
    assert_says(
        open("abide", nothing.path()),
        &["abide.npz", "data/README.md, section ABIDE", "`data_dir`"],
    );
}

fn assert_as_the_paper_s(data: &Dataset, expected: &serde_json::Value) {
    let images = all(data);
    let labels: Vec<u32> = images.iter().map(|(_, label, _)| *label).collect();
    let targets: Vec<u32> = serde_json::from_value(expected["targets"].clone()).expect("targets");
    assert_eq!(labels, targets);
    for first in expected["first"].as_array().expect("samples") {
        let values = &images[first["index"].as_u64().expect("an index") as usize].2;
        let number = |name: &str| first[name].as_f64().expect("a number");
        let close =
            |found: f64, want: f64| assert!((found - want).abs() <= ROUNDING, "{found} {want}");
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
        close(mean, number("mean"));
        close(
            values.iter().copied().fold(f32::MAX, f32::min).into(),
            number("min"),
        );
        close(
            values.iter().copied().fold(f32::MIN, f32::max).into(),
            number("max"),
        );
        let row = first["row0_first5_after_norm"].as_array().expect("values");
        for (found, want) in values[1..].iter().zip(row) {
            close((*found).into(), want.as_f64().expect("a number"));
        }
        let below = (0..200 * 200).filter(|at| at % 200 <= at / 200);
        assert!(below.clone().all(|at| values[at] == 0.0) && below.count() == 20_100);
    }
}

#[test]
fn the_hdf5_file_is_read_as_the_paper_s_code_does() {
    let Some(folder) = shared("datasets/abide") else {
        return;
    };
    let expected = json(&folder.join("expected.json"));
    if !READS_HDF5 {
        let says = [
            "expected a build that reads HDF5 files",
            "--features hdf5",
            "abide.npz",
            "data/README.md",
        ];
        return assert_says(open("abide", &folder), &says);
    }
    let data = open("abide", &folder).expect("the sample");
    assert_eq!((data.train.len(), data.test.len()), (10, 2));
    assert_eq!(
        (data.train.depth(), data.region),
        (Depth::Real, ImageRegion::UpperTriangle)
    );
    assert_as_the_paper_s(&data, &expected);
    for (index, (source, ..)) in all(&data).iter().enumerate() {
        let id = expected["keys"][index].as_str().expect("an id");
        assert_eq!(*source, format!("abide.hdf5 {id}"));
    }
}

#[test]
fn what_is_no_hdf5_file_is_refused() {
    let folder = tempdir().expect("a folder");
    write(
        folder.path().join("abide.hdf5"),
        b"\x89HDF\r\n\x1a\nand no more",
    );
    let opened = open("abide", folder.path());
    if READS_HDF5 {
        assert_says(opened, &["abide.hdf5, start", "expected an HDF5 file"])
    } else {
        assert_says(opened, &["expected a build that reads HDF5 files"])
    }
}

/// A NumPy file of these elements.
fn npy(descr: &str, order: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        length.as_slice(),
        header.as_bytes(),
        elements,
    ]
    .concat()
}

/// Writes `abide.npz` of these arrays, and opens it.
fn npz(arrays: &[(&str, Vec<u8>)]) -> Result<Dataset, Error> {
    let folder = tempdir().expect("a folder");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default();
        archive
            .start_file(format!("{name}.npy"), options)
            .and_then(|()| Ok(archive.write_all(bytes)?))
            .expect("a member");
    }
    let bytes = archive.finish().expect("an archive").into_inner();
    write(folder.path().join("abide/abide.npz"), &bytes);
    open("abide", folder.path())
}

/// Value `at` of a subject: all differ, some are negative.
fn value(subject: usize, at: usize) -> f32 {
    ((at * 7919 + subject * 104_729) % 20_011) as f32 / 20_010.0 * 1.8 - 0.9
}

fn values(subjects: usize) -> Vec<f32> {
    let of = |subject| (0..VALUES).map(move |at| value(subject, at));
    (0..subjects).flat_map(of).collect()
}

fn shape(subjects: usize) -> String {
    format!("({subjects}, {VALUES})")
}

/// Labels and f32 values.
fn small(labels: &[u8], values: &[f32]) -> Result<Dataset, Error> {
    let values: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    npz(&[
        ("cc200", npy("<f4", "False", &shape(labels.len()), &values)),
        (
            "y",
            npy("|u1", "False", &format!("({},)", labels.len()), labels),
        ),
    ])
}

#[test]
fn values_stand_above_the_diagonal_row_by_row() {
    let data = small(&[0, 1, 1, 0], &values(4)).expect("a sound file");
    assert_eq!((data.train.len(), data.test.len()), (2, 2));
    assert_eq!(data.test.class_counts(2), [1, 1]);
    let images = all(&data);
    assert_eq!(images[3].0, "abide.npz #3");
    assert_eq!(
        images.iter().map(|image| image.1).collect::<Vec<_>>(),
        [0, 1, 1, 0]
    );
    for (subject, (_, _, image)) in images.iter().enumerate() {
        let own = |at| value(subject, at);
        let all: Vec<f32> = (0..VALUES).map(own).collect();
        let low = all.iter().copied().fold(f32::MAX, f32::min);
        let high = all.iter().copied().fold(f32::MIN, f32::max);
        for (row, column, at) in [
            (0, 1, 0),
            (0, 199, 198),
            (1, 2, 199),
            (198, 199, VALUES - 1),
        ] {
            let want = (own(at) - low) / (high - low);
            assert_eq!(image[row * 200 + column], want, "({row}, {column})");
        }
    }
}

#[test]
fn arrays_of_other_types_and_orders_are_the_same_images() {
    let want = all(&small(&[0, 1], &values(2)).expect("a sound file"));
    let wide: Vec<u8> = values(2)
        .iter()
        .flat_map(|&value| f64::from(value).to_be_bytes())
        .collect();
    let columns: Vec<u8> = (0..VALUES)
        .flat_map(|at| [value(0, at), value(1, at)])
        .flat_map(f32::to_le_bytes)
        .collect();
    let labels = npy(
        "<i8",
        "False",
        "(2,)",
        &[0i64, 1].map(i64::to_le_bytes).concat(),
    );
    for values in [
        npy(">f8", "False", &shape(2), &wide),
        npy("<f4", "True", &shape(2), &columns),
    ] {
        let ids = npy("<U1", "False", "(2,)", b"a\0\0\0b\0\0\0");
        let data = npz(&[("cc200", values), ("y", labels.clone()), ("id", ids)]);
        assert_eq!(all(&data.expect("a sound file")), want);
    }
}

#[test]
fn a_matrix_of_positive_values_is_scaled_from_its_zeros() {
    let values: Vec<f32> = values(1).iter().map(|value| value + 1.0).collect();
    let images = all(&small(&[1], &values).expect("a sound file"));
    let high = values.iter().copied().fold(0.0, f32::max);
    assert_eq!(images[0].2[1], values[0] / high);
}

#[test]
fn broken_npz_files_are_refused() {
    let with = |at: usize, value: f32| {
        let mut values = values(2);
        values[VALUES + at] = value;
        small(&[0, 1], &values)
    };
    assert_says(
        with(3, f32::NAN),
        &["subject #1", "finite", "NaN at place 3"],
    );
    assert_says(
        with(0, f32::NEG_INFINITY),
        &["subject #1", "-inf at place 0"],
    );
    let mut huge = values(1);
    (huge[0], huge[1]) = (f32::MAX, f32::MIN);
    assert_says(small(&[0], &huge), &["subject #0", "3.4028235e38"]);
    for constant in [0.0, 0.25] {
        let says = ["subject #0", "correlations that differ", "throughout"];
        assert_says(small(&[0], &[constant; VALUES]), &says);
    }
    let says = ["y, subject #1", "0 (autism) or 1 (control)", "found 2"];
    assert_says(small(&[1, 2], &values(2)), &says);
    assert_says(small(&[], &[]), &["expected at least one", "found none"]);
    assert_says(small(&[0, 1, 0], &values(2)), &["abide.npz", "cc200"]);
    let labels = || ("y", npy("|u1", "False", "(2,)", &[0, 1]));
    assert_says(npz(&[labels()]), &["cc200.npy", "expected this array"]);
    let short = ("cc200", npy("<f4", "False", "(2, 3)", &[0; 24]));
    assert_says(
        npz(&[labels(), short]),
        &["shape [2, 19900]", "found shape [2, 3]"],
    );
    let whole = npy("<i4", "False", &shape(2), &[0; 2 * 4 * VALUES]);
    assert_says(
        npz(&[labels(), ("cc200", whole)]),
        &["f32 or f64", "other numbers"],
    );
    let table = ("y", npy("|u1", "False", "(2, 1)", &[0, 1]));
    assert_says(npz(&[table]), &["y", "along one axis", "[2, 1]"]);
    let real = ("y", npy("<f4", "False", "(1,)", &[0; 4]));
    assert_says(npz(&[real]), &["y, subject #0", "no whole number"]);
}

/// The lines of `data/README.md`, in Rust.
#[cfg(feature = "hdf5")]
#[test]
fn both_forms_give_the_same_images_and_the_same_split() {
    let Some(folder) = shared("datasets/abide") else {
        return;
    };
    let file = hdf5_reader::Hdf5File::open(folder.join("abide.hdf5")).expect("a file");
    let patients = file.group("patients").expect("a group");
    let mut ids = patients.member_names().expect("names").0;
    ids.sort_unstable();
    let (mut y, mut values) = (Vec::new(), Vec::new());
    for id in &ids {
        let patient = patients.group(id).expect("a group");
        y.push(
            patient
                .attribute("y")
                .and_then(|y| y.read_as_f64())
                .expect("a label") as u8,
        );
        let own = patient.dataset("cc200").and_then(|d| d.read_array::<f32>());
        values.extend(own.expect("values"));
    }
    let npz = small(&y, &values).expect("a sound file");
    let hdf5 = open("abide", &folder).expect("the sample");
    for (a, b) in [(npz.train, hdf5.train), (npz.test, hdf5.test)] {
        assert_eq!(a.digest().expect("a digest"), b.digest().expect("a digest"));
    }
}
