//! The table of data sets, and finding a line of it by name. For opening, see `open`.

use rut_formats::plain_name;

use crate::DatasetSpec;
use crate::datasets::{
    abide, caltech101, cifar10, cifar100, digits, dtd, eurosat, fgvcaircraft, flowers102, food101,
    gtsrb, oxfordpets, stanfordcars, sun397, svhn, ucf101,
};

/// All data sets that have a name, in the order in which they are listed.
pub static DATASETS: &[DatasetSpec] = &[
    abide::SPEC,
    caltech101::SPEC,
    cifar10::SPEC,
    cifar100::SPEC,
    digits::SPEC,
    dtd::SPEC,
    eurosat::SPEC,
    fgvcaircraft::SPEC,
    flowers102::SPEC,
    food101::SPEC,
    gtsrb::SPEC,
    oxfordpets::SPEC,
    stanfordcars::SPEC,
    sun397::SPEC,
    svhn::SPEC,
    ucf101::SPEC,
];

/// The data set of this name or alias; case, `-`, `_` and blanks do not matter.
///
/// ```
/// assert_eq!(rut_data::find("Cifar_10").map(|spec| spec.prompt_size), Some(32));
/// ```
#[must_use]
pub fn find(name: &str) -> Option<&'static DatasetSpec> {
    let wanted = plain_name(name);
    let answers = |spec: &&DatasetSpec| {
        plain_name(spec.name) == wanted
            || spec.aliases.iter().any(|alias| plain_name(alias) == wanted)
    };
    DATASETS.iter().find(answers)
}
