//! `rut fetch`.

use std::path::Path;
use std::sync::Arc;
use std::{env, process, thread};

use anyhow::Result;
use rut_fetch::{DataSets, Error, FetchOptions, LockFile, Network, Order, Session, Stop, Task};
use rut_record::Settings;

use crate::args::{FetchArgs, LayerFlags};
use crate::downloads::Downloads;
use crate::exit::{Usage, INTERRUPTED};
use crate::layers::{resolve_places, variables, Overrides};
use crate::output::note;
use crate::system;

/// Fetches what is asked for, or verifies it.
///
/// # Errors
/// If a name is unknown, something cannot be fetched, or is not what it should be.
pub fn run(args: &FetchArgs) -> Result<()> {
    let downloads = Arc::new(Downloads::new());
    let mut session = Session::new(options(args)?, Arc::clone(&downloads) as _);
    session.stop = Stop::from(system::requests()?.stop);
    end_late(session.stop.clone());
    let done = order(args).carry_out(&session);
    downloads.written()?;
    Ok(done?)
}

fn order(args: &FetchArgs) -> Order {
    Order {
        data_sets: if args.all {
            DataSets::All
        } else {
            DataSets::Named(args.names.clone())
        },
        models: args.models.clone(),
        hub_files: args.hf.clone(),
        task: if args.verify {
            Task::Verify
        } else {
            Task::Fetch
        },
    }
}

/// Into the folders where a run of the same settings looks.
fn options(args: &FetchArgs) -> Result<FetchOptions> {
    let mut flags = Settings::default();
    let keys = [
        ("data_dir", &args.data_dir),
        ("pretrained_dir", &args.pretrained_dir),
    ];
    for (key, place) in keys {
        if let Some(place) = place {
            flags.put(key, place.as_str().into(), "the command line");
        }
    }
    let overrides = Overrides {
        flags: &flags,
        layers: &LayerFlags::default(),
    };
    let resolved = resolve_places(overrides, &variables()).map_err(Usage)?;
    let data_dir = resolved.locations.data_dir;
    Ok(FetchOptions {
        lock: lock(args, &data_dir),
        data_dir,
        checkpoints_dir: resolved.spec.network.pretrained_dir,
        mirror: args.mirror.clone(),
        network: if args.offline {
            Network::Offline
        } else {
            Network::Online
        },
        jobs: args.jobs.into(),
        ..FetchOptions::of_variables(|name| env::var(name).ok())
    })
}

fn lock(args: &FetchArgs, data_dir: &Path) -> LockFile {
    match &args.lock_file {
        Some(file) => LockFile::at(file),
        None => LockFile::over_shipped(&data_dir.join("LOCK.json")),
    }
}

/// Ends the process if it is still there long after it was asked to stop.
fn end_late(stop: Stop) {
    thread::spawn(move || {
        stop.outwait();
        note(&format!("error: failed to {}", Error::Interrupted));
        process::exit(INTERRUPTED.into());
    });
}
