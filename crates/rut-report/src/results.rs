//! The tables of a study: networks, figures, differences, label maps, classes. For how a table is written, see `table`.

use std::collections::BTreeSet;

use rut_record::{UpstreamRecord, file_name};

use crate::canvas::colour;
use crate::heat_map::{Content, HeatMap};
use crate::metric::{COMPARED, METRICS, NO_PROBABILITY, Unit};
use crate::network::{Network, short};
use crate::pair::Pair;
use crate::run::Run;
use crate::setting::last_part;
use crate::study::{Condition, Study};
use crate::table::{Column, Kind, Table, Value};
use crate::unread::Unread;
use crate::wording::figure;

/// The networks, a row each.
pub(crate) fn networks(study: &Study) -> Table {
    let columns = [
        ("network", "network", Kind::Text),
        ("recipe", "recipe", Kind::Text),
        ("model", "model", Kind::Text),
        ("checkpoint", "checkpoint", Kind::Text),
        ("mask", "mask", Kind::Text),
        ("weights kept, %", "density", Kind::Number),
        (
            "without stem and classifier, %",
            "density_without_stem_and_classifier",
            Kind::Number,
        ),
        ("runs", "runs", Kind::Number),
        ("upstream", "upstream", Kind::Text),
    ];
    let row = |(at, network): (usize, &Network)| {
        let runs = study
            .conditions
            .iter()
            .filter(|condition| condition.network == at);
        vec![
            Value::Network(network.label.clone(), colour(at)),
            Value::Text(network.recipe.clone().unwrap_or_else(|| "–".into())),
            Value::Text(network.key.model.clone()),
            Value::Text(short(&network.key.checkpoint).into()),
            Value::Text(network.key.mask.as_deref().map_or("none", short).into()),
            Value::Figure(Some(network.density), Unit::Percent),
            Value::Figure(Some(network.body_density), Unit::Percent),
            Value::Count(runs.count() as u64),
            Value::Text(upstream(study, network)),
        ]
    };
    Table {
        slug: "networks".into(),
        caption: "Networks. Checkpoint and mask by the first letters of their SHA-256; upstream is what the network scores \
                  on its own source data, without adaptation."
            .into(),
        columns: columns.map(|(name, key, kind)| Column::new(name, key, kind)).into(),
        rows: study.networks.iter().enumerate().map(row).collect(),
    }
}

fn upstream(study: &Study, network: &Network) -> String {
    let percent = |value| figure(value, Unit::Percent);
    let described = |record: &UpstreamRecord| {
        let scores = &record.scores;
        let accuracy = scores.intervals.accuracy;
        let precision = record.precision.as_ref();
        let precision = precision.map_or_else(String::new, |name| format!(", precision {name}"));
        format!(
            "{}: accuracy {} ({} to {}), ECE {}, N = {}{precision}",
            last_part(&record.dataset),
            percent(accuracy.estimate),
            percent(accuracy.lo),
            percent(accuracy.hi),
            percent(scores.raw.ece),
            scores.raw.n
        )
    };
    let own = |record: &&UpstreamRecord| crate::upstream::key(record) == network.key;
    // Several folders may hold the same measurement.
    let measurements: BTreeSet<String> = study.upstream.iter().filter(own).map(described).collect();
    let unread = |one: &Unread| one.name.contains("upstream/");
    if !measurements.is_empty() {
        measurements.into_iter().collect::<Vec<_>>().join("; ")
    } else if study.unread.iter().any(unread) {
        "unknown: a measurement cannot be read".into()
    } else {
        "not measured".into()
    }
}

