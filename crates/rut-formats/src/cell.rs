//! A cell of a table that a spreadsheet or a terminal may open.

use std::borrow::Cow;

use crate::escape::{escape, is_hidden};

/// `text` as a cell of a CSV file: hidden characters are [escaped](escape), and a text that a spreadsheet would take for a
/// formula, since it begins with `=`, `+`, `-` or `@`, has a `'` before it. Numbers stay numbers. Quoting is the writer's.
///
/// ```
/// use rut_formats::csv_cell;
/// assert_eq!(csv_cell("=HYPERLINK(A1)"), "'=HYPERLINK(A1)");
/// assert_eq!(csv_cell("-0.5"), "-0.5");
/// assert_eq!(csv_cell("cat\u{1b}[2J"), r"cat\u{1b}[2J");
/// ```
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    match (formula, text.chars().any(is_hidden)) {
        (false, false) => Cow::Borrowed(text),
        (formula, _) => {
            let mark = if formula { "'" } else { "" };
            Cow::Owned(format!("{mark}{}", escape(text).whole()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_and_numbers_are_numbers() {
        for formula in [
            "=1+1", "+cmd", "-x", "@sum", "-", "+", "-1+2", "=", "-0.5 %",
        ] {
            assert_eq!(csv_cell(formula), format!("'{formula}"));
        }
        for other in [
            "-0.5", "+3e-4", "-inf", "", "a=b", "–", "−0.5", "'=1", "1-2",
        ] {
            assert_eq!(csv_cell(other), other);
        }
        // A tab before a formula is not one any more.
        assert_eq!(csv_cell("\t=1"), r"\t=1");
        assert_eq!(csv_cell("a\nb\u{2028}"), r"a\nb\u{2028}");
    }
}
