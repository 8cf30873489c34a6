//! Signatures that RFC 6979 and RFC 8032 print: both kinds are a function of key and message, so
//! ours have to be the same.

use der::Encode as _;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::oid::db::{rfc5912, rfc8410};
use kube_enroll::key::{EncodedKey, Hash, PrivateKey, SignatureAlgorithm};
use pkcs8::PrivateKeyInfoRef;

use super::records::{Record, records};

/// The key in PKCS#8, as it would come in a file.
fn opened(info: &PrivateKeyInfoRef<'_>) -> PrivateKey {
    let der = info.to_der().unwrap();
    EncodedKey::find(&der).unwrap().open(None).unwrap()
}

/// Ours is the one that is printed, and both a changed message and a changed signature are refused.
fn check(key: &PrivateKey, algorithm: &SignatureAlgorithm, record: &Record<'_>, ours: bool) {
    let (mut message, mut signature) = (record.bytes("Msg"), record.bytes("S"));
    if ours {
        let made = key.sign(&message, &mut getrandom::SysRng).unwrap();
        assert_eq!(made, signature, "{algorithm} of {}", record.text("Msg"));
    }
    let public = key.public_key();
    let verifies =
        |message: &[u8], signature: &[u8]| public.verify(algorithm, message, signature).is_ok();
    assert!(verifies(&message, &signature));
    message.push(0);
    assert!(!verifies(&message, &signature));
    message.pop();
    *signature.last_mut().unwrap() ^= 1;
    assert!(!verifies(&message, &signature));
}

fn ecdsa_key(curve: ObjectIdentifier, scalar: &[u8]) -> PrivateKey {
    let key = sec1::EcPrivateKey {
        private_key: scalar,
        parameters: None,
        public_key: None,
    };
    let key = key.to_der().unwrap();
    opened(&PrivateKeyInfoRef {
        algorithm: pkcs8::AlgorithmIdentifierRef {
            oid: rfc5912::ID_EC_PUBLIC_KEY,
            parameters: Some((&curve).into()),
        },
        private_key: OctetStringRef::new(&key).unwrap(),
        public_key: None,
    })
}

#[test]
fn ecdsa_signatures_are_those_of_rfc_6979() {
    let records = records(include_str!("rfc/rfc6979-ecdsa.rsp"), "S");
    assert_eq!(records.len(), 24);
    for record in records {
        let (curve, own) = match record.text("curve") {
            "P-256" => (rfc5912::SECP_256_R_1, Hash::Sha256),
            "P-384" => (rfc5912::SECP_384_R_1, Hash::Sha384),
            "P-521" => (rfc5912::SECP_521_R_1, Hash::Sha512),
            other => panic!("{other}"),
        };
        let hash = match record.text("SHAAlg") {
            "SHA1" => Hash::Sha1,
            "SHA256" => Hash::Sha256,
            "SHA384" => Hash::Sha384,
            "SHA512" => Hash::Sha512,
            other => panic!("{other}"),
        };
        let key = ecdsa_key(curve, &record.bytes("x"));
        check(&key, &SignatureAlgorithm::Ecdsa(hash), &record, hash == own);
    }
}

#[test]
fn ed25519_keys_and_signatures_are_those_of_rfc_8032() {
    let records = records(include_str!("rfc/rfc8032-ed25519.rsp"), "S");
    assert_eq!(records.len(), 5);
    for record in records {
        let seed = [&[4, 32], record.bytes("seed").as_slice()].concat();
        let key = opened(&PrivateKeyInfoRef {
            algorithm: pkcs8::AlgorithmIdentifierRef {
                oid: rfc8410::ID_ED_25519,
                parameters: None,
            },
            private_key: OctetStringRef::new(&seed).unwrap(),
            public_key: None,
        });
        assert!(
            key.public_key()
                .spki_der()
                .ends_with(&record.bytes("public"))
        );
        check(&key, &SignatureAlgorithm::Ed25519, &record, true);
    }
}
