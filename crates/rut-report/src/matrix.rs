//! The results of a study at a glance: a matrix of networks, targets and methods, each
//! compressed network against its dense ones. `pair` computes the
//! differences, `statement` puts them into words.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use rut_metrics::Spread;
use rut_record::Labels;

use crate::canvas::colour;
use crate::metric::{COMPARED, Metric};
use crate::pair::{Difference, Pair};
use crate::study::{Condition, Study};
use crate::wording::{bare, printable, signed};

/// The figures of the matrix: the first of [`COMPARED`], accuracy and ECE.
const FIGURES: usize = 2;

/// A column or row of the matrix: a setting on so many labels.
type Target = (usize, Labels);

/// What a compressed network's figure is beside its dense network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    Undecided,
}

impl Verdict {
    fn of(difference: &Difference, metric: &Metric) -> Self {
        let estimate = difference.of_compressed();
        match (estimate.excludes_zero(), estimate.mean > 0.0) {
            (false, _) => Self::Undecided,
            (true, higher) if higher == metric.higher_is_better => Self::Better,
            _ => Self::Worse,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Undecided => "undecided",
        }
    }
}

/// The first section: what all comparisons come to, and every network on every target.
pub(crate) fn matrix(study: &Study, pairs: &[Pair]) -> Markup {
    let matrix = Matrix::of(study, pairs);
    let most: Vec<Target> = (0..study.settings.len())
        .filter_map(|setting| {
            let labels = study
                .conditions_of(setting)
                .map(|condition| condition.labels)
                .max()?;
            Some((setting, labels))
        })
        .collect();
    let fewer: BTreeSet<Labels> = study
        .cells
        .keys()
        .filter(|condition| !most.contains(&(condition.setting, condition.labels)))
        .map(|condition| condition.labels)
        .collect();
    html! {
        (counts(pairs))
        (matrix.table(&most, "Every network on every target, on its most training images"))
        p.note {
            "▲ higher and ▼ lower than the dense network, ○ undecided: the 95 % interval of the difference, in points, includes 0. "
            span.better { "Green" } ": the compressed network is better; " span.worse { "red" } ": it is worse. The ECE is better if it is lower. Below a dense network's figure stands its own interval."
        }
        @if !fewer.is_empty() {
            details {
                summary { "On fewer training images per class: " (crate::wording::listed(fewer.iter().rev().map(|l| l.tick()))) }
                @for labels in fewer.iter().rev() {
                    @let own: Vec<Target> = (0..study.settings.len())
                        .filter(|setting| !most.contains(&(*setting, *labels)))
                        .filter(|setting| study.conditions_of(*setting).any(|condition| condition.labels == *labels))
                        .map(|setting| (setting, *labels))
                        .collect();
                    (matrix.table(&own, &format!("Every network on every target, {}", labels.name())))
                }
            }
        }
    }
}

/// Of how many comparisons the compressed network is better or worse, in a sentence for each figure.
fn counts(pairs: &[Pair]) -> Markup {
    let count = |at: usize, metric: &Metric| {
        let found = pairs
            .iter()
            .filter_map(|pair| *pair.paired.differences.get(at)?);
        let verdicts: Vec<Verdict> = found.map(|found| Verdict::of(&found, metric)).collect();
        [Verdict::Better, Verdict::Worse, Verdict::Undecided].map(|wanted| {
            let count = verdicts
                .iter()
                .filter(|verdict| **verdict == wanted)
                .count();
            (wanted, count)
        })
    };
    html! {
        @if !pairs.is_empty() {
            p.verdict {
                "Compressed networks against their dense ones, " (pairs.len()) " comparisons. "
                @for (at, metric) in COMPARED.iter().enumerate().take(FIGURES) {
                    span.of { (metric.name) ": "
                        @for (index, (verdict, count)) in count(at, metric).into_iter().enumerate() {
                            @if index > 0 { ", " }
                            span.(verdict.name())[count > 0] { (count) " " (verdict.name()) }
                        } ". " }
                }
            }
        }
    }
}

/// Figures and differences by condition.
struct Matrix<'a> {
    study: &'a Study,
    pairs: BTreeMap<Condition, Vec<&'a Pair>>,
}

impl<'a> Matrix<'a> {
    fn of(study: &'a Study, all: &'a [Pair]) -> Self {
        let mut pairs: BTreeMap<Condition, Vec<&Pair>> = BTreeMap::new();
        for pair in all {
            let condition = Condition {
                setting: pair.setting,
                labels: pair.labels,
                network: pair.compressed,
            };
            pairs.entry(condition).or_default().push(pair);
        }
        Self { study, pairs }
    }

