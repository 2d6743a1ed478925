//! What images say about source and target classes.

use candle_core::{D, DType, Tensor};

use crate::error::Result;
use crate::state::{TrainingState, unfit};

/// Counts and softmax mass of source predictions by target label.
///
/// All matrices are [sources, targets], row-major: `counts[i·T + j]` is the number of images of target j whose largest logit
/// is source i (the first of several); `mass[i·T + j]` is the sum over the images of target j of softmax(f)_i.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Number of source classes S.
    pub sources: usize,
    /// Number of target classes T.
    pub targets: usize,
    /// C [S, T].
    pub counts: Vec<u64>,
    /// Summed softmax [S, T].
    pub mass: Vec<f64>,
    /// The same of each image's largest probabilities only; empty where not asked for.
    pub largest: Vec<f64>,
    /// How many of an image's probabilities [`largest`](Self::largest) takes.
    keep: usize,
    /// How many images of each class count.
    most: usize,
    /// Images seen, by target.
    seen: Vec<usize>,
}

impl Evidence {
    /// Nothing seen yet.
    pub fn new(sources: usize, targets: usize) -> Self {
        let cells = sources * targets;
        Self {
            sources,
            targets,
            counts: vec![0; cells],
            mass: vec![0.0; cells],
            largest: Vec::new(),
            keep: 0,
            most: usize::MAX,
            seen: vec![0; targets],
        }
    }

    /// The same, with the sum of the `keep` largest probabilities of each image besides; of equal ones, those of the
    /// smaller indices.
    #[must_use]
    pub fn with_largest(self, keep: usize) -> Self {
        Self {
            largest: vec![0.0; self.sources * self.targets],
            keep,
            ..self
        }
    }

    /// The same, of the first `most` images of each class only.
    #[must_use]
    pub fn of_first(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The same, with nothing seen.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let empty = Self::new(self.sources, self.targets).of_first(self.most);
        match self.keep {
            0 => empty,
            keep => empty.with_largest(keep),
        }
    }

    /// Adds a batch: source `logits` [n, S] and target `labels` `[n]`, each below T.
    ///
    /// # Errors
    /// If the logits have another width, or a label is not below T.
    pub fn add(&mut self, logits: &Tensor, labels: &[u32]) -> candle_core::Result<()> {
        let rows = logits.to_dtype(DType::F64)?;
        let probabilities = candle_nn::ops::softmax(&rows, D::Minus1)?.to_vec2::<f64>()?;
        let predicted = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
        let targets = self.targets;
        if let Some(label) = labels.iter().find(|&&label| label as usize >= targets) {
            candle_core::bail!(
                "add a label to the evidence: expected one below {targets}, found {label}"
            );
        }
        for ((row, source), &label) in probabilities.iter().zip(predicted).zip(labels) {
            self.seen[label as usize] += 1;
            if self.seen[label as usize] > self.most {
                continue;
            }
            self.add_prediction(source, label);
            for (source, p) in row.iter().enumerate() {
                self.mass[source * self.targets + label as usize] += p;
            }
            for source in largest(row, self.keep) {
                self.largest[source * self.targets + label as usize] += row[source];
            }
        }
        Ok(())
    }

    /// Adds one image of target `label` that was predicted as `source`, without softmax mass.
    pub fn add_prediction(&mut self, source: u32, label: u32) {
        self.counts[source as usize * self.targets + label as usize] += 1;
    }

    /// The targets of which no image was seen.
    pub fn unseen(&self) -> Vec<u32> {
        let unseen = |&target: &usize| {
            let column = self.counts.iter().skip(target).step_by(self.targets);
            column.sum::<u64>() == 0
        };
        let targets = (0..self.targets).filter(unseen);
        targets.map(|target| target as u32).collect()
    }

