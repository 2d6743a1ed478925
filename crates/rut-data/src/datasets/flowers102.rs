//! Oxford Flowers: JPEG files in torchvision's layout, splits and labels in MAT-files.
//!
//! As in torchvision, `trnid` is trained on and `tstid`, the largest part, is for testing; images
//! come in the order of their numbers in `setid.mat`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::coop;
use crate::formats::files::Files;
use crate::formats::mat::{self, Variable};
use crate::{
    Archive, Counts, DatasetSpec, Form, ImageSet, ImageSize, Parts, Result, SplitSpec, Window,
};

const IMAGES: &str = "flowers-102/jpg";
/// Which images are in which part.
const PARTS: &str = "flowers-102/setid.mat";
/// The class of each image, from 1.
const LABELS: &str = "flowers-102/imagelabels.mat";

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "flowers102",
    aliases: &["oxfordflowers", "oxfordflowers102"],
    title: "Oxford 102 Flower",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    window: Window::Whole,
    splits: &[
        SplitSpec {
            name: "official",
            about: "as published: trnid, valid and tstid of setid.mat",
            counts: Counts {
                train: 1_020,
                validation: Some(1_020),
                test: 6_149,
            },
            forms: &[Form {
                layout: &[IMAGES, PARTS, LABELS],
                read,
            }],
        },
        coop::FLOWERS102,
    ],
    licence: "no terms stated",
    source: "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    citation: "M.-E. Nilsback and A. Zisserman, Automated flower classification over a large \
               number of classes, ICVGIP 2008",
    archives: &[
        Archive {
            url: "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/102flowers.tgz",
            file: "102flowers.tgz",
            md5: Some("52808999861908f626f3c1f4e79d11fa"),
            sha256: None,
            unpack_into: "flowers-102",
        },
        Archive {
            url: "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/imagelabels.mat",
            file: "imagelabels.mat",
            md5: Some("e0620be6f572b9609742df49c70aed4d"),
            sha256: None,
            unpack_into: "flowers-102",
        },
        Archive {
            url: "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/setid.mat",
            file: "setid.mat",
            md5: Some("a5357ecc9cb78c4bef273ce3793fc85c"),
            sha256: None,
            unpack_into: "flowers-102",
        },
    ],
    by_hand: Some(
        "for its split 'coop' get split_zhou_OxfordFlowers.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into flowers-102/",
    ),
};

fn read(root: &Path) -> Result<Parts> {
    let [labels] = mat::read(&root.join(LABELS), ["labels"])?;
    let labels = labels.indices(CLASSES.len())?;
    let parts = mat::read(&root.join(PARTS), ["trnid", "valid", "tstid"])?;
    let [train, validation, test] = &parts;
    Ok(Parts {
        class_names: SPEC.class_names(),
        train: part(root, train, &labels)?,
        validation: Some(part(root, validation, &labels)?),
        test: part(root, test, &labels)?,
        remarks: Vec::new(),
    })
}

/// The images whose numbers, from 1, stand in this variable.
fn part(root: &Path, numbers: &Variable, labels: &[u32]) -> Result<ImageSet> {
    let images = numbers.indices(labels.len())?;
    let folder = root.join(IMAGES);
    let path = |&image: &u32| -> PathBuf { folder.join(format!("image_{:05}.jpg", image + 1)) };
    let label = |&image: &u32| labels.get(image as usize).copied();
    let files = Files {
        root: root.to_path_buf(),
        paths: images.iter().map(path).collect::<Vec<_>>().into(),
    };
    ImageSet::new(Arc::new(files), images.iter().filter_map(label).collect())
}

