//! `rut study`: what the reference's defects do to figures and conclusions. For the runs, see
//! `sweep`.

use anyhow::Result;
use rut_formats::{counted, escape};
use rut_metrics::digits_apart;
use rut_run::SWITCHES;
use rut_study::card::{
    CardDifference, CardFigures, CardInterval, CardRow, CardRuns, CardSetting, Conclusion,
};
use serde_json::json;

use super::sweep::{carry_out, forecast, Resources, SourceData};
use crate::args::{CardArgs, StudyCommand};
use crate::exit::Usage;
use crate::layers::{resolve_study, variables};
use crate::output::{json as print_json, result};
use crate::table::columns;

/// One of its commands.
pub fn run(command: &StudyCommand) -> Result<()> {
    match command {
        StudyCommand::Card(args) => card(args),
        StudyCommand::Switches { json } => switches(*json),
    }
}

fn card(args: &CardArgs) -> Result<()> {
    let sweep = &args.sweep;
    let study = resolve_study(&sweep.file, &sweep.study, &variables()).map_err(Usage)?;
    let runs = CardRuns::of(&study)?;
    let resources = Resources::new(sweep, &runs.study_runs)?;
    if sweep.dry_run {
        crate::set_threads(Some(resources.each(resources.jobs)));
        return forecast::show(&study, &runs.study_runs, resources);
    }
    let (_, tally) = carry_out(&runs.study_runs, resources, SourceData::Ignored)?;
    let card = runs.card(&runs.study_runs.heading.locations.results_path)?;
    if args.json {
        print_json(&card)?
    } else {
        let settings: Vec<String> = card.settings.iter().map(setting).collect();
        result(&format!("{}\n\n{LEGEND}", settings.join("\n\n")))?;
    }
    Ok(tally.verdict()?)
}

const LEGEND: &str =
    "accuracy in %; ECE as the row takes it: of logits, or summed over batches, it is no share. Differences are paired by
seed, with Student's 95 % interval over seeds. `!` marks a conclusion that is another than without any switch: an interval
that holds 0 where it did not, does not where it did, or lies on the other side.";

fn setting(setting: &CardSetting) -> String {
    let seeds = setting.rows.iter().flat_map(|row| &row.figures);
    let seeds = seeds.map(|figures| figures.seeds).max().unwrap_or(0);
    let head = format!(
        "{}; N = {}, {}",
        escape(&setting.title),
        counted(setting.test_images, "test image"),
        counted(seeds, "seed")
    );
    let mut rows = vec![heading(setting)];
    rows.extend(setting.rows.iter().map(row));
    format!("{head}\n\n{}", columns(&rows))
}

fn heading(setting: &CardSetting) -> Vec<String> {
    let mut cells = vec!["switch".to_owned(), "defect".to_owned()];
    let of = |what: &str| {
        let networks = setting.networks.iter();
        networks
            .map(move |name| format!("{what} {name}"))
            .collect::<Vec<_>>()
    };
    cells.extend(of("accuracy"));
    cells.extend(of("ECE"));
    let differences = setting.rows.first().map(|row| row.differences.as_slice());
    for CardDifference { dense, ticket, .. } in differences.unwrap_or_default() {
        cells.push(format!("accuracy {dense} − {ticket}"));
        cells.push(format!("ECE {dense} − {ticket}"));
    }
    cells
}

fn row(row: &CardRow) -> Vec<String> {
    let mut cells = vec![row.switch.to_owned(), row.defect.to_owned()];
    let of = |figure: fn(&CardFigures) -> String| row.figures.iter().map(figure);
    cells.extend(of(|f| number(f.accuracy.map(|share| 100.0 * share), 2)));
    cells.extend(of(|f| number(f.ece, 4)));
    for difference in &row.differences {
        cells.push(interval(difference.accuracy.as_ref(), 100.0, 2));
        cells.push(interval(difference.ece.as_ref(), 1.0, 4));
    }
    cells
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

fn interval(found: Option<&CardInterval>, factor: f64, digits: usize) -> String {
    let Some(found) = found else {
        return "–".into();
    };
    let nearest = match found.interval {
        Some((lo, _)) if lo > 0.0 => lo,
        Some((_, hi)) if hi < 0.0 => hi,
        _ => 0.0,
    };
    let digits = digits_apart(factor * nearest, digits);
    let signed = |value: f64| format!("{:+.digits$}", factor * value);
    let mark = match found.conclusion {
        Conclusion::Same | Conclusion::Open => "",
        Conclusion::Gained | Conclusion::Lost | Conclusion::Reversed => " !",
    };
    let ends = found.interval.map_or_else(String::new, |(lo, hi)| {
        format!(" [{}, {}]", signed(lo), signed(hi))
    });
    format!("{}{ends}{mark}", signed(found.mean))
}

fn switches(json: bool) -> Result<()> {
    if json {
        let rows: Vec<_> = SWITCHES
            .iter()
            .map(|switch| {
                let fields: serde_json::Map<_, _> = switch
                    .fields
                    .iter()
                    .map(|(field, value)| ((*field).to_owned(), (*value).into()))
                    .collect();
                json!({
                    "name": switch.name,
                    "defect": switch.defect,
                    "about": switch.about,
                    "together": switch.together,
                    "fields": fields,
                })
            })
            .collect();
        return print_json(&rows);
    }
    let mut rows = vec![["switch", "defect", "sets", "about"]
        .map(str::to_owned)
        .to_vec()];
    for switch in SWITCHES {
        let sets = switch.fields.iter();
        let sets: Vec<String> = sets
            .map(|(field, value)| format!("{field} = {value}"))
            .collect();
        rows.push(vec![
            switch.name.to_owned(),
            switch.defect.to_owned(),
            sets.join(", "),
            switch.about.to_owned(),
        ]);
    }
    result(&columns(&rows))
}
