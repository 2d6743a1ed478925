//! The sections of the page that hold figures, and the files that go with them. Those that hold tables are in `tables`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use rut_record::{PromptSpec, file_name};

use crate::canvas::{FigureStyle, colour};
use crate::chart::Chart;
use crate::context::Context;
use crate::curves::{self, Curves};
use crate::diagram;
use crate::error::Result;
use crate::files::ReportFiles;
use crate::forest::Forest;
use crate::heat_map::{Content, HeatMap};
use crate::metric::{COMPARED, ECE, ECE_AT_TEMPERATURE, Metric, SHOWN};
use crate::network::Network;
use crate::pair::{Pair, compared_settings};
use crate::results;
use crate::run::Run;
use crate::selection::{SelectedRuns, Selection};
use crate::setting::Setting;
use crate::study::{Condition, Study};
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
pub(crate) fn weights(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let against = Against {
        prefix: "weights",
        charts: against::weights,
        none: "All networks keep the same share of their weights: there is nothing to draw.",
    };
    let charts = against.compose(context, files);
    Ok(html! {
        p.note { "A grey line joins the networks on as many training images per class, whose number stands at its end. Pruning goes on to the right. Stem and classifier are not counted." }
        (charts)
    })
}

/// Figures against the number of labels.
pub(crate) fn labels(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let against = Against {
        prefix: "labels",
        charts: against::labels,
        none: "There is one number of training images per class only: there is nothing to draw.",
    };
    Ok(against.compose(context, files))
}

impl Against {
    fn compose(&self, context: &Context<'_>, files: &mut ReportFiles) -> Markup {
        let study = context.study;
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
                    (files.charts(charts))
                    figcaption {
                        @if let Some(setting) = study.settings.get(*at) { strong { (printable(&setting.label())) } }
                        ": means over seeds; bars are 95 % intervals, of Student's t where seeds vary, else by bootstrap over test images; an arrow marks one that goes on beyond the panel. Panels of one data set have the same axis. "
                        (unbroken(&study.counts(&study.conditions_of(*at).collect::<Vec<_>>()))) "."
                    }
                }
            }
        }
    }
}

/// Differences.
pub(crate) fn differences(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let study = context.study;
    // Those that other figures show too; the NLL stands in the table.
    let forests = COMPARED.iter().enumerate().take(SHOWN.len());
    let forests: Vec<(&str, Forest)> = forests
        .filter_map(|(at, metric)| Some((metric.column, Forest::of(study, context.pairs, at)?)))
        .collect();
    let mut figures = Vec::new();
    for at in compared_settings(context.pairs) {
        let own = context.pairs.iter().filter(|pair| pair.setting == at);
        let own: Vec<&Pair> = own.collect();
        let Some(setting) = study.settings.get(at) else {
            continue;
        };
        let mut drawn = Vec::new();
        for (column, forest) in &forests {
            let draw = |look| forest.svg(at, &setting.label(), look);
            if draw(FigureStyle::PAGE).is_some() {
                let name = format!("differences-{}-{column}", setting.slug);
                drawn.push(files.picture(&name, |look| draw(look).unwrap_or_default()));
            }
        }
        figures.push(html! {
            figure {
                div.charts { @for svg in drawn { (svg) } }
                figcaption {
                    strong { (printable(&setting.label())) } ": dense minus compressed network with 95 % intervals, paired by seed. Right of 0, the dense network has the larger figure: the better accuracy, the worse ECE and NLL. "
                    (unbroken(&pair_counts(&own))) "."
                }
            }
        });
    }
    Ok(html! {
        @if figures.is_empty() { p { "There are no pairs of a dense network and a compressed one." } }
        @for figure in &figures { (figure) }
    })
}

fn pair_counts(pairs: &[&Pair]) -> String {
    let seeds = crate::study::range(pairs.iter().map(|pair| pair.paired.seeds));
    let images = crate::study::range(pairs.iter().map(|pair| pair.paired.images));
    format!("N = {images} test images; seeds: {seeds}")
}

/// How runs with figures of their own were chosen.
pub(crate) fn selection(selected: &Selection) -> Markup {
    html! {
        p.note {
            "Chosen runs: of every setting, on its most training images per class, the first seed of the first dense network and of the most compressed one; "
            (selected.runs()) " of " (selected.candidates) " such runs"
            @if selected.runs() < selected.candidates { " (more with a larger number of " code { "figures" } ")" }
            "."
        }
    }
}

/// A chosen run, with what it is called.
struct SelectedRun<'a> {
    run: &'a Run,
    condition: Condition,
    network: &'a Network,
    setting: &'a Setting,
}

fn chosen_runs<'a>(study: &'a Study, chosen: &SelectedRuns) -> Vec<SelectedRun<'a>> {
    let chosen_run = |run: &usize| {
        let condition = *study.conditions.get(*run)?;
        Some(SelectedRun {
            run: study.runs.get(*run)?,
            condition,
            network: study.networks.get(condition.network)?,
            setting: study.settings.get(condition.setting)?,
        })
    };
    chosen.runs.iter().filter_map(chosen_run).collect()
}

impl SelectedRun<'_> {
    fn title(&self) -> String {
        let labels = self.condition.labels.name();
        format!("{}, {labels}: {}", self.setting.label(), self.network.label)
    }

    fn file(&self, prefix: &str) -> String {
        format!(
            "{prefix}-{}-{}",
            self.setting.slug,
            self.condition.network + 1
        )
    }
}

