//! Work on all cores.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::{self, Builder};

use crate::stack;

/// Items that are worth a thread.
const SHARE: usize = 16;
/// Threads that wait for the disk at once.
const WAITING: usize = 8;

thread_local! {
    /// Whether this thread does a share of the work of all.
    static IS_ONE_OF_MANY: Cell<bool> = const { Cell::new(false) };
}

static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));

/// How many threads the machine, or the container, has time for. Linux tells in files, so a
/// process that will not be able to read any asks before. One, inside of work that is shared already.
#[must_use]
pub fn cores() -> usize {
    if IS_ONE_OF_MANY.get() { 1 } else { *CORES }
}

/// The most threads that work is shared by.
#[must_use]
pub fn most_threads() -> usize {
    if IS_ONE_OF_MANY.get() {
        1
    } else {
        CORES.max(WAITING)
    }
}

/// `work` done on every item by as many threads as there are cores; the results in the order of
/// the items. Where threads are not to be had, this one does it all. Stacks of other threads are
/// overwritten: an item may be a key.
///
/// # Panics
/// Only where `work` does.
pub fn map<'i, T: Sync, R: Send>(items: &'i [T], work: impl Fn(&'i T) -> R + Sync) -> Vec<R> {
    share(items, cores(), SHARE, work)
}

/// The same for work that is worth a thread for each item, such as making a key.
///
/// # Panics
/// Only where `work` does.
pub fn map_heavy<'i, T: Sync, R: Send>(items: &'i [T], work: impl Fn(&'i T) -> R + Sync) -> Vec<R> {
    share(items, cores(), 1, work)
}

/// The same for work that waits until files are on the disk: what several threads wait for, the disk
/// does in one go.
///
/// # Panics
/// Only where `work` does.
pub fn map_waiting<'i, T: Sync, R: Send>(
    items: &'i [T],
    work: impl Fn(&'i T) -> R + Sync,
) -> Vec<R> {
    share(items, most_threads(), 1, work)
}

/// `work` done to every item, by as many threads as there are cores.
///
/// # Panics
/// Only where `work` does.
pub fn change<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync) {
    let shares: Vec<_> = items.chunks_mut(SHARE).map(Mutex::new).collect();
    share(&shares, cores(), 1, |share| {
        let mut items = share.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter_mut().for_each(&work);
    });
}

fn share<'i, T: Sync, R: Send>(
    items: &'i [T],
    most: usize,
    least: usize,
    work: impl Fn(&'i T) -> R + Sync,
) -> Vec<R> {
    let threads = most.min(items.len().div_ceil(least));
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let was_one = IS_ONE_OF_MANY.replace(threads > 1);
        let turns = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = turns.map_while(|turn| Some((turn, work(items.get(turn)?))));
        let mine = mine.collect::<Vec<_>>();
        IS_ONE_OF_MANY.set(was_one);
        mine
    };
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
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
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        assert_eq!(map(&items, |item| item * 2), doubled);
        assert!(map(&[] as &[u8], |item| *item).is_empty());
    }

    #[test]
    fn every_item_is_changed_once() {
        let mut items: Vec<usize> = (0..1000).collect();
        change(&mut items, |item| *item += 1);
        assert_eq!(items, (1..=1000).collect::<Vec<_>>());
        change(&mut [] as &mut [u8], |item| *item += 1);
    }

    #[test]
    fn work_inside_of_shared_work_is_not_shared_again() {
        let inside = map_heavy(&[(); 64], |()| cores());
        assert!(inside.iter().all(|cores| *cores == 1), "{inside:?}");
        assert_eq!(cores(), *CORES);
    }
}
