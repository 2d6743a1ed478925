//! The number of a ticket in a series: its rounds of pruning, or as many as its density corresponds to.

/// What a round of a series keeps of what was left.
const KEPT: f64 = 0.8;
/// How much sparser a ticket may be than asked for and still have its number: 0.1677 is state 8, whose 0.8⁸ is 0.16777.
const ROUNDING: f64 = 1.005;
/// No series has more rounds.
const MOST: u32 = 1000;

/// The smallest number of rounds L whose 0.8ᴸ is at most `density`, but for rounding to three digits.
///
/// ```
/// use rut_compress::rounds_of;
/// assert_eq!([1.0, 0.8, 0.4096, 0.168, 0.1677, 0.5].map(rounds_of), [0, 1, 4, 8, 8, 4]);
/// ```
pub fn rounds_of(density: f64) -> u32 {
    let mut left = 1.0;
    let mut rounds = 0;
    while left > density * ROUNDING && rounds < MOST {
        left *= KEPT;
        rounds += 1;
    }
    rounds
}
