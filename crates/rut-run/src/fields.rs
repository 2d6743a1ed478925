//! The whole table of fields: those of a specification, and the options of the rows that it names. `rut-cli` makes flags of them.

use rut_adapt::{DESCENT_OPTIONS, LABEL_MAPPINGS, MappingChoice, PROMPTS};
use rut_formats::did_you_mean;
use rut_models::{DEVICES, ENGINES, PRECISIONS};
use rut_record::{
    Adaptation, FIELDS, Field, HeadKind, MappedSpec, Method, Optimizer, ProbeSpec, RunSpec, fields,
};
use serde_json::Value;

use crate::error::{Result, refused};
use crate::names::{find_mapping, find_prompt};
use crate::presets::{PRESET, PRESETS};

/// All fields, in the order of help. An option that several rows share stands once.
pub fn all_fields() -> Vec<Field> {
    let mut all = FIELDS.to_vec();
    let mut seen: Vec<&str> = Vec::new();
    for option in options() {
        if !seen.contains(&option.key) {
            seen.push(option.key);
            all.push(option);
        }
    }
    all
}

/// Whether `key` is a field of a specification.
pub fn is_field(key: &str) -> bool {
    FIELDS.iter().any(|field| field.key == key) || options().any(|option| option.key == key)
}

/// Those that runs of `method` may have a use for.
pub fn fields_of(method: Method) -> Vec<Field> {
    let usual = RunSpec::of(method);
    let heads = heads(&usual);
    let used = |field: &&Field| heads.iter().any(|spec| (field.used)(spec));
    let mut found: Vec<Field> = FIELDS.iter().filter(used).copied().collect();
    let prompts = PROMPTS.iter().filter(|_| usual.prompt().is_some());
    let mappings = LABEL_MAPPINGS.iter().filter(|_| usual.mapping().is_some());
    let descent = DESCENT_OPTIONS.iter().filter(|_| usual.prompt().is_some());
    let options = prompts.flat_map(|row| row.options);
    let options = options.chain(mappings.flat_map(|row| row.options));
    for option in options.chain(descent) {
        if !found.iter().any(|field| field.key == option.key) {
            found.push(*option);
        }
    }
    found
}

/// `spec`, and of a probe the same with every head and optimiser that changes what it has a use for.
fn heads(spec: &RunSpec) -> Vec<RunSpec> {
    let mut all = vec![spec.clone()];
    if let Adaptation::Probe(probe) = &spec.adaptation {
        let lbfgs = ProbeSpec {
            optimizer: Optimizer::Lbfgs,
            ..probe.clone()
        };
        let with = |head| ProbeSpec {
            head,
            ..probe.clone()
        };
        let others = HeadKind::ALL.map(with).into_iter().chain([lbfgs]);
        all.extend(others.map(|probe| RunSpec {
            adaptation: Adaptation::Probe(probe),
            ..spec.clone()
        }));
    }
    all
}

/// Options of all rows, with those that several share.
fn options() -> impl Iterator<Item = Field> {
    let of_prompts = PROMPTS.iter().flat_map(|row| row.options);
    let of_mappings = LABEL_MAPPINGS.iter().flat_map(|row| row.options);
    of_prompts
        .chain(of_mappings)
        .chain(DESCENT_OPTIONS)
        .copied()
}

/// The names that a field may have, with a line on each; none where they are too many for help.
pub fn known_names(key: &str) -> Vec<(&'static str, &'static str)> {
    match key {
        "engine" => ENGINES.iter().map(|row| (row.name, row.about)).collect(),
        "precision" => PRECISIONS.iter().map(|row| (row.name, row.about)).collect(),
        "device" => DEVICES.iter().map(|row| (row.name, row.about)).collect(),
        "mapping" => LABEL_MAPPINGS
            .iter()
            .map(|row| (row.name, row.title))
            .collect(),
        "prompt" => PROMPTS.iter().map(|row| (row.name, row.title)).collect(),
        PRESET => PRESETS.iter().map(|row| (row.name, row.about)).collect(),
        _ => Vec::new(),
    }
}

/// Options of the rows that `spec` names, and of its optimiser.
fn named_options(spec: &RunSpec) -> Result<Vec<Field>> {
    let Some(prompt) = spec.prompt() else {
        return Ok(Vec::new());
    };
    let mut found = find_prompt(&prompt.prompt)?.options.to_vec();
    if let Some(mapping) = spec.mapping() {
        found.extend(find_mapping(mapping)?.options);
    }
    found.extend(DESCENT_OPTIONS.iter().filter(|option| (option.used)(spec)));
    Ok(found)
}

/// The label mapping of a prompted run, with its options.
pub(crate) fn mapping_of(mapped: &MappedSpec) -> Result<MappingChoice> {
    Ok(MappingChoice {
        row: find_mapping(&mapped.mapping)?,
        options: mapped.prompt.options.clone(),
    })
}

