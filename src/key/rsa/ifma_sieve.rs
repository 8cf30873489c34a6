//! Trial division on AVX-512 IFMA: the products of a group in 64 lanes.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_cmple_epu64_mask, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64,
};

use super::batch::bits_at;
use super::ifma::{LIMB_BITS, load};
use super::sieve::{Columns, Factors, Group, MASK, ROWS, Sieve};
use zeroize::Zeroizing;

type Rows = [__m512i; ROWS];

/// Whether no prime of the sieve divides the odd number of these little-endian words.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn passes(sieve: &Sieve, words: &[u64]) -> bool {
    const BITS: usize = LIMB_BITS as usize;
    let count = (words.len() * 64).div_ceil(BITS);
    let limb = |limb| bits_at(words, limb * BITS, BITS);
    let limbs: Zeroizing<Vec<u64>> = Zeroizing::new((0..count).map(limb).collect());
    for group in &sieve.groups {
        let residues = residues(group, &limbs);
        for factors in &group.factors {
            if divide(factors, &residues) {
                return false;
            }
        }
    }
    true
}

/// The number times a power of two modulo each product m, at most m + 1.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn residues(group: &Group, limbs: &[u64]) -> Rows {
    let zero = _mm512_setzero_si512();
    let mask = _mm512_set1_epi64(MASK.cast_signed());
    let moduli = rows(&group.modulus);
    let inverses = rows(&group.negated_inverse);
    let mut residues = [zero; ROWS];
    for limb in limbs {
        let limb = _mm512_set1_epi64(limb.cast_signed());
        for (residue, (modulus, inverse)) in residues.iter_mut().zip(moduli.iter().zip(&inverses)) {
            let sum = _mm512_add_epi64(*residue, limb);
            let quotient = _mm512_madd52lo_epu64(zero, sum, *inverse);
            // The low half of quotient times modulus would clear the low 52 bits of the sum.
            let carry = _mm512_srli_epi64::<52>(_mm512_add_epi64(sum, mask));
            *residue = _mm512_madd52hi_epu64(carry, quotient, *modulus);
        }
    }
    residues
}

/// Whether any of these primes divides its residue.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn divide(factors: &Factors, residues: &Rows) -> bool {
    let inverses = rows(&factors.inverse);
    let limits = rows(&factors.limit);
    let mut divisible = 0;
    for (residue, (inverse, limit)) in residues.iter().zip(inverses.iter().zip(&limits)) {
        let share = _mm512_madd52lo_epu64(_mm512_setzero_si512(), *residue, *inverse);
        divisible |= _mm512_cmple_epu64_mask(share, *limit);
    }
    divisible != 0
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rows(columns: &Columns) -> Rows {
    let mut rows = [_mm512_setzero_si512(); ROWS];
    for (row, lanes) in rows.iter_mut().zip(columns) {
        *row = load(lanes);
    }
    rows
}
