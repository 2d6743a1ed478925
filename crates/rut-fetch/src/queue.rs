//! Several things at a time: those with the same key one after the other, results in the order of the things.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// A list of things to do.
pub(crate) struct Queue<'a, T> {
    /// The things.
    pub(crate) items: &'a [T],
    /// How many of them at a time; 0 is 1.
    pub(crate) jobs: usize,
}

impl<T: Sync> Queue<'_, T> {
    /// Does `work` for each, and hands each result to `report` as soon as those before it were handed over.
    pub(crate) fn run<R: Send>(
        &self,
        key: impl Fn(&T) -> &str,
        work: impl Fn(&T) -> R + Sync,
        mut report: impl FnMut(&T, R),
    ) {
        let groups = self.groups(key);
        let next = AtomicUsize::new(0);
        let (sender, results) = mpsc::channel();
        let worker = |sender: mpsc::Sender<(usize, R)>| {
            while let Some(group) = groups.get(next.fetch_add(1, Ordering::SeqCst)) {
                for &(at, item) in group {
                    // Who listens ends only after all who speak.
                    let _ = sender.send((at, work(item)));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.max(1).min(groups.len()) {
                let (sender, worker) = (sender.clone(), &worker);
                scope.spawn(move || worker(sender));
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut items = self.items.iter().enumerate().peekable();
            for (at, result) in results {
                waiting.insert(at, result);
                while let Some((item, result)) = items
                    .peek()
                    .and_then(|(at, item)| Some((*item, waiting.remove(at)?)))
                {
                    report(item, result);
                    items.next();
                }
            }
        });
    }

    /// The things by key, in the order in which the keys first occur.
    fn groups(&self, key: impl Fn(&T) -> &str) -> Vec<Vec<(usize, &T)>> {
        let mut groups: Vec<Vec<(usize, &T)>> = Vec::new();
        let mut places = BTreeMap::new();
        for (at, item) in self.items.iter().enumerate() {
            let place = *places.entry(key(item)).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push((at, item)),
                None => groups.push(vec![(at, item)]),
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_order_and_no_key_twice_at_a_time() {
        let items = ["c", "a", "a", "b", "a", "d"];
        let running = Mutex::new(Vec::new());
        let work = |item: &&'static str| {
            let mut now = running.lock().unwrap();
            assert!(!now.contains(item), "{item} twice at a time");
            now.push(*item);
            drop(now);
            // The first is the last to end.
            thread::sleep(Duration::from_millis(if *item == "c" { 40 } else { 2 }));
            running.lock().unwrap().retain(|other| other != item);
            item.to_uppercase()
        };
        for jobs in [0, 1, 3, 9] {
            let mut seen = Vec::new();
            let queue = Queue {
                items: &items,
                jobs,
            };
            queue.run(|item| item, work, |item, result| seen.push((*item, result)));
            let expected: Vec<_> = items
                .iter()
                .map(|item| (*item, item.to_uppercase()))
                .collect();
            assert_eq!(seen, expected, "{jobs} at a time");
        }
    }
}