    /// Writes what was seen into `state` under `name`.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub(crate) fn save(&self, name: &str, state: &mut TrainingState) -> Result<()> {
        let counts = self.counts.iter().map(|&count| count as f64);
        let seen = self.seen.iter().map(|&images| images as f64);
        let all = counts
            .chain(seen)
            .chain(self.mass.iter().copied())
            .chain(self.largest.iter().copied());
        let all: Vec<f64> = all.collect();
        let length = all.len();
        let values = Tensor::from_vec(all, length, &candle_core::Device::Cpu)?;
        state.put_number(&format!("{name}.keep"), self.keep as u64);
        state.put_number(&format!("{name}.most"), self.most as u64);
        state.put_tensor(name, &values);
        Ok(())
    }

    /// What [`save`](Self::save) wrote under `name`, of S and T classes; `None` if it wrote nothing.
    ///
    /// # Errors
    /// If it is of other classes.
    pub(crate) fn restore(
        name: &str,
        state: &TrainingState,
        (sources, targets): (usize, usize),
    ) -> Result<Option<Self>> {
        let Some(values) = state.tensor(name) else {
            return Ok(None);
        };
        let whole =
            |part: &str| -> Result<usize> { Ok(state.number(&format!("{name}.{part}"))? as usize) };
        let mut empty = Self::new(sources, targets).of_first(whole("most")?);
        if let keep @ 1.. = whole("keep")? {
            empty = empty.with_largest(keep);
        }
        let (cells, values) = (sources * targets, values.to_vec1::<f64>()?);
        let expected = 2 * cells + targets + empty.largest.len();
        if values.len() != expected {
            let (expected, found) = (format!("{expected} values"), values.len().to_string());
            return Err(unfit(name, &expected, &found));
        }
        let (counts, rest) = values.split_at(cells);
        let (seen, rest) = rest.split_at(targets);
        let (mass, largest) = rest.split_at(cells);
        Ok(Some(Self {
            counts: counts.iter().map(|&count| count as u64).collect(),
            seen: seen.iter().map(|&images| images as usize).collect(),
            mass: mass.to_vec(),
            largest: largest.to_vec(),
            ..empty
        }))
    }
}

/// Indices of the `keep` largest values, the smaller index first among equals.
fn largest(row: &[f64], keep: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    let before = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
    if (1..order.len()).contains(&keep) {
        order.select_nth_unstable_by(keep - 1, before);
    }
    order.truncate(keep);
    order
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_largest_probabilities_are_those_of_smaller_indices_among_equals() {
        assert_eq!(largest(&[0.1, 0.4, 0.4, 0.1], 1), [1]);
        let mut two = largest(&[0.3, 0.1, 0.3, 0.3], 2);
        two.sort_unstable();
        assert_eq!(two, [0, 2]);
        assert_eq!(largest(&[0.5, 0.5], 9).len(), 2);
        assert!(largest(&[0.5, 0.5], 0).is_empty());
    }

    #[test]
    fn only_the_first_images_of_a_class_count_and_all_of_it_comes_back() {
        let logits = [[3.0f64, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]];
        let logits = Tensor::new(&logits, &Device::Cpu).unwrap();
        let mut evidence = Evidence::new(3, 2).with_largest(1).of_first(1);
        evidence.add(&logits, &[1, 0, 1]).unwrap();
        assert_eq!(evidence.counts, [0, 1, 1, 0, 0, 0]);
        assert!(evidence.largest[1] > 0.9 && evidence.largest[0] == 0.0);
        assert_eq!(evidence.unseen(), [] as [u32; 0]);
        assert_eq!(evidence.emptied().unseen(), [0, 1]);
        let mut state = TrainingState::default();
        evidence.save("seen", &mut state).unwrap();
        let back = Evidence::restore("seen", &state, (3, 2)).unwrap();
        assert_eq!(back.as_ref(), Some(&evidence));
        assert_eq!(Evidence::restore("other", &state, (3, 2)).unwrap(), None);
        assert!(Evidence::restore("seen", &state, (3, 3)).is_err());
    }
}
