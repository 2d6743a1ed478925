//! Cyan, magenta, yellow and black.

/// Red, green and blue of inks `[pixels, 4]`, as Pillow: what black leaves, less the share that the ink takes.
pub(crate) fn without_ink(mut inks: Vec<u8>) -> Vec<u8> {
    let light = |ink: u8, black: u8| {
        let left = 255 - u32::from(black);
        (left - (u32::from(ink) * left + 127) / 255) as u8
    };
    let pixels = inks.len() / 4;
    // In place: three bytes are never behind the four that they are made of.
    for at in 0..pixels {
        let black = inks[4 * at + 3];
        for channel in 0..3 {
            inks[3 * at + channel] = light(inks[4 * at + channel], black);
        }
    }
    inks.truncate(3 * pixels);
    inks
}
