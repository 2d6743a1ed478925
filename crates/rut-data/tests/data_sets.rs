//! The data sets of the table against samples of the real ones, and the errors for broken ones.

mod common;

use std::path::Path;

use common::{assert_as_expected, assert_says, dot, json, shared, write};
use rut_data::{ClassRef, Counts, DATASETS, Dataset, find, open};
use tempfile::tempdir;

#[test]
fn the_table_is_sound() {
    for (at, spec) in DATASETS.iter().enumerate() {
        let same = |other: &&rut_data::DatasetSpec| other.name == spec.name;
        assert_eq!(DATASETS.iter().position(|other| same(&other)), Some(at));
        assert!(
            spec.name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
        let answers = [spec.name]
            .iter()
            .chain(spec.aliases)
            .all(|name| find(name).is_some());
        assert!(
            answers && spec.source.starts_with("https://"),
            "{}",
            spec.name
        );
        assert!(!spec.classes.is_empty() && !spec.splits.is_empty());
        for split in spec.splits {
            assert_eq!(
                spec.split(split.name).map(|found| found.about),
                Some(split.about)
            );
            let Counts { train, test, .. } = split.counts;
            assert!(split.counts == Counts::UNKNOWN || (train > 0 && test > 0));
            assert!(!split.forms.is_empty());
            let needs_files = |form: &rut_data::Form| !form.layout.is_empty();
            assert!(split.forms.iter().all(needs_files) != spec.is_bundled());
        }
        for archive in spec.archives {
            let length = archive.md5.map(str::len);
            assert!(archive.url.starts_with("https://") && matches!(length, None | Some(32)));
        }
    }
}

#[test]
fn cifar10_is_read_as_torchvision_does() {
    let Some(folder) = shared("datasets/cifar10") else {
        return;
    };
    let expected = json(&folder.join("expected.json"));
    let cifar = open("CIFAR-10", &folder).expect("the sample");
    assert_as_expected(&cifar.train, &expected["splits"]["train"]);
    assert_as_expected(&cifar.test, &expected["splits"]["test"]);
    assert_eq!(serde_json::json!(cifar.class_names), expected["classes"]);
    assert_eq!(cifar.train.source(81), "data_batch_2.bin #1");
    assert_eq!(
        (cifar.prompt_size, cifar.image_size.to_string()),
        (Some(32), "32x32".into())
    );
    let from_parent = open("cifar10", folder.parent().expect("a parent")).expect("the sample");
    let digests = [&cifar, &from_parent].map(|data| data.train.digest().expect("a digest"));
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn gtsrb_is_read_as_torchvision_does() {
    let Some(folder) = shared("datasets/gtsrb") else {
        return;
    };
    let expected = json(&folder.join("expected.json"));
    let signs = open("gtsrb", &folder).expect("the sample");
    assert_as_expected(&signs.train, &expected["splits"]["train"]);
    assert_as_expected(&signs.test, &expected["splits"]["test"]);
    assert_eq!(
        (signs.class_names.len(), signs.class_names[14].as_str()),
        (43, "stop")
    );
}

/// One record of a CIFAR file: a label, and a pixel value for each plane.
fn record(label: u8, planes: [u8; 3]) -> Vec<u8> {
    [
        vec![label],
        planes.iter().flat_map(|&value| vec![value; 1024]).collect(),
    ]
    .concat()
}

/// A CIFAR-10 of one record a file, and what `change` makes of it.
fn small_cifar(change: impl Fn(&Path)) -> Result<Dataset, rut_data::Error> {
    let folder = tempdir().expect("a folder");
    let below = folder.path().join("cifar-10-batches-bin");
    for batch in 1..=5 {
        write(
            below.join(format!("data_batch_{batch}.bin")),
            &record(batch, [batch, 9, 200]),
        );
    }
    write(below.join("test_batch.bin"), &record(7, [1, 2, 3]));
    change(&below);
    open("cifar10", folder.path())
}

#[test]
fn cifar10_planes_become_pixels() {
    let cifar = small_cifar(|_| ()).expect("sound files");
    assert_eq!(cifar.train.labels(), [1, 2, 3, 4, 5]);
    let picture = cifar.train.decode(2).expect("an image");
    assert_eq!(picture.pixels()[..6], [3, 9, 200, 3, 9, 200]);
    assert_says(cifar.train.decode(5), &["get image 5", "below 5"]);
}

#[test]
fn broken_cifar10_files_are_named() {
    let cut = small_cifar(|f| write(f.join("data_batch_3.bin"), &record(1, [0; 3])[..3000]));
    assert_says(
        cut,
        &[
            "data_batch_3.bin, record 0",
            "3073 bytes",
            "found 3000",
            "truncated",
        ],
    );
    let empty = small_cifar(|f| write(f.join("test_batch.bin"), &[]));
    assert_says(empty, &["test_batch.bin", "found 0 bytes"]);
    let label = [record(9, [0; 3]), record(10, [0; 3])].concat();
    let label = small_cifar(|f| write(f.join("data_batch_5.bin"), &label));
    assert_says(
        label,
        &["data_batch_5.bin, record 1", "a label below 10", "found 10"],
    );
    let names = small_cifar(|f| write(f.join("batches.meta.txt"), b"apple\nbear\n"));
    assert_says(
        names,
        &["batches.meta.txt", "airplane, automobile", "apple, bear"],
    );
}

#[test]
fn missing_data_says_where_it_was_looked_for_and_how_to_get_it() {
    let folder = tempdir().expect("a folder");
    let says = [
        "find the data of 'cifar10'",
        "data_batch_1.bin",
        " or ",
        "`rut fetch cifar10`",
    ];
    assert_says(open("cifar10", folder.path()), &says);
    let half = small_cifar(|f| std::fs::remove_file(f.join("test_batch.bin")).expect("removed"));
    assert_says(half, &["cifar-10-batches-bin/test_batch.bin", "`data_dir`"]);
    assert_says(
        open("gtsrb", folder.path()),
        &["gtsrb/GTSRB/Training", "rut fetch gtsrb"],
    );
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let says = [
        "find data set 'cifra10'",
        "caltech101, cifar10, cifar100, digits",
        "did you mean 'cifar10'?",
    ];
    assert_says(open("cifra10", Path::new("nowhere")), &says);
    let error = open("imagenet", Path::new("nowhere"))
        .expect_err("unknown")
        .to_string();
    assert!(!error.contains("did you mean"), "{error}");
}

/// A GTSRB with images of classes 3 and 14, and what `change` makes of it.
fn small_gtsrb(change: impl Fn(&Path)) -> Result<Dataset, rut_data::Error> {
    let folder = tempdir().expect("a folder");
    let below = folder.path().join("gtsrb");
    write(below.join("GTSRB/Training/00014/00000_00000.ppm"), &dot(1));
    write(below.join("GTSRB/Training/00003/00000_00000.ppm"), &dot(2));
    write(
        below.join("GTSRB/Training/00003/GT-00003.csv"),
        b"not an image",
    );
    write(below.join("GTSRB/Final_Test/Images/00007.ppm"), &dot(3));
    let table = b"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\n00007.ppm;1;1;0;0;1;1;42\r\n";
    write(below.join("GT-final_test.csv"), table);
    change(&below);
    open("gtsrb", folder.path()).inspect(|data| assert!(data.test.decode(0).is_ok()))
}

#[test]
fn gtsrb_labels_are_folder_names() {
    let signs = small_gtsrb(|_| ()).expect("a sound sample");
    assert_eq!(
        (signs.train.labels(), signs.test.labels()),
        ([3, 14].as_slice(), [42].as_slice())
    );
    assert_eq!(
        signs.train.source(0),
        "gtsrb/GTSRB/Training/00003/00000_00000.ppm"
    );
}

#[test]
fn broken_gtsrb_is_named() {
    let other = small_gtsrb(|f| write(f.join("GTSRB/Training/00043/0.ppm"), &dot(1)));
    assert_says(other, &["Training", "00000 to 00042", "'00043'"]);
    let other = small_gtsrb(|f| write(f.join("GTSRB/Training/stop/0.ppm"), &dot(1)));
    assert_says(other, &["'stop'"]);
    for row in [
        "00007.ppm;1;1;0;0;1;1;43",
        "00007.ppm;1;1",
        "../x.ppm;1;1;0;0;1;1;2",
    ] {
        let table = format!("header\n{row}\n");
        let bad = small_gtsrb(|f| write(f.join("GT-final_test.csv"), table.as_bytes()));
        assert_says(
            bad,
            &["GT-final_test.csv, line 2", "a class from 0 to 42", row],
        );
    }
}

#[test]
fn digits_need_no_files_and_no_seed() {
    let digits = open("digits", Path::new("nowhere")).expect("bundled");
    let Counts { train, test, .. } = find("digits").expect("in the table").counts();
    assert_eq!((digits.train.len(), digits.test.len()), (train, test));
    assert_eq!(
        digits.train.class_counts(10),
        [99, 101, 98, 102, 101, 101, 101, 100, 97, 100]
    );
    let picture = digits.train.decode(0).expect("an image");
    assert_eq!(
        (picture.width(), picture.height(), digits.prompt_size),
        (8, 8, Some(16))
    );
    // Pinned: a change of the fixed split would change every result on it.
    let digests = [&digits.train, &digits.test].map(|set| set.digest().expect("a digest").short());
    assert_eq!(digests, ["8b051c6bd327", "08df56109dbb"]);
}

#[test]
fn a_broken_digits_file_is_named() {
    let folder = tempdir().expect("a folder");
    let row = format!("{}3\n", "0,".repeat(64));
    for bad in [
        "1,2,3\n",
        &row.replacen('0', "17", 1),
        &row.replace("3\n", "10\n"),
    ] {
        write(
            folder.path().join("digits.csv"),
            format!("{row}{bad}").as_bytes(),
        );
        assert_says(
            open("digits", folder.path()),
            &["digits.csv, line 2", "64 pixels from 0 to 16"],
        );
    }
    write(folder.path().join("digits.csv"), row.repeat(10).as_bytes());
    assert_eq!(
        open("digits", folder.path())
            .expect("a small file")
            .train
            .len(),
        10
    );
}

#[test]
fn a_data_set_is_restricted_to_some_classes() {
    let digits = || open("digits", Path::new("nowhere")).expect("bundled");
    let classes = |names: &[&str]| -> Vec<ClassRef> {
        names
            .iter()
            .map(|name| name.parse().expect("any text"))
            .collect()
    };
    let two = digits()
        .restrict(&classes(&["9", "0"]))
        .expect("known classes");
    assert_eq!(
        (two.class_names.clone(), two.test.class_counts(2)),
        (vec!["9".into(), "0".into()], vec![80, 79])
    );
    let restrict = |names: &[&str]| digits().restrict(&classes(names));
    assert_says(
        restrict(&["10"]),
        &["find class '10' of 'digits'", "0, 1, 2", "below 10"],
    );
    assert_says(restrict(&["nine"]), &["'nine'"]);
    assert_says(
        restrict(&["1", "2", "1"]),
        &["class '1' stands in it twice"],
    );
    assert_says(restrict(&[]), &["name one class or more"]);
}
