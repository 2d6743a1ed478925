//! Networks that are part of the program, so that it can be tried where no file is: a folder by the name `bundled:`. It is
//! empty without the feature `bundled`.

use std::path::Path;

/// The folder's name.
pub const BUNDLED: &str = "bundled:";

/// The folder of the repository that has the same files. Elsewhere it is usually missing; then [`BUNDLED`] takes its place.
pub const BUNDLED_FROM: &str = "checkpoints/fair";

/// The folder of the repository that has [`EARLIER_BUNDLED`].
pub const EARLIER_BUNDLED_FROM: &str = "checkpoints";

/// A file that earlier versions of the program held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierBundled {
    /// Its name, which another file of [`BUNDLED`] has today.
    pub name: &'static str,
    /// Its SHA-256, hexadecimal.
    pub sha256: &'static str,
}

/// What earlier versions held.
pub const EARLIER_BUNDLED: [EarlierBundled; 3] = [
    EarlierBundled {
        name: "resnet20_cifar100_0_checkpoint.safetensors",
        sha256: "66cc2368e0c94cbe5e4ba3ca0d25d000679693bf441301c0aaa3e9b845072c08",
    },
    EarlierBundled {
        name: "resnet20_cifar100_8_checkpoint.safetensors",
        sha256: "0568e003652554c6429c467b749a9087f580cc2539b6139447bd6c064313fcd9",
    },
    EarlierBundled {
        name: "resnet20_cifar100_8_mask.safetensors",
        sha256: "7f2e14cb55d73c4ec22542d48a6ed6af7eaf78d13eac31741868afe86d4b14a4",
    },
];

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

#[cfg(test)]
mod tests {
    use rut_formats::Digest;
    use rut_testkit::place::root;

    use super::*;

    #[test]
    fn earlier_files_lie_in_the_repository() {
        for earlier in EARLIER_BUNDLED {
            let file = root().join(EARLIER_BUNDLED_FROM).join(earlier.name);
            let bytes = std::fs::read(file).unwrap();
            assert_eq!(Digest::of_bytes(&bytes).to_string(), earlier.sha256);
        }
    }

    #[cfg(feature = "bundled")]
    #[test]
    fn files_are_those_of_the_repository() {
        for (name, bytes) in FILES {
            let file = root().join(BUNDLED_FROM).join(name);
            assert!(std::fs::read(file).unwrap() == *bytes, "{name}");
            assert_eq!(bundled(&Path::new(BUNDLED).join(name)), Some(*bytes));
        }
    }
}
