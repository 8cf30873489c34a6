//! Filters: what throws candidates away before the library sees them, and which of them this
//! machine can run.
//!
//! A filter is fast and need not be right: see the argument in the [module above](super).

use std::fmt;

use super::candidate::{Candidate, Size};
use super::confirm::miller_rabin;
use super::sieve::Sieve;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Ifma};

/// Throws away most of the candidates that are not primes, and ideally none that is.
pub(super) trait Filter: Sync {
    /// How many candidates [`Filter::probable_primes`] tests in the time of one.
    fn lanes(&self) -> usize;

    /// Up to where trial division pays: removing a candidate with one more prime costs as much as
    /// testing it.
    fn sieve_bound(&self, size: Size) -> usize;

    /// Whether no prime of the sieve divides the odd number of these little-endian words.
    fn sieve(&self, sieve: &Sieve, words: &[u64]) -> bool {
        sieve.passes(words)
    }

    /// Bit `i` says whether candidate `i` passes a test in base 2. None once `stop`, which knows
    /// nothing of the candidates, says that nobody waits for the answer.
    fn probable_primes(
        &self,
        size: Size,
        candidates: &[Candidate],
        stop: &dyn Fn() -> bool,
    ) -> Option<u8>;
}

const VECTOR_UNITS: &str = "KUBE_ENROLL_VECTOR_UNITS";

/// The filters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Eight candidates at a time with AVX-512 IFMA.
    Ifma,
    /// Four candidates at a time with AVX2.
    Avx2,
    /// One candidate after the other with `crypto-primes`.
    Portable,
}

impl Backend {
    /// Every filter, the fastest first.
    pub const ALL: [Self; 3] = [Self::Ifma, Self::Avx2, Self::Portable];

    /// Whether this machine can run it, and tests are not told to do without.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.filter().is_some()
    }

    /// Whether tests may use it: in builds with debug assertions, `KUBE_ENROLL_VECTOR_UNITS` is
    /// `none`, `avx2` or `all`, and says what the CPU passes for having. Release builds do not read
    /// the variable. No key depends on it.
    fn is_permitted(self) -> bool {
        if !cfg!(debug_assertions) {
            return true;
        }
        let units = std::env::var_os(VECTOR_UNITS).unwrap_or_default();
        match units.as_encoded_bytes() {
            b"none" => self == Self::Portable,
            b"avx2" => self != Self::Ifma,
            _ => true,
        }
    }

    /// The filter, if this machine can run it.
    pub(super) fn filter(self) -> Option<Box<dyn Filter>> {
        if !self.is_permitted() {
            return None;
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => Ifma::detect().map(|filter| Box::new(filter) as _),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().map(|filter| Box::new(filter) as _),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Ifma | Self::Avx2 => None,
            Self::Portable => Some(Box::new(Portable)),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ifma => "AVX-512 IFMA",
            Self::Avx2 => "AVX2",
            Self::Portable => "crypto-primes",
        })
    }
}

/// The fastest filter of this machine.
pub(super) fn fastest() -> Box<dyn Filter> {
    let mut filters = Backend::ALL.into_iter().filter_map(Backend::filter);
    filters.next().unwrap_or_else(|| Box::new(Portable))
}

/// The library's own test, for machines without the vector units.
struct Portable;

impl Filter for Portable {
    fn lanes(&self) -> usize {
        1
    }

    fn sieve_bound(&self, size: Size) -> usize {
        match size {
            Size::Rsa2048 => 1 << 17,
            Size::Rsa3072 | Size::Rsa4096 => 1 << 18,
        }
    }

    fn probable_primes(
        &self,
        _size: Size,
        candidates: &[Candidate],
        stop: &dyn Fn() -> bool,
    ) -> Option<u8> {
        let mut passed = 0;
        for (lane, candidate) in candidates.iter().enumerate() {
            if stop() {
                return None;
            }
            let test = miller_rabin(candidate);
            passed |=
                u8::from(test.is_some_and(|test| test.test_base_two().is_probably_prime())) << lane;
        }
        Some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_filter_is_there_where_the_cpu_has_what_it_needs() {
        let ifma = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
        let permitted = Backend::Ifma.is_permitted();
        assert_eq!(Backend::Ifma.is_available(), ifma && permitted);
        let avx2 = is_x86_feature_detected!("avx2");
        let permitted = Backend::Avx2.is_permitted();
        assert_eq!(Backend::Avx2.is_available(), avx2 && permitted);
    }

    #[test]
    fn tests_run_with_the_vector_units_that_they_are_told_to() {
        let permitted = Backend::ALL.map(Backend::is_permitted);
        match std::env::var(VECTOR_UNITS).as_deref() {
            Err(_) | Ok("all") => assert_eq!(permitted, [true, true, true]),
            Ok("avx2") => assert_eq!(permitted, [false, true, true]),
            Ok("none") => assert_eq!(permitted, [false, false, true]),
            Ok(other) => panic!("{VECTOR_UNITS} is none, avx2 or all, not {other:?}"),
        }
    }

    #[test]
    fn every_machine_has_a_filter_and_each_a_name_of_its_own() {
        assert!(Backend::Portable.is_available());
        let names = Backend::ALL.map(|it| it.to_string());
        assert_eq!(names, ["AVX-512 IFMA", "AVX2", "crypto-primes"]);
    }
}
