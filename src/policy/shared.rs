//! Moduli of different RSA keys that share a prime, as keys made with too little randomness do.

use dashu_int::UBig;
use dashu_int::ops::Gcd as _;

/// How many of the keys found are tried as the other one; finding it takes a pair at a time.
const MAX_TRIED: usize = 1000;

/// For each modulus (big-endian) that shares a factor with a different one its position and, where
/// it was found, the other's. Bernstein's batch gcd: "How to find smooth parts of integers" (2004).
pub(crate) fn shared_factors(moduli: &[&[u8]]) -> Vec<(usize, Option<usize>)> {
    let mut numbers: Vec<(usize, UBig)> = moduli
        .iter()
        .enumerate()
        .map(|(position, modulus)| (position, UBig::from_be_bytes(modulus)))
        .collect();
    // The same key twice is nothing that a factor has to tell.
    numbers.sort_by(|(_, one), (_, other)| one.cmp(other));
    numbers.dedup_by(|(_, one), (_, other)| one == other);
    numbers.retain(|(_, number)| *number > UBig::ONE);
    let rests = rests_modulo_squares(numbers.iter().map(|(_, number)| number.clone()).collect());
    let found: Vec<_> = numbers
        .iter()
        .zip(rests)
        .filter(|((_, number), rest)| (rest / number).gcd(number) != UBig::ONE)
        .map(|(number, _)| number)
        .collect();
    let other = |position: usize, number: &UBig| {
        let mut others = found.iter().take(MAX_TRIED);
        others.find(|(other, candidate)| *other != position && candidate.gcd(number) != UBig::ONE)
    };
    let mut pairs: Vec<_> = found
        .iter()
        .map(|(position, number)| (*position, other(*position, number).map(|(other, _)| *other)))
        .collect();
    pairs.sort_unstable();
    pairs
}

/// The product of all numbers modulo the square of each: a tree of products upwards, and of rests
/// downwards.
fn rests_modulo_squares(numbers: Vec<UBig>) -> Vec<UBig> {
    if numbers.is_empty() {
        return numbers;
    }
    let mut levels = vec![numbers];
    while let Some(level) = levels.last().filter(|level| level.len() > 1) {
        let products = level.chunks(2).map(|pair| pair.iter().product()).collect();
        levels.push(products);
    }
    let mut rests = levels.pop().unwrap_or_default();
    for level in levels.into_iter().rev() {
        rests = level
            .iter()
            .zip(rests.iter().flat_map(|rest| [rest, rest]))
            .map(|(number, rest)| rest % number.sqr())
            .collect();
    }
    rests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(p: u64, q: u64) -> Vec<u8> {
        (u128::from(p) * u128::from(q)).to_be_bytes().to_vec()
    }

    /// The largest primes below 2^32.
    const PRIMES: [u64; 8] = [
        4_294_967_291,
        4_294_967_279,
        4_294_967_231,
        4_294_967_197,
        4_294_967_189,
        4_294_967_161,
        4_294_967_143,
        4_294_967_111,
    ];

    #[test]
    fn keys_with_a_common_prime_are_found_and_no_others() {
        let pairs = [(0, 1), (2, 3), (4, 0), (5, 6), (7, 3)];
        let keys = pairs.map(|(p, q)| modulus(PRIMES[p], PRIMES[q]));
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        assert_eq!(
            shared_factors(&keys),
            [(0, Some(2)), (1, Some(4)), (2, Some(0)), (4, Some(1))]
        );
    }

    #[test]
    fn a_key_that_comes_twice_shares_no_factor() {
        let [a, b, c, d, ..] = PRIMES;
        let keys = [modulus(a, b), modulus(a, b), modulus(c, d)];
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        assert!(shared_factors(&keys).is_empty());
        assert!(shared_factors(&[]).is_empty());
        assert!(shared_factors(&[&[], &[1], &[1]]).is_empty());
    }
}
