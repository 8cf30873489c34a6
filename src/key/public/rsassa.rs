//! RSASSA verification (RFC 8017 section 8) with the acceptance of crypto/rsa.

use dashu_int::UBig;
use dashu_int::monty::MontgomeryRepr;
use rsa::{BoxedUint, Pss};
use sha2::{Sha256, Sha384, Sha512};

use super::super::signature::{Hash, SignatureError};
use super::bit_length;

/// Smallest modulus, in bits, that Go checks a signature with (crypto/rsa `checkKeySize`).
const MIN_BITS: usize = 1024;

/// Largest modulus, in bits, that a signature is checked with here. crypto/rsa has no bound, but a
/// connection with more than 8192 bits fails in crypto/tls anyway.
const MAX_BITS: usize = 1 << 16;

/// The checks of crypto/rsa before a signature is looked at (`checkKeySize`, `checkPublicKey`).
fn check_key(modulus: &[u8], exponent: i64) -> Result<u32, SignatureError> {
    let bits = bit_length(modulus);
    if bits < MIN_BITS {
        return Err(SignatureError::Key("RSA keys under 1024 bits are insecure"));
    }
    if bits > MAX_BITS {
        return Err(SignatureError::Key(
            "RSA keys over 65536 bits are not checked",
        ));
    }
    if modulus.last().is_none_or(|last| last & 1 == 0) {
        return Err(SignatureError::Key("RSA public modulus is even"));
    }
    i32::try_from(exponent)
        .ok()
        .filter(|exponent| *exponent >= 3 && exponent & 1 == 1)
        .map(i32::cast_unsigned)
        .ok_or(SignatureError::Key("RSA public exponent is out of range"))
}

/// RSASSA-PKCS1-v1_5 (section 8.2.2). The `rsa` crate's own takes the time of a private operation
/// with a short exponent, and thousands of requests are checked in a run.
pub fn verify_pkcs1v15(
    modulus: &[u8],
    exponent: i64,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let exponent = check_key(modulus, exponent)?;
    let encoded = encoded_message(hash, message, modulus.len());
    let representative = UBig::from_be_bytes(signature);
    let modulus_number = UBig::from_be_bytes(modulus);
    if signature.len() != modulus.len() || representative >= modulus_number {
        return Err(SignatureError::DoesNotVerify);
    }
    let ring = MontgomeryRepr::new(modulus_number);
    let opened = ring.reduce(representative).pow(&exponent.into()).residue();
    if opened == UBig::from_be_bytes(&encoded) {
        Ok(())
    } else {
        Err(SignatureError::DoesNotVerify)
    }
}

/// EMSA-PKCS1-v1_5 (section 9.2): 00 01 FF ... FF 00 and a `DigestInfo`. The modulus is never too
/// short for it.
fn encoded_message(hash: Hash, message: &[u8], size: usize) -> Vec<u8> {
    let prefix = hash.digest_info();
    let digest = hash.of(message);
    let mut encoded = vec![0xFF; size.saturating_sub(prefix.len() + digest.len() + 1)];
    if let [first, second, ..] = encoded.as_mut_slice() {
        (*first, *second) = (0, 1);
    }
    encoded.push(0);
    encoded.extend_from_slice(prefix);
    encoded.extend(digest);
    encoded
}

/// RSASSA-PSS with a salt as long as the hash (section 8.1.2).
pub fn verify_pss(
    modulus: &[u8],
    exponent: i64,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let exponent = BoxedUint::from(check_key(modulus, exponent)?);
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let key = rsa::PublicKey::new_with_size_limits(modulus, exponent, MIN_BITS..=MAX_BITS)
        .map_err(|_| SignatureError::Key("RSA public key is out of range"))?;
    let hashed = hash.of(message);
    match hash {
        Hash::Sha1 => return Err(SignatureError::Unsupported("rsassaPss".to_owned())),
        Hash::Sha256 => key.verify(Pss::<Sha256>::new(), &hashed, signature),
        Hash::Sha384 => key.verify(Pss::<Sha384>::new(), &hashed, signature),
        Hash::Sha512 => key.verify(Pss::<Sha512>::new(), &hashed, signature),
    }
    .map_err(|_| SignatureError::DoesNotVerify)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest odd modulus of this many bits.
    fn modulus(bits: usize) -> Vec<u8> {
        ((UBig::ONE << bits) - 1_u8).to_be_bytes().to_vec()
    }

    #[test]
    fn keys_are_used_in_the_range_of_crypto_rsa() {
        for bits in [1024, 1025, 65_536] {
            assert_eq!(check_key(&modulus(bits), 65_537), Ok(65_537), "{bits}");
        }
        for bits in [0, 512, 1023, 65_537] {
            assert!(check_key(&modulus(bits), 65_537).is_err(), "{bits}");
        }
        let mut even = modulus(1024);
        even[127] = 0xFE;
        assert!(check_key(&even, 65_537).is_err());
    }

    #[test]
    fn exponents_are_odd_and_fit_31_bits() {
        let check = |exponent| check_key(&modulus(2048), exponent);
        assert_eq!(check(3), Ok(3));
        assert_eq!(check(i64::from(i32::MAX)), Ok(i32::MAX.cast_unsigned()));
        for bad in [
            -3,
            0,
            1,
            2,
            4,
            65_536,
            1 << 31,
            (1 << 31) + 1,
            (1 << 32) + 3,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
