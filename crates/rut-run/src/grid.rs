//! What a probe's specification says of heads: learning rates and weight decays, one pair or a grid of them, and baselines. For
//! how they are fitted, see `rut_adapt`.

use rut_adapt::{
    Baseline, C_SEARCH_FITS, Fit, Fitted, GridMember, HeadRates, LogisticOptions, Probed,
    RELATIVE_GRADIENT, Stopping, check_grid,
};
use rut_record::{GridMemberRecord, GridRecord, HeadKind, ProbeSpec, RunSpec};

use crate::error::{Result, refused};

/// What heads are trained with: one pair, or a grid, in the order of its lists, weight decays within learning rates.
pub fn rates(spec: &RunSpec) -> Vec<HeadRates> {
    let one = std::slice::from_ref(&spec.training.lr);
    let (rates, decays) = match spec.probe() {
        Some(probe) => (probe.lr_grid.as_deref().unwrap_or(one), decays(probe)),
        None => (one, [0.0].as_slice()),
    };
    let pairs = rates.iter().flat_map(|&learning_rate| {
        decays.iter().map(move |&weight_decay| HeadRates {
            learning_rate,
            weight_decay,
        })
    });
    pairs.collect()
}

fn decays(probe: &ProbeSpec) -> &[f64] {
    let one = std::slice::from_ref(&probe.weight_decay);
    probe.weight_decay_grid.as_deref().unwrap_or(one)
}

/// Whether rates and decays are in range, and no list hides a number.
pub(crate) fn check_rates(spec: &RunSpec) -> Result<()> {
    if let Some(probe) = spec.probe() {
        let (lr_grid, decay_grid) = (probe.lr_grid.as_deref(), probe.weight_decay_grid.as_deref());
        let usual = RunSpec::default().training.lr;
        let hidden = [
            ("lr", lr_grid.is_some() && spec.training.lr != usual),
            (
                "weight_decay",
                decay_grid.is_some() && probe.weight_decay != 0.0,
            ),
        ];
        if let Some((field, _)) = hidden.iter().find(|(_, hidden)| *hidden) {
            return Err(refused(*field, format!("it or `{field}_grid`"), "both"));
        }
        if probe.c_search.is_some() && (decay_grid.is_some() || probe.weight_decay != 0.0) {
            let expected = "it or weight decays (`weight_decay`, `weight_decay_grid`)";
            return Err(refused("c_search", expected, "both"));
        }
        if let Some(baseline) = baseline(probe) {
            baseline.check()?;
        }
        check_list("lr_grid", lr_grid, |rate| rate > 0.0)?;
        check_list("weight_decay_grid", decay_grid, |decay| decay >= 0.0)?;
    }
    Ok(check_grid(&rates(spec))?)
}

/// The head that a probe computes without training, if it does.
pub(crate) fn baseline(probe: &ProbeSpec) -> Option<Baseline> {
    match probe.head {
        HeadKind::Linear => None,
        HeadKind::Knn => Some(Baseline::Knn {
            neighbours: probe.neighbours as usize,
            temperature: probe.knn_temperature,
        }),
        HeadKind::Prototype => Some(Baseline::Prototype),
        HeadKind::Ridge => Some(Baseline::Ridge {
            alpha: probe.ridge_alpha,
        }),
    }
}

/// Heads that a run trains, by what its specification says of rates and decays; 0 of a head that is computed.
pub(crate) fn members(spec: &RunSpec) -> usize {
    match spec.probe() {
        Some(probe) if baseline(probe).is_some() => 0,
        Some(probe) if probe.c_search.is_some() => C_SEARCH_FITS,
        _ => rates(spec).len(),
    }
}

/// A choice is made on validation images.
pub(crate) fn check_chosen_on(spec: &RunSpec, validation_images: usize) -> Result<()> {
    if members(spec) < 2 || validation_images > 0 {
        return Ok(());
    }
    let field = match spec.probe() {
        Some(probe) if probe.c_search.is_some() => "c_search",
        Some(probe) if probe.lr_grid.is_some() => "lr_grid",
        _ => "weight_decay_grid",
    };
    Err(refused(
        field,
        "validation images to choose on (`val_fraction`, `val_shots`)",
        "none",
    ))
}

/// What a record says of a grid; nothing where there was none.
pub(crate) fn grid_record(probe: &ProbeSpec, probed: &Probed) -> Option<GridRecord> {
    if probe.lr_grid.is_none() && probe.weight_decay_grid.is_none() {
        return None;
    }
    let record = |member: &GridMember| GridMemberRecord {
        lr: Some(member.rates.learning_rate),
        weight_decay: member.rates.weight_decay,
        kept_epoch: member.epoch,
        final_loss: member.final_loss,
        validation_accuracy: member.validation.map(|scores| scores.accuracy),
        validation_nll: member.validation.map(|scores| scores.nll),
    };
    Some(GridRecord {
        chosen: probed.chosen,
        members: probed.members.iter().map(record).collect(),
    })
}

