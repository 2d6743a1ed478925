//! What a run was made with: versions, engine, instruction set, peak memory. It changes nothing.

use serde::{Deserialize, Serialize};

/// Program and machine, as far as a run's figures may depend on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Version of rut.
    pub rut: String,
    /// Commit that it was built from, or `unknown`.
    pub commit: String,
    /// The engine that computes the frozen network.
    pub engine: String,
    /// Instruction set that the arithmetic uses: bit-equality is promised within it.
    pub isa: String,
    /// Operating system and processor architecture.
    pub platform: String,
}

impl Environment {
    /// This program on this machine; `commit` is what the binary says of itself, `engine` and `isa` what the network says.
    pub fn current(commit: &str, engine: &str, isa: &str) -> Self {
        Self {
            rut: env!("CARGO_PKG_VERSION").into(),
            commit: commit.into(),
            engine: engine.into(),
            isa: isa.into(),
            platform: platform(),
        }
    }
}

/// Operating system and processor architecture.
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// What the bits of a run depend on beside its specification: version, engine and instruction set.
pub fn means(engine: &str, isa: &str) -> String {
    format!("rut {} {engine} {isa}", env!("CARGO_PKG_VERSION"))
}

/// The most memory that this process has held so far, bytes; `None` where the system does not report it.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// The name of the processor, where the system reports it.
pub fn cpu() -> Option<String> {
    let about = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = about.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
