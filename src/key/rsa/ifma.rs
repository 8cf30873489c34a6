//! Eight candidates at a time on AVX-512 IFMA: limbs of 52 bits, one candidate to a lane.
//!
//! Nothing here branches on a candidate or reads memory by one; all lanes do the same work.
//!
//! Bounds, with R = 2^(52 x limbs) and n a modulus of full length: R is at least 2^16 n at every
//! size. A squaring of x gives x^2 / R + n at most, so three of them bring any x below 2^8 n to
//! less than 2n, and the shift that follows multiplies by 2^7 at most: x stays below 2^8 n, and
//! below R without a subtraction. (The start, a power of two, is much smaller than R, because the
//! top bit of the exponent is only set for n = 2^(bits-1) + 1.) A column sums at most 2 x 40
//! halves of products for the square and as many for the reduction, each below 2^52, and the
//! carry: less than 2^60. The instructions read 52 bits of their factors, so every limb is carried
//! fully before it is multiplied.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "indices run over the arrays' own bounds, and pair limbs of several numbers"
)]

use std::arch::x86_64::{
    __m512i, _mm_set_epi64x, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_cvtepu8_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_or_si512,
    _mm512_set_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_sllv_epi64,
    _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_sub_epi64, _mm512_xor_si512,
};

use super::batch::{Batch, Lanes, for_all_pairs};

/// How many candidates a batch has.
pub(super) const LANES: usize = 8;
/// Length of a limb in bits.
pub(super) const LIMB_BITS: u32 = 52;
const LIMB_MASK: i64 = (1 << LIMB_BITS) - 1;
/// How many limbs a kernel handles together: the products of 5 by 5 stay in registers.
pub(super) const BLOCK: usize = 5;
/// The columns that the products of two blocks fall into.
const COLUMNS: usize = 2 * BLOCK - 1;
/// How many digits are worked on between two looks at whether the batch is still wanted.
const DIGITS_PER_LOOK: usize = 21;

type Vector = __m512i;
type Block = [Vector; BLOCK];
type Number<const BLOCKS: usize> = [Block; BLOCKS];

