//! A label map: how it is applied, and how it is kept.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_data::Digest;
use rut_record::{MapWeights, SplitLogits};

use crate::error::{Error, Result};
use crate::state::{TrainingState, unfit};

/// The number of largest sources per target that is reported of a weighted map.
const REPORTED: usize = 5;

/// A map of source logits f [n, S] to target logits z [n, T].
///
/// A one-to-one map π is z_j = f_π(j); targets may share a source where a mapping says so. A weighted map is z = f · W + b, with W [S, T] and b `[T]`; where it is trained, both
/// are parameters beside the prompt's.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use rut_adapt::LabelMap;
/// let source = Tensor::new(&[[0.1f32, 0.2, 0.7]], &Device::Cpu)?;
/// let map = LabelMap::one_to_one(vec![2, 0], 3)?;
/// assert_eq!(map.apply(&source)?.to_vec2::<f32>()?, [[0.7, 0.1]]);
/// let mean_of_two = Tensor::new(&[[0.5f32], [0.0], [0.5]], &Device::Cpu)?;
/// let map = LabelMap::weighted(mean_of_two, None)?;
/// assert_eq!(map.apply(&source)?.to_vec2::<f32>()?, [[0.4]]);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LabelMap(Form);

#[derive(Clone, Debug)]
enum Form {
    OneToOne(Vec<u32>),
    Weighted {
        /// W, and b if there is one.
        tensors: Vec<Tensor>,
        trained: bool,
    },
}

/// Names of a weighted map's tensors in files.
const TENSORS: [&str; 2] = ["weights", "bias"];
/// Name of a one-to-one map in files.
const SOURCES: &str = "sources";

impl PartialEq for LabelMap {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::OneToOne(a), Form::OneToOne(b)) => a == b,
            (Form::Weighted { .. }, Form::Weighted { .. }) => {
                matches!((self.digest(), other.digest()), (Ok(a), Ok(b)) if a == b)
            }
            _ => false,
        }
    }
}

impl LabelMap {
    /// The map that gives target j the source `sources[j]`, all different and below `source_classes`.
    ///
    /// # Errors
    /// If a source is used twice or does not exist.
    pub fn one_to_one(sources: Vec<u32>, source_classes: usize) -> Result<Self> {
        let mut seen = vec![false; source_classes];
        for &source in &sources {
            match seen.get_mut(source as usize) {
                Some(used) if !*used => *used = true,
                _ => {
                    return Err(Error::Option {
                        field: "sources",
                        expected: format!("different source classes below {source_classes}"),
                        found: format!("{source} twice or out of range"),
                    });
                }
            }
        }
        Ok(Self(Form::OneToOne(sources)))
    }

    /// The map that gives target j the source `sources[j]`, which several may share.
    ///
    /// # Errors
    /// If a source does not exist.
    pub fn select(sources: Vec<u32>, source_classes: usize) -> Result<Self> {
        match sources
            .iter()
            .find(|&&source| source as usize >= source_classes)
        {
            None => Ok(Self(Form::OneToOne(sources))),
            Some(source) => Err(Error::Option {
                field: "sources",
                expected: format!("source classes below {source_classes}"),
                found: source.to_string(),
            }),
        }
    }

    /// The map that gives target j the mean of the logits of the sources `sources[j]`; of one each, the same as
    /// [`one_to_one`](Self::one_to_one).
    ///
    /// # Errors
    /// If a source is used twice or does not exist.
    pub fn mean_of(sources: &[Vec<u32>], source_classes: usize) -> Result<Self> {
        let one_each = sources.iter().all(|own| own.len() == 1);
        let flat = Self::one_to_one(sources.concat(), source_classes)?;
        if one_each {
            return Ok(flat);
        }
        let targets = sources.len();
        let mut weights = vec![0f32; source_classes * targets];
        for (target, own) in sources.iter().enumerate() {
            for &source in own {
                weights[source as usize * targets + target] = 1.0 / own.len() as f32;
            }
        }
        let weights = Tensor::from_vec(weights, (source_classes, targets), &Device::Cpu)?;
        Self::weighted(weights, None)
    }

