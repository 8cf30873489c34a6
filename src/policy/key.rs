//! Keys that are too weak, broken, or of no use in TLS.

use dashu_int::UBig;
use dashu_int::ops::SquareRootRem as _;

use super::{Code, Effect, Finding};
use crate::csr::CertificationRequest;
use crate::key::PublicKey;

pub(super) const FIELD: &str = "publicKey";

/// crypto/rsa refuses to work with smaller keys.
const MIN_TLS_BITS: usize = 1024;
/// crypto/tls refuses certificates with larger ones (`maxRSAKeySize`).
const MAX_TLS_BITS: usize = 8192;

pub(super) fn check(csr: &CertificationRequest) -> Vec<Finding> {
    let key = csr.public_key();
    let mut findings = Vec::new();
    findings.extend(usable(key));
    findings.extend(strength(key));
    findings.extend(broken(key));
    findings
}

/// Whether a handshake with the certificate can succeed (crypto/tls
/// `signatureSchemesForPublicKey`).
fn usable(key: &PublicKey) -> Option<Finding> {
    let bits = key.bits().unwrap_or_default();
    let problem = match (key.rsa(), key.algorithm().as_str()) {
        (Some(_), _) if bits > MAX_TLS_BITS => "RSA keys of more than 8192 bits",
        (Some(_), _) if bits < MIN_TLS_BITS => "RSA keys of less than 1024 bits",
        (None, "ECDSA") if bits == 224 => "keys on P-224",
        _ => return None,
    };
    let message = format!("TLS does not take {problem}: no connection could be made with it");
    Some(Finding::new(
        Effect::NotAuthenticated,
        Code::UnusableKey,
        FIELD,
        message,
    ))
}

/// NIST SP 800-131A rev. 2 and SP 800-56B rev. 2 section 6.2.
fn strength(key: &PublicKey) -> Option<Finding> {
    let (_, exponent) = key.rsa()?;
    let bits = key.bits()?;
    let message = if bits < 2048 {
        format!("RSA with {bits} bits is too weak; make a key of 2048 bits or more")
    } else if exponent < 65_537 {
        format!("RSA with the public exponent {exponent}, expected 65537; make a new key")
    } else {
        return None;
    };
    Some(Finding::new(Effect::Warns, Code::WeakKey, FIELD, message))
}

/// Keys whose private half anyone can compute.
fn broken(key: &PublicKey) -> Option<Finding> {
    let (modulus, _) = key.rsa().filter(|_| key.bits() <= Some(MAX_TLS_BITS))?;
    let modulus = &UBig::from_be_bytes(modulus);
    let message = if has_roca_fingerprint(modulus) {
        "the modulus has the fingerprint of ROCA (CVE-2017-15361): made by a broken smart card"
    } else if has_small_factor(modulus) {
        "the modulus has a small factor"
    } else if has_close_primes(modulus) {
        "the primes lie so close together that Fermat's method finds them"
    } else {
        return None;
    };
    Some(Finding::new(
        Effect::Misleads,
        Code::BrokenKey,
        FIELD,
        format!("{message}; anyone can have the private key: make a new one"),
    ))
}

/// The odd primes to 167, in groups whose product fits 64 bits.
const SMALL_PRIMES: [&[u64]; 4] = [
    &[3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53],
    &[59, 61, 67, 71, 73, 79, 83, 89, 97, 101],
    &[103, 107, 109, 113, 127, 131, 137, 139, 149],
    &[151, 157, 163, 167],
];

/// Each small prime with the modulus' rest by it.
fn small_rests(modulus: &UBig) -> impl Iterator<Item = (u64, u64)> {
    SMALL_PRIMES.iter().flat_map(move |primes| {
        let rest = modulus % primes.iter().product::<u64>();
        primes.iter().map(move |prime| (*prime, rest % prime))
    })
}

/// No honest modulus is divisible by a small number.
fn has_small_factor(modulus: &UBig) -> bool {
    small_rests(modulus).any(|(_, rest)| rest == 0)
}

/// Nemec et al., "The Return of Coppersmith's Attack" (2017), section 2.3: modulo each of these
/// primes, the moduli of the flawed library are powers of 65537.
fn has_roca_fingerprint(modulus: &UBig) -> bool {
    small_rests(modulus).all(|(prime, rest)| {
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime));
        powers
            .take(usize::try_from(prime).unwrap_or_default())
            .any(|power| power == rest)
    })
}

/// Fermat's method, a few steps of it: n = a^2 - b^2 with a just above the square root of n.
fn has_close_primes(modulus: &UBig) -> bool {
    const STEPS: usize = 20;
    let (root, rest) = modulus.sqrt_rem();
    if rest.is_zero() {
        return true;
    }
    // (a + 1)^2 - n is a^2 - n and 2a + 1 more.
    let mut step = root * 2_u8 + 1_u8;
    let mut difference = &step - rest;
    for _ in 0..STEPS {
        if is_square(&difference) {
            return true;
        }
        step += 2_u8;
        difference += &step;
    }
    false
}

/// Nearly all numbers are told to be no square by their rests (Cohen, "A Course in Computational
/// Algebraic Number Theory", section 1.7.2).
fn is_square(number: &UBig) -> bool {
    let rest = number % (64_u32 * 63 * 65 * 11);
    [64, 63, 65, 11].iter().all(|modulus| {
        let rest = rest % modulus;
        (0..*modulus).any(|root| root * root % modulus == rest)
    }) && number.sqrt_rem().1.is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2^bits - c
    fn below_power(bits: usize, c: u16) -> UBig {
        (UBig::ONE << bits) - c
    }

    #[test]
    fn close_primes_are_found_and_distant_ones_are_not() {
        let (p, q) = (below_power(512, 569), below_power(512, 629));
        assert!(has_close_primes(&(&p * &q)));
        assert!(has_close_primes(&(&p * &p)));
        assert!(!has_close_primes(&(p * below_power(256, 189))));
    }

    /// a^2 - b^2, which is found once a lies `steps` above the square root.
    #[test]
    fn twenty_steps_are_taken_towards_the_primes() {
        let a = UBig::from(1_000_000_007_u64);
        for steps in 1..=21_u8 {
            let b = (&a * 2_u8 * steps - u16::from(steps).pow(2)).sqrt_rem().0;
            let modulus = (&a + &b) * (&a - &b);
            assert_eq!(has_close_primes(&modulus), steps <= 20, "{steps}");
        }
    }

    #[test]
    fn squares_are_told_from_all_other_numbers() {
        let squares: Vec<u32> = (0..70).map(|root| root * root).collect();
        for number in 0..4_900_u32 {
            assert_eq!(is_square(&number.into()), squares.contains(&number));
        }
    }

    #[test]
    fn small_factors_and_powers_of_the_roca_generator_are_found() {
        for prime in SMALL_PRIMES.into_iter().flatten() {
            assert!(has_small_factor(&(below_power(512, 569) * *prime)));
        }
        assert!(has_small_factor(&UBig::from(15_u8)));
        assert!(has_small_factor(&(below_power(512, 569) * 167_u8)));
        assert!(!has_small_factor(&below_power(512, 569)));
        assert!(has_roca_fingerprint(&UBig::from(65_537_u32).pow(99)));
        assert!(!has_roca_fingerprint(&below_power(512, 569)));
    }
}
