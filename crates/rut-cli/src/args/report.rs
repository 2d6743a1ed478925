//! The arguments of `rut report`. For their meaning, see `rut-report`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::Args;
use rut_report::FigureFormat;

use super::whole;

/// The most runs that get figures of their own, if nothing is said.
pub const DEFAULT_FIGURES: usize = 24;

/// `rut report`.
#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Folders of results, or runs' folders
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// Where report.html, figures/, tables/, runs.csv and runs.jsonl go
    #[arg(long, short, visible_alias = "output", value_name = "DIR")]
    pub out: PathBuf,
    /// What the report is called [default: what the plan says]
    #[arg(long)]
    pub title: Option<String>,
    /// Leave out what differs between two runs of one specification: seconds, memory, machine, links, date
    #[arg(long, alias = "omit_cost")]
    pub omit_cost: bool,
    /// The most runs that get figures of their own: reliability, curves, prompts, classes
    #[arg(long, value_name = "N", default_value_t = DEFAULT_FIGURES, value_parser = whole::<usize>)]
    pub figures: usize,
    /// Width of the files in figures/, for a paper: a number and `in`, `cm`, `mm` or `pt`. Type keeps its size, and no title
    /// stands inside
    #[arg(long, value_name = "LENGTH", value_parser = inches)]
    pub figure_width: Option<f64>,
    /// Formats of the files in figures/: svg, pdf, or both, separated by a comma
    #[arg(long, value_name = "FORMAT", default_value = "svg", value_delimiter = ',', value_parser = figure_format())]
    pub figure_format: Vec<FigureFormat>,
}

/// Reads a format by its name.
fn figure_format() -> impl TypedValueParser<Value = FigureFormat> {
    let names = FigureFormat::ALL.iter().map(|format| format.name());
    PossibleValuesParser::new(names).map(|name| {
        let mut all = FigureFormat::ALL.iter().copied();
        let found = all.find(|format| format.name() == name);
        found.unwrap_or(FigureFormat::Svg)
    })
}

/// A length as inches, of 72.27 points each as in TeX.
fn inches(text: &str) -> Result<f64, String> {
    const UNITS: [(&str, f64); 4] = [("in", 1.0), ("cm", 2.54), ("mm", 25.4), ("pt", 72.27)];
    let found = UNITS.iter().find_map(|(unit, of_inch)| {
        let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        Some(number / of_inch)
    });
    match found {
        Some(inches) if (2.0..=20.0).contains(&inches) => Ok(inches),
        _ => Err("expected 2in to 20in, as a number and in, cm, mm or pt, such as 3.25in".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_a_unit_and_fits_on_paper() {
        assert_eq!(inches("3.25in"), Ok(3.25));
        assert_eq!(inches("12.7cm"), Ok(5.0));
        assert_eq!(inches("127 mm"), Ok(5.0));
        assert!((inches("240pt").unwrap() - 3.3208).abs() < 1e-3);
        for refused in ["3.25", "in", "0in", "1e9in", "NaNin", "-3in"] {
            assert!(inches(refused).is_err(), "{refused}");
        }
    }
}
