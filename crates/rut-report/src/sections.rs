//! The sections of the page that hold figures, and the files that go with them. Those that hold tables are in `tables`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use rut_record::file_name;

use crate::canvas::{Look, colour};
use crate::chart::Chart;
use crate::chosen::{Choice, Chosen};
use crate::curves::{self, Curves};
use crate::diagram;
use crate::error::Result;
use crate::forest::Forest;
use crate::heat_map::HeatMap;
use crate::metric::{COMPARED, ECE, ECE_AT_TEMPERATURE, Metric, SHOWN};
use crate::network::Network;
use crate::pair::{Pair, compared_settings};
use crate::parts::Parts;
use crate::results;
use crate::run::Run;
use crate::setting::Setting;
use crate::sheet::Sheet;
use crate::study::{Place, Study};
use crate::unread::Unread;
use crate::wording::{printable, unbroken};
use crate::{PromptPicture, against};

/// Charts of every setting that has some, and why there are none where no setting has.
struct Against {
    prefix: &'static str,
    charts: fn(&Study, usize) -> Vec<(&'static Metric, Chart)>,
    none: &'static str,
}

/// Figures against remaining weights.
pub(crate) fn weights(parts: &Parts<'_>, sheet: &mut Sheet) -> Result<Markup> {
    let against = Against {
        prefix: "weights",
        charts: against::weights,
        none: "All networks keep the same share of their weights: there is nothing to draw.",
    };
    let charts = against.compose(parts, sheet);
    Ok(html! {
        p.note { "A grey line joins the networks on as many training images per class, whose number stands at its end. Pruning goes on to the right." }
        (charts)
    })
}

/// Figures against the number of labels.
pub(crate) fn labels(parts: &Parts<'_>, sheet: &mut Sheet) -> Result<Markup> {
    let against = Against {
        prefix: "labels",
        charts: against::labels,
        none: "There is one number of training images per class only: there is nothing to draw.",
    };
    Ok(against.compose(parts, sheet))
}

impl Against {
    fn compose(&self, parts: &Parts<'_>, sheet: &mut Sheet) -> Markup {
        let study = parts.study;
        let mut charts = Vec::new();
        for at in 0..study.settings.len() {
            let own = (self.charts)(study, at).into_iter();
            charts.extend(own.map(|(metric, chart)| (at, metric, chart)));
        }
        against::share_axes(study, &mut charts);
        let mut by_setting: BTreeMap<usize, Vec<(String, Chart)>> = BTreeMap::new();
        for (at, metric, chart) in charts {
            if let Some(setting) = study.settings.get(at) {
                let name = format!("{}-{}-{}", self.prefix, setting.slug, metric.column);
                by_setting.entry(at).or_default().push((name, chart));
            }
        }
        html! {
            @if by_setting.is_empty() { p { (self.none) } }
            @for (at, charts) in &by_setting {
                figure {
                    (sheet.charts(charts))
                    figcaption {
                        @if let Some(setting) = study.settings.get(*at) { strong { (printable(&setting.label())) } }
                        ": means over seeds; bars are 95 % intervals, of Student's t where seeds vary, else by bootstrap over test images; an arrow marks one that goes on beyond the panel. Panels of one data set have the same axis. "
                        (unbroken(&study.counts(&study.places_of(*at).collect::<Vec<_>>()))) "."
                    }
                }
            }
        }
    }
}

/// Differences.
pub(crate) fn differences(parts: &Parts<'_>, sheet: &mut Sheet) -> Result<Markup> {
    let study = parts.study;
    // Those that other figures show too; the NLL stands in the table.
    let forests = COMPARED.iter().enumerate().take(SHOWN.len());
    let forests: Vec<(&str, Forest)> = forests
        .filter_map(|(at, metric)| Some((metric.column, Forest::of(study, parts.pairs, at)?)))
        .collect();
    let mut figures = Vec::new();
    for at in compared_settings(parts.pairs) {
        let own = parts.pairs.iter().filter(|pair| pair.setting == at);
        let own: Vec<&Pair> = own.collect();
        let Some(setting) = study.settings.get(at) else {
            continue;
        };
        let mut drawn = Vec::new();
        for (column, forest) in &forests {
            let draw = |look| forest.svg(at, &setting.label(), look);
            if draw(Look::PAGE).is_some() {
                let name = format!("differences-{}-{column}", setting.slug);
                drawn.push(sheet.picture(&name, |look| draw(look).unwrap_or_default()));
            }
        }
        figures.push(html! {
            figure {
                div.charts { @for svg in drawn { (svg) } }
                figcaption {
                    strong { (printable(&setting.label())) } ": dense minus ticket with 95 % intervals, paired by seed. Right of 0, the dense network has the larger figure: the better accuracy, the worse ECE and NLL. "
                    (unbroken(&pair_counts(&own))) "."
                }
            }
        });
    }
    Ok(html! {
        @if figures.is_empty() { p { "There are no pairs of a dense network and a ticket." } }
        @for figure in &figures { (figure) }
    })
}

fn pair_counts(pairs: &[&Pair]) -> String {
    let seeds = crate::study::range(pairs.iter().map(|pair| pair.paired.seeds));
    let images = crate::study::range(pairs.iter().map(|pair| pair.paired.images));
    format!("N = {images} test images; seeds: {seeds}")
}

/// How runs with figures of their own were chosen.
pub(crate) fn choice(choice: &Choice) -> Markup {
    html! {
        p.note {
            "Chosen runs: of every setting, on its most training images per class, the first seed of the first dense network and of the sparsest ticket; "
            (choice.runs()) " of " (choice.candidates) " such runs"
            @if choice.runs() < choice.candidates { " (more with a larger number of " code { "figures" } ")" }
            "."
        }
    }
}

/// A chosen run, with what it is called.
struct ChosenRun<'a> {
    run: &'a Run,
    place: Place,
    network: &'a Network,
    setting: &'a Setting,
}

