//! What the study says of the claims of arXiv 2308.14969: for each a matrix of paired differences, compressed minus dense, with
//! p-values adjusted for how many differences a matrix has. For a matrix's differences, see `family`.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use rut_formats::counted;
use rut_record::{Labels, UpstreamRecord};

use crate::canvas::colour;
use crate::claim::{ACCURACY, CLAIMS, Claim, Compared, ECE, ECE_AT_TEMPERATURE};
use crate::claims_table;
use crate::comparison::{Average, Tested};
use crate::context::Context;
use crate::error::Result;
use crate::family::{Family, LEVEL, Verdict};
use crate::files::ReportFiles;
use crate::forest::{Forest, Row};
use crate::metric::{COMPARED, Metric, Unit};
use crate::study::Study;
use crate::upstream::key;
use crate::wording::{figure, listed, p_value, printable, signed};

/// A column of a matrix: a compressed network and its dense one.
type Networks = (usize, usize);

/// A row of a matrix: what stands before it, and its cells.
type Cells = (Markup, BTreeMap<Networks, Markup>);

/// The claims, a matrix for each figure of each, and one table of them all as a file.
pub(crate) fn claims(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let study = context.study;
    let families: Vec<(&Claim, Vec<Family<'_>>)> = CLAIMS
        .iter()
        .map(|claim| {
            let of = |at: &usize| Family::of(study, context.pairs, claim, *at);
            (claim, claim.figures.iter().filter_map(of).collect())
        })
        .collect();
    let all = || families.iter().flat_map(|(_, own)| own);
    if all().next().is_none() {
        return Ok(
            html! { p { "No compressed network stands beside a dense one with two seeds that differ." } },
        );
    }
    files.table(&claims_table::of_comparisons(study, all()))?;
    if all().any(|family| !family.averages.is_empty()) {
        files.table(&claims_table::of_averages(study, all()))?;
    }
    let figures = figures_of_averages(study, &families, files);
    Ok(html! {
        p.note {
            "Compressed minus dense network, paired by seed, in points, with 95 % intervals. Marked are differences whose p-value (Student's t over seeds, two-sided), adjusted by Holm's rule for all differences of the matrix, is below " (LEVEL) ": "
            span.better { "▲" } " or " span.better { "▼" } " where the compressed network is better, " span.worse { "▲" } " or " span.worse { "▼" } " where it is worse. An unmarked difference is undecided: its interval says how large it may be. Seeds vary the drawn images and the training, not the test images. In averages every setting and number of training images counts once, and the average of a seed is one value; those of one claim in one figure are adjusted apart from single settings. "
            "Pairs of which no two seeds differ have no p-value: averages count them, single settings leave them out. The ECE of scores that are no probabilities is left out."
        }
        @if !figures.is_empty() {
            figure {
                div.charts { @for svg in &figures { (svg) } }
                figcaption { "Compressed minus dense network on average over settings and numbers of training images, with 95 % intervals over seeds, not adjusted for their number. Right of 0, the compressed network has the larger figure: the better accuracy, the worse ECE." }
            }
        }
        @for (claim, own) in &families { @if !own.is_empty() {
            h3 { "(" (claim.number) ") " (claim.words) }
            @for family in own {
                h4 { (family.title()) }
                @if family.averages.is_empty() {
                    p.verdict { (family.counts()) }
                    (family.differences(study))
                } @else {
                    (family.averages(study))
                    p.verdict { "Single settings: " (family.counts()) }
                    details {
                        summary { "Single settings: " (counted(family.comparisons.len(), "difference")) }
                        (family.differences(study))
                    }
                }
            }
        } }
    })
}

/// A picture for each figure in which a compressed network has an average over everything.
fn figures_of_averages(
    study: &Study,
    families: &[(&Claim, Vec<Family<'_>>)],
    files: &mut ReportFiles,
) -> Vec<Markup> {
    let figures = [ACCURACY, ECE, ECE_AT_TEMPERATURE];
    let figures = figures.iter().filter_map(|at| COMPARED.get(*at).copied());
    let drawn = |metric: &'static Metric| {
        let families = families.iter().flat_map(|(_, own)| own);
        let own = families.filter(|family| {
            family.claim.compared == Compared::Networks && std::ptr::eq(family.metric, metric)
        });
        let averages = own.flat_map(|family| &family.averages);
        let whole = averages.filter(|average| average.labels.is_none());
        let whole: Vec<&Average> = whole.collect();
        let differ = !is_one(whole.iter().map(|average| average.over()));
        let row = |average: &&Average| Row::of_average(study, average, metric, differ);
        let rows: Vec<Row> = whole.iter().filter_map(row).collect();
        if rows.is_empty() {
            return None;
        }
        let forest = Forest::new(metric, "compressed minus dense", rows);
        let name = format!("claims-averages-{}", metric.column);
        let draw = |look| forest.svg(0, settings(differ), look).unwrap_or_default();
        Some(files.picture(&name, draw))
    };
    figures.filter_map(drawn).collect()
}

impl Family<'_> {
    /// Of how many comparisons the compressed network is better or worse.
    fn counts(&self) -> Markup {
        let all = &self.comparisons;
        let tested = || all.iter().map(|one| &one.tested);
        let count = |wanted: Verdict, p: fn(&Tested) -> f64| {
            let own = tested().filter(|one| self.verdict(one, p(one)) == wanted);
            own.count()
        };
        let adjusted = |wanted| count(wanted, |one| one.adjusted);
        let alone = [Verdict::Better, Verdict::Worse].map(|wanted| {
            let found = count(wanted, |one| one.p);
            format!("{found} {}", wanted.words(self.claim.compared))
        });
        let labels: BTreeSet<Labels> = all.iter().map(|one| one.contrast.labels).collect();
        let worse = labels.iter().map(|labels| {
            let own = all.iter().filter(|one| one.contrast.labels == *labels);
            let own = || own.clone().map(|one| &one.tested);
            let worse = own().filter(|one| self.verdict(one, one.adjusted) == Verdict::Worse);
            format!("{} of {} ({})", worse.count(), own().count(), labels.name())
        });
        let doubtful = all.iter().filter(|one| one.contrast.doubtful).count();
        html! {
            (counted(all.len(), "comparison")) ": "
            @for (index, verdict) in Verdict::ALL.into_iter().enumerate() {
                @if index > 0 { ", " }
                span.(verdict.name())[adjusted(verdict) > 0] { (adjusted(verdict)) " " (verdict.words(self.claim.compared)) }
            }
            "; by unadjusted p-values: " (listed(alone.iter())) "."
            @if labels.len() > 1 && self.claim.compared == Compared::Networks { " Worse by training images per class: " (listed(worse)) "." }
            @if doubtful > 0 && self.is_at_temperature() {
                " In " (doubtful) " of them the fitted temperature of a run is in doubt: read the ECE at T = 1 first."
            }
        }
    }

    /// Settings and training images down the page, networks across it.
    fn differences(&self, study: &Study) -> Markup {
        let mut rows: BTreeMap<(usize, Labels), BTreeMap<Networks, Markup>> = BTreeMap::new();
        for one in &self.comparisons {
            let of = &one.contrast;
            let against = of
                .most
                .map_or_else(String::new, |most| format!(" against {}", most.name()));
            let row = rows.entry((of.setting, of.labels)).or_default();
            let images = format!("N = {}", of.images);
            let cell = self.cell(&one.tested, &against, &images);
            row.insert((of.compressed, of.dense), cell);
        }
        let head = |(setting, labels): (usize, Labels)| {
            let setting = study.settings.get(setting);
            html! {
                (printable(&setting.map(|own| own.label()).unwrap_or_default()))
                @if self.claim.compared == Compared::Networks { span.ends { (labels.name()) } }
                @else { span.ends { (labels.name()) " against the most" } }
            }
        };
        let rows = rows.into_iter().map(|(row, cells)| (head(row), cells));
        matrix(study, &self.title(), "target", &rows.collect::<Vec<_>>())
    }

    /// Training images down the page, networks across it.
    fn averages(&self, study: &Study) -> Markup {
        let mut rows: BTreeMap<Option<Labels>, Vec<&Average>> = BTreeMap::new();
        for one in &self.averages {
            rows.entry(one.labels).or_default().push(one);
        }
        let words = |labels: Option<Labels>| match labels {
            Some(labels) => labels.name(),
            None if self.claim.compared == Compared::Labels => {
                "fewest images against the most".into()
            }
            None => "all numbers of images".into(),
        };
        let row = |(labels, own): (Option<Labels>, Vec<&Average>)| {
            let differ = !is_one(own.iter().map(|one| one.over()));
            let head = html! {
                (settings(differ))
                span.ends { (words(labels)) }
                @if let Some(one) = own.first().filter(|_| !differ) { span.ends { (one.over()) } }
            };
            let cell = |one: &&Average| {
                let over = counted(one.conditions, "condition");
                let cell = self.cell(&one.tested, "", &over);
                let cell = html! { (cell) @if differ { span.ends { (one.over()) } } };
                ((one.compressed, one.dense), cell)
            };
            (head, own.iter().map(cell).collect())
        };
        let rows: Vec<Cells> = rows.into_iter().map(row).collect();
        let title = format!("{}, averages", self.title());
        matrix(study, &title, "average over", &rows)
    }

    /// A difference; `against` goes on with its verdict, `over` says what it is of besides seeds.
    fn cell(&self, tested: &Tested, against: &str, over: &str) -> Markup {
        let verdict = self.verdict(tested, tested.adjusted);
        let (mean, ends) = signed(&tested.difference, self.metric.unit);
        let sign = match (verdict, tested.difference.mean > 0.0) {
            (Verdict::Undecided, _) => "",
            (_, true) => "▲\u{a0}",
            (_, false) => "▼\u{a0}",
        };
        let tooltip = format!(
            "{}{against}: p {}, adjusted {}; {} seeds, {over}",
            verdict.words(self.claim.compared),
            relation(tested.p),
            relation(tested.adjusted),
            tested.seeds,
        );
        html! {
            span.(verdict.name()) title=(tooltip) { (sign) (mean) }
            @if let Some([lo, hi]) = ends { span.ends { (lo) " to " (hi) } }
        }
    }
}

/// What averages are over.
fn settings(differ: bool) -> &'static str {
    if differ {
        "settings that both have"
    } else {
        "all settings"
    }
}

