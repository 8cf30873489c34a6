//! Who does what next in the search for a key: a pure account of the work, which the threads share.
//!
//! The primes of a key are the two draws of lowest number that pass the filter and every round.
//! Which thread finds them, and when, makes no difference: a key is made of a pair only once every
//! draw below its second number was tested.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::SignedKey;
use super::candidate::{Candidate, Size};
use super::confirm::rounds;
use crate::error::{Error, Result};

/// Something for one thread to do.
pub(super) enum Job {
    /// Make the draws of these numbers and sieve them.
    Sieve(Range<u64>),
    /// Test a batch of candidates with the filter.
    Filter(Vec<Candidate>),
    /// Test a candidate in a random base, of this number.
    Round(Arc<Candidate>, u8),
    /// Make a key of two candidates.
    Build(Arc<Candidate>, Arc<Candidate>),
}

/// What came of a job.
pub(super) enum Report {
    /// The candidates left by the sieve of the draws from this number on.
    Sieved(u64, Vec<Candidate>),
    /// The candidates that passed the filter.
    Filtered(Vec<Candidate>),
    /// A batch that was given back untested.
    Stopped(Vec<Candidate>),
    /// Whether the candidate of this number passed a round.
    Round(u64, bool),
    /// The key of these two, or none where the pair does not do.
    Built(Pair, Result<Option<SignedKey>>),
}

/// What a thread that asks for work is told.
pub(super) enum Next {
    /// Do this.
    Job(Job),
    /// Ask again after the next report.
    Wait,
    /// There is an outcome.
    End,
}

/// The numbers of two candidates, the lower first.
pub(super) type Pair = (u64, u64);

/// The account of all work.
pub(super) struct Ledger {
    size: Size,
    lanes: usize,
    next_draw: u64,
    /// First draws of the sieve jobs that are under way.
    sieving: BTreeSet<u64>,
    /// What waits for the filter, by number.
    pending: BTreeMap<u64, Candidate>,
    /// How many batches are under way.
    filtering: usize,
    /// What passed the filter and was not refuted, by number.
    hits: BTreeMap<u64, Hit>,
    /// The pair that a key was last asked of.
    building: Option<Pair>,
    /// What came of it.
    built: Option<(Pair, Result<SignedKey>)>,
    outcome: Option<Result<SignedKey>>,
}

/// A candidate that passed the filter.
struct Hit {
    candidate: Arc<Candidate>,
    rounds_begun: u8,
    rounds_passed: u8,
}

impl Ledger {
    pub(super) fn new(size: Size, lanes: usize) -> Self {
        Self {
            size,
            lanes,
            next_draw: 0,
            sieving: BTreeSet::new(),
            pending: BTreeMap::new(),
            filtering: 0,
            hits: BTreeMap::new(),
            building: None,
            built: None,
            outcome: None,
        }
    }

    /// How many draws a sieve job makes: about as many as leave one batch.
    fn draws_per_job(&self) -> u64 {
        32 * self.lanes as u64
    }

    /// How many draws are made for a key before giving up. Of these, 29 % are candidates, so this
    /// is a little less than the 5 nlen that FIPS 186-5 A.1.3 allows for p alone. One key in 2^34
    /// needs more.
    fn draw_limit(&self) -> u64 {
        16 * u64::from(self.size.modulus_bits())
    }

    /// The number of the second hit: nothing above it matters as long as it stands.
    pub(super) fn bound(&self) -> u64 {
        self.pair().map_or(u64::MAX, |(_, second)| second)
    }

    /// The two hits of lowest number.
    fn pair(&self) -> Option<Pair> {
        let mut numbers = self.hits.keys();
        Some((*numbers.next()?, *numbers.next()?))
    }

    /// The outcome, once there is one.
    pub(super) fn into_outcome(self) -> Option<Result<SignedKey>> {
        self.outcome
    }

    /// Ends the search with an error.
    pub(super) fn fail(&mut self, error: Error) {
        self.outcome = Some(Err(error));
    }

