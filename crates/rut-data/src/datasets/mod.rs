//! One small file per data set: its line of the table, and how it is opened.

pub(crate) mod caltech101;
pub(crate) mod cifar10;
mod coop;
pub(crate) mod digits;
pub(crate) mod dtd;
pub(crate) mod eurosat;
pub(crate) mod folder;
pub(crate) mod food101;
pub(crate) mod gtsrb;
pub(crate) mod oxfordpets;
pub(crate) mod sun397;
pub(crate) mod ucf101;
