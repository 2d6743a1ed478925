//! A study's file: a run that is varied along axes, read and checked with the fields of a
//! specification. For which runs it comes to, see `combination`.

use std::path::{Path, PathBuf};

use rut_data::Digest;
use rut_formats::did_you_mean;
use rut_record::text_file::toml_problem;
use rut_record::{LOCATION_FIELDS, Locations, Settings, text_file};
use rut_run::{all_fields, check_device, is_field};
use toml::{Table, Value};

use super::axis::{Axis, Exclusion};
use crate::error::{Error, Result};

/// More combinations than these are a slip of the keyboard.
pub(super) const MOST: usize = 250_000;

/// What may stand at the top of a file.
const KEYS: [&str; 5] = ["title", "about", "base", "axes", "exclude"];

/// A study as its file has it.
///
/// ```
/// use rut_study::sweep::Study;
/// let study = Study::parse(
///     "title = 'shots'\n[base]\ndataset = 'digits'\n[axes]\nn_shot = [1, 4, 'all']\nmethod = ['lp', 'vp']",
///     "shots.toml".as_ref(),
/// )?;
/// let (combinations, _) = study.combinations()?;
/// assert_eq!(combinations.len(), 6);
/// # Ok::<(), rut_study::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// The file, for messages.
    pub path: PathBuf,
    /// What the study is called.
    pub title: String,
    /// What it asks, in a sentence or two.
    pub about: String,
    /// What all runs share, where no axis says otherwise; places, too.
    pub(super) base: Settings,
    /// What is varied, in the order of the file.
    pub axes: Vec<Axis>,
    /// Which combinations are left out.
    pub(super) exclusions: Vec<Exclusion>,
}

impl Study {
    /// The study in the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or as [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self> {
        let text = text_file::read(path, text_file::TOML)?;
        Self::parse(&text, path)
    }

    /// The study that `text`, of the file at `path`, describes. A run's specification, and `spec.toml` of a run's folder, are
    /// studies of one run.
    ///
    /// # Errors
    /// If it is no TOML, sets nothing, a key is unknown, a value is of the wrong kind, an axis is empty, or two axes set one
    /// field.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let parser = Parser { path };
        parser.check_size(text)?;
        let mut table: Table = text
            .parse()
            .map_err(|e: toml::de::Error| parser.problem(toml_problem(&e)))?;
        if is_one_run(&table) {
            let base = match table.remove("spec") {
                Some(Value::Table(spec)) => spec,
                _ => table,
            };
            table = Table::from_iter([("base".to_owned(), Value::Table(base))]);
        }
        let known = |key: &&String| !KEYS.contains(&key.as_str());
        if let Some(key) = table.keys().find(known) {
            let hint = did_you_mean(key, KEYS);
            return Err(parser.problem(format!(
                "unknown key `{key}`: expected {}{hint}; fields of all runs stand in [base], lists in [axes]",
                KEYS.join(", ")
            )));
        }
        let base = parser.table(&mut table, "base")?;
        let axes = parser.axes(parser.table(&mut table, "axes")?)?;
        let is_empty = base.is_empty() && axes.is_empty();
        let study = Self {
            path: path.into(),
            title: parser.text(&mut table, "title")?,
            about: parser.text(&mut table, "about")?,
            base: parser.base(base)?,
            axes,
            exclusions: parser.exclusions(table.remove("exclude"))?,
        };
        if is_empty {
            return Err(parser.problem(
                "expected settings of all runs in [base], or lists in [axes] to vary, found neither",
            ));
        }
        Ok(study)
    }

    /// Lays `above` over the base.
    ///
    /// # Errors
    /// If it sets a field that an axis varies.
    pub fn cover(&mut self, above: Settings) -> Result<()> {
        for axis in &self.axes {
            for field in axis.fields() {
                if let Some(origin) = above.origin(field) {
                    return Err(self.problem(format!(
                        "`{field}` is varied by the axis `{}`, and {origin} sets it for all runs: leave one of them out",
                        axis.name
                    )));
                }
            }
        }
        self.base.cover(above);
        Ok(())
    }

    /// What distinguishes its plan from those of other studies: the name of its file, and a digest of where that lies.
    pub(super) fn mark(&self) -> String {
        let place = self.path.canonicalize();
        let place = place.or_else(|_| std::path::absolute(&self.path));
        let place = place.unwrap_or_else(|_| self.path.clone());
        let digest = Digest::of_bytes(place.as_os_str().as_encoded_bytes()).to_string();
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let safe = stem
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_');
        let name: String = safe.take(40).collect();
        format!("{name}-{}", digest.get(..8).unwrap_or_default())
    }

    /// Whether the base sets `key`.
    pub fn has(&self, key: &str) -> bool {
        self.base.has(key)
    }

    /// Where the study's runs read and write.
    ///
    /// # Errors
    /// If the base has a value that is of the wrong kind or out of range, or names a single run's folder.
    pub fn locations(&self) -> Result<Locations> {
        let (_, locations) = self.base.clone().spec_table(&all_fields())?;
        match locations.run_name {
            Some(name) => Err(self.problem(format!(
                "run_name = \"{name}\" is the folder of one run, and a study has many: leave it out; folders have the runs' ids"
            ))),
            None => Ok(locations),
        }
    }

    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        Parser { path: &self.path }.problem(problem)
    }
}

