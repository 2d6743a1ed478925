//! Numbers and names as readers see them: percent, signs. For the sentences, see `statement` and `page`.

use rut_formats::is_hidden;

use crate::metric::Unit;
use rut_metrics::Estimate;

/// A figure in its unit, `78.2 %` or `0.932`.
pub(crate) fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{} %", bare(value, unit)),
        Unit::Plain => bare(value, unit),
    }
}

/// A share of weights in percent, in as many digits as it takes to tell tickets apart.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        // Half of 25 is not 12.
        10.0.. if (percent - percent.round()).abs() > 0.4 => format!("{percent:.1}"),
        10.0.. => format!("{percent:.0}"),
        1.0.. => format!("{percent:.1}"),
        _ => format!("{percent:.2}"),
    }
}

/// A p-value in as many digits as it takes.
pub(crate) fn p_value(p: f64) -> String {
    match p {
        ..0.001 => "< 0.001".into(),
        ..0.1 => format!("{p:.3}"),
        _ => format!("{p:.2}"),
    }
}

/// Words, separated by commas.
pub(crate) fn listed(words: impl Iterator<Item = impl ToString>) -> String {
    let words: Vec<String> = words.map(|word| word.to_string()).collect();
    words.join(", ")
}

/// A figure in its unit without the unit's sign.
pub(crate) fn bare(value: f64, unit: Unit) -> String {
    rounded(value, unit, 0)
}

/// Digits after the point that a figure has.
pub(crate) fn digits(value: f64, unit: Unit) -> usize {
    match unit {
        Unit::Percent => 1,
        Unit::Plain if value != 0.0 && value.abs() < 0.1 => 4,
        Unit::Plain => 3,
    }
}

/// A figure without its unit's sign, in at least so many digits after the point.
pub(crate) fn rounded(value: f64, unit: Unit, least: usize) -> String {
    let digits = digits(value, unit).max(least);
    let text = format!("{:.digits$}", unit.shown(value));
    // No minus before a figure that rounds to nothing.
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// Digits that it takes to see that the interval of a difference excludes 0.
pub(crate) fn digits_apart(estimate: &Estimate, unit: Unit) -> usize {
    match unit {
        Unit::Percent => estimate.digits(100.0, 1),
        // Its own rule gives what is small four.
        Unit::Plain => match estimate.digits(1.0, 4) {
            4 => 0,
            more => more,
        },
    }
}

/// A difference and the ends of its interval, without the unit's sign, with their own; in as many digits as it takes to see
/// that an interval excludes 0.
pub(crate) fn signed(estimate: &Estimate, unit: Unit) -> (String, Option<[String; 2]>) {
    signed_to(estimate, unit, 0)
}

/// The same in at least so many digits after the point.
pub(crate) fn signed_to(
    estimate: &Estimate,
    unit: Unit,
    least: usize,
) -> (String, Option<[String; 2]>) {
    let digits = digits_apart(estimate, unit).max(least);
    let write = |value| with_sign(value, unit, digits);
    let ends = estimate.interval.map(|(lo, hi)| [write(lo), write(hi)]);
    (write(estimate.mean), ends)
}

fn with_sign(value: f64, unit: Unit, digits: usize) -> String {
    let text = rounded(value, unit, digits);
    let nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    if text.starts_with('−') || nothing {
        text
    } else {
        format!("+{text}")
    }
}

/// `text` without characters that no page may hold.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| {
        if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

/// A file's `text` without characters that none may hold, but with its lines.
pub(crate) fn harmless(text: &str) -> String {
    let shown = |c: char| {
        if is_hidden(c) && !matches!(c, '\n' | '\t') {
            '\u{fffd}'
        } else {
            c
        }
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
    if text.chars().count() > most {
        let kept: String = text.chars().take(most.saturating_sub(1)).collect();
        format!("{kept}…")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_and_signed() {
        assert_eq!(figure(0.78165, Unit::Percent), "78.2 %");
        assert_eq!(figure(0.93234, Unit::Plain), "0.932");
        assert_eq!(bare(0.01234, Unit::Plain), "0.0123");
        assert_eq!(with_sign(-0.0213, Unit::Percent, 0), "−2.1");
        assert_eq!(with_sign(0.0213, Unit::Percent, 0), "+2.1");
        assert_eq!(with_sign(-0.0001, Unit::Percent, 0), "0.0");
    }

    #[test]
    fn an_interval_that_excludes_zero_is_never_written_as_if_it_did_not() {
        let of = |mean, lo, hi, unit| {
            let interval = Some((lo, hi));
            let (mean, ends) = signed(&Estimate { mean, interval }, unit);
            let [lo, hi] = ends.unwrap();
            format!("{mean} ({lo} to {hi})")
        };
        let (percent, plain) = (Unit::Percent, Unit::Plain);
        assert_eq!(of(0.02, 0.01, 0.03, percent), "+2.0 (+1.0 to +3.0)");
        assert_eq!(
            of(0.012, 0.00004, 0.024, percent),
            "+1.200 (+0.004 to +2.400)"
        );
        assert_eq!(
            of(-0.012, -0.024, -0.0004, percent),
            "−1.20 (−2.40 to −0.04)"
        );
        assert_eq!(
            of(0.2, 0.00002, 0.4, plain),
            "+0.20000 (+0.00002 to +0.40000)"
        );
        assert_eq!(of(0.2, 0.03, 0.4, plain), "+0.200 (+0.0300 to +0.400)");
        // Nothing is claimed of these.
        assert_eq!(of(0.012, -0.0004, 0.024, percent), "+1.2 (0.0 to +2.4)");
        assert_eq!(of(0.012, 1e-9, 0.024, percent), "+1.2 (0.0 to +2.4)");
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
