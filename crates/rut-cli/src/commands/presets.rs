//! `rut presets`.

use anyhow::Result;
use rut_run::{find_preset, Preset, PRESETS};
use serde_json::{json as object, Value};

use crate::output::{json, result};
use crate::table::{columns, entries};

/// Lists the presets, or describes one.
pub fn run(name: Option<&str>, as_json: bool) -> Result<()> {
    match (name, as_json) {
        (None, true) => json(&PRESETS.iter().map(row_json).collect::<Vec<_>>()),
        (None, false) => result(&list()),
        (Some(name), true) => json(&row_json(find_preset(name)?)),
        (Some(name), false) => result(&describe(find_preset(name)?)),
    }
}

fn list() -> String {
    let mut rows = vec![["name", "what it is", "published"]
        .map(str::to_owned)
        .to_vec()];
    rows.extend(PRESETS.iter().map(|preset| {
        [preset.name, preset.about, preset.published]
            .map(str::to_owned)
            .to_vec()
    }));
    let note = "Averages are those of 11 data sets by ResNet-50, the best epoch chosen on the test images; `rut presets NAME` shows keys \
                and source.";
    format!("{}\n{note}\n", columns(&rows))
}

fn describe(preset: &Preset) -> String {
    let rows = [
        ("name", preset.name.to_owned()),
        ("what it is", preset.about.to_owned()),
        ("source", preset.source.to_owned()),
        ("published", preset.published.to_owned()),
    ];
    format!("{}\n{}\n", entries(&rows), preset.toml)
}

fn row_json(preset: &Preset) -> Value {
    object!({
        "name": preset.name, "about": preset.about, "source": preset.source, "published": preset.published,
        "toml": preset.toml,
    })
}
