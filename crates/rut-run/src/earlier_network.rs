//! Runs on networks that earlier versions of the program held. It holds others by the same names today.

use std::path::Path;

use rut_models::{BUNDLED, BUNDLED_FROM, EARLIER_BUNDLED};
use rut_record::{Content, Locations, RunDir, RunId};

use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result};
use crate::files::WeightFiles;

/// Checks that the run in `dir`, made with the weights whose SHA-256 `content` holds, does not need a file of an earlier
/// version where `files` has its namesake of today.
///
/// # Errors
/// [`Error::EarlierNetwork`] names the file and where to get it.
pub(crate) fn check_files(dir: &Path, content: &Content, files: &WeightFiles) -> Result<()> {
    check_file(dir, Some(&content.checkpoint), Some(&files.checkpoint))?;
    check_file(dir, content.mask.as_ref(), files.mask.as_deref())
}

fn check_file(dir: &Path, sha256: Option<&String>, found: Option<&Path>) -> Result<()> {
    let (Some(sha256), Some(found)) = (sha256, found) else {
        return Ok(());
    };
    let earlier = EARLIER_BUNDLED
        .iter()
        .find(|earlier| earlier.sha256 == sha256);
    match earlier {
        Some(earlier) if name_of_today(found) == Some(earlier.name) => Err(Error::EarlierNetwork {
            run: dir.to_path_buf(),
            file: earlier.name,
            found: found.to_path_buf(),
        }),
        _ => Ok(()),
    }
}

/// Checks that `run`, which is to go on in `dir` if something was begun there, was not begun on a network of an earlier
/// version: there, or, if the files come from the program itself, under the name that it then had.
///
/// # Errors
/// As [`check_files`], and if the specification that it began with cannot be read.
pub(crate) fn check_begun(run: &CheckedRunSpec, dir: &RunDir, locations: &Locations) -> Result<()> {
    match dir.began_on()? {
        Some(content) => check_files(dir.path(), &content, &run.files),
        None if run.files.checkpoint.starts_with(BUNDLED) => check_earlier_name(run, locations),
        None => Ok(()),
    }
}

/// Checks that `run` was not begun under the name that it had when the program's networks were others.
///
/// # Errors
/// [`Error::EarlierNetwork`] if it was, and if the specification that it began with cannot be read.
pub fn check_earlier_name(run: &CheckedRunSpec, locations: &Locations) -> Result<()> {
    let Some((id, content)) = earlier_id(run)?.filter(|_| locations.run_name.is_none()) else {
        return Ok(());
    };
    let earlier = RunDir::at(locations.results_path.join(id.as_str()));
    match earlier.began_on()? {
        Some(_) => check_files(earlier.path(), &content, &run.files),
        None => Ok(()),
    }
}

/// Checks that a plan means `run`, by the id that it gave it.
///
/// # Errors
/// [`Error::Changed`] if files have come or changed since; [`Error::EarlierNetwork`] if only the program has.
pub fn check_planned(run: &CheckedRunSpec, planned: &str, locations: &Locations) -> Result<()> {
    if run.id.as_str() == planned {
        return Ok(());
    }
    if let Some((id, content)) = earlier_id(run)?.filter(|(id, _)| id.as_str() == planned) {
        check_files(
            &locations.results_path.join(id.as_str()),
            &content,
            &run.files,
        )?;
    }
    Err(Error::Changed {
        run: planned.into(),
        field: "its id".into(),
        expected: "the plan's".into(),
        found: format!(
            "{}: files have come or changed; plan again with `rut sweep run`",
            run.id
        ),
    })
}

/// The id of `run` and what it read when the program held other networks; nothing if its network is not one of the
/// program's, here or in the repository.
fn earlier_id(run: &CheckedRunSpec) -> Result<Option<(RunId, Content)>> {
    let earlier = |found: &Path| {
        let name = name_of_today(found)?;
        let mut known = EARLIER_BUNDLED.iter();
        Some(known.find(|known| known.name == name)?.sha256.to_owned())
    };
    let Some(checkpoint) = earlier(&run.files.checkpoint) else {
        return Ok(None);
    };
    let content = Content {
        checkpoint,
        mask: run.files.mask.as_deref().and_then(earlier),
        ..run.content.clone()
    };
    Ok(Some((RunId::new(&run.spec, &content)?, content)))
}

/// The name of a file in the program, or in the repository's folder of the same files.
fn name_of_today(file: &Path) -> Option<&str> {
    let folder = file.parent()?;
    let is_its_own = folder == Path::new(BUNDLED) || folder.ends_with(BUNDLED_FROM);
    file.file_name()?.to_str().filter(|_| is_its_own)
}
