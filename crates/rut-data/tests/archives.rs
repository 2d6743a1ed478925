//! Data sets that come as pickles and MAT-files, against samples of the real ones.

mod common;

use std::path::Path;

use common::{assert_as_expected, assert_says, json, shared, write};
use rut_data::{Dataset, Error, find, open, open_split};
use serde_json::Value;
use tempfile::tempdir;

/// Opens a sample and compares its parts and, where the names are real, its classes.
fn assert_sample(name: &str, folder: &Path) -> (Dataset, Value) {
    let expected = json(&folder.join("expected.json"));
    let data = open(name, folder).expect("the sample");
    let splits = &expected["splits"];
    assert_as_expected(&data.train, &splits["train"]);
    assert_as_expected(&data.test, &splits["test"]);
    assert_eq!(data.validation.is_some(), !splits["val"].is_null());
    if let Some(validation) = &data.validation {
        assert_as_expected(validation, &splits["val"]);
    }
    let spec = find(name).expect("in the table");
    assert_eq!(data.class_names, spec.classes);
    (data, expected)
}

fn assert_names(data: &Dataset, expected: &Value) {
    assert_eq!(serde_json::json!(data.class_names), expected["classes"]);
}

/// A folder with a link to one folder of a sample, and its `expected.json`.
#[cfg(unix)]
fn only(sample: &Path, part: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [part, "expected.json"] {
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(sample.join(name), link).expect("a link");
    }
    folder
}

#[cfg(unix)]
#[test]
fn both_forms_of_cifar_are_read_alike() {
    for (name, forms) in [
        ("cifar10", ["cifar-10-batches-bin", "cifar-10-batches-py"]),
        ("cifar100", ["cifar-100-binary", "cifar-100-python"]),
    ] {
        let Some(sample) = shared(&format!("datasets/{name}")) else {
            return;
        };
        let digests = forms.map(|form| {
            let folder = only(&sample, form);
            let (data, expected) = assert_sample(name, folder.path());
            assert_names(&data, &expected);
            data.train.digest().expect("a digest")
        });
        assert_eq!(digests[0], digests[1]);
    }
}

#[test]
fn svhn_is_read_as_torchvision_does() {
    let Some(sample) = shared("datasets/svhn") else {
        return;
    };
    let (data, expected) = assert_sample("svhn", &sample);
    assert_names(&data, &expected);
    assert_eq!(data.train.source(3), "train_32x32.mat #3");
}

#[test]
fn flowers102_is_read_as_torchvision_does() {
    let Some(sample) = shared("datasets/flowers102") else {
        return;
    };
    let (data, _) = assert_sample("flowers102", &sample);
    assert_eq!(data.class_names[60], "cautleya spicata");
}

#[test]
fn stanfordcars_is_read_as_torchvision_does() {
    let Some(sample) = shared("datasets/stanfordcars") else {
        return;
    };
    let (data, expected) = assert_sample("stanfordcars", &sample);
    assert_names(&data, &expected);
}

