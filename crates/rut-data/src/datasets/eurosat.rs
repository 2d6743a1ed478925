//! EuroSAT, RGB: folders of satellite images. There is no official split.

use std::path::Path;

use super::coop;
use crate::formats::class_folders;
use crate::stratify::split_anew;
use crate::{
    Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSet, ImageSize, Parts, Result, Seed,
    SplitSpec,
};

const IMAGES: &str = "eurosat/2750";
/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);
/// Share of each class that is for testing.
const TEST_SHARE: f64 = 0.1;

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "eurosat",
    aliases: &["eurosat-rgb"],
    title: "EuroSAT",
    classes: &[
        "AnnualCrop",
        "Forest",
        "HerbaceousVegetation",
        "Highway",
        "Industrial",
        "Pasture",
        "PermanentCrop",
        "Residential",
        "River",
        "SeaLake",
    ],
    image_size: ImageSize::Fixed {
        width: 64,
        height: 64,
    },
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "stratified",
            about: "no official split; a fixed one, of each class a tenth for testing",
            counts: Counts {
                train: 24_300,
                validation: None,
                test: 2_700,
            },
            forms: &[Form {
                layout: &[IMAGES],
                read: read_stratified,
            }],
        },
        coop::EUROSAT,
        SplitSpec {
            name: "leak",
            about: "all images for training and all again for testing: a mistake of the reference \
                    implementation, kept to reproduce its numbers and for nothing else",
            counts: Counts {
                train: 27_000,
                validation: None,
                test: 27_000,
            },
            forms: &[Form {
                layout: &[IMAGES],
                read: read_leak,
            }],
        },
    ],
    licence: "MIT",
    source: "https://github.com/phelber/EuroSAT",
    citation: "P. Helber et al., EuroSAT: a novel dataset and deep learning benchmark for land use \
               and land cover classification, IEEE JSTARS 12, 2019",
    archives: &[Archive {
        url: "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
        file: "EuroSAT.zip",
        md5: Some("c8fa014336c82ac7804f0398fcb19387"),
        sha256: None,
        unpack_into: "eurosat",
    }],
    by_hand: Some(
        "for its split 'coop' get split_zhou_EuroSAT.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into eurosat/",
    ),
};

fn read_all(root: &Path) -> Result<(Vec<String>, ImageSet)> {
    let class_names = class_folders::class_names(&root.join(IMAGES))?;
    let all = class_folders::read(root, IMAGES, &class_names)?;
    Ok((class_names, all))
}

fn read_stratified(root: &Path) -> Result<Parts> {
    let (class_names, all) = read_all(root)?;
    split_anew(class_names, &all, TEST_SHARE, SPLIT_SEED, "eurosat split")
}

fn read_leak(root: &Path) -> Result<Parts> {
    let (class_names, all) = read_all(root)?;
    Ok(Parts {
        class_names,
        train: all.clone(),
        validation: None,
        test: all,
        remarks: Vec::new(),
    })
}