fn chosen_runs<'a>(study: &'a Study, chosen: &Chosen) -> Vec<ChosenRun<'a>> {
    let chosen_run = |run: &usize| {
        let place = *study.places.get(*run)?;
        Some(ChosenRun {
            run: study.runs.get(*run)?,
            place,
            network: study.networks.get(place.network)?,
            setting: study.settings.get(place.setting)?,
        })
    };
    chosen.runs.iter().filter_map(chosen_run).collect()
}

impl ChosenRun<'_> {
    fn title(&self) -> String {
        let labels = self.place.labels.name();
        format!("{}, {labels}: {}", self.setting.label(), self.network.label)
    }

    fn file(&self, prefix: &str) -> String {
        format!("{prefix}-{}-{}", self.setting.slug, self.place.network + 1)
    }
}

/// Reliability diagrams of chosen runs.
pub(crate) fn reliability(parts: &Parts<'_>, sheet: &mut Sheet) -> Result<Markup> {
    let mut pictures = Vec::new();
    for chosen in &parts.choice.settings {
        for run in chosen_runs(parts.study, chosen) {
            let summary = &run.run.record.test.raw;
            let title = format!(
                "{}, seed {}",
                run.title(),
                run.run.record.spec.training.seed
            );
            let ink = colour(run.place.network);
            let draw = |look| diagram::svg(summary, &title, ink, look);
            pictures.push(sheet.picture(&run.file("reliability"), draw));
        }
    }
    Ok(html! {
        (choice(parts.choice))
        figure {
            div.charts.four { @for svg in pictures { (svg) } }
            figcaption { "Bars: accuracy of the test images in each bin of confidence. Red: from mean confidence to accuracy. Dashes: perfect calibration. Below: how many images each bin holds. Logits as they are, no temperature." }
        }
    })
}

