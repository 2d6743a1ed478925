//! Published defects that move a number, the reference's and others', as switches: each sets ordinary fields of a
//! specification, so that what a defect does to a figure can be measured. Nothing below this crate
//! knows of them. For what a card of them looks like, see `card`.

use rut_adapt::{REMAP, TIES};
use rut_formats::did_you_mean;
use rut_metrics::{BatchedEce, Batching, BinnedValues, Logits};
use rut_record::text_file::toml_problem;
use rut_record::{NetworkKind, PublishedEce, RunSpec, ScheduleKind, SplitLogits};
use toml::Table;

use crate::adaptation::adapter;
use crate::error::{Result, refused};
use crate::fields::has_option;

/// A published defect that can be switched on.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// What a person types.
    pub name: &'static str,
    /// Its numbers in the list of the reference's defects, or the method whose code has it.
    pub defect: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether it is one of those that are on together. The others show a part of one of these alone.
    pub together: bool,
    /// Whether it can make a difference to a run.
    pub concerns: fn(&RunSpec) -> bool,
    /// The fields that it sets, and their values.
    pub fields: &'static [(&'static str, &'static str)],
}

/// All switches.
pub const SWITCHES: &[Switch] = &[
    Switch {
        name: "ece=logits",
        defect: "D1",
        about: "ECE bins raw logits and not probabilities",
        together: true,
        concerns: |_| true,
        fields: &[("ece_values", "logits")],
    },
    Switch {
        name: "ece=batch-sum",
        defect: "D2, D3",
        about: "ECEs of batches are summed and divided by the number of images; batches differ between the methods",
        together: true,
        concerns: |_| true,
        fields: &[("ece_batches", "batch-sum")],
    },
    Switch {
        name: "ece=batch-mean",
        defect: "D4",
        about: "ECE is the mean over batches, each of which is too small for it",
        together: false,
        concerns: |_| true,
        fields: &[("ece_batches", "batch-mean")],
    },
    Switch {
        name: "eurosat=leak",
        defect: "D5, D6",
        about: "EuroSAT's test images are among its training images",
        together: true,
        concerns: |spec| spec.data.dataset == "eurosat",
        fields: &[("split", "leak")],
    },
    Switch {
        name: "select=best-test",
        defect: "D7",
        about: "the epoch is selected on the test images",
        together: true,
        concerns: |spec| {
            let probe = spec.probe();
            probe.is_none_or(|probe| probe.has_steps())
        },
        fields: &[("select", "best-test"), ("eval_every", "1")],
    },
    Switch {
        name: "mask=dropped",
        defect: "D11",
        about: "the ticket's weights are the unmasked ones (in the reference: where the mask's keys begin with `model.`)",
        together: true,
        concerns: |spec| {
            spec.network.kind == NetworkKind::Ticket
                && match &spec.network.checkpoint {
                    Some(_) => spec.network.mask.is_some(),
                    None => spec.network.state() != 0,
                }
        },
        fields: &[("masking", "dropped")],
    },
    Switch {
        name: "ties=index",
        defect: "D17",
        about: "classes without evidence are given the source classes 0, 1, 2 …",
        together: true,
        concerns: |spec| has_option(spec, TIES.key),
        fields: &[("ties", "index")],
    },
    Switch {
        name: "remap=off",
        defect: "D18",
        about: "the last epoch is tested with the label map made before it",
        together: true,
        concerns: |spec| has_option(spec, REMAP.key),
        fields: &[("remap", "off")],
    },
    Switch {
        name: "mask=batch",
        defect: "ACAVP",
        about: "ACAVP's border is where all images of a batch are black, and so depends on the batch",
        together: true,
        concerns: |spec| has_option(spec, "affine_mask"),
        fields: &[("affine_mask", "batch")],
    },
    Switch {
        name: "schedule=cycling",
        defect: "ACAVP",
        about: "the cosine schedule over epochs is stepped once for each batch, so that the learning rate rises and falls",
        together: true,
        concerns: |spec| spec.training.schedule == ScheduleKind::Cosine,
        fields: &[("schedule", "cosine-cycling")],
    },
];

/// The switch called `name`.
///
/// # Errors
/// If there is none; the message lists those that there are.
fn find(name: &str) -> Result<&'static Switch> {
    let names = || SWITCHES.iter().map(|switch| switch.name);
    let found = SWITCHES.iter().find(|switch| switch.name == name);
    found.ok_or_else(|| {
        refused(
            "as_published",
            format!(
                "one of {}{}",
                names().collect::<Vec<_>>().join(", "),
                did_you_mean(name, names())
            ),
            format!("`{name}`"),
        )
    })
}

/// The switches that `list` names, separated by commas; all that are on together, if it is `all`.
///
/// # Errors
/// If a name is unknown, or two switches set one field.
pub fn parse_switches(list: &str) -> Result<Vec<&'static Switch>> {
    if list == "all" {
        return Ok(SWITCHES.iter().filter(|switch| switch.together).collect());
    }
    let switches: Vec<_> = list
        .split(',')
        .map(str::trim)
        .map(find)
        .collect::<Result<_>>()?;
    let mut set: Vec<&str> = Vec::new();
    for switch in &switches {
        for (field, _) in switch.fields {
            if set.contains(field) {
                return Err(refused(
                    "as_published",
                    format!("one switch that sets `{field}`"),
                    format!("`{list}`"),
                ));
            }
            set.push(field);
        }
    }
    Ok(switches)
}

