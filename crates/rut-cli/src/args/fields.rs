//! Flags that derive from the table of fields: name, help, default and possible values stand there alone.

use std::marker::PhantomData;

use clap::builder::{
    NonEmptyStringValueParser, PathBufValueParser, PossibleValue, PossibleValuesParser,
    StringValueParser, TypedValueParser, ValueParser,
};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use rut_record::{
    Field, Flag, Kind, Locations, RunSpec, SettingValue as Value, Settings, LOCATION_FIELDS,
};
use rut_run::{all_fields, known_names};

use super::whole;
use crate::flags::help_with_flags;

/// Values that the reference accepts and `layers` explains.
const EXPLAINED: [(&str, &str); 1] = [("network", "sparsezoo")];

/// Which fields a command takes as flags.
pub trait Pick {
    /// The fields, in the order of help.
    fn fields() -> Vec<Field>;
}

/// The values given by flags for the fields that `P` picks.
#[derive(Clone, Debug)]
pub struct FieldFlags<P> {
    /// The fields that were given.
    pub settings: Settings,
    picked: PhantomData<fn() -> P>,
}

/// A network, as `rut ticket inspect` takes it.
#[derive(Clone, Copy, Debug)]
pub struct OfNetwork;

const NETWORK: [&str; 10] = [
    "model",
    "network",
    "sparsity",
    "bits",
    "activation_bits",
    "pretrained_dir",
    "checkpoint",
    "checkpoint_key",
    "mask",
    "source_classes",
];

impl Pick for OfNetwork {
    fn fields() -> Vec<Field> {
        picked(&[&NETWORK])
    }
}

/// A network and images without training, as `rut extract` takes them.
#[derive(Clone, Copy, Debug)]
pub struct OfSource;

/// How images are read and become a network's input.
const IMAGES: [&str; 10] = [
    "split",
    "skip_unreadable",
    "classes",
    "data_dir",
    "mean",
    "std",
    "resize",
    "crop",
    "interpolation",
    "threads",
];

const SOURCE: [&str; 3] = ["dataset", "engine", "precision"];

impl Pick for OfSource {
    fn fields() -> Vec<Field> {
        picked(&[&SOURCE, &IMAGES, &NETWORK])
    }
}

/// A network, its pretraining recipe and images, as `rut upstream` takes them.
#[derive(Clone, Copy, Debug)]
pub struct OfUpstream;

impl Pick for OfUpstream {
    fn fields() -> Vec<Field> {
        picked(&[&SOURCE, &IMAGES, &NETWORK, &["recipe"]])
    }
}

/// A network to prune, and how images for its recalibration are read, as `rut ticket make` takes them.
#[derive(Clone, Copy, Debug)]
pub struct OfPruned;

impl Pick for OfPruned {
    fn fields() -> Vec<Field> {
        picked(&[&NETWORK, &IMAGES])
    }
}

/// A network to quantize, and how images for the ranges of its activations are read, as `rut quantize` takes them.
#[derive(Clone, Copy, Debug)]
pub struct OfQuantized;

impl Pick for OfQuantized {
    fn fields() -> Vec<Field> {
        let mut fields = OfPruned::fields();
        // Its own flags of these names say what is made.
        fields.retain(|field| !["bits", "activation_bits"].contains(&field.key));
        fields
    }
}

/// A data set that is named otherwise, as commands of `rut data` take it.
#[derive(Clone, Copy, Debug)]
pub struct OfDataset;

const DATASET: [&str; 4] = ["split", "classes", "data_dir", "threads"];

impl Pick for OfDataset {
    fn fields() -> Vec<Field> {
        picked(&[&DATASET])
    }
}

/// A data set and how many of its images are used, as `rut data draw` takes it.
#[derive(Clone, Copy, Debug)]
pub struct OfDraw;

impl Pick for OfDraw {
    fn fields() -> Vec<Field> {
        let labels = [
            "n_shot",
            "fraction",
            "val_fraction",
            "val_shots",
            "validation",
            "seed",
            "short_classes",
        ];
        picked(&[&DATASET, &labels])
    }
}

/// The paths that all runs of a study share.
#[derive(Clone, Copy, Debug)]
pub struct OfStudy;

impl Pick for OfStudy {
    fn fields() -> Vec<Field> {
        picked(&[&["results_path", "data_dir", "cache_dir", "pretrained_dir"]])
    }
}

/// The fields of these keys, in the order of the table.
fn picked(keys: &[&[&str]]) -> Vec<Field> {
    let mut all = [all_fields(), LOCATION_FIELDS.to_vec()].concat();
    all.retain(|field| keys.iter().any(|keys| keys.contains(&field.key)));
    all.dedup_by_key(|field| field.key);
    all
}

