//! RSA keys, made as fast as the machine allows.
//!
//! # How
//!
//! FIPS 186-5 A.1.3: numbers are drawn, each independently and uniformly, until two of them are
//! primes that fit together. Almost all are not primes, and what is done to find that out gets more
//! expensive step by step:
//!
//! | step | module | removes |
//! |---|---|---|
//! | draw an odd number of at least sqrt(2) 2^(bits-1) | `candidate` | |
//! | divide by the primes below 2^15 to 2^18 | `sieve`, `ifma_sieve` | 9 of 10 |
//! | test in base 2, many candidates at a time | `filter`, `ifma`, `avx2` | all but one of 38 to 68 |
//! | Miller-Rabin in random bases | `confirm`, by `crypto-primes` | what a filter lets through |
//! | make the key, and verify what it signs first | `confirm`, by `rsa` | what should not be there |
//!
//! `ledger` keeps account of who does what, and `search` is the threads that do it.
//!
//! A key is a function of its size and of a 32-byte seed alone, which the operating system's
//! generator gives. `ChaCha20` expands it. A key's primes are the two draws of lowest number that
//! are primes; how many threads there are, which filter they run, and up to where they divide
//! decides how long it takes to find them and nothing else.
//!
//! # Why a key is good
//!
//! No filter has to be trusted. Sieve and filter only ever throw numbers away. What remains is
//! confirmed as FIPS 186-5 B.3.1 asks, by the rounds of a library, whose bases come from a key
//! stream of their own for every candidate and round. There are as many rounds as Table B.1 has for
//! the security strength of the modulus: a composite gets through with probability 2^-112, 2^-128
//! or 2^-152 at most, for 2048, 3072 or 4096 bits. Even a filter made to find the worst composites
//! could only choose among the draws of one key, where 27 primes are expected at most, and that is
//! the factor it could gain; the bounds have room for it. Then `rsa` builds and validates the key,
//! and it has to verify what it signs. A filter that is wrong costs time: it lets composites
//! through, which the first round stops, or it loses primes, and others are found.
//!
//! The conditions of FIPS 186-5 A.1.1 and A.1.3 hold by construction or are checked: e = 65537,
//! gcd(p - 1, e) = 1, both primes at least sqrt(2) 2^(nlen/2 - 1), |p - q| > 2^(nlen/2 - 100),
//! d > 2^(nlen/2), and the modulus has its full length. The larger prime is p.
//!
//! # The floor
//!
//! Of numbers without a factor below B, one in `ln(2^bits) e^-0.577 / ln B` is a prime: 68 for
//! primes of 2048 bits and B = 2^17. Testing one takes 2037 squarings modulo a number of 40 limbs,
//! 4840 IFMA instructions each for eight candidates. At two instructions per cycle and 4 GHz that is
//! 154 microseconds, twice that where a CPU does one, and `cargo bench` shows how near to it the
//! filter is. The rounds of the confirmation and the signature come to about as much as all of the
//! filtering.
//!
//! # What leaks
//!
//! The time that a key takes shows how many draws were made, and so does the scheduling of the
//! threads. Sieving leaves a number at its first divisors, which tells of numbers that are thrown
//! away, and of a prime only that it has none. The vector filters do the same for every candidate.
//! Which draws a key is made of tells nothing about the draws, as long as the key stream is
//! indistinguishable from randomness. Powers modulo a prime take constant time in `crypto-primes` and
//! `rsa`. Not constant is what `crypto-primes` does around them: the Montgomery parameters of the
//! number, the draw of a base below it, and the squarings, of which there are fewer than p - 1 has
//! trailing zeros. Which of the two primes is the larger decides a branch. The first signature is not
//! blinded. Whoever can time the process that makes the key sees all this once, and can never ask
//! again.
//!
//! What was secret is wiped: numbers in types that wipe themselves, the stack by overwriting it.
//! What `crypto-bigint` frees on the heap is for the allocator to wipe.

use std::num::NonZero;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{PrivateKey, PublicKey};
use crate::error::{Error, Result};
use crate::parallel::cores;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod batch;
mod candidate;
mod confirm;
mod filter;
#[doc(hidden)]
pub mod harness;
#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(target_arch = "x86_64")]
mod ifma_sieve;
mod ledger;
mod search;
mod sieve;
#[cfg(target_arch = "x86_64")]
mod vector;

pub use candidate::Size;
use candidate::{SEED_LEN, Seed};
use search::Search;

/// A key takes 9 to 17 batches of the fastest filter, so more threads would find nothing to do.
const MAX_THREADS: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(15);

/// A key, and the signature of its first message.
pub(super) type SignedKey = Box<(PrivateKey, Vec<u8>)>;

/// What a new key is to sign first, which depends on its public half.
pub(super) type FirstMessage<'a> = &'a (dyn Fn(&PublicKey) -> Result<Vec<u8>> + Sync);

/// Makes a key of `size` with a seed from `rng`, and its first signature, on all cores.
///
/// # Errors
/// [`Error::Randomness`] if the generator fails; [`Error::NoPrimes`], once in 2^34 keys;
/// [`Error::Inconsistent`] if the new key does not verify what it signs; what `message` fails with.
pub(super) fn generate<R: TryCryptoRng + ?Sized>(
    size: Size,
    message: FirstMessage<'_>,
    rng: &mut R,
) -> Result<SignedKey> {
    let mut seed: Zeroizing<Seed> = Zeroizing::new([0; SEED_LEN]);
    rng.try_fill_bytes(&mut *seed)
        .map_err(|_| Error::Randomness)?;
    let filter = filter::fastest();
    let threads = NonZero::new(cores()).map_or(NonZero::<usize>::MIN, |it| it.min(MAX_THREADS));
    Search::new(size, &seed, &*filter, filter.sieve_bound(size), message).run(threads)
}

#[cfg(test)]
mod tests {
    use rand_core::TryRng;

    use super::*;

    #[test]
    fn a_generator_that_fails_is_an_error() {
        struct Failing;
        impl TryRng for Failing {
            type Error = std::fmt::Error;
            fn try_next_u32(&mut self) -> std::result::Result<u32, Self::Error> {
                Err(std::fmt::Error)
            }
            fn try_next_u64(&mut self) -> std::result::Result<u64, Self::Error> {
                Err(std::fmt::Error)
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> std::result::Result<(), Self::Error> {
                Err(std::fmt::Error)
            }
        }
        impl TryCryptoRng for Failing {}
        let error = generate(Size::Rsa4096, &|_| Ok(Vec::new()), &mut Failing).unwrap_err();
        assert!(matches!(error, Error::Randomness));
    }
}
