//! `kube_enroll::key::EncodedKey`: a key that can be opened signs, and reads back as the same key
//! once it is written.

use kube_enroll::error::Error;
use kube_enroll::key::{EncodedKey, PrivateKey};
use kube_enroll::pem;
use kube_enroll::secret::Passphrase;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;

use super::keys::rng;

/// What the encrypted seeds are encrypted with.
const PASSPHRASE: &[u8] = b"correct horse";

/// More iterations of PBKDF2, or bytes written by scrypt, would take the fuzzer's time for nothing.
const MAX_COST: u64 = 1 << 16;

/// Takes any bytes for a file with a private key in it.
pub fn check(data: &[u8]) {
    let Ok(key) = EncodedKey::find(data) else {
        return;
    };
    let opened = key.open(None);
    if !key.is_encrypted() {
        opened.iter().for_each(is_good);
        return;
    }
    assert_eq!(opened.unwrap_err(), Error::PassphraseRequired);
    if cost(data) <= MAX_COST {
        let opened = key.open(Some(&Passphrase::new(PASSPHRASE.to_vec())));
        opened.iter().for_each(is_good);
    }
}

fn is_good(key: &PrivateKey) {
    assert!(key.sign(b"message", &mut rng()).is_ok());
    let pem = key.to_pkcs8_pem().unwrap();
    let again = EncodedKey::find(pem.expose().as_bytes()).unwrap();
    assert_eq!(again.open(None).unwrap().public_key(), key.public_key());
}

/// What it costs to derive the key that an encrypted key is encrypted with; nothing, where the
/// derivation cannot be read.
fn cost(data: &[u8]) -> u64 {
    let block = pem::blocks(data).find(|block| block.label.ends_with("PRIVATE KEY"));
    let der = block.as_ref().map_or(data, |block| &block.contents);
    let Ok(EncryptionScheme::Pbes2(scheme)) =
        EncryptedPrivateKeyInfoRef::try_from(der).map(|info| info.encryption_algorithm)
    else {
        return 0;
    };
    match scheme.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count.into(),
        Kdf::Scrypt(scrypt) => [scrypt.block_size.into(), scrypt.parallelization.into(), 128]
            .into_iter()
            .fold(scrypt.cost_parameter, u64::saturating_mul),
        _ => 0,
    }
}
