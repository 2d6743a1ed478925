//! The cargo that runs this program, and the checkout that it runs for.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// A call of the same cargo; of the one on the path, if this program was started by hand.
pub fn command() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The root of the repository, of which this package is a folder.
pub fn root() -> PathBuf {
    let package =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package)
        .parent()
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}