    /// The map of `weights` [S, T] and `bias` `[T]`, which stay as they are.
    ///
    /// # Errors
    /// If a shape is another.
    pub fn weighted(weights: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let (_, targets) = weights.dims2()?;
        if let Some(bias) = bias.as_ref().filter(|bias| bias.dims() != [targets]) {
            return Err(Error::Option {
                field: "bias",
                expected: format!("shape [{targets}]"),
                found: format!("{:?}", bias.dims()),
            });
        }
        let tensors = std::iter::once(weights).chain(bias).collect();
        Ok(Self(Form::Weighted {
            tensors,
            trained: false,
        }))
    }

    /// The same with weights that are trained. A one-to-one map has none.
    #[must_use]
    pub fn trained(self) -> Self {
        Self(match self.0 {
            Form::Weighted { tensors, .. } => Form::Weighted {
                tensors,
                trained: true,
            },
            one_to_one => one_to_one,
        })
    }

    /// Source class of every target class, of a one-to-one map.
    pub fn sources(&self) -> Option<&[u32]> {
        match &self.0 {
            Form::OneToOne(sources) => Some(sources),
            Form::Weighted { .. } => None,
        }
    }

    /// Number of target classes T.
    pub fn targets(&self) -> usize {
        match &self.0 {
            Form::OneToOne(sources) => sources.len(),
            Form::Weighted { tensors, .. } => tensors[0].dims()[1],
        }
    }

    /// What is trained of it: nothing, or weights and bias.
    pub fn parameters(&self) -> &[Tensor] {
        match &self.0 {
            Form::Weighted {
                tensors,
                trained: true,
            } => tensors,
            _ => &[],
        }
    }

    /// Number of trained values.
    pub fn trained_values(&self) -> usize {
        self.parameters().iter().map(Tensor::elem_count).sum()
    }

    /// The same map with other [`parameters`](Self::parameters), of the same number and shapes.
    #[must_use]
    pub fn with_parameters(&self, parameters: Vec<Tensor>) -> Self {
        match &self.0 {
            Form::Weighted { trained: true, .. } => Self(Form::Weighted {
                tensors: parameters,
                trained: true,
            }),
            _ => self.clone(),
        }
    }

    /// Target logits [n, T] of source logits [n, S]. Differentiable, in its parameters too.
    ///
    /// # Errors
    /// If the logits have fewer columns than the map expects.
    pub fn apply(&self, source_logits: &Tensor) -> candle_core::Result<Tensor> {
        match &self.0 {
            Form::OneToOne(sources) => {
                let index = Tensor::new(sources.as_slice(), source_logits.device())?;
                source_logits.contiguous()?.index_select(&index, 1)
            }
            Form::Weighted { tensors, .. } => {
                let like = |tensor: &Tensor| tensor.to_dtype(source_logits.dtype());
                let mapped = source_logits.matmul(&like(&tensors[0])?)?;
                match tensors.get(1) {
                    Some(bias) => mapped.broadcast_add(&like(bias)?),
                    None => Ok(mapped),
                }
            }
        }
    }

    /// Target logits of the source logits of a split.
    ///
    /// # Errors
    /// If the split has another number of source classes.
    pub fn target_logits(&self, source: &SplitLogits) -> candle_core::Result<SplitLogits> {
        let values = match &self.0 {
            Form::OneToOne(sources) => {
                let rows = source.values.chunks_exact(source.classes.max(1));
                let row = |row: &[f32]| -> Option<Vec<f32>> {
                    sources
                        .iter()
                        .map(|&class| row.get(class as usize).copied())
                        .collect()
                };
                let mapped: Option<Vec<Vec<f32>>> = rows.map(row).collect();
                let Some(mapped) = mapped else {
                    candle_core::bail!("map {} source classes: the map has more", source.classes)
                };
                mapped.concat()
            }
            Form::Weighted { tensors, .. } => {
                let shape = (source.labels.len(), source.classes);
                let logits = Tensor::from_slice(&source.values, shape, tensors[0].device())?;
                self.apply(&logits)?.flatten_all()?.to_vec1()?
            }
        };
        Ok(SplitLogits {
            values,
            labels: source.labels.clone(),
            classes: self.targets(),
        })
    }