/// The same; none of rows that no table has.
pub(crate) fn own_options(spec: &RunSpec) -> Vec<Field> {
    named_options(spec).unwrap_or_default()
}

/// Whether a run of `spec` has a use for the option `key` of a row.
pub(crate) fn has_option(spec: &RunSpec, key: &str) -> bool {
    own_options(spec).iter().any(|option| option.key == key)
}

/// Fields that a run of `spec` has no use for, whether they are set or not; none where no table has its prompt or label
/// mapping, which is said where the run is checked.
pub fn unused_fields(spec: &RunSpec) -> Vec<&'static str> {
    if named_options(spec).is_err() {
        return Vec::new();
    }
    let used = |key: &str| {
        FIELDS
            .iter()
            .any(|field| field.key == key && (field.used)(spec))
            || has_option(spec, key)
    };
    let mut unused: Vec<&str> = Vec::new();
    for field in all_fields() {
        if !used(field.key) && !unused.contains(&field.key) {
            unused.push(field.key);
        }
    }
    unused
}

/// Leaves options of rows that `spec` has no use for, or that are the defaults, to their defaults.
pub fn drop_unused_options(spec: &mut RunSpec) {
    let used = spec.clone();
    if let Some(prompt) = spec.prompt_mut() {
        prompt.options.retain(|key, _| has_option(&used, key));
    }
    canonicalize_options(spec);
}

/// Takes out options that are set to the defaults of the rows that `spec` names.
pub(crate) fn canonicalize_options(spec: &mut RunSpec) {
    let own = own_options(spec);
    if let Some(prompt) = spec.prompt_mut() {
        let is_default = |key: &str, value: &Value| {
            let option = own.iter().find(|option| option.key == key);
            option.and_then(Field::default_value).as_ref() == Some(value)
        };
        prompt.options.retain(|key, value| !is_default(key, value));
    }
}

/// Options that are unknown or would be ignored are errors (defect D15 of the reference), and so are values that an option
/// cannot have.
pub(crate) fn check_used(spec: &RunSpec) -> Result<()> {
    if let Some(prompt) = spec.prompt() {
        let named = named_options(spec)?;
        for key in prompt.options.keys() {
            let Some(option) = named.iter().find(|option| option.key == key) else {
                let found = prompt.options.get(key).cloned().unwrap_or_default();
                return if options().any(|option| option.key == key) {
                    let user = user_of_option(spec, key);
                    Err(rut_record::Error::unused(key.to_owned(), user, &found).into())
                } else {
                    Err(refused(
                        key.to_owned(),
                        format!(
                            "a field of a run{}",
                            did_you_mean(key, all_fields().iter().map(|f| f.key))
                        ),
                        "an unknown one",
                    ))
                };
            };
            option.value(&prompt.options)?;
        }
    }
    let (own, default) = (fields(spec)?, fields(&RunSpec::of(spec.method()))?);
    let set = |field: &&Field| own.get(field.key) != default.get(field.key);
    let ignored = FIELDS
        .iter()
        .filter(|field| !(field.used)(spec))
        .find(|field| set(field) && !has_option(spec, field.key));
    match ignored {
        None => Ok(()),
        Some(field) => {
            let user = match spec.probe() {
                Some(probe) if probe.head != HeadKind::Linear => probe.head.name(),
                _ if field.instead_of.contains(&"steps") => "a run by `steps`",
                Some(_) if is_of_baseline(field, spec) => "a linear head",
                Some(probe) if probe.optimizer == Optimizer::Lbfgs => "L-BFGS",
                Some(_) if field.key == "c_search" => "Adam",
                None if spec.optimizer() == Optimizer::Spsa => "SPSA",
                _ => spec.method().title(),
            };
            let found = own.get(field.key).cloned().unwrap_or_default();
            Err(rut_record::Error::unused(field.key, user, &found).into())
        }
    }
}

/// Whether heads that are computed have a use for a field of a probe.
fn is_of_baseline(field: &Field, spec: &RunSpec) -> bool {
    let computed = |spec: &&RunSpec| {
        spec.probe()
            .is_some_and(|probe| probe.head != HeadKind::Linear)
    };
    heads(spec)
        .iter()
        .filter(computed)
        .any(|spec| (field.used)(spec))
}

