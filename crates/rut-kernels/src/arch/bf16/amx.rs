//! AMX: registers that are tiles of 16 rows × 64 bytes. One instruction adds to 16 rows × 16 outputs the products with 32
//! inputs. Tiles 0 to 3 hold sums, 4 and 5 values, 6 and 7 weights.

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};

use super::{ROW_BYTES, Step, Sum, Table, avx512, last_row};
use crate::bf16::{CHANNELS, STEP_ROWS};

/// Rows of a tile.
const TILE: usize = 16;
/// Two tiles of rows and two of outputs: what is loaded is used twice.
const ROWS: usize = 2 * TILE;

pub(super) static TABLE: Table = Table {
    rows: ROWS,
    unit: TILE,
    begin,
    sum,
    finish: avx512::finish,
    end,
};

/// An instruction that changes all tiles.
macro_rules! tiles {
    ($text:literal, $($operands:tt)*) => {
        asm!(
            $text,
            $($operands)*
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, preserves_flags)
        )
    };
}

fn begin(pairs: usize) {
    // SAFETY: `Table::of` gives this row only where `is_usable`.
    unsafe { Shapes::new(ROWS, pairs).load() }
}

fn end() {
    // SAFETY: as above. From here on the operating system has no tiles to keep.
    unsafe { tiles!("tilerelease",) }
}

/// Whether this processor has the tiles, and this process may use them.
pub(super) fn is_usable() -> bool {
    #[expect(unused_unsafe, reason = "CPUID is safe to call from some compilers on")]
    // SAFETY: every x86-64 processor has CPUID; leaf 7 is asked for only where leaf 0 says that there is one.
    let features = unsafe {
        if __cpuid(0).eax < 7 {
            return false;
        }
        __cpuid_count(7, 0).edx
    };
    let has = |bit: u32| features >> bit & 1 == 1;
    let [bf16, tile] = [22, 24];
    has(bf16) && has(tile) && are_kept() && is_permitted()
}

/// Whether the operating system keeps tiles when it switches between threads.
fn are_kept() -> bool {
    if !std::is_x86_feature_detected!("xsave") {
        return false;
    }
    let kept: u32;
    // SAFETY: with XSAVE there is a register XCR0.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") kept, out("edx") _, options(nomem, nostack, preserves_flags));
    }
    kept >> 17 & 3 == 3
}

/// Asks Linux for the process's permission, which it needs once and keeps; to ask again changes nothing.
fn is_permitted() -> bool {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const XTILEDATA: usize = 18;
    let result: isize;
    // SAFETY: the call reads and writes no memory of the process.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XTILEDATA,
            out("rcx") _,
            out("r11") _,
            options(nostack)
        );
    }
    result == 0
}

/// The shapes of the eight tiles, as `ldtilecfg` reads them.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes: [u16; 16],
    rows: [u8; 16],
}

impl Shapes {
    /// For sums of up to 32 rows over so many pairs of inputs a step.
    fn new(rows: usize, pairs: usize) -> Self {
        assert!((1..=ROWS).contains(&rows) && (1..=TILE).contains(&pairs));
        let (low, high) = (rows.min(TILE), rows.saturating_sub(TILE));
        let (sums, values) = (ROW_BYTES, 4 * pairs);
        let tiles = [
            [low, sums],
            [low, sums],
            [high, sums],
            [high, sums],
            [low, values],
            [high, values],
            [pairs, ROW_BYTES],
            [pairs, ROW_BYTES],
        ];
        let mut shapes = Self {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            bytes: [0; 16],
            rows: [0; 16],
        };
        // A tile without rows has no bytes either.
        for (tile, [rows, bytes]) in tiles
            .into_iter()
            .enumerate()
            .filter(|(_, [rows, _])| *rows > 0)
        {
            shapes.rows[tile] = rows as u8;
            shapes.bytes[tile] = bytes as u16;
        }
        shapes
    }

    /// Gives the tiles these shapes. They keep them until others are loaded, or they are released: the compiler uses no tiles.
    ///
    /// # Safety
    ///
    /// `is_usable`.
    unsafe fn load(&self) {
        // SAFETY: what is read are these 64 bytes.
        unsafe { tiles!("ldtilecfg [{shapes}]", shapes = in(reg) self,) }
    }
}

fn sum(mut job: Sum<'_>) {
    job.check(ROWS);
    // Tiles are filled as `begin` shaped them, with rows behind the job's, too, where there are such rows. Their sums are not used.
    let loaded = job.rows.next_multiple_of(TILE);
    let end =
        last_row(job.first, loaded, job.step).and_then(|last| last.checked_add(job.list.reach));
    let is_inside = end.is_some_and(|end| end <= size_of_val(job.source));
    // SAFETY: the job was checked, and its tiles have only rows inside; `Table::of` gives this row only where `is_usable`.
    unsafe {
        if is_inside {
            run(&mut job);
        } else {
            Shapes::new(job.rows, job.pairs).load();
            run(&mut job);
            Shapes::new(ROWS, job.pairs).load();
        }
    }
}

