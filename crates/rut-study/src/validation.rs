//! Which images a run validates on: its data set's own, or some that are kept from the training images; and how many.

use rut_data::{Dataset, DrawOptions, Seed, ShortClass, ValidationRule};

use crate::checked::refused;
use crate::error::Result;
use crate::places::Places;
use crate::run_dir::RunDir;
use crate::sources::Sources;
use crate::spec::{RunSpec, ShortClasses, ValidationFrom};

impl RunSpec {
    /// Where the validation images come from. Data sets of the table stay as published: drawn, like those without validation
    /// images of their own.
    ///
    /// # Errors
    /// If the data set is unknown or missing, or two fields do not go together.
    pub(crate) fn validation_from(&self, sources: &mut Sources<'_>) -> Result<ValidationFrom> {
        let wanted = self.validation != Some(ValidationFrom::Drawn)
            && rut_data::find(&self.dataset).is_none()
            && self.validation_rule(ValidationFrom::Own)? != ValidationRule::None;
        match wanted && sources.dataset(self)?.validation.is_some() {
            true => Ok(ValidationFrom::Own),
            false => Ok(ValidationFrom::Drawn),
        }
    }

    /// Says where the validation images come from, where there is a choice.
    pub(crate) fn settle_validation(&mut self, from: ValidationFrom, dataset: &Dataset) {
        let own = rut_data::find(&self.dataset).is_none() && dataset.validation.is_some();
        self.validation = own.then_some(from);
    }

    /// As a run that was begun in `places` goes on: one that validates on images kept from the training images keeps to
    /// them, also where its data set has validation images of its own, which earlier versions did not use.
    ///
    /// # Errors
    /// If the data set or the network is unknown or missing.
    pub fn as_begun(mut self, places: &Places) -> Result<Self> {
        self.settle();
        let mut sources = Sources::new(places);
        if self.validation.is_some() || self.validation_from(&mut sources)? == ValidationFrom::Drawn
        {
            return Ok(self);
        }
        let drawn = Self {
            validation: Some(ValidationFrom::Drawn),
            ..self.clone()
        };
        let name = match &places.run_name {
            Some(name) => name.clone(),
            None => drawn.identify(&mut sources)?.to_string(),
        };
        if RunDir::at(places.results_path.join(name)).began_with()? == Some(ValidationFrom::Drawn) {
            self = drawn;
        }
        Ok(self)
    }

    /// How images are drawn from those that `from` says.
    pub(crate) fn draw_options(&self, from: ValidationFrom) -> Result<DrawOptions> {
        let short = match self.short_classes {
            ShortClasses::Refuse => ShortClass::Refuse,
            ShortClasses::Allow => ShortClass::Allow,
        };
        Ok(DrawOptions {
            budget: self.budget()?,
            validation: self.validation_rule(from)?,
            short,
            seed: Seed(self.seed),
        })
    }

    fn validation_rule(&self, from: ValidationFrom) -> Result<ValidationRule> {
        match (self.val_fraction, self.val_shots, from) {
            (Some(_), Some(_), _) => Err(refused(
                "val_shots",
                "one of `val_fraction` and `val_shots`",
                "both",
            )),
            (Some(0.0), None, _) | (None, Some(0), _) => Ok(ValidationRule::None),
            (Some(fraction), None, _) => Ok(ValidationRule::Fraction(fraction)),
            (None, Some(shots), _) => Ok(ValidationRule::PerClass(shots)),
            (None, None, ValidationFrom::Drawn) => {
                Ok(DrawOptions::default_validation(self.budget()?))
            }
            (None, None, ValidationFrom::Own) => {
                Ok(DrawOptions::default_own_validation(self.budget()?))
            }
        }
    }
}
