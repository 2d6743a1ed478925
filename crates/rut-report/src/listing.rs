//! Every run of a study as a row: finished, failed, missing, unreadable.

use std::collections::{BTreeMap, BTreeSet};

use rut_record::Labels;

use crate::canvas::colour;
use crate::context::Context;
use crate::gather::Unfinished;
use crate::metric::{ECE_AT_TEMPERATURE, Unit};
use crate::run::Run;
use crate::setting::{Fields, described, fields, last_part, varying};
use crate::study::{Condition, Study};
use crate::table::{Column, Kind, Table, Value};
use crate::{Costs, UnusedFields};

/// Fields that have a column of their own.
const OWN: [&str; 9] = [
    "dataset", "method", "n_shot", "fraction", "seed", "model", "network", "sparsity", "recipe",
];

/// What the runs share, and what sets one apart from the others of its method.
pub(crate) struct Common {
    /// Whose they are, and fields that have the same value in all of them, in words.
    pub(crate) shared: Vec<(String, Vec<String>)>,
    varying: BTreeMap<String, BTreeSet<String>>,
}

impl Common {
    /// Of the finished runs of `study`.
    pub(crate) fn of(study: &Study, unused: UnusedFields) -> Self {
        let mut by_method: BTreeMap<String, Vec<Fields>> = BTreeMap::new();
        for (run, condition) in study.runs.iter().zip(&study.conditions) {
            let found = by_method.entry(study.method_name(*condition)).or_default();
            found.push(fields(&run.record.spec, unused));
        }
        let whole: Vec<&Fields> = by_method.values().flatten().collect();
        let everywhere = same(&whole);
        let mut shared = vec![("all finished runs".to_owned(), words(&everywhere))];
        let mut varies = BTreeMap::new();
        for (method, own) in &by_method {
            let own: Vec<&Fields> = own.iter().collect();
            let mut same = same(&own);
            same.retain(|field, _| !everywhere.contains_key(field) && field != "method");
            shared.push((format!("all {method} runs"), words(&same)));
            let names = varying(&own).into_iter().map(str::to_owned);
            varies.insert(method.clone(), names.collect());
        }
        shared.retain(|(_, fields)| !fields.is_empty());
        Self {
            shared,
            varying: varies,
        }
    }

    /// What sets a run of `method` with `fields` apart, beside what has a column of its own.
    fn apart(&self, method: &str, fields: &Fields) -> String {
        let own = |field: &&String| !OWN.contains(&field.as_str());
        let varying = self.varying.get(method).into_iter().flatten();
        let described = varying
            .filter(own)
            .map(|field| described(field, fields.get(field)));
        described.collect::<Vec<_>>().join(", ")
    }
}