/// # Safety
///
/// The job was checked for the rows of the tiles; `is_usable`.
unsafe fn run(job: &mut Sum<'_>) {
    // SAFETY: the farthest value of the last row of a tile, and the last step's weights, lie in their slices; sums take 32 rows.
    unsafe {
        if job.rows > TILE {
            two_tiles(job);
        } else {
            one_tile(job);
        }
    }
}

const _: () = {
    // What the instructions below rest on.
    assert!(size_of::<Step>() == 8 && std::mem::offset_of!(Step, weights) == 4);
    assert!(STEP_ROWS * ROW_BYTES == 1 << 11 && CHANNELS * size_of::<f32>() == 128);
};

/// Up to 32 rows.
///
/// # Safety
///
/// As [`run`].
unsafe fn two_tiles(job: &mut Sum<'_>) {
    let steps = &job.list.steps;
    // SAFETY: as above.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "test {left}, {left}",
            "jz 3f",
            "2:",
            "mov {value:e}, dword ptr [{step}]",
            "mov {weight:e}, dword ptr [{step} + 4]",
            "shl {weight}, 11",
            "add {value}, {values}",
            "add {weight}, {weights}",
            "tileloadd tmm4, [{value} + {stride}*1]",
            "tileloadd tmm6, [{weight} + {row}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{weight} + {row}*1 + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "add {value}, {half}",
            "tileloadd tmm5, [{value} + {stride}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {step}, 8",
            "sub {left}, 1",
            "jnz 2b",
            "3:",
            "add {row}, {row}",
            "tilestored [{sums} + {row}*1], tmm0",
            "tilestored [{sums} + {row}*1 + 64], tmm1",
            "tilestored [{sums} + {row}*1 + 2048], tmm2",
            "tilestored [{sums} + {row}*1 + 2112], tmm3",
            values = in(reg) job.source.as_ptr().cast::<u8>().add(job.first),
            stride = in(reg) job.step,
            half = in(reg) TILE * job.step,
            weights = in(reg) job.weights.as_ptr(),
            row = inout(reg) ROW_BYTES => _,
            step = inout(reg) steps.as_ptr() => _,
            left = inout(reg) steps.len() => _,
            sums = in(reg) job.sums.as_mut_ptr(),
            value = out(reg) _,
            weight = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}

/// Up to 16 rows.
///
/// # Safety
///
/// As [`run`].
unsafe fn one_tile(job: &mut Sum<'_>) {
    let steps = &job.list.steps;
    // SAFETY: as above.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "test {left}, {left}",
            "jz 3f",
            "2:",
            "mov {value:e}, dword ptr [{step}]",
            "mov {weight:e}, dword ptr [{step} + 4]",
            "shl {weight}, 11",
            "add {weight}, {weights}",
            "tileloadd tmm6, [{weight} + {row}*1]",
            "add {value}, {values}",
            "tileloadd tmm4, [{value} + {stride}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{weight} + {row}*1 + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "add {step}, 8",
            "sub {left}, 1",
            "jnz 2b",
            "3:",
            "add {row}, {row}",
            "tilestored [{sums} + {row}*1], tmm0",
            "tilestored [{sums} + {row}*1 + 64], tmm1",
            values = in(reg) job.source.as_ptr().cast::<u8>().add(job.first),
            stride = in(reg) job.step,
            weights = in(reg) job.weights.as_ptr(),
            row = inout(reg) ROW_BYTES => _,
            step = inout(reg) steps.as_ptr() => _,
            left = inout(reg) steps.len() => _,
            sums = in(reg) job.sums.as_mut_ptr(),
            value = out(reg) _,
            weight = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tiles 0 to 7 have: rows, and bytes of each.
    fn shapes(rows: usize, pairs: usize) -> Vec<(u8, u16)> {
        let shapes = Shapes::new(rows, pairs);
        assert_eq!((shapes.palette, shapes.start_row), (1, 0));
        assert!(shapes.rows[8..].iter().all(|rows| *rows == 0));
        assert!(shapes.bytes[8..].iter().all(|bytes| *bytes == 0));
        shapes.rows.into_iter().zip(shapes.bytes).take(8).collect()
    }

    #[test]
    fn tiles_have_the_rows_of_a_job() {
        assert_eq!(size_of::<Shapes>(), 64);
        assert_eq!(std::mem::offset_of!(Shapes, bytes), 16);
        assert_eq!(std::mem::offset_of!(Shapes, rows), 48);
        assert_eq!(shapes(32, 16), [(16, 64); 8]);
        let (sums, values, weights) = ((16, 64), (16, 44), (11, 64));
        let few = [
            sums,
            sums,
            (4, 64),
            (4, 64),
            values,
            (4, 44),
            weights,
            weights,
        ];
        assert_eq!(shapes(20, 11), few);
        // A tile without rows has no bytes: the processor refuses any other.
        let one = [
            (7, 64),
            (7, 64),
            (0, 0),
            (0, 0),
            (7, 64),
            (0, 0),
            sums,
            sums,
        ];
        assert_eq!(shapes(7, 16), one);
    }
}
