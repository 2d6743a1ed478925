//! The one error of this crate.

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why a kernel could not be prepared or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice or a map does not have the size that the other arguments imply.
    #[error("run a kernel: {what} has {found}, expected {expected}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// What it has.
        found: String,
        /// What it should have.
        expected: String,
    },

    /// Activations cannot be quantized so.
    #[error(
        "quantize activations: found {bits} bits and a scale of {scale}, expected 1 to 16 bits and a scale above 0"
    )]
    Quantization {
        /// Bits of a value.
        bits: u32,
        /// From one value to the next.
        scale: f32,
    },

    /// `RUT_ISA` names something else than an instruction set.
    #[error(
        "read the variable RUT_ISA: found `{found}`, expected portable, avx2, avx512, avx512-bf16 or amx: correct it or unset it"
    )]
    UnknownIsa {
        /// What it names.
        found: String,
    },

    /// `RUT_ISA` names an instruction set that this processor lacks.
    #[error(
        "use the instruction set {found} that RUT_ISA asks for: this processor has {available}; unset it to use the best one"
    )]
    MissingIsa {
        /// What it names.
        found: &'static str,
        /// What there is.
        available: String,
    },

    /// `RUT_ISA` names an instruction set without kernels in bfloat16.
    #[error(
        "compute in bf16 on {found}, which RUT_ISA asks for: it has no kernels for bf16; unset the variable, or set it to one of: {available}"
    )]
    NoBf16 {
        /// What it names.
        found: &'static str,
        /// Those with such kernels that this processor has.
        available: String,
    },

    /// Nothing here computes in bfloat16 faster than in single precision.
    #[error(
        "compute in bf16: it would be slower here than f32, which runs on {isa}; use the precision f32, or set RUT_ISA=portable to compute in bf16 all the same"
    )]
    SlowBf16 {
        /// The instruction set of single precision.
        isa: &'static str,
    },
}

impl Error {
    pub(crate) fn check_len(what: &'static str, found: usize, expected: usize) -> Result<()> {
        if found == expected {
            return Ok(());
        }
        Err(Self::Shape {
            what,
            found: format!("{found} elements"),
            expected: format!("{expected}"),
        })
    }
}
