//! A grid of learning rates and weight decays: each member is the run with its rates alone, and the best is kept.

use candle_core::{DType, Device};
use rut_adapt::{
    Error, FeatureMatrix, HeadRates, LabelledFeatures, LinearHead, LoopOptions, ProbeSplits,
    Probed, ScheduleOptions, Seed, Silent, linear_probe_grid,
};

mod listen;

use rut_record::{Event, Select, Shuffle};

use listen::Listener;

const WIDTH: usize = 20;
const CLASSES: usize = 4;

/// Noise with a little of the label in it.
fn data(rows: usize, name: &str) -> LabelledFeatures {
    let mut stream = Seed(5).stream(name);
    let labels: Vec<u32> = (0..rows).map(|row| (row % CLASSES) as u32).collect();
    let values = labels.iter().flat_map(|&label| {
        let row: Vec<f32> = (0..WIDTH)
            .map(|i| stream.uniform() as f32 + if i as u32 == label { 0.3 } else { 0.0 })
            .collect();
        row
    });
    let features = FeatureMatrix::from_f32(values.collect(), WIDTH).unwrap();
    LabelledFeatures { features, labels }
}

fn options(select: Select) -> LoopOptions {
    LoopOptions {
        epochs: 6,
        steps: None,
        batch_size: 32,
        learning_rate: 0.1,
        schedule: ScheduleOptions::default(),
        seed: Seed(4),
        shuffle: Shuffle::On,
        select,
        eval_every: 1,
    }
}

fn head() -> LinearHead {
    LinearHead::init(WIDTH, CLASSES, Seed(4), DType::F32, &Device::Cpu).unwrap()
}

fn rates(pairs: &[(f64, f64)]) -> Vec<HeadRates> {
    let rates = pairs
        .iter()
        .map(|&(learning_rate, weight_decay)| HeadRates {
            learning_rate,
            weight_decay,
        });
    rates.collect()
}

fn weights(head: &LinearHead) -> Vec<f32> {
    head.weight.flatten_all().unwrap().to_vec1().unwrap()
}

struct Splits {
    train: LabelledFeatures,
    validation: LabelledFeatures,
}

impl Splits {
    fn new() -> Self {
        Self {
            train: data(130, "train"),
            validation: data(60, "validation"),
        }
    }

    fn run(&self, select: Select, pairs: &[(f64, f64)], listener: &mut Listener) -> Probed {
        let splits = self.splits();
        linear_probe_grid(
            splits,
            head(),
            &options(select),
            &rates(pairs),
            None,
            listener,
        )
        .unwrap()
    }

    fn splits(&self) -> ProbeSplits<'_> {
        ProbeSplits {
            train: &self.train,
            validation: Some(&self.validation),
            test: &self.validation,
        }
    }
}

const GRID: [(f64, f64); 4] = [(1e-4, 0.0), (0.1, 0.0), (0.03, 0.0), (0.1, 0.3)];

#[test]
fn each_member_is_the_run_with_its_rates_alone_to_the_bit() {
    let splits = Splits::new();
    for select in [Select::Last, Select::BestVal] {
        let mut listener = Listener::default();
        let grid = splits.run(select, &GRID, &mut listener);
        for (index, pair) in GRID.iter().enumerate() {
            let mut alone_listener = Listener::default();
            let alone = splits.run(select, &[*pair], &mut alone_listener);
            assert_eq!(alone.members[0], grid.members[index], "{pair:?}");
            if index == grid.chosen {
                assert_eq!(
                    weights(&alone.finished.trained),
                    weights(&grid.finished.trained)
                );
                assert_eq!(
                    alone.finished.selected_accuracy,
                    grid.finished.selected_accuracy
                );
            }
            for (alone, beside) in epochs(&alone_listener).iter().zip(epochs(&listener)) {
                let Event::Epoch { members, .. } = beside else {
                    unreachable!()
                };
                let Event::Epoch { loss, accuracy, .. } = alone else {
                    unreachable!()
                };
                assert_eq!(
                    (members[index].loss, members[index].accuracy),
                    (*loss, *accuracy)
                );
            }
        }
        let best = grid.members[grid.chosen].validation.unwrap();
        for member in &grid.members {
            let scores = member.validation.unwrap();
            let worse = scores.accuracy < best.accuracy
                || scores.accuracy == best.accuracy && scores.nll >= best.nll;
            assert!(worse, "{member:?} against {best:?}");
        }
    }
}

