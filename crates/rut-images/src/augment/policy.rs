//! TrivialAugment: one operation at a random strength for each image.

use std::fmt;

use super::Operation;

/// Levels of strength, 0 to 30.
const LEVELS: usize = 31;
/// The highest level.
const HIGHEST: u32 = LEVELS as u32 - 1;

/// Which magnitudes TrivialAugment has (Müller and Hutter, "TrivialAugment: tuning-free yet state-of-the-art data
/// augmentation", 2021, arXiv 2103.10158). With level l uniform from 0 to 30, ⌊⌋ cutting off, and ± a coin:
///
/// | operation | `Trivial` | `TrivialWide` |
/// | --- | --- | --- |
/// | identity, auto-contrast, equalize | | |
/// | rotate, degrees | ±l | ±135 · l / 30 |
/// | solarize, from | 256 − ⌊256 · l / 30⌋ | 255 − 255 · l / 30 |
/// | color, contrast, brightness, sharpness: factor | 0.1 + 1.8 · l / 30 | 1 ± 0.99 · l / 30 |
/// | posterize, bits kept | 8 − ⌊4 · l / 30⌋ | 8 − round(l / 5) |
/// | shear-x, shear-y | ±0.3 · l / 30 | ±0.99 · l / 30 |
/// | translate-x, translate-y: pixels | ±⌊10 · l / 30⌋ | ±⌊32 · l / 30⌋ |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The space `fixed_standard` of the authors' code, which the prompts of ACAVP (2025) are trained with.
    Trivial,
    /// torchvision's `TrivialAugmentWide`, with the f32 arithmetic of its magnitudes: 32 · 15 / 30 is below 16 there.
    TrivialWide,
}

/// A strength for each kind of operation.
struct Magnitudes {
    degrees: f64,
    threshold: f64,
    factor: f64,
    bits: u32,
    slope: f64,
    pixels: i32,
}

/// The operations, each as likely as any other.
const OPERATIONS: [fn(&Magnitudes) -> Operation; 14] = [
    |_| Operation::Identity,
    |_| Operation::AutoContrast,
    |_| Operation::Equalize,
    |m| Operation::Rotate { degrees: m.degrees },
    |m| Operation::Solarize {
        threshold: m.threshold,
    },
    |m| Operation::Color { factor: m.factor },
    |m| Operation::Posterize { bits: m.bits },
    |m| Operation::Contrast { factor: m.factor },
    |m| Operation::Brightness { factor: m.factor },
    |m| Operation::Sharpness { factor: m.factor },
    |m| Operation::ShearX { slope: m.slope },
    |m| Operation::ShearY { slope: m.slope },
    |m| Operation::TranslateX { pixels: m.pixels },
    |m| Operation::TranslateY { pixels: m.pixels },
];

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 2] = [Policy::Trivial, Policy::TrivialWide];

    /// What a person types.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Policy::Trivial => "trivial",
            Policy::TrivialWide => "trivial-wide",
        }
    }

    /// One operation. `below(n)` draws a uniform integer in `0..n`; it is called for the operation (14), the level (31)
    /// and the coin (2, of which 1 negates), in this order, whether the operation has magnitudes or not.
    ///
    /// ```
    /// use rut_images::augment::{Operation, Policy};
    /// let mut drawn = [3, 20, 1].into_iter();
    /// let operation = Policy::Trivial.choose(|n| drawn.next().unwrap_or(0) % n);
    /// assert_eq!(operation, Operation::Rotate { degrees: -20.0 });
    /// ```
    #[must_use]
    pub fn choose(self, mut below: impl FnMut(usize) -> usize) -> Operation {
        let (operation, level, coin) = (below(OPERATIONS.len()), below(LEVELS), below(2));
        let level = (level as u32).min(HIGHEST);
        let sign = if coin == 1 { -1.0 } else { 1.0 };
        let magnitudes = match self {
            Policy::Trivial => standard(level, sign),
            Policy::TrivialWide => wide(level, sign),
        };
        OPERATIONS[operation.min(OPERATIONS.len() - 1)](&magnitudes)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `fixed_standard` of `aug_lib.py` in automl/trivialaugment.
fn standard(level: u32, sign: f64) -> Magnitudes {
    let of = |most: u32| most * level / HIGHEST;
    let (level, highest) = (f64::from(level), f64::from(HIGHEST));
    Magnitudes {
        degrees: sign * f64::from(of(30)),
        threshold: f64::from(256 - of(256)),
        factor: level * (1.9 - 0.1) / highest + 0.1,
        bits: 8 - of(4),
        slope: sign * (level * 0.3 / highest),
        pixels: (sign * f64::from(of(10))) as i32,
    }
}

/// `_augmentation_space` of torchvision's `TrivialAugmentWide`, and what its `_apply_op` does to the magnitudes: it
/// moves by positive pixels to the right and down.
fn wide(level: u32, sign: f64) -> Magnitudes {
    let signed = |most| sign * linspace(0.0, most, level);
    Magnitudes {
        degrees: signed(135.0),
        threshold: linspace(255.0, 0.0, level),
        factor: 1.0 + signed(0.99),
        bits: 8 - (2 * level + 5) / 10,
        slope: signed(0.99),
        pixels: -signed(32.0) as i32,
    }
}

/// Value `level` of `torch.linspace(start, end, 31)`, which counts from the nearer end; in f32, as PyTorch computes it on
/// x86-64: with one rounding for product and sum.
fn linspace(start: f32, end: f32, level: u32) -> f64 {
    let step = (end - start) / HIGHEST as f32;
    f64::from(if level < LEVELS as u32 / 2 {
        step.mul_add(level as f32, start)
    } else {
        (-step).mul_add((HIGHEST - level) as f32, end)
    })
}
