//! The trained values of a network as a file holds them, under the file's own keys. Which of them are a network's is not
//! known here; [`Weights::read`](crate::Weights::read) finds that out.

mod digest;
mod element;
pub(crate) mod entry;
pub(crate) mod key;
mod pytorch;
pub(crate) mod reader;
mod safetensors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::array::Array;
use crate::error::Result;
use crate::quantize::QuantizationDescription;
use entry::Entry;

/// The tensors of a file, floating-point ones as f32.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, 64 lowercase hexadecimal digits.
    pub digest: String,
    /// What was done to the file's tensors, one sentence each: counters left out, pruning folded in.
    pub notes: Vec<String>,
    tensors: BTreeMap<String, Array>,
    others: BTreeMap<String, &'static str>,
    quantization: Option<QuantizationDescription>,
    folded: usize,
}

/// A tensor as it was read, or its element type where that is no floating-point type.
enum Read {
    Floats(Array),
    Other(&'static str),
}

impl Checkpoint {
    /// Reads a `.safetensors` file or a PyTorch `.pth`, `.pt` or `.th` file, zipped or legacy; which of them is seen
    /// from the content, not from the name.
    ///
    /// The keys of dictionaries within dictionaries are joined by points. Counters are left out; f16, bf16 and f64 become
    /// f32; `weight_orig` and `weight_mask` of `torch.nn.utils.prune` become their product. Tensors of integers are
    /// remembered by name: they are an error where a network needs them.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Format`](crate::Error::Format) for a file of another kind or a damaged one;
    /// [`Error::Quantization`](crate::Error::Quantization) where its metadata describes a quantization that does not read.
    pub fn open(path: &Path) -> Result<Self> {
        let raw = reader::read(path, &|name| !key::is_counter(name), &decode)?;
        let mut notes = Vec::new();
        if raw.left_out > 0 {
            notes.push(format!("left out {} counters", raw.left_out));
        }
        let (mut tensors, mut others) = (BTreeMap::new(), BTreeMap::new());
        for (name, read) in raw.entries {
            match read {
                Read::Floats(array) => _ = tensors.insert(name, array),
                Read::Other(element) => _ = others.insert(name, element),
            }
        }
        let folded = fold_pruning(&mut tensors);
        notes.extend(
            (folded > 0).then(|| format!("multiplied {folded} pairs of `_orig` and `_mask`")),
        );
        let quantization = QuantizationDescription::read(path, &raw.metadata)?;
        Ok(Self {
            path: path.to_path_buf(),
            digest: raw.digest,
            notes,
            tensors,
            others,
            quantization,
            folded,
        })
    }

    /// The same as earlier versions read it, who did not ask what fits the network: the dictionary under `state_dict`,
    /// else under `model_state_dict`, else under `model`, else the whole file; prefixes `module.`, `model.`, `_orig_mod.`
    /// and `state_dict.` are removed from every key, however many there are.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateKey`](crate::Error::DuplicateKey) where two keys are the same without their prefixes.
    pub fn unwrapped(self) -> Result<Self> {
        let Self {
            path,
            digest,
            mut notes,
            tensors,
            others,
            quantization,
            folded,
        } = self;
        let (tensors, unwrapped) = key::unwrapped(&path, tensors)?;
        notes.extend(unwrapped);
        let (others, _) = key::unwrapped(&path, others)?;
        Ok(Self {
            path,
            digest,
            notes,
            tensors,
            others,
            quantization,
            folded,
        })
    }

    /// How it was quantized, if its metadata says so.
    pub fn quantization(&self) -> Option<&QuantizationDescription> {
        self.quantization.as_ref()
    }

    /// The floating-point arrays by key.
    pub fn tensors(&self) -> &BTreeMap<String, Array> {
        &self.tensors
    }

    /// Of how many arrays the file holds `_orig` and `_mask`, as `torch.nn.utils.prune` leaves them: then
    /// [`Mask::open`](crate::Mask::open) reads the masks from the same file.
    pub fn folded(&self) -> usize {
        self.folded
    }

    /// The keys of all other tensors, with their element types.
    pub fn others(&self) -> &BTreeMap<String, &'static str> {
        &self.others
    }
}

fn decode(entry: Entry<'_>) -> Result<Read> {
    // A mask of `torch.nn.utils.prune` may be of booleans.
    let is_mask = entry.name.ends_with("_mask") && entry.element.is_read();
    if !entry.element.is_float() && !is_mask {
        return Ok(Read::Other(entry.element.name()));
    }
    let data = entry
        .element
        .values(entry.bytes)
        .map(|value| value as f32)
        .collect();
    let shape = entry.shape.to_vec();
    Ok(Read::Floats(Array { shape, data }))
}

/// Multiplies `{name}_orig` by `{name}_mask`, as `torch.nn.utils.prune` does before every forward pass; gives how many.
fn fold_pruning(tensors: &mut BTreeMap<String, Array>) -> usize {
    let pruned: Vec<String> = tensors
        .keys()
        .filter_map(|name| name.strip_suffix("_orig"))
        .filter(|name| fits(tensors, name))
        .map(String::from)
        .collect();
    for name in &pruned {
        let original = tensors.remove(&format!("{name}_orig"));
        let mask = tensors.remove(&format!("{name}_mask"));
        if let (Some(mut array), Some(mask)) = (original, mask) {
            let places = array.data.iter_mut().zip(mask.data);
            places.for_each(|(weight, keep)| match keep {
                // Whatever stood there, even if it is no number.
                0.0 => *weight = 0.0,
                keep => *weight *= keep,
            });
            tensors.insert(name.clone(), array);
        }
    }
    pruned.len()
}

fn fits(tensors: &BTreeMap<String, Array>, name: &str) -> bool {
    let shape = |suffix| {
        tensors
            .get(&format!("{name}{suffix}"))
            .map(|array| &array.shape)
    };
    shape("_mask").is_some() && shape("_mask") == shape("_orig") && !tensors.contains_key(name)
}
