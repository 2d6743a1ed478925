//! Features to measure on.

use rut_adapt::{FeatureMatrix, LabelledFeatures};
use rut_record::FeatureType;

pub const CLASSES: usize = 10;

/// Pseudo-random features in [0, 1) [rows, width], and labels.
pub fn data(rows: usize, width: usize, kept: FeatureType) -> LabelledFeatures {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let mut features = FeatureMatrix::new(width, kept);
    let mut row = vec![0.0; width];
    for _ in 0..rows {
        row.iter_mut().for_each(|value| *value = next());
        features.push(&row).unwrap();
    }
    let labels = (0..rows).map(|row| (row % CLASSES) as u32).collect();
    LabelledFeatures { features, labels }
}