#[test]
fn extra_digits_follow_the_training_images() {
    let Some(sample) = shared("datasets/svhn") else {
        return;
    };
    let folder = tempdir().expect("a folder");
    for (from, to) in [("train", "train"), ("test", "extra"), ("test", "test")] {
        let copy = |name: &str| format!("{name}_32x32.mat");
        let bytes = std::fs::read(sample.join(copy(from))).expect("a file");
        write(folder.path().join(copy(to)), &bytes);
    }
    let plain = open("svhn", folder.path()).expect("the sample");
    let extra = open_split("svhn", folder.path(), Some("extra")).expect("the sample");
    let labels = [plain.train.labels(), plain.test.labels()].concat();
    assert_eq!(extra.train.labels(), labels);
    assert_eq!(extra.train.source(15), "extra_32x32.mat #1");
    let pictures = [extra.train.decode(15), plain.test.decode(1)];
    let [got, want] = pictures.map(|picture| picture.expect("an image"));
    assert_eq!(got, want);
    let digests = [&extra.test, &plain.test].map(|set| set.digest().expect("a digest"));
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn cars_that_are_not_there_are_fetched_by_hand() {
    let folder = tempdir().expect("a folder");
    let says = ["stanford_cars/cars_train", "links are dead", "`data_dir`"];
    assert_says(open("stanfordcars", folder.path()), &says);
}

/// A CIFAR-100 of one record a file, and what `change` makes of it.
fn small_cifar100(change: impl Fn(&Path)) -> Result<Dataset, Error> {
    let folder = tempdir().expect("a folder");
    let below = folder.path().join("cifar-100-binary");
    for (file, fine) in [("train.bin", 99), ("test.bin", 7)] {
        write(below.join(file), &[&[200, fine][..], &[5; 3072]].concat());
    }
    change(&below);
    open("cifar100", folder.path())
}

#[test]
fn fine_labels_are_taken_and_broken_files_named() {
    let cifar = small_cifar100(|_| ()).expect("sound files");
    assert_eq!(cifar.train.labels(), [99]);
    let cut = small_cifar100(|f| write(f.join("test.bin"), &[0; 3073]));
    assert_says(cut, &["test.bin, record 0", "3074 bytes", "found 3073"]);
    let label = small_cifar100(|f| write(f.join("test.bin"), &[100; 3074]));
    assert_says(label, &["test.bin, record 0", "below 100", "found 100"]);
    let names = small_cifar100(|f| write(f.join("fine_label_names.txt"), b"apple\nbaby\n"));
    let says = ["names from number 1", "aquarium_fish, baby", "found baby"];
    assert_says(names, &says);
}

/// A pickle of an array of bytes of this shape.
fn pickled_array(dtype: &str, shape: &[u16], data: &[u8]) -> Vec<u8> {
    let mut pickle = b"cnumpy.core.multiarray\n_reconstruct\n".to_vec();
    pickle.extend(b"(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01");
    for length in shape {
        pickle.push(b'M');
        pickle.extend(length.to_le_bytes());
    }
    pickle.push(0x84 + shape.len() as u8);
    pickle.extend(b"cnumpy\ndtype\n(U\x02");
    pickle.extend(dtype.bytes());
    pickle.extend(b"K\x00K\x01tR\x89T");
    pickle.extend((data.len() as u32).to_le_bytes());
    pickle.extend(data);
    pickle.extend(b"tb");
    pickle
}

/// A CIFAR-10 for Python with this as its first file and nothing else.
fn first_batch(data: &[u8], labels: &[u8]) -> Result<Dataset, Error> {
    let labels: Vec<u8> = labels.iter().flat_map(|&label| [b'K', label]).collect();
    let list = [b"](".as_slice(), &labels, b"e"].concat();
    labelled_batch(data, &list)
}

/// As [`first_batch`], with the labels as they are pickled.
fn labelled_batch(data: &[u8], labels: &[u8]) -> Result<Dataset, Error> {
    let parts = [b"\x80\x02}(U\x04data", data, b"U\x06labels", labels, b"u."];
    first_file(&parts.concat())
}

#[test]
fn labels_of_cifar_may_be_an_array() {
    let two = pickled_array("u1", &[2, 3072], &[3; 6144]);
    let wide = [7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    for labels in [
        pickled_array("i8", &[2], &wide),
        pickled_array("u1", &[2], &[7, 1]),
        pickled_array("u1", &[2, 1], &[7, 1]),
    ] {
        let cifar = labelled_batch(&two, &labels).expect("a sound file");
        assert_eq!(cifar.test.labels(), [7, 1]);
    }
    let says = |labels: Vec<u8>, texts: &[&str]| assert_says(labelled_batch(&two, &labels), texts);
    says(
        pickled_array("u1", &[2], &[7, 10]),
        &["labels, label 1", "below 10", "found 10"],
    );
    says(
        pickled_array("i1", &[2], &[7, 255]),
        &["labels, label 1", "found -1"],
    );
    says(
        pickled_array("u1", &[3], &[7, 1, 1]),
        &["data", "bytes [3, 3072]"],
    );
    says(
        pickled_array("u1", &[1, 2], &[7, 1]),
        &["a list of labels or an array", "[1, 2]"],
    );
    says(
        pickled_array("f4", &[2], &[0; 8]),
        &["labels, label 0", "another number"],
    );
    says(
        b"K\x01".to_vec(),
        &["a list of labels or an array", "an int"],
    );
}

fn first_file(bytes: &[u8]) -> Result<Dataset, Error> {
    let folder = tempdir().expect("a folder");
    let below = folder.path().join("cifar-10-batches-py");
    for file in 1..=5 {
        write(below.join(format!("data_batch_{file}")), bytes);
    }
    write(below.join("test_batch"), bytes);
    open("cifar10", folder.path())
}

#[test]
fn broken_pickles_of_cifar_are_named() {
    let two = pickled_array("u1", &[2, 3072], &[3; 6144]);
    let cifar = first_batch(&two, &[7, 0]).expect("a sound file");
    assert_eq!(
        (cifar.train.len(), cifar.test.labels()),
        (10, [7, 0].as_slice())
    );
    assert_eq!(cifar.train.source(3), "data_batch_2 #1");
    let says = ["data_batch_1, labels, label 1", "below 10", "found 10"];
    assert_says(first_batch(&two, &[7, 10]), &says);
    let says = ["data_batch_1, data", "bytes [1, 3072]", "[2, 3072]"];
    assert_says(first_batch(&two, &[7]), &says);
    let wide = pickled_array("u2", &[1, 3072], &[3; 6144]);
    assert_says(
        first_batch(&wide, &[7]),
        &["data_batch_1, data", "bytes [1, 3072]"],
    );
    let short = pickled_array("u1", &[2, 3072], &[3; 6000]);
    assert_says(
        first_batch(&short, &[7, 1]),
        &["data_batch_1, data", "6000 bytes"],
    );
    assert_says(
        first_batch(b"K\x01", &[7]),
        &["an array of numbers", "an int"],
    );
    assert_says(first_file(b"}."), &["data_batch_1, pickle", "a key 'data'"]);
    let says = ["data_batch_1, byte 0", "'os.system'; nothing was executed"];
    assert_says(first_file(b"cos\nsystem\n."), &says);
}
