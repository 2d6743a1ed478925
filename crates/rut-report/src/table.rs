//! A table that can be written in three ways: HTML, CSV and LaTeX. What stands in it is `results`' and `listing`'s.

use maud::{Markup, html};
use rut_formats::csv_cell;

use crate::error::{Error, Result};
use crate::metric::Unit;
use crate::wording::{bare, latex, printable, signed, unbroken};
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
}

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
    /// The mean, and the interval, as readers see them.
    fn shown(&self) -> (String, Option<String>) {
        let interval = |estimate: &Estimate, unit| {
            let ends = estimate.interval;
            let ends = ends.map(|(lo, hi)| format!("{} to {}", bare(lo, unit), bare(hi, unit)));
            (bare(estimate.mean, unit), ends)
        };
        match self {
            Self::Text(text) | Self::Network(text, _) => (text.clone(), None),
            Self::Count(count) => (count.to_string(), None),
            Self::Figure(Some(value), unit) => (bare(*value, *unit), None),
            Self::Estimate(Some(estimate), unit) => interval(estimate, *unit),
            Self::Difference(Some(estimate), unit) => {
                let (mean, ends) = signed(estimate, *unit);
                (mean, ends.map(|ends| ends.join(" to ")))
            }
            Self::Ends(Some(estimate), unit) => {
                let (_, ends) = interval(estimate, *unit);
                (ends.unwrap_or_else(|| NONE.into()), None)
            }
            _ => (NONE.into(), None),
        }
    }

    /// The numbers behind it, for files.
    fn exact(&self) -> [String; 3] {
        let number = |value: f64| value.to_string();
        match self {
            Self::Text(text) | Self::Network(text, _) => {
                [text.clone(), String::new(), String::new()]
            }
            Self::Count(count) => [count.to_string(), String::new(), String::new()],
            Self::Figure(Some(value), _) => [number(*value), String::new(), String::new()],
            Self::Estimate(Some(estimate), _) | Self::Difference(Some(estimate), _) => {
                let (lo, hi) = estimate.interval.unzip();
                let end = |end: Option<f64>| end.map(number).unwrap_or_default();
                [number(estimate.mean), end(lo), end(hi)]
            }
            Self::Ends(Some(estimate), _) => {
                let [_, lo, hi] = Self::Estimate(Some(*estimate), Unit::Plain).exact();
                [lo, hi, String::new()]
            }
            _ => Default::default(),
        }
    }

    /// Whether it is a difference whose interval excludes 0.
    fn is_clear(&self) -> bool {
        matches!(self, Self::Difference(Some(estimate), _) if estimate.excludes_zero())
    }
}

impl Table {
    /// For the page: the caption, and the table.
    pub(crate) fn html(&self) -> Markup {
        html! {
            p.caption { (printable(&self.caption)) }
            (self.boxed())
        }
    }

    /// For the page: the table without its caption, in a box of its own that scrolls.
    pub(crate) fn boxed(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label=(printable(&self.caption)) {
                table {
                    thead { tr { @for column in &self.columns {
                        th.number[column.kind != Kind::Text] scope="col" { (printable(&column.name)) }
                    } } }
                    tbody { @for row in &self.rows {
                        tr { @for (column, value) in self.columns.iter().zip(row) {
                            (cell(column, value))
                        } }
                    } }
                }
            }
        }
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

    /// As LaTeX with booktabs.
    pub(crate) fn latex(&self) -> String {
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        let align: String = self.columns.iter().map(Column::align).collect();
        let heads = self.columns.iter().map(|column| latex(&column.name));
        let mut text = format!(
            "% {}\n% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{align}}}\n\\toprule\n{}\\midrule\n",
            printable(&self.caption),
            line(heads.collect())
        );
        for row in &self.rows {
            let cells = row.iter().map(|value| {
                let shown = match value.shown() {
                    (mean, Some(ends)) => latex(&format!("{mean} ({ends})")),
                    (mean, None) => latex(&mean),
                };
                if value.is_clear() {
                    format!("\\textbf{{{shown}}}")
                } else {
                    shown
                }
            });
            text.push_str(&line(cells.collect()));
        }
        text.push_str("\\bottomrule\n\\end{tabular}\n");
        text
    }
}

impl Column {
    fn align(&self) -> char {
        match self.kind {
            Kind::Text => 'l',
            _ => 'r',
        }
    }
}

/// The longest text that stands in one line, characters.
const LINE: usize = 36;

fn cell(column: &Column, value: &Value) -> Markup {
    let (shown, ends) = value.shown();
    let shown = unbroken(&shown);
    let long = shown.contains(' ') && shown.chars().count() > LINE;
    html! {
        td.number[column.kind != Kind::Text].clear[value.is_clear()].ends[column.kind == Kind::Ends].long[long] {
            @if let Value::Network(_, colour) = value {
                span.swatch style={ "background:" (colour) } {}
            }
            (shown)
            @if let Some(ends) = ends { span.ends { (ends) } }
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
        let latex = table().latex();
        assert!(
            latex.contains("\\begin{tabular}{lr}\n\\toprule\nclass & difference \\\\"),
            "{latex}"
        );
        assert!(
            latex.contains("& \\textbf{$-$2.1 ($-$3.0 to $-$1.2)} \\\\"),
            "{latex}"
        );
    }
}
