//! Relative links of Markdown files that lead nowhere, and pages of the manual that its summary does not list.

use super::finding::Finding;
use crate::rust_text::line_of;
use crate::tree::{Tree, TreeFile};

/// Where the manual's pages are. mdBook renders what is below it and nothing else.
const MANUAL: &str = "docs/src/";

/// The manual's list of pages.
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let markdown = |file: &&TreeFile| file.path.ends_with(".md");
    for file in tree.files.iter().filter(markdown) {
        let Some(text) = file.text() else { continue };
        for (at, link) in links(text) {
            let line = line_of(text, at);
            match resolve(&file.path, link) {
                Some(path) if file.path.starts_with(MANUAL) && !path.starts_with(MANUAL) => {
                    let message = format!(
                        "`{link}` leaves the manual, where mdBook does not follow: name the file in words"
                    );
                    found.push(Finding::new(&file.path, line, message));
                }
                Some(path) if exists(tree, &path) => {}
                _ => {
                    let message = format!("`{link}` links to no file of the repository");
                    found.push(Finding::new(&file.path, line, message));
                }
            }
        }
    }
    found.extend(unlisted(tree));
    found
}

/// Pages of the manual that its summary does not list.
fn unlisted(tree: &Tree) -> Vec<Finding> {
    let Some(summary) = tree.get(SUMMARY).and_then(TreeFile::text) else {
        return Vec::new();
    };
    let listed: Vec<String> = links(summary)
        .filter_map(|(_, link)| resolve(SUMMARY, link))
        .collect();
    let page = |file: &&TreeFile| {
        file.path.starts_with(MANUAL) && file.path.ends_with(".md") && file.path != SUMMARY
    };
    let pages = tree.files.iter().filter(page);
    pages
        .filter(|page| !listed.contains(&page.path))
        .map(|page| Finding::new(&page.path, 1, format!("{SUMMARY} does not list this page")))
        .collect()
}

/// The relative links of a Markdown text outside code, and the bytes at which they begin. Anchors are cut off.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let mut in_code = false;
    text.split_inclusive('\n').flat_map(move |line| {
        let start = at;
        at += line.len();
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        let targets = if in_code || fence { "" } else { line };
        targets.match_indices("](").filter_map(move |(open, _)| {
            let rest = &targets[open + 2..];
            let link = rest[..rest.find(')')?].split(['#', ' ']).next()?;
            let relative = !link.is_empty() && !link.contains("://");
            relative.then_some((start + open + 2, link))
        })
    })
}

/// The path from the root to which `link` in the file at `from` leads; nothing if it leads out of the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn exists(tree: &Tree, path: &str) -> bool {
    let is_at = |file: &TreeFile| {
        let rest = file.path.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    tree.files.iter().any(is_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(String, usize)> {
        let found = find(&Tree::of(files));
        found.into_iter().map(|f| (f.path, f.line)).collect()
    }

    #[test]
    fn a_link_to_no_file_is_found_at_its_line() {
        let text = "[a](docs/a.md) [b](docs) [c](https://example.org/x) [d](#here) [e](docs/a.md#b)\n\n[f](docs/b.md)\n\
                    ```\n[g](docs/c.md)\n```\n[h](../up.md)\n";
        let got = found(&[("README.md", text), ("docs/a.md", "[up](../README.md)\n")]);
        assert_eq!(got, [("README.md".to_owned(), 3), ("README.md".into(), 7)]);
    }

    #[test]
    fn a_page_links_within_the_manual_and_is_listed() {
        let got = found(&[
            ("README.md", ""),
            ("docs/src/SUMMARY.md", "- [a](a.md)\n- [b](guide/b.md)\n"),
            ("docs/src/a.md", "see [b](guide/b.md)\n"),
            (
                "docs/src/guide/b.md",
                "[a](../a.md)\n[out](../../../README.md)\n",
            ),
            ("docs/src/lost.md", ""),
        ]);
        let want = [
            ("docs/src/guide/b.md".to_owned(), 2),
            ("docs/src/lost.md".into(), 1),
        ];
        assert_eq!(got, want);
    }
}
