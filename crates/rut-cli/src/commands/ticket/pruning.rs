//! From flags to a rule for pruning, and the scores that it compares.

use anyhow::{anyhow, Result};
use rut_compress::{rounds_of, Counted, KeptLayers, Prunable, PruneRule, Pruned, Scope};
use rut_data::Seed;
use rut_models::LayerDensity;

use super::about::Made;
use super::source::Network;
use crate::args::{PruningFlags, ScoreChoice};
use crate::exit::Usage;

/// What the flags ask for.
pub struct Pruning {
    /// How many weights go, and among which they are compared.
    pub rule: PruneRule,
    /// Layers that lose none.
    pub dense: KeptLayers,
    /// Which go first.
    by: ScoreChoice,
    seed: Seed,
}

impl Pruning {
    /// Reads the flags.
    ///
    /// # Errors
    /// If they cannot be meant together, or a value is out of range.
    pub fn of(flags: &PruningFlags) -> Result<Self> {
        let usage = |error: rut_compress::Error| {
            Usage(anyhow!(crate::flags::with_flags(&error.to_string())))
        };
        let words = flags.keep.iter().map(String::as_str);
        let dense = KeptLayers::parse(words).map_err(usage)?;
        let rule = rule(flags)?;
        rule.check().map_err(usage)?;
        Ok(Self {
            rule,
            dense,
            by: flags.by,
            seed: Seed(flags.seed),
        })
    }

    /// The masks of `network` by the rule.
    ///
    /// # Errors
    /// If nothing can be pruned by it, or a layer would lose all of its weights.
    pub fn masks(&self, network: &Network) -> Result<Pruned> {
        let (weights, masks) = (&network.weights, network.masks()?);
        let network = match self.by {
            ScoreChoice::Magnitude => Prunable::by_magnitude(weights, masks, &self.dense),
            ScoreChoice::Random => Prunable::by_score(weights, masks, &self.dense, |layer| {
                random(self.seed, layer)
            })
            .map_err(rut_run::Error::from)?,
        };
        Ok(network.prune(&self.rule).map_err(rut_run::Error::from)?)
    }

    /// The state that the ticket has unless another is asked for: of which network, and of which density it is.
    pub fn state(&self, before: u32, density: f64) -> u32 {
        match self.rule {
            PruneRule::Rounds { rounds, .. } => before.saturating_add(rounds),
            PruneRule::Density { density, .. } => rounds_of(density),
            PruneRule::Groups(_) => rounds_of(density),
        }
    }

    /// How it is pruned, in a word for file names: `magnitude`, `random-layer`, `magnitude-2of4`.
    pub fn label(&self) -> String {
        let scope = match self.rule {
            PruneRule::Groups(size) => format!("-{}of{}", size.kept(), size.of()),
            _ if self.scope() == Scope::Layer => "-layer".into(),
            _ => String::new(),
        };
        format!("{}{scope}", self.by())
    }

    /// What is written down of it.
    pub fn made(&self) -> Made {
        let (asked, rounds, counted) = match self.rule {
            PruneRule::Density {
                density, counted, ..
            } => (Some(density), None, counted),
            PruneRule::Rounds {
                rounds, counted, ..
            } => (None, Some(rounds), counted),
            PruneRule::Groups(_) => (None, None, Counted::WithoutDense),
        };
        Made {
            by: self.by(),
            scope: match (self.rule, self.scope()) {
                (PruneRule::Groups(size), _) => size.to_string(),
                (_, Scope::Layer) => "layer".into(),
                (_, Scope::Global) => "global".into(),
            },
            density: asked,
            rounds,
            keep: self.dense.names(),
            count_kept: counted == Counted::WithDense,
            seed: (self.by == ScoreChoice::Random).then_some(self.seed.0),
        }
    }

    fn by(&self) -> &'static str {
        match self.by {
            ScoreChoice::Magnitude => "magnitude",
            ScoreChoice::Random => "random",
        }
    }

    fn scope(&self) -> Scope {
        match self.rule {
            PruneRule::Density { scope, .. } | PruneRule::Rounds { scope, .. } => scope,
            PruneRule::Groups(_) => Scope::Global,
        }
    }
}

fn rule(flags: &PruningFlags) -> Result<PruneRule> {
    let counted = if flags.count_kept {
        Counted::WithDense
    } else {
        Counted::WithoutDense
    };
    let scope = match flags.scope.as_str() {
        "global" => Scope::Global,
        "layer" => Scope::Layer,
        groups => {
            let size = groups.parse().map_err(|_| {
                Usage(anyhow!(
                    "read `--scope {groups}`: expected `global`, `layer`, or N:M with whole numbers 0 < N < M, as `2:4`"
                ))
            })?;
            let beside = [
                ("--density", flags.density.is_some()),
                ("--rounds", flags.rounds.is_some()),
                ("--count-kept", flags.count_kept),
            ];
            if let Some((flag, _)) = beside.iter().find(|(_, given)| *given) {
                return Err(Usage(anyhow!(
                    "use `{flag}` beside `--scope {groups}`: how many weights go follows from the groups; leave one of the two out"
                ))
                .into());
            }
            return Ok(PruneRule::Groups(size));
        }
    };
    match (flags.density, flags.rounds) {
        (Some(density), None) => Ok(PruneRule::Density {
            density,
            scope,
            counted,
        }),
        (None, Some(rounds)) => Ok(PruneRule::Rounds {
            rounds,
            scope,
            counted,
        }),
        _ => Err(Usage(anyhow!(
            "prune the network: expected how many weights go, by one of `--density D`, `--rounds K` and `--scope N:M`"
        ))
        .into()),
    }
}

/// A number for every weight, of a stream for each layer: for one seed, what is pruned at a higher density is pruned at a lower
/// one, too.
fn random(seed: Seed, layer: &LayerDensity) -> Vec<f32> {
    let mut stream = seed.stream(&format!("prune/{}", layer.name));
    (0..layer.total).map(|_| stream.uniform() as f32).collect()
}
