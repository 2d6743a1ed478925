//! A reliability diagram in the style of a report's figures: accuracy by confidence above, how many images below. The one
//! that a run leaves in its folder is `reliability`'s.

use plotters::style::RGBColor;
use rut_metrics::{Bin, Summary};

use crate::canvas::{Anchor, Canvas, GRID, INK, SOFT, picture};
use crate::chart::{WIDTH, words};
use crate::error::Result;
use crate::wording::cut;

/// The line from a bin's mean confidence to its accuracy.
const GAP: RGBColor = RGBColor(200, 30, 30);

/// The left and right edges of both frames, pixels.
const ACROSS: (f64, f64) = (46.0, WIDTH - 14.0);
/// The lower and upper edge of the diagram, pixels.
const UPPER: (f64, f64) = (290.0, 70.0);
/// The lower and upper edge of the histogram, pixels.
const LOWER: (f64, f64) = (390.0, 326.0);

/// The diagram of `summary`, in `colour`.
///
/// # Errors
/// If the drawing fails.
pub(crate) fn svg(summary: &Summary, title: &str, colour: RGBColor) -> Result<String> {
    picture(title, (WIDTH, 434.0), |canvas| {
        canvas.text(
            &cut(title, 54),
            (12.0, 15.0),
            words(12.5, INK, Anchor::Head),
        )?;
        let figures = format!(
            "accuracy {:.1} %, confidence {:.1} %, ECE {:.1} %, N = {}",
            100.0 * summary.accuracy,
            100.0 * summary.mean_confidence,
            100.0 * summary.ece,
            summary.n
        );
        canvas.text(&figures, (12.0, 33.0), words(11.0, SOFT, Anchor::Left))?;
        upper(canvas, summary, colour)?;
        lower(canvas, summary)
    })
}

fn across(confidence: f64) -> f64 {
    ACROSS.0 + (ACROSS.1 - ACROSS.0) * confidence
}

fn up((floor, ceiling): (f64, f64), share: f64) -> f64 {
    floor + (ceiling - floor) * share
}

fn upper(canvas: &Canvas<'_>, summary: &Summary, colour: RGBColor) -> Result<()> {
    canvas.text(
        "accuracy (%)",
        (12.0, UPPER.1 - 15.0),
        words(11.5, INK, Anchor::Left),
    )?;
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let y = up(UPPER, share);
        canvas.line(&[(ACROSS.0, y), (ACROSS.1, y)], GRID, 1.0)?;
        let name = (25 * tick).to_string();
        canvas.text(&name, (ACROSS.0 - 6.0, y), words(11.0, SOFT, Anchor::Right))?;
    }
    for (bin, accuracy, _) in filled(summary) {
        let corners = [
            (across(bin.lo) + 0.7, UPPER.0),
            (across(bin.hi) - 0.7, up(UPPER, accuracy)),
        ];
        canvas.block(corners, colour, 0.55)?;
    }
    let ends = [(across(0.0), UPPER.0), (across(1.0), UPPER.1)];
    canvas.dashes(&ends, SOFT, 1.0)?;
    for (_, accuracy, confidence) in filled(summary) {
        let x = across(confidence);
        let (from, to) = (up(UPPER, confidence), up(UPPER, accuracy));
        canvas.line(&[(x, from), (x, to)], GAP, 1.6)?;
        canvas.line(&[(x - 3.0, from), (x + 3.0, from)], GAP, 1.6)?;
    }
    Ok(())
}

fn lower(canvas: &Canvas<'_>, summary: &Summary) -> Result<()> {
    let most = summary.bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    canvas.text(
        "images",
        (12.0, LOWER.1 - 14.0),
        words(11.5, INK, Anchor::Left),
    )?;
    for (name, share) in [(0, 0.0), (most, 1.0)] {
        let y = up(LOWER, share);
        canvas.line(&[(ACROSS.0, y), (ACROSS.1, y)], GRID, 1.0)?;
        let place = (ACROSS.0 - 6.0, y);
        canvas.text(&name.to_string(), place, words(11.0, SOFT, Anchor::Right))?;
    }
    for bin in summary.bins.iter().filter(|bin| bin.count > 0) {
        let share = bin.count as f64 / most as f64;
        let corners = [
            (across(bin.lo) + 0.7, LOWER.0),
            (across(bin.hi) - 0.7, up(LOWER, share)),
        ];
        canvas.block(corners, SOFT, 0.55)?;
    }
    canvas.line(&[(ACROSS.0, LOWER.0), (ACROSS.1, LOWER.0)], SOFT, 1.0)?;
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let place = (across(share), LOWER.0 + 13.0);
        let name = (25 * tick).to_string();
        canvas.text(&name, place, words(11.0, SOFT, Anchor::Middle))?;
    }
    let place = (f64::midpoint(ACROSS.0, ACROSS.1), LOWER.0 + 31.0);
    canvas.text("confidence (%)", place, words(11.5, INK, Anchor::Middle))
}

/// Non-empty bins with accuracy and mean confidence.
fn filled(summary: &Summary) -> impl Iterator<Item = (&Bin, f64, f64)> {
    summary
        .bins
        .iter()
        .filter_map(|bin| Some((bin, bin.accuracy?, bin.confidence?)))
}
