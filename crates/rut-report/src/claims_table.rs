//! The comparisons of the claims and their averages as tables. For the page, see `claims`.

use rut_record::Labels;

use crate::canvas::colour;
use crate::comparison::{Average, Comparison, Tested};
use crate::family::Family;
use crate::results::{condition_cells, condition_columns};
use crate::study::Study;
use crate::table::{Column, Kind, Table, Value};

/// All comparisons, a row each.
pub(crate) fn of_comparisons<'a>(
    study: &Study,
    families: impl Iterator<Item = &'a Family<'a>>,
) -> Table {
    let mut columns = Vec::from(family_columns());
    columns.extend(condition_columns(None));
    columns.extend([
        Column::new("dense", "dense", Kind::Text),
        Column::new("compressed", "compressed", Kind::Text),
        Column::new("minus that on", "minus_labels", Kind::Text),
        Column::new("seeds", "seeds", Kind::Number),
        Column::new("N", "test_images", Kind::Number),
    ]);
    columns.extend(tested_columns());
    let row = |family: &Family<'_>, one: &Comparison| {
        let mut row = Vec::from(family_cells(family));
        let (of, tested) = (&one.contrast, &one.tested);
        row.extend(condition_cells(study, of.setting, of.labels.tick(), None));
        row.extend([
            network(study, of.dense),
            network(study, of.compressed),
            Value::Text(of.most.map_or_else(String::new, Labels::tick)),
            Value::Count(tested.seeds as u64),
            Value::Count(of.images as u64),
        ]);
        row.extend(tested_cells(family, tested));
        row
    };
    Table {
        slug: "claims".into(),
        caption: "Claims of arXiv 2308.14969, and 3b beside them: compressed minus dense network, paired by seed, with 95 % intervals and two-sided \
                  p-values of Student's t, alone and adjusted by Holm's rule over the differences of one claim in one figure. \
                  Claim 1b is the difference on the fewest training images minus that on the most."
            .into(),
        columns,
        rows: families
            .flat_map(|family| family.comparisons.iter().map(move |one| row(family, one)))
            .collect(),
    }
}

/// All averages, a row each.
pub(crate) fn of_averages<'a>(
    study: &Study,
    families: impl Iterator<Item = &'a Family<'a>>,
) -> Table {
    let mut columns = Vec::from(family_columns());
    columns.extend([
        Column::new("images per class", "labels", Kind::Text),
        Column::new("conditions", "conditions", Kind::Number),
        Column::new("dense", "dense", Kind::Text),
        Column::new("compressed", "compressed", Kind::Text),
        Column::new("seeds", "seeds", Kind::Number),
    ]);
    columns.extend(tested_columns());
    let row = |family: &Family<'_>, one: &Average| {
        let mut row = Vec::from(family_cells(family));
        row.extend([
            Value::Text(one.labels.map_or_else(String::new, Labels::tick)),
            Value::Count(one.conditions as u64),
            network(study, one.dense),
            network(study, one.compressed),
            Value::Count(one.tested.seeds as u64),
        ]);
        row.extend(tested_cells(family, &one.tested));
        row
    };
    Table {
        slug: "claims-averages".into(),
        caption: "Claims of arXiv 2308.14969, and 3b beside them, on average over conditions (settings, each on so many training images): \
                  compressed minus dense network, paired by seed, with 95 % intervals and two-sided p-values of Student's t over \
                  the averages of seeds, alone and adjusted by Holm's rule over the averages of one claim in one figure. Without \
                  images per class: over all numbers of them, for claim 1b the fewest minus the most."
            .into(),
        columns,
        rows: families
            .flat_map(|family| family.averages.iter().map(move |one| row(family, one)))
            .collect(),
    }
}

fn family_columns() -> [Column; 2] {
    [
        Column::new("claim", "claim", Kind::Text),
        Column::new("figure", "figure", Kind::Text),
    ]
}

fn family_cells(family: &Family<'_>) -> [Value; 2] {
    [
        Value::Text(family.claim.number.into()),
        Value::Text(family.metric.name.into()),
    ]
}

fn tested_columns() -> [Column; 3] {
    [
        Column::new("difference, points", "difference", Kind::Interval),
        Column::new("p", "p", Kind::Text),
        Column::new("p, adjusted", "p_adjusted", Kind::Text),
    ]
}

fn tested_cells(family: &Family<'_>, tested: &Tested) -> [Value; 3] {
    [
        Value::Difference(Some(tested.difference), family.metric.unit),
        Value::Probability(tested.p),
        Value::Probability(tested.adjusted),
    ]
}

fn network(study: &Study, at: usize) -> Value {
    let label = study.networks.get(at).map(|n| n.label.clone());
    Value::Network(label.unwrap_or_default(), colour(at))
}
