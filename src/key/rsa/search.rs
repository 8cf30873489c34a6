//! The search for a key on several threads.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use super::candidate::{Candidate, Draws, Seed, Size, fits_public_exponent};
use super::confirm::{build, passes_round};
use super::filter::Filter;
use super::ledger::{Job, Ledger, Next, Report};
use super::sieve::Sieve;
use super::{FirstMessage, SignedKey};
use crate::error::{Error, Result};
use crate::stack;

/// What the threads share.
pub(super) struct Search<'a> {
    size: Size,
    seed: &'a Seed,
    filter: &'a dyn Filter,
    sieve_bound: usize,
    message: FirstMessage<'a>,
    sieve: OnceLock<Sieve>,
    ledger: Mutex<Ledger>,
    reported: Condvar,
    /// [`Ledger::bound`], for batches to look at while they run.
    bound: AtomicU64,
}

impl<'a> Search<'a> {
    /// A search for the key of `size` that `seed` stands for, which signs `message` first.
    pub(super) fn new(
        size: Size,
        seed: &'a Seed,
        filter: &'a dyn Filter,
        sieve_bound: usize,
        message: FirstMessage<'a>,
    ) -> Self {
        Self {
            size,
            seed,
            filter,
            sieve_bound,
            message,
            sieve: OnceLock::new(),
            ledger: Mutex::new(Ledger::new(size, filter.lanes())),
            reported: Condvar::new(),
            bound: AtomicU64::new(u64::MAX),
        }
    }

    /// Searches on `threads` threads, this one among them, or on as many as the system gives.
    ///
    /// # Errors
    /// [`Error::NoPrimes`], [`Error::Inconsistent`], and what the message fails with.
    pub(super) fn run(self, threads: NonZero<usize>) -> Result<SignedKey> {
        thread::scope(|scope| {
            for _ in 1..threads.get() {
                let helper = thread::Builder::new().spawn_scoped(scope, || self.work());
                if helper.is_err() {
                    break;
                }
            }
            self.work();
        });
        let ledger = self.ledger.into_inner();
        let outcome = ledger
            .unwrap_or_else(PoisonError::into_inner)
            .into_outcome();
        outcome.unwrap_or(Err(Error::Inconsistent))
    }

    /// Works until there is an outcome, and wipes what was left on the stack.
    fn work(&self) {
        let _release = Release(self);
        stack::wiped(|| {
            let sieve = self.sieve.get_or_init(|| Sieve::new(self.sieve_bound));
            while let Some(job) = self.next_job() {
                let report = self.perform(job, sieve);
                let mut ledger = self.ledger();
                ledger.record(report);
                self.bound.store(ledger.bound(), Ordering::Relaxed);
                self.reported.notify_all();
            }
        });
    }

