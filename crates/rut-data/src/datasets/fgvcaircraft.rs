//! FGVC-Aircraft: JPEG files in one folder, and lists of them with the name of the aircraft's variant.
//!
//! The lists exist at three levels; of them the variants are the classes, the finest level and
//! torchvision's default. Labels are the places in `variants.txt`. The strip with the photographer's
//! name below each picture stays, as it does in torchvision, and boxes are not used.

use std::collections::HashMap;
use std::path::Path;

use crate::formats::files::{Files, Labelled};
use crate::formats::list_file;
use crate::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

const IMAGES: &str = "fgvc-aircraft-2013b/data/images";
/// The classes in label order, a line each.
const CLASS_LIST: &str = "fgvc-aircraft-2013b/data/variants.txt";
const TRAIN: &str = "fgvc-aircraft-2013b/data/images_variant_train.txt";
const VALIDATION: &str = "fgvc-aircraft-2013b/data/images_variant_val.txt";
const TEST: &str = "fgvc-aircraft-2013b/data/images_variant_test.txt";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "fgvcaircraft",
    aliases: &["aircraft"],
    title: "FGVC-Aircraft",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[SplitSpec {
        name: "official",
        about: "as published: the lists train, val and test of the variants",
        counts: Counts {
            train: 3_334,
            validation: Some(3_333),
            test: 3_333,
        },
        forms: &[Form {
            layout: &[IMAGES, CLASS_LIST, TRAIN, VALIDATION, TEST],
            read,
        }],
    }],
    licence: "exclusively for non-commercial research",
    source: "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/",
    citation: "S. Maji et al., Fine-grained visual classification of aircraft, arXiv:1306.5151, 2013",
    archives: &[Archive {
        url: "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
        file: "fgvc-aircraft-2013b.tar.gz",
        // torchvision has none; torchvision for R and others check this one.
        md5: Some("d4acdd33327262359767eeaa97a4f732"),
        sha256: None,
        unpack_into: "",
    }],
    by_hand: None,
};

/// Names of the 100 variants, by their place in `variants.txt`.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "707-320", "727-200", "737-200", "737-300", "737-400", "737-500", "737-600", "737-700",
    "737-800", "737-900", "747-100", "747-200", "747-300", "747-400", "757-200", "757-300",
    "767-200", "767-300", "767-400", "777-200", "777-300", "A300B4", "A310", "A318", "A319",
    "A320", "A321", "A330-200", "A330-300", "A340-200", "A340-300", "A340-500", "A340-600", "A380",
    "ATR-42", "ATR-72", "An-12", "BAE 146-200", "BAE 146-300", "BAE-125", "Beechcraft 1900",
    "Boeing 717", "C-130", "C-47", "CRJ-200", "CRJ-700", "CRJ-900", "Cessna 172", "Cessna 208",
    "Cessna 525", "Cessna 560", "Challenger 600", "DC-10", "DC-3", "DC-6", "DC-8", "DC-9-30",
    "DH-82", "DHC-1", "DHC-6", "DHC-8-100", "DHC-8-300", "DR-400", "Dornier 328", "E-170", "E-190",
    "E-195", "EMB-120", "ERJ 135", "ERJ 145", "Embraer Legacy 600", "Eurofighter Typhoon",
    "F-16A/B", "F/A-18", "Falcon 2000", "Falcon 900", "Fokker 100", "Fokker 50", "Fokker 70",
    "Global Express", "Gulfstream IV", "Gulfstream V", "Hawk T1", "Il-76", "L-1011", "MD-11",
    "MD-80", "MD-87", "MD-90", "Metroliner", "Model B200", "PA-28", "SR-20", "Saab 2000",
    "Saab 340", "Spitfire", "Tornado", "Tu-134", "Tu-154", "Yak-42",
];

fn read(root: &Path) -> Result<Parts> {
    let classes = root.join(CLASS_LIST);
    let class_names = list_file::read(&classes, "a class", |line| Some(line.to_owned()))?;
    let labels = list_file::labels(&classes, class_names.iter().map(String::as_str))?;
    let set = |list| {
        let expected = "an image's name and a class of variants.txt, as in '1025794 707-320'";
        let images = list_file::read(&root.join(list), expected, |line| parse(line, &labels))?;
        Files::labelled(root, IMAGES, images)
    };
    let (train, validation, test) = (set(TRAIN)?, set(VALIDATION)?, set(TEST)?);
    Ok(Parts {
        class_names,
        train,
        validation: Some(validation),
        test,
        remarks: Vec::new(),
    })
}

/// A line `IMAGE CLASS`; blanks and slashes in it are the class's.
fn parse(line: &str, labels: &HashMap<&str, u32>) -> Option<Labelled> {
    let (image, class) = line.split_once(' ')?;
    let image = list_file::below(image).filter(|image| !image.contains('/'))?;
    Some((format!("{image}.jpg"), *labels.get(class)?))
}
