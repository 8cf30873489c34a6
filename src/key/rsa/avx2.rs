//! Four candidates at a time on AVX2: limbs of 28 bits, one candidate to a lane.
//!
//! The same arithmetic as on IFMA, with whole products in place of halves, and modulo a multiple of
//! the candidate n: m = k n with the k below 2^28 that makes the lowest limb 2^28 - 1. So the
//! limbs of a quotient are those of the sums, and no carry waits for a multiplication.
//!
//! Bounds: m has 28 bits more than n, and R is at least 2^52 m at every size, so x stays below 2^8 m,
//! and k x below R. A column sums at most 76 products for the square and 76 for the reduction, each
//! below 2^56, and the carry: less than 2^64.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "indices run over the arrays' own bounds, and pair limbs of several numbers"
)]

use std::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm256_add_epi64, _mm256_and_si256, _mm256_castsi256_pd,
    _mm256_cmpeq_epi64, _mm256_cvtepu8_epi64, _mm256_movemask_pd, _mm256_mul_epu32,
    _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setzero_si256,
    _mm256_slli_epi64, _mm256_sllv_epi64, _mm256_srli_epi64, _mm256_srlv_epi64, _mm256_sub_epi64,
    _mm256_xor_si256,
};

use super::batch::{Batch, Lanes, for_all_pairs};

/// How many candidates a batch has.
pub(super) const LANES: usize = 4;
/// Length of a limb in bits.
pub(super) const LIMB_BITS: u32 = 28;
const LIMB_MASK: i64 = (1 << LIMB_BITS) - 1;
/// How many limbs a kernel handles together: the products of 4 by 4 stay in registers.
pub(super) const BLOCK: usize = 4;
/// The columns that the products of two blocks fall into.
const COLUMNS: usize = 2 * BLOCK - 1;
/// How many digits are worked on between two looks at whether the batch is still wanted.
const DIGITS_PER_LOOK: usize = 21;

type Vector = __m256i;
type Block = [Vector; BLOCK];
type Number<const BLOCKS: usize> = [Block; BLOCKS];
/// Sums of products, column by column.
type Sums = [Vector; COLUMNS];

#[inline]
#[target_feature(enable = "avx2")]
fn load(lanes: &[u64; LANES]) -> Vector {
    let lane = |lane: usize| lanes[lane].cast_signed();
    _mm256_set_epi64x(lane(3), lane(2), lane(1), lane(0))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_number<const BLOCKS: usize>(lanes: &Lanes<LANES, BLOCK, BLOCKS>) -> Number<BLOCKS> {
    let mut number = [[_mm256_setzero_si256(); BLOCK]; BLOCKS];
    for (block, lanes) in number.iter_mut().zip(lanes) {
        for (limb, lanes) in block.iter_mut().zip(lanes) {
            *limb = load(lanes);
        }
    }
    number
}

/// Adds the product of two limbs to a column.
#[inline]
#[target_feature(enable = "avx2")]
fn add_product(column: Vector, a: Vector, b: Vector) -> Vector {
    _mm256_add_epi64(column, _mm256_mul_epu32(a, b))
}

/// Adds the product of `a[i]` and `b[j]` to its column.
#[inline]
#[target_feature(enable = "avx2")]
fn accumulate(sums: &mut Sums, a: &Block, b: &Block, i: usize, j: usize) {
    sums[i + j] = add_product(sums[i + j], a[i], b[j]);
}

#[inline]
#[target_feature(enable = "avx2")]
fn double(sums: &mut Sums) {
    for column in sums {
        *column = _mm256_add_epi64(*column, *column);
    }
}

/// The columns of block column `k` of x^2.
#[inline]
#[target_feature(enable = "avx2")]
fn square_column<const BLOCKS: usize>(sums: &mut Sums, x: &Number<BLOCKS>, k: usize) {
    let mut i = k.saturating_sub(BLOCKS - 1);
    while 2 * i < k {
        let a = x[i];
        for_all_pairs!(4, accumulate(sums, &a, &x[k - i]));
        i += 1;
    }
    if k.is_multiple_of(2) {
        let a = x[k / 2];
        for i in 0..BLOCK {
            for j in i + 1..BLOCK {
                accumulate(sums, &a, &a, i, j);
            }
        }
        double(sums);
        for i in 0..BLOCK {
            accumulate(sums, &a, &a, i, i);
        }
    } else {
        double(sums);
    }
}

/// The next four limbs of the quotient, which make the four lowest columns vanish modulo 2^28;
/// gives the carry out of them.
#[inline]
#[target_feature(enable = "avx2")]
fn quotient(sums: &mut Sums, lowest: &Block) -> (Block, Vector) {
    let zero = _mm256_setzero_si256();
    let mask = _mm256_set1_epi64x(LIMB_MASK);
    let mut quotient = [zero; BLOCK];
    let mut carry = zero;
    for i in 0..BLOCK {
        let sum = _mm256_add_epi64(sums[i], carry);
        quotient[i] = _mm256_and_si256(sum, mask);
        // The lowest limb is 2^28 - 1: its product takes the quotient off, and adds it one higher.
        carry = _mm256_add_epi64(_mm256_srli_epi64::<28>(sum), quotient[i]);
        for j in 1..BLOCK {
            sums[i + j] = add_product(sums[i + j], quotient[i], lowest[j]);
        }
    }
    (quotient, carry)
}

/// Carries four columns into limbs; gives the carry out of them.
#[inline]
#[target_feature(enable = "avx2")]
fn carry_limbs(sums: &Block) -> (Block, Vector) {
    let mask = _mm256_set1_epi64x(LIMB_MASK);
    let mut limbs = [_mm256_setzero_si256(); BLOCK];
    let mut carry = _mm256_setzero_si256();
    for i in 0..BLOCK {
        let sum = _mm256_add_epi64(sums[i], carry);
        limbs[i] = _mm256_and_si256(sum, mask);
        carry = _mm256_srli_epi64::<28>(sum);
    }
    (limbs, carry)
}

/// x^2 / R (where `SQUARE`) or x / R modulo m, in place, by Montgomery's reduction one block column
/// after the other.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce<const BLOCKS: usize, const SQUARE: bool>(x: &mut Number<BLOCKS>, m: &Number<BLOCKS>) {
    let zero = _mm256_setzero_si256();
    let mut quotients = [[zero; BLOCK]; BLOCKS];
    let mut carried = [zero; BLOCK];
    for k in 0..2 * BLOCKS - 1 {
        let mut sums = [zero; COLUMNS];
        if SQUARE {
            square_column(&mut sums, x, k);
        } else if k < BLOCKS {
            sums[..BLOCK].copy_from_slice(&x[k]);
        }
        for i in 0..BLOCK {
            sums[i] = _mm256_add_epi64(sums[i], carried[i]);
        }
        let mut i = k.saturating_sub(BLOCKS - 1);
        while i < k.min(BLOCKS) {
            let a = quotients[i];
            for_all_pairs!(4, accumulate(&mut sums, &a, &m[k - i]));
            i += 1;
        }
        let carry;
        if k < BLOCKS {
            (quotients[k], carry) = quotient(&mut sums, &m[0]);
        } else {
            let lowest = std::array::from_fn(|i| sums[i]);
            (x[k - BLOCKS], carry) = carry_limbs(&lowest);
        }
        carried = std::array::from_fn(|i| *sums.get(BLOCK + i).unwrap_or(&zero));
        carried[0] = _mm256_add_epi64(carried[0], carry);
    }
    (x[BLOCKS - 1], _) = carry_limbs(&carried);
}

