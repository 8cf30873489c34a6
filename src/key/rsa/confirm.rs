//! The last word on a pair of primes: Miller-Rabin rounds of `crypto-primes`, the conditions of
//! FIPS 186-5 A.1.1, and a key that `rsa` has validated and that verifies what it signs first.

use crypto_bigint::{BoxedUint, Odd};
use crypto_primes::hazmat::MillerRabin;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use zeroize::Zeroizing;

use super::candidate::{Candidate, PUBLIC_EXPONENT, Seed, Size, bases};
use super::{FirstMessage, SignedKey};
use crate::error::{Error, Result};
use crate::key::PrivateKey;

/// How many rounds with random bases a number passes before it counts as a prime: FIPS 186-5 Table
/// B.1, in the column that goes by the security strength of the modulus. (The other column, 2^-100
/// for every size, asks for one or two fewer.)
///
/// The table's rows allow a composite to remain with probability 2^-112, 2^-128 and 2^-144, and
/// SP 800-56B gives a modulus of 4096 bits a strength of 152. By the formula behind the table,
/// FIPS 186-5 C.1 equation (2), these rounds leave 2^-124, 2^-137 and 2^-161 at most. That is for
/// numbers drawn uniformly between 2^(bits-1) and 2^bits. Ours are the upper 59 % of them, without
/// those that have a small factor; the first can double the bound and the second only lowers it.
pub(super) const fn rounds(size: Size) -> u8 {
    match size {
        Size::Rsa2048 => 5,
        Size::Rsa3072 | Size::Rsa4096 => 4,
    }
}

/// The library's test of a candidate. None for an even number, which no candidate is.
pub(super) fn miller_rabin(candidate: &Candidate) -> Option<MillerRabin<BoxedUint>> {
    Option::from(Odd::new(number(candidate))).map(MillerRabin::new)
}

/// One round of Miller-Rabin in a random base: false proves that the candidate is composite.
pub(super) fn passes_round(candidate: &Candidate, round: u8, seed: &Seed) -> bool {
    let mut rng = bases(candidate, round, seed);
    miller_rabin(candidate).is_some_and(|test| test.test_random_base(&mut rng).is_probably_prime())
}

/// The key of two numbers that are primes, as far as the rounds say, and its first signature,
/// which is the pairwise consistency test: it is verified. None if the pair does not meet the
/// conditions, which one pair in 2^97 does not.
///
/// # Errors
/// [`Error::Inconsistent`] if `rsa` does not accept the pair, or the key does not verify what it
/// signs: the numbers are no primes, or the machine is faulty. What `message` fails with.
pub(super) fn build(
    first: &Candidate,
    second: &Candidate,
    size: Size,
    message: FirstMessage<'_>,
) -> Result<Option<SignedKey>> {
    let (first, second) = (number(first), number(second));
    let (p, q) = if first > second {
        (first, second)
    } else {
        (second, first)
    };
    if !are_apart(&p, &q, size) {
        return Ok(None);
    }
    let key = rsa::PrivateKey::from_p_q(p, q, BoxedUint::from(PUBLIC_EXPONENT))
        .map_err(|_| Error::Inconsistent)?;
    // d is odd: with more than nlen/2 bits it is larger than 2^(nlen/2).
    let exponent_is_large = key.d().bit_width() > size.prime_bits();
    let full_length = key.n().bit_width() == size.modulus_bits();
    if !(exponent_is_large && full_length) {
        return Ok(None);
    }
    let key = PrivateKey::from_rsa(Box::new(key))?;
    let message = message(key.public_key())?;
    let signature = key.sign_first(&message)?;
    Ok(Some(Box::new((key, signature))))
}

/// Whether p - q > 2^(nlen/2 - 100), for p no smaller than q. A length tells what is at least a
/// power of two, so one is taken off first.
fn are_apart(p: &BoxedUint, q: &BoxedUint, size: Size) -> bool {
    let difference = Zeroizing::new(p.wrapping_sub(q));
    let less_one = Zeroizing::new(difference.wrapping_sub(BoxedUint::one()));
    less_one.bit_width() > size.prime_bits() - 100 && !bool::from(difference.is_zero())
}

