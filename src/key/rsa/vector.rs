//! The vector filters behind the detection of what they need: the only unsafe code of the library.
//!
//! A function that is compiled for a CPU feature is unsafe to call from where the compiler does
//! not know that the CPU has it, because it would be undefined behaviour there, and for no other
//! reason: the functions themselves are safe code. Here each call is made through a value that
//! exists only where the feature was detected.

#![allow(
    unsafe_code,
    reason = "calls of functions for CPU features that were detected"
)]

use std::arch::is_x86_feature_detected;

use super::batch::Batch;
use super::candidate::{Candidate, Size};
use super::filter::Filter;
use super::sieve::Sieve;
use super::{avx2, ifma, ifma_sieve};

/// Proof that the CPU, and the operating system, have AVX-512F and AVX-512 IFMA.
pub(super) struct Ifma(());

impl Ifma {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma"))
            .then_some(Self(()))
    }

    fn fermat<const BLOCKS: usize>(
        &self,
        candidates: &[Candidate],
        stop: &dyn Fn() -> bool,
    ) -> Option<u8> {
        let batch =
            Batch::<{ ifma::LANES }, { ifma::BLOCK }, BLOCKS>::new(candidates, ifma::LIMB_BITS);
        // SAFETY: there is a value of this type, so `avx512f` and `avx512ifma` were detected.
        unsafe { ifma::fermat(&batch, stop) }
    }

    /// Runs `count` rounds of IFMA instructions that wait for nothing but each other's units, and
    /// gives the number of instructions: what the filter's speed is measured against.
    pub(super) fn spin(&self, count: u32) -> u64 {
        // SAFETY: there is a value of this type, so `avx512f` and `avx512ifma` were detected.
        unsafe { ifma::spin(count) }
    }
}

impl Filter for Ifma {
    fn lanes(&self) -> usize {
        ifma::LANES
    }

    fn sieve_bound(&self, size: Size) -> usize {
        match size {
            Size::Rsa2048 => 1 << 15,
            Size::Rsa3072 => 1 << 16,
            Size::Rsa4096 => 1 << 17,
        }
    }

    fn sieve(&self, sieve: &Sieve, words: &[u64]) -> bool {
        // SAFETY: there is a value of this type, so `avx512f` and `avx512ifma` were detected.
        unsafe { ifma_sieve::passes(sieve, words) }
    }

    fn probable_primes(
        &self,
        size: Size,
        candidates: &[Candidate],
        stop: &dyn Fn() -> bool,
    ) -> Option<u8> {
        match size {
            Size::Rsa2048 => self.fermat::<4>(candidates, stop),
            Size::Rsa3072 => self.fermat::<6>(candidates, stop),
            Size::Rsa4096 => self.fermat::<8>(candidates, stop),
        }
    }
}

/// Proof that the CPU, and the operating system, have AVX2.
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    fn fermat<const BLOCKS: usize>(
        &self,
        candidates: &[Candidate],
        stop: &dyn Fn() -> bool,
    ) -> Option<u8> {
        let batch =
            Batch::<{ avx2::LANES }, { avx2::BLOCK }, BLOCKS>::new(candidates, avx2::LIMB_BITS);
        // SAFETY: there is a value of this type, so `avx2` was detected.
        unsafe { avx2::fermat(&batch, stop) }
    }
}

impl Filter for Avx2 {
    fn lanes(&self) -> usize {
        avx2::LANES
    }

    fn sieve_bound(&self, size: Size) -> usize {
        match size {
            Size::Rsa2048 => 1 << 15,
            Size::Rsa3072 => 1 << 16,
            Size::Rsa4096 => 1 << 17,
        }
    }

    fn probable_primes(
        &self,
        size: Size,
        candidates: &[Candidate],
        stop: &dyn Fn() -> bool,
    ) -> Option<u8> {
        match size {
            Size::Rsa2048 => self.fermat::<10>(candidates, stop),
            Size::Rsa3072 => self.fermat::<15>(candidates, stop),
            Size::Rsa4096 => self.fermat::<19>(candidates, stop),
        }
    }
}