impl<P: Pick> Args for FieldFlags<P> {
    fn augment_args(command: Command) -> Command {
        with_fields(command, &P::fields(), &[])
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<P: Pick> FromArgMatches for FieldFlags<P> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            settings: flag_settings(&P::fields(), matches),
            picked: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// `command` with flags of `fields`, and of `hidden` ones that help does not list.
pub fn with_fields(command: Command, fields: &[Field], hidden: &[Field]) -> Command {
    let listed = fields.iter().map(|field| (field, true));
    let all: Vec<(&Field, bool)> = listed
        .chain(hidden.iter().map(|field| (field, false)))
        .collect();
    let keys: Vec<&str> = all.iter().map(|(field, _)| field.key).collect();
    let given = all.iter().filter(|(field, _)| field.flag != Flag::None);
    let args = given.map(|(field, listed)| arg(field, &keys).hide(!listed));
    command.args(args.collect::<Vec<_>>())
}

/// The values given by flags for `fields`.
pub fn flag_settings(fields: &[Field], matches: &ArgMatches) -> Settings {
    let mut settings = Settings::default();
    for field in fields {
        let value = match field.flag {
            Flag::None => None,
            Flag::Switch { value, .. } => matches.get_flag(field.key).then(|| value.into()),
            Flag::Key => value(field, matches),
        };
        if let Some(value) = value {
            settings.put(field.key, value, &format!("--{}", name(field)));
        }
    }
    settings
}

/// The flag of `field`, without dashes before it.
fn name(field: &Field) -> String {
    match field.flag {
        Flag::Switch { name, .. } => name.to_owned(),
        Flag::Key | Flag::None => field.key.replace('_', "-"),
    }
}

fn value(field: &Field, matches: &ArgMatches) -> Option<Value> {
    match field.kind {
        Kind::Numbers | Kind::Texts => {
            let values = matches.get_many::<Value>(field.key)?;
            Some(Value::Array(values.cloned().collect()))
        }
        _ => matches.get_one::<Value>(field.key).cloned(),
    }
}

fn arg(field: &Field, beside: &[&str]) -> Arg {
    let name = name(field);
    let others = [name.replace('-', "_")]
        .into_iter()
        .filter(|other| *other != name);
    let aliases = others.chain(field.aliases.iter().map(|alias| (*alias).to_owned()));
    let arg = Arg::new(field.key)
        .long(name.clone())
        .aliases(aliases.collect::<Vec<_>>())
        .help_heading(field.heading);
    if let Flag::Switch { .. } = field.flag {
        return arg
            .action(ArgAction::SetTrue)
            .help(help_with_flags(field.help));
    }
    let shown = default_text(field);
    let default = shown.map_or_else(String::new, |default| format!(" [default: {default}]"));
    let arg = arg
        .value_name(field.value_name)
        .help(help_with_flags(&format!("{}{default}", field.help)))
        .value_parser(parser(field))
        .ignore_case(true);
    let arg = match field.kind {
        Kind::Numbers | Kind::Texts => arg.value_delimiter(',').action(ArgAction::Append),
        _ => arg,
    };
    let conflicts = field
        .instead_of
        .iter()
        .filter(|other| beside.contains(other));
    arg.conflicts_with_all(conflicts.copied())
}

/// What help says of the default.
fn default_text(field: &Field) -> Option<String> {
    let usual = || {
        let fields = serde_json::to_value(RunSpec::default()).ok()?;
        let locations = serde_json::to_value(Locations::default()).ok()?;
        let found = fields.get(field.key).or_else(|| locations.get(field.key))?;
        match found {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.as_f64()?.to_string()),
            _ => None,
        }
    };
    let in_words = Some(field.left_out).filter(|words| !words.is_empty());
    // Files leave out the default of what is younger than they are; its table begins with it.
    let first = || {
        known_names(field.key)
            .first()
            .map(|(name, _)| (*name).to_owned())
    };
    in_words
        .or(field.default)
        .map(str::to_owned)
        .or_else(usual)
        .or_else(first)
}

fn parser(field: &Field) -> ValueParser {
    let names: Vec<PossibleValue> = match field.kind {
        Kind::Words(words) => words
            .iter()
            .map(|word| {
                PossibleValue::new(word.name)
                    .help(help_with_flags(word.about))
                    .aliases(word.aliases)
            })
            .collect(),
        Kind::Name => known_names(field.key)
            .into_iter()
            .map(|(name, about)| PossibleValue::new(name).help(about))
            .collect(),
        _ => Vec::new(),
    };
    match field.kind {
        Kind::Words(_) | Kind::Name if !names.is_empty() => {
            let explained = EXPLAINED.iter().filter(|(key, _)| *key == field.key);
            let hidden = explained.map(|(_, word)| PossibleValue::new(*word).hide(true));
            let known: Vec<PossibleValue> = names.into_iter().chain(hidden).collect();
            let spelled = known.clone();
            PossibleValuesParser::new(known)
                .map(move |text| {
                    let found = spelled.iter().find(|value| value.matches(&text, true));
                    Value::from(found.map_or(text.as_str(), PossibleValue::get_name))
                })
                .into()
        }
        Kind::Count => StringValueParser::new()
            .try_map(|text| whole::<u32>(&text).map(Value::from))
            .into(),
        Kind::Whole => StringValueParser::new()
            .try_map(|text| {
                let number = whole::<u64>(&text)?;
                let number = i64::try_from(number);
                number
                    .map(Value::from)
                    .map_err(|_| "expected a smaller number".to_owned())
            })
            .into(),
        Kind::Number | Kind::Numbers => StringValueParser::new()
            .try_map(|text| text.trim().parse::<f64>().map(Value::from))
            .into(),
        Kind::Path => PathBufValueParser::new()
            .try_map(|path| {
                let text = path.into_os_string().into_string();
                text.map(Value::from)
                    .map_err(|_| "expected a path in UTF-8")
            })
            .into(),
        Kind::Texts => StringValueParser::new().map(Value::from).into(),
        Kind::Text | Kind::Name | Kind::Words(_) => {
            NonEmptyStringValueParser::new().map(Value::from).into()
        }
    }
}
