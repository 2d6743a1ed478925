//! The index of a study: a row per run with flat, typed columns, as CSV and as JSON lines, for programs.

use std::collections::BTreeSet;

use rut_formats::csv_cell;
use rut_metrics::Summary;
use rut_record::{FILE_KEYS, Labels, Record, RunSpec};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::gather::Unfinished;
use crate::run::Run;
use crate::setting::{PATHS, fields, parts};
use crate::study::{Condition, Study};
use crate::{Costs, ReportOptions, UnusedFields};

/// Rows by column, each with the same columns in the same order.
pub(crate) struct Index {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Columns and their values, in order.
type Row = Vec<(String, Value)>;

impl Index {
    /// Of all runs of `study`, finished ones first.
    pub(crate) fn of(study: &Study, options: &ReportOptions) -> Self {
        let keys = keys(study, options.unused);
        let cells = |spec: &RunSpec| spec_cells(spec, &keys, options.unused);
        let finished = study.runs.iter().zip(&study.conditions);
        let mut rows: Vec<Row> = finished
            .map(|(run, condition)| {
                finished_row(study, run, condition, cells(&run.record.spec), options)
            })
            .collect();
        let unfinished = study.unfinished.iter();
        rows.extend(unfinished.map(|run| unfinished_row(run, run.spec.as_ref().map(cells))));
        // Rows of finished runs have every column; the others some of them.
        let longest = rows.iter().rev().max_by_key(|row| row.len());
        let heads = longest.into_iter().flatten();
        let columns: Vec<String> = heads.map(|(name, _)| name.clone()).collect();
        let flat = |row: Row| {
            let mut row: Map<String, Value> = row.into_iter().collect();
            let cell = |column: &String| row.remove(column).unwrap_or_default();
            columns.iter().map(cell).collect()
        };
        let rows = rows.into_iter().map(flat).collect();
        Self { columns, rows }
    }

