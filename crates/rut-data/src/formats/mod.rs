//! Readers of file formats, shared by the data sets.

pub(crate) mod cifar_binary;
pub(crate) mod cifar_python;
pub(crate) mod class_folders;
pub(crate) mod class_lists;
pub(crate) mod class_names;
pub(crate) mod coop_split;
pub(crate) mod fault;
pub(crate) mod files;
pub(crate) mod image_list;
pub(crate) mod image_npz;
mod json;
pub(crate) mod list_file;
pub(crate) mod mat;
pub(crate) mod npz;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
mod planes;
pub(crate) mod svhn;
