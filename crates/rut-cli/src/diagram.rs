//! The reliability diagram in letters: for every bin of confidence, accuracy as a bar, mean confidence as a mark.

use rut_metrics::{Bin, Summary};

/// Letters that stand for an accuracy of 1.
const WIDTH: usize = 40;

/// The diagram of `summary`.
pub fn reliability(summary: &Summary) -> String {
    let head = format!(
        "confidence   images  accuracy (█) and mean confidence (│), 0 to 1; N = {}",
        summary.n
    );
    let lines = summary.bins.iter().map(line);
    std::iter::once(head)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

fn line(bin: &Bin) -> String {
    let label = format!("{:.2} – {:.2}  {:>7}", bin.lo, bin.hi, bin.count);
    let (Some(accuracy), Some(confidence)) = (bin.accuracy, bin.confidence) else {
        return label;
    };
    let at = |share: f64| ((share * WIDTH as f64).round() as usize).min(WIDTH);
    let (bar, mark) = (at(accuracy), at(confidence).min(WIDTH - 1));
    let letter = |column: usize| match column {
        column if column == mark => '│',
        column if column < bar => '█',
        _ => '·',
    };
    format!("{label}  {}", (0..WIDTH).map(letter).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_shows_accuracy_and_confidence_at_the_same_scale() {
        let bin = Bin {
            lo: 0.4,
            hi: 0.6,
            count: 12,
            accuracy: Some(0.25),
            confidence: Some(0.5),
        };
        let drawn = line(&bin);
        assert_eq!(drawn.matches('█').count(), 10, "{drawn}");
        assert_eq!(
            drawn.chars().position(|c| c == '│'),
            Some("0.40 – 0.60       12  ".chars().count() + 20),
            "{drawn}"
        );
    }

    #[test]
    fn an_empty_bin_shows_nothing() {
        let bin = Bin {
            lo: 0.0,
            hi: 0.1,
            count: 0,
            accuracy: None,
            confidence: None,
        };
        assert_eq!(line(&bin), "0.00 – 0.10        0");
    }
}
