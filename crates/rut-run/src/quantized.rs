//! Whether what is called quantized has few bits, and what is not has all.

use rut_record::{NetworkKind, QuantizationRecord, RunSpec};

use crate::error::{Error, Result};
use crate::files::WeightFiles;

/// A quantized network is one by its file, and no other network is.
pub(crate) fn check_quantized(
    spec: &RunSpec,
    files: &WeightFiles,
    found: Option<&QuantizationRecord>,
) -> Result<()> {
    let network = &spec.network;
    let wrong = |expected: &str, found: String| Error::Quantized {
        checkpoint: files.checkpoint.clone(),
        expected: expected.to_owned(),
        found,
    };
    match (network.kind, found) {
        (NetworkKind::Quantized, None) => Err(wrong(
            "the entry `rut.quantization` of its metadata, as `rut quantize` writes it, or `network = dense`",
            "none".into(),
        )),
        (NetworkKind::Dense, Some(found)) => Err(wrong(
            "`network = quantized`",
            format!(
                "`dense`, though its weights have {} bits",
                found.weight_bits
            ),
        )),
        (NetworkKind::Quantized, Some(found)) if network.bits.is_some() => {
            let named = (network.bits, network.activation_bits);
            let own = (Some(found.weight_bits), found.activation_bits);
            let words = |(weights, activations): (Option<u32>, Option<u32>)| {
                let bits =
                    |bits: Option<u32>| bits.map_or("all".to_owned(), |bits| bits.to_string());
                format!(
                    "{} bits of weights and {} of activations",
                    bits(weights),
                    bits(activations)
                )
            };
            if named == own {
                return Ok(());
            }
            Err(wrong(&words(named), words(own)))
        }
        _ => Ok(()),
    }
}
