//! Systems without POSIX signals.

use std::process::{Command, ExitStatus};
use std::sync::Arc;

use anyhow::{Context, Result};
use rut_run::Requests;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Requests that Ctrl-C sets: save and stop; a second one ends the process at once.
///
/// # Errors
/// If a handler cannot be installed.
pub fn requests() -> Result<Requests> {
    let requests = Requests::default();
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&requests.stop))
            .and_then(|_| flag::register(signal, Arc::clone(&requests.stop)))
            .context("install signal handlers")?;
    }
    Ok(requests)
}

/// A file that outgrows a quota is an error here anyway.
///
/// # Errors
/// None.
pub fn quotas_are_errors() -> Result<()> {
    Ok(())
}

/// There are no process groups: Ctrl-C reaches the process, too.
pub fn own_group(_: &mut Command) {}

/// No process is ended by a signal.
pub fn ended_by(_: ExitStatus) -> Option<i32> {
    None
}

/// The process that started this one, of which nothing is known.
pub struct Parent;

impl Parent {
    /// That of this process.
    pub fn now() -> Self {
        Self
    }

    /// Never known.
    pub fn is_gone(&self) -> bool {
        false
    }
}
