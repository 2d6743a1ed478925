//! What a finished run says of a user's images.

use std::path::{Path, PathBuf};

use rut_adapt::Observer;
use rut_data::ImageSet;
use serde::Serialize;

use crate::error::Result;
use crate::finished::FinishedRun;
use crate::images::prepare;

/// What a run says of one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The image's file.
    pub image: PathBuf,
    /// The predicted target class.
    #[serde(flatten)]
    pub best: ClassScore,
    /// The classes of the highest confidence, best first, where more than one was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<ClassScore>,
}

/// How sure a run is that an image is of a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Name of the target class.
    pub class: String,
    /// Its index.
    pub label: u32,
    /// Its softmax probability, 0–1, of the logits as they are.
    pub confidence: f64,
    /// The same at the run's fitted temperature, if one was fitted.
    pub confidence_at_temperature: Option<f64>,
}

/// Predictions, and the files that could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// In the order of the files.
    pub predictions: Vec<Prediction>,
    /// A file, and what is wrong with it.
    pub unread: Vec<(PathBuf, String)>,
}

impl FinishedRun {
    /// What the run says of image files: the best class of each, and the `top` best where that is more than one.
    ///
    /// # Errors
    /// If the network fails.
    pub fn predict(
        &self,
        files: &[PathBuf],
        top: usize,
        observer: &mut dyn Observer,
    ) -> Result<Predictions> {
        let error = match self.all(files, top, observer) {
            Ok(predictions) => {
                let unread = Vec::new();
                return Ok(Predictions {
                    predictions,
                    unread,
                });
            }
            Err(error) => error,
        };
        let (sound, wrong) = ImageSet::from_files(files)?.readable();
        if wrong.is_empty() {
            return Err(error);
        }
        let file = |index: usize| files.get(index).cloned().unwrap_or_default();
        let sound: Vec<PathBuf> = sound.into_iter().map(file).collect();
        let unread = wrong
            .into_iter()
            .map(|(index, problem)| (file(index), problem));
        let unread = unread.collect();
        let predictions = if sound.is_empty() {
            Vec::new()
        } else {
            self.all(&sound, top, observer)?
        };
        Ok(Predictions {
            predictions,
            unread,
        })
    }

    fn all(
        &self,
        files: &[PathBuf],
        top: usize,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Prediction>> {
        let images = prepare(&ImageSet::from_files(files)?, &self.transform())?;
        let logits = self.logits(&images, observer)?;
        let rows = logits.values.chunks_exact(logits.classes.max(1));
        let both = files.iter().zip(rows);
        Ok(both
            .map(|(image, row)| self.prediction(image, row, top))
            .collect())
    }

    fn prediction(&self, image: &Path, row: &[f32], top: usize) -> Prediction {
        let mut ranked: Vec<usize> = (0..row.len()).collect();
        // Of equals, the first: the order is kept, and -0.0 is 0.0.
        let value = |index: usize| {
            row.get(index)
                .map_or(f32::NEG_INFINITY, |value| value + 0.0)
        };
        ranked.sort_by(|&a, &b| value(b).total_cmp(&value(a)));
        let highest = f64::from(ranked.first().map_or(0.0, |&best| value(best)));
        let weight = |value: f32, t: f64| ((f64::from(value) - highest) / t).exp();
        let share = |label: usize, t: f64| {
            let sum: f64 = row.iter().map(|&value| weight(value, t)).sum();
            weight(value(label), t) / sum
        };
        let temperature = self.record.temperature.as_ref().map(|fit| fit.temperature);
        let names = &self.record.data.class_names;
        let score = |label: usize| ClassScore {
            class: names.get(label).cloned().unwrap_or_default(),
            label: label as u32,
            confidence: share(label, 1.0),
            confidence_at_temperature: temperature.map(|t| share(label, t.get())),
        };
        let shown = if top > 1 { top } else { 0 };
        Prediction {
            image: image.into(),
            best: score(ranked.first().copied().unwrap_or_default()),
            top: ranked.into_iter().take(shown).map(score).collect(),
        }
    }
}