/// The fields that have the same value in all.
fn same(all: &[&Fields]) -> Fields {
    let varying = varying(all);
    let first = all.first().into_iter().flat_map(|fields| fields.iter());
    let same = first.filter(|(field, _)| !varying.contains(field.as_str()));
    same.map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

fn words(fields: &Fields) -> Vec<String> {
    let fields = fields.iter();
    let described = fields.map(|(field, value)| described(field, Some(value)));
    described.collect()
}

/// The finished runs.
pub(crate) fn runs(context: &Context<'_>, common: &Common) -> Table {
    let (study, options) = (context.study, context.options);
    let mut columns = vec![
        Column::new("run", "run_id", Kind::Text),
        Column::new("data set", "dataset", Kind::Text),
        Column::new("method", "method", Kind::Text),
        Column::new("images per class", "labels", Kind::Text),
        Column::new("network", "network", Kind::Text),
        Column::new("seed", "seed", Kind::Number),
        Column::new(
            "kept, %",
            "density_without_stem_and_classifier",
            Kind::Number,
        ),
        Column::new("N", "test_images", Kind::Number),
        Column::new("accuracy, %", "accuracy", Kind::Number),
        Column::new("ECE, %", "ece", Kind::Number),
        Column::new("ECE at T, %", "ece_at_temperature", Kind::Number),
        Column::new("epoch kept", "epoch_kept", Kind::Number),
        Column::new("steps", "steps", Kind::Number),
    ];
    if published(study) {
        columns.push(Column::new(
            "ECE as published",
            "published_ece",
            Kind::Number,
        ));
    }
    if options.costs == Costs::Shown {
        columns.push(Column::new("seconds", "total_seconds", Kind::Number));
    }
    columns.extend([
        Column::new("what sets it apart", "apart", Kind::Text),
        Column::new("notes", "notes", Kind::Text),
    ]);
    let rows = study.runs.iter().zip(&study.conditions);
    Table {
        slug: "runs".into(),
        caption: format!("Finished runs ({}).", study.runs.len()),
        columns,
        rows: rows
            .map(|(run, condition)| row(context, run, condition, common))
            .collect(),
    }
}

fn row(context: &Context<'_>, run: &Run, condition: &Condition, common: &Common) -> Vec<Value> {
    let (study, options) = (context.study, context.options);
    let record = &run.record;
    let network = study.networks.get(condition.network);
    let mut notes = record.training.notes.clone();
    notes.extend(record.temperature_doubt().map(|doubt| doubt.to_string()));
    let conflict = study.conflicts.iter().find(|c| c.run_id == record.run_id);
    notes.extend(conflict.map(|c| format!("another record differs: {}", c.left)));
    if !run.folder.ends_with(&record.run_id) {
        notes.push(format!("in {}", run.folder));
    }
    let mut row = vec![
        Value::Run(record.run_id.clone(), context.links.of(&run.dir)),
        Value::Text(record.data.name.clone()),
        Value::Text(study.method_name(*condition)),
        Value::Text(condition.labels.tick()),
        Value::Network(
            network.map(|n| n.label.clone()).unwrap_or_default(),
            colour(condition.network),
        ),
        Value::Count(record.spec.training.seed),
        Value::Figure(
            Some(record.network.density_without_stem_and_classifier),
            Unit::Percent,
        ),
        Value::Count(record.data.test_images as u64),
        Value::Figure(Some(record.test.raw.accuracy), Unit::Percent),
        Value::Figure(Some(record.test.raw.ece), Unit::Percent),
        Value::Figure((ECE_AT_TEMPERATURE.of)(record), Unit::Percent),
        Value::Count(u64::from(record.training.kept_epoch) + 1),
        Value::Count(record.training.steps),
    ];
    if published(study) {
        let ece = record.published_ece.map(|published| published.ece);
        row.push(Value::Figure(ece, Unit::Plain));
    }
    if options.costs == Costs::Shown {
        row.push(Value::Text(format!("{:.1}", record.cost.total_seconds)));
    }
    row.extend([
        Value::Text(common.apart(
            &study.method_name(*condition),
            &fields(&record.spec, options.unused),
        )),
        Value::Text(notes.join("; ")),
    ]);
    row
}

/// Whether a run has an ECE that is taken as published: on logits it is no share, so it stands as a plain number.
fn published(study: &Study) -> bool {
    study
        .runs
        .iter()
        .any(|run| run.record.published_ece.is_some())
}

/// The runs without a record that can be used.
pub(crate) fn unfinished(study: &Study) -> Table {
    let columns = [
        ("run", "run_id"),
        ("state", "state"),
        ("why", "reason"),
        ("what was to be run", "spec"),
    ];
    let row = |run: &Unfinished| {
        let spec = run.spec.as_ref().map(|spec| {
            format!(
                "{}, {}, {}, {}, seed {}",
                last_part(&spec.data.dataset),
                spec.method().abbreviation(),
                spec.network.model,
                Labels::of(spec).name(),
                spec.training.seed
            )
        });
        let words = [
            run.run_id.clone(),
            run.status.name().to_owned(),
            run.reason.clone(),
            spec.unwrap_or_else(|| "unknown".into()),
        ];
        words.map(Value::Text).to_vec()
    };
    Table {
        slug: "unfinished".into(),
        caption: format!("Runs without figures ({}).", study.unfinished.len()),
        columns: columns
            .map(|(name, key)| Column::new(name, key, Kind::Text))
            .into(),
        rows: study.unfinished.iter().map(row).collect(),
    }
}

/// Records that contradict each other.
pub(crate) fn conflicts(study: &Study) -> Table {
    let columns = [
        ("run", "run_id"),
        ("used", "used"),
        ("not used", "left"),
        ("what differs", "differs"),
    ];
    let row = |c: &crate::gather::Conflict| {
        let words = [&c.run_id, &c.used, &c.left, &c.what];
        words.map(|word| Value::Text(word.clone())).to_vec()
    };
    Table {
        slug: "conflicts".into(),
        caption: "Two records of one run with different results. The first folder's is used; none is averaged.".into(),
        columns: columns.map(|(name, key)| Column::new(name, key, Kind::Text)).into(),
        rows: study.conflicts.iter().map(row).collect(),
    }
}
