//! Counts in messages: `1 class`, `2 classes`.

use std::fmt::Display;

/// A count and its noun, in the plural unless it is 1. For nouns with a regular plural.
///
/// ```
/// use rut_formats::counted;
/// assert_eq!(counted(1_usize, "class"), "1 class");
/// assert_eq!(counted(0_usize, "class"), "0 classes");
/// assert_eq!(counted(2_u64, "training image"), "2 training images");
/// ```
#[must_use]
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let ending = match noun {
        _ if count == N::from(1) => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
}
