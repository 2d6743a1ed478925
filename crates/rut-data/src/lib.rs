#![doc = include_str!("../README.md")]
//!
//! # Map of the crate
//!
//! | question | where |
//! | --- | --- |
//! | which data sets are there? | [`DATASETS`], [`find`], [`open`], [`DatasetSpec`] |
//! | what is in one? | [`Dataset`], [`ImageSet`], [`Picture`] |
//! | which images are trained on? | [`draw`], [`Budget`], [`ValidationRule`] |
//! | what does a network see? | [`Transform`], [`Prepared`], [`Batch`], [`batches`] |
//! | how are training images varied? | [`Augmentation`], [`Augmented`] |
//! | is it sound, what does it look like? | [`audit::audit`], [`Survey`], [`ContactSheet`] |
//! | what makes it repeatable? | [`Seed`], [`Digest`] |
//!
//! Nothing here prints, reads the environment or knows a tensor library.

pub mod audit;
mod augmentation;
mod augmented;
mod batches;
mod contact_sheet;
mod dataset;
mod datasets;
mod error;
mod few_shot;
mod formats;
mod image_set;
mod open;
mod prepared;
mod registry;
mod seed;
mod spec;
mod split;
mod stratify;
mod survey;
mod unlabelled;
mod unreadable;

pub use augmentation::Augmentation;
pub use augmented::Augmented;
pub use batches::{Order, batches};
pub use contact_sheet::ContactSheet;
pub use dataset::{ClassRef, Dataset};
pub use datasets::folder::open_class_folders;
pub use error::{Error, Result};
pub use few_shot::{Draw, DrawOptions, ShortClass, draw, draw_beside_validation};
pub use image_set::{ImageSet, ImageSource, picture_digest};
pub use open::{canonical_split, is_there, open, open_split};
pub use prepared::{Batch, Prepared};
pub use registry::{DATASETS, find};
pub use rut_formats::Digest;
pub use rut_images::{Depth, Picture, RgbImage, Transform};
pub use seed::{Seed, Stream};
pub use spec::{Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, SplitSpec};
pub use split::{Budget, Share, Shots, ValidationRule};
pub use survey::Survey;
pub use unlabelled::image_files;
pub use unreadable::{Skip, Skipped};