fn epochs(listener: &Listener) -> Vec<&Event> {
    let is_epoch = |event: &&Event| matches!(event, Event::Epoch { .. });
    listener.events.iter().filter(is_epoch).collect()
}

#[test]
fn a_grid_stopped_anywhere_goes_on_to_the_same_bits() {
    let splits = Splits::new();
    let (options, rates) = (options(Select::BestVal), rates(&GRID));
    let mut whole = Listener::default();
    let want = splits.run(Select::BestVal, &GRID, &mut whole);
    for stop_after in 1..=whole.asked {
        let mut first = Listener::stopping_at(stop_after);
        let stopped =
            linear_probe_grid(splits.splits(), head(), &options, &rates, None, &mut first);
        assert!(matches!(stopped, Err(Error::Stopped { .. })));
        let (state, events_before) = first.into_saved();
        let mut second = Listener::default();
        let other = LinearHead::init(WIDTH, CLASSES, Seed(1), DType::F32, &Device::Cpu).unwrap();
        let got = linear_probe_grid(
            splits.splits(),
            other,
            &options,
            &rates,
            Some(&state),
            &mut second,
        )
        .unwrap();
        let events: Vec<Event> = events_before.into_iter().chain(second.events).collect();
        assert_eq!(events, whole.events, "stopped after {stop_after}");
        assert_eq!((&got.members, got.chosen), (&want.members, want.chosen));
        assert_eq!(
            weights(&got.finished.trained),
            weights(&want.finished.trained)
        );
    }
}

#[test]
fn a_member_that_diverges_is_left_out_and_the_others_go_on() {
    let splits = Splits::new();
    let mut listener = Listener::default();
    let grid = splits.run(Select::BestVal, &[(1e38, 0.0), (0.03, 0.0)], &mut listener);
    assert_eq!((grid.chosen, grid.members[0].validation), (1, None));
    let diverged = |event: &&Event| matches!(event, Event::Diverged { member: 0, .. });
    assert_eq!(listener.events.iter().filter(diverged).count(), 1);
    let alone = splits.run(Select::BestVal, &[(0.03, 0.0)], &mut Listener::default());
    assert_eq!(alone.members[0], grid.members[1]);
    // The events are JSON that can be read again.
    assert!(listener.losses().iter().all(|loss| loss.is_finite()));
}

#[test]
fn of_equals_the_first_is_kept() {
    let mut splits = Splits::new();
    // No difference between classes: every member says the same.
    for split in [&mut splits.train, &mut splits.validation] {
        let zeros = vec![0.0; split.labels.len() * WIDTH];
        split.features = FeatureMatrix::from_f32(zeros, WIDTH).unwrap();
    }
    let mut still = head();
    still.bias = still.bias.zeros_like().unwrap();
    let rates = rates(&[(1e-30, 0.0), (1e-31, 0.0), (1e-32, 0.0)]);
    let options = options(Select::Last);
    let grid =
        linear_probe_grid(splits.splits(), still, &options, &rates, None, &mut Silent).unwrap();
    assert_eq!(grid.chosen, 0);
}

#[test]
fn what_cannot_be_a_grid_is_refused() {
    let splits = Splits::new();
    let options = options(Select::Last);
    let refused = |splits: ProbeSplits<'_>, pairs: &[(f64, f64)]| {
        let found = linear_probe_grid(splits, head(), &options, &rates(pairs), None, &mut Silent);
        found.unwrap_err().to_string()
    };
    let blind = ProbeSplits {
        validation: None,
        ..splits.splits()
    };
    for (error, text) in [
        (refused(blind, &GRID), "`val_shots`"),
        (refused(splits.splits(), &[]), "1 to 256"),
        (refused(splits.splits(), &[(0.1, 0.0); 257]), "1 to 256"),
        (refused(splits.splits(), &[(0.1, 0.0), (0.1, 0.0)]), "twice"),
        (
            refused(splits.splits(), &[(-0.1, 0.0)]),
            "a positive number",
        ),
        (refused(splits.splits(), &[(0.1, -1.0)]), "0 or more"),
    ] {
        assert!(error.contains(text), "{error}");
    }
}
