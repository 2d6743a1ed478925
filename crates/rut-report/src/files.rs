//! The files of a report while it is composed, and writing them. What is in them is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use maud::{Markup, PreEscaped, html};
use rut_record::{file, write_whole};

use crate::FigureFormat;
use crate::canvas::FigureStyle;
use crate::chart::{Chart, Entry, Legend, Line};
use crate::error::Result;
use crate::latex;
use crate::table::Table;
use crate::unread::Unread;
use crate::wording::{harmless, printable};

/// Files by their path below the report's folder.
pub(crate) struct ReportFiles {
    /// How figures look in their files.
    look: FigureStyle,
    files: BTreeMap<String, Vec<u8>>,
    unread: BTreeSet<Unread>,
}

/// The page's own file.
const PAGE: &str = "report.html";

/// Folders whose files belong to a report, and what those end in.
const OWN: [(&str, &[&str]); 2] = [
    ("figures", &["svg", "pdf", "png"]),
    ("tables", &["csv", "tex"]),
];

impl ReportFiles {
    /// An empty one, whose files of figures look like `look`.
    pub(crate) fn new(look: FigureStyle) -> Self {
        Self {
            look,
            files: BTreeMap::new(),
            unread: BTreeSet::new(),
        }
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// Notes that something could not be read.
    pub(crate) fn add_unread(&mut self, unread: Unread) {
        self.unread.insert(unread);
    }

    /// What could not be read so far, each once.
    pub(crate) fn unread(&self) -> Vec<Unread> {
        self.unread.iter().cloned().collect()
    }

    /// How much could not be read.
    pub(crate) fn unread_count(&self) -> usize {
        self.unread.len()
    }

    /// Adds the page.
    pub(crate) fn add_page(&mut self, page: String) {
        self.add(PAGE, harmless(&page));
    }

    /// Adds a picture's file, and gives the picture as it stands in the page.
    pub(crate) fn picture(&mut self, name: &str, draw: impl Fn(FigureStyle) -> String) -> Markup {
        self.figure(name, &draw(self.look));
        PreEscaped(draw(FigureStyle::PAGE))
    }

    fn figure(&mut self, name: &str, svg: &str) {
        let head = "<svg xmlns=\"http://www.w3.org/2000/svg\"";
        let alone = svg.replacen("<svg", head, 1);
        self.add(&format!("figures/{name}.svg"), harmless(&alone));
    }

    /// Adds charts, each with its legend, and gives them as they stand in the page: side by side, with one legend.
    pub(crate) fn charts(&mut self, charts: &[(String, Chart)]) -> Markup {
        for (name, chart) in charts {
            self.figure(name, &chart.svg(self.look, Legend::Inside));
        }
        let legend = charts.first().map(|(_, chart)| &*chart.legend);
        html! {
            div.charts { @for (_, chart) in charts { (PreEscaped(chart.svg(FigureStyle::PAGE, Legend::Beside))) } }
            (keys(legend.unwrap_or_default()))
        }
    }

    /// Adds a table's files, named `slug`.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub(crate) fn table(&mut self, table: &Table) -> Result<()> {
        self.add(&format!("tables/{}.csv", table.slug), table.csv()?);
        self.add(
            &format!("tables/{}.tex", table.slug),
            harmless(&latex::write(table)),
        );
        Ok(())
    }

    /// Leaves the figures, which are SVGs so far, in the formats that are `wanted`.
    ///
    /// # Errors
    /// If one cannot be made, which is so only of PDF.
    pub(crate) fn convert(&mut self, wanted: &BTreeSet<FigureFormat>) -> Result<()> {
        let is_figure = |path: &&String| path.ends_with(".svg");
        let figures: Vec<String> = self.files.keys().filter(is_figure).cloned().collect();
        #[cfg(feature = "pdf")]
        if wanted.contains(&FigureFormat::Pdf) {
            let converter = crate::pdf::Converter::default();
            for path in &figures {
                let name = path.trim_end_matches(".svg");
                let svg = self.files.get(path).map(Vec::as_slice).unwrap_or_default();
                let pdf = converter.pdf(&String::from_utf8_lossy(svg), name)?;
                self.add(&format!("{name}.pdf"), pdf);
            }
        }
        if !wanted.contains(&FigureFormat::Svg) {
            self.files.retain(|path, _| !figures.contains(path));
        }
        Ok(())
    }

    /// Writes all files below `out`, the page last, and says how many. What an earlier report left there is deleted.
    ///
    /// # Errors
    /// If one cannot be written.
    pub(crate) fn write(self, out: &Path) -> Result<usize> {
        let earlier = out.join(PAGE).exists();
        for (folder, _) in OWN {
            let folder = out.join(folder);
            std::fs::create_dir_all(&folder).map_err(file("make the folder", &folder))?;
        }
        let page = |path: &&String| *path == PAGE;
        let ordered = self.files.keys().filter(|path| !page(path));
        for path in ordered.chain(self.files.keys().filter(page)) {
            let bytes = self.files.get(path).map(Vec::as_slice).unwrap_or_default();
            write_whole(&out.join(path), bytes)?;
        }
        // Last: where something cannot be written, nothing of the earlier report is gone.
        if earlier {
            self.forget_others(out)?;
        }
        Ok(self.files.len())
    }

    /// Deletes figures and tables of an earlier report that this one does not have.
    fn forget_others(&self, out: &Path) -> Result<()> {
        for (folder, endings) in OWN {
            let Ok(entries) = std::fs::read_dir(out.join(folder)) else {
                continue;
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                let ending = path.extension().unwrap_or_default().to_string_lossy();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let kept = self.files.contains_key(&format!("{folder}/{name}"));
                if endings.contains(&&*ending) && !kept {
                    std::fs::remove_file(&path).map_err(file("delete", &path))?;
                }
            }
        }
        Ok(())
    }
}

/// A legend beside pictures.
pub(crate) fn keys(entries: &[Entry]) -> Markup {
    html! {
        @if !entries.is_empty() {
            ul.keys { @for entry in entries {
                li {
                    span class={ "key " (shape(entry)) } style={ "color:" (entry.colour) } {}
                    (printable(&entry.label))
                }
            } }
        }
    }
}

/// What the style sheet calls the sign of a legend's entry.
fn shape(entry: &Entry) -> &'static str {
    match (entry.mark, entry.line) {
        (Some(mark), _) => mark.css(),
        (None, Line::Dashed) => "dashed",
        (None, _) => "line",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_report_loses_nothing_until_all_is_written() {
        let out = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let mut files = ReportFiles::new(FigureStyle::PAGE);
            files.add(&format!("figures/{name}.svg"), "<svg/>");
            files.add_page(String::new());
            files
        };
        let old = out.path().join("figures/old.svg");
        assert_eq!(of("old").write(out.path()).unwrap(), 2);
        // A folder where a file is to be: it cannot be written.
        let way = out.path().join("figures/new.svg");
        std::fs::create_dir(&way).unwrap();
        of("new").write(out.path()).unwrap_err();
        assert!(old.exists());
        std::fs::remove_dir(&way).unwrap();
        of("new").write(out.path()).unwrap();
        assert!(way.exists() && !old.exists());
    }
}
