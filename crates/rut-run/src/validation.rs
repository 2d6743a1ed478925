//! Which images a run validates on: its data set's own, or some that are kept from the training images; and how many.

use rut_data::{Dataset, DrawOptions, Seed, ShortClass, ValidationRule};
use rut_record::{RunSpec, ShortClasses, ValidationFrom};

use crate::error::{Result, refused};
use crate::input_cache::InputCache;

/// Where the validation images come from. Data sets of the table stay as published: drawn, like those without validation
/// images of their own.
///
/// # Errors
/// If the data set is unknown or missing, or two fields do not go together.
pub fn validation_from(spec: &RunSpec, input_cache: &mut InputCache<'_>) -> Result<ValidationFrom> {
    let wanted = spec.labels.validation != Some(ValidationFrom::Drawn)
        && rut_data::find(&spec.data.dataset).is_none()
        && validation_rule(spec, ValidationFrom::Own)? != ValidationRule::None;
    if wanted && input_cache.dataset(spec)?.validation.is_some() {
        Ok(ValidationFrom::Own)
    } else {
        Ok(ValidationFrom::Drawn)
    }
}

/// Says where the validation images come from, where there is a choice.
pub(crate) fn canonicalize_validation(spec: &mut RunSpec, from: ValidationFrom, dataset: &Dataset) {
    let own = rut_data::find(&spec.data.dataset).is_none() && dataset.validation.is_some();
    spec.labels.validation = own.then_some(from);
}

/// How images are drawn from those that `from` says.
pub fn draw_options(spec: &RunSpec, from: ValidationFrom) -> Result<DrawOptions> {
    let short = match spec.labels.short_classes {
        ShortClasses::Refuse => ShortClass::Refuse,
        ShortClasses::Allow => ShortClass::Allow,
    };
    Ok(DrawOptions {
        budget: spec.budget()?,
        validation: validation_rule(spec, from)?,
        short,
        seed: Seed(spec.training.seed),
    })
}

fn validation_rule(spec: &RunSpec, from: ValidationFrom) -> Result<ValidationRule> {
    match (spec.labels.val_fraction, spec.labels.val_shots, from) {
        (Some(_), Some(_), _) => Err(refused(
            "val_shots",
            "one of `val_fraction` and `val_shots`",
            "both",
        )),
        (Some(0.0), None, _) | (None, Some(0), _) => Ok(ValidationRule::None),
        (Some(fraction), None, _) => Ok(ValidationRule::Fraction(fraction)),
        (None, Some(shots), _) => Ok(ValidationRule::PerClass(shots)),
        (None, None, ValidationFrom::Drawn) => Ok(DrawOptions::default_validation(spec.budget()?)),
        (None, None, ValidationFrom::Own) => {
            Ok(DrawOptions::default_own_validation(spec.budget()?))
        }
    }
}
