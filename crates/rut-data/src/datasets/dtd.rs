//! DTD, the Describable Textures Dataset: lists of JPEG files, ten partitions into thirds.

use std::path::Path;

use super::coop;
use crate::formats::files::Files;
use crate::formats::list_file::{self, Listed, labelled};
use crate::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

/// One of the ten partitions. The archive holds a folder `dtd`, which torchvision has in another
/// folder `dtd`.
macro_rules! partition {
    ($name:literal, $about:literal, $number:literal) => {
        SplitSpec {
            name: $name,
            about: $about,
            counts: Counts {
                train: 1_880,
                validation: Some(1_880),
                test: 1_880,
            },
            forms: &[
                Form {
                    layout: &[
                        "dtd/dtd/images",
                        concat!("dtd/dtd/labels/train", $number, ".txt"),
                        concat!("dtd/dtd/labels/val", $number, ".txt"),
                        concat!("dtd/dtd/labels/test", $number, ".txt"),
                    ],
                    read: |root| read(root, "dtd/dtd", $number),
                },
                Form {
                    layout: &[
                        "dtd/images",
                        concat!("dtd/labels/train", $number, ".txt"),
                        concat!("dtd/labels/val", $number, ".txt"),
                        concat!("dtd/labels/test", $number, ".txt"),
                    ],
                    read: |root| read(root, "dtd", $number),
                },
            ],
        }
    };
}

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "dtd",
    aliases: &["textures", "describable textures"],
    title: "Describable Textures Dataset",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        partition!("official", "the first of the ten official partitions", 1),
        partition!("partition-2", "an official partition", 2),
        partition!("partition-3", "an official partition", 3),
        partition!("partition-4", "an official partition", 4),
        partition!("partition-5", "an official partition", 5),
        partition!("partition-6", "an official partition", 6),
        partition!("partition-7", "an official partition", 7),
        partition!("partition-8", "an official partition", 8),
        partition!("partition-9", "an official partition", 9),
        partition!("partition-10", "an official partition", 10),
        coop::DTD,
    ],
    licence: "for research",
    source: "https://www.robots.ox.ac.uk/~vgg/data/dtd/",
    citation: "M. Cimpoi et al., Describing textures in the wild, CVPR 2014",
    archives: &[Archive {
        url: "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
        file: "dtd-r1.0.1.tar.gz",
        md5: Some("fff73e5086ae6bdbea199a49dfb8a4c1"),
        sha256: None,
        unpack_into: "dtd",
    }],
    by_hand: Some(
        "for its split 'coop' get split_zhou_DescribableTextures.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into dtd/",
    ),
};

/// Names of the 47 textures, sorted.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "banded", "blotchy", "braided", "bubbly", "bumpy", "chequered", "cobwebbed", "cracked",
    "crosshatched", "crystalline", "dotted", "fibrous", "flecked", "freckled", "frilly", "gauzy",
    "grid", "grooved", "honeycombed", "interlaced", "knitted", "lacelike", "lined", "marbled",
    "matted", "meshed", "paisley", "perforated", "pitted", "pleated", "polka-dotted", "porous",
    "potholed", "scaly", "smeared", "spiralled", "sprinkled", "stained", "stratified", "striped",
    "studded", "swirly", "veined", "waffled", "woven", "wrinkled", "zigzagged",
];

fn read(root: &Path, folder: &str, partition: u32) -> Result<Parts> {
    let lists = root.join(folder).join("labels");
    let list = |part| {
        let path = lists.join(format!("{part}{partition}.txt"));
        list_file::read(&path, "CLASS/FILE", parse)
    };
    let (class_names, images) = labelled([list("train")?, list("val")?, list("test")?]);
    let [train, validation, test] =
        images.map(|images| Files::labelled(root, &format!("{folder}/images"), images));
    Ok(Parts {
        class_names,
        train: train?,
        validation: Some(validation?),
        test: test?,
        remarks: Vec::new(),
    })
}

/// A line `CLASS/FILE`.
fn parse(line: &str) -> Option<Listed> {
    let (class, file) = list_file::below(line)?.split_once('/')?;
    (!file.is_empty() && !file.contains('/')).then(|| Listed {
        path: line.to_owned(),
        class: class.into(),
    })
}
