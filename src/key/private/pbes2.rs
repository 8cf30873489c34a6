//! Private keys at rest: PKCS#5 PBES2 (RFC 8018) with scrypt (RFC 7914) and AES-256-CBC.

use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{malformed, randomness};
use crate::error::Result;
use crate::secret::Passphrase;

/// scrypt's cost N = 2^14 with r = 8 takes 16 MiB, the most that OpenSSL opens without being
/// told a higher limit (its default is 32 MiB, all buffers counted).
const LOG_N: u8 = 14;
/// scrypt's block size.
const BLOCK_SIZE: u32 = 8;
/// Five passes make up for the small memory: the OWASP equivalent of N = 2^17 with one pass.
const PASSES: u32 = 5;
const SALT_LEN: usize = 16;
const IV_LEN: usize = 16;

/// Encrypts a PKCS#8 `PrivateKeyInfo` so that `openssl pkey` opens it: scrypt with N = 2^14,
/// r = 8, p = 5 and 16 bytes of salt, AES-256 in CBC mode.
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
