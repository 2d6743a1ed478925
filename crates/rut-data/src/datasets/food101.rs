//! Food-101: JPEG files and JSON lists of them by class, as torchvision reads them.

use std::path::Path;

use super::coop;
use crate::formats::class_lists;
use crate::formats::files::Files;
use crate::formats::list_file::labelled;
use crate::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

const IMAGES: &str = "food-101/images";
/// Lists of the training and test images, without the files' ending.
const TRAIN: &str = "food-101/meta/train.json";
const TEST: &str = "food-101/meta/test.json";
const ENDING: &str = ".jpg";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "food101",
    aliases: &["food"],
    title: "Food-101",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "official",
            about: "as published; labels of the training images are noisy",
            counts: Counts {
                train: 75_750,
                validation: None,
                test: 25_250,
            },
            forms: &[Form {
                layout: &[IMAGES, TRAIN, TEST],
                read,
            }],
        },
        coop::FOOD101,
    ],
    licence: "none; scientific fair use",
    source: "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
    citation: "L. Bossard et al., Food-101: mining discriminative components with random forests, \
               ECCV 2014",
    archives: &[Archive {
        url: "https://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
        file: "food-101.tar.gz",
        md5: Some("85eeb15f3717b99a5da872d97d918f87"),
        sha256: None,
        unpack_into: "",
    }],
    by_hand: Some(
        "for its split 'coop' get split_zhou_Food101.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into food-101/",
    ),
};

/// Names of the 101 dishes, sorted by their bytes.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "apple_pie", "baby_back_ribs", "baklava", "beef_carpaccio", "beef_tartare", "beet_salad",
    "beignets", "bibimbap", "bread_pudding", "breakfast_burrito", "bruschetta", "caesar_salad",
    "cannoli", "caprese_salad", "carrot_cake", "ceviche", "cheese_plate", "cheesecake",
    "chicken_curry", "chicken_quesadilla", "chicken_wings", "chocolate_cake", "chocolate_mousse",
    "churros", "clam_chowder", "club_sandwich", "crab_cakes", "creme_brulee", "croque_madame",
    "cup_cakes", "deviled_eggs", "donuts", "dumplings", "edamame", "eggs_benedict", "escargots",
    "falafel", "filet_mignon", "fish_and_chips", "foie_gras", "french_fries", "french_onion_soup",
    "french_toast", "fried_calamari", "fried_rice", "frozen_yogurt", "garlic_bread", "gnocchi",
    "greek_salad", "grilled_cheese_sandwich", "grilled_salmon", "guacamole", "gyoza", "hamburger",
    "hot_and_sour_soup", "hot_dog", "huevos_rancheros", "hummus", "ice_cream", "lasagna",
    "lobster_bisque", "lobster_roll_sandwich", "macaroni_and_cheese", "macarons", "miso_soup",
    "mussels", "nachos", "omelette", "onion_rings", "oysters", "pad_thai", "paella", "pancakes",
    "panna_cotta", "peking_duck", "pho", "pizza", "pork_chop", "poutine", "prime_rib",
    "pulled_pork_sandwich", "ramen", "ravioli", "red_velvet_cake", "risotto", "samosa", "sashimi",
    "scallops", "seaweed_salad", "shrimp_and_grits", "spaghetti_bolognese", "spaghetti_carbonara",
    "spring_rolls", "steak", "strawberry_shortcake", "sushi", "tacos", "takoyaki", "tiramisu",
    "tuna_tartare", "waffles",
];

fn read(root: &Path) -> Result<Parts> {
    let list = |file| class_lists::read(&root.join(file), ENDING);
    let (class_names, [train, test]) = labelled([list(TRAIN)?, list(TEST)?]);
    Ok(Parts {
        class_names,
        train: Files::labelled(root, IMAGES, train)?,
        validation: None,
        test: Files::labelled(root, IMAGES, test)?,
        remarks: Vec::new(),
    })
}
