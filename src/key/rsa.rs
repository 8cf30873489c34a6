//! RSA keys, made as fast as the machine allows.

use std::num::NonZero;
use std::thread::available_parallelism;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

#[cfg(target_arch = "x86_64")]
mod avx2;
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
mod stack;
#[cfg(target_arch = "x86_64")]
mod vector;

pub use candidate::Size;
use candidate::{SEED_LEN, Seed};
use search::Search;

/// Makes a key of `size` with a seed from `rng`, on all cores.
///
/// # Errors
/// [`Error::Randomness`] if the generator fails; [`Error::NoPrimes`], once in 2^34 keys;
/// [`Error::Inconsistent`] if the new key does not verify what it signs.
pub(super) fn generate<R: TryCryptoRng + ?Sized>(
    size: Size,
    rng: &mut R,
) -> Result<Box<::rsa::PrivateKey>> {
    let mut seed: Zeroizing<Seed> = Zeroizing::new([0; SEED_LEN]);
    rng.try_fill_bytes(&mut *seed)
        .map_err(|error| Error::Randomness(error.to_string()))?;
    let filter = filter::fastest();
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    Search::new(size, &seed, &*filter, filter.sieve_bound(size)).run(threads)
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
        let error = generate(Size::Rsa4096, &mut Failing).unwrap_err();
        assert!(matches!(error, Error::Randomness(_)));
    }
}
