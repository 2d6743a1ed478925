//! One small file per data set: its line of the table, and how it is opened.

pub(crate) mod abide;
pub(crate) mod caltech101;
pub(crate) mod cifar10;
pub(crate) mod cifar100;
pub(crate) mod coop;
pub(crate) mod digits;
pub(crate) mod dtd;
pub(crate) mod eurosat;
pub(crate) mod fgvcaircraft;
pub(crate) mod flowers102;
pub(crate) mod folder;
pub(crate) mod food101;
pub(crate) mod gtsrb;
pub(crate) mod labelled;
pub(crate) mod list;
pub(crate) mod oxfordpets;
pub(crate) mod parquet;
pub(crate) mod part;
pub(crate) mod stanfordcars;
pub(crate) mod sun397;
pub(crate) mod svhn;
pub(crate) mod ucf101;
