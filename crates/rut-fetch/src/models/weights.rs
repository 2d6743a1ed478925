//! Fetching weights: of the table of models, and of the hub.

use std::fs;
use std::path::Path;

use rut_models::find_dense;

use super::conversion::convert;
use super::hub_file::blob_name;
use super::sheet::{FORMAT, Sheet, Source};
use super::wanted::Wanted;
use crate::by_hand::Errand;
use crate::dataset::conclude;
use crate::delivery::Outcome;
use crate::digest::{Digests, Expected};
use crate::error::{Error, Result, file};
use crate::hub::Network;
use crate::job::Job;
use crate::original::Original;
use crate::queue::Queue;
use crate::session::Session;
use crate::slot::{Slot, remove, with_ending};
use crate::summary::{FetchStatus, Summary};

/// Fetches and converts weights, several at a time. One that fails does not keep the others from being fetched.
///
/// # Errors
/// [`Error::Missing`], if one of them cannot be fetched; the observer is notified of each reason when it occurs.
/// [`Error::Interrupted`], if the run was asked to stop.
pub fn fetch_weights(wanted: &[Wanted], session: &Session) -> Result<()> {
    let mut summary = Summary::default();
    let queue = Queue {
        items: wanted,
        jobs: session.options.jobs,
    };
    queue.run(
        |wanted| &wanted.target,
        |wanted| fetch_one(wanted, session),
        |wanted, result| summary.add(&wanted.title, report(wanted, result, session)),
    );
    advise(wanted, session);
    conclude(&summary, session)
}

fn fetch_one(wanted: &Wanted, session: &Session) -> Result<Outcome> {
    session.stop.check()?;
    let entry = session.options.lock.entry(&wanted.name)?;
    if wanted.done(&wanted.expected(entry.as_ref()), session) {
        return Ok(Outcome::AlreadyThere);
    }
    // Several published files may become the same one.
    let _alone = Slot::of(&session.options.checkpoints_dir, &wanted.target).lock()?;
    // Another run may have done it in the meantime, and written down what it got.
    let entry = session.options.lock.entry(&wanted.name)?;
    let expected = wanted.expected(entry.as_ref());
    if wanted.done(&expected, session) {
        return Ok(Outcome::AlreadyThere);
    }
    fetch_alone(wanted, expected, session)
}

/// Fetches and converts weights, holding their lock.
fn fetch_alone(wanted: &Wanted, expected: Expected<'_>, session: &Session) -> Result<Outcome> {
    let slot = Slot::of(&session.options.checkpoints_dir, &wanted.file);
    let job = session.job(&wanted.title);
    let hub = &session.options.hub;
    let from_hub = wanted.hub_file.as_ref();
    let cached = from_hub.and_then(|file| file.cached(hub));
    let published = published(wanted, cached.as_deref(), &slot, session, &job)?;
    let expected = Expected {
        sha256: published.as_deref(),
        ..expected
    };
    let token = from_hub.and(hub.token.as_deref());
    let url = match from_hub {
        Some(_) => wanted.url.clone(),
        None => session.address(&wanted.url, &wanted.file),
    };
    let original = Original {
        name: &wanted.name,
        official: &wanted.url,
        url: &url,
        token,
        slot: &slot,
        expected,
        room: 1,
    };
    let (source, found) = match &cached {
        Some(path) => (path.as_path(), of_cache(path, &expected, &job)?),
        None => (slot.file.as_path(), original.obtain(session, &job)?),
    };
    let temporary = with_ending(&wanted.target(session), ".new");
    let made = make(wanted, source, &found, &temporary, session, &job);
    let is_known = expected.is_published() || expected.locked.is_some();
    if made.is_err() && cached.is_none() && !is_known && !session.stop.is_requested() {
        // Only its being whole could prove that it is the right file.
        remove(&temporary)?;
        let kept = slot.set_aside()?;
        return made
            .map(|_| Outcome::Unpacked)
            .map_err(|error| Error::Unproven {
                kept,
                source: Box::new(error),
            });
    }
    // A conflicting entry of the lock is reported before anything gets its name.
    let delivered = made.and_then(|sheet| {
        original.record(session, &job, &found)?;
        deliver(&sheet, &temporary, &wanted.target(session))
    });
    remove(&temporary)?;
    delivered.map(|()| Outcome::Unpacked)
}

