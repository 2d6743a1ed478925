//! Data sets of the table: which archives they consist of, and the report about each.

use rut_data::{Archive, DATASETS, DatasetSpec};
use rut_formats::did_you_mean;

use crate::by_hand::{self, Presence};
use crate::delivery::{Outcome, fetch_archive};
use crate::error::{Error, Result};
use crate::queue::Queue;
use crate::session::Session;
use crate::summary::{FetchStatus, Summary};

/// Every data set of the table.
pub fn all() -> Vec<&'static DatasetSpec> {
    DATASETS.iter().collect()
}

/// The data sets called `names`, by name or alias, each once.
///
/// # Errors
/// [`Error::Unknown`], if a name is none. The message lists the known ones.
pub fn named(names: &[String]) -> Result<Vec<&'static DatasetSpec>> {
    let mut found: Vec<&DatasetSpec> = Vec::new();
    for name in names {
        let spec = rut_data::find(name).ok_or_else(|| unknown(name))?;
        if found.iter().all(|other| other.name != spec.name) {
            found.push(spec);
        }
    }
    Ok(found)
}

fn unknown(name: &str) -> Error {
    let known: Vec<_> = DATASETS.iter().map(|spec| spec.name).collect();
    Error::Unknown {
        what: "data set",
        name: name.to_owned(),
        known: known.join(", "),
        hint: did_you_mean(name, known.iter().copied()),
    }
}

/// Something to do for a data set: an archive to fetch, or a look at what needs none.
struct Task<'a> {
    spec: &'a DatasetSpec,
    archive: Option<&'a Archive>,
}

/// Fetches `specs`, several archives at a time. One that fails does not keep the others from being fetched.
///
/// # Errors
/// [`Error::Missing`], if one of them cannot be fetched; the observer is notified of each reason when it occurs.
/// [`Error::Interrupted`], if the run was asked to stop.
pub fn fetch(specs: &[&DatasetSpec], session: &Session) -> Result<()> {
    let mut tasks = Vec::new();
    for &spec in specs {
        let archive = |archive| Task { spec, archive };
        tasks.extend(spec.archives.iter().map(Some).map(archive));
        if spec.archives.is_empty() || spec.by_hand.is_some() {
            tasks.push(archive(None));
        }
    }
    let mut summary = Summary::default();
    let queue = Queue {
        items: &tasks,
        jobs: session.options.jobs,
    };
    queue.run(
        |task| task.archive.map_or("", |archive| archive.file),
        |task| Some(fetch_archive(task.archive?, session)),
        |task, result| {
            let state = match (task.archive, result) {
                (Some(archive), Some(result)) => report(task.spec, archive, result, session),
                // The reason was said.
                _ if summary.is_missing(task.spec.name) => FetchStatus::AlreadyThere,
                _ => look(task.spec, session),
            };
            summary.add(task.spec.name, state);
        },
    );
    conclude(&summary, session)
}

/// Says how it all ended.
///
/// # Errors
/// If something is missing, or the run was asked to stop.
pub(crate) fn conclude(summary: &Summary, session: &Session) -> Result<()> {
    if session.stop.is_requested() {
        return Err(Error::Interrupted);
    }
    if summary.len() > 1 {
        session.result(&summary.to_string());
    }
    let missing = summary.missing().into_iter().map(str::to_owned);
    let names: Vec<_> = missing.collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::Missing { names })
}

fn report(
    spec: &DatasetSpec,
    archive: &Archive,
    result: Result<Outcome>,
    session: &Session,
) -> FetchStatus {
    let (name, file) = (spec.name, archive.file);
    match result {
        Ok(Outcome::AlreadyThere) => {
            session.result(&format!("{name}: {file} is there already, verified"));
            FetchStatus::AlreadyThere
        }
        Ok(Outcome::Unpacked) => {
            let target = session.options.data_dir.join(archive.unpack_into);
            session.result(&format!(
                "{name}: {file} verified and unpacked into {}",
                target.display()
            ));
            FetchStatus::Fetched
        }
        Err(Error::Obstacle { url, obstacle }) => {
            let why = format!("from {url}: {obstacle}");
            session.note(&by_hand::for_archive(spec, archive, session, &why));
            FetchStatus::ByHand
        }
        Err(error) => session.failed(name, &error),
    }
}

/// The report about a data set of which a part, or all, needs no download.
fn look(spec: &DatasetSpec, session: &Session) -> FetchStatus {
    let name = spec.name;
    let Some(words) = spec.by_hand else {
        session.result(&format!("{name}: bundled with rut, nothing to fetch"));
        return FetchStatus::AlreadyThere;
    };
    let presence = by_hand::presence(spec, &session.options.data_dir);
    match presence {
        Presence::Whole if spec.archives.is_empty() => {
            session.result(&format!("{name}: its files are there"));
        }
        Presence::Whole => {}
        Presence::Part | Presence::None => {
            let words = by_hand::of_table(spec, words, session);
            session.note(&words);
        }
    }
    if presence == Presence::None {
        FetchStatus::ByHand
    } else {
        FetchStatus::AlreadyThere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = named(&["cifar10".to_owned(), "moons".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("find data set 'moons': expected one of "),
            "{error}"
        );
        assert!(error.contains("cifar10"), "{error}");
        let twice = named(&["cifar10".to_owned(), "CIFAR-10".to_owned()]).unwrap();
        assert_eq!(twice.len(), 1);
    }

    #[test]
    fn archives_have_plain_names_of_their_own() {
        let mut known: Vec<&Archive> = Vec::new();
        for archive in all().iter().flat_map(|spec| spec.archives) {
            let file = archive.file;
            assert!(
                !file.is_empty() && !file.starts_with('.') && !file.contains(['/', '\\']),
                "{file}"
            );
            let other = known.iter().find(|other| other.file == file);
            // Two data sets may share one; two archives must not share a name.
            assert!(
                other.is_none_or(|other| *other == archive),
                "{file} belongs to two archives"
            );
            known.push(archive);
        }
    }
}
