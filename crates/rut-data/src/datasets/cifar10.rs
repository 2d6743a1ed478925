//! CIFAR-10, from its binary version or from its version for Python.

use std::path::Path;

use crate::formats::{cifar_binary, cifar_python, class_names};
use crate::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

/// The folder in the binary archive.
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
/// The folder in the archive for Python.
const PYTHON_FOLDER: &str = "cifar-10-batches-py";
/// Pickle of the class names; checked where it is there.
const PYTHON_NAMES: &str = "batches.meta";
const PYTHON_TRAIN: &[&str] = &[
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
];
const PYTHON_TEST: &[&str] = &["test_batch"];

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
    region: ImageRegion::Whole,
    splits: &[SplitSpec {
        name: "official",
        about: "as published",
        counts: Counts {
            train: 50_000,
            validation: None,
            test: 10_000,
        },
        forms: &[
            Form {
                layout: &[
                    "cifar-10-batches-bin/data_batch_1.bin",
                    "cifar-10-batches-bin/data_batch_2.bin",
                    "cifar-10-batches-bin/data_batch_3.bin",
                    "cifar-10-batches-bin/data_batch_4.bin",
                    "cifar-10-batches-bin/data_batch_5.bin",
                    "cifar-10-batches-bin/test_batch.bin",
                ],
                read: read_binary,
            },
            Form {
                layout: &[
                    "cifar-10-batches-py/data_batch_1",
                    "cifar-10-batches-py/data_batch_2",
                    "cifar-10-batches-py/data_batch_3",
                    "cifar-10-batches-py/data_batch_4",
                    "cifar-10-batches-py/data_batch_5",
                    "cifar-10-batches-py/test_batch",
                ],
                read: read_python,
            },
        ],
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
    let names = folder.join(NAMES);
    if names.exists() {
        class_names::check(&names, &class_names::read(&names)?, SPEC.classes)?;
    }
    let labels = cifar_binary::Labels {
        bytes: 1,
        classes: SPEC.classes.len(),
    };
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: cifar_binary::read(&folder, TRAIN, labels)?,
        validation: None,
        test: cifar_binary::read(&folder, TEST, labels)?,
        remarks: Vec::new(),
    })
}

fn read_python(root: &Path) -> Result<Parts> {
    let folder = root.join(PYTHON_FOLDER);
    let names = folder.join(PYTHON_NAMES);
    if names.exists() {
        let labels = cifar_python::Labels {
            key: "label_names",
            classes: SPEC.classes.len(),
        };
        let found = cifar_python::names(&names, labels)?;
        class_names::check(&names, &found, SPEC.classes)?;
    }
    let labels = cifar_python::Labels {
        key: "labels",
        classes: SPEC.classes.len(),
    };
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: cifar_python::read(&folder, PYTHON_TRAIN, labels)?,
        validation: None,
        test: cifar_python::read(&folder, PYTHON_TEST, labels)?,
        remarks: Vec::new(),
    })
}
