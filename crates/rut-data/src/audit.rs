//! What is wrong with a data set: counts that are not the table's, images that do not decode, labels
//! out of range, classes without images, images that stand on both sides of a split, and one image
//! under two labels.

mod finding;
mod others;

pub use finding::Finding;
pub use others::{OtherFiles, other_files};

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rayon::prelude::*;
use rut_images::RgbImage;

use crate::{Counts, Dataset, Digest, Error, ImageSet, Result};

/// What an audit found.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The parts, training images first.
    pub parts: Vec<PartAudit>,
    /// Everything that is wrong, in a fixed order.
    pub findings: Vec<Finding>,
}

/// One part of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartAudit {
    /// `train`, `validation` or `test`.
    pub name: &'static str,
    /// Its images.
    pub images: usize,
    /// Those that were decoded.
    pub decoded: usize,
    /// Files of those that were not, which are no images at all.
    pub no_images: usize,
    /// Images of each class, by label.
    pub class_counts: Vec<usize>,
    /// Images whose very pixels an earlier image of the same part has. Not a finding: many data
    /// sets have such.
    pub repeated: usize,
}

/// What the complete data set should be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Images of each part; [`Counts::UNKNOWN`] where they are unknown.
    pub counts: Counts,
    /// Names of the classes, where they are known.
    pub classes: Option<&'a [&'a str]>,
}

/// Decodes every image of `dataset`, on all cores, and looks for what is wrong; `expected` is
/// [`None`] for data of which nothing is known. Takes a digest of memory for each image.
///
/// ```
/// let digits = rut_data::open("digits", "data".as_ref())?;
/// let audit = rut_data::audit::audit(&digits, None);
/// assert_eq!(audit.parts[0].class_counts[3], 102);
/// assert!(audit.findings.is_empty());
/// # Ok::<(), rut_data::Error>(())
/// ```
#[must_use]
pub fn audit(dataset: &Dataset, expected: Option<Expected<'_>>) -> Audit {
    let parts = parts_of(dataset);
    let mut findings = expected.map_or_else(Vec::new, |expected| {
        against_table(dataset, &parts, expected)
    });
    let seen: Vec<Seen> = parts.iter().map(|part| Seen::of(part)).collect();
    for (part, seen) in parts.iter().zip(&seen) {
        findings.extend(seen.undecodable.iter().cloned());
        findings.extend(seen.contradictions(part));
        findings.extend(labels(part, &dataset.class_names));
    }
    for (at, one) in parts.iter().enumerate() {
        for (after, other) in parts.iter().enumerate().skip(at + 1) {
            findings.extend(between([one, other], [&seen[at], &seen[after]]));
        }
    }
    let summary = |(part, seen): (&Part<'_>, &Seen)| PartAudit {
        name: part.name,
        images: part.set.len(),
        decoded: part.set.len() - seen.undecodable.len(),
        no_images: seen.no_images,
        class_counts: part.set.class_counts(dataset.class_names.len()),
        repeated: seen.repeated,
    };
    Audit {
        parts: parts.iter().zip(&seen).map(summary).collect(),
        findings,
    }
}

/// A part and its name.
struct Part<'a> {
    name: &'static str,
    set: &'a ImageSet,
}

fn parts_of(dataset: &Dataset) -> Vec<Part<'_>> {
    let validation = dataset.validation.as_ref();
    [
        ("train", Some(&dataset.train)),
        ("validation", validation),
        ("test", Some(&dataset.test)),
    ]
    .into_iter()
    .filter_map(|(name, set)| Some(Part { name, set: set? }))
    .collect()
}

