//! What is handed out: packages, other systems, the wheel, and release binaries. What a machine lacks for a check is said and
//! skipped.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo;

/// Systems that the program is checked for, without being built.
const CHECKED: [&str; 3] = [
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-gnu",
];

/// The oldest C library that a release binary runs with.
const OLDEST_GLIBC: (u32, u32) = (2, 28);

/// What an archive of a release holds beside the program and the licence of the font in it: the last is of the digits in it.
const BESIDE: [&str; 5] = [
    "README.md",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "data/README.md",
];

/// Packages every crate, looks at the lock file of `fuzz` and for dependencies that are unused or not allowed, and checks the program for other systems.
///
/// # Errors
/// If a check fails.
pub fn check(root: &Path) -> Result<()> {
    let package = "package --workspace --exclude xtask --exclude rut-testkit --no-verify --allow-dirty --quiet";
    runs(cargo::command().args(package.split(' ')).current_dir(root))?;
    // A workspace of its own: nothing else notices when its lock file lacks what a crate has come to need.
    let fuzz = "update --workspace --locked --quiet --manifest-path fuzz/Cargo.toml";
    runs(cargo::command().args(fuzz.split(' ')).current_dir(root))?;
    let no_data = "cargo-deny: advisories are not checked here";
    eprintln!(
        "skipped: {no_data}: their database is not part of the sources (`cargo deny check advisories`)"
    );
    for (tool, arguments) in [
        ("cargo-machete", &[][..]),
        ("cargo-deny", &["check", "licenses", "bans", "sources"]),
    ] {
        if has(tool) {
            runs(Command::new(tool).args(arguments).current_dir(root))?;
        } else {
            skipped(tool, &format!("`cargo install {tool}`"));
        }
    }
    for target in CHECKED {
        let missing = if !has("cargo-zigbuild") {
            Some("`pip install ziglang cargo-zigbuild`".to_owned())
        } else if !has_target(target) {
            Some(format!("`rustup target add {target}`"))
        } else {
            None
        };
        match missing {
            Some(remedy) => skipped(target, &remedy),
            None => runs(zigbuild(root, "check").args(["--quiet", "--target", target]))?,
        }
    }
    Ok(())
}

/// Builds the wheel, installs it beside the Python of `RUT_PYTHON`, and runs its test.
///
/// # Errors
/// If it cannot be built, or its test fails.
pub fn wheel(root: &Path) -> Result<()> {
    let python = env::var_os("RUT_PYTHON").map(PathBuf::from);
    let maturin = python
        .as_ref()
        .map(|python| python.with_file_name("maturin"));
    let (Some(python), Some(maturin)) = (python, maturin.filter(|file| file.is_file())) else {
        let needed = "a Python with maturin, pandas and safetensors, named by RUT_PYTHON";
        if env::var_os("RUT_REQUIRE_PYTHON").is_some() {
            bail!("test the wheel: it needs {needed}, and RUT_REQUIRE_PYTHON is set");
        }
        skipped("the wheel", needed);
        return Ok(());
    };
    let (folder, wheels) = (root.join("python"), root.join("target/wheels"));
    let _ = std::fs::remove_dir_all(&wheels);
    runs(
        Command::new(maturin)
            .args(["build", "--quiet", "--out"])
            .arg(&wheels)
            .current_dir(&folder),
    )?;
    let entries = std::fs::read_dir(&wheels).context("failed to open the folder of the wheel")?;
    let mut files = entries.flatten().map(|entry| entry.path());
    let wheel = files.find(|path| path.extension() == Some(OsStr::new("whl")));
    let wheel = wheel.context("maturin wrote no wheel")?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--force-reinstall",
        "--no-deps",
    ];
    runs(Command::new(&python).args(install).arg(wheel))?;
    // Not in the folder of the sources, where Python would find those instead.
    runs(
        Command::new(&python)
            .arg(folder.join("test_wheel.py"))
            .current_dir(&wheels),
    )
}

/// Builds the binaries of a release: with an old C library, and with none. They are checked and packed as `cargo binstall`
/// expects them.
///
/// # Errors
/// If one cannot be built, or needs more than it should.
pub fn release(root: &Path) -> Result<()> {
    if !has("cargo-zigbuild") {
        bail!(
            "build a release: cargo-zigbuild is not on the path; `pip install ziglang cargo-zigbuild`"
        );
    }
    let (major, minor) = OLDEST_GLIBC;
    let gnu = format!("x86_64-unknown-linux-gnu.{major}.{minor}");
    for target in [gnu.as_str(), "x86_64-unknown-linux-musl"] {
        let folder = target.split_once(".").map_or(target, |(folder, _)| folder);
        if !has_target(folder) {
            skipped(target, &format!("`rustup target add {folder}`"));
            continue;
        }
        runs(zigbuild(root, "zigbuild").args(["--release", "--target", target]))?;
        let built = root.join("target").join(folder).join("release");
        let needs = needs(&built.join("rut"))?;
        let fits = match needs {
            Some(version) => !folder.ends_with("musl") && version <= OLDEST_GLIBC,
            // A program with the C library in it asks for none; any other asks for some version.
            None => folder.ends_with("musl"),
        };
        if !fits {
            bail!(
                "{target}: expected at most glibc {OLDEST_GLIBC:?}, or none with musl; found {needs:?}"
            );
        }
        let name = format!("rut-{}-{folder}.tar.gz", env!("CARGO_PKG_VERSION"));
        let archive = root.join("target").join(&name);
        runs(
            Command::new("tar")
                .arg("-czf")
                .arg(&archive)
                .arg("-C")
                .arg(&built)
                .arg("rut")
                .arg("-C")
                .arg(root)
                .args(BESIDE)
                .arg("-C")
                .arg(root.join("crates/rut-report"))
                .arg("fonts/LICENSE"),
        )?;
        eprintln!("release: target/{name} (needs glibc: {needs:?})");
    }
    Ok(())
}

/// The newest version of the C library that a program asks for; none if it is static.
fn needs(program: &Path) -> Result<Option<(u32, u32)>> {
    let output = Command::new("objdump").arg("-T").arg(program).output();
    let output =
        output.context("failed to start objdump (of binutils), which says what a program needs")?;
    Ok(newest_glibc(&String::from_utf8_lossy(&output.stdout)))
}

fn newest_glibc(symbols: &str) -> Option<(u32, u32)> {
    let named = symbols.split("GLIBC_").skip(1);
    let versions = named.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let mut numbers = rest.get(..end.unwrap_or(rest.len()))?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });
    versions.max()
}

fn zigbuild(root: &Path, what: &str) -> Command {
    let mut command = Command::new("cargo-zigbuild");
    command
        .args([what, "--package", "rut-cli"])
        .current_dir(root);
    command
}

fn has(tool: &str) -> bool {
    let mut command = Command::new(tool);
    let quiet = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok()
}

/// Whether the standard library for `target` is there.
fn has_target(target: &str) -> bool {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

fn skipped(what: &str, remedy: &str) {
    eprintln!("skipped: {what}: it needs {remedy}");
}

fn runs(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_the_c_library_counts() {
        let symbols = "0 DF *UND* (GLIBC_2.4) __stack_chk_fail\n0 DF *UND* (GLIBC_2.28) fcntl64\n0 DF *UND* (GLIBC_2.17) memcpy\n";
        assert_eq!(newest_glibc(symbols), Some((2, 28)));
        assert_eq!(newest_glibc("no symbols"), None);
        assert!(newest_glibc("GLIBC_2.29") > Some(OLDEST_GLIBC));
    }
}
