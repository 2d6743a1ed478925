//! An axis: its ends, and round ticks between them. What is drawn along it is the figures' own.

/// An axis.
#[derive(Clone)]
pub(crate) struct Axis {
    /// Its title, with its unit.
    pub(crate) name: String,
    /// Its ends.
    pub(crate) range: (f64, f64),
    /// Where a tick is, and what it is called.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis of numbers around `values`, with round ticks; `scale` turns a place into what its tick says.
    pub(crate) fn around(
        name: &str,
        values: impl Iterator<Item = f64>,
        bounds: (f64, f64),
    ) -> Self {
        let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            (lo, hi) = (lo.min(value), hi.max(value));
        }
        if lo > hi {
            (lo, hi) = (0.0, 1.0);
        }
        let room = ((hi - lo) * 0.08).max(1e-3 * hi.abs()).max(1e-6);
        let (lo, hi) = ((lo - room).max(bounds.0), (hi + room).min(bounds.1));
        let step = round_step((hi - lo) / 6.0);
        let first = (lo / step).ceil() as i64;
        let last = (hi / step).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let tick = |at: i64| {
            let place = at as f64 * step;
            (place, format!("{place:.decimals$}").replace('-', "−"))
        };
        Self {
            name: name.into(),
            range: (lo, hi),
            ticks: (first..=last).map(tick).collect(),
        }
    }

    /// An axis of named places 0, 1, 2 …
    pub(crate) fn of_names(name: &str, names: Vec<String>) -> Self {
        let most = names.len().saturating_sub(1) as f64;
        Self {
            name: name.into(),
            range: (-0.4, most + 0.4),
            ticks: names
                .into_iter()
                .enumerate()
                .map(|(at, name)| (at as f64, name))
                .collect(),
        }
    }

    /// An axis around intervals, each a middle and its ends: all middles are on it, and of ends that lie farther out than
    /// the middles spread, or than most intervals reach, only the way there.
    pub(crate) fn around_intervals(
        name: &str,
        intervals: &[(f64, (f64, f64))],
        bounds: (f64, f64),
    ) -> Self {
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let middles = || intervals.iter().map(|(middle, _)| *middle);
        let (lo, hi) = (least(&mut middles()), -least(&mut middles().map(|m| -m)));
        let mut lengths: Vec<f64> = intervals.iter().map(|(_, (lo, hi))| hi - lo).collect();
        lengths.sort_by(f64::total_cmp);
        let usual = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
        let reach = (hi - lo).max(usual);
        let ends = intervals
            .iter()
            .flat_map(|(_, (low, high))| [low.max(lo - reach), high.min(hi + reach)]);
        Self::around(name, ends.chain(middles()), bounds)
    }

    /// Whether `value` is on it.
    pub(crate) fn holds(&self, value: f64) -> bool {
        let (lo, hi) = self.range;
        (lo..=hi).contains(&value)
    }

    /// How far along it `value` is, 0–1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let (lo, hi) = self.range;
        ((value - lo) / (hi - lo)).clamp(0.0, 1.0)
    }
}

/// The round number (1, 2 or 5 times a power of ten) nearest above `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let enough = factors
        .iter()
        .find(|factor| **factor * power >= step * 0.999);
    enough.unwrap_or(&10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::around("x", [61.2, 78.9].into_iter(), (0.0, 100.0));
        let names: Vec<&str> = axis.ticks.iter().map(|(_, name)| &**name).collect();
        assert_eq!(names, ["60", "65", "70", "75", "80"]);
        let axis = Axis::around("x", [0.0, 0.04].into_iter(), (0.0, 1.0));
        assert_eq!(axis.range.0, 0.0);
        assert_eq!(axis.ticks[1].1, "0.01");
        let axis = Axis::around("x", [6.0, 98.0].into_iter(), (0.0, 100.0));
        assert_eq!(axis.ticks.len(), 6);
    }

    #[test]
    fn an_axis_of_one_value_or_none_can_be_drawn() {
        for values in [vec![], vec![3.0], vec![0.0], vec![f64::NAN]] {
            let axis = Axis::around("x", values.into_iter(), (f64::NEG_INFINITY, f64::INFINITY));
            assert!(axis.range.1 > axis.range.0 && axis.ticks.len() < 20);
        }
    }
}
