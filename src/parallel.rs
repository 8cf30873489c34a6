//! Work on all cores.

use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use crate::stack;

/// Items that are worth a thread.
const SHARE: usize = 16;

static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));

/// How many threads the machine, or the container, has time for. Linux tells in files, so a
/// process that will not be able to read any asks before.
#[must_use]
pub fn cores() -> usize {
    *CORES
}

/// `work` done on every item by as many threads as there are cores; the results in the order of
/// the items. Where threads are not to be had, this one does it all. Stacks of other threads are
/// overwritten: an item may be a key.
///
/// # Panics
/// Only where `work` does.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let turns = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = turns.map_while(|turn| Some((turn, work(items.get(turn)?))));
        mine.collect::<Vec<_>>()
    };
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..cores().min(items.len().div_ceil(SHARE)))
            .map_while(|_| {
                Builder::new()
                    .spawn_scoped(scope, || stack::wiped(take_turns))
                    .ok()
            })
            .collect();
        let mut results = take_turns();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(turn, _)| *turn);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        assert_eq!(map(&items, |item| item * 2), doubled);
        assert!(map(&[] as &[u8], |item| *item).is_empty());
    }
}
