//! The reliability diagram of a summary as an SVG: accuracy by confidence above, how many images below. Its shapes
//! are `rut_metrics::Diagram`'s, which the terminal and reports draw too.

use plotters::prelude::*;
use rut_metrics::{Diagram, Summary};

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
    let diagram = Diagram::of(&summary.bins);
    accuracy(&diagram, &upper)?;
    counts(&diagram, &lower)?;
    root.present()?;
    Ok(())
}

fn accuracy<B: DrawingBackend>(
    diagram: &Diagram,
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
    let bars = diagram.bars.iter();
    let bar = bars
        .clone()
        .map(|bar| Rectangle::new(bar.corners(), BAR.mix(0.75).filled()));
    chart.draw_series(bar)?;
    let gap = bars
        .clone()
        .map(|bar| PathElement::new(bar.gap().to_vec(), GAP.stroke_width(2)));
    chart.draw_series(gap)?;
    let mark = bars.map(|bar| Circle::new((bar.confidence, bar.accuracy), 3, GAP.filled()));
    chart.draw_series(mark)?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.5)))?;
    Ok(())
}

fn counts<B: DrawingBackend>(
    diagram: &Diagram,
    area: &DrawingArea<B, plotters::coord::Shift>,
) -> Drawn
where
    B::ErrorType: 'static,
{
    let most = diagram.most.max(1) as f64;
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
    let bars = diagram.counts.iter().map(|(lo, hi, count)| {
        Rectangle::new([(*lo, 0.0), (*hi, *count as f64)], INK.mix(0.45).filled())
    });
    chart.draw_series(bars)?;
    Ok(())
}