/// The low and the high halves of a sum of products, column by column; a high half belongs to the
/// column after its own.
#[derive(Clone, Copy)]
struct Sums {
    low: [Vector; COLUMNS],
    high: [Vector; COLUMNS],
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(lanes: &[u64; LANES]) -> Vector {
    let lane = |lane: usize| lanes[lane].cast_signed();
    _mm512_set_epi64(
        lane(7),
        lane(6),
        lane(5),
        lane(4),
        lane(3),
        lane(2),
        lane(1),
        lane(0),
    )
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_number<const BLOCKS: usize>(lanes: &Lanes<LANES, BLOCK, BLOCKS>) -> Number<BLOCKS> {
    let mut number = [[_mm512_setzero_si512(); BLOCK]; BLOCKS];
    for (block, lanes) in number.iter_mut().zip(lanes) {
        for (limb, lanes) in block.iter_mut().zip(lanes) {
            *limb = load(lanes);
        }
    }
    number
}

/// Adds the product of `a[i]` and `b[j]` to its column.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn accumulate(sums: &mut Sums, a: &Block, b: &Block, i: usize, j: usize) {
    sums.low[i + j] = _mm512_madd52lo_epu64(sums.low[i + j], a[i], b[j]);
    sums.high[i + j] = _mm512_madd52hi_epu64(sums.high[i + j], a[i], b[j]);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn double(sums: &mut Sums) {
    for i in 0..COLUMNS {
        sums.low[i] = _mm512_add_epi64(sums.low[i], sums.low[i]);
        sums.high[i] = _mm512_add_epi64(sums.high[i], sums.high[i]);
    }
}

/// The columns of block column `k` of x^2.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn square_column<const BLOCKS: usize>(sums: &mut Sums, x: &Number<BLOCKS>, k: usize) {
    let mut i = k.saturating_sub(BLOCKS - 1);
    while 2 * i < k {
        let a = x[i];
        for_all_pairs!(5, accumulate(sums, &a, &x[k - i]));
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

/// The next five limbs of the quotient, which make the five lowest columns vanish modulo 2^52;
/// gives the carry out of them.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn quotient(sums: &mut Sums, lowest: &Block, negated_inverse: Vector) -> (Block, Vector) {
    let zero = _mm512_setzero_si512();
    let mask = _mm512_set1_epi64(LIMB_MASK);
    let mut quotient = [zero; BLOCK];
    let mut carry = zero;
    for i in 0..BLOCK {
        let mut sum = _mm512_add_epi64(sums.low[i], carry);
        if i > 0 {
            sum = _mm512_add_epi64(sum, sums.high[i - 1]);
        }
        quotient[i] = _mm512_madd52lo_epu64(zero, sum, negated_inverse);
        // Adding the low half of the product with the lowest limb would clear the low 52 bits,
        // so the carry is the sum divided by 2^52 and rounded up.
        carry = _mm512_srli_epi64::<52>(_mm512_add_epi64(sum, mask));
        sums.high[i] = _mm512_madd52hi_epu64(sums.high[i], quotient[i], lowest[0]);
        for j in 1..BLOCK {
            accumulate(sums, &quotient, lowest, i, j);
        }
    }
    (quotient, carry)
}

/// Carries five columns into limbs; gives the carry out of them.
#[inline]
#[target_feature(enable = "avx512f")]
fn carry_limbs(sums: &Sums) -> (Block, Vector) {
    let mask = _mm512_set1_epi64(LIMB_MASK);
    let mut limbs = [_mm512_setzero_si512(); BLOCK];
    let mut carry = _mm512_setzero_si512();
    for i in 0..BLOCK {
        let mut sum = _mm512_add_epi64(sums.low[i], carry);
        if i > 0 {
            sum = _mm512_add_epi64(sum, sums.high[i - 1]);
        }
        limbs[i] = _mm512_and_si512(sum, mask);
        carry = _mm512_srli_epi64::<52>(sum);
    }
    (limbs, carry)
}

/// What the columns above the five lowest, and the carry, add to the next block column.
#[inline]
#[target_feature(enable = "avx512f")]
fn next_columns(sums: &Sums, carry: Vector) -> Block {
    let mut next = [_mm512_setzero_si512(); BLOCK];
    for i in 0..BLOCK - 1 {
        next[i] = _mm512_add_epi64(sums.low[BLOCK + i], sums.high[BLOCK - 1 + i]);
    }
    next[BLOCK - 1] = sums.high[COLUMNS - 1];
    next[0] = _mm512_add_epi64(next[0], carry);
    next
}

/// x^2 / R (where `SQUARE`) or x / R modulo n, in place, by Montgomery's reduction one block column
/// after the other.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce<const BLOCKS: usize, const SQUARE: bool>(
    x: &mut Number<BLOCKS>,
    n: &Number<BLOCKS>,
    negated_inverse: Vector,
) {
    let zero = _mm512_setzero_si512();
    let mut quotients = [[zero; BLOCK]; BLOCKS];
    let mut carried = [zero; BLOCK];
    for k in 0..2 * BLOCKS - 1 {
        let mut sums = Sums {
            low: [zero; COLUMNS],
            high: [zero; COLUMNS],
        };
        if SQUARE {
            square_column(&mut sums, x, k);
        } else if k < BLOCKS {
            sums.low[..BLOCK].copy_from_slice(&x[k]);
        }
        for i in 0..BLOCK {
            sums.low[i] = _mm512_add_epi64(sums.low[i], carried[i]);
        }
        let mut i = k.saturating_sub(BLOCKS - 1);
        while i < k.min(BLOCKS) {
            let a = quotients[i];
            for_all_pairs!(5, accumulate(&mut sums, &a, &n[k - i]));
            i += 1;
        }
        let carry;
        if k < BLOCKS {
            (quotients[k], carry) = quotient(&mut sums, &n[0], negated_inverse);
        } else {
            (x[k - BLOCKS], carry) = carry_limbs(&sums);
        }
        carried = next_columns(&sums, carry);
    }
    let last = Sums {
        low: std::array::from_fn(|i| if i < BLOCK { carried[i] } else { zero }),
        high: [zero; COLUMNS],
    };
    (x[BLOCKS - 1], _) = carry_limbs(&last);
}

/// Multiplies each lane by 2 to its digit.
#[inline]
#[target_feature(enable = "avx512f")]
fn shift<const BLOCKS: usize>(x: &mut Number<BLOCKS>, digits: [u8; LANES]) {
    let left = _mm512_cvtepu8_epi64(_mm_set_epi64x(0, i64::from_le_bytes(digits)));
    let right = _mm512_sub_epi64(_mm512_set1_epi64(i64::from(LIMB_BITS)), left);
    let mask = _mm512_set1_epi64(LIMB_MASK);
    let mut below = _mm512_setzero_si512();
    for limb in x.as_flattened_mut() {
        let kept = _mm512_and_si512(_mm512_sllv_epi64(*limb, left), mask);
        let carried = _mm512_srlv_epi64(below, right);
        below = *limb;
        *limb = _mm512_or_si512(kept, carried);
    }
}

/// The lanes whose number is 1, as bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn ones<const BLOCKS: usize>(x: &Number<BLOCKS>) -> u8 {
    let mut difference = _mm512_set1_epi64(1);
    difference = _mm512_xor_si512(difference, x[0][0]);
    for limb in x.as_flattened().iter().skip(1) {
        difference = _mm512_or_si512(difference, *limb);
    }
    _mm512_cmpeq_epi64_mask(difference, _mm512_setzero_si512())
}

/// Fermat's test in base 2: bit `l` says whether 2^(n-1) = 1 modulo the number in lane `l`. None
/// once `stop` says that nobody waits for the answer.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn fermat<const BLOCKS: usize>(
    batch: &Batch<LANES, BLOCK, BLOCKS>,
    stop: &dyn Fn() -> bool,
) -> Option<u8> {
    let n = load_number(&batch.modulus);
    let negated_inverse = load(&batch.negated_inverse);
    let mut x = load_number(&batch.start);
    for digits in batch.digits.chunks(DIGITS_PER_LOOK) {
        if stop() {
            return None;
        }
        for digits in digits {
            for _ in 0..3 {
                reduce::<BLOCKS, true>(&mut x, &n, negated_inverse);
            }
            shift(&mut x, *digits);
        }
    }
    reduce::<BLOCKS, false>(&mut x, &n, negated_inverse);
    Some(ones(&x))
}

/// Runs `count` rounds of multiplications in as many independent chains as hide their latency,
/// and gives the number of instructions.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn spin(count: u32) -> u64 {
    const CHAINS: usize = 16;
    let factor = _mm512_set1_epi64(std::hint::black_box(3));
    let mut chains = [factor; CHAINS];
    for _ in 0..count {
        for chain in &mut chains {
            *chain = _mm512_madd52lo_epu64(*chain, factor, factor);
        }
    }
    std::hint::black_box(chains);
    u64::from(count) * CHAINS as u64
}
