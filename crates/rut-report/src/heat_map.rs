//! Which source classes a label map chooses for which target classes, counted over runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::canvas::{Anchor, Canvas, Colour, FigureStyle, INK, SOFT, TextStyle, picture};
use crate::run::Run;
use crate::wording::cut;

/// Side of a cell, pixels.
const CELL: f64 = 19.0;
/// Room for the names of source classes, pixels.
const LEFT: f64 = 132.0;
/// Room above the names of target classes, pixels.
const TOP: f64 = 48.0;
/// The longest name of a target class, characters.
const LONGEST: usize = 16;
/// The most rows or columns that are drawn.
const MOST: usize = 60;
/// Cells that are always chosen, and the ground they stand on.
const FULL: Colour = "#005282";
const GROUND: Colour = "#f4f6f8";
const PALE: Colour = "#fefefe";

/// How often each source class was chosen for each target class.
pub(crate) struct HeatMap {
    targets: Vec<String>,
    sources: Vec<String>,
    counts: BTreeMap<(usize, usize), usize>,
    runs: usize,
    /// Targets and sources that are left out.
    pub(crate) left_out: (usize, usize),
}

impl HeatMap {
    /// Of `runs`, which have the same target classes; `None` where none has a label map.
    pub(crate) fn of(runs: &[&Run]) -> Option<Self> {
        let maps: Vec<_> = runs
            .iter()
            .filter_map(|run| Some((*run, run.record.mapping.as_ref()?)))
            .collect();
        let (first, _) = maps.first()?;
        let targets: Vec<String> = first.class_names.iter().take(MOST).cloned().collect();
        let mut chosen: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
        for (_, map) in &maps {
            for (target, source) in map.source_names.iter().enumerate().take(targets.len()) {
                let counts = chosen.entry(source).or_default();
                *counts.entry(target).or_default() += 1;
            }
        }
        // Sources stand in the order of the target that chooses them most, so that steady choices make a diagonal.
        let mut sources: Vec<(&str, BTreeMap<usize, usize>)> = chosen.into_iter().collect();
        let total = sources.len();
        let times = |counts: &BTreeMap<usize, usize>| counts.values().sum::<usize>();
        sources.sort_by_key(|(name, counts)| (std::cmp::Reverse(times(counts)), *name));
        sources.truncate(MOST);
        sources.sort_by_key(|(name, counts)| {
            let favourite = counts
                .iter()
                .max_by_key(|(target, count)| (**count, std::cmp::Reverse(**target)));
            (favourite.map(|(target, _)| *target), *name)
        });
        let counts = sources.iter().enumerate().flat_map(|(row, (_, counts))| {
            counts
                .iter()
                .map(move |(target, count)| ((row, *target), *count))
        });
        Some(Self {
            counts: counts.collect(),
            left_out: (
                first.class_names.len() - targets.len(),
                total - sources.len(),
            ),
            sources: sources.iter().map(|(name, _)| (*name).to_owned()).collect(),
            targets,
            runs: maps.len(),
        })
    }

    /// Runs that were counted.
    pub(crate) fn runs(&self) -> usize {
        self.runs
    }

    /// Each source and target with its count, for a table.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        self.counts.iter().filter_map(|((row, target), count)| {
            Some((
                &**self.sources.get(*row)?,
                &**self.targets.get(*target)?,
                *count,
            ))
        })
    }

    /// The picture, as wide as its classes need.
    pub(crate) fn svg(&self, title: &str, look: FigureStyle) -> String {
        let wide = LEFT + CELL * self.targets.len() as f64 + 70.0;
        let high = self.top() + CELL * self.sources.len() as f64 + 16.0;
        picture(title, (wide.max(FigureStyle::PAGE.width), high), |canvas| {
            look.title(canvas, title);
            let soft = TextStyle::new(11.0, SOFT, Anchor::Left);
            canvas.text("target class →", (LEFT, 33.0), soft);
            canvas.text("source class ↓", (12.0, self.top() - 10.0), soft);
            self.names(canvas);
            self.blocks(canvas);
        })
    }

    /// Where rows begin, pixels.
    fn top(&self) -> f64 {
        let lengths = self.targets.iter().map(|name| name.chars().count());
        TOP + 6.0 * lengths.max().unwrap_or(0).min(LONGEST) as f64
    }

    fn names(&self, canvas: &Canvas) {
        for (at, name) in self.targets.iter().enumerate() {
            let x = LEFT + CELL * (at as f64 + 0.5);
            canvas.text(
                &cut(name, LONGEST),
                (x, self.top() - 5.0),
                TextStyle::new(10.5, INK, Anchor::Rising),
            );
        }
        for (at, name) in self.sources.iter().enumerate() {
            let y = self.top() + CELL * (at as f64 + 0.5);
            canvas.text(
                &cut(name, 21),
                (LEFT - 6.0, y),
                TextStyle::new(10.5, INK, Anchor::Right),
            );
        }
    }

    fn blocks(&self, canvas: &Canvas) {
        let corners = |row: usize, column: usize| {
            let (x, y) = (LEFT + CELL * column as f64, self.top() + CELL * row as f64);
            [(x + 0.5, y + 0.5), (x + CELL - 0.5, y + CELL - 0.5)]
        };
        let chosen: BTreeSet<&(usize, usize)> = self.counts.keys().collect();
        for row in 0..self.sources.len() {
            for column in (0..self.targets.len()).filter(|column| !chosen.contains(&(row, *column)))
            {
                canvas.block(corners(row, column), GROUND, 1.0);
            }
        }
        for ((row, column), count) in &self.counts {
            let share = *count as f64 / self.runs as f64;
            let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
            let words = format!(
                "{} for {}: {count} of {} runs",
                name(&self.sources, *row),
                name(&self.targets, *column),
                self.runs
            );
            canvas.titled(&words, |canvas| {
                canvas.block(corners(*row, *column), FULL, 0.15 + 0.85 * share);
                let [(x, y), _] = corners(*row, *column);
                // On a full cell letters keep their colour in the dark, as the cell does.
                let ink = if share > 0.45 { PALE } else { INK };
                let place = (x + CELL / 2.0 - 0.5, y + CELL / 2.0 - 0.5);
                canvas.text(
                    &count.to_string(),
                    place,
                    TextStyle::new(9.5, ink, Anchor::Middle),
                );
            });
        }
    }
}