    /// The matrix of `targets`; the longer of networks and targets goes down the page.
    fn table(&self, targets: &[Target], about: &str) -> Markup {
        let present = |at: &usize| {
            let conditions = targets.iter().map(|target| condition(*target, *at));
            conditions
                .into_iter()
                .any(|condition| self.study.cells.contains_key(&condition))
        };
        let networks: Vec<usize> = (0..self.study.networks.len()).filter(present).collect();
        let down = targets.len() > networks.len();
        let figures = || COMPARED.iter().take(FIGURES).enumerate();
        let (across, rows) = if down {
            (networks.len(), targets.len())
        } else {
            (targets.len(), networks.len())
        };
        let at = |row: usize, column: usize| {
            if down {
                condition(targets[row], networks[column])
            } else {
                condition(targets[column], networks[row])
            }
        };
        html! {
            div.scroll tabindex="0" role="region" aria-label=(about) {
                table.matrix {
                    thead {
                        tr {
                            th rowspan="2" { @if down { "target" } @else { "network" } }
                            @for column in 0..across { th.group colspan=(FIGURES) scope="colgroup" {
                                @if down { (self.network(networks[column])) } @else { (self.target(targets[column])) }
                            } }
                        }
                        tr { @for _ in 0..across { @for (index, metric) in figures() {
                            th.number.group[index == 0] scope="col" { (metric.name) ", %" }
                        } } }
                    }
                    tbody { @for row in 0..rows { tr {
                        th scope="row" {
                            @if down { (self.target(targets[row])) } @else { (self.network(networks[row])) }
                        }
                        @for column in 0..across { @for (index, metric) in figures() {
                            td.number.group[index == 0] { (self.cell(at(row, column), index, metric)) }
                        } }
                    } } }
                }
            }
        }
    }

    fn target(&self, (setting, labels): Target) -> Markup {
        let label = self.study.settings.get(setting).map(|own| own.label());
        html! { (printable(&label.unwrap_or_default())) span.ends { (labels.name()) } }
    }

    fn network(&self, at: usize) -> Markup {
        html! { @if let Some(network) = self.study.networks.get(at) {
            span.swatch style={ "background:" (colour(at)) } {} (printable(&network.label))
            span.ends {
                (network.compression())
                @if let Some(recipe) = network.recipe.as_ref().filter(|recipe| **recipe != network.label) {
                    "; " (printable(recipe))
                }
            }
        } }
    }

    fn cell(&self, condition: Condition, at: usize, metric: &Metric) -> Markup {
        let Some((estimate, _)) = self.study.estimate(condition, metric) else {
            return html! { "–" };
        };
        let pairs = self
            .pairs
            .get(&condition)
            .map(Vec::as_slice)
            .unwrap_or_default();
        html! {
            strong { (bare(estimate.mean, metric.unit)) }
            @if pairs.is_empty() && let Some((lo, hi)) = estimate.interval {
                span.ends { (bare(lo, metric.unit)) " to " (bare(hi, metric.unit)) }
            }
            @for pair in pairs { (self.against(pair, at, metric, pairs.len() > 1)) }
        }
    }

    /// The difference to one dense network, by name where there are several.
    fn against(&self, pair: &Pair, at: usize, metric: &Metric, named: bool) -> Markup {
        let Some(difference) = pair.paired.differences.get(at).copied().flatten() else {
            return html! {};
        };
        let estimate = difference.of_compressed();
        let (mean, ends) = signed(&estimate, metric.unit);
        let verdict = Verdict::of(&difference, metric);
        let sign = match (verdict, estimate.mean > 0.0) {
            (Verdict::Undecided, _) => "○",
            (_, true) => "▲",
            (_, false) => "▼",
        };
        let dense = self.study.networks.get(pair.dense).map_or("", |n| &n.label);
        let by = match difference.spread {
            Some(Spread::Seeds) => format!("t over {} seeds", pair.paired.seeds),
            Some(spread) => spread.name().to_owned(),
            None => "no interval".to_owned(),
        };
        let tooltip = format!(
            "{} than {dense}; {by}, N = {}",
            verdict.name(),
            pair.paired.images
        );
        html! {
            span.ends.(verdict.name()) title=(printable(&tooltip)) {
                @if named { (printable(dense)) ": " }
                (sign) "\u{a0}" (mean)
                @match ends { Some([lo, hi]) => { " (" (lo) " to " (hi) ")" }, None => " (no interval)" }
            }
        }
    }
}

fn condition((setting, labels): Target, network: usize) -> Condition {
    Condition {
        setting,
        labels,
        network,
    }
}
