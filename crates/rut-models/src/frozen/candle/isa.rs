//! The instruction set behind the reference engine's arithmetic. It chooses nothing: the matrix products do.

/// The widest instruction set that the matrix products may choose on this machine.
pub(super) fn widest() -> &'static str {
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