/// Accuracy against ECE of all runs.
pub(crate) fn scatter(parts: &Parts<'_>, sheet: &mut Sheet) -> Result<Markup> {
    let metrics: [&'static Metric; 2] = [&ECE, &ECE_AT_TEMPERATURE];
    let drawn = metrics.map(|metric| (0, metric, against::scatter(parts.study, metric)));
    let mut charts = Vec::from(drawn);
    charts.retain(|(_, _, chart)| chart.series.iter().any(|series| !series.points.is_empty()));
    against::share_axes(parts.study, &mut charts);
    let named =
        |(_, metric, chart): (usize, &Metric, Chart)| (format!("scatter-{}", metric.column), chart);
    let charts: Vec<(String, Chart)> = charts.into_iter().map(named).collect();
    Ok(html! {
        figure {
            (sheet.charts(&charts))
            figcaption { "A point per run, all settings and seeds together: " (parts.study.runs.len()) " runs, " (unbroken(&parts.study.counts(&parts.study.cells.keys().copied().collect::<Vec<_>>()))) " each." }
        }
    })
}

/// Curves, label maps and prompts of chosen runs.
pub(crate) fn training(parts: &Parts<'_>, sheet: &mut Sheet) -> Result<Markup> {
    let mut figures = Vec::new();
    for chosen in &parts.choice.settings {
        let runs = chosen_runs(parts.study, chosen);
        figures.push(curves_of(&runs, sheet)?);
        if runs
            .iter()
            .any(|one| one.run.record.spec.prompt().is_some())
        {
            figures.push(maps(parts.study, &runs, sheet)?);
            figures.push(prompts_of(&runs, parts.options.prompt_picture, sheet));
        }
    }
    Ok(html! { (choice(parts.choice)) @for figure in &figures { (figure) } })
}

fn curves_of(runs: &[ChosenRun<'_>], sheet: &mut Sheet) -> Result<Markup> {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for one in runs {
        match Curves::read(one.run) {
            Ok(curves) => found.push((curves, one)),
            Err(error) => {
                let unread = Unread::new(
                    format!("{}/{}", one.run.folder, file_name(&one.run.dir.events())),
                    error,
                );
                problems.push(format!("{}: {}", one.run.folder, unread.reason));
                sheet.add_unread(unread);
            }
        }
    }
    let lines: Vec<curves::NamedCurves<'_>> = found
        .iter()
        .map(|(curves, one)| (curves, one.place.network, one.network.label.as_str()))
        .collect();
    let Some(first) = runs.first() else {
        return Ok(html! {});
    };
    let title = format!("{}, {}", first.setting.label(), first.place.labels.name());
    let drawn = [
        ("accuracy", curves::accuracy(&title, &lines)),
        ("loss", curves::loss(&title, &lines)),
        ("churn", curves::churn(&title, &lines)),
    ];
    let charts: Vec<(String, Chart)> = drawn
        .into_iter()
        .filter_map(|(name, chart)| Some((format!("curves-{}-{name}", first.setting.slug), chart?)))
        .collect();
    Ok(html! {
        figure {
            (sheet.charts(&charts))
            figcaption {
                strong { (printable(&title)) } ": accuracy and loss of the epochs, and, of prompting, for how many target classes the label map changed. One seed (" (first.run.record.spec.training.seed) "), "
                (first.run.record.data.labels_used) " labels."
                @for problem in problems { " Events that cannot be read: " (printable(&problem)) "." }
            }
        }
    })
}

fn maps(study: &Study, runs: &[ChosenRun<'_>], sheet: &mut Sheet) -> Result<Markup> {
    let mut pictures = Vec::new();
    for one in runs {
        let Some(map) = HeatMap::of(&study.at(one.place)) else {
            continue;
        };
        let name = one.file("label-map");
        sheet.table(&results::choices(&map, &name))?;
        let (targets, sources) = map.left_out;
        pictures.push(html! {
            figure.wide {
                div.scroll tabindex="0" role="region" aria-label="label map" { (sheet.picture(&name, |look| map.svg(&one.title(), look))) }
                figcaption {
                    strong { (printable(&one.title())) } ": how many of " (map.runs()) " runs (seeds) give a source class to a target class in the end."
                    @if targets + sources > 0 { " Left out: " (targets) " target and " (sources) " source classes." }
                }
            }
        });
    }
    Ok(html! { div.pair { @for picture in &pictures { (picture) } } })
}

fn prompts_of(runs: &[ChosenRun<'_>], draw: PromptPicture, sheet: &mut Sheet) -> Markup {
    let mut pictures = Vec::new();
    for one in runs {
        let title = one.title();
        pictures.push(match draw(&one.run.dir, &one.run.record) {
            Ok(png) => {
                let uri = data_uri(&png);
                sheet.add(&format!("figures/{}.png", one.file("prompt")), png);
                html! { figure { img src=(uri) alt={ "prompt of " (printable(&title)) };
                figcaption { strong { (printable(&title)) } ": the trained border, seed " (one.run.record.spec.training.seed) "; the image goes where it is grey." } } }
            }
            Err(error) => {
                let unread = Unread::new(format!("{}/{}", one.run.folder, file_name(&one.run.dir.prompt())), error);
                let note = html! { p.note {
                    (printable(&title)) ": the prompt cannot be read: " (printable(&unread.reason)) "."
                } };
                sheet.add_unread(unread);
                note
            }
        });
    }
    html! { div.prompts { @for picture in &pictures { (picture) } } }
}

/// A PNG file as the address of a picture in a page.
pub(crate) fn data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}
