//! Who does what next in the search for a key: a pure account of the work, which the threads share.
//!
//! The primes of a key are the two draws of lowest number that pass the filter and every round.
//! Which thread finds them, and when, makes no difference: a pair is tried only once every draw
//! below its second number was tested.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

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
    /// The key, or none where the pair does not do.
    Built(Result<Option<Box<rsa::PrivateKey>>>),
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
    /// What passed the filter, by number.
    hits: BTreeMap<u64, Arc<Candidate>>,
    trial: Option<Trial>,
    outcome: Option<Result<Box<rsa::PrivateKey>>>,
}

/// Two candidates on their way to a key.
struct Trial {
    /// Number of the second of them.
    second: u64,
    /// What is left to do.
    jobs: std::vec::IntoIter<Job>,
    /// How many jobs are under way.
    running: usize,
    /// Numbers of those that failed.
    refuted: Vec<u64>,
    key: Option<Result<Box<rsa::PrivateKey>>>,
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
            trial: None,
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
        self.hits.keys().nth(1).copied().unwrap_or(u64::MAX)
    }

    /// The outcome, once there is one.
    pub(super) fn into_outcome(self) -> Option<Result<Box<rsa::PrivateKey>>> {
        self.outcome
    }

    /// Ends the search with an error.
    pub(super) fn fail(&mut self, error: Error) {
        self.outcome = Some(Err(error));
    }

    /// Hands out work.
    pub(super) fn next(&mut self) -> Next {
        if self.outcome.is_some() {
            return Next::End;
        }
        let mut hits = self.hits.values();
        let (Some(first), Some(second)) = (hits.next(), hits.next()) else {
            return self.next_of_search();
        };
        if self.filtering > 0 {
            return Next::Wait;
        }
        let new_trial = || Trial::new(first, second, self.size);
        self.trial.get_or_insert_with(new_trial).next()
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

    /// Takes a job off the account.
    pub(super) fn record(&mut self, report: Report) {
        match report {
            Report::Sieved(first, candidates) => {
                self.sieving.remove(&first);
                self.return_to_pending(candidates);
            }
            Report::Filtered(passed) => {
                self.filtering -= 1;
                let numbered = passed.into_iter().map(|hit| (hit.number, Arc::new(hit)));
                self.hits.extend(numbered);
            }
            Report::Stopped(batch) => {
                self.filtering -= 1;
                self.return_to_pending(batch);
            }
            Report::Round(number, passed) => {
                self.settle(|trial| trial.enter_round(number, passed));
            }
            Report::Built(built) => self.settle(|trial| trial.enter_key(built)),
        }
    }

    fn return_to_pending(&mut self, candidates: Vec<Candidate>) {
        let numbered = candidates.into_iter().map(|it| (it.number, it));
        self.pending.extend(numbered);
    }

    /// Enters a result of the trial, and ends the trial where it was the last.
    fn settle(&mut self, enter: impl FnOnce(&mut Trial)) {
        let Some(trial) = &mut self.trial else { return };
        trial.running -= 1;
        enter(trial);
        if trial.running > 0 {
            return;
        }
        if !trial.refuted.is_empty() {
            self.hits
                .retain(|number, _| !trial.refuted.contains(number));
            self.trial = None;
        } else if trial.jobs.len() == 0 {
            self.outcome = trial.key.take();
        }
    }
}

impl Trial {
    /// The trial of two hits. One round each comes before the key, which is the largest job, and
    /// the other rounds fill the time of the other threads.
    fn new(first: &Arc<Candidate>, second: &Arc<Candidate>, size: Size) -> Self {
        let both = |round| [first, second].map(|hit| Job::Round(Arc::clone(hit), round));
        let mut jobs = Vec::from(both(0));
        jobs.push(Job::Build(Arc::clone(first), Arc::clone(second)));
        jobs.extend((1..rounds(size)).flat_map(both));
        Self {
            second: second.number,
            jobs: jobs.into_iter(),
            running: 0,
            refuted: Vec::new(),
            key: None,
        }
    }

    fn next(&mut self) -> Next {
        if !self.refuted.is_empty() {
            return Next::Wait;
        }
        self.jobs.next().map_or(Next::Wait, |job| {
            self.running += 1;
            Next::Job(job)
        })
    }

    fn enter_round(&mut self, number: u64, passed: bool) {
        if !passed {
            self.refuted.push(number);
        }
    }

    /// A pair that does not do is mended by another second number (A.1.3 step 5.5).
    fn enter_key(&mut self, built: Result<Option<Box<rsa::PrivateKey>>>) {
        match built.transpose() {
            Some(key) => self.key = Some(key),
            None => self.refuted.push(self.second),
        }
    }
}
