//! A package manifest as the checks need it: its dependencies by section, each with its line. Not a
//! resolver: cargo handles features and versions.

use toml::de::{DeTable, DeValue};

use crate::rust_text::line_of;
use crate::tree::{Tree, TreeFile};

/// Which of cargo's tables names a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// `[dependencies]` and `[build-dependencies]`, for any target: what a user of the crate builds.
    Shipped,
    /// `[dev-dependencies]`.
    Dev,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The package's own name, whatever it is called in the manifest.
    pub(super) name: String,
    /// Where it is named.
    pub(super) section: Section,
    /// Line in the manifest, counted from 1.
    pub(super) line: usize,
    /// Whether a feature has to ask for it.
    pub(super) optional: bool,
}

/// A parsed `Cargo.toml`.
#[derive(Debug)]
pub(super) struct Manifest<'a> {
    /// The file.
    pub(super) file: &'a TreeFile,
    table: DeTable<'a>,
    text: &'a str,
}

impl<'a> Manifest<'a> {
    /// Parses `file`; `None` if it is not TOML, which cargo itself reports.
    pub(super) fn parse(file: &'a TreeFile) -> Option<Self> {
        let text = file.text()?;
        let table = DeTable::parse(text).ok()?.into_inner();
        Some(Self { file, table, text })
    }

    /// Every package manifest of the workspace.
    pub(super) fn of_packages(tree: &'a Tree) -> impl Iterator<Item = Self> {
        let manifests = tree.files.iter().filter(|file| {
            file.package()
                .is_some_and(|folder| file.path == format!("{folder}/Cargo.toml"))
        });
        manifests.filter_map(Self::parse)
    }

    /// The value at a path of keys.
    pub(super) fn value(&self, path: &[&str]) -> Option<&DeValue<'a>> {
        let (last, tables) = path.split_last()?;
        let mut table = &self.table;
        for key in tables {
            table = table.get(*key)?.get_ref().as_table()?;
        }
        table.get(*last).map(toml::Spanned::get_ref)
    }

    /// All dependencies, targets' own included. A key that is renamed to a package is known by the package.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        let mut found = Vec::new();
        self.collect(&self.table, &mut found);
        if let Some(DeValue::Table(targets)) = self.value(&["target"]) {
            for target in targets.values() {
                if let DeValue::Table(table) = target.get_ref() {
                    self.collect(table, &mut found);
                }
            }
        }
        found
    }

    fn collect(&self, table: &DeTable<'a>, found: &mut Vec<Dependency>) {
        let sections = [
            ("dependencies", Section::Shipped),
            ("build-dependencies", Section::Shipped),
            ("dev-dependencies", Section::Dev),
        ];
        for (key, section) in sections {
            let Some(DeValue::Table(dependencies)) = table.get(key).map(toml::Spanned::get_ref)
            else {
                continue;
            };
            for (name, value) in dependencies {
                let options = value.get_ref().as_table();
                let option = |key| {
                    options
                        .and_then(|table| table.get(key))
                        .map(toml::Spanned::get_ref)
                };
                found.push(Dependency {
                    name: option("package")
                        .and_then(DeValue::as_str)
                        .unwrap_or(name.get_ref())
                        .to_owned(),
                    section,
                    line: line_of(self.text, name.span().start),
                    optional: option("optional").and_then(DeValue::as_bool) == Some(true),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_have_names_sections_and_lines() {
        let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\n\
                    c = { package = \"d\", version = \"1\", optional = true }\n\
                    [dev-dependencies]\ne = \"1\"\n[target.'cfg(unix)'.dependencies]\nf = \"1\"\n";
        let file = TreeFile::new("crates/a/Cargo.toml", text);
        let manifest = Manifest::parse(&file).unwrap();
        let mut found = manifest.dependencies();
        found.sort_by_key(|dependency| dependency.line);
        let rows: Vec<_> = found
            .iter()
            .map(|d| (d.name.as_str(), d.section, d.line, d.optional))
            .collect();
        assert_eq!(
            rows,
            [
                ("b", Section::Shipped, 4, false),
                ("d", Section::Shipped, 5, true),
                ("e", Section::Dev, 7, false),
                ("f", Section::Shipped, 9, false),
            ]
        );
    }

    #[test]
    fn only_manifests_of_packages_are_found() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            (
                "crates/a/tests/sample/Cargo.toml",
                "[package]\nname = \"s\"\n",
            ),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
        ]);
        let paths: Vec<_> = Manifest::of_packages(&tree)
            .map(|m| m.file.path.clone())
            .collect();
        assert_eq!(paths, ["crates/a/Cargo.toml", "xtask/Cargo.toml"]);
    }
}