/// Names of the 102 flowers, by class.
const CLASSES: &[&str] = &[
    "pink primrose",
    "hard-leaved pocket orchid",
    "canterbury bells",
    "sweet pea",
    "english marigold",
    "tiger lily",
    "moon orchid",
    "bird of paradise",
    "monkshood",
    "globe thistle",
    "snapdragon",
    "colt's foot",
    "king protea",
    "spear thistle",
    "yellow iris",
    "globe-flower",
    "purple coneflower",
    "peruvian lily",
    "balloon flower",
    "giant white arum lily",
    "fire lily",
    "pincushion flower",
    "fritillary",
    "red ginger",
    "grape hyacinth",
    "corn poppy",
    "prince of wales feathers",
    "stemless gentian",
    "artichoke",
    "sweet william",
    "carnation",
    "garden phlox",
    "love in the mist",
    "mexican aster",
    "alpine sea holly",
    "ruby-lipped cattleya",
    "cape flower",
    "great masterwort",
    "siam tulip",
    "lenten rose",
    "barbeton daisy",
    "daffodil",
    "sword lily",
    "poinsettia",
    "bolero deep blue",
    "wallflower",
    "marigold",
    "buttercup",
    "oxeye daisy",
    "common dandelion",
    "petunia",
    "wild pansy",
    "primula",
    "sunflower",
    "pelargonium",
    "bishop of llandaff",
    "gaura",
    "geranium",
    "orange dahlia",
    "pink-yellow dahlia?",
    "cautleya spicata",
    "japanese anemone",
    "black-eyed susan",
    "silverbush",
    "californian poppy",
    "osteospermum",
    "spring crocus",
    "bearded iris",
    "windflower",
    "tree poppy",
    "gazania",
    "azalea",
    "water lily",
    "rose",
    "thorn apple",
    "morning glory",
    "passion flower",
    "lotus",
    "toad lily",
    "anthurium",
    "frangipani",
    "clematis",
    "hibiscus",
    "columbine",
    "desert-rose",
    "tree mallow",
    "magnolia",
    "cyclamen",
    "watercress",
    "canna lily",
    "hippeastrum",
    "bee balm",
    "ball moss",
    "foxglove",
    "bougainvillea",
    "camellia",
    "mallow",
    "mexican petunia",
    "bromelia",
    "blanket flower",
    "trumpet creeper",
    "blackberry lily",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mat::ByteOrder;
    use crate::formats::mat::sample::Writer;

    const W: Writer = Writer(ByteOrder::Little);

    fn row(name: &str, numbers: &[u8]) -> Vec<u8> {
        W.matrix(9, &[1, numbers.len() as u32], name, &W.element(2, numbers))
    }

    /// A data set without images, with these classes and these numbers of images.
    fn tables(labels: &[u8], train: &[u8]) -> Result<Parts> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("flowers-102")).expect("a folder");
        let write = |path: &str, variables: &[Vec<u8>]| {
            std::fs::write(folder.path().join(path), W.file(variables)).expect("a file");
        };
        write(LABELS, &[row("labels", labels)]);
        let parts = [row("tstid", &[3]), row("valid", &[2]), row("trnid", train)];
        write(PARTS, &parts);
        read(folder.path())
    }

    #[test]
    fn numbers_are_files_and_labels() {
        let parts = tables(&[102, 5, 1], &[3, 1]).unwrap();
        assert_eq!(parts.train.labels(), [0, 101]);
        assert_eq!(parts.train.source(0), "flowers-102/jpg/image_00003.jpg");
        assert_eq!(parts.validation.unwrap().labels(), [4]);
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        let message = |labels: &[u8], train: &[u8]| tables(labels, train).unwrap_err().to_string();
        let label = message(&[1, 103, 1], &[1]);
        assert!(
            label.contains("imagelabels.mat, variable 'labels', element 1"),
            "{label}"
        );
        assert!(label.contains("from 1 to 102, found 103"), "{label}");
        let image = message(&[1, 2, 3], &[1, 4]);
        assert!(
            image.contains("setid.mat, variable 'trnid', element 1"),
            "{image}"
        );
        assert!(image.contains("from 1 to 3, found 4"), "{image}");
        assert!(message(&[1, 2, 3], &[0]).contains("found 0"));
    }
}