/// Gives converted weights their name, and writes down what they are.
fn deliver(sheet: &Sheet, temporary: &Path, target: &Path) -> Result<()> {
    let path = target.with_extension("json");
    // From here on the old one would say too much.
    remove(&path)?;
    fs::rename(temporary, target).map_err(file("rename weights to", target))?;
    sheet.write(&path)
}

/// The SHA-256 of a file of the hub: by its place in the cache, or asked for.
///
/// # Errors
/// If it has to be asked for and cannot be.
fn published(
    wanted: &Wanted,
    cached: Option<&Path>,
    slot: &Slot,
    session: &Session,
    job: &Job,
) -> Result<Option<String>> {
    let hub = &session.options.hub;
    let Some(file) = &wanted.hub_file else {
        return Ok(None);
    };
    if let Some(cached) = cached {
        return Ok(blob_name(cached));
    }
    if slot.file.exists() || session.options.network == Network::Offline {
        return Ok(None);
    }
    if hub.network == Network::Offline {
        return Err(Error::Offline {
            what: file.name(),
            switch: "HF_HUB_OFFLINE",
            url: wanted.url.clone(),
            put: slot.file.clone(),
        });
    }
    file.published(hub, job)
}

fn of_cache(path: &Path, expected: &Expected<'_>, job: &Job) -> Result<Digests> {
    let digests = Digests::of(path, job)?;
    if let Some(objection) = digests.objection(expected) {
        return Err(Error::Checksum {
            what: path.display().to_string(),
            objection,
            kept: None,
        });
    }
    job.meter.say(&format!("taken from {}", path.display()));
    Ok(digests)
}

/// Converts the weights to the file `temporary`, and says what came of it.
fn make(
    wanted: &Wanted,
    source: &Path,
    found: &Digests,
    temporary: &Path,
    session: &Session,
    job: &Job,
) -> Result<Sheet> {
    let what = format!("convert {}", source.display());
    let _claim = job
        .space
        .claim(&session.options.checkpoints_dir, found.bytes, &what)?;
    let converted = convert(source, temporary)?;
    let result = Digests::of(temporary, job)?;
    Ok(Sheet {
        format: FORMAT,
        title: wanted.title.clone(),
        recipe: wanted.recipe.map(str::to_owned),
        source: Source {
            url: wanted.url.clone(),
            sha256: found.sha256.clone(),
            bytes: found.bytes,
        },
        sha256: result.sha256,
        bytes: result.bytes,
        notes: converted.notes,
        tensors: converted.tensors,
    })
}

fn report(wanted: &Wanted, result: Result<Outcome>, session: &Session) -> FetchStatus {
    let (title, target) = (&wanted.title, wanted.target(session));
    match result {
        Ok(Outcome::AlreadyThere) => {
            session.result(&format!(
                "{title}: {} is there already, verified",
                target.display()
            ));
            FetchStatus::AlreadyThere
        }
        Ok(Outcome::Unpacked) => {
            session.result(&format!(
                "{title}: verified and converted to {}",
                target.display()
            ));
            FetchStatus::Fetched
        }
        Err(Error::Obstacle { url, obstacle }) => {
            let entry = session.options.lock.entry(&wanted.name).ok().flatten();
            let errand = Errand {
                name: title,
                file: &wanted.file,
                expected: wanted.expected(entry.as_ref()),
                from: &wanted.url,
                put: &Slot::of(&session.options.checkpoints_dir, &wanted.file).file,
                arguments: &wanted.arguments,
            };
            session.note(&errand.instructions(&format!("from {url}: {obstacle}")));
            FetchStatus::ByHand
        }
        Err(error) => session.failed(title, &error),
    }
}

/// Says which weights `rut` does not find by the model's name alone.
fn advise(wanted: &[Wanted], session: &Session) {
    let folder = &session.options.checkpoints_dir;
    let mut reported = Vec::new();
    for one in wanted {
        let target = one.target(session);
        if !target.is_file() || one.model.is_some_and(|model| reported.contains(&model)) {
            continue;
        }
        let found = one.model.and_then(rut_models::find);
        match found.map(|spec| (spec.name, find_dense(folder, spec))) {
            Some((model, Err(rut_models::Error::AmbiguousTicket { found, .. }))) => {
                reported.push(model);
                session.result(&format!(
                    "{model}: {} has several dense checkpoints ({found}): name one as `checkpoint`",
                    folder.display()
                ));
            }
            Some((_, Ok(found))) if found == target => {}
            _ => session.result(&format!(
                "{}: to use it, name {} as `checkpoint`",
                one.title,
                target.display()
            )),
        }
    }
}
