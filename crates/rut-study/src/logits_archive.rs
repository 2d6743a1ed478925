//! Per-image logits and labels as files: what a run keeps, and what other programs hand over. Scoring is `score`'s.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::npy::NpzTensors;
use candle_core::{DType, Device, Tensor};
use rut_adapt::evaluate::SplitLogits;
use rut_adapt::state::{check_header, serialize};
use rut_formats::{escape, list, regular};
use rut_metrics::{Logits, Probs};

use crate::error::{Error, Result, file};
use crate::run_dir::write_whole;

/// Logits (n × classes) and labels (n) by split, as `logits.safetensors` with `test.logits`, `test.labels` and so on.
///
/// # Errors
/// If the file cannot be written.
pub fn write_splits(path: &Path, splits: &[(&str, &SplitLogits)]) -> Result<()> {
    let mut tensors = BTreeMap::new();
    for (name, split) in splits {
        let shape = (split.labels.len(), split.classes);
        let logits = Tensor::from_slice(&split.values, shape, &Device::Cpu)
            .map_err(rut_adapt::Error::from)?;
        let labels = label_tensor(&split.labels)?;
        tensors.insert(format!("{name}.logits"), logits);
        tensors.insert(format!("{name}.labels"), labels);
    }
    write_whole(path, &serialize(&tensors, "rut.logits", "version 1")?)
}

/// Labels as other programs take them: 64-bit integers.
pub(crate) fn label_tensor(labels: &[u32]) -> Result<Tensor> {
    let wide: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
    Ok(Tensor::new(wide, &Device::Cpu).map_err(rut_adapt::Error::from)?)
}

/// What the values of a file are. Nothing guesses it: who names the file says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// Unnormalised log-probabilities, in the entry `logits`.
    #[default]
    Logits,
    /// Probabilities, in the entry `probabilities`, else `probs`, else `logits`.
    Probabilities,
}

impl Meaning {
    /// What the values' entry may be called, the first choice first.
    fn entries(self) -> &'static [&'static str] {
        match self {
            Self::Logits => &["logits"],
            Self::Probabilities => &["probabilities", "probs", "logits"],
        }
    }
}

/// Logits or probabilities and the labels of a file, at the file's own precision.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedLogits {
    values: Values,
    /// One per row of logits.
    pub labels: Vec<u32>,
    /// Number of classes.
    pub classes: usize,
}

/// Row-major logits.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl ArchivedLogits {
    /// The logits as metrics take them.
    ///
    /// # Errors
    /// If one is not finite.
    pub fn logits(&self) -> rut_metrics::Result<Logits<'_>> {
        match &self.values {
            Values::F32(values) => Logits::new(values, self.classes),
            Values::F64(values) => Logits::new(values, self.classes),
        }
    }

    /// The values as probabilities.
    ///
    /// # Errors
    /// If one lies outside [0, 1], or a row does not sum to 1.
    pub fn probabilities(&self) -> rut_metrics::Result<Probs<'_>> {
        match &self.values {
            Values::F32(values) => Probs::new(values, self.classes),
            Values::F64(values) => Probs::new(values, self.classes),
        }
    }

    /// The logits as a run has them, if they are of its precision.
    pub(crate) fn into_split(self) -> Option<SplitLogits> {
        let Self {
            values: Values::F32(values),
            labels,
            classes,
        } = self
        else {
            return None;
        };
        Some(SplitLogits {
            values,
            labels,
            classes,
        })
    }
}

/// Logits and labels of a `.safetensors` or `.npz` file with the entries `logits` (n × classes; f16, bf16, f32 or f64) and
/// `labels` (n; integers). With `part`, the entries are `PART.logits` and `PART.labels`, as a run's folder has them.
///
/// # Errors
/// If the file cannot be read, or an entry is missing, of another shape or type, or a label is negative.
pub fn read(path: &Path, part: Option<&str>) -> Result<ArchivedLogits> {
    read_as(Meaning::Logits, path, part)
}

/// The same of values that mean `meaning`.
///
/// # Errors
/// As [`read`].
pub fn read_as(meaning: Meaning, path: &Path, part: Option<&str>) -> Result<ArchivedLogits> {
    let archive = Archive::open(path)?;
    let broken = |problem: String| Error::Broken {
        path: path.into(),
        problem,
    };
    let full = |name: &str| part.map_or_else(|| name.to_owned(), |part| format!("{part}.{name}"));
    let choices: Vec<String> = meaning.entries().iter().map(|name| full(name)).collect();
    if let Archive::Npz(_) = archive {
        rut_data::check_npz(path, &[choices.as_slice(), &[full("labels")]].concat())?;
    }
    let values = archive.first_of(&choices).map_err(broken)?;
    let labels = archive.first_of(&[full("labels")]).map_err(broken)?;
    of_tensors(&values, &labels).map_err(broken)
}