    /// Number of targets whose source differs between the two maps; of weighted maps, the source of the largest weight.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    pub fn churn(&self, other: &Self) -> Result<usize> {
        let (own, others) = (self.leading()?, other.leading()?);
        Ok(own.iter().zip(&others).filter(|(a, b)| a != b).count())
    }

    /// The source of each target, or that of its largest weight.
    fn leading(&self) -> Result<Vec<u32>> {
        match &self.0 {
            Form::OneToOne(sources) => Ok(sources.clone()),
            Form::Weighted { .. } => {
                let largest = self.largest(1)?;
                let first = |target: &Vec<(u32, f64)>| target.first().map_or(0, |first| first.0);
                Ok(largest.iter().map(first).collect())
            }
        }
    }

    /// The sources of the `most` largest weights of each target, and the weights, the largest first.
    fn largest(&self, most: usize) -> Result<Vec<Vec<(u32, f64)>>> {
        let Form::Weighted { tensors, .. } = &self.0 else {
            return Ok(Vec::new());
        };
        let columns = tensors[0].t()?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let first = |column: Vec<f64>| {
            let mut ranked: Vec<(u32, f64)> = (0..).zip(column).collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            ranked.truncate(most);
            ranked
        };
        Ok(columns.into_iter().map(first).collect())
    }

    /// The summary of a weighted map for events and records; `None` for a one-to-one map, whose sources they list.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    pub fn weights(&self) -> Result<Option<MapWeights>> {
        match &self.0 {
            Form::OneToOne(_) => Ok(None),
            Form::Weighted { .. } => Ok(Some(MapWeights {
                digest: self.digest()?,
                largest: self.largest(REPORTED)?,
            })),
        }
    }

    /// SHA-256 over the values of all tensors as little-endian f64.
    fn digest(&self) -> Result<String> {
        let Form::Weighted { tensors, .. } = &self.0 else {
            return Ok(String::new());
        };
        let mut bytes = Vec::new();
        for tensor in tensors {
            let values = tensor
                .flatten_all()?
                .to_dtype(DType::F64)?
                .to_vec1::<f64>()?;
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Ok(Digest::of_bytes(&bytes).to_string())
    }

    /// Writes it into `state` under `name`.
    pub fn save(&self, name: &str, state: &mut TrainingState) {
        match &self.0 {
            Form::OneToOne(sources) => state.put_classes(&format!("{name}.{SOURCES}"), sources),
            Form::Weighted { tensors, trained } => {
                state.put_number(&format!("{name}.trained"), u64::from(*trained));
                for (tensor, part) in tensors.iter().zip(TENSORS) {
                    state.put_tensor(&format!("{name}.{part}"), tensor);
                }
            }
        }
    }

    /// What [`save`](Self::save) wrote under `name`; `None` if it wrote nothing.
    ///
    /// # Errors
    /// If it is no map of `source_classes` classes.
    pub fn restore(
        name: &str,
        state: &TrainingState,
        source_classes: usize,
    ) -> Result<Option<Self>> {
        let of = |part: &str| format!("{name}.{part}");
        if state.has(&of(SOURCES)) {
            let sources = state.classes(&of(SOURCES))?;
            return Self::select(sources, source_classes).map(Some);
        }
        if !state.has(&of("trained")) {
            return Ok(None);
        }
        let parts = TENSORS.map(|part| state.tensor(&of(part)).cloned());
        let map = Self::of_tensors(parts, source_classes)?;
        Ok(Some(if state.number(&of("trained"))? == 1 {
            map.trained()
        } else {
            map
        }))
    }

    /// Its tensors for a file.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn to_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let named = |(name, tensor): (&str, Tensor)| (name.to_owned(), tensor);
        Ok(match &self.0 {
            Form::OneToOne(sources) => {
                let sources: Vec<i64> = sources.iter().map(|&source| source.into()).collect();
                BTreeMap::from([named((SOURCES, Tensor::new(sources, &Device::Cpu)?))])
            }
            Form::Weighted { tensors, .. } => TENSORS
                .into_iter()
                .zip(tensors.iter().cloned())
                .map(named)
                .collect(),
        })
    }

    /// The map that [`to_tensors`](Self::to_tensors) gave.
    ///
    /// # Errors
    /// If it is no map of `source_classes` classes.
    pub fn from_tensors(tensors: &BTreeMap<String, Tensor>, source_classes: usize) -> Result<Self> {
        if let Some(sources) = tensors.get(SOURCES) {
            let class = |source: i64| {
                u32::try_from(source)
                    .map_err(|_| unfit(SOURCES, "classes from 0 up", &source.to_string()))
            };
            let sources = sources.to_vec1::<i64>()?.into_iter().map(class);
            return Self::select(sources.collect::<Result<_>>()?, source_classes);
        }
        Self::of_tensors(
            TENSORS.map(|part| tensors.get(part).cloned()),
            source_classes,
        )
    }

    fn of_tensors(parts: [Option<Tensor>; 2], source_classes: usize) -> Result<Self> {
        let [Some(weights), bias] = parts else {
            return Err(unfit(SOURCES, "a label map", "none"));
        };
        match weights.dims() {
            &[sources, _] if sources == source_classes => Self::weighted(weights, bias),
            found => {
                let expected = format!("shape [{source_classes}, targets]");
                Err(unfit(TENSORS[0], &expected, &format!("{found:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(bias: Option<[f32; 2]>) -> LabelMap {
        let weights = [[0.5f32, 0.0], [0.25, 0.0], [0.25, 1.0]];
        let bias = bias.map(|bias| Tensor::new(&bias, &Device::Cpu).unwrap());
        LabelMap::weighted(Tensor::new(&weights, &Device::Cpu).unwrap(), bias).unwrap()
    }

    #[test]
    fn logits_of_a_split_are_those_of_its_tensor() {
        let source = SplitLogits {
            values: vec![1.0, 2.0, 3.0, -1.0, 0.5, 4.0],
            labels: vec![0, 1],
            classes: 3,
        };
        let tensor = Tensor::from_slice(&source.values, (2, 3), &Device::Cpu).unwrap();
        let one_to_one = LabelMap::one_to_one(vec![2, 0], 3).unwrap();
        for map in [one_to_one, mean(None), mean(Some([1.0, -1.0]))] {
            let mapped = map.target_logits(&source).unwrap();
            let want = map.apply(&tensor).unwrap().flatten_all().unwrap();
            assert_eq!(mapped.values, want.to_vec1::<f32>().unwrap());
            assert_eq!((mapped.labels, mapped.classes), (vec![0, 1], 2));
        }
        let mapped = mean(Some([1.0, -1.0])).target_logits(&source).unwrap();
        assert_eq!(mapped.values, [2.75, 2.0, 1.625, 3.0]);
    }

    #[test]
    fn a_weighted_map_is_told_by_its_largest_weights_and_comes_back() {
        let map = mean(Some([1.0, -1.0]));
        let weights = map.weights().unwrap().unwrap();
        assert_eq!(weights.largest[0], [(0, 0.5), (1, 0.25), (2, 0.25)]);
        assert_eq!(weights.largest[1][0], (2, 1.0));
        assert_ne!(
            weights.digest,
            mean(None).weights().unwrap().unwrap().digest
        );
        let other = LabelMap::one_to_one(vec![0, 1], 3).unwrap();
        assert_eq!(map.churn(&other).unwrap(), 1);
        for map in [map.clone(), map.trained(), mean(None), other] {
            let mut state = TrainingState::default();
            map.save("best", &mut state);
            let state = TrainingState::from_bytes(&state.to_bytes().unwrap()).unwrap();
            let back = LabelMap::restore("best", &state, 3).unwrap().unwrap();
            assert_eq!(back, map);
            assert_eq!(back.parameters().len(), map.parameters().len());
            assert!(LabelMap::restore("now", &state, 3).unwrap().is_none());
            assert!(LabelMap::restore("best", &state, 1).is_err());
            let tensors = map.to_tensors().unwrap();
            assert_eq!(LabelMap::from_tensors(&tensors, 3).unwrap(), map);
        }
        assert!(LabelMap::from_tensors(&BTreeMap::new(), 3).is_err());
    }

    #[test]
    fn parameters_are_those_of_trained_maps() {
        assert!(mean(None).parameters().is_empty());
        let trained = mean(None).trained();
        let twice = (trained.parameters()[0].clone() * 2.0).unwrap();
        let trained = trained.with_parameters(vec![twice]);
        assert_eq!(trained.weights().unwrap().unwrap().largest[1][0], (2, 2.0));
    }
}
