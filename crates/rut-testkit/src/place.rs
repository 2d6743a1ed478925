//! Where test data lies.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of `golden/`.
pub fn golden(name: &str) -> PathBuf {
    root().join("golden").join(name)
}

/// A file of the material beside the workspace, `RUT_SHARED` or `../shared`; without it the caller skips visibly.
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("RUT_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path.canonicalize().expect("a path"));
    }
    assert!(
        std::env::var_os("RUT_REQUIRE_SHARED").is_none(),
        "RUT_REQUIRE_SHARED is set, but there is no {}",
        path.display()
    );
    // Not `eprintln!`, which the test harness holds back when the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: no {}; set RUT_SHARED to the folder of shared material",
        path.display()
    );
    None
}