/// Multiplies each lane by 2 to its digit.
#[inline]
#[target_feature(enable = "avx2")]
fn shift<const BLOCKS: usize>(x: &mut Number<BLOCKS>, digits: [u8; LANES]) {
    let left = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(i32::from_le_bytes(digits)));
    let right = _mm256_sub_epi64(_mm256_set1_epi64x(i64::from(LIMB_BITS)), left);
    let mask = _mm256_set1_epi64x(LIMB_MASK);
    let mut below = _mm256_setzero_si256();
    for limb in x.as_flattened_mut() {
        let kept = _mm256_and_si256(_mm256_sllv_epi64(*limb, left), mask);
        let carried = _mm256_srlv_epi64(below, right);
        below = *limb;
        *limb = _mm256_or_si256(kept, carried);
    }
}

/// Multiplies each lane by a limb. What does not fit stays in the highest limb.
#[inline]
#[target_feature(enable = "avx2")]
fn scale<const BLOCKS: usize>(x: &mut Number<BLOCKS>, factor: Vector) {
    let mask = _mm256_set1_epi64x(LIMB_MASK);
    let mut carry = _mm256_setzero_si256();
    for limb in x.as_flattened_mut() {
        let sum = add_product(carry, *limb, factor);
        *limb = _mm256_and_si256(sum, mask);
        carry = _mm256_srli_epi64::<28>(sum);
    }
    if let Some(highest) = x.as_flattened_mut().last_mut() {
        *highest = _mm256_add_epi64(*highest, _mm256_slli_epi64::<28>(carry));
    }
}

/// The lanes whose number is this limb, as bits.
#[inline]
#[target_feature(enable = "avx2")]
fn equal<const BLOCKS: usize>(x: &Number<BLOCKS>, limb: Vector) -> u8 {
    let mut difference = _mm256_xor_si256(limb, x[0][0]);
    for limb in x.as_flattened().iter().skip(1) {
        difference = _mm256_or_si256(difference, *limb);
    }
    let equal = _mm256_cmpeq_epi64(difference, _mm256_setzero_si256());
    // Four bits.
    _mm256_movemask_pd(_mm256_castsi256_pd(equal)).to_le_bytes()[0]
}

/// Fermat's test in base 2: bit `l` says whether 2^(n-1) = 1 modulo the number in lane `l`. None
/// once `stop` says that nobody waits for the answer.
#[target_feature(enable = "avx2")]
pub(super) fn fermat<const BLOCKS: usize>(
    batch: &Batch<LANES, BLOCK, BLOCKS>,
    stop: &dyn Fn() -> bool,
) -> Option<u8> {
    let limb_mask = _mm256_set1_epi64x(LIMB_MASK);
    let factor = _mm256_and_si256(load(&batch.negated_inverse), limb_mask);
    let mut m = load_number(&batch.modulus);
    scale(&mut m, factor);
    let mut x = load_number(&batch.start);
    for digits in batch.digits.chunks(DIGITS_PER_LOOK) {
        if stop() {
            return None;
        }
        for digits in digits {
            for _ in 0..3 {
                reduce::<BLOCKS, true>(&mut x, &m);
            }
            shift(&mut x, *digits);
        }
    }
    // x / R = 1 modulo n if and only if that times the factor is the factor modulo m.
    scale(&mut x, factor);
    reduce::<BLOCKS, false>(&mut x, &m);
    Some(equal(&x, factor))
}
