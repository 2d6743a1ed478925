//! From flags, settings and files to one specification: TOML < `RUT_*` < `--set` < flags. `rut-record` defines the fields.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{bail, Result};
use rut_record::{Locations, Method, RunSpec, Settings};
use rut_run::{
    all_fields, as_published, canonicalize, check_device, find_preset, parse_switches, with_preset,
    PRESET,
};
use rut_study::sweep::Study;

use crate::args::{LayerFlags, StudyFlags};

/// Variables `RUT_*` that are no keys of a specification.
const OTHER_VARIABLES: [&str; 5] = [
    "RUT_ISA",
    "RUT_SHARED",
    "RUT_REQUIRE_SHARED",
    "RUT_PYTHON",
    "RUT_REQUIRE_PYTHON",
];

/// If one of these keys is set, the quickstart is not meant.
const QUICKSTART_UNLESS: [&str; 4] = ["dataset", "model", "network", "checkpoint"];

/// What a call asks for.
#[derive(Debug)]
pub struct Resolved {
    /// The specification of the run.
    pub spec: RunSpec,
    /// Where it reads and writes.
    pub locations: Locations,
    /// Whether the quickstart's settings are used.
    pub quickstart: bool,
    /// Whether a layer names the data set; else it is the default.
    pub names_dataset: bool,
}

/// Settings that override the environment's variables.
#[derive(Clone, Copy, Debug)]
pub struct Overrides<'a> {
    /// Values given by flags.
    pub flags: &'a Settings,
    /// Configuration files and keys, which flags override.
    pub layers: &'a LayerFlags,
}

/// Puts the layers together for `method`. `variables` are the environment's.
///
/// # Errors
/// If a file cannot be read, a key is unknown, or a value is of the wrong kind.
pub fn resolve(
    method: Method,
    overrides: Overrides<'_>,
    variables: &[(String, String)],
) -> Result<Resolved> {
    resolve_over(quickstart_layer(method), method, overrides, variables)
}

/// The same for a command to which the quickstart means nothing.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_places(
    overrides: Overrides<'_>,
    variables: &[(String, String)],
) -> Result<Resolved> {
    resolve_over(None, Method::Lp, overrides, variables)
}

fn resolve_over(
    quickstart: Option<&str>,
    method: Method,
    overrides: Overrides<'_>,
    variables: &[(String, String)],
) -> Result<Resolved> {
    if overrides.flags.text("network") == Some("sparsezoo") {
        bail!(
            "use --network sparsezoo: SparseZoo hands out ONNX files; export the network's state dict (.pth or .safetensors) \
             and give it as --checkpoint: its zeros are used as they are"
        );
    }
    let mut above = environment(variables);
    above.cover(settings(&overrides.layers.set)?);
    above.cover(overrides.flags.clone());
    let config = overrides.layers.config.as_deref();
    let named = config.is_some() || QUICKSTART_UNLESS.iter().any(|key| above.has(key));
    let layer = quickstart.filter(|_| !named);
    let quickstart = layer.is_some();
    let mut all = match (config, layer) {
        (Some(path), _) => Settings::read(path)?,
        (None, Some(layer)) => Settings::parse(layer, "the quickstart")?,
        (None, None) => Settings::default(),
    };
    check_method(method, &all)?;
    let preset = above.text(PRESET).or_else(|| all.text(PRESET));
    if let Some(name) = preset {
        check_preset(method, name)?;
    }
    let at_once = above.text("optimizer") == Some("lbfgs")
        || above.text("head").is_some_and(|head| head != "linear");
    if quickstart && at_once {
        // All images are taken at once; the quickstart's batches are for Adam.
        all.forget("batch_size");
    }
    all.cover(above);
    all = with_preset(all)?;
    all.set("method", method.name(), "the command");
    if let (false, Some(cache)) = (all.has("cache_dir"), default_cache(variables)) {
        all.set("cache_dir", &cache, "the user's cache folder");
    }
    let names_dataset = all.has("dataset");
    let (spec, locations) = all.resolve(&all_fields())?;
    check_device(&locations)?;
    Ok(Resolved {
        names_dataset,
        spec,
        locations,
        quickstart,
    })
}

/// `spec` as the reference does it, where `list` of switches says so.
///
/// # Errors
/// If a switch is unknown.
pub fn published(mut spec: RunSpec, list: Option<&str>) -> Result<RunSpec> {
    let Some(list) = list else {
        return Ok(spec);
    };
    canonicalize(&mut spec);
    Ok(as_published(&spec, &parse_switches(list)?)?)
}