/// What makes no use of an option of others: the prompt, where it is one of prompts; else the optimiser or the mapping.
fn user_of_option<'a>(spec: &'a RunSpec, key: &str) -> &'a str {
    let has = |options: &[Field]| options.iter().any(|option| option.key == key);
    let prompt = spec.prompt().map(|prompt| prompt.prompt.as_str());
    match prompt {
        Some(prompt) if PROMPTS.iter().any(|row| has(row.options)) => prompt,
        Some(_) if has(DESCENT_OPTIONS) => "the optimiser",
        _ => spec.mapping().unwrap_or(spec.method().title()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unused(toml: &str) -> Vec<&'static str> {
        unused_fields(&RunSpec::from_toml(toml).unwrap())
    }

    #[test]
    fn what_is_unused_depends_on_method_optimiser_and_mapping() {
        let (lp, lbfgs) = (
            unused("method = 'lp'"),
            unused("method = 'lp'\noptimizer = 'lbfgs'"),
        );
        assert!(lp.contains(&"mapping") && !lp.contains(&"lr") && !lp.contains(&"image_size"));
        assert!(lbfgs.contains(&"mapping") && lbfgs.contains(&"lr"));
        assert!(!unused("mapping = 'ilm'").contains(&"remap"));
        assert!(unused("mapping = 'flm'").contains(&"remap"));
        assert!(unused("mapping = 'rlm'").contains(&"ties"));
        assert!(unused("mapping = 'rlm'").contains(&"resize"));
        assert!(!unused("mapping = 'rlm'").contains(&"image_size"));
        assert!(unused("steps = 100").contains(&"epochs") && !unused("").contains(&"epochs"));
    }

    #[test]
    fn options_that_would_be_ignored_or_are_unknown_are_refused() {
        let problem = |toml: &str| {
            let error = check_used(&RunSpec::from_toml(toml).unwrap()).unwrap_err();
            error.to_string()
        };
        for (toml, texts) in [
            (
                "mapping = 'rlm'\nties = 'index'",
                ["ties = index", "rlm makes no use of it"],
            ),
            (
                "mapping = 'flm'\nremap = 'off'",
                ["remap = off", "flm makes no use of it"],
            ),
            (
                "method = 'lp'\noptimizer = 'lbfgs'\nlr = 1",
                ["lr = 1.0", "L-BFGS makes no use of it"],
            ),
            (
                "method = 'lp'\nc_search = 'coop'",
                ["c_search = coop", "Adam makes no use of it"],
            ),
            (
                "method = 'lp'\nhead = 'knn'\nepochs = 3",
                ["epochs = 3", "knn makes no use of it"],
            ),
            (
                "method = 'lp'\nneighbours = 3",
                ["neighbours = 3", "a linear head makes no use of it"],
            ),
            (
                "steps = 10\nepochs = 3",
                ["epochs = 3", "a run by `steps` makes no use"],
            ),
            (
                "tie = 'index'",
                ["tie = an unknown one", "did you mean 'ties'"],
            ),
            (
                "ties = 'indes'",
                ["ties = \"indes\"", "did you mean 'index'"],
            ),
            (
                "mapping_interval = 0.5",
                ["mapping_interval = 0.5", "a whole number"],
            ),
        ] {
            let found = problem(toml);
            assert!(
                texts.iter().all(|text| found.contains(text)),
                "{toml}: {found}"
            );
        }
        assert!(check_used(&RunSpec::from_toml("ties = 'index'\nimage_size = 3").unwrap()).is_ok());
    }

    #[test]
    fn options_at_their_defaults_and_of_no_use_are_dropped() {
        let mut spec =
            RunSpec::from_toml("mapping = 'rlm'\nties = 'index'\nimage_size = 9").unwrap();
        drop_unused_options(&mut spec);
        let options = &spec.prompt().unwrap().options;
        assert_eq!(options.keys().collect::<Vec<_>>(), ["image_size"]);
    }

    /// Files hold some options whether they are set or not: their defaults there are the rows'.
    #[test]
    fn options_that_files_always_hold_have_their_rows_defaults() {
        let written = fields(&RunSpec::default()).unwrap();
        let held = options().filter(|option| written.contains_key(option.key));
        let held: Vec<Field> = held.collect();
        assert!(held.len() >= 3);
        for option in held {
            assert_eq!(
                written.get(option.key),
                option.default_value().as_ref(),
                "{}",
                option.key
            );
        }
    }

    #[test]
    fn help_lists_what_a_method_has_a_use_for() {
        let keys = |method| {
            fields_of(method)
                .iter()
                .map(|field| field.key)
                .collect::<Vec<_>>()
        };
        let (lp, vp) = (keys(Method::Lp), keys(Method::Vp));
        for (key, of_lp, of_vp) in [
            ("lr_grid", true, false),
            ("resize", true, false),
            ("neighbours", true, false),
            ("ridge_alpha", true, false),
            ("c_search", true, false),
            ("mapping", false, true),
            ("ties", false, true),
            ("image_size", true, true),
            ("epochs", true, true),
            ("steps", true, true),
        ] {
            assert_eq!(
                (lp.contains(&key), vp.contains(&key)),
                (of_lp, of_vp),
                "{key}"
            );
            let times = lp.iter().filter(|found| **found == key).count();
            assert!(times < 2, "{key}");
        }
    }
}
