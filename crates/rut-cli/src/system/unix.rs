//! POSIX: Ctrl-C, a closed terminal, and the signals of a batch system, as requests to a run; a quota as an error of it.

use std::os::unix::process::{parent_id, CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use anyhow::{Context, Result};
use rut_run::Requests;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::flag;

/// Requests that SIGINT and SIGTERM (save and stop; a second one ends at once), SIGHUP (save and stop) and SIGUSR1 (save and
/// go on) set. Where SIGHUP is ignored when the program starts, as `nohup` does, it stays ignored.
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
        // A terminal that is closed sends it twice, once by its shell: the second one must not end what the first one asked for.
        if !is_ignored(SIGHUP) {
            flag::register(SIGHUP, Arc::clone(&requests.stop))?;
        }
        flag::register(SIGUSR1, Arc::clone(&requests.save)).map(drop)
    };
    install().context("install signal handlers")?;
    Ok(requests)
}

/// Makes a file that outgrows a quota an error of the write, as on a full disk, and not the end of the process.
///
/// # Errors
/// If a handler cannot be installed.
pub fn quotas_are_errors() -> Result<()> {
    let installed = flag::register(SIGXFSZ, Arc::default());
    installed.map(drop).context("install signal handlers")
}

/// Has `command` start a process group of its own, which a Ctrl-C in the terminal does not reach.
pub fn own_group(command: &mut Command) {
    command.process_group(0);
}

/// The signal that ended a process.
pub fn ended_by(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// The process that started this one.
pub struct Parent(u32);

impl Parent {
    /// That of this process.
    pub fn now() -> Self {
        Self(parent_id())
    }

    /// Whether it has ended.
    pub fn is_gone(&self) -> bool {
        parent_id() != self.0
    }
}

/// Whether this process ignores `signal`. If the system does not say (only Linux does), it is taken not to.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

/// The same, from the status of a process in `/proc`: the set of ignored signals as a hexadecimal number, the first one lowest.
fn ignores(status: &str, signal: i32) -> bool {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_some_and(|set| set >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_told_from_others() {
        let nohup = "Name:\trut\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert!(ignores(nohup, SIGHUP));
        assert!(!ignores(nohup, SIGINT));
        assert!(!ignores("Name:\trut\nSigIgn:\t0000000000001000\n", SIGHUP));
        assert!(!ignores("", SIGHUP));
    }
}
