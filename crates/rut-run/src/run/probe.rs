//! A run of linear probing: features from the cache, a head, its logits. The loop is `rut_adapt::linear_probe`.

use candle_core::{DType, Device};
use rut_adapt::Seed;
use rut_adapt::head::LinearHead;
use rut_adapt::linear_probe::{ProbeSplits, linear_probe_grid, logistic_probe, probe_logits};
use rut_record::{LbfgsRecord, Optimizer, TrainingRecord};

use super::{Adapted, Means, notes};
use crate::error::{Result, refused};
use crate::features::Features;
use crate::grid::{fits_record, grid_record, logistic_options, rates};
use crate::images::describe;
use crate::journal::Journal;

pub(super) fn adapt(means: &Means<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
    let &Means {
        run,
        places,
        dir,
        network,
        state,
    } = means;
    let transform = run.transform();
    let mut features = Features::new(run, network, places);
    features.state = state;
    let train = features.of(&run.train, journal)?;
    let validation = match run.validation.is_empty() {
        true => None,
        false => Some(features.of(&run.validation, journal)?),
    };
    let test = features.of(&run.dataset.test, journal)?;
    for note in features.notes() {
        journal.note(&note);
    }
    let width = network.network.width();
    let splits = ProbeSplits {
        train: &train,
        validation: validation.as_ref(),
        test: &test,
    };
    let (head, training) = match run.spec.optimizer {
        Optimizer::Adam => by_adam(means, splits, journal)?,
        Optimizer::Lbfgs => by_lbfgs(means, splits, journal)?,
    };
    Ok(Adapted {
        test: probe_logits(&head, &test)?,
        test_before_remap: None,
        validation: validation
            .as_ref()
            .map(|split| probe_logits(&head, split))
            .transpose()?,
        training: TrainingRecord {
            trained_values: (width + 1) * run.targets(),
            ..training
        },
        mapping: None,
        preprocessing: describe(run.dataset.test.depth(), &transform, network.normalization),
        trained: (dir.head(), head.to_bytes()?),
    })
}

fn by_adam(
    means: &Means<'_>,
    splits: ProbeSplits<'_>,
    journal: &mut Journal<'_>,
) -> Result<(LinearHead, TrainingRecord)> {
    let run = means.run;
    let head = LinearHead::init(
        means.network.network.width(),
        run.targets(),
        Seed(run.spec.seed),
        DType::F32,
        &Device::Cpu,
    )?;
    let (options, grid) = (run.loop_options(), rates(&run.spec));
    let probed = linear_probe_grid(splits, head, (&options, &grid), means.state, journal)?;
    let grid = grid_record(&run.spec, &probed);
    let finished = probed.finished;
    let training = TrainingRecord {
        trained_values: 0,
        steps: finished.steps,
        final_loss: finished.final_loss,
        kept_epoch: finished.epoch,
        selected_accuracy: finished.selected_accuracy,
        grid,
        lbfgs: None,
        notes: notes(run, means.network),
    };
    Ok((finished.trained, training))
}

fn by_lbfgs(
    means: &Means<'_>,
    splits: ProbeSplits<'_>,
    journal: &mut Journal<'_>,
) -> Result<(LinearHead, TrainingRecord)> {
    let run = means.run;
    if means.state.is_some() {
        journal
            .note("L-BFGS keeps nothing of a stopped run: it starts again, on the kept features");
    }
    let fitted = logistic_probe(splits, &logistic_options(&run.spec, run.targets()), journal)?;
    let grid = fits_record(&run.spec, &fitted);
    let kept = fitted.fits.into_iter().nth(fitted.chosen);
    let fit = kept.ok_or_else(|| refused("weight_decay_grid", "at least one number", "none"))?;
    let mut notes = notes(run, means.network);
    if !fit.solved.converged {
        let share = fit.solved.gradient_norm / fit.solved.first_gradient_norm;
        notes.push(format!(
            "L-BFGS did not converge in {} iterations: the gradient is still {share:.1e} of the first one (more with `--epochs`; \
             without weight decay, classes that can be told apart on the training images have no optimum)",
            fit.solved.iterations
        ));
    }
    let training = TrainingRecord {
        trained_values: 0,
        steps: fit.solved.iterations.into(),
        final_loss: fit.loss,
        kept_epoch: fit.solved.iterations.saturating_sub(1),
        selected_accuracy: None,
        grid,
        lbfgs: Some(LbfgsRecord {
            iterations: fit.solved.iterations,
            evaluations: fit.solved.evaluations,
            gradient_norm: fit.solved.gradient_norm,
            first_gradient_norm: fit.solved.first_gradient_norm,
            converged: fit.solved.converged,
        }),
        notes,
    };
    Ok((fit.head, training))
}
