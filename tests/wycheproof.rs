//! Signature checks against Project Wycheproof's vectors: forged, degenerate and badly encoded
//! signatures in every algorithm that requests are signed with.

#![allow(clippy::unwrap_used)]

use kube_enroll::key::{Hash, PublicKey, SignatureAlgorithm};
use wycheproof::TestResult;

/// Counts what was checked, and collects what differs.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    differences: Vec<String>,
}

impl Tally {
    fn check(&mut self, what: &str, verified: bool, expected: TestResult) {
        match (expected, verified) {
            (TestResult::Valid, true) => self.valid += 1,
            (TestResult::Invalid, false) => self.invalid += 1,
            // Whether these pass is a matter of taste.
            (TestResult::Acceptable, _) => {}
            _ => self
                .differences
                .push(format!("{what}: {expected:?}, answered {verified}")),
        }
    }

    fn finish(self) {
        assert!(
            self.differences.is_empty(),
            "{}",
            self.differences.join("\n")
        );
        assert!(self.valid > 0 && self.invalid > 10);
    }
}

fn verifies(spki: &[u8], algorithm: &SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
    PublicKey::from_spki_der(spki)
        .is_ok_and(|key| key.verify(algorithm, message, signature).is_ok())
}

macro_rules! signatures {
    ($($name:ident: $module:ident $set:ident, $algorithm:expr;)*) => {$(
        #[test]
        fn $name() {
            use wycheproof::$module::{TestName, TestSet};
            let set = TestSet::load(TestName::$set).unwrap();
            let mut tally = Tally::default();
            for group in &set.test_groups {
                for test in &group.tests {
                    let verified = verifies(&group.der, &$algorithm, &test.msg, &test.sig);
                    let what = format!("{}: {}", test.tc_id, test.comment);
                    tally.check(&what, verified, test.result);
                }
            }
            tally.finish();
        }
    )*};
}

signatures! {
    ecdsa_p224_sha256: ecdsa EcdsaSecp224r1Sha256, SignatureAlgorithm::Ecdsa(Hash::Sha256);
    ecdsa_p256_sha256: ecdsa EcdsaSecp256r1Sha256, SignatureAlgorithm::Ecdsa(Hash::Sha256);
    ecdsa_p256_sha512: ecdsa EcdsaSecp256r1Sha512, SignatureAlgorithm::Ecdsa(Hash::Sha512);
    ecdsa_p384_sha384: ecdsa EcdsaSecp384r1Sha384, SignatureAlgorithm::Ecdsa(Hash::Sha384);
    ecdsa_p521_sha512: ecdsa EcdsaSecp521r1Sha512, SignatureAlgorithm::Ecdsa(Hash::Sha512);
    ed25519: eddsa Ed25519, SignatureAlgorithm::Ed25519;
    rsa_2048_sha256: rsa_pkcs1_verify Rsa2048Sha256, SignatureAlgorithm::RsaPkcs1v15(Hash::Sha256);
    rsa_3072_sha384: rsa_pkcs1_verify Rsa3072Sha384, SignatureAlgorithm::RsaPkcs1v15(Hash::Sha384);
    rsa_4096_sha512: rsa_pkcs1_verify Rsa4096Sha512, SignatureAlgorithm::RsaPkcs1v15(Hash::Sha512);
    rsa_8192_sha256: rsa_pkcs1_verify Rsa8192Sha256, SignatureAlgorithm::RsaPkcs1v15(Hash::Sha256);
    pss_2048_sha256: rsa_pss_verify RsaPss2048Sha256Mgf1SaltLen32, SignatureAlgorithm::RsaPss(Hash::Sha256);
    pss_4096_sha384: rsa_pss_verify RsaPss4096Sha384Mgf1SaltLen48, SignatureAlgorithm::RsaPss(Hash::Sha384);
    pss_4096_sha512: rsa_pss_verify RsaPss4096Sha512Mgf1SaltLen64, SignatureAlgorithm::RsaPss(Hash::Sha512);
}
