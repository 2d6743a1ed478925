//! SVHN, cropped house numbers: MAT-files.

use std::path::Path;

use crate::formats::svhn;
use crate::{
    Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSet, ImageSize, Parts, Result, SplitSpec,
};

const TRAIN: &str = "train_32x32.mat";
const TEST: &str = "test_32x32.mat";
/// More images, which are easier.
const EXTRA: &str = "extra_32x32.mat";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "svhn",
    aliases: &[],
    title: "Street View House Numbers",
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    image_size: ImageSize::Fixed {
        width: 32,
        height: 32,
    },
    prompt_size: 32,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "official",
            about: "as published, without the extra images",
            counts: Counts {
                train: 73_257,
                validation: None,
                test: 26_032,
            },
            forms: &[Form {
                layout: &[TRAIN, TEST],
                read: |root| read(root, &[TRAIN]),
            }],
        },
        SplitSpec {
            name: "extra",
            about: "trained on train_32x32.mat followed by extra_32x32.mat, which is to be put \
                    beside it by hand",
            counts: Counts {
                train: 604_388,
                validation: None,
                test: 26_032,
            },
            forms: &[Form {
                layout: &[TRAIN, EXTRA, TEST],
                read: |root| read(root, &[TRAIN, EXTRA]),
            }],
        },
    ],
    licence: "non-commercial use only",
    source: "https://ufldl.stanford.edu/housenumbers/",
    citation: "Y. Netzer et al., Reading digits in natural images with unsupervised feature \
               learning, NIPS workshop on deep learning, 2011",
    archives: &[
        Archive {
            url: "https://ufldl.stanford.edu/housenumbers/train_32x32.mat",
            file: "train_32x32.mat",
            md5: Some("e26dedcc434d2e4c54c9b2d4a06d8373"),
            sha256: None,
            unpack_into: "",
        },
        Archive {
            url: "https://ufldl.stanford.edu/housenumbers/test_32x32.mat",
            file: "test_32x32.mat",
            md5: Some("eb5a983be6a315427106f1b164d9cef3"),
            sha256: None,
            unpack_into: "",
        },
    ],
    by_hand: None,
};

fn read(root: &Path, train: &[&str]) -> Result<Parts> {
    let train: Result<Vec<ImageSet>> = train
        .iter()
        .map(|file| svhn::read(&root.join(file)))
        .collect();
    let train = train?;
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: ImageSet::concat(&train.iter().collect::<Vec<_>>())?,
        validation: None,
        test: svhn::read(&root.join(TEST))?,
        remarks: Vec::new(),
    })
}
