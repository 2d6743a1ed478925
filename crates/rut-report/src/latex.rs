//! A table as LaTeX: numbers in columns of siunitx, rules of booktabs, and a width that is known here to fit a column of a paper
//! or a page. What is in the table is decided elsewhere; its columns stand in `latex_column`.

use std::collections::BTreeSet;

use crate::latex_column::{Form, LatexColumn, NARROWEST, SIZE, WIDEST, number};
use crate::latex_text::{breakable, latex, width};
use crate::table::{Kind, Table, Value};

/// Width of a column of a two-column paper, 3.25 inches, in points of TeX.
const COLUMN: f64 = 234.0;

/// Width of a page's text, 5.5 inches.
const PAGE: f64 = 397.0;

/// The most that columns which name a row may take of a page.
const NAMES: f64 = 230.0;

/// Lines that a float may have; a longer table breaks over pages.
const LINES: usize = 45;

/// `table` as a float with caption and label; of many rows, as a long table.
pub(crate) fn write(table: &Table) -> String {
    let digits = table.digits();
    let columns: Vec<LatexColumn> = written(table, &digits);
    let (limit, panels) = fit(&columns);
    let parts: Vec<Vec<&LatexColumn>> = panels
        .iter()
        .map(|panel| panel.iter().map(|at| &columns[*at]).collect())
        .collect();
    let lines: usize = parts.iter().map(|part| height(part, limit)).sum();
    let in_column = panels.len() == 1 && total(&columns, limit) <= COLUMN;
    let caption = format!(
        "\\caption{{{}}}\\label{{tab:{}}}",
        breakable(&caption(table, &digits), COLUMN, 12.0),
        table.slug
    );
    let groups = groups(table);
    let body = |part: &Vec<&LatexColumn>| rows(part, limit, &groups);
    if lines > LINES {
        let parts: Vec<String> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let caption = if at == 0 { format!("{caption}\\\\\n") } else { String::new() };
                let head = head(part);
                format!(
                    "\\begin{{longtable}}{{{}}}\n{caption}{head}\\endfirsthead\n{head}\\endhead\n\\bottomrule\n\\endfoot\n{}\\end{{longtable}}\n",
                    align(part, limit),
                    body(part)
                )
            })
            .collect();
        format!(
            "% A long table, for a page of one column: \\usepackage{{booktabs,longtable,siunitx}}\n\
             \\begingroup\n{TYPE}\\emergencystretch=4em\\setlength{{\\LTcapwidth}}{{\\textwidth}}\n{}\\endgroup\n",
            parts.join("\n")
        )
    } else {
        let (float, fits) = if in_column {
            ("table", "3.25 inches")
        } else {
            ("table*", "5.5 inches")
        };
        let parts: Vec<String> = parts
            .iter()
            .map(|part| {
                format!(
                    "\\begin{{tabular}}{{{}}}\n{}{}\\bottomrule\n\\end{{tabular}}\n",
                    align(part, limit),
                    head(part),
                    body(part)
                )
            })
            .collect();
        format!(
            "% Fits {fits}: \\usepackage{{booktabs,siunitx}}\n\\begin{{{float}}}[t]\n\\centering\\emergencystretch=4em\\belowcaptionskip=4pt\n{caption}\n{TYPE}{}\\end{{{float}}}\n",
            parts.join("\n\\medskip\n\n")
        )
    }
}

/// Small type whatever the document's is, so that widths are known, and narrow gaps.
const TYPE: &str = "\\fontsize{8}{9.6}\\selectfont\\setlength{\\tabcolsep}{3pt}\n";

/// The caption, with what all rows have alike, and what stands in parentheses.
fn caption(table: &Table, digits: &[usize]) -> String {
    let mut text = table.caption.clone();
    let uncertain = |value: &Value| number(value, 1).is_some_and(|found| found.half.is_some());
    if table.rows.iter().flatten().any(uncertain) {
        text.push_str(
            " In parentheses: half the width of the 95 % interval, in units of the last digit.",
        );
    }
    let shared = table.shared(digits);
    if !shared.is_empty() {
        text.push_str(&format!(" All rows: {shared}."));
    }
    text
}

/// The columns of `table` that do not say the same in all rows.
fn written(table: &Table, digits: &[usize]) -> Vec<LatexColumn> {
    let words = table.columns.iter().take_while(|c| c.kind == Kind::Text);
    let leading = words.count();
    let varying = table.columns.iter().enumerate();
    varying
        .filter(|(at, _)| !table.is_constant(*at))
        .map(|(at, column)| {
            let cells: Vec<&Value> = table.rows.iter().map(|row| &row[at]).collect();
            let mut written = LatexColumn::of(column, &cells, digits[at]);
            written.names_rows = at < leading;
            written
        })
        .collect()
}

fn total(columns: &[LatexColumn], limit: f64) -> f64 {
    columns.iter().map(|column| column.within(limit)).sum()
}

