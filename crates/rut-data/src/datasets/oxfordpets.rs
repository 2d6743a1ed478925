//! Oxford-IIIT Pet: JPEG files, and lists of them with the number of the breed.
//!
//! Labels are those numbers and not the order of the names, so a sample with some of the breeds
//! keeps the official ones. Some files that end in `.jpg` hold another format.

use std::path::Path;

use super::coop;
use crate::formats::files::{Files, Labelled};
use crate::formats::list_file;
use crate::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

/// What a line of a list should be, for errors.
const LINE: &str = "an image's name with its breed, the breed's number from 1 to 37 in the order \
                    of the data set and two more numbers, as in 'Abyssinian_12 1 1 1'";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "oxfordpets",
    aliases: &["pets", "oxford-iiit-pet"],
    title: "Oxford-IIIT Pet",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "official",
            about: "as published, trainval and test",
            counts: Counts {
                train: 3_680,
                validation: None,
                test: 3_669,
            },
            forms: &[
                Form {
                    layout: &[
                        "oxford-iiit-pet/images",
                        "oxford-iiit-pet/annotations/trainval.txt",
                        "oxford-iiit-pet/annotations/test.txt",
                    ],
                    read: |root| read(root, "oxford-iiit-pet"),
                },
                Form {
                    layout: &[
                        "oxford_pets/images",
                        "oxford_pets/annotations/trainval.txt",
                        "oxford_pets/annotations/test.txt",
                    ],
                    read: |root| read(root, "oxford_pets"),
                },
            ],
        },
        coop::OXFORDPETS,
    ],
    licence: "CC BY-SA 4.0",
    source: "https://www.robots.ox.ac.uk/~vgg/data/pets/",
    citation: "O. M. Parkhi et al., Cats and dogs, CVPR 2012",
    archives: &[
        Archive {
            url: "https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz",
            file: "oxford-iiit-pet-images.tar.gz",
            md5: Some("5c4f3ee8e5d25df40f4fd59a7f44e54c"),
            sha256: None,
            unpack_into: "oxford-iiit-pet",
        },
        Archive {
            url: "https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz",
            file: "oxford-iiit-pet-annotations.tar.gz",
            md5: Some("95a8c909bbe2e81eed6a22bccdf3f68f"),
            sha256: None,
            unpack_into: "oxford-iiit-pet",
        },
    ],
    by_hand: Some(
        "for its split 'coop' get split_zhou_OxfordPets.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into oxford-iiit-pet/",
    ),
};

/// Names of the 37 breeds, by number.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "Abyssinian", "American Bulldog", "American Pit Bull Terrier", "Basset Hound", "Beagle",
    "Bengal", "Birman", "Bombay", "Boxer", "British Shorthair", "Chihuahua", "Egyptian Mau",
    "English Cocker Spaniel", "English Setter", "German Shorthaired", "Great Pyrenees", "Havanese",
    "Japanese Chin", "Keeshond", "Leonberger", "Maine Coon", "Miniature Pinscher", "Newfoundland",
    "Persian", "Pomeranian", "Pug", "Ragdoll", "Russian Blue", "Saint Bernard", "Samoyed",
    "Scottish Terrier", "Shiba Inu", "Siamese", "Sphynx", "Staffordshire Bull Terrier",
    "Wheaten Terrier", "Yorkshire Terrier",
];

fn read(root: &Path, folder: &str) -> Result<Parts> {
    let list = |part: &str| {
        let path = root.join(format!("{folder}/annotations/{part}.txt"));
        list_file::read(&path, LINE, parse)
    };
    let (train, test) = (list("trainval")?, list("test")?);
    let last = train.iter().chain(&test).map(|(_, label)| *label).max();
    let classes = last.map_or(0, |label| label as usize + 1);
    let set = |images| Files::labelled(root, &format!("{folder}/images"), images);
    Ok(Parts {
        class_names: SPEC.class_names().into_iter().take(classes).collect(),
        train: set(train)?,
        validation: None,
        test: set(test)?,
        remarks: Vec::new(),
    })
}

/// A line `NAME NUMBER SPECIES NUMBER-IN-SPECIES`; the name must be one of that breed.
fn parse(line: &str) -> Option<Labelled> {
    let mut fields = line.split_whitespace();
    let name = list_file::below(fields.next()?)?;
    let number: u32 = fields.next()?.parse().ok()?;
    let label = number.checked_sub(1)?;
    let (breed, _) = name.rsplit_once('_')?;
    let is_of_breed = CLASSES.get(label as usize) == Some(&title(breed).as_str());
    (is_of_breed && fields.count() == 2).then(|| (format!("{name}.jpg"), label))
}

/// `american_bulldog` as `American Bulldog`.
fn title(breed: &str) -> String {
    let words = breed.split('_').map(|word| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + &rest.to_lowercase()
    });
    words.collect::<Vec<_>>().join(" ")
}
