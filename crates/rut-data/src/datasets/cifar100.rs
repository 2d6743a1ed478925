//! CIFAR-100 with its 100 fine classes, from its binary version or from its version for Python.

use std::path::Path;

use crate::formats::{cifar_binary, cifar_python, class_names};
use crate::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

/// The folder in the binary archive.
const FOLDER: &str = "cifar-100-binary";
/// List of the class names, one per line; checked where it is there.
const NAMES: &str = "fine_label_names.txt";
/// The folder in the archive for Python.
const PYTHON_FOLDER: &str = "cifar-100-python";
/// Pickle of the class names; checked where it is there.
const PYTHON_NAMES: &str = "meta";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "cifar100",
    aliases: &[],
    title: "CIFAR-100",
    classes: CLASSES,
    image_size: ImageSize::Fixed {
        width: 32,
        height: 32,
    },
    prompt_size: 32,
    region: ImageRegion::Whole,
    splits: &[SplitSpec {
        name: "official",
        about: "as published, with the fine labels",
        counts: Counts {
            train: 50_000,
            validation: None,
            test: 10_000,
        },
        forms: &[
            Form {
                layout: &["cifar-100-binary/train.bin", "cifar-100-binary/test.bin"],
                read: read_binary,
            },
            Form {
                layout: &["cifar-100-python/train", "cifar-100-python/test"],
                read: read_python,
            },
        ],
    }],
    licence: "no terms stated; citation asked for",
    source: "https://www.cs.toronto.edu/~kriz/cifar.html",
    citation: "A. Krizhevsky, Learning multiple layers of features from tiny images, 2009",
    archives: &[Archive {
        url: "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        file: "cifar-100-python.tar.gz",
        md5: Some("eb9058c3a382ffc7106e4002c42a8d85"),
        sha256: None,
        unpack_into: "",
    }],
    by_hand: None,
};

fn read_binary(root: &Path) -> Result<Parts> {
    let folder = root.join(FOLDER);
    let names = folder.join(NAMES);
    if names.exists() {
        class_names::check(&names, &class_names::read(&names)?, CLASSES)?;
    }
    // The coarse label, which is not used, and the fine one.
    let labels = cifar_binary::Labels {
        bytes: 2,
        classes: CLASSES.len(),
    };
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: cifar_binary::read(&folder, &["train.bin"], labels)?,
        validation: None,
        test: cifar_binary::read(&folder, &["test.bin"], labels)?,
        remarks: Vec::new(),
    })
}

fn read_python(root: &Path) -> Result<Parts> {
    let folder = root.join(PYTHON_FOLDER);
    let names = folder.join(PYTHON_NAMES);
    if names.exists() {
        let labels = cifar_python::Labels {
            key: "fine_label_names",
            classes: SPEC.classes.len(),
        };
        let found = cifar_python::names(&names, labels)?;
        class_names::check(&names, &found, CLASSES)?;
    }
    let labels = cifar_python::Labels {
        key: "fine_labels",
        classes: CLASSES.len(),
    };
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: cifar_python::read(&folder, &["train"], labels)?,
        validation: None,
        test: cifar_python::read(&folder, &["test"], labels)?,
        remarks: Vec::new(),
    })
}

/// Names of the fine classes, in label order.
const CLASSES: &[&str] = &[
    "apple",
    "aquarium_fish",
    "baby",
    "bear",
    "beaver",
    "bed",
    "bee",
    "beetle",
    "bicycle",
    "bottle",
    "bowl",
    "boy",
    "bridge",
    "bus",
    "butterfly",
    "camel",
    "can",
    "castle",
    "caterpillar",
    "cattle",
    "chair",
    "chimpanzee",
    "clock",
    "cloud",
    "cockroach",
    "couch",
    "crab",
    "crocodile",
    "cup",
    "dinosaur",
    "dolphin",
    "elephant",
    "flatfish",
    "forest",
    "fox",
    "girl",
    "hamster",
    "house",
    "kangaroo",
    "keyboard",
    "lamp",
    "lawn_mower",
    "leopard",
    "lion",
    "lizard",
    "lobster",
    "man",
    "maple_tree",
    "motorcycle",
    "mountain",
    "mouse",
    "mushroom",
    "oak_tree",
    "orange",
    "orchid",
    "otter",
    "palm_tree",
    "pear",
    "pickup_truck",
    "pine_tree",
    "plain",
    "plate",
    "poppy",
    "porcupine",
    "possum",
    "rabbit",
    "raccoon",
    "ray",
    "road",
    "rocket",
    "rose",
    "sea",
    "seal",
    "shark",
    "shrew",
    "skunk",
    "skyscraper",
    "snail",
    "snake",
    "spider",
    "squirrel",
    "streetcar",
    "sunflower",
    "sweet_pepper",
    "table",
    "tank",
    "telephone",
    "television",
    "tiger",
    "tractor",
    "train",
    "trout",
    "tulip",
    "turtle",
    "wardrobe",
    "whale",
    "willow_tree",
    "wolf",
    "woman",
    "worm",
];