fn of_tensors(values: &Tensor, labels: &Tensor) -> Result<ArchivedLogits, String> {
    let (&[n, classes], &[m]) = (values.dims(), labels.dims()) else {
        let (values, labels) = (values.dims(), labels.dims());
        return Err(format!(
            "expected logits [n, classes] and labels [n], found {values:?} and {labels:?}"
        ));
    };
    if n != m {
        return Err(format!(
            "expected as many labels as rows of logits, found {m} and {n}"
        ));
    }
    let values = floats(values).map_err(|found| {
        format!("expected floating-point logits, found {found}; save logits.astype(\"float32\")")
    })?;
    let labels = integers(labels)
        .map_err(|found| format!("expected labels from 0 up, as integers, found {found}"))?;
    Ok(ArchivedLogits {
        values,
        labels,
        classes,
    })
}

fn floats(logits: &Tensor) -> Result<Values, String> {
    let flat = logits.flatten_all().map_err(|e| e.to_string())?;
    let values = match logits.dtype() {
        DType::F64 => flat.to_vec1().map(Values::F64),
        DType::F32 | DType::F16 | DType::BF16 => flat
            .to_dtype(DType::F32)
            .and_then(|flat| flat.to_vec1())
            .map(Values::F32),
        other => return Err(format!("{other:?}")),
    };
    values.map_err(|e| e.to_string())
}

fn integers(labels: &Tensor) -> Result<Vec<u32>, String> {
    if labels.dtype().is_float() {
        let found = labels.dtype();
        return Err(format!("{found:?}; save labels.astype(\"int64\")"));
    }
    let wide = labels
        .to_dtype(DType::I64)
        .and_then(|t| t.to_vec1::<i64>())
        .map_err(|e| e.to_string())?;
    wide.into_iter()
        .map(|label| u32::try_from(label).map_err(|_| label.to_string()))
        .collect()
}

/// The entries of a file, read one by one: what else it holds need not be readable.
enum Archive {
    Npz(NpzTensors),
    Safetensors(HashMap<String, Tensor>),
}

impl Archive {
    fn open(path: &Path) -> Result<Self> {
        regular::open(path, regular::WEIGHTS).map_err(file("read", path))?;
        let broken = |e: candle_core::Error| Error::Broken {
            path: path.into(),
            problem: escape(&e.to_string()).to_string(),
        };
        match path.extension().and_then(|e| e.to_str()) {
            Some("npz") => NpzTensors::new(path).map(Self::Npz).map_err(broken),
            Some("safetensors") => {
                let bytes = regular::read(path, regular::WEIGHTS).map_err(file("read", path))?;
                check_header(&bytes).map_err(|length| Error::Broken {
                    path: path.into(),
                    problem: format!(
                        "expected a few tensors, found a header of {length} bytes; save logits and labels alone"
                    ),
                })?;
                let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu);
                tensors.map(Self::Safetensors).map_err(broken)
            }
            _ => Err(Error::Broken {
                path: path.into(),
                problem: "expected a file that ends in .safetensors or .npz, with `logits` and `labels`; from NumPy, \
                          np.savez(\"FILE.npz\", logits=logits, labels=labels) makes one"
                    .into(),
            }),
        }
    }

    /// Names of all entries, sorted.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match self {
            Self::Npz(tensors) => tensors.names().into_iter().map(String::as_str).collect(),
            Self::Safetensors(tensors) => tensors.keys().map(String::as_str).collect(),
        };
        names.sort_unstable();
        names
    }

    /// The first of the entries `choices` that is there, or why there is none.
    fn first_of(&self, choices: &[String]) -> Result<Tensor, String> {
        let names = self.names();
        let Some(name) = choices.iter().find(|name| names.contains(&name.as_str())) else {
            return Err(absent(&choices.join("` or `"), &names));
        };
        let found = match self {
            Self::Npz(tensors) => tensors.get(name).map_err(|e| unreadable(name, &e))?,
            Self::Safetensors(tensors) => tensors.get(name).cloned(),
        };
        found.ok_or_else(|| absent(name, &names))
    }
}

/// That there is no entry `wanted` among `names`, and what would take those that are there.
fn absent(wanted: &str, names: &[&str]) -> String {
    let parts: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".logits"))
        .collect();
    let probabilities = |name: &&str| Meaning::Probabilities.entries()[..2].contains(name);
    let remedy = match parts.first() {
        Some(part) => format!("; its parts are {}: `--part {part}`", list(&parts)),
        None if names.iter().any(probabilities) => "; `--probabilities` takes those".to_owned(),
        None => "; save the arrays under these names".to_owned(),
    };
    format!(
        "expected an entry `{wanted}`, found {}{remedy}",
        list(names)
    )
}

/// What is wrong with an array of an `.npz` file, and how NumPy writes one that is read.
fn unreadable(name: &str, error: &candle_core::Error) -> String {
    let reason = error.to_string();
    match reason.contains("fortran order") {
        true => format!(
            "expected `{name}` row by row (C order), found it column by column (Fortran order); save \
             np.ascontiguousarray({name}) instead"
        ),
        false => {
            let numbers = if name.ends_with("labels") {
                "int64"
            } else {
                "float32"
            };
            let reason = escape(&reason).to_string();
            format!("`{name}`: {reason}; save {name}.astype(\"{numbers}\") instead")
        }
    }
}