fn number(candidate: &Candidate) -> BoxedUint {
    BoxedUint::from_le_slice_vartime(&candidate.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use crypto_primes::hazmat::minimum_mr_iterations;
    use rsa::pkcs8::DecodePrivateKey as _;

    use super::*;

    /// The security strength of a modulus in bits: SP 800-57 part 1 table 2, SP 800-56B table 2.
    fn strength(size: Size) -> u32 {
        match size {
            Size::Rsa2048 => 112,
            Size::Rsa3072 => 128,
            Size::Rsa4096 => 152,
        }
    }

    #[test]
    fn the_rounds_are_those_of_the_table_for_the_strength_of_the_modulus() {
        let table = [(1024, 112, 5), (1536, 128, 4), (2048, 144, 4)];
        for (size, (prime_bits, error_bits, expected)) in Size::ALL.into_iter().zip(table) {
            assert_eq!(size.prime_bits(), prime_bits);
            assert_eq!(rounds(size), expected);
            let computed = minimum_mr_iterations(prime_bits, error_bits);
            assert_eq!(computed, Some(usize::from(expected)));
        }
    }

    #[test]
    fn the_error_of_the_rounds_is_below_the_strength_of_the_modulus() {
        for (size, bound) in Size::ALL.into_iter().zip([124, 137, 161]) {
            let rounds = Some(usize::from(rounds(size)));
            let most =
                (100..200).rfind(|bits| minimum_mr_iterations(size.prime_bits(), *bits) == rounds);
            assert_eq!(most, Some(bound), "{size:?}");
            // A bit for the share of the numbers of this length that are drawn from, and five for a
            // filter that chooses among 27.
            assert!(bound >= strength(size) + 6);
        }
    }

    /// What is built of two numbers, as another reader of the key sees it.
    fn made(first: &Candidate, second: &Candidate, size: Size) -> Result<Option<rsa::PrivateKey>> {
        let built = build(first, second, size, &|_| Ok(b"first".to_vec()))?;
        Ok(built.map(|built| {
            let pem = built.0.to_pkcs8_pem().unwrap();
            rsa::PrivateKey::from_pkcs8_pem(pem.expose()).unwrap()
        }))
    }

    #[test]
    fn primes_have_to_be_apart() {
        let size = Size::Rsa2048;
        let least = BoxedUint::one_with_precision(1024).shl(1024 - 100);
        let low = BoxedUint::one_with_precision(1024).shl(1023);
        let at = |distance: &BoxedUint| are_apart(&low.wrapping_add(distance), &low, size);
        assert!(!at(&BoxedUint::zero()));
        assert!(!at(&least.wrapping_sub(BoxedUint::one())));
        assert!(!at(&least));
        assert!(at(&least.wrapping_add(BoxedUint::one())));
    }

    #[test]
    fn numbers_that_are_no_primes_make_no_key() {
        let candidate = |number, top| {
            let mut words = [u64::MAX; 16];
            words[15] = top;
            Candidate::new(number, &words)
        };
        let (first, second) = (candidate(0, u64::MAX), candidate(1, u64::MAX - 1));
        let size = Size::Rsa2048;
        assert!(matches!(
            made(&first, &second, size),
            Err(Error::Inconsistent)
        ));
        assert!(matches!(made(&first, &first, size), Ok(None)));
    }

    #[test]
    fn numbers_that_are_not_apart_make_no_pair_in_either_order() {
        let candidate = |lowest| {
            let mut words = [u64::MAX; 16];
            words[0] = lowest;
            Candidate::new(0, &words)
        };
        let (low, high) = (candidate(1), candidate(u64::MAX));
        for (first, second) in [(&low, &high), (&high, &low)] {
            assert!(matches!(made(first, second, Size::Rsa2048), Ok(None)));
        }
    }

    /// Keys of NIST's validation program, made with our exponent; Xp and Xq are no primes.
    const PUBLISHED: &str = include_str!("../../../tests/vectors/nist/rsa-keygen.rsp");

    struct Published<'a>(&'a str);

    impl Published<'_> {
        fn hex(&self, name: &str) -> &str {
            let mut fields = self.0.lines().filter_map(|line| line.split_once(" = "));
            fields.find(|field| field.0 == name).unwrap().1
        }

        fn size(&self) -> Option<Size> {
            let digits = self.hex("n").len();
            Size::ALL
                .into_iter()
                .find(|it| it.modulus_bits() as usize == 4 * digits)
        }

        fn candidate(&self, number: u64, name: &str) -> Candidate {
            let digits = self.hex(name).as_bytes().rchunks(16);
            let words = digits.map(|it| std::str::from_utf8(it).unwrap());
            let mut words: Vec<_> = words
                .map(|it| u64::from_str_radix(it, 16).unwrap())
                .collect();
            words[0] |= 1;
            Candidate::new(number, &words)
        }
    }

    /// Each with its size.
    fn published() -> impl Iterator<Item = (Size, Published<'static>)> {
        let keys = PUBLISHED
            .split("\n\n")
            .filter(|block| block.contains("e = 10001\n"));
        keys.filter_map(|block| Some((Published(block).size()?, Published(block))))
    }

    #[test]
    fn published_primes_pass_every_round_and_where_they_were_searched_from_none() {
        let mut keys = 0;
        for (_, key) in published() {
            for round in 0..8 {
                let passes = |name| passes_round(&key.candidate(0, name), round, &[round; 32]);
                assert!(passes("p") && passes("q"), "{}", key.hex("n"));
                assert!(!passes("Xp") && !passes("Xq"), "{}", key.hex("n"));
            }
            keys += 1;
        }
        assert_eq!(keys, 6);
    }

    #[test]
    fn published_primes_make_the_published_key_in_either_order() {
        for (size, key) in published() {
            for (first, second) in [("p", "q"), ("q", "p")] {
                let (first, second) = (key.candidate(0, first), key.candidate(1, second));
                let built = made(&first, &second, size).unwrap().unwrap();
                let hex =
                    |number: &BoxedUint| format!("{number:x}").trim_start_matches('0').to_owned();
                assert_eq!(hex(built.n().as_ref()), key.hex("n"));
                assert_eq!(hex(built.d()), key.hex("d"));
                assert!(built.primes()[0] > built.primes()[1], "the larger is p");
            }
        }
    }

    #[test]
    fn primes_of_another_length_make_no_pair() {
        for (size, key) in published() {
            let (p, q) = (key.candidate(0, "p"), key.candidate(1, "q"));
            for other in Size::ALL.into_iter().filter(|other| *other != size) {
                assert!(matches!(made(&p, &q, other), Ok(None)), "{other:?}");
            }
        }
    }

    #[test]
    fn where_published_primes_were_searched_from_makes_no_key() {
        for (size, key) in published() {
            let built = made(&key.candidate(0, "Xp"), &key.candidate(1, "q"), size);
            assert!(
                matches!(built, Err(Error::Inconsistent)),
                "{}",
                key.hex("n")
            );
        }
    }
}
