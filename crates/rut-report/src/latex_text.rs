//! Words as LaTeX prints them, and how wide they are. For tables, see `latex`.

use crate::wording::printable;

/// What LaTeX does not take as it is.
const SPECIAL: [(char, &str); 25] = [
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
    ('`', r"{`}"),
    ('−', "$-$"),
    ('×', r"$\times$"),
    ('÷', r"$\div$"),
    ('–', "--"),
    ('²', r"\textsuperscript{2}"),
    ('†', r"\textdagger{}"),
    ('·', r"\textperiodcentered{}"),
    ('…', r"\ldots{}"),
    ('\u{a0}', "~"),
    // After the end of a row it would begin an argument.
    ('[', "{[}"),
];

/// Letters from À to ž that pdfLaTeX's first encoding of fonts lacks.
const LACKING: &str = "ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ";

/// `text` as LaTeX prints it. A character that pdfLaTeX has no sign for stands as its number, `[U+4E2D]`.
pub(crate) fn latex(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        push(&mut out, c);
    }
    out
}

fn push(out: &mut String, c: char) {
    match SPECIAL.iter().find(|(special, _)| *special == c) {
        Some((_, written)) => out.push_str(written),
        // Two of these would become one sign.
        None if matches!(c, '-' | ',' | '\'') && out.ends_with(c) => {
            out.push_str("{}");
            out.push(c);
        }
        None if is_known(c) => out.push(c),
        None => out.push_str(&number(c)),
    }
}

fn is_known(c: char) -> bool {
    let letter = matches!(c, 'À'..='ž') && !LACKING.contains(c);
    c.is_ascii() || letter || matches!(c, '‘' | '’' | '“' | '”' | '—' | '°' | '±' | 'µ')
}

fn number(c: char) -> String {
    format!("{{[}}U+{:04X}]", u32::from(c))
}

/// The same where lines are `most` points long and type has `size` points: a word that is long for them may break behind a
/// sign, or anywhere if it has none.
pub(crate) fn breakable(text: &str, most: f64, size: f64) -> String {
    let written = |word: &str| {
        if width(word, size) > 0.5 * most {
            broken(word, most, size)
        } else {
            latex(word)
        }
    };
    let words: Vec<String> = printable(text).split(' ').map(written).collect();
    words.join(" ")
}

fn broken(word: &str, most: f64, size: f64) -> String {
    let mut out = String::new();
    let mut run = 0.0;
    for c in word.chars() {
        let own = width(&c.to_string(), size);
        if run + own > 0.9 * most {
            out.push_str(BREAK);
            run = 0.0;
        }
        push(&mut out, c);
        run += own;
        if matches!(c, '-' | '_' | '/' | '.' | ':' | ',' | '=') {
            out.push_str(BREAK);
            run = 0.0;
        }
    }
    out
}

/// Where a line may end.
const BREAK: &str = "\\allowbreak{}";

/// The width of `text` in type of `size` points: no less than Computer Modern's, whose letters are wider than those of Times.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let of = |c: char| match c {
        '0'..='9' => 0.532,
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '!' | '|' | ' ' => 0.36,
        '(' | ')' | '[' | ']' | 'I' | 'f' | 't' | 'r' | 's' | '/' | '-' => 0.43,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '&' | '−' | '+' | '×' | '…' | '—' | '±' => 1.1,
        '<' | '>' | '=' | '#' => 0.85,
        'a'..='z' => 0.6,
        'A'..='Z' | 'À'..='ž' => 0.86,
        c if is_known(c) => 0.6,
        c => 0.86 * number(c).len() as f64,
    };
    size * printable(text).chars().map(of).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_harmless() {
        let got = latex("<script>&\"_%$\\\n");
        let want = "\\textless{}script\\textgreater{}\\&{''}\\_\\%\\$\\textbackslash{}{[}U+FFFD]";
        assert_eq!(got, want);
    }

    #[test]
    fn what_pdflatex_cannot_print_stands_as_its_number() {
        assert_eq!(latex("café 中 þ"), "café {[}U+4E2D] {[}U+00FE]");
        assert_eq!(latex("a--b ,,"), "a-{}-b ,{},");
    }

    #[test]
    fn long_words_may_break() {
        let got = breakable("digits-resnet20_cifar100 x", 60.0, 8.0);
        assert_eq!(
            got,
            r"digits-\allowbreak{}resnet20\_\allowbreak{}cifar100 x"
        );
        let got = breakable(&"W".repeat(20), 40.0, 8.0);
        assert_eq!(got.matches("\\allowbreak{}").count(), 4, "{got}");
    }
}
