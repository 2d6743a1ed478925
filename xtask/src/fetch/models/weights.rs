//! Fetching weights: of the table of models, and of the hub.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rut_models::{Error, find_dense};

use super::super::by_hand::Errand;
use super::super::dataset::conclude;
use super::super::delivery::Outcome;
use super::super::digest::{Digests, Expected};
use super::super::job::Job;
use super::super::obstacle::Obstacle;
use super::super::original::Original;
use super::super::queue::Queue;
use super::super::session::{Network, Session};
use super::super::slot::{Slot, remove, with_ending};
use super::super::stop::Interrupted;
use super::super::summary::{State, Summary};
use super::conversion::convert;
use super::hub::blob_name;
use super::sheet::{FORMAT, Sheet, Source};
use super::wanted::Wanted;

/// Fetches and converts weights, several at a time. One that fails does not keep the others from being fetched.
///
/// # Errors
/// If one of them cannot be fetched. Each reason is printed when it occurs.
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
    let entry = session.lock.entry(&wanted.name)?;
    if wanted.done(&wanted.expected(entry.as_ref()), session) {
        return Ok(Outcome::AlreadyThere);
    }
    // Several published files may become the same one.
    let _alone = Slot::of(&session.options.checkpoints_dir, &wanted.target).lock()?;
    // Another run may have done it in the meantime, and written down what it got.
    let entry = session.lock.entry(&wanted.name)?;
    let expected = wanted.expected(entry.as_ref());
    if wanted.done(&expected, session) {
        return Ok(Outcome::AlreadyThere);
    }
    fetch_alone(wanted, expected, session)
}

/// Brings and converts weights that nobody else is at.
fn fetch_alone(wanted: &Wanted, expected: Expected<'_>, session: &Session) -> Result<Outcome> {
    let slot = Slot::of(&session.options.checkpoints_dir, &wanted.file);
    let job = session.job(&wanted.title);
    let cached = wanted.hub.as_ref().and_then(|(hub, file)| file.cached(hub));
    let published = published(wanted, cached.as_deref(), &slot, (session, &job))?;
    let expected = Expected {
        sha256: published.as_deref(),
        ..expected
    };
    let token = wanted
        .hub
        .as_ref()
        .and_then(|(hub, _)| hub.token.as_deref());
    let url = match wanted.hub {
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
    let made = make(wanted, (source, &found), &temporary, (session, &job));
    let is_known = expected.is_published() || expected.locked.is_some();
    if made.is_err() && cached.is_none() && !is_known && !session.stop.is_requested() {
        // Only its being whole could prove that it is the right file.
        remove(&temporary)?;
        let aside = slot.set_aside()?;
        let kept = format!(
            "no checksum is known to hold it against; kept as {}",
            aside.display()
        );
        return made.map(|_| Outcome::Unpacked).context(kept);
    }
    // Whoever has the list otherwise is heard before anything gets its name.
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
    fs::rename(temporary, target)
        .with_context(|| format!("failed to rename to {}", target.display()))?;
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
    (session, job): (&Session, &Job),
) -> Result<Option<String>> {
    let Some((hub, file)) = &wanted.hub else {
        return Ok(None);
    };
    if let Some(cached) = cached {
        return Ok(blob_name(cached));
    }
    if slot.file.exists() || session.options.network == Network::Offline {
        return Ok(None);
    }
    ensure!(
        hub.network == Network::Online,
        "{} is not in the cache and HF_HUB_OFFLINE forbids to fetch it; get {} and put it to {}",
        file.name(),
        wanted.url,
        slot.file.display()
    );
    file.published(hub, job)
}

fn of_cache(path: &Path, expected: &Expected<'_>, job: &Job) -> Result<Digests> {
    let digests = Digests::of(path, job)?;
    if let Some(objection) = digests.objection(expected) {
        bail!("{} in the hub's cache has a {objection}", path.display());
    }
    job.meter.say(&format!("taken from {}", path.display()));
    Ok(digests)
}

/// Converts the weights to the file `temporary`, and says what came of it.
fn make(
    wanted: &Wanted,
    (source, found): (&Path, &Digests),
    temporary: &Path,
    (session, job): (&Session, &Job),
) -> Result<Sheet> {
    let what = format!("convert {}", source.display());
    let _claim = job
        .space
        .claim(&session.options.checkpoints_dir, found.bytes, &what)?;
    let converted = convert(source, temporary)
        .with_context(|| format!("failed to convert {}", source.display()))?;
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

fn report(wanted: &Wanted, result: Result<Outcome>, session: &Session) -> State {
    let (title, target) = (&wanted.title, wanted.target(session));
    match result {
        Ok(Outcome::AlreadyThere) => {
            session.print(&format!(
                "{title}: {} is there already, verified",
                target.display()
            ));
            State::AlreadyThere
        }
        Ok(Outcome::Unpacked) => {
            session.print(&format!(
                "{title}: verified and converted to {}",
                target.display()
            ));
            State::Fetched
        }
        Err(error) if error.is::<Interrupted>() => State::Failed,
        Err(error) if error.is::<Obstacle>() => {
            let entry = session.lock.entry(&wanted.name).ok().flatten();
            let errand = Errand {
                name: title,
                file: &wanted.file,
                expected: wanted.expected(entry.as_ref()),
                from: &wanted.url,
                put: &Slot::of(&session.options.checkpoints_dir, &wanted.file).file,
                arguments: &wanted.arguments,
            };
            session
                .progress
                .say(&errand.instructions(&format!("{error:#}")));
            State::ByHand
        }
        Err(error) => {
            session.progress.say(&format!("{title}: {error:#}"));
            State::Failed
        }
    }
}

/// Says which weights `rut` does not find by the model's name alone.
fn advise(wanted: &[Wanted], session: &Session) {
    let folder = &session.options.checkpoints_dir;
    let mut told = Vec::new();
    for one in wanted {
        let target = one.target(session);
        if !target.is_file() || one.model.is_some_and(|model| told.contains(&model)) {
            continue;
        }
        let found = one.model.and_then(rut_models::find);
        match found.map(|spec| (spec.name, find_dense(folder, spec))) {
            Some((model, Err(Error::AmbiguousTicket { found, .. }))) => {
                told.push(model);
                session.print(&format!(
                    "{model}: {} has several dense checkpoints ({found}): name one with `--checkpoint FILE`",
                    folder.display()
                ));
            }
            Some((_, Ok(found))) if found == target => {}
            _ => session.print(&format!(
                "{}: to use it, name it with `--checkpoint {}`",
                one.title,
                target.display()
            )),
        }
    }
}