fn against_table(dataset: &Dataset, parts: &[Part<'_>], expected: Expected<'_>) -> Vec<Finding> {
    let names = expected
        .classes
        .and_then(|names| class_names(dataset, names));
    let mut findings: Vec<Finding> = names.into_iter().collect();
    let Counts {
        train,
        validation,
        test,
    } = expected.counts;
    let counts = [
        ("train", Some(train)),
        ("validation", validation),
        ("test", Some(test)),
    ];
    let known = expected.counts != Counts::UNKNOWN;
    for (part, expected) in counts.into_iter().filter(|_| known) {
        let is = |candidate: &&Part<'_>| candidate.name == part;
        let found = parts.iter().find(is).map_or(0, |part| part.set.len());
        let expected = expected.unwrap_or(found);
        if found != expected {
            findings.push(Finding::Count {
                part,
                expected,
                found,
            });
        }
    }
    findings
}

/// Class names that are not those of the table.
fn class_names(dataset: &Dataset, expected: &[&str]) -> Option<Finding> {
    let found: Vec<&str> = dataset.class_names.iter().map(String::as_str).collect();
    let lost = expected.iter().filter(|name| !found.contains(name));
    let new = found.iter().filter(|name| !expected.contains(name));
    let mut differing: Vec<String> = lost.chain(new).map(|&name| name.to_owned()).collect();
    if differing.is_empty() {
        differing.push("their order".to_owned());
    }
    (found != expected).then_some(Finding::ClassNames {
        expected: expected.len(),
        found: found.len(),
        differing,
    })
}

/// Labels out of range, and classes without an image.
fn labels(part: &Part<'_>, names: &[String]) -> Vec<Finding> {
    let classes = names.len();
    let labels = part.set.labels().iter().enumerate();
    let beyond = labels
        .filter(|(_, label)| **label as usize >= classes)
        .map(|(index, &label)| Finding::Label {
            part: part.name,
            image: part.set.source(index),
            label,
            classes,
        });
    let counts = part.set.class_counts(classes);
    let empty = names.iter().zip(counts).filter(|(_, count)| *count == 0);
    let empty = empty.map(|(class, _)| Finding::EmptyClass {
        part: part.name,
        class: class.clone(),
    });
    beyond.chain(empty).collect()
}

/// What decoding all images of a part showed.
struct Seen {
    /// The first image with these pixels.
    first: HashMap<Digest, usize>,
    repeated: usize,
    /// Images whose pixels another one before has under another label: that one, and they.
    contradictory: Vec<[usize; 2]>,
    undecodable: Vec<Finding>,
    no_images: usize,
}

impl Seen {
    fn of(part: &Part<'_>) -> Seen {
        let digests: Vec<Result<Digest>> = (0..part.set.len())
            .into_par_iter()
            .map(|index| Ok(pixels_of(&part.set.decode(index)?.into_rgb())))
            .collect();
        let mut seen = Seen {
            first: HashMap::with_capacity(part.set.len()),
            repeated: 0,
            contradictory: Vec::new(),
            undecodable: Vec::new(),
            no_images: 0,
        };
        let label = |index: usize| part.set.labels().get(index);
        for (index, digest) in digests.into_iter().enumerate() {
            match digest {
                Ok(digest) => match seen.first.entry(digest) {
                    Entry::Vacant(place) => drop(place.insert(index)),
                    Entry::Occupied(first) => {
                        let first = *first.get();
                        seen.repeated += 1;
                        if label(first) != label(index) {
                            seen.contradictory.push([first, index]);
                        }
                    }
                },
                Err(error) => {
                    seen.no_images += usize::from(is_no_image(&error));
                    seen.undecodable.push(Finding::Undecodable {
                        part: part.name,
                        image: part.set.source(index),
                        problem: error.to_string(),
                    });
                }
            }
        }
        seen
    }

    /// One image under two labels.
    fn contradictions(&self, part: &Part<'_>) -> Vec<Finding> {
        let finding = |images: &[usize; 2]| {
            let [one, other] = images.map(|index| part.set.labels().get(index).copied());
            Some(Finding::Contradiction {
                part: part.name,
                images: images.map(|index| part.set.source(index)),
                labels: [one?, other?],
            })
        };
        self.contradictory.iter().filter_map(finding).collect()
    }
}

fn is_no_image(error: &Error) -> bool {
    use rut_images::Error::NotAnImage;
    matches!(
        error,
        Error::Image {
            source: NotAnImage { .. },
            ..
        }
    )
}

/// Digest of size and colours, whatever the file format and mode.
fn pixels_of(image: &RgbImage) -> Digest {
    let size = format!("{} {}\0", image.width, image.height);
    Digest::of_parts(&[size.as_bytes(), &image.pixels])
}

/// What stands in two parts: the same file, or else the same pixels.
fn between([one, other]: [&Part<'_>; 2], [in_one, in_other]: [&Seen; 2]) -> Vec<Finding> {
    let parts = [one.name, other.name];
    let names: HashMap<String, usize> = (0..one.set.len())
        .map(|index| (one.set.source(index), index))
        .collect();
    let files = (0..other.set.len()).map(|index| other.set.source(index));
    let overlaps = files
        .filter(|image| names.contains_key(image))
        .map(|image| Finding::Overlap { image, parts });
    let mut pairs: Vec<[usize; 2]> = in_other
        .first
        .iter()
        .filter_map(|(digest, &index)| Some([*in_one.first.get(digest)?, index]))
        .collect();
    pairs.sort_unstable();
    let duplicates = pairs.into_iter().filter_map(|[a, b]| {
        let images = [one.set.source(a), other.set.source(b)];
        // The same file was reported already.
        let label = |part: &Part<'_>, index: usize| part.set.labels().get(index).copied();
        let labels = [label(one, a)?, label(other, b)?];
        (images[0] != images[1]).then_some(Finding::Duplicate {
            parts,
            images,
            labels,
        })
    });
    overlaps.chain(duplicates).collect()
}
