//! Which weights a person asks for: `resnet50`, `resnet50:V2`, `all`.

use rut_formats::did_you_mean;
use rut_models::{MODELS, ModelSpec, WeightsSpec};

use crate::error::{Error, Result};

/// Weights of a model of the table.
#[derive(Debug, Clone, Copy)]
pub struct Selected {
    /// The model.
    pub model: &'static ModelSpec,
    /// Its weights.
    pub weights: &'static WeightsSpec,
}

/// The weights that `words` ask for, each once: `MODEL` for all that are known of a model, `MODEL:NAME` for those of one
/// name (`V2` stands for `IMAGENET1K_V2`), `all` for everything.
///
/// # Errors
/// [`Error::Unknown`], if there are none. The message lists what there is.
pub fn select(words: &[String]) -> Result<Vec<Selected>> {
    let mut selected: Vec<Selected> = Vec::new();
    for word in words {
        for new in of_word(word)? {
            if selected.iter().all(|old| old.weights != new.weights) {
                selected.push(new);
            }
        }
    }
    Ok(selected)
}

fn of_word(word: &str) -> Result<Vec<Selected>> {
    if word == "all" {
        return Ok(MODELS.iter().flat_map(of_model).collect());
    }
    let (name, wanted) = match word.split_once(':') {
        Some((name, wanted)) => (name, Some(wanted)),
        None => (word, None),
    };
    let model = rut_models::find(name).ok_or_else(|| {
        let known: Vec<_> = MODELS.iter().map(|model| model.name).collect();
        unknown("model", name, &known)
    })?;
    let names = |weights: &WeightsSpec| {
        wanted.is_none_or(|wanted| {
            let short = weights.name.rsplit('_').next();
            weights.name.eq_ignore_ascii_case(wanted)
                || short.is_some_and(|short| short.eq_ignore_ascii_case(wanted))
        })
    };
    let found: Vec<_> = of_model(model)
        .filter(|selected| names(selected.weights))
        .collect();
    if found.is_empty() {
        let known: Vec<_> = model.weights.iter().map(|weights| weights.name).collect();
        return Err(unknown("weights", word, &known));
    }
    Ok(found)
}

fn unknown(what: &'static str, name: &str, known: &[&str]) -> Error {
    Error::Unknown {
        what,
        name: name.to_owned(),
        known: known.join(", "),
        hint: did_you_mean(name, known.iter().copied()),
    }
}

fn of_model(model: &'static ModelSpec) -> impl Iterator<Item = Selected> {
    let selected = move |weights| Selected { model, weights };
    model.weights.iter().map(selected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        match select(&words) {
            Ok(selected) => selected
                .iter()
                .map(|one| format!("{} {}", one.model.name, one.weights.name))
                .collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn words_select_weights() {
        assert_eq!(
            names(&["resnet50", "resnet-50:v2", "resnet18:IMAGENET1K_V1"]),
            [
                "resnet50 IMAGENET1K_V1",
                "resnet50 IMAGENET1K_V2",
                "resnet18 IMAGENET1K_V1"
            ]
        );
        let all: usize = MODELS.iter().map(|model| model.weights.len()).sum();
        assert!(names(&["all"]).len() <= all);
        assert!(names(&["all"]).len() > 10);
    }

    #[test]
    fn unknown_words_are_answered_with_what_there_is() {
        let unknown = names(&["resnet51"]).remove(0);
        assert!(unknown.contains("expected one of resnet18, "), "{unknown}");
        let unknown = names(&["resnet50:V3"]).remove(0);
        assert!(
            unknown.ends_with("expected one of IMAGENET1K_V1, IMAGENET1K_V2"),
            "{unknown}"
        );
    }
}
