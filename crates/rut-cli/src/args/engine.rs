//! The flag `--engine`, from the table of engines in `rut-models`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::Args;
use rut_models::{Engine, ENGINES};

/// The flag that selects the engine.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct EngineFlags {
    /// The engine that computes the frozen network [default: auto; of a finished run, the engine of that run]
    #[arg(long, value_name = "NAME", value_parser = engines(), help_heading = "Paths and resources")]
    pub engine: Option<Engine>,
}

fn engines() -> impl TypedValueParser<Value = Engine> {
    let values = ENGINES
        .iter()
        .map(|row| PossibleValue::new(row.name).help(row.about));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Engine>())
}
