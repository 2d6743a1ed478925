//! Which split a data set is opened in: its own by name, or one drawn from a seed.

mod common;

use std::collections::HashSet;
use std::path::Path;

use common::{assert_says, dot, write};
use rut_data::{Dataset, Digest, ImageSet, open_split, picture_digest};
use tempfile::{TempDir, tempdir};

fn digits(split: &str) -> rut_data::Result<Dataset> {
    open_split("digits", Path::new("nowhere"), Some(split))
}

fn contents(set: &ImageSet) -> Vec<Digest> {
    let digest = |index| picture_digest(&set.decode(index).expect("an image"));
    (0..set.len()).map(digest).collect()
}

#[test]
fn a_stratified_split_is_a_function_of_its_seed() {
    let first = digits("stratified:1").expect("a split");
    let again = digits("Stratified:1").expect("a split");
    let other = digits("stratified:2").expect("a split");
    assert_eq!(contents(&first.test), contents(&again.test));
    assert_ne!(contents(&first.test), contents(&other.test));
    // As many test images of each class as the data set's own split has in all, within rounding.
    assert_eq!((first.train.len(), first.test.len()), (1000, 797));
    let counts = first.test.class_counts(10);
    assert!(
        counts.iter().all(|count| (76..=82).contains(count)),
        "{counts:?}"
    );
    let all: HashSet<String> = (0..first.train.len())
        .map(|index| first.train.source(index))
        .chain((0..first.test.len()).map(|index| first.test.source(index)))
        .collect();
    assert_eq!(all.len(), 1797);
}

#[test]
fn the_name_alone_is_the_data_sets_own_split() {
    let named = digits("stratified").expect("a split");
    let default = rut_data::open("digits", Path::new("nowhere")).expect("bundled");
    assert_eq!(contents(&named.test), contents(&default.test));
}

/// Two classes of `train` and `test` images each.
fn folders() -> TempDir {
    let folder = tempdir().expect("a folder");
    for at in 0..12u8 {
        let part = if at < 8 { "train" } else { "test" };
        let class = if at % 2 == 0 { "crow" } else { "owl" };
        write(
            folder.path().join(format!("{part}/{class}/{at}.pgm")),
            &dot(at),
        );
    }
    folder
}

#[test]
fn a_users_folders_can_be_split_anew() {
    let folder = folders();
    let name = folder.path().to_str().expect("UTF-8");
    let as_laid_out = open_split(name, Path::new("."), None).expect("folders");
    let drawn = open_split(name, Path::new("."), Some("stratified")).expect("a split");
    assert_eq!((as_laid_out.train.len(), as_laid_out.test.len()), (8, 4));
    assert_eq!((drawn.train.len(), drawn.test.len()), (8, 4));
    assert_eq!(drawn.test.class_counts(2), [2, 2]);
    let (all, mut both) = (contents(&as_laid_out.train), contents(&drawn.train));
    both.extend(contents(&drawn.test));
    assert!(all.iter().all(|digest| both.contains(digest)));
    assert_eq!(both.iter().collect::<HashSet<_>>().len(), 12);
}

#[test]
fn unknown_splits_list_the_known_ones() {
    assert_says(
        digits("stratifed"),
        &[
            "find split 'stratifed' of 'digits'",
            "stratified:SEED",
            "did you mean 'stratified'",
        ],
    );
    assert_says(
        digits("stratified:x"),
        &["expected one of stratified, stratified:SEED"],
    );
    let folder = folders();
    let name = folder.path().to_str().expect("UTF-8");
    let coop = open_split(name, Path::new("."), Some("coop"));
    assert_says(
        coop,
        &["find split 'coop'", "expected one of stratified:SEED"],
    );
}

#[test]
fn files_of_another_split_are_pointed_at() {
    let folder = tempdir().expect("a folder");
    let signs = folder.path().join("gtsrb");
    write(
        signs.join("GTSRB/Final_Training/Images/00014/0.ppm"),
        &dot(1),
    );
    write(signs.join("GTSRB/Final_Test/Images/00000.ppm"), &dot(2));
    let table =
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n00000.ppm;1;1;0;0;1;1;14\n";
    write(signs.join("GT-final_test.csv"), table.as_bytes());
    let official = rut_data::open("gtsrb", folder.path());
    assert_says(
        official,
        &["GTSRB/Training", "its split 'final'", "`split = final`"],
    );
    let signs =
        open_split("gtsrb", folder.path(), Some("final")).expect("the images of the last round");
    assert_eq!(
        (signs.train.labels(), signs.test.labels()),
        ([14].as_slice(), [14].as_slice())
    );
}
