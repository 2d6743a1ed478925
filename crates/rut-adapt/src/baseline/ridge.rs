//! Ridge regression of the classes: Hoerl and Kennard (1970), with the targets of scikit-learn's `RidgeClassifier`.

use rayon::prelude::*;

use super::cholesky::Cholesky;
use crate::error::{Error, Result};
use crate::features::{Centred, LabelledFeatures};
use crate::head::LinearHead;
use crate::products::double;

/// Rows that are worked on at once.
const ROWS: usize = 128;

/// The head whose weights solve (Xᵀ X + α I) Wᵀ = Xᵀ Y for centred features X [n, width] and targets Y [n, classes] of ±1; the
/// intercept, which is not penalised, comes back with the means. With fewer images than features it is Wᵀ = Xᵀ (X Xᵀ + α I)⁻¹ Y,
/// which is the same.
pub(super) fn fit(train: &LabelledFeatures, classes: usize, alpha: f64) -> Result<LinearHead> {
    let mut centred = Centred::new(&train.features);
    let means = target_means(&train.labels, classes);
    let weight = if train.labels.len() < train.features.width() {
        by_images(train, &mut centred, &means, alpha)
    } else {
        by_features(train, &mut centred, classes, alpha)
    };
    let weight = weight.filter(|weight| weight.iter().all(|value| value.is_finite()));
    let weight = weight.ok_or_else(|| Error::Option {
        field: "ridge_alpha",
        expected: "a larger penalty, or finite features: the system cannot be solved".into(),
        found: alpha.to_string(),
    })?;
    centred.head(&weight, &means)
}

/// The mean target of each class, which is the intercept for centred features.
fn target_means(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0usize; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    let images = labels.len() as f64;
    let mean = |count| (2.0 * count as f64 - images) / images;
    counts.into_iter().map(mean).collect()
}

/// W [classes, width] by a system of as many unknowns as features.
fn by_features(
    train: &LabelledFeatures,
    centred: &mut Centred<'_>,
    classes: usize,
    alpha: f64,
) -> Option<Vec<f64>> {
    let width = train.features.width();
    let mut gram = vec![0.0; width * width];
    let mut weight = vec![0.0; classes * width];
    for (index, labels) in train.labels.chunks(ROWS).enumerate() {
        let start = index * ROWS;
        let rows = centred.rows(start..start + labels.len());
        let places = gram.par_chunks_exact_mut(width).enumerate();
        places.for_each(|(i, to)| {
            let parts = rows.chunks_exact(width).map(|row| (row[i], &row[..=i]));
            double::add_rows(parts, &mut to[..=i]);
        });
        // A column of Xᵀ Y is twice the sum over the class: all rows together sum to zero.
        let places = weight.par_chunks_exact_mut(width).enumerate();
        places.for_each(|(class, to)| {
            let of_class = rows.chunks_exact(width).zip(labels);
            let of_class = of_class.filter(|(_, label)| **label as usize == class);
            double::add_rows(of_class.map(|(row, _)| (2.0, row)), to);
        });
    }
    add_to_diagonal(&mut gram, width, alpha);
    Cholesky::of(gram, width)?.solve(&mut weight);
    Some(weight)
}

/// W [classes, width] by a system of as many unknowns as images; `means` are those of the targets.
fn by_images(
    train: &LabelledFeatures,
    centred: &mut Centred<'_>,
    means: &[f64],
    alpha: f64,
) -> Option<Vec<f64>> {
    let (images, width) = (train.labels.len(), train.features.width());
    let rows = centred.rows(0..images);
    let mut gram = vec![0.0; images * images];
    let places = gram.par_chunks_exact_mut(images).enumerate();
    places.for_each(|(i, to)| {
        let row = &rows[i * width..(i + 1) * width];
        double::dots(row, rows, &mut to[..=i]);
    });
    add_to_diagonal(&mut gram, images, alpha);
    let target = |class: usize, label: &u32| if *label as usize == class { 1.0 } else { -1.0 };
    let targets = means.iter().enumerate().flat_map(|(class, mean)| {
        let labels = train.labels.iter();
        labels.map(move |label| target(class, label) - mean)
    });
    let mut factors: Vec<f64> = targets.collect();
    Cholesky::of(gram, images)?.solve(&mut factors);
    let mut weight = vec![0.0; means.len() * width];
    let places = weight.par_chunks_exact_mut(width);
    places
        .zip(factors.par_chunks_exact(images))
        .for_each(|(to, factors)| {
            double::add_rows(factors.iter().copied().zip(rows.chunks_exact(width)), to);
        });
    Some(weight)
}

fn add_to_diagonal(matrix: &mut [f64], side: usize, value: f64) {
    matrix
        .iter_mut()
        .step_by(side + 1)
        .for_each(|entry| *entry += value);
}
