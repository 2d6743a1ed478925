//! Numbers and names as readers see them: percent, signs, LaTeX. What is said with them is `statement`'s and `page`'s.

use rut_formats::is_hidden;

use super::metric::Unit;

/// A figure in its unit, `78.2 %` or `0.932`.
pub(crate) fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{} %", bare(value, unit)),
        Unit::Plain => bare(value, unit),
    }
}

/// A figure in its unit without the unit's sign.
pub(crate) fn bare(value: f64, unit: Unit) -> String {
    let text = match unit {
        Unit::Percent => format!("{:.1}", 100.0 * value),
        Unit::Plain if value != 0.0 && value.abs() < 0.1 => format!("{value:.4}"),
        Unit::Plain => format!("{value:.3}"),
    };
    // No minus before a figure that rounds to nothing.
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A difference without the unit's sign, with its own.
pub(crate) fn signed(value: f64, unit: Unit) -> String {
    let text = bare(value, unit);
    let nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    match text.starts_with('−') || nothing {
        true => text,
        false => format!("+{text}"),
    }
}

/// `text` without characters that no page may hold.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| match is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') {
        true => '\u{fffd}',
        false => c,
    };
    text.chars().map(shown).collect()
}

/// A file's `text` without characters that none may hold, but with its lines.
pub(crate) fn harmless(text: &str) -> String {
    let shown = |c: char| match is_hidden(c) && !matches!(c, '\n' | '\t') {
        true => '\u{fffd}',
        false => c,
    };
    text.chars().map(shown).collect()
}

/// `text` for the page: a number of images does not part from its `N`.
pub(crate) fn unbroken(text: &str) -> String {
    printable(text).replace("N = ", "N\u{a0}=\u{a0}")
}

/// `text`, cut to `most` characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let text = printable(text);
    match text.chars().count() > most {
        true => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{kept}…")
        }
        false => text,
    }
}

/// What LaTeX does not take as it is.
const LATEX: [(char, &str); 20] = [
    ('\\', r"\textbackslash{}"),
    ('{', r"\{"),
    ('}', r"\}"),
    ('$', r"\$"),
    ('&', r"\&"),
    ('#', r"\#"),
    ('_', r"\_"),
    ('%', r"\%"),
    ('~', r"\textasciitilde{}"),
    ('^', r"\textasciicircum{}"),
    ('<', r"\textless{}"),
    ('>', r"\textgreater{}"),
    ('|', r"\textbar{}"),
    ('"', r"{''}"),
    ('−', "$-$"),
    ('×', r"$\times$"),
    ('–', "--"),
    ('²', r"\textsuperscript{2}"),
    ('·', r"\textperiodcentered{}"),
    ('…', r"\ldots{}"),
];

/// `text` as LaTeX prints it.
pub(crate) fn latex(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        match LATEX.iter().find(|(special, _)| *special == c) {
            Some((_, written)) => out.push_str(written),
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_and_signed() {
        assert_eq!(figure(0.78165, Unit::Percent), "78.2 %");
        assert_eq!(figure(0.93234, Unit::Plain), "0.932");
        assert_eq!(bare(0.01234, Unit::Plain), "0.0123");
        assert_eq!(signed(-0.0213, Unit::Percent), "−2.1");
        assert_eq!(signed(0.0213, Unit::Percent), "+2.1");
        assert_eq!(signed(-0.0001, Unit::Percent), "0.0");
    }

    #[test]
    fn hostile_names_are_harmless_in_latex() {
        let got = latex("<script>&\"_%$\\\n");
        let want = "\\textless{}script\\textgreater{}\\&{''}\\_\\%\\$\\textbackslash{}\u{fffd}";
        assert_eq!(got, want);
    }

    #[test]
    fn a_number_of_images_stays_with_its_letter() {
        assert_eq!(unbroken("3 seeds, N = 797."), "3 seeds, N\u{a0}=\u{a0}797.");
    }

    #[test]
    fn long_names_are_cut_and_control_characters_shown() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("a\u{1}b", 4), "a\u{fffd}b");
    }
}
