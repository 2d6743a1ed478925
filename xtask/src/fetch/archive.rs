//! The kinds of archive, told by the ending of the name.

/// How a downloaded file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// tar, compressed by gzip.
    TarGz,
    /// tar.
    Tar,
    /// zip.
    Zip,
    /// Not at all: the file is the data.
    Plain,
}

impl Kind {
    /// The kind of a file called `name`.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".tar.gz", ".tgz"]) {
            Self::TarGz
        } else if ends(&[".tar"]) {
            Self::Tar
        } else if ends(&[".zip"]) {
            Self::Zip
        } else {
            Self::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_kinds() {
        let kinds = ["a.tar.gz", "A.TGZ", "a.tar", "a.zip", "a.mat", "a.gz"].map(Kind::of);
        assert_eq!(
            kinds,
            [
                Kind::TarGz,
                Kind::TarGz,
                Kind::Tar,
                Kind::Zip,
                Kind::Plain,
                Kind::Plain
            ]
        );
    }
}
