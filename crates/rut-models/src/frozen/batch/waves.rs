//! Blocks of images side by side.

use rayon::prelude::*;

use crate::error::Result;

/// Runs a pass on a thread of the current pool, so that only one hand-over is waited for and not one for each kernel.
pub(super) fn on_the_pool<R: Send>(pass: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| pass())
}

/// Runs every item, as many at a time as there are threads, and hands the results on in the items' order: what is kept
/// for a block is kept for a few of them, never for the whole batch. In the last, smaller wave idle threads help inside
/// the kernels.
pub(super) fn in_waves<T: Send, R: Send>(
    items: impl Iterator<Item = T>,
    run: impl Fn(T) -> Result<R> + Sync,
    mut hand_on: impl FnMut(R),
) -> Result<()> {
    let mut items = items.peekable();
    while items.peek().is_some() {
        let wave: Vec<T> = items.by_ref().take(rayon::current_num_threads()).collect();
        let results: Result<Vec<R>> = wave.into_par_iter().map(&run).collect();
        results?.into_iter().for_each(&mut hand_on);
    }
    Ok(())
}
