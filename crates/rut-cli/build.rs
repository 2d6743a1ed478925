//! Passes the binary its features, and which commit it was built from if the sources are a git checkout.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=../../.git/HEAD");
    println!("cargo::rerun-if-changed=../../.git/refs/heads");
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"])
        .is_some_and(|changes| !changes.is_empty());
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let suffix = if dirty { "-dirty" } else { "" };
    // Not `RUT_…`: cargo sets it for the program that `cargo run` starts, too, where such variables are settings.
    println!("cargo::rustc-env=COMMIT_OF_BUILD={commit}{suffix}");
    // Cargo names the features by variables.
    let named = std::env::vars()
        .filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase()));
    let mut features: Vec<String> = named.filter(|name| name != "default").collect();
    features.sort();
    println!("cargo::rustc-env=FEATURES_OF_BUILD={}", features.join(", "));
}
