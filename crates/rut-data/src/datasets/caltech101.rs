//! Caltech-101: folders of photographs, of which `BACKGROUND_Google` is no class. There is no
//! official split.

use std::path::Path;

use super::coop;
use crate::formats::class_folders;
use crate::formats::image_npz::{self, Names};
use crate::stratify::split_anew;
use crate::{
    Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, Seed, SplitSpec,
};

/// A folder beside the classes that is none.
const NO_CLASS: &str = "BACKGROUND_Google";
/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);
/// Share of each class that is for testing.
const TEST_SHARE: f64 = 0.2;

/// The folders of classes in `$folder` below the data folder.
macro_rules! form {
    ($folder:literal) => {
        Form {
            layout: &[$folder],
            read: |root| read(root, $folder),
        }
    };
}

/// The arrays of `$file` in the data folder.
macro_rules! npz {
    ($file:literal) => {
        Form {
            layout: &[$file],
            read: |root| read_npz(&root.join($file)),
        }
    };
}

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "caltech101",
    aliases: &["caltech"],
    title: "Caltech-101",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "stratified",
            about: "no official split; a fixed one, of each class a fifth for testing",
            counts: Counts {
                train: 6_941,
                validation: None,
                test: 1_736,
            },
            forms: &[
                form!("caltech101/101_ObjectCategories"),
                form!("caltech101/caltech-101/101_ObjectCategories"),
                form!("caltech-101/101_ObjectCategories"),
            ],
        },
        coop::CALTECH101,
        SplitSpec {
            name: "npz",
            about: "a split of arrays of one's own: x_train and y_train, x_val and y_val for testing; \
                    labels without names",
            counts: Counts::UNKNOWN,
            forms: &[npz!("caltech101_64.npz"), npz!("caltech101_object.npz")],
        },
    ],
    licence: "CC BY 4.0",
    source: "https://data.caltech.edu/records/mzrjq-6wc02",
    citation: "L. Fei-Fei et al., Learning generative visual models from few training examples, \
               CVPR workshop on generative-model based vision, 2004",
    archives: &[Archive {
        url: "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
        file: "caltech-101.zip",
        md5: Some("3138e1922a9193bfa496528edbbc45d0"),
        sha256: None,
        unpack_into: "caltech101",
    }],
    by_hand: Some(
        "for its split 'coop' get split_zhou_Caltech101.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into caltech101/",
    ),
};

/// Names of the 101 classes, sorted by their bytes.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "Faces", "Faces_easy", "Leopards", "Motorbikes", "accordion", "airplanes", "anchor", "ant",
    "barrel", "bass", "beaver", "binocular", "bonsai", "brain", "brontosaurus", "buddha",
    "butterfly", "camera", "cannon", "car_side", "ceiling_fan", "cellphone", "chair", "chandelier",
    "cougar_body", "cougar_face", "crab", "crayfish", "crocodile", "crocodile_head", "cup",
    "dalmatian", "dollar_bill", "dolphin", "dragonfly", "electric_guitar", "elephant", "emu",
    "euphonium", "ewer", "ferry", "flamingo", "flamingo_head", "garfield", "gerenuk", "gramophone",
    "grand_piano", "hawksbill", "headphone", "hedgehog", "helicopter", "ibis", "inline_skate",
    "joshua_tree", "kangaroo", "ketch", "lamp", "laptop", "llama", "lobster", "lotus", "mandolin",
    "mayfly", "menorah", "metronome", "minaret", "nautilus", "octopus", "okapi", "pagoda", "panda",
    "pigeon", "pizza", "platypus", "pyramid", "revolver", "rhino", "rooster", "saxophone",
    "schooner", "scissors", "scorpion", "sea_horse", "snoopy", "soccer_ball", "stapler",
    "starfish", "stegosaurus", "stop_sign", "strawberry", "sunflower", "tick", "trilobite",
    "umbrella", "watch", "water_lilly", "wheelchair", "wild_cat", "windsor_chair", "wrench",
    "yin_yang",
];

fn read(root: &Path, folder: &str) -> Result<Parts> {
    let mut class_names = class_folders::class_names(&root.join(folder))?;
    class_names.retain(|name| name != NO_CLASS);
    let all = class_folders::read(root, folder, &class_names)?;
    split_anew(
        class_names,
        &all,
        TEST_SHARE,
        SPLIT_SEED,
        "caltech101 split",
    )
}

fn read_npz(path: &Path) -> Result<Parts> {
    let set = |images, labels| {
        let names = Names {
            images,
            labels,
            classes: CLASSES.len(),
        };
        image_npz::read(path, names)
    };
    let (train, test) = (set("x_train", "y_train")?, set("x_val", "y_val")?);
    let labels = train.labels().iter().chain(test.labels());
    let classes = labels.max().map_or(0, |&last| last + 1);
    Ok(Parts {
        class_names: (0..classes).map(|class| class.to_string()).collect(),
        train,
        validation: None,
        test,
        remarks: Vec::new(),
    })
}