/// The study in the file at `path`, with the other layers over its base.
///
/// # Errors
/// As [`resolve`], and if the file is no study.
pub fn resolve_study(
    path: &Path,
    flags: &StudyFlags,
    variables: &[(String, String)],
) -> Result<Study> {
    let mut study = Study::read(path)?;
    let mut above = environment(variables);
    above.cover(settings(&flags.set)?);
    above.cover(flags.fields.settings.clone());
    if let (false, Some(cache)) = (
        study.has("cache_dir") || above.has("cache_dir"),
        default_cache(variables),
    ) {
        above.set("cache_dir", &cache, "the user's cache folder");
    }
    study.cover(above)?;
    Ok(study)
}

/// The environment's variables, but for those that are no text.
pub fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// A file may name its method, but only the one that is run.
fn check_method(method: Method, file: &Settings) -> Result<()> {
    match file.text("method") {
        Some(found) if found != method.name() => {
            bail!("use the file for `rut {}`: it says `method = \"{found}\"`; run `rut {found}` instead", method.name())
        }
        _ => Ok(()),
    }
}

/// A preset belongs to one method.
fn check_preset(method: Method, name: &str) -> Result<()> {
    let preset = find_preset(name)?;
    match preset
        .table()?
        .get("method")
        .and_then(|found| found.as_str())
    {
        Some(found) if found != method.name() => {
            bail!(
                "use the preset {} with `rut {}`: it is one of `rut {found}`",
                preset.name,
                method.name()
            )
        }
        _ => Ok(()),
    }
}

/// The quickstart's settings of a method, used if nothing is named; `None` if the method has none.
const QUICKSTARTS: [(Method, &str); 3] = [
    (Method::Lp, include_str!("quickstart/lp.toml")),
    (Method::Vp, include_str!("quickstart/vp.toml")),
    (Method::Joint, include_str!("quickstart/joint.toml")),
];

fn quickstart_layer(method: Method) -> Option<&'static str> {
    let found = QUICKSTARTS.iter().find(|(own, _)| *own == method);
    found.map(|(_, layer)| *layer)
}

/// The user's cache folder, where nothing says otherwise.
fn default_cache(variables: &[(String, String)]) -> Option<String> {
    let set = |name: &str| {
        variables
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value)
    };
    let base = set("XDG_CACHE_HOME")
        .cloned()
        .or_else(|| Some(format!("{}/.cache", set("HOME")?)))?;
    Some(format!("{base}/rut"))
}

fn environment(variables: &[(String, String)]) -> Settings {
    let mut found = Settings::default();
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| !OTHER_VARIABLES.contains(&name.as_str()))
    {
        if let Some(key) = name.strip_prefix("RUT_") {
            found.set(&key.to_lowercase(), value, &format!("the variable {name}"));
        }
    }
    found
}

