//! CIFAR-10, from its binary version.

use std::fs;
use std::path::Path;

use crate::formats::cifar_binary;
use crate::{Archive, Counts, DatasetSpec, Error, Form, ImageSize, Parts, Result, SplitSpec};

/// The folder in the archive.
const FOLDER: &str = "cifar-10-batches-bin";
/// List of the class names, one per line; checked where it is there.
const NAMES: &str = "batches.meta.txt";
const TRAIN: &[&str] = &[
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
const TEST: &[&str] = &["test_batch.bin"];

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "cifar10",
    aliases: &[],
    title: "CIFAR-10",
    classes: &[
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ],
    image_size: ImageSize::Fixed {
        width: 32,
        height: 32,
    },
    prompt_size: 32,
    splits: &[SplitSpec {
        name: "official",
        about: "as published",
        counts: Counts {
            train: 50_000,
            validation: None,
            test: 10_000,
        },
        forms: &[Form {
            layout: &[
                "cifar-10-batches-bin/data_batch_1.bin",
                "cifar-10-batches-bin/data_batch_2.bin",
                "cifar-10-batches-bin/data_batch_3.bin",
                "cifar-10-batches-bin/data_batch_4.bin",
                "cifar-10-batches-bin/data_batch_5.bin",
                "cifar-10-batches-bin/test_batch.bin",
            ],
            read: read_binary,
        }],
    }],
    licence: "no terms stated; citation asked for",
    source: "https://www.cs.toronto.edu/~kriz/cifar.html",
    citation: "A. Krizhevsky, Learning multiple layers of features from tiny images, 2009",
    archives: &[Archive {
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        file: "cifar-10-binary.tar.gz",
        md5: Some("c32a1d4ab5d03f1284b67883e8d87530"),
        sha256: None,
        unpack_into: "",
    }],
    by_hand: None,
};

fn read_binary(root: &Path) -> Result<Parts> {
    let folder = root.join(FOLDER);
    check_names(&folder.join(NAMES))?;
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: cifar_binary::read(&folder, TRAIN, SPEC.classes.len())?,
        validation: None,
        test: cifar_binary::read(&folder, TEST, SPEC.classes.len())?,
    })
}

/// Labels mean nothing if the names are not those of the table.
fn check_names(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let found: Vec<&str> = text.split_whitespace().collect();
    if found == SPEC.classes {
        return Ok(());
    }
    Err(Error::Malformed {
        path: path.to_path_buf(),
        place: "class names".to_owned(),
        expected: SPEC.classes.join(", "),
        found: format!("{}; this is another data set", found.join(", ")),
    })
}