    fn next_job(&self) -> Option<Job> {
        let mut ledger = self.ledger();
        loop {
            match ledger.next() {
                Next::Job(job) => return Some(job),
                Next::End => return None,
                Next::Wait => {
                    let waited = self.reported.wait(ledger);
                    ledger = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn perform(&self, job: Job, sieve: &Sieve) -> Report {
        match job {
            Job::Sieve(numbers) => {
                let first = numbers.start;
                let left = candidates(numbers, self.size, self.seed, self.filter, sieve);
                Report::Sieved(first, left)
            }
            Job::Filter(batch) => self.filter(batch),
            Job::Round(candidate, round) => {
                let passed = passes_round(&candidate, round, self.seed);
                Report::Round(candidate.number, passed)
            }
            Job::Build(first, second) => {
                let built = build(&first, &second, self.size, self.message);
                Report::Built((first.number, second.number), built)
            }
        }
    }

    fn filter(&self, batch: Vec<Candidate>) -> Report {
        let first = batch.first().map_or(u64::MAX, |candidate| candidate.number);
        let stop = || self.bound.load(Ordering::Relaxed) < first;
        match self.filter.probable_primes(self.size, &batch, &stop) {
            None => Report::Stopped(batch),
            Some(passed) => {
                let lanes = batch.into_iter().enumerate();
                let hits = lanes.filter(|(lane, _)| passed >> lane & 1 == 1);
                Report::Filtered(hits.map(|(_, candidate)| candidate).collect())
            }
        }
    }
}

/// The draws of these numbers that are candidates and pass the sieve.
pub(super) fn candidates(
    numbers: Range<u64>,
    size: Size,
    seed: &Seed,
    filter: &dyn Filter,
    sieve: &Sieve,
) -> Vec<Candidate> {
    let mut draws = Draws::starting_at(numbers.start, size, seed);
    let mut candidates = Vec::new();
    for number in numbers {
        let Some(words) = draws.draw() else { continue };
        if filter.sieve(sieve, words) && fits_public_exponent(words) {
            candidates.push(Candidate::new(number, words));
        }
    }
    candidates
}

/// Lets the other threads go where one panics, which would otherwise wait for its report.
struct Release<'a, 'b>(&'a Search<'b>);

impl Drop for Release<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.ledger().fail(Error::Inconsistent);
            self.0.reported.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::candidate::SEED_LEN;
    use super::super::filter::Backend;
    use super::*;
    use crate::key::Fingerprint;

    const SEED: Seed = [9; SEED_LEN];

    /// Each filter that this machine can run.
    fn filters() -> impl Iterator<Item = Box<dyn Filter>> {
        Backend::ALL.into_iter().filter_map(Backend::filter)
    }

    /// A filter, and a lie about what it said of a batch.
    struct Liar<'a>(&'a dyn Filter, fn(u8, &[Candidate]) -> u8);

    impl Filter for Liar<'_> {
        fn lanes(&self) -> usize {
            self.0.lanes()
        }

        fn sieve_bound(&self, size: Size) -> usize {
            self.0.sieve_bound(size)
        }

        fn probable_primes(
            &self,
            size: Size,
            candidates: &[Candidate],
            stop: &dyn Fn() -> bool,
        ) -> Option<u8> {
            let truth = self.0.probable_primes(size, candidates, stop)?;
            Some((self.1)(truth, candidates))
        }
    }

    fn search(filter: &dyn Filter, threads: usize) -> Result<SignedKey> {
        let size = Size::Rsa2048;
        let threads = NonZero::new(threads).unwrap();
        let message: FirstMessage = &|_| Ok(b"first".to_vec());
        Search::new(size, &SEED, filter, filter.sieve_bound(size), message).run(threads)
    }

    /// The whole key and what it signed, in a form to compare.
    fn made(filter: &dyn Filter, threads: usize) -> (Fingerprint, Vec<u8>) {
        let (key, signature) = *search(filter, threads).unwrap();
        (key.public_key().fingerprint(), signature)
    }

    #[test]
    fn a_filter_that_passes_composites_changes_nothing() {
        for filter in filters() {
            let honest = made(&*filter, 1);
            let everything = Liar(&*filter, |_, batch| u8::MAX >> (8 - batch.len()));
            assert_eq!(made(&everything, 1), honest);
            assert_eq!(made(&everything, 3), honest);
            let neighbours = Liar(&*filter, |truth, _| truth | truth << 1 | truth >> 1);
            assert_eq!(made(&neighbours, 2), honest);
        }
    }

    /// Passes what it is given of every second draw only, whichever lane that is in.
    fn fussy(truth: u8, batch: &[Candidate]) -> u8 {
        let kept = |(lane, it): (usize, &Candidate)| u8::from(it.number % 2 == 0) << lane;
        truth & batch.iter().enumerate().map(kept).sum::<u8>()
    }

    #[test]
    fn a_filter_that_loses_primes_costs_time_and_the_key_is_good() {
        let keys: Vec<_> = filters()
            .flat_map(|filter| {
                let fussy = Liar(&*filter, fussy);
                assert_ne!(made(&fussy, 1), made(&*filter, 1));
                [made(&fussy, 1), made(&fussy, 2)]
            })
            .collect();
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_filter_that_passes_nothing_ends_in_an_error() {
        for filter in filters() {
            let nothing = Liar(&*filter, |_, _| 0);
            let error = search(&nothing, 2).unwrap_err();
            assert_eq!(error, Error::NoPrimes { draws: 32_768 });
        }
    }

    /// A filter that breaks the first time that it is used.
    struct Broken(Box<dyn Filter>, AtomicU64);

    impl Filter for Broken {
        fn lanes(&self) -> usize {
            self.0.lanes()
        }

        fn sieve_bound(&self, size: Size) -> usize {
            self.0.sieve_bound(size)
        }

        fn probable_primes(
            &self,
            size: Size,
            candidates: &[Candidate],
            stop: &dyn Fn() -> bool,
        ) -> Option<u8> {
            let uses = self.1.fetch_add(1, Ordering::Relaxed);
            assert_ne!(uses, 0, "broken");
            self.0.probable_primes(size, candidates, stop)
        }
    }

    #[test]
    fn a_filter_that_panics_on_one_thread_ends_the_search_on_every_thread() {
        for filter in filters() {
            let broken = Broken(filter, AtomicU64::new(0));
            let broken = std::panic::AssertUnwindSafe(&broken);
            let ended = std::panic::catch_unwind(|| search(*broken, 3));
            assert!(ended.is_err());
        }
    }
}