fn settings(pairs: &[String]) -> Result<Settings> {
    let mut above = Settings::default();
    for text in pairs {
        let Some((key, value)) = text.split_once('=') else {
            bail!("read `--set {text}`: expected KEY=VALUE")
        };
        above.set(
            &key.trim().replace('-', "_"),
            value.trim(),
            &format!("--set {text}"),
        );
    }
    Ok(above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};

    fn resolved(line: &str, variables: &[(&str, &str)]) -> Result<Resolved> {
        let cli = Cli::read(line.split_whitespace())?;
        let variables: Vec<_> = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let Command::Run(run) = cli.command else {
            bail!("not a run")
        };
        let (method, flags) = (run.method, &run.flags);
        let overrides = Overrides {
            flags: &run.fields,
            layers: &flags.layers,
        };
        let mut resolved = resolve(method, overrides, &variables)?;
        let list = flags.published.as_published.as_deref();
        resolved.spec = published(resolved.spec, list)?;
        Ok(resolved)
    }

    #[test]
    fn a_command_line_of_the_paper_works_as_it_is() {
        let line = "rut vp --network LT --sparsity 8 --pretrained_dir tickets --dataset cifar10 --n_shot -1 --batch_size 128 \
                    --epoch 100 --lr 0.01 --mapping-interval 1 --seed 4 --results_path out --run_name first --wandb";
        let Resolved {
            spec,
            locations,
            quickstart,
            ..
        } = resolved(line, &[]).unwrap();
        let want = "sparsity = 8\npretrained_dir = 'tickets'";
        let want = RunSpec::from_toml(want).unwrap();
        assert_eq!(spec, want);
        assert_eq!(
            (
                locations.results_path.to_str(),
                locations.run_name.as_deref()
            ),
            (Some("out"), Some("first"))
        );
        assert!(!quickstart);
    }

    #[test]
    fn later_layers_win() {
        let variables = [
            ("RUT_SEED", "1"),
            ("RUT_LR", "0.1"),
            ("RUT_EPOCHS", "7"),
            ("RUT_ENGINE", "reference"),
            ("RUT_ISA", "avx2"),
        ];
        let spec = resolved(
            "rut vp --dataset digits --set seed=2 --set lr=0.2 --seed 3 --engine sparse",
            &variables,
        )
        .unwrap()
        .spec;
        assert_eq!(
            (spec.training.seed, spec.training.lr, spec.training.epochs),
            (3, 0.2, 7)
        );
        assert_eq!(spec.network.engine, "sparse");
    }

    #[test]
    fn a_share_and_shots_take_each_other_s_place() {
        let budget = |line: &str, variables: &[(&str, &str)]| {
            let spec = resolved(line, variables).unwrap().spec;
            spec.budget().unwrap().to_string()
        };
        let share = [("RUT_FRACTION", "0.1")];
        assert_eq!(budget("rut vp", &share), "fraction 0.1");
        assert_eq!(budget("rut vp --n-shot all", &share), "all");
        assert_eq!(budget("rut vp --set n_shot=3", &share), "3");
        let shots = [("RUT_N_SHOT", "5")];
        assert_eq!(budget("rut vp --fraction 0.5", &shots), "fraction 0.5");
        assert_eq!(budget("rut vp --set fraction=0.5 --n-shot 2", &shots), "2");
        let both = [("RUT_N_SHOT", "5"), ("RUT_FRACTION", "0.1")];
        let spec = resolved("rut vp", &both).unwrap().spec;
        assert!(spec.budget().is_err());
    }

    #[test]
    fn the_quickstart_is_meant_only_when_nothing_names_data_or_network() {
        let bare = resolved("rut vp --seed 9", &[]).unwrap();
        assert!(bare.quickstart);
        assert_eq!(
            (
                bare.spec.data.dataset.as_str(),
                bare.spec.training.epochs,
                bare.spec.training.seed
            ),
            ("digits", 40, 9)
        );
        let named = resolved("rut vp --dataset digits", &[]).unwrap();
        assert!(!named.quickstart);
        assert_eq!(
            (
                named.spec.network.model.as_str(),
                named.spec.training.epochs
            ),
            ("resnet50", 100)
        );
        assert!(
            !resolved("rut vp", &[("RUT_MODEL", "resnet18")])
                .unwrap()
                .quickstart
        );
    }

    #[test]
    fn what_was_published_lies_over_everything() {
        let spec = |line: &str| resolved(line, &[]).unwrap().spec;
        let all = spec("rut vp --dataset digits --select last --as-published");
        assert_eq!(all.training.select, rut_record::Select::BestTest);
        let option = |spec: &RunSpec, key: &str| spec.prompt().unwrap().options.get(key).cloned();
        assert_eq!(option(&all, "remap"), Some("off".into()));
        let one = spec("rut vp --as-published ties=index --dataset digits");
        assert_eq!(option(&one, "ties"), Some("index".into()));
        assert_eq!(option(&one, "remap"), None);
        let error = resolved("rut vp --as-published tie=index", &[]).unwrap_err();
        assert!(format!("{error:#}").contains("ties=index"), "{error:#}");
    }

    #[test]
    fn steps_take_the_place_of_epochs() {
        let spec = resolved("rut vp --dataset digits --steps 100", &[])
            .unwrap()
            .spec;
        assert_eq!(
            (spec.training.steps, spec.training.epochs),
            (Some(100), 100)
        );
        assert!(resolved("rut vp --steps 100 --epochs 3", &[]).is_err());
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = resolved("rut vp --set learning_rate=1", &[]).unwrap_err();
        assert!(format!("{error:#}").contains("learning_rate"), "{error:#}");
    }

    #[test]
    fn what_is_wrong_is_named_with_where_it_came_from() {
        for (line, variables, texts) in [
            (
                "rut vp",
                vec![("RUT_LRR", "1")],
                ["the variable RUT_LRR", "unknown field `lrr`"],
            ),
            (
                "rut vp --set lr=abc",
                vec![],
                ["--set lr=abc", "expected f64"],
            ),
            ("rut vp --n-shot 0", vec![], ["--n-shot", "from 1 up"]),
            (
                "rut vp --set device=tpu",
                vec![],
                ["device = `tpu`", "one of cpu"],
            ),
        ] {
            let error = format!("{:#}", resolved(line, &variables).unwrap_err());
            assert!(
                texts.iter().all(|text| error.contains(text)),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn the_reference_s_other_networks_are_explained() {
        let error = resolved("rut vp --network sparsezoo", &[]).unwrap_err();
        assert!(format!("{error:#}").contains("--checkpoint"), "{error:#}");
    }
}
