//! Instruction sets with kernels for bfloat16, and which of them is offered.

use crate::error::{Error, Result};
use crate::isa::{Isa, asked_for};

/// An instruction set for which there are kernels in bfloat16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bf16Isa {
    /// Plain Rust, far slower than single precision. It is there for tests and comparisons. It keeps numbers too small to be
    /// normal, which the others take for zero.
    Portable,
    /// AVX512_BF16: pairs of products in vectors of 512 bits.
    Avx512,
    /// AMX: tiles of 16 × 16 sums, and of 16 rows of 32 values (Intel's Sapphire Rapids and later, on Linux).
    Amx,
}

impl Bf16Isa {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx512, Self::Amx];

    /// The name that `RUT_ISA` takes and records hold.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx512 => "avx512-bf16",
            Self::Amx => "amx",
        }
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::is_x86_feature_detected!("avx512bf16")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("avx512vl")
                    && std::is_x86_feature_detected!("bmi2")
                    && std::is_x86_feature_detected!("fma")
                    && Isa::Avx512.is_available()
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 => false,
            // What ends a sum are vectors of 512 bits.
            Self::Amx => Self::Avx512.is_available() && crate::arch::bf16::has_amx(),
        }
    }

    /// Whether it is faster here than single precision.
    pub fn is_faster(self) -> bool {
        match self {
            Self::Portable => false,
            // Measured on AMD's Zen 4 alone (benchmarks/README.md); on Intel's Sapphire Rapids it is half of single precision.
            Self::Avx512 => self.is_available() && is_amd(),
            // Not timed yet: a tile instruction is said to take 16 cycles for 8,192 products, vectors of single precision 256.
            Self::Amx => self.is_available(),
        }
    }

    /// What the variable `RUT_ISA` asks for, else what is faster here than single precision.
    ///
    /// # Errors
    ///
    /// [`Error::SlowBf16`] where nothing is; [`Error::NoBf16`] where the variable asks for an instruction set of single
    /// precision; [`Error::UnknownIsa`] or [`Error::MissingIsa`] where it asks for what there is not.
    pub fn chosen() -> Result<Self> {
        let Some(name) = asked_for() else {
            let mut faster = Self::ALL.into_iter().filter(|isa| isa.is_faster());
            return faster.next_back().ok_or_else(|| Error::SlowBf16 {
                isa: Isa::best().name(),
            });
        };
        match Self::ALL.into_iter().find(|isa| isa.name() == name) {
            Some(isa) => isa.checked(),
            None => Err(Error::NoBf16 {
                found: name.parse::<Isa>()?.checked()?.name(),
                available: Self::names_available(),
            }),
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

    fn names_available() -> String {
        let here = Self::ALL.into_iter().filter(|isa| isa.is_available());
        here.map(Self::name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(target_arch = "x86_64")]
fn is_amd() -> bool {
    crate::arch::bf16::vendor() == *b"AuthenticAMD"
}

#[cfg(not(target_arch = "x86_64"))]
fn is_amd() -> bool {
    false
}
