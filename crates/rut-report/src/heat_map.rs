//! Which source classes a label map has for which target classes: of one-to-one maps, how many runs choose one; of weighted
//! maps, the largest weights of a run.

use std::collections::BTreeMap;

use rut_record::MappingRecord;

use crate::SourceName;
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

/// Of weights below 0; those above are as [`FULL`].
const NEGATIVE: Colour = "#a34700";

/// What a cell of the map holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// How many of so many runs choose the source.
    Runs(usize),
    /// The weight of the source in a run of this seed.
    Weights(u64),
}

/// Source classes for target classes, and what each source is for each target.
pub(crate) struct HeatMap {
    targets: Vec<String>,
    sources: Vec<String>,
    cells: BTreeMap<(usize, usize), f64>,
    /// What cells hold.
    pub(crate) content: Content,
    /// Targets and sources that are left out.
    pub(crate) left_out: (usize, usize),
}

/// Of each source by name, what it is for targets by index.
type Sources = BTreeMap<String, BTreeMap<usize, f64>>;

impl HeatMap {
    /// Of `runs`, which have the same target classes: the weights of the first, if it has some. `None` where none has a label
    /// map. Weights are of source classes by number, which `named` names.
    pub(crate) fn of(runs: &[&Run], named: SourceName) -> Option<Self> {
        let mapped = runs.iter().copied();
        let mapped = mapped.filter_map(|run| Some((run, run.record.mapping.as_ref()?)));
        let maps: Vec<(&Run, &MappingRecord)> = mapped.collect();
        let (first, map) = *maps.first()?;
        let content = match map.weights {
            Some(_) => Content::Weights(first.record.spec.training.seed),
            None => Content::Runs(maps.len()),
        };
        let targets = first.class_names.len().min(MOST);
        let mut sources = Sources::new();
        let mut add = |source: String, target: usize, value: f64| {
            if target < targets {
                *sources
                    .entry(source)
                    .or_default()
                    .entry(target)
                    .or_default() += value;
            }
        };
        match &map.weights {
            Some(weights) => {
                for (target, largest) in weights.largest.iter().enumerate() {
                    for (source, weight) in largest.iter().filter(|(_, weight)| *weight != 0.0) {
                        let name = named(&first.record.spec, *source).map(str::to_owned);
                        let name = name.unwrap_or_else(|| format!("class {source}"));
                        add(name, target, *weight);
                    }
                }
            }
            None => {
                for (_, map) in &maps {
                    let names = map.source_names.iter().enumerate();
                    names.for_each(|(target, source)| add(source.clone(), target, 1.0));
                }
            }
        }
        Some(Self::arranged(&first.class_names, sources, content))
    }

    /// Sources stand in the order of the target that they are most for, so that steady choices make a diagonal.
    fn arranged(targets: &[String], sources: Sources, content: Content) -> Self {
        let total = sources.len();
        let sum =
            |cells: &BTreeMap<usize, f64>| cells.values().map(|value| value.abs()).sum::<f64>();
        let mut sources: Vec<(String, BTreeMap<usize, f64>)> = sources.into_iter().collect();
        sources.sort_by(|(a, first), (b, second)| {
            sum(second).total_cmp(&sum(first)).then_with(|| a.cmp(b))
        });
        sources.truncate(MOST);
        sources.sort_by_cached_key(|(name, cells)| {
            let favourite = cells.iter().max_by(|(a, first), (b, second)| {
                first.abs().total_cmp(&second.abs()).then(b.cmp(a))
            });
            (favourite.map(|(target, _)| *target), name.clone())
        });
        let cells = sources.iter().enumerate().flat_map(|(row, (_, cells))| {
            cells
                .iter()
                .map(move |(target, value)| ((row, *target), *value))
        });
        let cells = cells.collect();
        let shown: Vec<String> = targets.iter().take(MOST).cloned().collect();
        Self {
            cells,
            left_out: (targets.len() - shown.len(), total - sources.len()),
            sources: sources.into_iter().map(|(name, _)| name).collect(),
            targets: shown,
            content,
        }
    }

    /// Each source and target with what its cell holds, for a table.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&str, &str, f64)> {
        self.cells.iter().filter_map(|((row, target), value)| {
            Some((
                &**self.sources.get(*row)?,
                &**self.targets.get(*target)?,
                *value,
            ))
        })
    }

    /// What the darkest cell may hold.
    pub(crate) fn most(&self) -> f64 {
        match self.content {
            Content::Runs(runs) => runs as f64,
            Content::Weights(_) => self
                .cells
                .values()
                .fold(0.0, |most, value| value.abs().max(most)),
        }
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
            if let Content::Weights(_) = self.content {
                let scale = format!("darkest: {:.3}", self.most());
                canvas.text(&scale, (LEFT + 110.0, 33.0), soft);
            }
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
        for row in 0..self.sources.len() {
            let empty = |column: &usize| !self.cells.contains_key(&(row, *column));
            for column in (0..self.targets.len()).filter(empty) {
                canvas.block(corners(row, column), GROUND, 1.0);
            }
        }
        for ((row, column), value) in &self.cells {
            let share = (value.abs() / self.most()).min(1.0);
            let colour = if *value < 0.0 { NEGATIVE } else { FULL };
            canvas.titled(&self.words(*row, *column, *value), |canvas| {
                canvas.block(corners(*row, *column), colour, 0.15 + 0.85 * share);
                if let Content::Runs(_) = self.content {
                    let [(x, y), _] = corners(*row, *column);
                    // On a full cell letters keep their colour in the dark, as the cell does.
                    let ink = if share > 0.45 { PALE } else { INK };
                    let place = (x + CELL / 2.0 - 0.5, y + CELL / 2.0 - 0.5);
                    let style = TextStyle::new(9.5, ink, Anchor::Middle);
                    canvas.text(&value.to_string(), place, style);
                }
            });
        }
    }

    /// What a cell says to who points at it.
    fn words(&self, row: usize, column: usize, value: f64) -> String {
        let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
        let (source, target) = (name(&self.sources, row), name(&self.targets, column));
        match self.content {
            Content::Runs(runs) => format!("{source} for {target}: {value} of {runs} runs"),
            Content::Weights(_) => format!("{source} for {target}: weight {value:.4}"),
        }
    }
}
