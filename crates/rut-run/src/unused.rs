//! Options of which a run makes no use, by its method, its optimiser and its label mapping. To set one is an error where a
//! person describes a run (defect D15 of the reference); a study leaves it to its default.

use rut_adapt::label_map::{LabelMappingSpec, Refresh};
use rut_record::{Method, Optimizer, RunSpec, fields};

use crate::error::{Result, refused};
use crate::names::find_mapping;

/// What a label mapping is chosen by.
const MAPPING: &[&str] = &["mapping"];
/// Of use where images are counted into a label map.
const COUNTED: &[&str] = &["ties"];
/// Of use where a label map is made more than once.
const REPEATED: &[&str] = &["mapping_interval", "remap"];
/// Of use where steps are not what is given.
const EPOCHS: &[&str] = &["epochs"];
/// Of use where a head is trained by steps on batches.
const STEPS: &[&str] = &[
    "steps",
    "lr",
    "lr_grid",
    "batch_size",
    "shuffle",
    "select",
    "eval_every",
];
/// Of use where a head is trained.
const PROBING: &[&str] = &[
    "optimizer",
    "weight_decay",
    "lr_grid",
    "weight_decay_grid",
    "cache_dtype",
    "resize",
    "crop",
];

/// Fields of which a run of `spec` makes no use, whether they are set or not; none where no table has its label mapping, which is
/// said where the run is checked.
pub fn unused_fields(spec: &RunSpec) -> Vec<&'static str> {
    let mapping = find_mapping(&spec.mapping);
    mapping.map_or_else(|_| Vec::new(), |mapping| unused(spec, mapping))
}

/// Fields of which a run by `mapping` makes no use, whether they are set or not.
fn unused(spec: &RunSpec, mapping: &LabelMappingSpec) -> Vec<&'static str> {
    let groups: &[&[&'static str]] = match (spec.method, mapping.refresh) {
        (Method::Lp, _) if spec.optimizer == Optimizer::Lbfgs => {
            &[STEPS, MAPPING, COUNTED, REPEATED]
        }
        (Method::Lp, _) => &[MAPPING, COUNTED, REPEATED],
        (Method::Vp, Refresh::Never) => &[PROBING, COUNTED, REPEATED],
        (Method::Vp, Refresh::Once) => &[PROBING, REPEATED],
        (Method::Vp, Refresh::EveryEpoch) => &[PROBING],
    };
    let mut unused = groups.concat();
    if spec.steps.is_some() && !unused.contains(&"steps") {
        unused.extend(EPOCHS);
    }
    unused
}

/// Options that would be ignored are errors.
pub(crate) fn check_method(spec: &RunSpec, mapping: &LabelMappingSpec) -> Result<()> {
    let (own, default) = (fields(spec)?, fields(&RunSpec::default())?);
    let set = |field: &&&str| own.get(**field) != default.get(**field);
    let unused = unused(spec, mapping);
    match unused.iter().find(set) {
        Some(field) => Err(refused(
            field,
            format!(
                "the option to be left out, for {} makes no use of it",
                without_use(spec, field, mapping)
            ),
            "an own value",
        )),
        None if spec.mapping_interval == 0 => Err(refused("mapping_interval", "at least 1", "0")),
        None => Ok(()),
    }
}

/// What makes no use of `field`.
fn without_use(spec: &RunSpec, field: &str, mapping: &LabelMappingSpec) -> &'static str {
    match spec.method {
        _ if EPOCHS.contains(&field) => "a run of `steps` steps",
        Method::Lp if spec.optimizer == Optimizer::Lbfgs => "L-BFGS",
        Method::Lp => "linear probing",
        Method::Vp if PROBING.contains(&field) => "visual prompting",
        Method::Vp => mapping.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unused_field_is_one_of_a_specification() {
        let known = rut_record::field_names();
        for field in [MAPPING, COUNTED, REPEATED, EPOCHS, STEPS, PROBING].concat() {
            assert!(known.contains(&field), "{field}");
        }
    }

    #[test]
    fn what_is_unused_depends_on_method_optimiser_and_mapping() {
        let unused = |toml: &str| {
            let spec = RunSpec::from_toml(toml).unwrap();
            unused(&spec, find_mapping(&spec.mapping).unwrap())
        };
        let (lp, lbfgs) = (
            unused("method = 'lp'"),
            unused("method = 'lp'\noptimizer = 'lbfgs'"),
        );
        assert!(lp.contains(&"mapping") && !lp.contains(&"lr"));
        assert!(lbfgs.contains(&"mapping") && lbfgs.contains(&"lr"));
        assert!(!unused("mapping = 'ilm'").contains(&"remap"));
        assert!(unused("mapping = 'flm'").contains(&"remap"));
        assert!(unused("mapping = 'rlm'").contains(&"ties"));
        assert!(unused("steps = 100").contains(&"epochs") && !unused("").contains(&"epochs"));
    }
}
