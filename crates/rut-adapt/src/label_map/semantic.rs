//! The semantic map of AutoVP (Tsao et al., arXiv 2310.08381): targets get the sources whose names mean the most similar.

use std::path::Path;

use candle_core::{DType, Tensor};
use rut_formats::regular;
use rut_record::{Field, Kind, Options, PROMPTING};

use super::options::{MAP_SOURCES, sources_each};
use super::{LabelMap, LabelMappingSpec, MadeMap, Making, Refresh, check_sources};
use crate::error::{Error, Result};
use crate::state::deserialize;

/// By embeddings of class names, from no image.
pub(super) const SEMANTIC: LabelMappingSpec = LabelMappingSpec {
    name: "semantic",
    title: "semantic: the sources whose names have the most similar embeddings, which a file holds",
    options: &[EMBEDDINGS, MAP_SOURCES],
    one_to_one: true,
    refresh: |options| embeddings(options).map(|_| Refresh::Never),
    make,
};

/// The file of embeddings.
const EMBEDDINGS: Field = Field {
    left_out: "an error",
    ..Field::new(
        "embeddings",
        "FILE",
        Kind::Path,
        PROMPTING,
        "Embeddings of the class names for `semantic`: a .safetensors file with `source` and `target`, and the names in its metadata",
    )
};

/// The entry of the metadata that holds the names.
const NAMES: &str = "names";

fn make(making: Making<'_>) -> Result<MadeMap> {
    let each = sources_each(making.options)?;
    check_sources(making.sources, making.targets, each)?;
    let [source, target] = read(Path::new(&embeddings(making.options)?), &making)?;
    let map = semantic_map(&source, &target, each)?;
    Ok(MadeMap::unfounded(LabelMap::mean_of(&map, making.sources)?))
}

/// The path of the file.
fn embeddings(options: &Options) -> Result<String> {
    EMBEDDINGS.word(options)?.ok_or(Error::Option {
        field: EMBEDDINGS.key,
        expected: "a file of embeddings of class names, which `semantic` needs".into(),
        found: "none".into(),
    })
}

/// For each target the `each` sources of the most similar names, in `each` rounds over the targets: each takes the source of
/// the largest cosine that is free; of equal ones, the smaller index.
///
/// `source` is [S, D], `target` [T, D]; rows need no unit length.
///
/// # Errors
/// If the shapes do not fit.
pub fn semantic_map(source: &Tensor, target: &Tensor, each: usize) -> Result<Vec<Vec<u32>>> {
    let unit = |x: &Tensor| x.broadcast_div(&x.sqr()?.sum_keepdim(1)?.sqrt()?);
    let wide = |x: &Tensor| unit(&x.to_dtype(DType::F64)?);
    let similar = wide(target)?
        .matmul(&wide(source)?.t()?)?
        .to_vec2::<f64>()?;
    let ranked = |row: &Vec<f64>| {
        let mut order: Vec<u32> = (0..row.len() as u32).collect();
        order.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]));
        order
    };
    let orders: Vec<Vec<u32>> = similar.iter().map(ranked).collect();
    let mut taken = vec![false; source.dims2()?.0];
    let mut map = vec![Vec::new(); orders.len()];
    for _ in 0..each {
        for (order, own) in orders.iter().zip(&mut map) {
            if let Some(&free) = order.iter().find(|&&source| !taken[source as usize]) {
                taken[free as usize] = true;
                own.push(free);
            }
        }
    }
    Ok(map)
}

/// The two matrices of the file, checked against the run's classes.
fn read(path: &Path, making: &Making<'_>) -> Result<[Tensor; 2]> {
    let refused = |expected: String, found: String| Error::Embeddings {
        path: path.to_path_buf(),
        expected,
        found,
    };
    let unreadable = |e: std::io::Error| refused("a file that can be read".into(), e.to_string());
    let bytes = regular::read(path, regular::WEIGHTS).map_err(unreadable)?;
    let (tensors, names) = deserialize(&bytes, NAMES).map_err(|error| match error {
        Error::TrainingState {
            field,
            expected,
            found,
        } => refused(format!("{field}: {expected}"), found),
        error => refused("a .safetensors file".into(), error.to_string()),
    })?;
    let matrix = |name: &str, classes: usize, known: &[String]| -> Result<Tensor> {
        let found = tensors.get(name).map(Tensor::dims).unwrap_or_default();
        let line = |line: &'_ str| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned());
        let written: Vec<String> = names.lines().filter_map(line).collect();
        if found.len() != 2 || found[0] != classes || found[1] == 0 {
            let expected = format!("`{name}` of shape [{classes}, width]");
            return Err(refused(expected, format!("{found:?}")));
        }
        if written.len() != classes {
            let expected = format!(
                "{classes} names of `{name}`, a line `{name}=NAME` each, in `{NAMES}` of its metadata (`embed_names.py` writes them)"
            );
            return Err(refused(expected, written.len().to_string()));
        }
        let same = |(a, b): &(&String, &String)| a != b;
        if let Some((known, written)) = known.iter().zip(&written).find(same) {
            let expected = format!("the name `{known}` in its place among those of `{name}`");
            return Err(refused(expected, format!("`{written}`")));
        }
        let rows = tensors[name].to_dtype(DType::F64)?;
        let lengths = rows.sqr()?.sum(1)?.to_vec1::<f64>()?;
        let wrong = |length: &f64| !(length.is_finite() && *length > 0.0);
        if let Some(row) = lengths.iter().position(wrong) {
            let expected = format!("finite numbers in `{name}`, not all 0 in a row");
            return Err(refused(expected, format!("others in row {row}")));
        }
        Ok(rows)
    };
    let source = matrix("source", making.sources, making.source_names)?;
    let target = matrix("target", making.targets, making.target_names)?;
    match (source.dims2()?.1, target.dims2()?.1) {
        (a, b) if a == b => Ok([source, target]),
        (a, b) => {
            let expected = "embeddings of one width".to_owned();
            Err(refused(expected, format!("{a} and {b}")))
        }
    }
}
