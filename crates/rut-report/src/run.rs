//! A finished run, as a report keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rut_record::{Record, RunDir};

/// A finished run.
pub(crate) struct Run {
    /// Its record, without lists that no figure of a study needs.
    pub(crate) record: Record,
    /// Class names, in label order.
    pub(crate) class_names: Arc<[String]>,
    /// The name of its folder as it is shown: never a path of the machine.
    pub(crate) folder: String,
    /// Its folder.
    pub(crate) dir: RunDir,
}

impl Run {
    pub(crate) fn new(
        mut record: Record,
        dir: RunDir,
        folder: String,
        names: &mut BTreeSet<Arc<[String]>>,
    ) -> Self {
        let own: Arc<[String]> = std::mem::take(&mut record.data.class_names).into();
        let class_names = names.get(&own).cloned().unwrap_or_else(|| {
            names.insert(Arc::clone(&own));
            own
        });
        record.data.train_indices = Vec::new();
        record.data.validation_indices = Vec::new();
        let scores = [
            Some(&mut record.test),
            record.validation.as_mut(),
            record.test_before_remap.as_mut(),
        ];
        for scores in scores.into_iter().flatten() {
            scores.raw.per_class = Vec::new();
            if let Some(scaled) = &mut scores.at_temperature {
                scaled.per_class = Vec::new();
            }
        }
        Self {
            record,
            class_names,
            folder,
            dir,
        }
    }

    /// Whether its record notes that its scores at T = 1 are of no probability.
    pub(crate) fn has_no_probabilities(&self) -> bool {
        let notes = &self.record.training.notes;
        notes.iter().any(|note| note.contains("no probability"))
    }
}
