//! The reliability diagram in letters: for every bin of confidence, accuracy as a bar, mean confidence as a mark.

use rut_metrics::{Bar, Diagram, Summary};

/// Letters that stand for an accuracy of 1.
const WIDTH: usize = 40;

/// The diagram of `summary`.
pub fn reliability(summary: &Summary) -> String {
    let head = format!(
        "confidence   images  accuracy (█) and mean confidence (│), 0 to 1; N = {}",
        summary.n
    );
    let diagram = Diagram::of(&summary.bins);
    let of = |lo: &f64| diagram.bars.iter().find(|bar| bar.lo == *lo);
    let counts = diagram.counts.iter();
    let lines = counts.map(|(lo, hi, count)| line((*lo, *hi), *count, of(lo)));
    std::iter::once(head)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The line of a bin with `edges`; an empty one has no bar.
fn line((lo, hi): (f64, f64), count: u64, bar: Option<&Bar>) -> String {
    let label = format!("{lo:.2} – {hi:.2}  {count:>7}");
    let Some(bar) = bar else {
        return label;
    };
    let at = |share: f64| ((share * WIDTH as f64).round() as usize).min(WIDTH);
    let (end, mark) = (at(bar.accuracy), at(bar.confidence).min(WIDTH - 1));
    let letter = |column: usize| match column {
        column if column == mark => '│',
        column if column < end => '█',
        _ => '·',
    };
    format!("{label}  {}", (0..WIDTH).map(letter).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_shows_accuracy_and_confidence_at_the_same_scale() {
        let bar = Bar {
            lo: 0.4,
            hi: 0.6,
            accuracy: 0.25,
            confidence: 0.5,
            count: 12,
        };
        let drawn = line((0.4, 0.6), 12, Some(&bar));
        assert_eq!(drawn.matches('█').count(), 10, "{drawn}");
        assert_eq!(
            drawn.chars().position(|c| c == '│'),
            Some("0.40 – 0.60       12  ".chars().count() + 20),
            "{drawn}"
        );
    }

    #[test]
    fn an_empty_bin_shows_nothing() {
        assert_eq!(line((0.0, 0.1), 0, None), "0.00 – 0.10        0");
    }
}
