//! Addresses of runs' files as a page beside them has them: relative, so that results and report can be moved together and
//! no path of the machine is shown.

use std::path::{Component, Path, PathBuf};

use rut_record::RunDir;

use crate::Costs;

/// What leads from a page to runs' folders.
pub(crate) struct Links {
    /// The page's folder; none where nothing is linked.
    from: Option<PathBuf>,
}

impl Links {
    /// From a page in the folder `out`. A report without costs has no links: its bytes do not depend on where
    /// it is.
    pub(crate) fn from(out: &Path, costs: Costs) -> Self {
        let from = match costs {
            Costs::Shown => std::fs::canonicalize(out).ok(),
            Costs::Omitted => None,
        };
        Self { from }
    }

    /// What `dir` holds for readers: a name and the address of each file; the record first.
    pub(crate) fn of(&self, dir: &RunDir) -> Vec<(&'static str, String)> {
        let files = [
            ("record", dir.record()),
            ("spec", dir.spec()),
            ("diagram", dir.reliability()),
        ];
        let there = files.into_iter().filter(|(_, path)| path.is_file());
        there
            .filter_map(|(name, path)| Some((name, self.to(&path)?)))
            .collect()
    }

    /// The way to `path`, if both lie in one folder below the root.
    fn to(&self, path: &Path) -> Option<String> {
        let from = self.from.as_deref()?;
        let path = std::fs::canonicalize(path).ok()?;
        let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
            (from.components().collect(), path.components().collect());
        let pairs = from.iter().zip(&to);
        let same = pairs.take_while(|(a, b)| a == b).count();
        if !from[..same]
            .iter()
            .any(|part| matches!(part, Component::Normal(_)))
        {
            return None;
        }
        let up = from[same..].iter().map(|_| "..".to_owned());
        let down = to[same..].iter().map(|part| encoded(part.as_os_str()));
        // `./` before a name with a colon, which would else be taken for a scheme.
        let first = (same == from.len()).then(|| ".".to_owned());
        let parts: Vec<String> = first.into_iter().chain(up).chain(down).collect();
        Some(parts.join("/"))
    }
}

/// A name in an address: all but unreserved letters (RFC 3986, 2.3) as `%` and their bytes.
fn encoded(name: &std::ffi::OsStr) -> String {
    let letter = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.as_encoded_bytes().iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_hold_no_letter_that_html_or_addresses_use() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("results/a \"<b>:?#%");
        let out = dir.path().join("report");
        std::fs::create_dir_all(&run).unwrap();
        std::fs::create_dir_all(&out).unwrap();
        let run = RunDir::at(run);
        std::fs::write(run.record(), "").unwrap();
        let links = Links::from(&out, Costs::Shown).of(&run);
        let [(name, address)] = &links[..] else {
            panic!("{links:?}")
        };
        assert_eq!(*name, "record");
        let folder = "../results/a%20%22%3Cb%3E%3A%3F%23%25/";
        assert!(address.starts_with(folder), "{address}");
        assert!(Links::from(&out, Costs::Omitted).of(&run).is_empty());
    }
}