    /// Hands out work. The first round of each hit comes before the key, which is the largest job,
    /// and the other rounds fill the time of the other threads.
    pub(super) fn next(&mut self) -> Next {
        if self.outcome.is_some() {
            return Next::End;
        }
        let Some(pair) = self.pair() else {
            return self.next_of_search();
        };
        if self.has_pending_below(pair.1) {
            return self.next_of_search();
        }
        self.next_round(pair, 1)
            .or_else(|| self.next_key(pair))
            .or_else(|| self.next_round(pair, rounds(self.size)))
            .map_or(Next::Wait, Next::Job)
    }

    fn has_pending_below(&self, number: u64) -> bool {
        self.pending.range(..number).next().is_some()
    }

    /// Whether no other pair can come before this one, as long as it stands.
    fn is_settled(&self, pair: Pair) -> bool {
        self.filtering == 0 && !self.has_pending_below(pair.1)
    }

    /// A round of one of the pair that has not begun this many.
    fn next_round(&mut self, (first, second): Pair, rounds: u8) -> Option<Job> {
        let mut hits = self.hits.range_mut(first..=second);
        let (_, hit) = hits.find(|(_, hit)| hit.rounds_begun < rounds)?;
        let round = hit.rounds_begun;
        hit.rounds_begun += 1;
        Some(Job::Round(Arc::clone(&hit.candidate), round))
    }

    fn next_key(&mut self, pair: Pair) -> Option<Job> {
        if !self.is_settled(pair) || self.building == Some(pair) {
            return None;
        }
        let candidate = |number| Some(Arc::clone(&self.hits.get(&number)?.candidate));
        let job = Job::Build(candidate(pair.0)?, candidate(pair.1)?);
        self.building = Some(pair);
        Some(job)
    }

    fn next_of_search(&mut self) -> Next {
        if let Some(batch) = self.take_batch() {
            self.filtering += 1;
            return Next::Job(Job::Filter(batch));
        }
        if self.next_draw < self.draw_limit() {
            let first = self.next_draw;
            self.next_draw += self.draws_per_job();
            self.sieving.insert(first);
            return Next::Job(Job::Sieve(first..self.next_draw));
        }
        if self.sieving.is_empty() && self.filtering == 0 {
            self.fail(Error::NoPrimes {
                draws: self.next_draw,
            });
            return Next::End;
        }
        Next::Wait
    }

    /// The candidates of lowest number, once all draws below theirs have been sieved.
    fn take_batch(&mut self) -> Option<Vec<Candidate>> {
        let frontier = self.sieving.first().copied().unwrap_or(self.next_draw);
        let ready = self.pending.range(..frontier).take(self.lanes).count();
        let last = frontier >= self.draw_limit() && ready > 0;
        (ready == self.lanes || last).then(|| {
            let candidates = (0..ready).map_while(|_| self.pending.pop_first());
            candidates.map(|(_, candidate)| candidate).collect()
        })
    }

    /// Takes a job off the account, and sees whether it was the last.
    pub(super) fn record(&mut self, report: Report) {
        match report {
            Report::Sieved(first, candidates) => {
                self.sieving.remove(&first);
                self.return_to_pending(candidates);
            }
            Report::Filtered(passed) => {
                self.filtering -= 1;
                let numbered = passed.into_iter().map(|hit| (hit.number, Hit::new(hit)));
                self.hits.extend(numbered);
            }
            Report::Stopped(batch) => {
                self.filtering -= 1;
                self.return_to_pending(batch);
            }
            Report::Round(number, true) => {
                if let Some(hit) = self.hits.get_mut(&number) {
                    hit.rounds_passed += 1;
                }
            }
            Report::Round(number, false) => {
                self.hits.remove(&number);
            }
            Report::Built(pair, built) => self.enter_key(pair, built),
        }
        self.conclude();
    }

