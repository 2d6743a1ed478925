//! The options of training a prompt, as a specification has them.

use rut_record::{Field, Kind, Optimizer, PROMPTING, PromptSpec, RunSpec, Word};

use super::{Descent, PromptOptimizer};
use crate::error::{Error, Result};
use crate::optimizer::{GradientForm, GradientRule, SpsaOptions};

fn by(spec: &RunSpec, optimizer: Optimizer) -> bool {
    spec.prompt()
        .is_some_and(|prompt| prompt.optimizer == optimizer)
}

fn by_sgd(spec: &RunSpec) -> bool {
    by(spec, Optimizer::Sgd)
}

fn by_spsa(spec: &RunSpec) -> bool {
    by(spec, Optimizer::Spsa)
}

fn by_gradient(spec: &RunSpec) -> bool {
    spec.prompt().is_some() && !by_spsa(spec)
}

const fn number(
    key: &'static str,
    default: &'static str,
    used: fn(&RunSpec) -> bool,
    help: &'static str,
) -> Field {
    Field {
        default: Some(default),
        used,
        ..Field::new(key, "NUMBER", Kind::Number, PROMPTING, help)
    }
}

const MOMENTUM: Field = number("momentum", "0.9", by_sgd, "Momentum of sgd");

const GRADIENT: Field = Field {
    default: Some("raw"),
    used: by_gradient,
    ..Field::new(
        "gradient",
        "FORM",
        Kind::Words(&[
            Word::new("raw", "as it is"),
            Word::new("normalized", "divided by its norm (EVP)"),
        ]),
        PROMPTING,
        "The form of a prompt's gradient",
    )
};

const CLIP_VALUE: Field = Field {
    left_out: "do not clip",
    used: by_gradient,
    ..Field::new(
        "clip_value",
        "NUMBER",
        Kind::Number,
        PROMPTING,
        "The largest absolute value of an entry of a gradient",
    )
};

const CLIP_NORM: Field = Field {
    left_out: "do not clip",
    used: by_gradient,
    ..Field::new(
        "clip_norm",
        "NUMBER",
        Kind::Number,
        PROMPTING,
        "The largest norm of all gradients together",
    )
};

const OFFSET: Field = number(
    "spsa_offset",
    "1",
    by_spsa,
    "SPSA: o of the gain a / (k + o)^alpha",
);
const PERTURBATION: Field = number(
    "spsa_perturbation",
    "0.01",
    by_spsa,
    "SPSA: c of the perturbation c / k^gamma",
);
const ALPHA: Field = number("spsa_alpha", "0.4", by_spsa, "SPSA: alpha of the gain");
const GAMMA: Field = number(
    "spsa_gamma",
    "0.1",
    by_spsa,
    "SPSA: gamma of the perturbation",
);
const SPSA_MOMENTUM: Field = number("spsa_momentum", "0.9", by_spsa, "SPSA: momentum");
const DRAWS: Field = Field {
    default: Some("5"),
    used: by_spsa,
    ..Field::new(
        "spsa_draws",
        "N",
        Kind::Count,
        PROMPTING,
        "SPSA: perturbations that a gradient is the mean of",
    )
};

/// Options of training a prompt; which ones a run has a use for is each one's `used`.
pub const DESCENT_OPTIONS: &[Field] = &[
    MOMENTUM,
    GRADIENT,
    CLIP_VALUE,
    CLIP_NORM,
    OFFSET,
    PERTURBATION,
    ALPHA,
    GAMMA,
    SPSA_MOMENTUM,
    DRAWS,
];

impl Descent {
    /// What `prompt` says.
    ///
    /// # Errors
    /// If an option is out of range, or its optimiser trains no prompts.
    pub fn of(prompt: &PromptSpec) -> Result<Self> {
        let value = |field: &Field, expected: &str, fits: fn(f64) -> bool| -> Result<Option<f64>> {
            let found = field.number(&prompt.options)?;
            match found.filter(|value| !(value.is_finite() && fits(*value))) {
                None => Ok(found),
                Some(wrong) => Err(refused(field.key, expected, wrong.to_string())),
            }
        };
        let share = |field: &Field| -> Result<f64> {
            let fits = |value: f64| (0.0..1.0).contains(&value);
            Ok(value(field, "from 0 up, below 1", fits)?.unwrap_or(0.0))
        };
        let above = |field: &Field| value(field, "a number above 0", |value| value > 0.0);
        let from_zero = |field: &Field| -> Result<f64> {
            Ok(value(field, "0 or more", |value| value >= 0.0)?.unwrap_or(0.0))
        };
        let weight_decay = prompt.weight_decay;
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return Err(refused(
                "weight_decay",
                "a number, 0 or more",
                weight_decay.to_string(),
            ));
        }
        let optimizer = match prompt.optimizer {
            Optimizer::Adam => PromptOptimizer::Adam { weight_decay },
            Optimizer::Sgd => PromptOptimizer::Sgd {
                momentum: share(&MOMENTUM)?,
                weight_decay,
            },
            Optimizer::Spsa => PromptOptimizer::Spsa(SpsaOptions {
                offset: from_zero(&OFFSET)?,
                perturbation: above(&PERTURBATION)?.unwrap_or(0.01),
                alpha: from_zero(&ALPHA)?,
                gamma: from_zero(&GAMMA)?,
                momentum: share(&SPSA_MOMENTUM)?,
                draws: match DRAWS.whole(&prompt.options)? {
                    Some(draws @ 1..=1000) => draws as u32,
                    found => {
                        let found = found.unwrap_or(0).to_string();
                        return Err(refused(DRAWS.key, "from 1 to 1000", found));
                    }
                },
            }),
            Optimizer::Lbfgs => {
                let expected = "adam, sgd or spsa: lbfgs fits heads on features";
                return Err(refused("optimizer", expected, "lbfgs".into()));
            }
        };
        let form = match GRADIENT.word(&prompt.options)?.as_deref() {
            Some("normalized") => GradientForm::Normalized,
            _ => GradientForm::Raw,
        };
        Ok(Self {
            optimizer,
            gradient: GradientRule {
                form,
                clip_value: above(&CLIP_VALUE)?,
                clip_norm: above(&CLIP_NORM)?,
            },
        })
    }
}

fn refused(field: &'static str, expected: &str, found: String) -> Error {
    Error::Option {
        field,
        expected: expected.into(),
        found,
    }
}
