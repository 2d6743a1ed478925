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
    Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSet, ImageSize, Parts, Result, SplitSpec,
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
    region: ImageRegion::Whole,
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
mod tests;
