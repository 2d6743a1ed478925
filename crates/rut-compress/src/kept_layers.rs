//! The layers that pruning or rounding leaves as they are.

use rut_models::LayerRole;

use crate::error::{Error, Result};

/// Layers by where they stand in their network; a recipe usually leaves stem and classifier.
///
/// ```
/// use rut_compress::KeptLayers;
/// use rut_models::LayerRole;
/// let dense = KeptLayers::parse(["stem"])?;
/// assert!(dense.contains(LayerRole::Stem) && !dense.contains(LayerRole::Classifier));
/// assert_eq!(KeptLayers::parse(["none"])?.names(), [""; 0]);
/// # Ok::<(), rut_compress::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLayers(Vec<LayerRole>);

const WORDS: &[(&str, LayerRole)] = &[
    ("stem", LayerRole::Stem),
    ("classifier", LayerRole::Classifier),
];

impl KeptLayers {
    /// From `stem`, `classifier`, or `none` alone.
    ///
    /// # Errors
    ///
    /// [`Error::KeptLayers`] for another word, or `none` beside others.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let words: Vec<&str> = words.into_iter().collect();
        if words == ["none"] {
            return Ok(Self(Vec::new()));
        }
        let mut roles = Vec::new();
        for word in &words {
            let known = WORDS.iter().find(|(name, _)| name == word);
            let (_, role) = known.ok_or_else(|| Error::KeptLayers {
                found: words.join(","),
            })?;
            roles.push(*role);
        }
        Ok(Self(roles))
    }

    /// Whether a layer at this place is left as it is.
    pub fn contains(&self, role: LayerRole) -> bool {
        self.0.contains(&role)
    }

    /// The words for them, in a fixed order.
    pub fn names(&self) -> Vec<&'static str> {
        let named = WORDS.iter().filter(|(_, role)| self.contains(*role));
        named.map(|(name, _)| *name).collect()
    }
}
