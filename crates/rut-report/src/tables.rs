//! The sections of the page that hold tables, and the files that go with them. What is in the tables is decided by `results`
//! and `listing`.

use maud::{Markup, html};
use rut_formats::counted;

use crate::context::Context;
use crate::error::Result;
use crate::files::ReportFiles;
use crate::listing::{self, Common};
use crate::method_averages::Averages;
use crate::methods::{Matrices, targets};
use crate::pair::{Pair, compared_settings};
use crate::results;
use crate::sections::selection;
use crate::side_by_side::SideBySide;
use crate::table::Table;
use crate::unread;
use crate::wording::printable;

/// Columns of a table that fits half of the page.
const NARROW: usize = 3;

/// The networks.
pub(crate) fn networks(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let table = results::networks(context.study);
    files.table(&table)?;
    Ok(table.html())
}

/// All figures: means over seeds, of each setting.
pub(crate) fn figures(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let study = context.study;
    let all = results::figures(study, None);
    files.table(&all)?;
    Ok(html! {
        p.caption { (all.caption) }
        @for (at, setting) in study.settings.iter().enumerate() {
            h3 { (printable(&setting.label())) }
            (results::figures(study, Some(at)).boxed())
        }
    })
}

/// Methods on average over the data sets, and on each: figures and a table where there are several, and matrices of methods and
/// training images, the first two on the page, all in files.
pub(crate) fn methods(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let targets = targets(context.study);
    let mut bodies = Vec::new();
    if let Some(averages) = Averages::of(&targets) {
        let tables = averages.matrices();
        for table in &tables {
            files.table(table)?;
        }
        bodies.push(html! {
            h3 { "On average over " (counted(targets.len(), "data set")) }
            (first_two(&tables))
        });
    }
    for target in &targets {
        let compared = SideBySide::of(target, context.options.costs);
        let compared = compared.map(|own| own.compose(files)).transpose()?;
        let Matrices { tables, unread } = target.matrices();
        unread.into_iter().for_each(|one| files.add_unread(one));
        for table in &tables {
            files.table(table)?;
        }
        bodies.push(html! {
            h3 { (printable(target.dataset())) }
            @if let Some(compared) = compared { (compared) }
            (first_two(&tables))
        });
    }
    Ok(html! {
        @if bodies.is_empty() { p { "On no data set there are two methods or networks to compare." } }
        @for body in &bodies { (body) }
    })
}

/// Accuracy and ECE, side by side where both fit; the others are in files alone.
fn first_two(tables: &[Table]) -> Markup {
    let are_narrow = tables.iter().all(|table| table.columns.len() <= NARROW);
    html! { div.pair[are_narrow] { @for table in tables.iter().take(2) { div { (table.html()) } } } }
}

/// All differences, of each setting.
pub(crate) fn differences(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let study = context.study;
    let pairs: Vec<&Pair> = context.pairs.iter().collect();
    let all = results::differences(study, &pairs, None);
    files.table(&all)?;
    Ok(html! {
        @if pairs.is_empty() { p { "There are no pairs of a dense network and a compressed one." } }
        @else { p.caption { (all.caption) } }
        @for at in compared_settings(context.pairs) {
            @if let Some(setting) = study.settings.get(at) {
                h3 { (printable(&setting.label())) }
                (results::differences(study, &pairs, Some(at)).boxed())
            }
        }
    })
}

/// Accuracy of every class in chosen runs.
pub(crate) fn classes(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let mut tables = Vec::new();
    for chosen in &context.selection.settings {
        let Some(setting) = context.study.settings.get(chosen.setting) else {
            continue;
        };
        let slug = format!("classes-{}", setting.slug);
        let (table, unread) = results::classes(context.study, &chosen.runs, &slug);
        unread.into_iter().for_each(|one| files.add_unread(one));
        files.table(&table)?;
        tables.push(html! {
            div { h3 { (printable(&setting.label())) ", " (chosen.labels.name()) } (table.html()) }
        });
    }
    Ok(html! { (selection(context.selection)) div.pair { @for table in &tables { (table) } } })
}

/// Every run, with its status.
pub(crate) fn runs(context: &Context<'_>, files: &mut ReportFiles) -> Result<Markup> {
    let study = context.study;
    let common = Common::of(study, context.options.unused);
    let mut tables = Vec::new();
    if !study.conflicts.is_empty() {
        tables.push(listing::conflicts(study));
    }
    if !study.unfinished.is_empty() {
        tables.push(listing::unfinished(study));
    }
    // This section is the last: what the others could not read is known.
    let unread = files.unread();
    if !unread.is_empty() {
        tables.push(unread::table(&unread));
    }
    if !study.runs.is_empty() {
        tables.push(listing::runs(context, &common));
    }
    for table in &tables {
        files.table(table)?;
    }
    Ok(html! {
        @for (whose, fields) in &common.shared {
            p { strong { "Shared by " (whose) ": " } (printable(&fields.join(", "))) "." }
        }
        @for table in &tables { (table.html()) }
    })
}
