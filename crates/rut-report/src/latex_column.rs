//! A column of a LaTeX table: its heading, its cells, and how wide it is. Numbers are siunitx's. How columns become tables,
//! see `latex`.

use crate::latex_text::{latex, width};
use crate::table::{Column, Kind, Value};
use crate::wording::printable;

/// Size of type, and half the distance of columns, points.
pub(crate) const SIZE: f64 = 8.0;
const GAP: f64 = 3.0;

/// The widest and the narrowest column of words.
pub(crate) const WIDEST: f64 = 120.0;
pub(crate) const NARROWEST: f64 = 42.0;

/// A column of a written table; the mean and the interval of a difference are one.
pub(crate) struct LatexColumn {
    /// What names the rows is repeated where a table is too wide and its columns stand below each other.
    pub(crate) names_rows: bool,
    pub(crate) heading: Vec<String>,
    /// What it is of.
    pub(crate) form: Form,
    /// Of the widest cell or word of the heading, points.
    width: f64,
    pub(crate) cells: Vec<String>,
}

/// Of what a column is.
pub(crate) enum Form {
    /// Words, which may wrap.
    Words,
    /// A column of siunitx, perhaps with another behind it.
    Numbers(String),
}

impl LatexColumn {
    /// The column of `cells`: a difference with its ends, numbers, or words.
    pub(crate) fn of(column: &Column, cells: &[&Value], digits: usize) -> Self {
        if cells.iter().any(|v| matches!(v, Value::Difference(..))) {
            means_and_ends(column, cells, digits)
        } else if matches!(column.kind, Kind::Number | Kind::Interval) {
            numbers(column, cells, digits)
        } else {
            words(column, cells, digits)
        }
    }

    /// How wide it is if columns of words are no wider than `limit`.
    pub(crate) fn within(&self, limit: f64) -> f64 {
        let own = match self.form {
            Form::Words => self.width.min(limit),
            Form::Numbers(_) => self.width,
        };
        own + 2.0 * GAP
    }

    pub(crate) fn wraps(&self, limit: f64) -> bool {
        matches!(self.form, Form::Words) && self.width > limit
    }

    /// How many columns of the table it is.
    pub(crate) fn span(&self) -> usize {
        match &self.form {
            Form::Numbers(form) if form.ends_with('c') => 2,
            _ => 1,
        }
    }
}

fn words(column: &Column, cells: &[&Value], digits: usize) -> LatexColumn {
    let cells: Vec<String> = cells.iter().map(|v| v.shown(digits).0).collect();
    let widest = cells.iter().map(|text| width(text, SIZE));
    let widest = widest.fold(0.0, f64::max);
    let heading = stacked(&column.name, widest.min(WIDEST));
    LatexColumn {
        names_rows: false,
        width: of_lines(&heading, widest),
        heading,
        form: Form::Words,
        cells,
    }
}

/// A number as siunitx reads it.
pub(crate) struct Number {
    mean: String,
    /// Half the interval's width in units of the last digit.
    pub(crate) half: Option<String>,
    is_bold: bool,
    /// Whether the footnote is about it.
    is_noted: bool,
}

/// The number that `value` is written as, if it is one.
pub(crate) fn number(value: &Value, digits: usize) -> Option<Number> {
    if let Value::Noted(value) = value {
        let number = number(value, digits)?;
        return Some(Number {
            is_noted: true,
            ..number
        });
    }
    let (shown, _) = value.shown(digits);
    let mean = shown.replace('−', "-").replace('+', "");
    mean.parse::<f64>().ok()?;
    let half = value.half_width().map(|half| {
        let units = (half * 10f64.powi(digits as i32)).round().max(1.0);
        format!("{units:.0}")
    });
    Some(Number {
        mean,
        half,
        is_bold: value.is_bold(),
        is_noted: false,
    })
}

impl Number {
    /// Its integer digits, its decimals, those of its uncertainty, and whether it is negative.
    fn format(&self) -> (usize, usize, usize, bool) {
        let unsigned = self.mean.trim_start_matches('-');
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let half = self.half.as_ref().map_or(0, String::len);
        (
            whole.len(),
            decimals.len(),
            half,
            self.mean.starts_with('-'),
        )
    }

