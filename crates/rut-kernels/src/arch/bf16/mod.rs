//! Kernels in bfloat16: sums of a few rows with one panel, and how sums are finished. As everywhere here, a door checks every
//! bound before it calls what reads memory without asking.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use std::marker::PhantomData;

use crate::bf16::{Bf16End, Bf16Isa, CHANNELS, Row, STEP_ROWS};
use crate::finish::Start;

/// Bytes of a row.
pub(crate) const ROW_BYTES: usize = size_of::<Row>();
/// Most rows of any kernel.
const MOST_ROWS: usize = 32;
/// Numbers that the sums of a job take.
pub(crate) const SCRATCH: usize = MOST_ROWS * CHANNELS;

/// What a step reads: bytes from the job's first row, and steps from the panel's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Step {
    pub(crate) source: u32,
    pub(crate) weights: u32,
}

/// The steps of a sum, and how far they reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    steps: Vec<Step>,
    reach: usize,
    weights: usize,
}

impl List {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let end = |step: &Step| step.source as usize + ROW_BYTES;
        let weights = |step: &Step| (step.weights as usize + 1) * STEP_ROWS;
        Self {
            reach: steps.iter().map(end).max().unwrap_or(0),
            weights: steps.iter().map(weights).max().unwrap_or(0),
            steps,
        }
    }

    #[cfg(test)]
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Bytes from the first row to the end of what is read for it.
    pub(crate) fn reach(&self) -> usize {
        self.reach
    }
}

/// Sums of products: row `r` of `sums`, for 32 outputs, is Σ over the list of the 32 values at `first + r·step + source` bytes
/// with the two tiles of the step's weights.
pub(crate) struct Sum<'a> {
    pub(crate) source: &'a [Row],
    /// In bytes, as `step` is.
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) rows: usize,
    pub(crate) list: &'a List,
    pub(crate) weights: &'a [Row],
    /// Pairs of inputs of a step that have weights.
    pub(crate) pairs: usize,
    pub(crate) sums: &'a mut [f32; SCRATCH],
}

/// Where the sums of a job stand until they are stored.
#[repr(align(64))]
pub(crate) struct Scratch(pub(crate) [f32; SCRATCH]);

/// How sums end: bias and what is there are added, a ReLU applied or undone, the result rounded and stored.
pub(crate) struct Finish<'a> {
    pub(crate) sums: &'a [f32; SCRATCH],
    pub(crate) bias: &'a [f32; CHANNELS],
    /// The first row that is written, and rows from one to the next.
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) rows: usize,
    /// A bit for each row that is written.
    pub(crate) valid: u32,
    pub(crate) start: Start,
    pub(crate) target: &'a mut [Row],
    pub(crate) end: Bf16End<'a>,
}

/// The kernels of an instruction set.
#[derive(Debug)]
pub(crate) struct Table {
    /// Most rows of a sum, up to 32.
    pub(crate) rows: usize,
    /// Rows that cost as much as any fewer.
    pub(crate) unit: usize,
    /// Comes before the sums of a convolution, whose steps have so many pairs of inputs, on the thread that runs them.
    begin: fn(usize),
    sum: fn(Sum<'_>),
    finish: fn(Finish<'_>),
    /// Comes after them.
    end: fn(),
}

impl Table {
    /// The kernels of an instruction set that this processor has, else the portable ones.
    pub(crate) fn of(isa: Bf16Isa) -> &'static Self {
        match isa {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Bf16Isa::Amx if isa.is_available() => &amx::TABLE,
            #[cfg(target_arch = "x86_64")]
            Bf16Isa::Avx512 if isa.is_available() => &avx512::TABLE,
            _ => &portable::TABLE,
        }
    }
}

/// The kernels while a thread runs one convolution, and only there: what `begin` prepares is that thread's.
pub(crate) struct Session(&'static Table, PhantomData<*const ()>);

impl Session {
    /// For steps of so many pairs of inputs.
    pub(crate) fn new(table: &'static Table, pairs: usize) -> Self {
        (table.begin)(pairs);
        Self(table, PhantomData)
    }

    pub(crate) fn sum(&self, job: Sum<'_>) {
        (self.0.sum)(job);
    }

    pub(crate) fn finish(&self, job: Finish<'_>) {
        (self.0.finish)(job);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        (self.0.end)();
    }
}

/// Whether there are tiles that this process may use.
pub(crate) fn has_amx() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    return amx::is_usable();
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    return false;
}

impl Sum<'_> {
    /// Panics where a kernel would read outside its slices: routes prove that it does not, so that only a mistake here
    /// gets so far.
    #[inline(always)]
    fn check(&self, most_rows: usize) {
        assert!(0 < self.rows && self.rows <= most_rows.min(MOST_ROWS));
        assert!((1..=CHANNELS / 2).contains(&self.pairs));
        let end = last_row(self.first, self.rows, self.step)
            .and_then(|last| last.checked_add(self.list.reach));
        assert!(end.is_some_and(|end| end <= size_of_val(self.source)));
        assert!(self.list.weights <= self.weights.len());
    }
}

/// Where the last of some rows begins; `None` where no number says it.
#[inline(always)]
fn last_row(first: usize, rows: usize, step: usize) -> Option<usize> {
    (rows - 1).checked_mul(step)?.checked_add(first)
}

impl Finish<'_> {
    #[inline(always)]
    fn check(&self) {
        assert!(0 < self.rows && self.rows <= MOST_ROWS);
        let last = last_row(self.first, self.rows, self.step);
        assert!(last.is_some_and(|last| last < self.target.len()));
        match &self.end {
            Bf16End::Store | Bf16End::Relu => {}
            Bf16End::ReluRecord(bits) => assert!(bits.len() >= self.target.len()),
            Bf16End::Mask(bits) => assert!(bits.len() >= self.target.len()),
        }
    }
}

/// Plain code to be compiled for several instruction sets: `run` has to be `#[inline(always)]`, and so has all that takes time in it,
/// since a function that stands alone is compiled for the least of them. That is why it is no closure.
pub(crate) trait Plain {
    /// Does it.
    fn run(self);
}

/// Runs plain code, compiled for the vectors that an instruction set has.
pub(crate) fn wide(isa: Bf16Isa, code: impl Plain) {
    #[cfg(target_arch = "x86_64")]
    if isa != Bf16Isa::Portable && Bf16Isa::Avx512.is_available() {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi2,fma")]
        fn on_avx512(code: impl Plain) {
            code.run();
        }
        // SAFETY: what is available here was found to have all of these.
        return unsafe { on_avx512(code) };
    }
    let _ = isa;
    code.run();
}

/// The maker of this processor, as CPUID leaf 0 says it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn vendor() -> [u8; 12] {
    #[expect(unused_unsafe, reason = "CPUID is safe to call from some compilers on")]
    // SAFETY: every x86-64 processor has CPUID.
    let leaf = unsafe { core::arch::x86_64::__cpuid(0) };
    let mut name = [0; 12];
    for (part, register) in name.chunks_exact_mut(4).zip([leaf.ebx, leaf.edx, leaf.ecx]) {
        part.copy_from_slice(&register.to_le_bytes());
    }
    name
}