    /// As CSV: nothing where there is no value.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub(crate) fn csv(&self) -> Result<Vec<u8>> {
        let unwritten = |e: csv::Error| Error::Drawing(format!("the index: {e}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns).map_err(unwritten)?;
        for row in &self.rows {
            let cells = row.iter().map(|value| match value {
                Value::Null => String::new(),
                Value::String(text) => csv_cell(text).into_owned(),
                other => other.to_string(),
            });
            writer.write_record(cells).map_err(unwritten)?;
        }
        let unwritten = |e: csv::IntoInnerError<_>| Error::Drawing(e.to_string());
        writer.into_inner().map_err(unwritten)
    }

    /// As JSON, an object a line.
    pub(crate) fn json_lines(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let cells = self.columns.iter().zip(row);
            let cells = cells.map(|(name, value)| format!("{}:{value}", json!(name)));
            text.push_str(&format!("{{{}}}\n", cells.collect::<Vec<_>>().join(",")));
        }
        text
    }
}

/// Keys of the specifications of `study`, but for places to look: those of all files, then options of rows that a run sets.
fn keys(study: &Study, unused: UnusedFields) -> Vec<String> {
    let known = FILE_KEYS.iter().filter(|key| !PATHS.contains(key));
    let mut keys: Vec<String> = known.map(|key| (*key).to_owned()).collect();
    let finished = study.runs.iter().map(|run| &run.record.spec);
    let unfinished = study.unfinished.iter().filter_map(|run| run.spec.as_ref());
    let of_rows: BTreeSet<String> = finished
        .chain(unfinished)
        .flat_map(|spec| fields(spec, unused).into_keys())
        .filter(|key| !FILE_KEYS.contains(&key.as_str()))
        .collect();
    keys.extend(of_rows);
    keys
}

/// The fields of a specification under its names for them.
fn spec_cells(spec: &RunSpec, keys: &[String], unused: UnusedFields) -> Row {
    // What is usual stands in no file; where others have it, it is named.
    let mut found = parts(spec);
    found.extend(fields(spec, unused));
    let cell = |name: &String| {
        let value = match found.get(name).cloned().unwrap_or_default() {
            Value::Array(values) if values.is_empty() => Value::Null,
            Value::Array(values) => Value::Array(values).to_string().into(),
            // A number or `all`: text throughout, so that a column has one type; `shots` has the number.
            Value::Number(number) if name == "n_shot" => number.to_string().into(),
            value => value,
        };
        (name.clone(), value)
    };
    let mut row: Row = keys.iter().map(cell).collect();
    let shots = match Labels::of(spec).0 {
        rut_data::Budget::PerClass(shots) => json!(shots.0),
        _ => Value::Null,
    };
    row.push(("shots".into(), shots));
    row
}

fn unfinished_row(run: &Unfinished, spec: Option<Row>) -> Row {
    let mut row: Row = vec![
        ("run_id".into(), json!(run.run_id)),
        ("status".into(), json!(run.status.name())),
        ("error".into(), json!(run.reason)),
    ];
    row.extend(spec.into_iter().flatten());
    row
}

fn finished_row(
    study: &Study,
    run: &Run,
    condition: &Condition,
    spec: Row,
    options: &ReportOptions,
) -> Row {
    let record = &run.record;
    let label = study.networks.get(condition.network).map(|n| &n.label);
    let setting = study.settings.get(condition.setting).map(|s| s.label());
    let conflict = study.conflicts.iter().any(|c| c.run_id == record.run_id);
    let mut row: Row = Vec::new();
    let mut put = |name: &str, value: Value| row.push((name.to_owned(), value));
    put("run_id", json!(record.run_id));
    put("status", json!("done"));
    put("error", Value::Null);
    put("folder", json!(run.folder));
    put("conflict", json!(conflict));
    put("setting", json!(setting));
    put("network_label", json!(label));
    row.extend(spec);
    row.extend(flat(&known(record)));
    row.extend(summary(Some(&record.test.raw), ""));
    row.extend(summary(
        record.test.at_temperature.as_ref(),
        "_at_temperature",
    ));
    for (name, interval) in [
        ("accuracy", record.test.intervals.accuracy),
        ("ece", record.test.intervals.ece),
        ("nll", record.test.intervals.nll),
        ("brier", record.test.intervals.brier),
    ] {
        row.push((format!("{name}_lo"), json!(interval.lo)));
        row.push((format!("{name}_hi"), json!(interval.hi)));
    }
    if options.costs == Costs::Shown {
        row.extend(flat(&costs(record)));
    }
    row
}

/// What a record says of data, network and training.
fn known(record: &Record) -> Value {
    let intervals = record.temperature_intervals;
    json!({
        "test_images": record.data.test_images,
        "labels_used": record.data.labels_used,
        "image_side": record.data.image_size,
        "preprocessing": record.data.preprocessing,
        "train_digest": record.data.train_digest,
        "validation_digest": record.data.validation_digest,
        "test_digest": record.data.test_digest,
        "checkpoint_sha256": record.network.checkpoint,
        "mask_sha256": record.network.mask,
        "density": record.network.density,
        "density_without_stem_and_classifier": record.network.density_without_stem_and_classifier,
        "density_adapted": record.network.density_adapted,
        "weight_bits": record.network.quantization.as_ref().map(|q| q.weight_bits),
        "activation_bits": record.network.quantization.as_ref().and_then(|q| q.activation_bits),
        "width": record.network.width,
        "trained_values": record.training.trained_values,
        "steps_taken": record.training.steps,
        "final_loss": record.training.final_loss,
        "kept_epoch": record.training.kept_epoch,
        "selected_accuracy": record.training.selected_accuracy,
        "notes": record.training.notes.join("; "),
        "temperature": record.temperature.map(|fit| fit.temperature),
        "temperature_minimum": record.temperature.map(|fit| fit.minimum),
        "temperature_lo": intervals.map(|found| found.temperature.lo),
        "temperature_hi": intervals.map(|found| found.temperature.hi),
        "temperature_gain": intervals.map(|found| found.gain.estimate),
        "temperature_gain_lo": intervals.map(|found| found.gain.lo),
        "temperature_gain_hi": intervals.map(|found| found.gain.hi),
        "accuracy_before_remap": record.test_before_remap.as_ref().map(|s| s.raw.accuracy),
        "published_ece": record.published_ece.map(|published| published.ece),
        "validation_accuracy": record.validation.as_ref().map(|s| s.raw.accuracy),
    })
}

/// What a record says of cost and machine.
fn costs(record: &Record) -> Value {
    json!({
            "total_seconds": record.cost.total_seconds,
            "peak_memory_bytes": record.cost.peak_memory_bytes,
            "threads": record.cost.threads,
            "resumed": record.cost.resumed,
            "rut": record.environment.rut,
            "commit": record.environment.commit,
            "engine_used": record.environment.engine,
            "isa": record.environment.isa,
            "platform": record.environment.platform,
    })
}

/// The figures of a summary, `suffix` behind their names; without it, nothing in each.
fn summary(summary: Option<&Summary>, suffix: &str) -> Row {
    type Figure = (&'static str, fn(&Summary) -> f64);
    const FIGURES: [Figure; 12] = [
        ("accuracy", |s| s.accuracy),
        ("top5", |s| s.top5),
        ("mean_confidence", |s| s.mean_confidence),
        ("ece", |s| s.ece),
        ("rmsce", |s| s.rmsce),
        ("mce", |s| s.mce),
        ("adaptive_ece", |s| s.adaptive_ece),
        ("classwise_ece", |s| s.classwise_ece),
        ("debiased_ece_squared", |s| s.debiased_ece_squared),
        ("ks", |s| s.ks),
        ("nll", |s| s.nll),
        ("brier", |s| s.brier),
    ];
    let cell = |(name, of): &Figure| (format!("{name}{suffix}"), json!(summary.map(of)));
    FIGURES.iter().map(cell).collect()
}

/// The entries of an object.
fn flat(object: &Value) -> Row {
    let entries = object.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