/// Whether all of them are the same.
fn is_one(mut all: impl Iterator<Item = String>) -> bool {
    let first = all.next();
    all.all(|one| Some(one) == first)
}

/// Rows down the page, the networks that any of them has across it; `corner` is what rows are.
fn matrix(study: &Study, title: &str, corner: &str, rows: &[Cells]) -> Markup {
    let columns = rows.iter().flat_map(|(_, cells)| cells.keys().copied());
    let columns: BTreeSet<Networks> = columns.collect();
    let controls: BTreeSet<usize> = columns.iter().map(|(_, dense)| *dense).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table.matrix {
                thead { tr {
                    th { (corner) }
                    @for &(compressed, dense) in &columns {
                        th.number.group scope="col" { (head(study, compressed, (controls.len() > 1).then_some(dense))) }
                    }
                } }
                tbody { @for (head, cells) in rows { tr {
                    th scope="row" { (head) }
                    @for column in &columns {
                        td.number.group { @match cells.get(column) { Some(cell) => (cell), None => "–" } }
                    }
                } } }
            }
        }
    }
}

/// The name of a network, what it scores on its own source data, and the dense one where there are several.
fn head(study: &Study, compressed: usize, dense: Option<usize>) -> Markup {
    let label = |at: usize| study.networks.get(at).map_or("", |n| &n.label);
    let network = study.networks.get(compressed);
    let own = |record: &&UpstreamRecord| network.is_some_and(|own| key(record) == own.key);
    // Of several, on other images or in another precision, the table of networks tells.
    let mut measured = study.upstream.iter().filter(own);
    let upstream = measured.next().filter(|_| measured.next().is_none());
    html! {
        span.swatch style={ "background:" (colour(compressed)) } {} (printable(label(compressed)))
        @if let Some(dense) = dense { span.ends { "against " (printable(label(dense))) } }
        @if let Some(record) = upstream {
            span.ends { "upstream " (figure(record.scores.raw.accuracy, Unit::Percent)) }
        }
    }
}

/// `= 0.022`, or `< 0.001`.
fn relation(p: f64) -> String {
    let text = p_value(p);
    if text.starts_with('<') {
        text
    } else {
        format!("= {text}")
    }
}