/// The figures of every condition: of one setting, or of all.
pub(crate) fn figures(study: &Study, setting: Option<usize>) -> Table {
    let mut columns = condition_columns(setting);
    // On the page, where data set and method stand above the table, rows are named by their networks.
    let first = if setting.is_some() { 0 } else { columns.len() };
    columns.insert(first, Column::new("network", "network", Kind::Text));
    columns.extend([
        Column::new(
            "kept, %",
            "density_without_stem_and_classifier",
            Kind::Number,
        ),
        Column::new("seeds", "seeds", Kind::Number),
        Column::new("N", "test_images", Kind::Number),
    ]);
    for metric in METRICS {
        let unit = match metric.unit {
            Unit::Percent => format!("{}, %", metric.name),
            Unit::Plain => metric.name.to_owned(),
        };
        columns.push(Column::new(&unit, metric.column, Kind::Interval));
        if metric.interval.is_some() {
            let key = format!("{}_bootstrap", metric.column);
            columns.push(Column::new("bootstrap", &key, Kind::Ends));
        }
    }
    columns.push(Column::new(
        "T in doubt",
        "temperature_in_doubt",
        Kind::Text,
    ));
    let wanted =
        |condition: &&Condition| setting.is_none_or(|setting| setting == condition.setting);
    let rows = study.cells.keys().filter(wanted);
    Table {
        slug: "results".into(),
        caption: "Means over seeds. Intervals are of 95 %: with a figure Student's t over its seeds, which does not \
                  know that a share ends at 0; in the column beside it the bootstrap over test images, its ends averaged over \
                  seeds. T is in doubt where it lies at a bound or its gain on validation images has an \
                  interval that includes 0: read those rows at T = 1."
            .into(),
        columns,
        rows: rows.map(|condition| figures_row(study, *condition, setting)).collect(),
    }
    .with_footnote(NO_PROBABILITY)
}

/// The columns that say of which setting and number of labels a row is.
pub(crate) fn condition_columns(setting: Option<usize>) -> Vec<Column> {
    let mut columns = Vec::new();
    if setting.is_none() {
        columns.extend([
            Column::new("data set", "dataset", Kind::Text),
            Column::new("method", "method", Kind::Text),
            Column::new("setting", "setting", Kind::Text),
        ]);
    }
    columns.push(Column::new("images per class", "labels", Kind::Text));
    columns
}

/// What stands in them.
pub(crate) fn condition_cells(
    study: &Study,
    index: usize,
    labels: String,
    setting: Option<usize>,
) -> Vec<Value> {
    let mut row = Vec::new();
    if let (None, Some(own)) = (setting, study.settings.get(index)) {
        let words = [&own.dataset, own.method.abbreviation(), &own.apart];
        row.extend(words.map(|word| Value::Text(word.to_owned())));
    }
    row.push(Value::Text(labels));
    row
}

fn figures_row(study: &Study, condition: Condition, setting: Option<usize>) -> Vec<Value> {
    let runs = study.at(condition);
    let network = study.networks.get(condition.network);
    let images = runs.first().map_or(0, |run| run.record.data.test_images);
    let mut row = condition_cells(study, condition.setting, condition.labels.tick(), setting);
    let first = if setting.is_some() { 0 } else { row.len() };
    let label = network.map(|n| n.label.clone()).unwrap_or_default();
    row.insert(first, Value::Network(label, colour(condition.network)));
    row.extend([
        Value::Figure(network.map(|n| n.body_density), Unit::Percent),
        Value::Count(runs.len() as u64),
        Value::Count(images as u64),
    ]);
    for metric in METRICS {
        let value = Value::Estimate(study.over_seeds(condition, metric), metric.unit);
        row.push(study.marked(&[condition], metric, value));
        if metric.interval.is_some() {
            row.push(Value::Ends(study.bootstrap(condition, metric), metric.unit));
        }
    }
    row.push(Value::Text(match study.doubtful(&[condition]) {
        (_, 0) => "none fitted".into(),
        (doubtful, fitted) => format!("{doubtful} of {fitted}"),
    }));
    row
}

/// Dense minus compressed: of one setting, or of all.
pub(crate) fn differences(study: &Study, pairs: &[&Pair], setting: Option<usize>) -> Table {
    let mut columns = condition_columns(setting);
    columns.push(Column::new("dense", "dense", Kind::Text));
    let first = if setting.is_some() { 0 } else { columns.len() };
    columns.insert(first, Column::new("compressed", "ticket", Kind::Text));
    columns.extend([
        Column::new("seeds", "seeds", Kind::Number),
        Column::new("N", "test_images", Kind::Number),
    ]);
    for metric in COMPARED {
        let name = match metric.unit {
            Unit::Percent => format!("{}, points", metric.name),
            Unit::Plain => metric.name.to_owned(),
        };
        columns.push(Column::new(&name, metric.column, Kind::Interval));
    }
    columns.push(Column::new("interval", "interval", Kind::Text));
    let wanted = |pair: &&&Pair| setting.is_none_or(|setting| setting == pair.setting);
    let rows = pairs.iter().filter(wanted);
    Table {
        slug: "differences".into(),
        caption: "Dense minus compressed network, paired by seed, with 95 % intervals; in bold where the interval excludes 0."
            .into(),
        columns,
        rows: rows.map(|pair| difference_row(study, pair, setting)).collect(),
    }
}

