//! Private keys at rest: PKCS#5 PBES2 (RFC 8018) with scrypt (RFC 7914) and AES-256-CBC.

use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::pkcs5::{EncryptionScheme, pbes2, scrypt};
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{malformed, randomness, unsupported};
use crate::error::Result;
use crate::secret::Passphrase;

/// scrypt's cost N = 2^14: with r = 15 it takes 30 MiB, of the 32 MiB, all buffers counted, that
/// OpenSSL spends on a key without being told a higher limit (`EVP_PBE_scrypt`).
const LOG_N: u8 = 14;
/// scrypt's block size r, the largest that OpenSSL opens at this N and number of passes.
const BLOCK_SIZE: u32 = 15;
/// scrypt's parallelization p: passes one after the other make up for the small memory. These take
/// the better part of a second of a laptop, and write twice as much as the N = 2^17, r = 8, p = 1
/// that OWASP asks for.
const PASSES: u32 = 8;
/// The most iterations of PBKDF2 that are gone through to open a key: what RFC 8018 section 4.2 has
/// for especially critical ones.
const MAX_ITERATIONS: u32 = 10_000_000;
/// The most that scrypt may write to open a key, in bytes: N = 2^20 with r = 8 and one pass.
const MAX_SCRYPT_BYTES: u128 = 1 << 30;
const SALT_LEN: usize = 16;
const IV_LEN: usize = 16;

/// Encrypts a PKCS#8 `PrivateKeyInfo` so that `openssl pkey` opens it: scrypt with N = 2^14,
/// r = 15, p = 8 and 16 bytes of salt, AES-256 in CBC mode.
///
/// # Errors
/// [`crate::error::Error::Randomness`] if `rng` fails, [`crate::error::Error::Malformed`] if
/// `private_key_info` is not one.
pub(super) fn encrypt<R: TryCryptoRng + ?Sized>(
    private_key_info: &[u8],
    passphrase: &Passphrase,
    rng: &mut R,
) -> Result<Zeroizing<Vec<u8>>> {
    let parameters = parameters(rng)?;
    let info = PrivateKeyInfoRef::try_from(private_key_info)
        .map_err(|error| malformed("PKCS#8 private key", error))?;
    let document: SecretDocument = info
        .encrypt_with_params(parameters, passphrase.expose())
        .map_err(|error| malformed("encrypted PKCS#8 private key", error))?;
    Ok(document.to_bytes())
}

fn parameters<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<pbes2::Parameters> {
    let mut salt = [0; SALT_LEN];
    let mut iv = [0; IV_LEN];
    rng.try_fill_bytes(&mut salt).map_err(randomness)?;
    rng.try_fill_bytes(&mut iv).map_err(randomness)?;
    let scrypt = scrypt::Params::new(LOG_N, BLOCK_SIZE, PASSES)
        .map_err(|error| malformed("set of scrypt parameters", error))?;
    pbes2::Parameters::generate_scrypt_aes256cbc(scrypt, &salt, iv)
        .map_err(|error| malformed("set of PBES2 parameters", error))
}

/// Refuses what would take minutes or all memory to open: whoever wrote the file chose the cost.
///
/// # Errors
/// [`crate::error::Error::Unsupported`]
pub(super) fn check_cost(scheme: &EncryptionScheme) -> Result<()> {
    match scheme {
        EncryptionScheme::Pbes2(parameters) => check_derivation(&parameters.kdf),
        _ => Ok(()),
    }
}