/// Reliability diagrams of chosen runs.
pub(crate) fn reliability(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let mut pictures = Vec::new();
    for chosen in &context.selection.settings {
        for run in chosen_runs(context.study, chosen) {
            let summary = &run.run.record.test.raw;
            let title = format!(
                "{}, seed {}",
                run.title(),
                run.run.record.spec.training.seed
            );
            let ink = colour(run.condition.network);
            let draw = |look| diagram::svg(summary, &title, ink, look);
            pictures.push(files.picture(&run.file("reliability"), draw));
        }
    }
    Ok(html! {
        (selection(context.selection))
        figure {
            div.charts.four { @for svg in pictures { (svg) } }
            figcaption { "Bars: accuracy of the test images in each bin of confidence. Red: from mean confidence to accuracy. Dashes: perfect calibration. Below: how many images each bin holds. Logits as they are, no temperature." }
        }
    })
}

/// Accuracy against ECE of all runs.
pub(crate) fn scatter(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let metrics: [&'static Metric; 2] = [&ECE, &ECE_AT_TEMPERATURE];
    let drawn = metrics.map(|metric| (0, metric, against::scatter(context.study, metric)));
    let mut charts = Vec::from(drawn);
    charts.retain(|(_, _, chart)| chart.series.iter().any(|series| !series.points.is_empty()));
    against::share_axes(context.study, &mut charts);
    let named =
        |(_, metric, chart): (usize, &Metric, Chart)| (format!("scatter-{}", metric.column), chart);
    let charts: Vec<(String, Chart)> = charts.into_iter().map(named).collect();
    Ok(html! {
        figure {
            (files.charts(&charts))
            figcaption { "A point per run, all settings and seeds together: " (context.study.runs.len()) " runs, " (unbroken(&context.study.counts(&context.study.cells.keys().copied().collect::<Vec<_>>()))) " each." }
        }
    })
}

/// Curves, label maps and prompts of chosen runs.
pub(crate) fn training(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let mut figures = Vec::new();
    for chosen in &context.selection.settings {
        let runs = chosen_runs(context.study, chosen);
        figures.push(curves_of(&runs, files)?);
        if runs
            .iter()
            .any(|one| one.run.record.spec.prompt().is_some())
        {
            figures.push(maps(context, &runs, files)?);
            figures.push(prompts_of(&runs, context.options.prompt_picture, files));
        }
    }
    Ok(html! { (selection(context.selection)) @for figure in &figures { (figure) } })
}

fn curves_of(runs: &[SelectedRun<'_>], files: &mut ReportFiles) -> Result<Markup> {
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
                files.add_unread(unread);
            }
        }
    }
    let lines: Vec<curves::NamedCurves<'_>> = found
        .iter()
        .map(|(curves, one)| (curves, one.condition.network, one.network.label.as_str()))
        .collect();
    let Some(first) = runs.first() else {
        return Ok(html! {});
    };
    let title = format!(
        "{}, {}",
        first.setting.label(),
        first.condition.labels.name()
    );
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
            (files.charts(&charts))
            figcaption {
                strong { (printable(&title)) } ": accuracy and loss of the epochs, and, of prompting, for how many target classes the label map changed. One seed (" (first.run.record.spec.training.seed) "), "
                (first.run.record.data.labels_used) " labels."
                @for problem in problems { " Events that cannot be read: " (printable(&problem)) "." }
            }
        }
    })
}

fn maps(
    context: &Context<'_>,
    runs: &[SelectedRun<'_>],
    files: &mut ReportFiles,
) -> Result<Markup> {
    let mut pictures = Vec::new();
    for one in runs {
        let Some(map) = HeatMap::of(
            &context.study.at(one.condition),
            context.options.source_name,
        ) else {
            continue;
        };
        let name = one.file("label-map");
        files.table(&results::choices(&map, &name))?;
        let (targets, sources) = map.left_out;
        pictures.push(html! {
            figure.wide {
                div.scroll tabindex="0" role="region" aria-label="label map" { (files.picture(&name, |look| map.svg(&one.title(), look))) }
                figcaption {
                    strong { (printable(&one.title())) } ": "
                    @match map.content {
                        Content::Runs(runs) => { "how many of " (runs) " runs (seeds) give a source class to a target class in the end." }
                        Content::Weights(seed) => {
                            (results::LARGEST) " Blue is above 0, brown below; the darkest is " (format!("{:.3}", map.most())) ". Seed " (seed) "."
                        }
                    }
                    @if targets + sources > 0 { " Left out: " (targets) " target and " (sources) " source classes." }
                }
            }
        });
    }
    Ok(html! { div.pair { @for picture in &pictures { (picture) } } })
}

fn prompts_of(runs: &[SelectedRun<'_>], draw: PromptPicture, files: &mut ReportFiles) -> Markup {
    let mut pictures = Vec::new();
    for one in runs {
        let title = one.title();
        pictures.push(match draw(&one.run.dir, &one.run.record) {
            Ok(png) => {
                let uri = data_uri(&png);
                files.add(&format!("figures/{}.png", one.file("prompt")), png);
                html! { figure { img src=(uri) alt={ "prompt of " (printable(&title)) };
                figcaption { strong { (printable(&title)) } ": the trained prompt, seed " (one.run.record.spec.training.seed)
                    @if one.run.record.spec.prompt().is_some_and(PromptSpec::is_usual) { "; the image goes where it is grey" } "." } } }
            }
            Err(error) => {
                let unread = Unread::new(format!("{}/{}", one.run.folder, file_name(&one.run.dir.prompt())), error);
                let note = html! { p.note {
                    (printable(&title)) ": the prompt cannot be read: " (printable(&unread.reason)) "."
                } };
                files.add_unread(unread);
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
