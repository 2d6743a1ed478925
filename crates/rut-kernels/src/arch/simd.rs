//! The few operations that a kernel is written in.

/// Sixteen f32 in the registers of one instruction set.
///
/// # Safety
///
/// Every method may use the instruction set and must be called only where the processor has it; pointers must be valid
/// for sixteen f32, and aligned to 64 bytes.
pub(super) unsafe trait Simd {
    type Vector: Copy;
    /// One choice for each lane.
    type Mask: Copy;

    unsafe fn zero() -> Self::Vector;
    unsafe fn splat(value: *const f32) -> Self::Vector;
    /// [`splat`](Self::splat) of a value that is in a register.
    unsafe fn spread(value: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Asks for the cache line of an address, which need not be valid.
    unsafe fn prefetch(from: *const f32);
    unsafe fn store(to: *mut f32, value: Self::Vector);
    /// a · b + c, rounded once.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Zero where a value is below zero; NaN stays NaN.
    unsafe fn relu(value: Self::Vector) -> Self::Vector;
    /// A bit for each lane above zero, the first lane lowest.
    unsafe fn above_zero(value: Self::Vector) -> u16;
    /// Zero where the lane's bit is 0.
    unsafe fn keep(value: Self::Vector, bits: u16) -> Self::Vector;
    /// Where `new` is above `old`, or NaN.
    unsafe fn replaces(new: Self::Vector, old: Self::Vector) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    unsafe fn select(mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
    /// Sixteen small whole numbers as bytes; the pointer needs no alignment.
    unsafe fn store_bytes(to: *mut u8, value: Self::Vector);
    /// Where the sixteen bytes equal `byte`; the pointer needs no alignment.
    unsafe fn bytes_equal(from: *const u8, byte: u8) -> Self::Mask;
}
