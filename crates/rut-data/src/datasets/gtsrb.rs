//! GTSRB, German traffic signs: PPM files in torchvision's layout.
//!
//! Labels come from the names of the training folders and not from their order, so a sample with
//! some of the classes keeps the official numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::formats::class_folders::{class_names, images};
use crate::formats::files::Files;
use crate::formats::list_file;
use crate::{
    Archive, Counts, DatasetSpec, Error, Form, ImageRegion, ImageSet, ImageSize, Parts, Result,
    SplitSpec,
};

/// The training images that torchvision takes.
const TRAIN: &str = "gtsrb/GTSRB/Training";
/// Those of the competition's last round: the former and more.
const FINAL_TRAIN: &str = "gtsrb/GTSRB/Final_Training/Images";
const TEST: &str = "gtsrb/GTSRB/Final_Test/Images";
/// Table of the test images' labels.
const TEST_LABELS: &str = "gtsrb/GT-final_test.csv";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "gtsrb",
    aliases: &["traffic signs"],
    title: "German Traffic Sign Recognition Benchmark",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 32,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "official",
            about: "the training images of GTSRB-Training_fixed.zip, as torchvision; Final_Test",
            counts: Counts {
                train: 26_640,
                validation: None,
                test: 12_630,
            },
            forms: &[Form {
                layout: &[TRAIN, TEST, TEST_LABELS],
                read: |root| read(root, TRAIN),
            }],
        },
        SplitSpec {
            name: "final",
            about: "the training images of GTSRB_Final_Training_Images.zip; Final_Test",
            counts: Counts {
                train: 39_209,
                validation: None,
                test: 12_630,
            },
            forms: &[Form {
                layout: &[FINAL_TRAIN, TEST, TEST_LABELS],
                read: |root| read(root, FINAL_TRAIN),
            }],
        },
    ],
    licence: "CC0 1.0",
    source: "https://benchmark.ini.rub.de/gtsrb_dataset.html",
    citation: "J. Stallkamp et al., Man vs. computer: benchmarking machine learning algorithms \
               for traffic sign recognition, Neural Networks 32, 2012",
    archives: &[
        Archive {
            url: "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/GTSRB-Training_fixed.zip",
            file: "GTSRB-Training_fixed.zip",
            md5: Some("513f3c79a4c5141765e10e952eaa2478"),
            sha256: None,
            unpack_into: "gtsrb",
        },
        Archive {
            url: "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/GTSRB_Final_Test_Images.zip",
            file: "GTSRB_Final_Test_Images.zip",
            md5: Some("c7e4e6327067d32654124b0fe9e82185"),
            sha256: None,
            unpack_into: "gtsrb",
        },
        Archive {
            url: "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/GTSRB_Final_Test_GT.zip",
            file: "GTSRB_Final_Test_GT.zip",
            md5: Some("fe31e9c9270bbcd7b84b7f21a9d9d9e5"),
            sha256: None,
            unpack_into: "gtsrb",
        },
    ],
    by_hand: None,
};

/// Names of the 43 signs, by class id.
const CLASSES: &[&str] = &[
    "speed limit 20",
    "speed limit 30",
    "speed limit 50",
    "speed limit 60",
    "speed limit 70",
    "speed limit 80",
    "end of speed limit 80",
    "speed limit 100",
    "speed limit 120",
    "no overtaking",
    "no overtaking by lorries",
    "right of way at next crossing",
    "priority road",
    "give way",
    "stop",
    "no vehicles",
    "no lorries",
    "no entry",
    "general danger",
    "bend to the left",
    "bend to the right",
    "double bend",
    "uneven road",
    "slippery road",
    "road narrows on the right",
    "road works",
    "traffic signals",
    "pedestrians",
    "children",
    "bicycles",
    "ice or snow",
    "wild animals",
    "end of all limits",
    "turn right ahead",
    "turn left ahead",
    "ahead only",
    "straight or right",
    "straight or left",
    "keep right",
    "keep left",
    "roundabout",
    "end of no overtaking",
    "end of no overtaking by lorries",
];

fn read(root: &Path, training: &str) -> Result<Parts> {
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: train(root, training)?,
        validation: None,
        test: test(root)?,
        remarks: Vec::new(),
    })
}

fn train(root: &Path, training: &str) -> Result<ImageSet> {
    let folder = root.join(training);
    let (mut paths, mut labels) = (Vec::new(), Vec::new());
    for name in class_names(&folder)? {
        let label = folder_label(&folder, &name)?;
        let found = images(&folder.join(name))?;
        labels.extend(found.iter().map(|_| label));
        paths.extend(found);
    }
    if paths.is_empty() {
        let (expected, found) = (
            "class folders of images, 00000 to 00042".to_owned(),
            "none".to_owned(),
        );
        return Err(Error::BadFolder {
            path: folder,
            expected,
            found,
        });
    }
    ImageSet::new(
        Arc::new(Files {
            root: root.to_path_buf(),
            paths: paths.into(),
        }),
        labels,
    )
}

fn folder_label(folder: &Path, name: &str) -> Result<u32> {
    let number = Some(name)
        .filter(|name| name.len() == 5)
        .and_then(|name| name.parse().ok());
    number
        .filter(|&label| (label as usize) < CLASSES.len())
        .ok_or_else(|| Error::BadFolder {
            path: folder.to_path_buf(),
            expected: "class folders 00000 to 00042".to_owned(),
            found: format!("'{name}'"),
        })
}

fn test(root: &Path) -> Result<ImageSet> {
    let table = root.join(TEST_LABELS);
    let text = list_file::text(&table)?;
    let rows: Result<Vec<(PathBuf, u32)>> = text
        .lines()
        .enumerate()
        .skip(1)
        .map(|(at, line)| row(root, &table, at + 1, line))
        .collect();
    let (paths, labels): (Vec<_>, _) = rows?.into_iter().unzip();
    ImageSet::new(
        Arc::new(Files {
            root: root.to_path_buf(),
            paths: paths.into(),
        }),
        labels,
    )
}

/// A line `Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId`.
fn row(root: &Path, table: &Path, number: usize, line: &str) -> Result<(PathBuf, u32)> {
    let mut fields = line.trim_end().split(';');
    let name = fields
        .next()
        .filter(|name| !name.is_empty() && !name.contains(['/', '\\']));
    let label = fields.nth(6).and_then(|label| label.trim().parse().ok());
    match (
        name,
        label.filter(|&label: &u32| (label as usize) < CLASSES.len()),
    ) {
        (Some(name), Some(label)) => Ok((root.join(TEST).join(name), label)),
        _ => Err(Error::Malformed {
            path: table.to_path_buf(),
            place: format!("line {number}"),
            expected: "eight fields between ';', a file name first, a class from 0 to 42 last"
                .to_owned(),
            found: list_file::shown(line.trim_end()),
        }),
    }
}
