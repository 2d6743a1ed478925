//! What was run, in a few lines: data sets, networks, methods, labels, seeds, and how many runs. For the results, see `matrix`.

use std::collections::BTreeSet;

use maud::{Markup, html};
use rut_record::{Labels, Method};

use crate::RunStatus;
use crate::canvas::colour;
use crate::setting::Setting;
use crate::study::{Study, range};
use crate::wording::{listed, printable};

/// Names that stand in one line; of more, only how many there are.
const MOST: usize = 12;

/// What was run; `unread` other files could not be read.
pub(crate) fn overview(study: &Study, unread: usize) -> Markup {
    html! {
        dl.ran {
            (line("Runs", runs(study, unread)))
            (line("Data sets", html! { (printable(&datasets(study))) }))
            (line("Networks", networks(study)))
            (line("Methods", html! { (printable(&methods(study))) }))
            (line("Training images", html! { (labels(study)) }))
            (line("Seeds", html! { (seeds(study)) }))
        }
    }
}

fn line(name: &str, what: Markup) -> Markup {
    html! { div { dt { (name) } dd { (what) } } }
}

/// How many runs are finished, and what else there is, with its reasons under `runs`.
fn runs(study: &Study, unread: usize) -> Markup {
    let others = [
        (study.count(RunStatus::Failed), "failed"),
        (study.count(RunStatus::Missing), "missing"),
        (study.count(RunStatus::Unreadable) + unread, "unreadable"),
    ];
    html! {
        strong { (study.runs.len()) } " finished"
        @for (count, status) in others {
            ", " @if count > 0 { a.bad href="#runs" { (count) " " (status) } } @else { "none " (status) }
        }
    }
}

fn datasets(study: &Study) -> String {
    let names: BTreeSet<&str> = study.settings.iter().map(|own| &*own.dataset).collect();
    let of = |name: &&str| {
        let own = study
            .runs
            .iter()
            .filter(|run| run.record.data.name == **name);
        let images = range(own.map(|run| run.record.data.test_images));
        format!("{name} (N = {images})")
    };
    match names.len() {
        0..=MOST => listed(names.iter().map(of)),
        many => format!("{many}: {}", listed(names.iter())),
    }
}

fn networks(study: &Study) -> Markup {
    html! {
        @if study.networks.len() > MOST { (study.networks.len()) ", listed under " a href="#networks" { "Networks" } }
        @else {
            @for (at, network) in study.networks.iter().enumerate() {
                span.network { span.swatch style={ "background:" (colour(at)) } {} (printable(&network.label))
                    @if !network.dense { " (" (network.compression()) ")" } }
                " "
            }
        }
    }
}

fn methods(study: &Study) -> String {
    let described = |method: Method| {
        let own = study.settings.iter().filter(|own| own.method == method);
        let names: BTreeSet<String> = own.map(Setting::method_name).collect();
        let names: Vec<String> = names.into_iter().collect();
        (!names.is_empty()).then(|| format!("{} ({})", method.title(), names.join("; ")))
    };
    listed(Method::ALL.into_iter().filter_map(described))
}

fn labels(study: &Study) -> String {
    let budgets: BTreeSet<Labels> = study
        .cells
        .keys()
        .map(|condition| condition.labels)
        .collect();
    match budgets.len() {
        0 => "none".into(),
        _ => format!("{} per class", listed(budgets.iter().map(|l| l.tick()))),
    }
}

fn seeds(study: &Study) -> String {
    let seeds = study.runs.iter().map(|run| run.record.spec.training.seed);
    let seeds: BTreeSet<u64> = seeds.collect();
    match (seeds.first(), seeds.last()) {
        (Some(first), Some(last)) if seeds.len() > MOST => {
            format!("{}, from {first} to {last}", seeds.len())
        }
        (Some(_), _) => listed(seeds.iter()),
        _ => "none".into(),
    }
}
