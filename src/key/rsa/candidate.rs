//! Candidates for primes: FIPS 186-5 A.1.3 steps 4.2 to 4.5, on the key stream of a seed.

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

/// How many bytes a key is made from: the strength of the largest modulus is 150 bits or so (NIST
/// SP 800-57), and the seed has more.
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

/// The draws of a seed, in order from any of them on: draw `i` is bytes `i * len` to
/// `(i + 1) * len` of the `ChaCha20` key stream number 0.
pub(super) struct Draws {
    rng: ChaCha20Rng,
    words: Zeroizing<Vec<u64>>,
}

impl Draws {
    /// Draws for primes of `size`, beginning with number `first`.
    pub(super) fn starting_at(first: u64, size: Size, seed: &Seed) -> Self {
        const BLOCK_BITS: u64 = 512;
        let mut rng = ChaCha20Rng::from_seed(*seed);
        rng.set_block_pos(first * (u64::from(size.prime_bits()) / BLOCK_BITS));
        Self {
            rng,
            words: Zeroizing::new(vec![0; size.words()]),
        }
    }

    /// Makes the next draw, and gives its little-endian words if it is large enough (step 4.4).
    pub(super) fn draw(&mut self) -> Option<&[u64]> {
        self.words.fill_with(|| self.rng.next_u64());
        if let Some(lowest) = self.words.first_mut() {
            *lowest |= 1;
        }
        let large = self.words.last().is_some_and(is_large);
        large.then_some(self.words.as_slice())
    }
}

/// Whether a number with this top word is at least sqrt(2) 2^(bits-1). One draw in 2^64 has a top
/// word that leaves it open, and counts as too small.
fn is_large(top_word: &u64) -> bool {
    /// The first 64 bits of the square root of 2.
    const SQRT_2: u64 = 0xb504_f333_f9de_6484;
    *top_word > SQRT_2
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
    rng.set_stream((candidate.number << 8) | (u64::from(round) + 1));
    rng
}
