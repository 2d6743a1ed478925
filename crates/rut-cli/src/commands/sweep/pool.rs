//! Several processes at a time over a list of work. What a piece of work is, and what its end means, is the caller's.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;

use super::job::{End, Job};

/// Time between two looks at the processes.
const PAUSE: Duration = Duration::from_millis(10);

/// A piece of work.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the program is called with.
    pub words: Vec<OsString>,
    /// The piece that must have ended before, by its place in the list, from 0.
    pub after: Option<usize>,
}

/// How the list is worked off.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// Processes at a time, at least 1.
    pub jobs: usize,
    /// Set when all shall save and stop.
    pub stop: &'a AtomicBool,
}

impl Pool<'_> {
    /// Works off `list`, in its order as far as pieces need not wait for others. `ended` is called for each piece, with its index,
    /// and with its seconds. After a request to stop, nothing is started, and all that run are waited for.
    ///
    /// # Errors
    /// If a process cannot be started or waited for, or what `ended` says; the others are asked to stop then.
    pub fn work_off(
        &self,
        list: &[Work],
        ended: &mut dyn FnMut(usize, End, f64) -> Result<()>,
    ) -> Result<()> {
        let mut waiting: VecDeque<usize> = (0..list.len()).collect();
        let mut over = vec![false; list.len()];
        let mut working: Vec<(usize, Job)> = Vec::new();
        let mut asked = false;
        while !working.is_empty() || !(waiting.is_empty() || asked) {
            if !asked && self.stop.load(Ordering::Relaxed) {
                working.iter_mut().for_each(|(_, job)| job.ask_to_stop());
                asked = true;
            }
            while !asked && working.len() < self.jobs.max(1) {
                let ready = |&index: &usize| is_ready(list, &over, index);
                let Some(place) = waiting.iter().position(ready) else {
                    break;
                };
                let next = waiting.remove(place).and_then(|i| Some((i, list.get(i)?)));
                if let Some((index, work)) = next {
                    working.push((index, Job::start(&work.words)?));
                }
            }
            std::thread::sleep(PAUSE);
            for (index, end, seconds) in reap(&mut working)? {
                if let Some(over) = over.get_mut(index) {
                    *over = true;
                }
                ended(index, end, seconds)?;
            }
        }
        Ok(())
    }
}

fn is_ready(list: &[Work], over: &[bool], index: usize) -> bool {
    let after = list.get(index).and_then(|work| work.after);
    after.is_none_or(|before| over.get(before).copied().unwrap_or(true))
}

/// Takes those that have ended out of the list.
fn reap(working: &mut Vec<(usize, Job)>) -> Result<Vec<(usize, End, f64)>> {
    let (mut still, mut ended) = (Vec::new(), Vec::new());
    for (index, mut job) in working.drain(..) {
        match job.ended()? {
            Some((end, seconds)) => ended.push((index, end, seconds)),
            None => still.push((index, job)),
        }
    }
    *working = still;
    Ok(ended)
}
