//! A table that can be written in three ways: HTML, CSV and LaTeX, the last by `latex`. For what stands in it, see `results` and
//! `listing`.

use maud::{Markup, html};
use rut_formats::csv_cell;

use crate::error::{Error, Result};
use crate::metric::Unit;
use crate::wording::{digits, digits_apart, p_value, printable, rounded, signed_to, unbroken};
use rut_metrics::Estimate;

/// Rows and columns with a name.
pub(crate) struct Table {
    /// What its files are called.
    pub(crate) slug: String,
    /// What it shows, with units.
    pub(crate) caption: String,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
    /// Its rows, each as long as `columns`.
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A column.
pub(crate) struct Column {
    /// Its name for readers.
    pub(crate) name: String,
    /// Its name in CSV.
    pub(crate) key: String,
    /// What stands in it.
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words.
    Text,
    /// One number.
    Number,
    /// A number and the ends of its interval: three columns in CSV.
    Interval,
    /// The ends of an interval: two columns in CSV.
    Ends,
}

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Words.
    Text(String),
    /// A network, with its colour.
    Network(String, &'static str),
    /// A run, and the addresses of its files by name.
    Run(String, Vec<(&'static str, String)>),
    /// A whole number.
    Count(u64),
    /// A figure, if there is one.
    Figure(Option<f64>, Unit),
    /// A figure with its interval, if there is one.
    Estimate(Option<Estimate>, Unit),
    /// The interval of the figure beside it, if there is one.
    Ends(Option<Estimate>, Unit),
    /// A difference with its interval, if there is one.
    Difference(Option<Estimate>, Unit),
    /// A figure with its interval among those that it is compared with, if there is one.
    Ranked(Option<Estimate>, Unit, Rank),
    /// A p-value.
    Probability(f64),
    /// A figure that the table's footnote is about.
    Noted(Box<Self>),
}

/// Where a figure stands among those that it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// The best, or not to be told apart from it.
    Best,
    /// Worse, or nothing can be told apart.
    Other,
}

/// What marks a figure that a footnote is about.
pub(crate) const DAGGER: char = '†';

/// What stands where there is no figure.
const NONE: &str = "–";

impl Column {
    /// A column of `kind`, called `name` for readers and `key` in files.
    pub(crate) fn new(name: &str, key: &str, kind: Kind) -> Self {
        Self {
            name: name.into(),
            key: key.into(),
            kind,
        }
    }
}

impl Value {
    /// The mean, and the interval, as readers see them, in at least so many digits after the point.
    pub(crate) fn shown(&self, least: usize) -> (String, Option<String>) {
        let write = |value: f64, unit| rounded(value, unit, least);
        let ends = |estimate: &Estimate, unit| {
            let ends = estimate.interval;
            ends.map(|(lo, hi)| format!("{} to {}", write(lo, unit), write(hi, unit)))
        };
        match self {
            Self::Text(text) | Self::Network(text, _) | Self::Run(text, _) => (text.clone(), None),
            Self::Count(count) => (count.to_string(), None),
            Self::Figure(Some(value), unit) => (write(*value, *unit), None),
            Self::Estimate(Some(estimate), unit) | Self::Ranked(Some(estimate), unit, _) => {
                (write(estimate.mean, *unit), ends(estimate, *unit))
            }
            Self::Difference(Some(estimate), unit) => {
                let (mean, ends) = signed_to(estimate, *unit, least);
                (mean, ends.map(|ends| ends.join(" to ")))
            }
            Self::Ends(Some(estimate), unit) => {
                (ends(estimate, *unit).unwrap_or_else(|| NONE.into()), None)
            }
            Self::Probability(p) => (p_value(*p), None),
            Self::Noted(value) => {
                let (shown, ends) = value.shown(least);
                (format!("{shown}{DAGGER}"), ends)
            }
            _ => (NONE.into(), None),
        }
    }

    /// Digits after the point that it takes to write it.
    fn digits(&self) -> usize {
        if let Self::Noted(value) = self {
            return value.digits();
        }
        let of = |values: &[f64], unit| values.iter().map(|v| digits(*v, unit)).max();
        let ends = |estimate: &Estimate| estimate.interval.map_or(vec![], |(lo, hi)| vec![lo, hi]);
        let all = |estimate: &Estimate| [vec![estimate.mean], ends(estimate)].concat();
        let found = match self {
            Self::Figure(Some(value), unit) => of(&[*value], *unit),
            Self::Estimate(Some(estimate), unit) | Self::Ranked(Some(estimate), unit, _) => {
                of(&all(estimate), *unit)
            }
            Self::Ends(Some(estimate), unit) => of(&ends(estimate), *unit),
            Self::Difference(Some(estimate), unit) => {
                of(&all(estimate), *unit).max(Some(digits_apart(estimate, *unit)))
            }
            _ => None,
        };
        found.unwrap_or_default()
    }

    /// The numbers behind it, for files.
    fn exact(&self) -> [String; 3] {
        let number = |value: f64| value.to_string();
        match self {
            Self::Text(text) | Self::Network(text, _) | Self::Run(text, _) => {
                [text.clone(), String::new(), String::new()]
            }
            Self::Count(count) => [count.to_string(), String::new(), String::new()],
            Self::Probability(p) => [number(*p), String::new(), String::new()],
            Self::Figure(Some(value), _) => [number(*value), String::new(), String::new()],
            Self::Estimate(Some(estimate), _)
            | Self::Difference(Some(estimate), _)
            | Self::Ranked(Some(estimate), ..) => {
                let (lo, hi) = estimate.interval.unzip();
                let end = |end: Option<f64>| end.map(number).unwrap_or_default();
                [number(estimate.mean), end(lo), end(hi)]
            }
            Self::Ends(Some(estimate), _) => {
                let [_, lo, hi] = Self::Estimate(Some(*estimate), Unit::Plain).exact();
                [lo, hi, String::new()]
            }
            Self::Noted(value) => value.exact(),
            _ => Default::default(),
        }
    }

    /// Whether it is in bold: a difference whose interval excludes 0, or one of the best.
    pub(crate) fn is_bold(&self) -> bool {
        match self {
            Self::Difference(Some(estimate), _) => estimate.excludes_zero(),
            Self::Ranked(_, _, rank) => *rank == Rank::Best,
            Self::Noted(value) => value.is_bold(),
            _ => false,
        }
    }

    /// Half the width of the interval of a figure, in the unit that it is shown in.
    pub(crate) fn half_width(&self) -> Option<f64> {
        match self {
            Self::Estimate(Some(estimate), unit) | Self::Ranked(Some(estimate), unit, _) => {
                let (lo, hi) = estimate.interval?;
                Some(unit.shown(0.5 * (hi - lo)))
            }
            Self::Noted(value) => value.half_width(),
            _ => None,
        }
    }
}

impl Table {
    /// The same with a footnote, if one of its figures is marked.
    pub(crate) fn with_footnote(mut self, footnote: &str) -> Self {
        let marked = |value: &Value| matches!(value, Value::Noted(_));
        if self.rows.iter().flatten().any(marked) {
            self.caption.push_str(&format!(" {DAGGER} {footnote}"));
        }
        self
    }

    /// For the page: the caption, and the table.
    pub(crate) fn html(&self) -> Markup {
        html! {
            p.caption { (printable(&self.caption)) }
            (self.boxed())
        }
    }

    /// For the page: the table without its caption, in a box of its own that scrolls. What all rows have alike stands above it.
    pub(crate) fn boxed(&self) -> Markup {
        let constant: Vec<bool> = (0..self.columns.len())
            .map(|at| self.is_constant(at))
            .collect();
        let columns = || {
            self.columns
                .iter()
                .enumerate()
                .filter(|(at, _)| !constant[*at])
        };
        let digits = self.digits();
        let shared = self.shared(&digits);
        html! {
            @if !shared.is_empty() { p.caption { "All rows: " (unbroken(&shared)) "." } }
            div.scroll tabindex="0" role="region" aria-label=(printable(&self.caption)) {
                table.data {
                    thead { tr { @for (_, column) in columns() {
                        th.number[column.kind != Kind::Text] scope="col" { (printable(&column.name)) }
                    } } }
                    tbody { @for row in &self.rows {
                        tr { @for (at, column) in columns() {
                            (cell(column, &row[at], digits[at]))
                        } }
                    } }
                }
            }
        }
    }

    /// What all rows have alike, in words, for figures in so many `digits` by column.
    pub(crate) fn shared(&self, digits: &[usize]) -> String {
        let columns = self.columns.iter().enumerate();
        let shared = columns.filter(|(at, _)| self.is_constant(*at));
        let said = shared.filter_map(|(at, column)| {
            let shown = self.rows.first()?[at].shown(digits[at]).0;
            (!shown.is_empty()).then(|| format!("{}: {shown}", column.name))
        });
        said.collect::<Vec<_>>().join("; ")
    }

    /// Digits after the point that all figures of a column are written in, by column.
    pub(crate) fn digits(&self) -> Vec<usize> {
        let most = |at: usize| {
            self.rows
                .iter()
                .map(|row: &Vec<Value>| row[at].digits())
                .max()
        };
        (0..self.columns.len())
            .map(|at| most(at).unwrap_or_default())
            .collect()
    }

    /// Whether the column at `at` says the same in several rows: the first column, which names the row, never does, nor
    /// results.
    pub(crate) fn is_constant(&self, at: usize) -> bool {
        let words = |row: &Vec<Value>| match &row[at] {
            Value::Estimate(..)
            | Value::Ranked(..)
            | Value::Ends(..)
            | Value::Noted(..)
            | Value::Difference(..)
            | Value::Probability(..)
            | Value::Run(..) => None,
            value => Some(value.shown(0)),
        };
        let mut rows = self.rows.iter().map(words);
        let first = rows.next().flatten();
        at > 0 && self.rows.len() > 1 && first.is_some() && rows.all(|row| row == first)
    }

    /// As CSV, figures unrounded and shares from 0 to 1.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub(crate) fn csv(&self) -> Result<Vec<u8>> {
        let unwritten = |e: csv::Error| Error::Drawing(format!("the table {}: {e}", self.slug));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let heads = self.columns.iter().flat_map(|column| match column.kind {
            Kind::Interval => ["", "_lo", "_hi"]
                .map(|end| format!("{}{end}", column.key))
                .to_vec(),
            Kind::Ends => ["_lo", "_hi"]
                .map(|end| format!("{}{end}", column.key))
                .to_vec(),
            _ => vec![column.key.clone()],
        });
        writer.write_record(heads).map_err(unwritten)?;
        for row in &self.rows {
            let cells = self.columns.iter().zip(row).flat_map(|(column, value)| {
                let wanted = match column.kind {
                    Kind::Interval => 3,
                    Kind::Ends => 2,
                    _ => 1,
                };
                let cells = value.exact().into_iter().take(wanted);
                cells.map(|cell| csv_cell(&cell).into_owned())
            });
            writer.write_record(cells).map_err(unwritten)?;
        }
        let unwritten = |e: csv::IntoInnerError<_>| Error::Drawing(e.to_string());
        writer.into_inner().map_err(unwritten)
    }
}

/// The longest text that stands in one line, characters.
const LINE: usize = 36;

fn cell(column: &Column, value: &Value, digits: usize) -> Markup {
    let (shown, ends) = value.shown(digits);
    let shown = unbroken(&shown);
    let long = shown.contains(' ') && shown.chars().count() > LINE;
    html! {
        td.number[column.kind != Kind::Text].clear[value.is_bold()].ends[column.kind == Kind::Ends].long[long] {
            @match value {
                Value::Network(_, colour) => { span.swatch style={ "background:" (colour) } {} (shown) }
                Value::Run(_, links) => (linked(&shown, links)),
                _ => (shown),
            }
            @if let Some(ends) = ends { span.ends { (ends) } }
        }
    }
}

/// A run's name, which leads to its first file, and below it the others by name.
fn linked(name: &str, links: &[(&'static str, String)]) -> Markup {
    html! {
        @match links.split_first() {
            None => (name),
            Some(((_, first), others)) => {
                a href=(first) { (name) }
                @if !others.is_empty() { span.ends {
                    @for (what, address) in others { a href=(address) { (what) } " " }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "<script>&\"_%$";

    fn table() -> Table {
        let estimate = Estimate {
            mean: -0.021,
            interval: Some((-0.03, -0.012)),
        };
        Table {
            slug: "t".into(),
            caption: "points".into(),
            columns: vec![
                Column::new("class", "class", Kind::Text),
                Column::new("difference", "difference", Kind::Interval),
            ],
            rows: vec![
                vec![
                    Value::Text(HOSTILE.into()),
                    Value::Difference(Some(estimate), Unit::Percent),
                ],
                vec![
                    Value::Text("a,\nb".into()),
                    Value::Difference(None, Unit::Percent),
                ],
            ],
        }
    }

    #[test]
    fn csv_has_exact_figures_and_comes_back() {
        let bytes = table().csv().unwrap();
        let mut reader = csv::Reader::from_reader(&*bytes);
        let heads: Vec<_> = reader.headers().unwrap().iter().map(String::from).collect();
        assert_eq!(
            heads,
            ["class", "difference", "difference_lo", "difference_hi"]
        );
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!(rows[0], vec![HOSTILE, "-0.021", "-0.03", "-0.012"]);
        // A comma comes back; a line break of a name is shown as `\n`, so that a row stays a line.
        assert_eq!(rows[1], vec![r"a,\nb", "", "", ""]);
    }

    #[test]
    fn html_and_latex_escape_and_round() {
        let page = table().html().into_string();
        assert!(page.contains("&lt;script&gt;&amp;&quot;_%$"), "{page}");
        assert!(!page.contains("<script"), "{page}");
        assert!(
            page.contains("−2.1<span class=\"ends\">−3.0 to −1.2</span>"),
            "{page}"
        );
        assert!(page.contains("class=\"number clear\""), "{page}");
        let latex = crate::latex::write(&table());
        assert!(
            latex.contains("& \\fontseries{b}\\selectfont -2.1 & [$-$3.0 to $-$1.2] \\\\"),
            "{latex}"
        );
        assert!(latex.contains("\\begin{table}[t]"), "{latex}");
    }

    #[test]
    fn columns_have_equal_digits_and_what_all_rows_share_stands_above() {
        let of = |seed: u64, nll: f64| {
            vec![
                Value::Run(format!("run {seed}"), vec![("record", "../r.json".into())]),
                Value::Count(797),
                Value::Figure(Some(nll), Unit::Plain),
            ]
        };
        let table = Table {
            slug: "t".into(),
            caption: String::new(),
            columns: vec![
                Column::new("run", "run", Kind::Text),
                Column::new("N", "n", Kind::Number),
                Column::new("NLL", "nll", Kind::Number),
            ],
            rows: vec![of(1, 1.25), of(2, 0.05)],
        };
        let page = table.boxed().into_string();
        assert!(page.contains("All rows: N: 797."), "{page}");
        assert!(
            page.contains(">1.2500<") && page.contains(">0.0500<"),
            "{page}"
        );
        assert!(page.contains("<a href=\"../r.json\">run 1</a>"), "{page}");
        // Files have all columns.
        let csv = String::from_utf8(table.csv().unwrap()).unwrap();
        assert!(csv.starts_with("run,n,nll\nrun 1,797,1.25\n"), "{csv}");
    }
}