/// What a record says of the fits of several weight decays; nothing where there was no list and no search.
pub(crate) fn fits_record(probe: &ProbeSpec, fitted: &Fitted) -> Option<GridRecord> {
    if probe.weight_decay_grid.is_none() && probe.c_search.is_none() {
        return None;
    }
    let record = |fit: &Fit| GridMemberRecord {
        lr: None,
        weight_decay: fit.weight_decay,
        kept_epoch: fit.solved.iterations.saturating_sub(1),
        final_loss: fit.loss,
        validation_accuracy: fit.validation.map(|scores| scores.accuracy),
        validation_nll: fit.validation.map(|scores| scores.nll),
    };
    Some(GridRecord {
        chosen: fitted.chosen,
        members: fitted.fits.iter().map(record).collect(),
    })
}

/// What L-BFGS is asked for.
pub(crate) fn logistic_options(
    spec: &RunSpec,
    probe: &ProbeSpec,
    classes: usize,
) -> LogisticOptions {
    LogisticOptions {
        classes,
        weight_decays: decays(probe).to_vec(),
        stopping: Stopping {
            relative_gradient: RELATIVE_GRADIENT,
            iterations: spec.training.epochs,
        },
    }
}

fn check_list(
    field: &'static str,
    list: Option<&[f64]>,
    in_range: impl Fn(f64) -> bool,
) -> Result<()> {
    let Some(list) = list else { return Ok(()) };
    if list.is_empty() {
        return Err(refused(field, "at least one number", "an empty list"));
    }
    for (index, &value) in list.iter().enumerate() {
        if !(value.is_finite() && in_range(value)) {
            let expected = match field {
                "lr_grid" => "positive numbers",
                _ => "numbers, 0 or more",
            };
            return Err(refused(field, expected, value.to_string()));
        }
        if list[..index].contains(&value) {
            let found = format!("{value} twice");
            return Err(refused(field, "each number once", &found));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(toml: &str) -> RunSpec {
        RunSpec::from_toml(&format!("method = 'lp'\n{toml}")).unwrap()
    }

    #[test]
    fn a_grid_is_every_pair_in_order() {
        let pairs = |toml: &str| -> Vec<(f64, f64)> {
            let grid = rates(&spec(toml));
            grid.iter()
                .map(|rates| (rates.learning_rate, rates.weight_decay))
                .collect()
        };
        assert_eq!(pairs(""), [(0.01, 0.0)]);
        assert_eq!(pairs("weight_decay = 0.1"), [(0.01, 0.1)]);
        assert_eq!(
            pairs("lr_grid = [1, 0.1]\nweight_decay_grid = [0, 0.5]"),
            [(1.0, 0.0), (1.0, 0.5), (0.1, 0.0), (0.1, 0.5)]
        );
    }

    #[test]
    fn what_is_wrong_with_a_list_is_said() {
        for (toml, texts) in [
            ("lr_grid = []", ["lr_grid", "an empty list"]),
            (
                "weight_decay_grid = []",
                ["weight_decay_grid", "an empty list"],
            ),
            ("lr_grid = [0.1, 0.1]", ["lr_grid", "0.1 twice"]),
            ("lr_grid = [0.1, -1]", ["positive numbers", "-1"]),
            ("lr_grid = [0.0]", ["positive numbers", "0"]),
            ("weight_decay_grid = [0.1, -1]", ["0 or more", "-1"]),
            ("weight_decay_grid = [nan]", ["0 or more", "NaN"]),
            ("weight_decay = -1", ["weight_decay", "-1"]),
            ("lr = 0.1\nlr_grid = [1]", ["`lr_grid`", "both"]),
            (
                "c_search = 'coop'\nweight_decay = 1",
                ["c_search = both", "`weight_decay_grid`"],
            ),
            (
                "head = 'knn'\nneighbours = 0",
                ["neighbours = 0", "at least 1"],
            ),
            (
                "head = 'knn'\nknn_temperature = 0",
                ["knn_temperature = 0", "0.0001 or more"],
            ),
            (
                "head = 'ridge'\nridge_alpha = -1",
                ["ridge_alpha = -1", "positive"],
            ),
        ] {
            let error = check_rates(&spec(toml)).unwrap_err().to_string();
            assert!(
                texts.iter().all(|text| error.contains(text)),
                "{toml}: {error}"
            );
        }
        assert!(check_rates(&spec("lr_grid = [0.1, 1]")).is_ok());
    }

    #[test]
    fn a_choice_needs_validation_images() {
        let error = check_chosen_on(&spec("weight_decay_grid = [0, 1]"), 0).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("weight_decay_grid") && text.contains("`val_shots`"),
            "{text}"
        );
        let search = spec("optimizer = 'lbfgs'\nc_search = 'coop'");
        let text = check_chosen_on(&search, 0).unwrap_err().to_string();
        assert!(
            text.contains("c_search") && text.contains("`val_shots`"),
            "{text}"
        );
        assert!(check_chosen_on(&search, 1).is_ok());
        assert!(check_chosen_on(&spec("lr_grid = [0.1, 1]"), 1).is_ok());
        assert!(check_chosen_on(&spec("lr_grid = [0.1]"), 0).is_ok());
    }
}