/// The widest that a column of words may be, and which columns stand beside each other: all, in a column of a paper if they
/// can, or else on a page; or as many as a page takes, below those that name the rows.
fn fit(columns: &[LatexColumn]) -> (f64, Vec<Vec<usize>>) {
    let all: Vec<usize> = (0..columns.len()).collect();
    let limits = || {
        let steps = ((WIDEST - NARROWEST) / 6.0) as usize;
        (0..=steps).map(|step| WIDEST - 6.0 * step as f64)
    };
    for most in [COLUMN, PAGE] {
        if let Some(limit) = limits().find(|limit| total(columns, *limit) <= most) {
            return (limit, vec![all]);
        }
    }
    let (names, others): (Vec<usize>, Vec<usize>) =
        all.into_iter().partition(|at| columns[*at].names_rows);
    let taken = |limit: f64| {
        names
            .iter()
            .map(|at| columns[*at].within(limit))
            .sum::<f64>()
    };
    let limit = limits()
        .find(|limit| taken(*limit) <= NAMES)
        .unwrap_or(NARROWEST);
    let mut panels: Vec<Vec<usize>> = Vec::new();
    let mut left = 0.0;
    for at in others {
        let own = columns[at].within(limit);
        if panels.is_empty() || own > left {
            panels.push(names.clone());
            left = PAGE - taken(limit);
        }
        left -= own;
        if let Some(panel) = panels.last_mut() {
            panel.push(at);
        }
    }
    (limit, panels)
}

/// Lines of a part, headings and rules among them.
fn height(part: &[&LatexColumn], limit: f64) -> usize {
    let heading = part.iter().map(|column| column.heading.len()).max();
    let rows = part.first().map_or(0, |column| column.cells.len());
    let row = |at: usize| {
        let lines = part.iter().filter(|column| column.wraps(limit));
        // Lines of words are not full.
        let lines = lines.map(|c| (1.5 * width(&c.cells[at], SIZE) / limit).ceil() as usize);
        lines.max().unwrap_or_default().max(1)
    };
    heading.unwrap_or_default() + 2 + (0..rows).map(row).sum::<usize>()
}

fn align(part: &[&LatexColumn], limit: f64) -> String {
    let of = |column: &&LatexColumn| match &column.form {
        Form::Numbers(form) => form.clone(),
        Form::Words if column.wraps(limit) => {
            format!(">{{\\raggedright\\arraybackslash}}p{{{limit}pt}}")
        }
        Form::Words => "l".to_owned(),
    };
    let columns: String = part.iter().map(of).collect();
    format!("@{{}}{columns}@{{}}")
}

fn head(part: &[&LatexColumn]) -> String {
    let cell = |column: &&LatexColumn| {
        let lines: Vec<String> = column.heading.iter().map(|line| latex(line)).collect();
        let lines = lines.join("\\\\");
        let side = if matches!(column.form, Form::Words) {
            'l'
        } else {
            'c'
        };
        let stack = format!("\\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{lines}\\end{{tabular}}");
        let stack = if column.heading.len() > 1 {
            stack
        } else {
            lines
        };
        match column.span() {
            1 => format!("{{{stack}}}"),
            span => format!("\\multicolumn{{{span}}}{{c}}{{{stack}}}"),
        }
    };
    let cells: Vec<String> = part.iter().map(cell).collect();
    format!("\\toprule\n{} \\\\\n\\midrule\n", cells.join(" & "))
}

/// The rows that begin a group with the same first cell, in a table of figures that are compared within such groups.
fn groups(table: &Table) -> BTreeSet<usize> {
    let ranked = |value: &Value| matches!(value, Value::Ranked(..));
    let first = |at: usize| table.rows[at].first().map(|value| value.shown(0).0);
    if table.rows.iter().flatten().any(ranked) {
        let begins = |at: &usize| *at == 0 || first(*at) != first(*at - 1);
        (0..table.rows.len()).filter(begins).collect()
    } else {
        BTreeSet::new()
    }
}

/// The rows of a part; of `groups`, if there are any, the first cell stands once.
fn rows(part: &[&LatexColumn], limit: f64, groups: &BTreeSet<usize>) -> String {
    let count = part.first().map_or(0, |column| column.cells.len());
    let cell = |column: &LatexColumn, at: usize| match column.form {
        Form::Words if column.wraps(limit) => breakable(&column.cells[at], limit, SIZE),
        Form::Words => latex(&column.cells[at]),
        Form::Numbers(_) => column.cells[at].clone(),
    };
    let row = |at: usize| {
        let mut cells: Vec<String> = part.iter().map(|column| cell(column, at)).collect();
        if !groups.is_empty() && !groups.contains(&at) {
            cells[0].clear();
        }
        let space = if at > 0 && groups.contains(&at) {
            "\\addlinespace\n"
        } else {
            ""
        };
        format!("{space}{} \\\\\n", cells.join(" & "))
    };
    (0..count).map(row).collect()
}
