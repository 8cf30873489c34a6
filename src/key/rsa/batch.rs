//! What the vector filters start from: candidates cut into limbs, one to a lane, and the exponent
//! of Fermat's test in base 2 cut into digits.
//!
//! All numbers are arranged limb by limb, the lanes of one limb side by side, and as many limbs to a
//! block as a kernel handles together. Which memory is read depends on the lengths alone.

#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "digits and limbs are cut out of longer numbers; indices run over the arrays' bounds"
)]

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::candidate::Candidate;
use super::sieve::inverse;

/// Calls `$add` for the limbs of two blocks of this length, each with each. Spelled out, because it
/// is only with constant indices that the compiler keeps the sums in registers, and a macro,
/// because it cannot be told to inline a function that needs a CPU feature.
macro_rules! for_all_pairs {
    (4, $($call:tt)*) => { for_all_pairs!(rows [0 1 2 3] [0 1 2 3] $($call)*) };
    (5, $($call:tt)*) => { for_all_pairs!(rows [0 1 2 3 4] [0 1 2 3 4] $($call)*) };
    (rows [$($j:literal)*] $is:tt $add:ident($sums:expr, $a:expr, $b:expr)) => {{
        let (a, b) = ($a, $b);
        $(for_all_pairs!(row $j $is $add($sums, a, b));)*
    }};
    (row $j:literal [$($i:literal)*] $add:ident($sums:expr, $a:ident, $b:ident)) => {
        $($add($sums, $a, $b, $i, $j);)*
    };
}
pub(super) use for_all_pairs;

/// One number in each lane, little-endian limbs.
pub(super) type Lanes<const LANES: usize, const BLOCK: usize, const BLOCKS: usize> =
    [[[u64; LANES]; BLOCK]; BLOCKS];

/// Candidates ready for a kernel with R = 2^(limb bits x limbs) as its Montgomery radix.
///
/// The test asks whether 2^-(n-1) = 1 modulo n. That negative power needs no multiplication by
/// anything but powers of two: with `E = 2^bits - (n - 1)`, the exponent is `E - 2^bits`, so its
/// leading digit minus 2^(its length) is a small negative number, and 2 to that, in Montgomery
/// form, is a power of two below R: `start`. From there on, three squarings and a shift by the
/// next three bits of E, again and again.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Batch<const LANES: usize, const BLOCK: usize, const BLOCKS: usize> {
    /// The candidates n.
    pub(super) modulus: Lanes<LANES, BLOCK, BLOCKS>,
    /// -1/n modulo 2^64.
    pub(super) negated_inverse: [u64; LANES],
    /// 2 to the leading digit of the exponent, times R.
    pub(super) start: Lanes<LANES, BLOCK, BLOCKS>,
    /// The other digits of the exponent, three bits each, the most significant first.
    pub(super) digits: Vec<[u8; LANES]>,
}

impl<const LANES: usize, const BLOCK: usize, const BLOCKS: usize> Batch<LANES, BLOCK, BLOCKS> {
    /// Prepares `candidates`, which are all of one length; lanes to spare repeat the first one.
    pub(super) fn new(candidates: &[Candidate], limb_bits: u32) -> Self {
        let limb_bits = limb_bits as usize;
        let numbers: [&[u64]; LANES] = std::array::from_fn(|lane| {
            let candidate = candidates.get(lane).or(candidates.first());
            candidate.map_or(&[][..], |candidate| &candidate.words)
        });
        let exponents = numbers.map(exponent);
        let bits = numbers.map(<[u64]>::len).into_iter().max().unwrap_or(0) * 64;
        let radix_bits = limb_bits * BLOCK * BLOCKS;
        let leading = leading_bits(bits, radix_bits);
        let starts = exponents.each_ref().map(|exponent| {
            bits_at(exponent, bits - leading, leading) + (radix_bits - (1 << leading)) as u64
        });
        Self {
            modulus: lanes(|limb, lane| bits_at(numbers[lane], limb * limb_bits, limb_bits)),
            negated_inverse: numbers
                .map(|number| inverse(number.first().copied().unwrap_or(1)).wrapping_neg()),
            start: lanes(|limb, lane| power_of_two(starts[lane], limb, limb_bits)),
            digits: (0..(bits - leading) / 3)
                .rev()
                .map(|digit| {
                    std::array::from_fn(|lane| bits_at(&exponents[lane], digit * 3, 3) as u8)
                })
                .collect(),
        }
    }
}

fn lanes<const LANES: usize, const BLOCK: usize, const BLOCKS: usize>(
    limb: impl Fn(usize, usize) -> u64,
) -> Lanes<LANES, BLOCK, BLOCKS> {
    std::array::from_fn(|block| {
        std::array::from_fn(|i| std::array::from_fn(|lane| limb(block * BLOCK + i, lane)))
    })
}

/// `2^bits - (n - 1)`, which is `!n + 2`.
fn exponent(number: &[u64]) -> Zeroizing<Vec<u64>> {
    let mut carry = 2;
    let words = number.iter().map(|word| {
        let (sum, overflow) = (!word).overflowing_add(carry);
        carry = u64::from(overflow);
        sum
    });
    Zeroizing::new(words.collect())
}

/// The length of the leading digit: as long as its power of two fits below R, and what remains
/// divides into digits of three bits.
fn leading_bits(bits: usize, radix_bits: usize) -> usize {
    let longest = radix_bits.checked_ilog2().unwrap_or(0) as usize;
    longest - (longest + 3 - bits % 3) % 3
}

/// Limb number `limb` of `2^exponent`, computed alike for all exponents.
fn power_of_two(exponent: u64, limb: usize, limb_bits: usize) -> u64 {
    let distance = exponent.wrapping_sub((limb * limb_bits) as u64);
    u64::from(distance < limb_bits as u64) << (distance % 64)
}

/// `len` bits of a little-endian number from bit `at` on, zeros beyond its end; `len` at most 63.
pub(super) fn bits_at(words: &[u64], at: usize, len: usize) -> u64 {
    let word = |index: usize| u128::from(words.get(index).copied().unwrap_or(0));
    let pair = word(at / 64) | (word(at / 64 + 1) << 64);
    (pair >> (at % 64)) as u64 & ((1 << len) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_two_has_its_one_bit_in_one_limb() {
        for limb_bits in [28, 52] {
            for exponent in 0..4 * limb_bits {
                let limbs: Vec<_> = (0..4)
                    .map(|limb| power_of_two(exponent as u64, limb, limb_bits))
                    .collect();
                let mut expected = [0; 4];
                expected[exponent / limb_bits] = 1 << (exponent % limb_bits);
                assert_eq!(limbs, expected, "2^{exponent} in limbs of {limb_bits}");
            }
        }
    }
}