    fn return_to_pending(&mut self, candidates: Vec<Candidate>) {
        let numbered = candidates.into_iter().map(|it| (it.number, it));
        self.pending.extend(numbered);
    }

    /// A pair that does not do is mended by another second number (A.1.3 step 5.5).
    fn enter_key(&mut self, pair: Pair, built: Result<Option<SignedKey>>) {
        if self.building != Some(pair) {
            return;
        }
        match built.transpose() {
            Some(key) => self.built = Some((pair, key)),
            None => {
                self.hits.remove(&pair.1);
            }
        }
    }

    /// The key is the outcome once all rounds have confirmed what it is made of.
    fn conclude(&mut self) {
        let Some(pair) = self.pair().filter(|pair| self.is_settled(*pair)) else {
            return;
        };
        if self.is_confirmed(pair.0) && self.is_confirmed(pair.1) {
            let of_pair = self.built.take_if(|(built, _)| *built == pair);
            self.outcome = self.outcome.take().or(of_pair.map(|(_, key)| key));
        }
    }

    fn is_confirmed(&self, number: u64) -> bool {
        let hit = self.hits.get(&number);
        hit.is_some_and(|hit| hit.rounds_passed == rounds(self.size))
    }
}

impl Hit {
    fn new(candidate: Candidate) -> Self {
        Self {
            candidate: Arc::new(candidate),
            rounds_begun: 0,
            rounds_passed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::Rsa2048;

    /// A ledger whose batches are of one candidate, with these numbers to be filtered.
    fn ledger(numbers: &[u64]) -> Ledger {
        let mut ledger = Ledger::new(SIZE, 1);
        assert!(matches!(ledger.next(), Next::Job(Job::Sieve(_))));
        ledger.record(Report::Sieved(
            0,
            numbers.iter().copied().map(candidate).collect(),
        ));
        ledger
    }

    fn candidate(number: u64) -> Candidate {
        Candidate::new(number, &[1])
    }

    fn batch(ledger: &mut Ledger) -> Vec<Candidate> {
        match ledger.next() {
            Next::Job(Job::Filter(batch)) => batch,
            _ => panic!("no batch to filter"),
        }
    }

    /// Hands out what there is until a thread is told to wait: rounds by number of their
    /// candidate, and the pair of a key.
    fn handed_out(ledger: &mut Ledger) -> (Vec<u64>, Option<Pair>) {
        let mut pair = None;
        let mut rounds = Vec::new();
        while let Next::Job(job) = ledger.next() {
            match job {
                Job::Round(candidate, _) => rounds.push(candidate.number),
                Job::Build(first, second) => pair = Some((first.number, second.number)),
                Job::Sieve(_) | Job::Filter(_) => panic!("the search is over"),
            }
        }
        (rounds, pair)
    }

    fn pass_all_rounds(ledger: &mut Ledger, numbers: &[u64]) {
        for number in numbers {
            ledger.record(Report::Round(*number, true));
        }
    }

    #[test]
    fn two_hits_make_a_key_after_all_rounds() {
        let mut ledger = ledger(&[3, 5]);
        for _ in 0..2 {
            let passed = batch(&mut ledger);
            ledger.record(Report::Filtered(passed));
        }
        let (rounds_begun, pair) = handed_out(&mut ledger);
        assert_eq!(rounds_begun.len(), 2 * usize::from(rounds(SIZE)));
        assert_eq!(pair, Some((3, 5)));
        ledger.record(Report::Built((3, 5), Err(Error::Inconsistent)));
        pass_all_rounds(&mut ledger, &rounds_begun[1..]);
        assert!(matches!(ledger.next(), Next::Wait));
        pass_all_rounds(&mut ledger, &rounds_begun[..1]);
        assert!(matches!(ledger.next(), Next::End));
        assert!(matches!(
            ledger.into_outcome(),
            Some(Err(Error::Inconsistent))
        ));
    }

    #[test]
    fn while_a_lower_draw_is_filtered_rounds_are_made_and_no_key() {
        let mut ledger = ledger(&[3, 5, 7]);
        let [first, lower, second] = [(); 3].map(|()| batch(&mut ledger));
        ledger.record(Report::Filtered(first));
        ledger.record(Report::Filtered(second));
        let (_, pair) = handed_out(&mut ledger);
        assert_eq!(pair, None);
        ledger.record(Report::Filtered(lower));
        assert_eq!(ledger.bound(), 5);
        let (_, pair) = handed_out(&mut ledger);
        assert_eq!(pair, Some((3, 5)));
    }

    #[test]
    fn a_batch_that_was_stopped_is_filtered_once_the_pair_below_it_is_refuted() {
        let mut ledger = ledger(&[3, 5, 7, 9]);
        let [first, refuted, stopped, late] = [(); 4].map(|()| batch(&mut ledger));
        for passed in [late, first, refuted] {
            ledger.record(Report::Filtered(passed));
        }
        ledger.record(Report::Stopped(stopped));
        handed_out(&mut ledger);
        ledger.record(Report::Round(5, false));
        let again = batch(&mut ledger);
        assert_eq!(again[0].number, 7);
        ledger.record(Report::Filtered(again));
        let (_, pair) = handed_out(&mut ledger);
        assert_eq!(pair, Some((3, 7)));
    }

    #[test]
    fn a_key_of_a_pair_that_was_refuted_does_not_count() {
        let mut ledger = ledger(&[3, 5, 7]);
        for _ in 0..2 {
            let passed = batch(&mut ledger);
            ledger.record(Report::Filtered(passed));
        }
        handed_out(&mut ledger);
        ledger.record(Report::Round(5, false));
        let passed = batch(&mut ledger);
        ledger.record(Report::Filtered(passed));
        let (_, pair) = handed_out(&mut ledger);
        assert_eq!(pair, Some((3, 7)));
        ledger.record(Report::Built((3, 5), Ok(None)));
        assert_eq!(ledger.bound(), 7);
    }

    #[test]
    fn a_search_gives_up_only_after_the_last_batch() {
        let mut ledger = ledger(&[3]);
        let last = batch(&mut ledger);
        let mut draws = Vec::new();
        while let Next::Job(Job::Sieve(numbers)) = ledger.next() {
            draws.push(numbers.start);
        }
        for first in draws {
            ledger.record(Report::Sieved(first, Vec::new()));
        }
        assert!(matches!(ledger.next(), Next::Wait));
        ledger.record(Report::Filtered(Vec::new()));
        let draws = 16 * u64::from(SIZE.modulus_bits());
        drop(last);
        assert!(matches!(ledger.next(), Next::End));
        assert!(matches!(
            ledger.into_outcome(),
            Some(Err(Error::NoPrimes { draws: made })) if made == draws
        ));
    }

    #[test]
    fn what_is_left_after_the_last_draw_is_filtered_in_a_batch_that_is_not_full() {
        let mut ledger = Ledger::new(SIZE, 2);
        let mut left = vec![candidate(3)];
        let mut draws = Vec::new();
        while let Next::Job(Job::Sieve(numbers)) = ledger.next() {
            draws.push(numbers.start);
        }
        for first in draws {
            ledger.record(Report::Sieved(first, std::mem::take(&mut left)));
        }
        assert_eq!(batch(&mut ledger).len(), 1);
    }

    #[test]
    fn a_second_number_that_does_not_do_is_replaced() {
        let mut ledger = ledger(&[3, 5, 7]);
        for _ in 0..2 {
            let passed = batch(&mut ledger);
            ledger.record(Report::Filtered(passed));
        }
        handed_out(&mut ledger);
        ledger.record(Report::Built((3, 5), Ok(None)));
        let passed = batch(&mut ledger);
        ledger.record(Report::Filtered(passed));
        assert_eq!(handed_out(&mut ledger).1, Some((3, 7)));
    }
}
