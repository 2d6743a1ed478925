//! Networks that are part of the program, so that it can be tried where no file is: a folder by the name `bundled:`. It is
//! empty without the feature `bundled`.

use std::path::Path;

/// The folder's name.
pub const BUNDLED: &str = "bundled:";

#[cfg(feature = "bundled")]
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../bundled/", $name)))),+]
    };
}

/// Names and contents.
#[cfg(feature = "bundled")]
const FILES: &[(&str, &[u8])] = files!(
    "resnet20_cifar100_0_checkpoint.safetensors",
    "resnet20_cifar100_8_checkpoint.safetensors",
    "resnet20_cifar100_8_mask.safetensors",
);
#[cfg(not(feature = "bundled"))]
const FILES: &[(&str, &[u8])] = &[];

const _: () = {
    let mut index = 0;
    while index < FILES.len() {
        // Where symbolic links are checked out as text, a file is the name of another.
        assert!(
            FILES[index].1.len() > 100_000,
            "check the sources out with symbolic links"
        );
        index += 1;
    }
};

/// The names of the files in the folder `directory`, if it is the program's own.
pub(crate) fn names(directory: &Path) -> Option<Vec<String>> {
    (directory == Path::new(BUNDLED))
        .then(|| FILES.iter().map(|(name, _)| (*name).to_owned()).collect())
}

/// The content of `path`, if it is one of the program's own: `bundled:/resnet20_cifar100_8_mask.safetensors`.
pub fn bundled(path: &Path) -> Option<&'static [u8]> {
    let name = path.strip_prefix(BUNDLED).ok()?;
    let file = FILES.iter().find(|(own, _)| Path::new(own) == name)?;
    Some(file.1)
}
