//! What tests and benchmarks take hold of: keys from a given seed, and the filters one by one. No
//! promise is made about any of it.

use std::num::NonZero;

use super::candidate::{Candidate, SEED_LEN, Seed, Size, fits_public_exponent};
use super::confirm::{build, passes_round, rounds};
use super::filter::Filter;
use super::search::{self, Search};
use super::sieve::Sieve;
#[cfg(target_arch = "x86_64")]
use super::vector::Ifma;
use crate::error::{Error, Result};
use crate::key::{PrivateKey, PublicKey};

pub use super::filter::Backend;

/// How a key is made. None of it changes the key.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many threads work on it.
    pub threads: NonZero<usize>,
    /// What filters the candidates; the fastest there is where this machine does not have it.
    pub backend: Backend,
    /// Trial division is by the primes below this; None for what suits the filter.
    pub sieve_bound: Option<usize>,
}

/// The key that `seed` stands for.
///
/// # Errors
/// As [`PrivateKey::generate`].
pub fn generate(size: Size, seed: &Seed, options: Options) -> Result<PrivateKey> {
    let filter = filter(options.backend);
    let sieve_bound = options.sieve_bound.unwrap_or(filter.sieve_bound(size));
    let message = |_: &PublicKey| Ok(b"pairwise consistency".to_vec());
    let search = Search::new(size, seed, &*filter, sieve_bound, &message);
    search.run(options.threads).map(|made| made.0)
}

/// The key of the first two primes in a list of odd numbers of the full length, in little-endian words,
/// by all the steps of a search on one thread: for lists that other programs measure themselves by.
///
/// # Errors
/// [`Error::NoPrimes`] where there are not two that fit together; as [`PrivateKey::generate`].
pub fn generate_from(size: Size, backend: Backend, numbers: &[Vec<u64>]) -> Result<PrivateKey> {
    const SEED: Seed = [0; SEED_LEN];
    let filter = filter(backend);
    let sieve = Sieve::new(filter.sieve_bound(size));
    let is_candidate = |words: &[u64]| filter.sieve(&sieve, words) && fits_public_exponent(words);
    let candidates = (0..).zip(numbers).filter(|(_, words)| is_candidate(words));
    let mut candidates = candidates.map(|(number, words)| Candidate::new(number, words));
    let mut first: Option<Candidate> = None;
    loop {
        let batch: Vec<_> = candidates.by_ref().take(filter.lanes()).collect();
        if batch.is_empty() {
            let draws = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
            return Err(Error::NoPrimes { draws });
        }
        let passed = filter.probable_primes(size, &batch, &|| false);
        for (lane, candidate) in batch.into_iter().enumerate() {
            let is_prime = passed.is_some_and(|passed| passed >> lane & 1 == 1)
                && (0..rounds(size)).all(|round| passes_round(&candidate, round, &SEED));
            if !is_prime {
                continue;
            }
            let Some(other) = &first else {
                first = Some(candidate);
                continue;
            };
            let message = |_: &PublicKey| Ok(b"pairwise consistency".to_vec());
            if let Some(made) = build(other, &candidate, size, &message)? {
                return Ok(made.0);
            }
        }
    }
}

fn filter(backend: Backend) -> Box<dyn Filter> {
    backend.filter().unwrap_or_else(super::filter::fastest)
}

/// How many numbers a filter tests at a time.
#[must_use]
pub fn lanes(backend: Backend) -> usize {
    filter(backend).lanes()
}

/// Numbers for a filter to test at a time.
pub struct Batch {
    size: Size,
    filter: Box<dyn Filter>,
    candidates: Vec<Candidate>,
}

impl Batch {
    /// Takes odd numbers whose top bit is set, in little-endian words, as many as `backend` tests
    /// at a time at most.
    #[must_use]
    pub fn new(size: Size, backend: Backend, numbers: &[Vec<u64>]) -> Self {
        let filter = filter(backend);
        let numbered = (0..).zip(numbers).take(filter.lanes());
        Self {
            size,
            filter,
            candidates: numbered
                .map(|(number, words)| Candidate::new(number, words))
                .collect(),
        }
    }

    /// Tests them all: bit `i` says whether candidate `i` passes in base 2.
    #[must_use]
    pub fn probable_primes(&self) -> Option<u8> {
        self.filter
            .probable_primes(self.size, &self.candidates, &|| false)
    }
}

/// Makes the first `draws` draws of `seed`, divides them by the primes below `bound`, and gives
/// what is left in little-endian words.
#[must_use]
pub fn candidates(
    size: Size,
    seed: &Seed,
    backend: Backend,
    bound: usize,
    draws: u64,
) -> Vec<Vec<u64>> {
    let sieve = Sieve::new(bound);
    let left = search::candidates(0..draws, size, seed, &*filter(backend), &sieve);
    left.iter().map(|it| it.words.to_vec()).collect()
}

/// Runs `count` rounds of independent IFMA instructions and gives how many those were, or None on
/// a machine without.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn spin_ifma(count: u32) -> Option<u64> {
    Ifma::detect().map(|ifma| ifma.spin(count))
}

/// There is no IFMA on this architecture.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
pub fn spin_ifma(_count: u32) -> Option<u64> {
    None
}
