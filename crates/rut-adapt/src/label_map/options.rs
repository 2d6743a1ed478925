//! Options that several label mappings share.

use rut_record::{Field, Kind, Options, PROMPTING, Word};

use super::{EvidenceFrom, Refresh};
use crate::error::{Error, Result};

/// Epochs between two makings of a map.
pub const INTERVAL: Field = Field {
    default: Some("1"),
    ..Field::new(
        "mapping_interval",
        "N",
        Kind::Count,
        PROMPTING,
        "Make the label map again every so many epochs",
    )
};

/// What decides between equal counts.
pub const TIES: Field = Field {
    default: Some("mass"),
    ..Field::new(
        "ties",
        "RULE",
        Kind::Words(&[
            Word::new("mass", "the larger summed softmax mass"),
            Word::new("index", "the smaller index (defect D17 of the reference)"),
        ]),
        PROMPTING,
        "What decides between equal counts of a label map",
    )
};

/// Whether the map is made again after the last epoch.
pub const REMAP: Field = Field {
    default: Some("on"),
    ..Field::new(
        "remap",
        "on|off",
        Kind::Words(&[
            Word::new("on", "with the prompt that is kept"),
            Word::new(
                "off",
                "the map made before the last epoch is tested with (defect D18 of the reference)",
            ),
        ]),
        PROMPTING,
        "Make the label map again after the last epoch",
    )
};

/// Sources that a target gets.
pub const MAP_SOURCES: Field = Field {
    default: Some("1"),
    ..Field::new(
        "map_sources",
        "M",
        Kind::Count,
        PROMPTING,
        "Source classes of each target class; its logit is the mean of theirs",
    )
};

/// Which logits a map is made of again.
pub const MAP_FROM: Field = Field {
    default: Some("pass"),
    ..Field::new(
        "map_from",
        "RULE",
        Kind::Words(&[
            Word::new(
                "pass",
                "a pass over the training images at the current prompt",
            ),
            Word::new(
                "training-pass",
                "the logits that training gave since the last map, which costs no pass (the fast variant of BLM)",
            ),
        ]),
        PROMPTING,
        "Which logits the label map is made of again",
    )
};

/// How many sources each target gets.
///
/// # Errors
/// If the option is no number.
pub(super) fn sources_each(options: &Options) -> Result<usize> {
    let each = MAP_SOURCES.whole(options)?.unwrap_or(1);
    Ok(usize::try_from(each).unwrap_or(usize::MAX))
}

/// A map that is made again every so many epochs.
///
/// # Errors
/// If an option is out of range.
pub(super) fn iterative(options: &Options) -> Result<Refresh> {
    let epochs = INTERVAL.whole(options)?.unwrap_or(1);
    let out_of_range = |found: u64| Error::Option {
        field: INTERVAL.key,
        expected: "at least 1".into(),
        found: found.to_string(),
    };
    Ok(Refresh::Every {
        epochs: u32::try_from(epochs)
            .ok()
            .filter(|epochs| *epochs > 0)
            .ok_or_else(|| out_of_range(epochs))?,
        at_the_end: REMAP.word(options)?.is_none_or(|word| word == "on"),
        from: match MAP_FROM.word(options)?.as_deref() {
            Some("training-pass") => EvidenceFrom::Training,
            _ => EvidenceFrom::Pass,
        },
    })
}
