//! Ctrl-C and the signals of a batch system, as requests to a run.

use std::sync::Arc;

use anyhow::{Context, Result};
use rut_study::journal::Requests;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

/// Requests that SIGINT and SIGTERM (save and stop; a second one ends at once) and SIGUSR1 (save and go on) set.
///
/// # Errors
/// If a handler cannot be installed.
pub fn requests() -> Result<Requests> {
    let requests = Requests::default();
    let install = || {
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&requests.stop))?;
            flag::register(signal, Arc::clone(&requests.stop))?;
        }
        flag::register(SIGUSR1, Arc::clone(&requests.save)).map(drop)
    };
    install().context("install signal handlers")?;
    Ok(requests)
}
