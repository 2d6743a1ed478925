//! The flags `--engine` and `--precision`, from the tables of engines and precisions in `rut-models`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::Args;
use rut_models::{find_precision, Engine, Precision, ENGINES, PRECISIONS};

/// The flag that selects the engine.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct EngineFlags {
    /// The engine that computes the frozen network [default: auto; of a finished run, the engine of that run]
    #[arg(long, value_name = "NAME", value_parser = engines(), help_heading = "Paths and resources")]
    pub engine: Option<Engine>,
}

/// The flag that selects the precision.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct PrecisionFlags {
    /// The precision that the frozen network computes in [default: f32]
    #[arg(long, value_name = "NAME", value_parser = precisions(), help_heading = "Paths and resources")]
    pub precision: Option<Precision>,
}

fn engines() -> impl TypedValueParser<Value = Engine> {
    let values = ENGINES
        .iter()
        .map(|row| PossibleValue::new(row.name).help(row.about));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Engine>())
}

fn precisions() -> impl TypedValueParser<Value = Precision> {
    let values = PRECISIONS
        .iter()
        .map(|row| PossibleValue::new(row.name).help(row.about));
    PossibleValuesParser::new(values).try_map(|name| {
        let row = find_precision(&name).ok_or_else(|| anyhow::anyhow!("no such precision"))?;
        anyhow::Ok(row.precision)
    })
}
