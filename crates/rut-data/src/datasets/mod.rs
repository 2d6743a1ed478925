//! One small file per data set: its line of the table, and how it is opened.

pub(crate) mod cifar10;
pub(crate) mod digits;
pub(crate) mod folder;
pub(crate) mod gtsrb;
pub(crate) mod labelled;
pub(crate) mod list;
pub(crate) mod parquet;
