//! What tests and benchmarks take hold of: keys from a given seed, and the filters one by one. No
//! promise is made about any of it.

use std::num::NonZero;

use super::candidate::{Candidate, Seed, Size};
use super::filter::Filter;
use super::search::{self, Search};
use super::sieve::Sieve;
#[cfg(target_arch = "x86_64")]
use super::vector::Ifma;
use crate::error::Result;
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