fn difference_row(study: &Study, pair: &Pair, setting: Option<usize>) -> Vec<Value> {
    let network = |at: usize| {
        let label = study.networks.get(at).map(|n| n.label.clone());
        Value::Network(label.unwrap_or_default(), colour(at))
    };
    let mut row = condition_cells(study, pair.setting, pair.labels.tick(), setting);
    row.push(network(pair.dense));
    let first = if setting.is_some() { 0 } else { row.len() };
    row.insert(first, network(pair.compressed));
    row.extend([
        Value::Count(pair.paired.seeds as u64),
        Value::Count(pair.paired.images as u64),
    ]);
    let values = pair
        .paired
        .differences
        .iter()
        .zip(COMPARED)
        .map(|(difference, metric)| Value::Difference(difference.map(|d| d.estimate), metric.unit));
    row.extend(values);
    let mut kinds: Vec<&str> = Vec::new();
    for spread in pair
        .paired
        .differences
        .iter()
        .flatten()
        .filter_map(|d| d.spread)
    {
        if !kinds.contains(&spread.name()) {
            kinds.push(spread.name());
        }
    }
    let note = pair.paired.note.clone();
    row.push(Value::Text(note.unwrap_or_else(|| {
        if kinds.is_empty() {
            "none".into()
        } else {
            kinds.join("; ")
        }
    })));
    row
}

/// Which source class is for which target class, and how often or with which weight.
pub(crate) fn choices(map: &HeatMap, slug: &str) -> Table {
    let (name, key, caption) = match map.content {
        Content::Runs(runs) => {
            let caption = format!("How many of {runs} runs choose a source class.");
            ("runs", "runs", caption)
        }
        Content::Weights(seed) => {
            let caption = format!("{LARGEST} Seed {seed}.");
            ("weight", "weight", caption)
        }
    };
    let columns = [
        ("source class", "source", Kind::Text),
        ("target class", "target", Kind::Text),
        (name, key, Kind::Number),
    ];
    let row = |(source, target, value): (&str, &str, f64)| {
        vec![
            Value::Text(source.into()),
            Value::Text(target.into()),
            match map.content {
                Content::Runs(_) => Value::Count(value as u64),
                Content::Weights(_) => Value::Figure(Some(value), Unit::Plain),
            },
        ]
    };
    Table {
        slug: slug.into(),
        caption,
        columns: columns
            .map(|(name, key, kind)| Column::new(name, key, kind))
            .into(),
        rows: map.cells().map(row).collect(),
    }
}

/// What is shown of a weighted label map.
pub(crate) const LARGEST: &str =
    "Weights of source classes for target classes; of each target class only the five largest.";

/// Accuracy of every class, a column per run whose record can still be read, and those that cannot; the runs have the same
/// test images.
pub(crate) fn classes(study: &Study, runs: &[usize], slug: &str) -> (Table, Vec<Unread>) {
    let mut columns = vec![
        Column::new("class", "class", Kind::Text),
        Column::new("images", "images", Kind::Number),
    ];
    let runs: Vec<(&Run, &Condition)> = runs
        .iter()
        .filter_map(|run| study.runs.get(*run).zip(study.conditions.get(*run)))
        .collect();
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for (run, condition) in &runs {
        let label = study
            .networks
            .get(condition.network)
            .map_or("", |n| &n.label);
        match run.dir.read_record() {
            Ok(record) => {
                columns.push(Column::new(&format!("{label}, %"), label, Kind::Number));
                found.push(record.test.raw.per_class);
            }
            Err(error) => unread.push(Unread::new(
                format!("{}/{}", run.folder, file_name(&run.dir.record())),
                error,
            )),
        }
    }
    let names = runs
        .first()
        .map(|(run, _)| &*run.class_names)
        .unwrap_or_default();
    let row = |(class, name): (usize, &String)| {
        let count = found
            .first()
            .and_then(|run| run.get(class))
            .map_or(0, |c| c.count);
        let mut row = vec![Value::Text(name.clone()), Value::Count(count)];
        let accuracies = found
            .iter()
            .map(|run| run.get(class).and_then(|c| c.accuracy));
        row.extend(accuracies.map(|accuracy| Value::Figure(accuracy, Unit::Percent)));
        row
    };
    let table = Table {
        slug: slug.into(),
        caption: "Accuracy of every class on the test images.".into(),
        columns,
        rows: names.iter().enumerate().map(row).collect(),
    };
    (table, unread)
}
