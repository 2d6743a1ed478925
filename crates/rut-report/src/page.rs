//! The page: what stands on it, in which order. The parts are drawn elsewhere; its look is `style.css`.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::canvas::FigureStyle;
use crate::claims::claims;
use crate::context::Context;
use crate::error::Result;
use crate::files::ReportFiles;
use crate::index::Index;
use crate::links::Links;
use crate::matrix::matrix;
use crate::overview::overview;
use crate::pair::{Comparisons, Pair, pairs};
use crate::sections;
use crate::selection::Selection;
use crate::statement::statements;
use crate::study::{Condition, Study};
use crate::tables;
use crate::wording::{printable, unbroken};
use crate::{Costs, ReportOptions};

/// The look of the page.
const STYLE: &str = include_str!("style.css");

/// Sorts and filters tables; without it the page is complete.
const SCRIPT: &str = include_str!("script.js");

/// Statements that stand at the top; the others are folded away.
const FIRST: usize = 8;

/// A part of the page: its anchor, its heading, what the contents call it, and what composes it.
struct Section {
    anchor: &'static str,
    heading: &'static str,
    short: &'static str,
    compose: fn(&Context<'_>, &mut ReportFiles) -> Result<Markup>,
}

/// The parts of the page below the matrix of results, in order: figures, then tables.
const SECTIONS: [Section; 13] = [
    Section {
        anchor: "claims",
        heading: "The claims of arXiv 2308.14969",
        short: "Claims",
        compose: claims,
    },
    Section {
        anchor: "weights",
        heading: "Accuracy and calibration against remaining weights",
        short: "Remaining weights",
        compose: sections::weights,
    },
    Section {
        anchor: "labels",
        heading: "Accuracy and calibration against training images per class",
        short: "Training images",
        compose: sections::labels,
    },
    Section {
        anchor: "differences",
        heading: "Dense minus compressed",
        short: "Differences",
        compose: sections::differences,
    },
    Section {
        anchor: "reliability",
        heading: "Reliability",
        short: "Reliability",
        compose: sections::reliability,
    },
    Section {
        anchor: "scatter",
        heading: "Accuracy against calibration",
        short: "Accuracy and ECE",
        compose: sections::scatter,
    },
    Section {
        anchor: "training",
        heading: "Training, label maps and prompts",
        short: "Training",
        compose: sections::training,
    },
    Section {
        anchor: "networks",
        heading: "Networks",
        short: "Networks",
        compose: tables::networks,
    },
    Section {
        anchor: "results",
        heading: "All figures",
        short: "All figures",
        compose: tables::figures,
    },
    Section {
        anchor: "methods",
        heading: "Methods side by side",
        short: "Methods",
        compose: tables::methods,
    },
    Section {
        anchor: "all-differences",
        heading: "All differences",
        short: "All differences",
        compose: tables::differences,
    },
    Section {
        anchor: "classes",
        heading: "Classes",
        short: "Classes",
        compose: tables::classes,
    },
    Section {
        anchor: "runs",
        heading: "All runs",
        short: "All runs",
        compose: tables::runs,
    },
];

/// Composes page, figures, tables and index of `study`.
///
/// # Errors
/// If something cannot be drawn or written down.
pub(crate) fn compose(
    study: &Study,
    links: &Links,
    options: &ReportOptions,
) -> Result<ReportFiles> {
    let mut files = ReportFiles::new(
        options
            .figure_width
            .map_or(FigureStyle::PAGE, FigureStyle::of_paper),
    );
    let index = Index::of(study, options);
    files.add("runs.csv", index.csv()?);
    files.add("runs.jsonl", index.json_lines());
    let pairs = pairs(study);
    let of_pairs = pairs.iter().flat_map(|pair| &pair.paired.unread);
    for unread in study.unread.iter().chain(of_pairs) {
        files.add_unread(unread.clone());
    }
    let context = Context {
        study,
        pairs: &pairs,
        selection: &Selection::of(study, options.figures),
        links,
        options,
    };
    let mut bodies = Vec::new();
    for section in &SECTIONS {
        bodies.push((section, (section.compose)(&context, &mut files)?));
    }
    let title = title(study, options);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // No request for a picture beside the page's own.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (head(study, &title, files.unread_count())) }
                nav aria-label="Contents" { @for (section, _) in &bodies {
                    a href={ "#" (section.anchor) } { (section.short) }
                } }
                main {
                    section #answer { h2 { "Results" } (matrix(study, &pairs)) }
                    section #findings { h2 { "Differences in words" } (findings(study, &pairs)) }
                    section #words { h2 { "Abbreviations" } (words()) }
                    @for (section, body) in &bodies {
                        section id=(section.anchor) { h2 { (section.heading) } (body) }
                    }
                }
                footer { (foot(options)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    files.convert(&options.figure_formats)?;
    files.add_page(page.into_string());
    Ok(files)
}

fn title(study: &Study, options: &ReportOptions) -> String {
    let title = options.title.clone().or_else(|| study.title.clone());
    printable(&title.unwrap_or_else(|| "A study of frozen networks".into()))
}

fn head(study: &Study, title: &str, unread: usize) -> Markup {
    html! {
        h1 { (title) }
        @if let Some(about) = &study.about { p.about { (printable(about)) } }
        (overview(study, unread))
        @if !study.conflicts.is_empty() {
            p.alarm role="alert" {
                strong { "Conflicting records: " (study.conflicts.len()) ". " }
                "Two folders hold different results of one run; the first is used, and nothing is averaged. They are listed under "
                a href="#runs" { "All runs" } "."
            }
        }
    }
}

fn findings(study: &Study, pairs: &[Pair]) -> Markup {
    let sentences = statements(study, pairs);
    let Comparisons {
        intervals,
        excluding,
    } = Comparisons::of(pairs);
    let conditions: Vec<Condition> = study.cells.keys().copied().collect();
    let (doubtful, fitted) = study.doubtful(&conditions);
    let by_chance = 0.05 * intervals as f64;
    let (first, rest) = sentences.split_at(sentences.len().min(FIRST));
    html! {
        @if pairs.is_empty() {
            p { "No compressed network stands beside a dense network of the same model, on the same data and labels and from the same seed, so nothing is compared here." }
        } @else if sentences.is_empty() {
            p { "No difference between a compressed network and its dense one is clear: of " (intervals) " intervals, every one holds 0." }
        } @else {
            p {
                (intervals) " differences between a compressed and a dense network have a 95 % interval (accuracy, ECE, ECE at the fitted temperature, NLL); "
                (excluding) " exclude 0. "
                "Were there no differences at all, about " (format!("{by_chance:.1}")) " would do so by chance: read single ones with that in mind."
            }
            ul.statements { @for statement in first { li { (unbroken(statement)) } } }
            @if !rest.is_empty() {
                details { summary { (rest.len()) " more" }
                    ul.statements { @for statement in rest { li { (unbroken(statement)) } } }
                }
            }
        }
        @if doubtful > 0 {
            p {
                "Read figures at T = 1 first: in " (doubtful) " of " (fitted) " runs with a fitted temperature it lies at a bound, or its gain on the validation images that it was fitted on has a 95 % interval that includes 0 (of other temperatures, fitted on draws of those images). "
                "Which these are stands under " a href="#runs" { "All runs" } "."
            }
        }
        p.note {
            "Intervals over seeds (Student's t) show the variance of drawing images and of training, those by bootstrap the sampling variance of the test set; neither shows what the choice of data sets, or the training of a network upstream, changes. "
            "Small test sets inflate the ECE, so N, the number of test images, stands beside every figure."
        }
    }
}

/// What made the page.
fn foot(options: &ReportOptions) -> Markup {
    html! { p {
        @match &options.provenance {
            Some(provenance) if options.costs == Costs::Shown => {
                "Provenance by " (printable(&provenance.program)) " on " (provenance.date) ": " code { (printable(&provenance.command)) } ". "
            }
            _ => { "Provenance by " code { "rut report" } " from the runs' records. " }
        }
        "Figures, tables and the index of runs stand beside this page as SVG, CSV, LaTeX and JSON."
    } }
}

/// Abbreviations, each spelled out once.
fn words() -> Markup {
    const WORDS: [(&str, &str); 13] = [
        (
            "LP",
            "linear probing: a linear head is trained on frozen features",
        ),
        (
            "VP",
            "visual prompting: a change of the input is trained, and source classes are mapped to target classes",
        ),
        ("VP+LP", "a prompt and a linear head are trained together"),
        (
            "Ticket",
            "a pruned network (lottery ticket); its dense network has all weights",
        ),
        (
            "W4, W4A8",
            "a quantized network: weights of 4 bits, activations of 8 bits",
        ),
        (
            "Shots",
            "training images of each class: 16 shots are 16 images per class",
        ),
        ("N", "number of test images"),
        (
            "ECE",
            "expected calibration error: mean distance between confidence and accuracy, in 15 bins of equal width",
        ),
        (
            "T",
            "temperature that logits are divided by, fitted on validation images; T = 1 leaves them as they are",
        ),
        (
            "CE²",
            "squared calibration error without the bias that small sets give the ECE",
        ),
        ("NLL", "negative log-likelihood of the true class, in nats"),
        (
            "Brier",
            "squared distance between predicted probabilities and the true class",
        ),
        ("Points", "differences of percentages"),
    ];
    html! { dl.words { @for (word, meaning) in WORDS { div { dt { (word) } dd { (meaning) } } } } }
}
