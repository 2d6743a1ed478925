//! The splits of CoOp, which ILM-VP takes over: for each data set the file that says which image is
//! for what, the folder of images in its various places, and how many images there are.
//!
//! A data set takes its line as the split `coop`. The file may lie where CoOp has it, beside
//! torchvision's folder of the same images, or as `split.json` beside a folder `images`, as ILM-VP
//! has it. That name does not identify the data set, so there the names of the classes must.

use crate::formats::coop_split;
use crate::{Counts, Form, SplitSpec};

/// A split file and its folder of images, both below the data folder.
macro_rules! form {
    ($split:literal, $images:literal) => {
        Form {
            layout: &[$split, $images],
            read: |root| coop_split::read(root, $split, $images),
        }
    };
}

/// The split file of ILM-VP, called so for every data set.
const UNNAMED: &str = "split.json";

/// How ILM-VP lays out every data set, in a folder of its own.
const ILM_VP: Form = form!("split.json", "images");

/// The file of a form whose name does not identify the data set.
pub(crate) fn unnamed(form: &Form) -> Option<&'static str> {
    let first = form.layout.first().copied();
    first.filter(|&file| file == UNNAMED)
}

pub(super) const CALTECH101: SplitSpec = split(
    "CoOp's split_zhou_Caltech101.json: 100 classes, without Faces_easy",
    [4_128, 1_649, 2_465],
    &[
        form!(
            "caltech-101/split_zhou_Caltech101.json",
            "caltech-101/101_ObjectCategories"
        ),
        form!(
            "caltech101/split_zhou_Caltech101.json",
            "caltech101/101_ObjectCategories"
        ),
        form!(
            "caltech101/split_zhou_Caltech101.json",
            "caltech101/caltech-101/101_ObjectCategories"
        ),
        ILM_VP,
    ],
);

pub(super) const DTD: SplitSpec = split(
    "CoOp's split_zhou_DescribableTextures.json",
    [2_820, 1_128, 1_692],
    &[
        form!("dtd/split_zhou_DescribableTextures.json", "dtd/images"),
        form!("dtd/split_zhou_DescribableTextures.json", "dtd/dtd/images"),
        ILM_VP,
    ],
);

pub(super) const EUROSAT: SplitSpec = split(
    "CoOp's split_zhou_EuroSAT.json",
    [13_500, 5_400, 8_100],
    &[
        form!("eurosat/split_zhou_EuroSAT.json", "eurosat/2750"),
        ILM_VP,
    ],
);

pub(super) const FLOWERS102: SplitSpec = split(
    "CoOp's split_zhou_OxfordFlowers.json",
    [4_093, 1_633, 2_463],
    &[
        form!(
            "oxford_flowers/split_zhou_OxfordFlowers.json",
            "oxford_flowers/jpg"
        ),
        form!(
            "flowers-102/split_zhou_OxfordFlowers.json",
            "flowers-102/jpg"
        ),
        ILM_VP,
    ],
);

pub(super) const FOOD101: SplitSpec = split(
    "CoOp's split_zhou_Food101.json",
    [50_500, 20_200, 30_300],
    &[
        form!("food-101/split_zhou_Food101.json", "food-101/images"),
        ILM_VP,
    ],
);

pub(super) const OXFORDPETS: SplitSpec = split(
    "CoOp's split_zhou_OxfordPets.json: the official trainval list cut in two",
    [2_944, 736, 3_669],
    &[
        form!(
            "oxford_pets/split_zhou_OxfordPets.json",
            "oxford_pets/images"
        ),
        form!(
            "oxford-iiit-pet/split_zhou_OxfordPets.json",
            "oxford-iiit-pet/images"
        ),
        ILM_VP,
    ],
);

pub(super) const STANFORDCARS: SplitSpec = split(
    "CoOp's split_zhou_StanfordCars.json: the official training list cut in two",
    [6_509, 1_635, 8_041],
    &[
        form!(
            "stanford_cars/split_zhou_StanfordCars.json",
            "stanford_cars"
        ),
        ILM_VP,
    ],
);

pub(super) const SUN397: SplitSpec = split(
    "CoOp's split_zhou_SUN397.json: the official first partition, its training list cut in two",
    [15_880, 3_970, 19_850],
    &[
        form!("sun397/split_zhou_SUN397.json", "sun397/SUN397"),
        form!("SUN397/split_zhou_SUN397.json", "SUN397"),
        ILM_VP,
    ],
);

pub(super) const UCF101: SplitSpec = split(
    "CoOp's split_zhou_UCF101.json: the official first list, its training list cut in two",
    [7_639, 1_898, 3_783],
    &[
        form!("ucf101/split_zhou_UCF101.json", "ucf101/UCF-101-midframes"),
        ILM_VP,
    ],
);

/// The split `coop` with these numbers of training, validation and test images.
const fn split(about: &'static str, images: [usize; 3], forms: &'static [Form]) -> SplitSpec {
    let [train, validation, test] = images;
    SplitSpec {
        name: "coop",
        about,
        counts: Counts {
            train,
            validation: Some(validation),
            test,
        },
        forms,
    }
}
