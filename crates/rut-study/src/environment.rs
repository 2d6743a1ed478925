//! What a run was made with: versions, instruction set, peak memory. It changes nothing.

use serde::{Deserialize, Serialize};

/// Program and machine, as far as a run's figures may depend on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Version of rut.
    pub rut: String,
    /// Commit that it was built from, or `unknown`.
    pub commit: String,
    /// What computes the frozen network.
    pub engine: String,
    /// Instruction set that the arithmetic uses: bit-equality is promised within it.
    pub isa: String,
    /// Operating system and processor architecture.
    pub platform: String,
}

impl Environment {
    /// This program on this machine; `commit` is what the binary says of itself.
    pub fn current(commit: &str) -> Self {
        Self {
            rut: env!("CARGO_PKG_VERSION").into(),
            commit: commit.into(),
            engine: ENGINE.into(),
            isa: isa().into(),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

/// Name of the engine in records and cache keys. Its number grows when its arithmetic changes, so that no features of an
/// older one are taken from a cache.
pub const ENGINE: &str = "reference-1";

/// What the bits of a run depend on beside its specification: version, engine and instruction set.
pub fn means() -> String {
    format!("rut {} {ENGINE} {}", env!("CARGO_PKG_VERSION"), isa())
}

/// The widest instruction set that the matrix products may choose on this machine.
pub fn isa() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return "avx2";
        }
    }
    std::env::consts::ARCH
}

/// The most memory that this process has held so far, bytes; 0 where the system does not tell.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kib| kib.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}