fn check_derivation(derivation: &Kdf) -> Result<()> {
    let (fits, found) = match derivation {
        Kdf::Pbkdf2(pbkdf2) => {
            let count = pbkdf2.iteration_count;
            let fits = (1..=MAX_ITERATIONS).contains(&count);
            (fits, format!("PBKDF2 with {count} iterations"))
        }
        Kdf::Scrypt(scrypt) => {
            let (n, r, p) = (
                scrypt.cost_parameter,
                scrypt.block_size,
                scrypt.parallelization,
            );
            let bytes = 128 * u128::from(n) * u128::from(r) * u128::from(p);
            let fits = (1..=MAX_SCRYPT_BYTES).contains(&bytes);
            (fits, format!("scrypt with N = {n}, r = {r}, p = {p}"))
        }
        _ => return Ok(()),
    };
    if fits {
        Ok(())
    } else {
        Err(unsupported("key encryption", found))
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use getrandom::SysRng;
    use pkcs8::pkcs5::pbes2::{Pbkdf2Params, Salt, ScryptParams};
    use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};

    use super::*;

    /// What OpenSSL counts against its limit of 32 MiB: `crypto/evp/pbe_scrypt.c`,
    /// `providers/implementations/kdfs/scrypt.c`.
    fn openssl_memory(block_size: u64) -> u64 {
        let blocks = u64::from(PASSES) * 128 * block_size;
        blocks + 32 * block_size * ((1 << LOG_N) + 2) * 4
    }

    #[test]
    fn the_cost_is_the_highest_that_openssl_pays() {
        let size = u64::from(BLOCK_SIZE);
        assert!(openssl_memory(size) <= 32 << 20);
        assert!(openssl_memory(size + 1) > 32 << 20);
    }

    #[test]
    fn openssl_opens_what_is_encrypted() {
        let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        let info = key.to_pkcs8_der().unwrap();
        let passphrase = Passphrase::new(b"correct horse".to_vec());
        let encrypted = encrypt(info.as_bytes(), &passphrase, &mut SysRng).unwrap();
        let pem = pem::encode(&pem::Pem::new(
            "ENCRYPTED PRIVATE KEY",
            encrypted.as_slice(),
        ));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, pem).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args([
            "pkey",
            "-outform",
            "DER",
            "-passin",
            "pass:correct horse",
            "-in",
        ]);
        let opened = match openssl.arg(&path).stdin(Stdio::null()).output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            opened => opened.unwrap(),
        };
        assert!(opened.status.success(), "{opened:?}");
        let key_again = p256::SecretKey::from_sec1_der(&opened.stdout)
            .or_else(|_| p256::SecretKey::from_pkcs8_der(&opened.stdout));
        assert_eq!(key_again.unwrap().to_bytes(), key.to_bytes());
    }

    fn pbkdf2(iteration_count: u32) -> Kdf {
        let parameters = Pbkdf2Params::hmac_sha256(1, b"salt").unwrap();
        Kdf::Pbkdf2(Pbkdf2Params {
            iteration_count,
            ..parameters
        })
    }

    fn scrypt(cost_parameter: u64, block_size: u16, parallelization: u16) -> Kdf {
        Kdf::Scrypt(ScryptParams {
            salt: Salt::new(b"salt").unwrap(),
            cost_parameter,
            block_size,
            parallelization,
            key_length: None,
        })
    }

    #[test]
    fn keys_are_opened_at_the_costs_that_are_recommended() {
        for derivation in [
            pbkdf2(1),
            pbkdf2(600_000),
            pbkdf2(10_000_000),
            scrypt(1 << LOG_N, 15, 8),
            scrypt(1 << 17, 8, 1),
            scrypt(1 << 20, 8, 1),
        ] {
            assert_eq!(check_derivation(&derivation), Ok(()));
        }
    }

    #[test]
    fn costs_that_no_machine_can_pay_are_refused() {
        for (derivation, found) in [
            (pbkdf2(0), "PBKDF2 with 0 iterations"),
            (pbkdf2(u32::MAX), "PBKDF2 with 4294967295 iterations"),
            (scrypt(0, 8, 1), "scrypt with N = 0, r = 8, p = 1"),
            (
                scrypt(1 << 21, 8, 1),
                "scrypt with N = 2097152, r = 8, p = 1",
            ),
            (
                scrypt(u64::MAX, u16::MAX, u16::MAX),
                "scrypt with N = 18446744073709551615, r = 65535, p = 65535",
            ),
        ] {
            let refused = unsupported("key encryption", found.to_owned());
            assert_eq!(check_derivation(&derivation), Err(refused));
        }
    }
}