fn is_location(key: &str) -> bool {
    LOCATION_FIELDS.iter().any(|place| place.key == key)
}

/// Whether a file describes one run: by its fields at the top, or as a run's folder has it.
fn is_one_run(table: &Table) -> bool {
    let field = |key: &String| is_field(key) || is_location(key);
    let of_folder = |table: &Table| {
        matches!(table.get("spec"), Some(Value::Table(_)))
            && !KEYS.iter().any(|key| table.contains_key(*key))
    };
    of_folder(table) || !table.is_empty() && table.keys().all(field)
}

/// Reads the parts of a file, and names it where they are wrong.
struct Parser<'a> {
    path: &'a Path,
}

impl Parser<'_> {
    fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Study {
            path: self.path.into(),
            problem: problem.into(),
        }
    }

    /// Before it is parsed, which takes many times the memory of the text.
    fn check_size(&self, text: &str) -> Result<()> {
        // Each value of a list, but perhaps the last, has one behind it.
        match text.bytes().filter(|byte| *byte == b',').count() {
            values if values > MOST => Err(self.problem(format!(
                "expected lists of at most {MOST} values in all, found {values}; split the study"
            ))),
            _ => Ok(()),
        }
    }

    fn text(&self, table: &mut Table, key: &str) -> Result<String> {
        match table.remove(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.problem(format!(
                "`{key}`: expected a text, found {}",
                other.type_str()
            ))),
        }
    }

    fn table(&self, table: &mut Table, key: &str) -> Result<Table> {
        match table.remove(key) {
            None => Ok(Table::new()),
            Some(Value::Table(part)) => Ok(part),
            Some(other) => Err(self.problem(format!(
                "`{key}`: expected a table `[{key}]`, found {}",
                other.type_str()
            ))),
        }
    }

    fn base(&self, base: Table) -> Result<Settings> {
        let known = |key: &&String| !is_field(key) && !is_location(key);
        if let Some(key) = base.keys().find(known) {
            let fields = all_fields();
            let all = fields.iter().chain(LOCATION_FIELDS).map(|field| field.key);
            let hint = did_you_mean(key, all);
            return Err(self.problem(format!(
                "[base]: unknown field `{key}`: expected a setting of a run{hint}; a dry run of `rut vp` prints them"
            )));
        }
        let base = Settings::of_table(base, &format!("{}, [base]", self.path.display()));
        let (_, locations) = base.clone().spec_table(&all_fields())?;
        check_device(&locations)?;
        Ok(base)
    }

    fn axes(&self, table: Table) -> Result<Vec<Axis>> {
        let mut axes: Vec<Axis> = Vec::new();
        for (name, values) in table {
            let axis = Axis::new(&name, values).map_err(|problem| self.problem(problem))?;
            for field in axis.fields() {
                if let Some(other) = axes.iter().find(|other| other.fields().contains(&field)) {
                    return Err(self.problem(format!(
                        "`{field}` is set by two axes, `{}` and `{name}`: set it by one",
                        other.name
                    )));
                }
            }
            axes.push(axis);
        }
        Ok(axes)
    }

    fn exclusions(&self, value: Option<Value>) -> Result<Vec<Exclusion>> {
        let tables = match value {
            None => return Ok(Vec::new()),
            Some(Value::Array(tables)) => tables,
            Some(other) => vec![other],
        };
        let parse = |(index, table): (usize, Value)| {
            let Value::Table(table) = table else {
                let found = table.type_str();
                return Err(format!(
                    "exclude {}: expected a table of fields, found {found}",
                    index + 1
                ));
            };
            Exclusion::new(table).map_err(|problem| format!("exclude {}: {problem}", index + 1))
        };
        let parsed: std::result::Result<_, String> =
            tables.into_iter().enumerate().map(parse).collect();
        parsed.map_err(|problem| self.problem(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_s_specification_is_a_study_of_one_run() {
        let path = Path::new("spec.toml");
        for text in [
            "dataset = 'digits'\nseed = 7\nresults_path = 'out'",
            "format_version = 1\nrun_id = 'x'\n[spec]\ndataset = 'digits'\nseed = 7",
        ] {
            let study = Study::parse(text, path).unwrap();
            let (runs, _) = study.combinations().unwrap();
            assert_eq!(runs.len(), 1);
            assert_eq!(
                (
                    runs[0].spec.training.seed,
                    runs[0].spec.data.dataset.as_str()
                ),
                (7, "digits")
            );
        }
        let error = Study::parse("dataset = 'digits'\naxis = 1", path).unwrap_err();
        assert!(error.to_string().contains("`dataset`"), "{error}");
    }

    #[test]
    fn a_device_that_is_none_is_refused_where_it_is_written() {
        let error = Study::parse("[base]\ndevice = 'tpu'", Path::new("s.toml")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("device = `tpu`"), "{text}");
    }
}
