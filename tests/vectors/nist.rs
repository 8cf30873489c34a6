//! RSA keys and PKCS#1 v1.5 signatures of NIST's Cryptographic Algorithm Validation Program.
//! The letters are those of FIPS 186.

#![allow(clippy::many_single_char_names)]

use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;
use dashu_int::ops::Gcd as _;
use der::asn1::{BitString, Null, UintRef};
use der::oid::db::rfc5912;
use der::{Any, Encode as _};
use kube_enroll::error::{Error, Result};
use kube_enroll::key::{EncodedKey, Hash, PrivateKey, PublicKey, SignatureAlgorithm};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::records::{Record, records};

const KEYS: &str = include_str!("nist/rsa-keygen.rsp");
const GENERATED: &str = include_str!("nist/rsa-siggen15.rsp");
const VERIFIED: &str = include_str!("nist/rsa-sigver15.rsp");

/// The six numbers that a key in PKCS#1 is computed from, as `RSAPrivateKey` in DER.
fn private_key(n: &UBig, e: &UBig, d: &UBig, p: &UBig, q: &UBig) -> Vec<u8> {
    let coefficient = inverse(q, p).unwrap_or(UBig::ONE);
    let one = UBig::ONE;
    let (exponent1, exponent2) = (d % (p - &one), d % (q - &one));
    let numbers = [n, e, d, p, q, &exponent1, &exponent2, &coefficient];
    let bytes = numbers.map(UBig::to_be_bytes);
    let [n, e, d, p, q, dp, dq, qi] = bytes.each_ref().map(|it| UintRef::new(it).unwrap());
    let key = pkcs1::RsaPrivateKeyRef {
        modulus: n,
        public_exponent: e,
        private_exponent: d,
        prime1: p,
        prime2: q,
        exponent1: dp,
        exponent2: dq,
        coefficient: qi,
        other_prime_infos: None,
    };
    key.to_der().unwrap()
}

fn inverse(number: &UBig, modulus: &UBig) -> Option<UBig> {
    let ring = ConstDivisor::new(modulus.clone());
    Some(ring.reduce(number.clone()).inv()?.residue())
}

fn opened(der: &[u8]) -> Result<PrivateKey> {
    EncodedKey::find(der).unwrap().open(None)
}

fn public_key(n: &UBig, e: &UBig) -> PublicKey {
    let (n, e) = (n.to_be_bytes(), e.to_be_bytes());
    let key = pkcs1::RsaPublicKeyRef {
        modulus: UintRef::new(&n).unwrap(),
        public_exponent: UintRef::new(&e).unwrap(),
    };
    let spki = SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned {
            oid: rfc5912::RSA_ENCRYPTION,
            parameters: Some(Any::from(Null)),
        },
        subject_public_key: BitString::from_bytes(&key.to_der().unwrap()).unwrap(),
    };
    PublicKey::from_spki_der(&spki.to_der().unwrap()).unwrap()
}

fn key_of(record: &Record<'_>) -> Vec<u8> {
    let [n, e, d, p, q] = ["n", "e", "d", "p", "q"].map(|name| record.number(name));
    private_key(&n, &e, &d, &p, &q)
}

#[test]
fn published_keys_are_read_and_sign() {
    let keys = records(KEYS, "d");
    assert_eq!(keys.len(), 20);
    for record in &keys {
        let bits: usize = record.text("mod").parse().unwrap();
        let key = opened(&key_of(record));
        if bits < 2048 {
            assert_eq!(key.err(), Some(Error::RsaSize { bits }));
            continue;
        }
        let key = key.unwrap();
        assert_eq!(
            key.public_key(),
            &public_key(&record.number("n"), &record.number("e"))
        );
        assert_eq!(key.public_key().bits(), Some(bits));
        let signature = key.sign(b"message", &mut getrandom::SysRng).unwrap();
        assert_eq!(signature.len(), bits / 8);
    }
}

/// Fermat's test in base 2.
fn is_composite(odd: &UBig) -> bool {
    let ring = ConstDivisor::new(odd.clone());
    let power = ring.reduce(2_u8).pow(&(odd - UBig::ONE));
    power.residue() != UBig::ONE
}