    fn cell(&self) -> String {
        let half = self.half.as_ref().map(|half| format!("({half})"));
        let bold = if self.is_bold { BOLD } else { "" };
        let note = if self.is_noted { NOTE } else { "" };
        format!("{bold}{}{}{note}", self.mean, half.unwrap_or_default())
    }
}

/// Bold digits that are as wide as the others.
const BOLD: &str = "\\fontseries{b}\\selectfont ";

/// The mark of a footnote, which takes no width, so that digits stay below each other.
const NOTE: &str = " {\\rlap{\\textsuperscript{\\textdagger}}}";

/// A column of siunitx, and its width.
fn siunitx(numbers: &[Option<Number>]) -> (String, f64) {
    let formats = numbers.iter().flatten().map(Number::format);
    let (whole, decimals, half, negative) = formats.fold((1, 0, 0, false), |most, own| {
        (
            most.0.max(own.0),
            most.1.max(own.1),
            most.2.max(own.2),
            most.3 || own.3,
        )
    });
    let sign = if negative { "-" } else { "" };
    let uncertainty = if half > 0 {
        format!("({half})")
    } else {
        String::new()
    };
    let widest = format!(
        "{sign}{}.{}{uncertainty}{}",
        "0".repeat(whole),
        "0".repeat(decimals),
        "0".repeat(half)
    );
    let form = format!(
        "S[table-format={sign}{whole}.{decimals}{uncertainty},mode=text,detect-weight=true]"
    );
    let noted = numbers.iter().flatten().any(|number| number.is_noted);
    let note = if noted { 4.0 } else { 0.0 };
    (form, width(&widest, SIZE) + 2.0 + note)
}

fn numbers(column: &Column, cells: &[&Value], digits: usize) -> LatexColumn {
    let numbers: Vec<Option<Number>> = cells.iter().map(|v| number(v, digits)).collect();
    let (form, widest) = siunitx(&numbers);
    let words = |value: &Value| format!("{{{}}}", latex(&value.shown(digits).0));
    let written = numbers.iter().zip(cells).map(|(number, value)| {
        let cell = number.as_ref().map(Number::cell);
        cell.unwrap_or_else(|| words(value))
    });
    let heading = stacked(&column.name, widest);
    LatexColumn {
        names_rows: false,
        width: of_lines(&heading, widest),
        heading,
        form: Form::Numbers(form),
        cells: written.collect(),
    }
}

/// Two columns under one heading: the mean of a difference, and its interval's ends, which need not be as far from it.
fn means_and_ends(column: &Column, cells: &[&Value], digits: usize) -> LatexColumn {
    let numbers: Vec<Option<Number>> = cells.iter().map(|v| number(v, digits)).collect();
    let (form, mean) = siunitx(&numbers);
    let ends: Vec<String> = cells
        .iter()
        .map(|v| v.shown(digits).1.unwrap_or_default())
        .collect();
    let widest = ends.iter().map(|ends| width(ends, SIZE));
    let widest = widest.fold(0.0, f64::max) + mean + 2.0 * GAP + 6.0;
    let written = numbers
        .iter()
        .zip(cells)
        .zip(&ends)
        .map(|((number, value), ends)| {
            let mean = number.as_ref().map(Number::cell);
            let mean = mean.unwrap_or_else(|| format!("{{{}}}", latex(&value.shown(digits).0)));
            let ends = if ends.is_empty() {
                String::new()
            } else {
                format!("[{}]", latex(ends))
            };
            format!("{mean} & {ends}")
        });
    let heading = stacked(&column.name, widest);
    LatexColumn {
        names_rows: false,
        width: of_lines(&heading, widest),
        heading,
        form: Form::Numbers(format!("{form}c")),
        cells: written.collect(),
    }
}

/// The words of a heading in lines no wider than `most` or the longest word; a word wider than a column of words is cut into
/// lines.
fn stacked(name: &str, most: f64) -> Vec<String> {
    let name = printable(name);
    let words: Vec<String> = name.split_whitespace().flat_map(cut).collect();
    let most = of_lines(&words, most);
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), SIZE) <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// `word` in pieces that a column of words has room for.
fn cut(word: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in word.chars() {
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
            if width(piece, SIZE) > 0.7 * WIDEST {
                pieces.push(String::new());
            }
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn of_lines(lines: &[String], least: f64) -> f64 {
    lines
        .iter()
        .map(|line| width(line, SIZE))
        .fold(least, f64::max)
}
