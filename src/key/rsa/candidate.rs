//! Candidates for primes: FIPS 186-5 A.1.3 steps 4.2 to 4.5, on the key stream of a seed.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

/// How many bytes a key is made from: 256 bits, where no modulus here has a strength above 152
/// (FIPS 140-3 implementation guidance D.B).
pub const SEED_LEN: usize = 32;

/// What a key is a function of.
pub type Seed = [u8; SEED_LEN];

/// The public exponent, F4.
pub(super) const PUBLIC_EXPONENT: u32 = 65537;

/// The lengths of modulus that keys are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 2048 bits, primes of 1024.
    Rsa2048,
    /// 3072 bits, primes of 1536.
    Rsa3072,
    /// 4096 bits, primes of 2048.
    Rsa4096,
}

impl Size {
    /// Every size, the smallest first.
    pub const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// Length of the modulus in bits.
    #[must_use]
    pub const fn modulus_bits(self) -> u32 {
        match self {
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
        }
    }

    /// Length of each prime in bits.
    #[must_use]
    pub const fn prime_bits(self) -> u32 {
        self.modulus_bits() / 2
    }

    /// Length of each prime in 64-bit words.
    pub(super) const fn words(self) -> usize {
        self.prime_bits() as usize / 64
    }
}

/// A number that may be a prime for a key: odd, of the full length, at least sqrt(2) 2^(bits-1),
/// and not 1 modulo the public exponent. Wiped when it is dropped.
pub(super) struct Candidate {
    /// Which draw of the stream it is.
    pub(super) number: u64,
    /// Little-endian 64-bit words.
    pub(super) words: Zeroizing<Box<[u64]>>,
}

impl Candidate {
    pub(super) fn new(number: u64, words: &[u64]) -> Self {
        Self {
            number,
            words: Zeroizing::new(words.into()),
        }
    }

    /// The number in little-endian bytes.
    pub(super) fn to_le_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.words.len() * 8));
        bytes.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }
}

/// The draws of a seed, in order from any of them on.
///
/// The top word of draw `i` is word `i` of the `ChaCha20` key stream number 1; the words below it
/// begin at byte `i * len` of key stream 0, and are only made for a top word that is large enough.
pub(super) struct Draws {
    tops: ChaCha20Rng,
    rests: ChaCha20Rng,
    blocks_per_draw: u64,
    number: u64,
    words: Zeroizing<Vec<u64>>,
}

impl Draws {
    /// Draws for primes of `size`, beginning with number `first`.
    pub(super) fn starting_at(first: u64, size: Size, seed: &Seed) -> Self {
        const BLOCK_BITS: u32 = 512;
        let mut tops = ChaCha20Rng::from_seed(*seed);
        tops.set_stream(1);
        tops.set_word_pos(2 * u128::from(first));
        Self {
            tops,
            rests: ChaCha20Rng::from_seed(*seed),
            blocks_per_draw: u64::from(size.prime_bits() / BLOCK_BITS),
            number: first,
            words: Zeroizing::new(vec![0; size.words()]),
        }
    }

    /// Makes the next draw, and gives its little-endian words if it is large enough (step 4.4).
    pub(super) fn draw(&mut self) -> Option<&[u64]> {
        let number = self.number;
        self.number += 1;
        let top = self.tops.next_u64();
        if !is_large(top) {
            return None;
        }
        self.rests.set_block_pos(number * self.blocks_per_draw);
        self.words.fill_with(|| self.rests.next_u64());
        *self.words.first_mut()? |= 1;
        *self.words.last_mut()? = top;
        Some(&self.words)
    }
}

/// Whether a number with this top word is at least sqrt(2) 2^(bits-1). One draw in 2^64 has a top
/// word that leaves it open, and counts as too small.
fn is_large(top_word: u64) -> bool {
    /// The first 64 bits of the square root of 2.
    const SQRT_2: u64 = 0xb504_f333_f9de_6484;
    top_word > SQRT_2
}

/// Whether gcd(p - 1, e) = 1 (step 4.5): e is a prime, so only p = 1 modulo e is refused.
pub(super) fn fits_public_exponent(words: &[u64]) -> bool {
    const E: u64 = PUBLIC_EXPONENT as u64;
    let halves = words
        .iter()
        .rev()
        .flat_map(|word| [word >> 32, word & 0xffff_ffff]);
    halves.fold(0, |residue, half| ((residue << 32) | half) % E) != 1
}

/// The generator for the bases of one Miller-Rabin round: a key stream of its own for each
/// candidate and round, none of them the one that candidates are drawn from.
pub(super) fn bases(candidate: &Candidate, round: u8, seed: &Seed) -> ChaCha20Rng {
    let mut rng = ChaCha20Rng::from_seed(*seed);
    rng.set_stream(((candidate.number + 1) << 8) | u64::from(round));
    rng
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = [3; SEED_LEN];

    #[test]
    fn a_draw_is_the_same_wherever_drawing_starts() {
        for size in Size::ALL {
            let mut all = Draws::starting_at(0, size, &SEED);
            let draws: Vec<_> = (0..10).map(|_| all.draw().map(<[u64]>::to_vec)).collect();
            for (first, expected) in (0..).zip(&draws) {
                let mut from_here = Draws::starting_at(first, size, &SEED);
                assert_eq!(from_here.draw(), expected.as_deref());
            }
        }
    }

    #[test]
    fn a_candidate_is_odd_and_at_least_the_root_of_half_the_largest_modulus() {
        // The first 64 bits of the root, rounded down: its square is below 2^127 as the next
        // number's is not.
        let below = u128::from(u64::MAX) + 1;
        assert!(!is_large(0xb504_f333_f9de_6484) && is_large(0xb504_f333_f9de_6485));
        assert!(0xb504_f333_f9de_6484_u128.pow(2) < below << 63);
        assert!(0xb504_f333_f9de_6485_u128.pow(2) > below << 63);
        let mut draws = Draws::starting_at(0, Size::Rsa2048, &SEED);
        let candidates: Vec<_> = (0..1000)
            .filter_map(|_| draws.draw().map(|it| (it[0], it[15])))
            .collect();
        assert!(
            candidates
                .iter()
                .all(|(lowest, top)| lowest & 1 == 1 && is_large(*top))
        );
        // 1000 (1 - 1/sqrt 2) = 293, with a standard deviation of 14.
        assert!((240..350).contains(&candidates.len()));
    }

    #[test]
    fn only_one_modulo_the_public_exponent_is_refused() {
        let e = u64::from(PUBLIC_EXPONENT);
        // 2^64 = 1 modulo 65537, so the words' sum is what counts.
        for residue in [0, 1, 2, 65536, e + 1, e + 2, u64::MAX] {
            let words = [residue, 7 * e, u64::MAX - e, 1];
            let sum: u128 = words.iter().map(|word| u128::from(*word)).sum();
            assert_eq!(fits_public_exponent(&words), sum % u128::from(e) != 1);
        }
    }

    #[test]
    fn the_rounds_of_a_candidate_have_bases_of_their_own() {
        let numbers = [0, 1, 2].map(|number| Candidate::new(number, &[1; 16]));
        let mut firsts: std::collections::BTreeSet<u64> = numbers
            .iter()
            .flat_map(|it| (0..5).map(|round| bases(it, round, &SEED).next_u64()))
            .collect();
        let mut draws = Draws::starting_at(0, Size::Rsa2048, &SEED);
        firsts.extend([draws.tops.next_u64(), draws.rests.next_u64()]);
        assert_eq!(firsts.len(), 17);
    }
}
