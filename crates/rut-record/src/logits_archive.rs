//! Per-image logits and labels as files: what a run keeps, and what other programs hand over. For
//! scoring, see `score`.

mod entry;

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rut_formats::npz::Npz;
use rut_formats::{check_header, escape, list, regular};
use rut_metrics::{Logits, Probs};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result, file};
use crate::run_dir::write_whole;
use crate::split_logits::SplitLogits;
use entry::{Entry, Numbers};

/// Logits (n × classes) and labels (n) by split, as `logits.safetensors` with `test.logits`, `test.labels` and so on. Labels are
/// 64-bit integers, as other programs take them.
///
/// # Errors
/// If the file cannot be written.
pub fn write_splits(path: &Path, splits: &[(&str, &SplitLogits)]) -> Result<()> {
    let mut arrays = Vec::new();
    for (name, split) in splits {
        let n = split.labels.len();
        let logits = split.values.iter().flat_map(|value| value.to_le_bytes());
        let labels = split.labels.iter();
        let labels = labels.flat_map(|&label| i64::from(label).to_le_bytes());
        let (logits, labels): (Vec<u8>, Vec<u8>) = (logits.collect(), labels.collect());
        arrays.push((
            format!("{name}.logits"),
            Dtype::F32,
            vec![n, split.classes],
            logits,
        ));
        arrays.push((format!("{name}.labels"), Dtype::I64, vec![n], labels));
    }
    // Entries by name; the order of several in the metadata's hash map would change from run to run: there is one.
    arrays.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let views = arrays.iter().map(|(name, dtype, shape, bytes)| {
        Ok((
            name.as_str(),
            TensorView::new(*dtype, shape.clone(), bytes)?,
        ))
    });
    let metadata = HashMap::from([("rut.logits".to_owned(), "version 1".to_owned())]);
    let bytes = views
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .and_then(|views| safetensors::serialize(views, Some(metadata)))
        .map_err(|e| {
            Error::broken(
                path,
                format!("expected logits that can be written, found {e}"),
            )
        })?;
    write_whole(path, &bytes)
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
    pub fn into_split(self) -> Option<SplitLogits> {
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
    let broken = |problem: String| Error::broken(path, problem);
    let full = |name: &str| part.map_or_else(|| name.to_owned(), |part| format!("{part}.{name}"));
    let choices: Vec<String> = meaning.entries().iter().map(|name| full(name)).collect();
    let mut archive = Archive::open(path)?;
    let values = archive.first_of(&choices).map_err(broken)?;
    let labels = archive.first_of(&[full("labels")]).map_err(broken)?;
    of_entries(values, labels).map_err(broken)
}

fn of_entries(values: Entry, labels: Entry) -> Result<ArchivedLogits, String> {
    let (&[n, classes], &[m]) = (values.shape.as_slice(), labels.shape.as_slice()) else {
        let (values, labels) = (values.shape, labels.shape);
        return Err(format!(
            "expected logits [n, classes] and labels [n], found {values:?} and {labels:?}"
        ));
    };
    if n != m {
        return Err(format!(
            "expected as many labels as rows of logits, found {m} and {n}"
        ));
    }
    let values = match values.numbers {
        Numbers::F32(values) => Values::F32(values),
        Numbers::F64(values) => Values::F64(values),
        Numbers::Integers(_) | Numbers::Others => {
            return Err(format!(
                "expected floating-point logits, found {}; save logits.astype(\"float32\")",
                values.kind
            ));
        }
    };
    let label = |wide: Option<i64>| {
        let found = || wide.map_or_else(|| "a larger one".to_owned(), |wide| wide.to_string());
        wide.and_then(|wide| u32::try_from(wide).ok())
            .ok_or_else(found)
    };
    let labels = match labels.numbers {
        Numbers::Integers(labels) => labels.into_iter().map(label).collect(),
        _ => Err(format!("{}; save labels.astype(\"int64\")", labels.kind)),
    };
    let labels =
        labels.map_err(|found| format!("expected labels from 0 up, as integers, found {found}"))?;
    Ok(ArchivedLogits {
        values,
        labels,
        classes,
    })
}

/// The entries of a file, read one by one: what else it holds need not be readable.
enum Archive {
    Npz(Npz<BufReader<File>>),
    Safetensors(Vec<u8>),
}

impl Archive {
    fn open(path: &Path) -> Result<Self> {
        let opened = regular::open(path, regular::WEIGHTS).map_err(file("read", path))?;
        let broken = |problem: String| Error::broken(path, problem);
        match path.extension().and_then(|e| e.to_str()) {
            Some("npz") => {
                let npz = Npz::new(BufReader::new(opened));
                npz.map(Self::Npz).map_err(|fault| broken(fault.to_string()))
            }
            Some("safetensors") => {
                let bytes = regular::read(path, regular::WEIGHTS).map_err(file("read", path))?;
                check_header(&bytes).map_err(|length| {
                    broken(format!(
                        "expected a few tensors, found a header of {length} bytes; save logits and labels alone"
                    ))
                })?;
                SafeTensors::deserialize(&bytes)
                    .map_err(|e| broken(escape(&e.to_string()).to_string()))?;
                Ok(Self::Safetensors(bytes))
            }
            _ => Err(broken(
                "expected a file that ends in .safetensors or .npz, with `logits` and `labels`; from NumPy, \
                 np.savez(\"FILE.npz\", logits=logits, labels=labels) makes one"
                    .into(),
            )),
        }
    }

    /// Names of all entries, sorted.
    fn names(&self) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = match self {
            Self::Npz(npz) => npz.names(),
            Self::Safetensors(bytes) => {
                let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
                file.names().into_iter().map(str::to_owned).collect()
            }
        };
        names.sort_unstable();
        Ok(names)
    }

    /// The first of the entries `choices` that is there, or why there is none.
    fn first_of(&mut self, choices: &[String]) -> Result<Entry, String> {
        let names = self.names()?;
        let Some(name) = choices.iter().find(|name| names.contains(name)) else {
            return Err(absent(&choices.join("` or `"), &names));
        };
        match self {
            Self::Npz(npz) => {
                npz.check(name).map_err(|fault| fault.to_string())?;
                let bytes = npz.array(name).map_err(|fault| fault.to_string())?;
                let place = format!("{name}.npy");
                Entry::of_npy(&bytes).map_err(|fault| fault.within(&place).to_string())
            }
            Self::Safetensors(bytes) => {
                let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
                let view = file.tensor(name).map_err(|e| e.to_string())?;
                Ok(Entry::of_safetensors(&view))
            }
        }
    }
}

/// That there is no entry `wanted` among `names`, and what would take those that are there.
fn absent(wanted: &str, names: &[String]) -> String {
    let parts: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".logits"))
        .collect();
    let probabilities =
        |name: &String| Meaning::Probabilities.entries()[..2].contains(&name.as_str());
    let remedy = match parts.first() {
        Some(part) => format!("; its parts are {}: `part = {part}`", list(&parts)),
        None if names.iter().any(probabilities) => {
            "; the option `probabilities` takes those".to_owned()
        }
        None => "; save the arrays under these names".to_owned(),
    };
    format!(
        "expected an entry `{wanted}`, found {}{remedy}",
        list(names)
    )
}

#[cfg(test)]
mod tests;