/// A composite for which the key's equations hold as they would for a prime. One of the starts has
/// a prime beside it.
fn key_of_composite(record: &Record<'_>, start: &str, other: &UBig) -> Option<Vec<u8>> {
    let one = UBig::ONE;
    let (composite, e) = (record.number(start) | &one, record.number("e"));
    if !is_composite(&composite) {
        return None;
    }
    let phi = (&composite - &one) * (other - &one);
    let lcm = &phi / (&composite - &one).gcd(other - &one);
    let d = inverse(&e, &lcm)?;
    Some(private_key(
        &(&composite * other),
        &e,
        &d,
        &composite,
        other,
    ))
}

#[test]
fn a_key_of_the_numbers_that_the_search_for_primes_started_from_signs_nothing() {
    let mut refused = 0;
    for record in records(KEYS, "d") {
        for (start, other) in [("Xp", "q"), ("Xq", "p")] {
            let Some(der) = key_of_composite(&record, start, &record.number(other)) else {
                continue;
            };
            let signed = opened(&der).and_then(|key| key.sign(b"message", &mut getrandom::SysRng));
            assert!(signed.is_err(), "{start} of {}", record.text("n"));
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_key_whose_numbers_do_not_fit_is_refused() {
    for record in records(KEYS, "d")
        .iter()
        .filter(|it| it.text("e") == "10001")
    {
        let [n, e, d, p, q] = ["n", "e", "d", "p", "q"].map(|name| record.number(name));
        let two = UBig::from(2_u8);
        let refused = |der: Vec<u8>| assert!(opened(&der).is_err(), "{}", record.text("n"));
        refused(private_key(&(&n + &two), &e, &d, &p, &q));
        refused(private_key(&n, &(&e + &two), &d, &p, &q));
        refused(private_key(&n, &e, &(&d + &two), &p, &q));
        refused(private_key(&n, &e, &d, &(&p + &two), &q));
    }
}

fn hash(record: &Record<'_>) -> Hash {
    match record.text("SHAAlg") {
        "SHA256" => Hash::Sha256,
        "SHA384" => Hash::Sha384,
        "SHA512" => Hash::Sha512,
        other => panic!("{other}"),
    }
}

fn verifies(record: &Record<'_>) -> bool {
    let algorithm = SignatureAlgorithm::RsaPkcs1v15(hash(record));
    public_key(&record.number("n"), &record.number("e"))
        .verify(&algorithm, &record.bytes("Msg"), &record.bytes("S"))
        .is_ok()
}

#[test]
fn generated_signatures_are_good() {
    let signatures = records(GENERATED, "S");
    assert_eq!(signatures.len(), 36);
    for record in &signatures {
        assert!(verifies(record), "{}", record.text("S"));
    }
}

#[test]
fn signatures_pass_and_fail_as_the_results_say() {
    let signatures = records(VERIFIED, "Result");
    assert_eq!(signatures.len(), 162);
    for record in &signatures {
        let result = record.text("Result");
        assert!(result == "P" || result.starts_with("F ("), "{result}");
        assert_eq!(
            verifies(record),
            result == "P",
            "{result}: {}",
            record.text("S")
        );
    }
}

#[test]
fn our_signatures_are_the_published_ones() {
    let mut same = 0;
    for record in records(VERIFIED, "Result") {
        if record.text("Result") != "P" || record.text("SHAAlg") != "SHA256" {
            continue;
        }
        let [n, e, p, q] = ["n", "e", "p", "q"].map(|name| record.number(name));
        let phi = (&p - UBig::ONE) * (&q - UBig::ONE);
        let d = inverse(&e, &phi).unwrap();
        let key = opened(&private_key(&n, &e, &d, &p, &q)).unwrap();
        let signature = key.sign(&record.bytes("Msg"), &mut getrandom::SysRng);
        assert_eq!(signature.unwrap(), record.bytes("S"));
        same += 1;
    }
    assert_eq!(same, 9);
}
