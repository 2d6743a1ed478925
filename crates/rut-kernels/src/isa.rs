//! Instruction sets, and the one place where one is chosen.

use std::fmt;
use std::str::FromStr;

use crate::bf16::Bf16Isa;
use crate::error::{Error, Result};

/// An instruction set for which there are kernels, from the plainest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// What the compiler makes of plain Rust for the target's baseline.
    Portable,
    /// AVX2 with FMA, 256 bits.
    Avx2,
    /// AVX-512F, 512 bits.
    Avx512,
}

impl Isa {
    /// All instruction sets.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The name that `RUT_ISA` takes and records hold.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => std::is_x86_feature_detected!("avx512f"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Those that this processor has.
    pub fn available() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|isa| isa.is_available())
            .collect()
    }

    /// The widest one that this processor has.
    ///
    /// ```
    /// use rut_kernels::Isa;
    /// assert!(Isa::best().is_available());
    /// ```
    pub fn best() -> Self {
        Self::available()
            .into_iter()
            .max()
            .unwrap_or(Self::Portable)
    }

    /// What the variable `RUT_ISA` asks for, else the best.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownIsa`] or [`Error::MissingIsa`] where the variable asks for what there is not.
    pub fn chosen() -> Result<Self> {
        match asked_for() {
            Some(name) => name.parse::<Self>()?.checked(),
            None => Ok(Self::best()),
        }
    }

    /// Itself, where this processor has it.
    ///
    /// # Errors
    ///
    /// [`Error::MissingIsa`] names those that it has.
    pub fn checked(self) -> Result<Self> {
        if self.is_available() {
            return Ok(self);
        }
        Err(Error::MissingIsa {
            found: self.name(),
            available: Self::names_available(),
        })
    }

    pub(crate) fn names_available() -> String {
        let names: Vec<&str> = Self::available().into_iter().map(Self::name).collect();
        names.join(", ")
    }
}

/// What the variable `RUT_ISA` holds, if anything.
pub(crate) fn asked_for() -> Option<String> {
    std::env::var("RUT_ISA")
        .ok()
        .filter(|name| !name.is_empty())
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = Error;

    /// The name of an instruction set of bfloat16 stands for that of single precision that comes with it.
    fn from_str(name: &str) -> Result<Self> {
        if [Bf16Isa::Avx512, Bf16Isa::Amx]
            .map(Bf16Isa::name)
            .contains(&name)
        {
            return Ok(Self::Avx512);
        }
        Self::ALL
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| Error::UnknownIsa { found: name.into() })
    }
}