impl Switch {
    /// `spec` with this switch on; as it is, where the switch does not concern it.
    ///
    /// # Errors
    /// If a value of the table is none of its field.
    pub fn apply(&self, spec: &RunSpec) -> Result<RunSpec> {
        if !(self.concerns)(spec) {
            return Ok(spec.clone());
        }
        let unreadable =
            |error: String| rut_record::Error::Spec(format!("switch {}: {error}", self.name));
        let mut table = Table::try_from(spec).map_err(|e| unreadable(e.to_string()))?;
        for (field, value) in self.fields {
            let value = value
                .parse::<i64>()
                .map_or_else(|_| (*value).into(), toml::Value::from);
            table.insert((*field).into(), value);
        }
        let applied = table.try_into();
        Ok(applied.map_err(|e: toml::de::Error| unreadable(toml_problem(&e)))?)
    }
}

/// `spec` with all `switches` on that concern it.
///
/// # Errors
/// As [`Switch::apply`].
pub fn as_published(spec: &RunSpec, switches: &[&Switch]) -> Result<RunSpec> {
    switches
        .iter()
        .try_fold(spec.clone(), |spec, switch| switch.apply(&spec))
}

/// The ECE that `spec` asks for beside the metrics, of test logits; `None` where it asks for none.
///
/// # Errors
/// If a logit is not finite.
pub fn published_ece(spec: &RunSpec, test: &SplitLogits) -> Result<Option<PublishedEce>> {
    let rule = BatchedEce {
        values: spec.ece.values,
        batching: spec.ece.batches,
        batch_size: adapter(spec).published_test_batch(spec),
    };
    if (rule.values, rule.batching) == (BinnedValues::Probabilities, Batching::Whole) {
        return Ok(None);
    }
    let ece = || rule.of(Logits::new(&test.values, test.classes)?, &test.labels);
    let ece = ece().map_err(|source| rut_record::Error::Metrics {
        what: "the test logits".into(),
        source,
    })?;
    Ok(Some(PublishedEce { rule, ece }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(toml: &str) -> RunSpec {
        RunSpec::from_toml(toml).unwrap()
    }

    /// A switch sets fields of a specification to values other than their defaults, and nothing else.
    #[test]
    fn every_switch_changes_what_it_concerns() {
        let ticket =
            spec("dataset = 'eurosat'\nsparsity = 8\nprompt = 'affine'\nschedule = 'cosine'");
        for switch in SWITCHES {
            let patched = switch.apply(&ticket).unwrap();
            assert_ne!(patched, ticket, "{}", switch.name);
            let (before, after) = (
                Table::try_from(&ticket).unwrap(),
                Table::try_from(&patched).unwrap(),
            );
            let mut differing: Vec<&str> = after
                .iter()
                .filter(|(key, value)| before.get(*key) != Some(value))
                .map(|(key, _)| key.as_str())
                .collect();
            let mut set: Vec<&str> = switch.fields.iter().map(|(field, _)| *field).collect();
            differing.sort_unstable();
            set.sort_unstable();
            assert_eq!(differing, set, "{}", switch.name);
        }
    }

    #[test]
    fn a_switch_leaves_alone_what_it_does_not_concern() {
        let concerned = |toml: &str| -> Vec<&str> {
            let spec = spec(toml);
            let on = |switch: &&Switch| switch.apply(&spec).unwrap() != spec;
            SWITCHES.iter().filter(on).map(|s| s.name).collect()
        };
        let ece = ["ece=logits", "ece=batch-sum", "ece=batch-mean"];
        let with = |more: &[&'static str]| [&ece, more].concat();
        assert_eq!(
            concerned("method = 'lp'\nnetwork = 'dense'"),
            with(&["select=best-test"])
        );
        assert_eq!(
            concerned("method = 'lp'\nnetwork = 'dense'\noptimizer = 'lbfgs'"),
            ece
        );
        assert_eq!(
            concerned("mapping = 'rlm'\ncheckpoint = 'x.pth'"),
            with(&["select=best-test"])
        );
        assert_eq!(
            concerned("mapping = 'flm'\ncheckpoint = 'x.pth'\nmask = 'm.pth'"),
            with(&["select=best-test", "mask=dropped", "ties=index"])
        );
    }

    #[test]
    fn all_together_is_what_was_published() {
        let all = parse_switches("all").unwrap();
        let got = as_published(&spec("sparsity = 8"), &all).unwrap();
        let want = spec(
            "sparsity = 8\nece_values = 'logits'\nece_batches = 'batch-sum'\nselect = 'best-test'\neval_every = 1\n\
             masking = 'dropped'\nties = 'index'\nremap = 'off'",
        );
        assert_eq!(got, want);
    }

    #[test]
    fn what_cannot_be_switched_is_said() {
        let error = |list: &str| parse_switches(list).unwrap_err().to_string();
        assert!(
            error("ece=logit").contains("ece=logits"),
            "{}",
            error("ece=logit")
        );
        let both = error("ece=batch-sum,ece=batch-mean");
        assert!(both.contains("`ece_batches`"), "{both}");
        assert_eq!(parse_switches("ties=index, remap=off").unwrap().len(), 2);
    }

    /// Batches of 128 images for prompting, of 64 for two data sets; of the run's own size for probing.
    #[test]
    fn the_batches_are_the_reference_s() {
        let of = |toml: &str| {
            let spec = spec(toml);
            adapter(&spec).published_test_batch(&spec)
        };
        assert_eq!(of("batch_size = 32"), 128);
        assert_eq!(of("dataset = 'oxfordpets'"), 64);
        assert_eq!(of("method = 'lp'\nbatch_size = 32\ndataset = 'abide'"), 32);
    }
}
