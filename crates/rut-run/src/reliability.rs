//! The reliability diagram of a summary as an SVG: accuracy by confidence above, how many images below. Terminal drawings
//! are `rut-cli`'s.

use plotters::prelude::*;
use rut_metrics::{Bin, Summary};

use crate::error::{Error, Result};

const SIZE: (u32, u32) = (520, 634);
const INK: RGBColor = RGBColor(38, 50, 56);
const GRID: RGBColor = RGBColor(224, 228, 231);
const BAR: RGBColor = RGBColor(46, 111, 168);
const GAP: RGBColor = RGBColor(214, 84, 60);

/// The diagram of `summary`, titled `title`.
///
/// Bars are the accuracy of each non-empty bin, marks its mean confidence; a perfectly calibrated classifier has both on
/// the diagonal.
///
/// # Errors
/// If the drawing fails.
pub fn svg(summary: &Summary, title: &str) -> Result<String> {
    let mut text = String::new();
    draw(summary, title, &mut text).map_err(|e| Error::Drawing(e.to_string()))?;
    Ok(text)
}

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

fn draw(summary: &Summary, title: &str, text: &mut String) -> Drawn {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (head, rest) = root.split_vertically(78);
    let style = |size: i32| ("sans-serif", size).into_font().color(&INK);
    head.draw_text(title, &style(15), (16, 14))?;
    let figures = format!(
        "N = {} · accuracy {:.2} % · confidence {:.2} % · ECE {:.2} % (15 bins)",
        summary.n,
        100.0 * summary.accuracy,
        100.0 * summary.mean_confidence,
        100.0 * summary.ece
    );
    head.draw_text(&figures, &style(13), (16, 36))?;
    let legend =
        "bars: accuracy · red: from mean confidence to accuracy · line: perfect calibration";
    head.draw_text(legend, &style(11), (16, 56))?;
    let (upper, lower) = rest.split_vertically(400);
    accuracy(summary, &upper)?;
    counts(summary, &lower)?;
    root.present()?;
    Ok(())
}

fn accuracy<B: DrawingBackend>(
    summary: &Summary,
    area: &DrawingArea<B, plotters::coord::Shift>,
) -> Drawn
where
    B::ErrorType: 'static,
{
    let mut chart = ChartBuilder::on(area)
        .margin_left(10)
        .margin_right(20)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_desc("confidence")
        .y_desc("accuracy")
        .draw()?;
    let bars = filled(summary).map(|(bin, accuracy, _)| {
        Rectangle::new([(bin.lo, 0.0), (bin.hi, accuracy)], BAR.mix(0.75).filled())
    });
    chart.draw_series(bars)?;
    let gaps = filled(summary).map(|(_, accuracy, confidence)| {
        PathElement::new(
            vec![(confidence, accuracy), (confidence, confidence)],
            GAP.stroke_width(2),
        )
    });
    chart.draw_series(gaps)?;
    let marks = filled(summary)
        .map(|(_, accuracy, confidence)| Circle::new((confidence, accuracy), 3, GAP.filled()));
    chart.draw_series(marks)?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.5)))?;
    Ok(())
}

fn counts<B: DrawingBackend>(
    summary: &Summary,
    area: &DrawingArea<B, plotters::coord::Shift>,
) -> Drawn
where
    B::ErrorType: 'static,
{
    let most = summary
        .bins
        .iter()
        .map(|bin| bin.count)
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_left(10)
        .margin_right(20)
        .margin_bottom(8)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..1.0, 0.0..most * 1.08)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .y_labels(4)
        .y_label_formatter(&|count| format!("{count:.0}"))
        .x_desc("confidence")
        .y_desc("images")
        .draw()?;
    let bars = summary.bins.iter().map(|bin| {
        Rectangle::new(
            [(bin.lo, 0.0), (bin.hi, bin.count as f64)],
            INK.mix(0.45).filled(),
        )
    });
    chart.draw_series(bars)?;
    Ok(())
}

/// Non-empty bins with accuracy and mean confidence.
fn filled(summary: &Summary) -> impl Iterator<Item = (&Bin, f64, f64)> {
    summary
        .bins
        .iter()
        .filter_map(|bin| Some((bin, bin.accuracy?, bin.confidence?)))
}
