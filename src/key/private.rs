//! Private keys: made, read from every encoding in use, written as PKCS#8, and used to sign.
//!
//! What is secret here is wiped when it is dropped, and nothing of it is ever shown.

use std::fmt;

use der::oid::db::{rfc5912, rfc8410};
use der::{Any, Encode as _};
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::KeypairBytes;
use getrandom::SysRng;
use pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, SecretDocument};
use rand_core::TryCryptoRng;
use rsa::Generate;
use rsa::signature::SignatureEncoding;
use sha2::{Digest as _, Sha256};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::rsa::Size;
use super::{Algorithm, PublicKey, SignatureAlgorithm};
use crate::asn1::Reader;
use crate::error::{Error, Result};
use crate::pem;
use crate::secret::{Passphrase, Secret};
use crate::text::Text;

mod encoded;
mod pbes2;

pub use encoded::{EncodedKey, Encoding};

/// Smallest RSA modulus that is used, in bits (NIST SP 800-131A rev. 2).
pub const MIN_RSA_BITS: usize = 2048;

/// Largest RSA modulus that is used, in bits: crypto/tls refuses certificates with a larger one,
/// so kubectl could not connect with it.
pub const MAX_RSA_BITS: usize = 8192;

/// A private key together with its public side.
///
/// ```compile_fail,E0277
/// fn is_clone<T: Clone>() {}
/// is_clone::<kube_enroll::key::PrivateKey>();
/// ```
pub struct PrivateKey {
    secret: SecretKey,
    public: PublicKey,
}

/// The secret half. Every variant wipes itself when it is dropped.
enum SecretKey {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    /// Makes a new key with randomness from `rng`, and checks that its two halves fit.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the generator fails; [`Error::Inconsistent`] if the new key
    /// does not verify what it signs; [`Error::NoPrimes`], once in 2^34 RSA keys.
    pub fn generate<R: TryCryptoRng + ?Sized>(algorithm: Algorithm, rng: &mut R) -> Result<Self> {
        let message = |_: &PublicKey| Ok(b"pairwise consistency".to_vec());
        let (key, _) = Self::generate_and_sign(algorithm, &message, rng)?;
        Ok(key)
    }

    /// Makes a new key with randomness from `rng`, and signs the message that `message` makes of
    /// its public half. That the signature verifies shows that the two halves fit, so this saves
    /// the signature that [`PrivateKey::generate`] makes for nothing else.
    ///
    /// # Errors
    /// As [`PrivateKey::generate`], and what `message` fails with.
    pub fn generate_and_sign<R: TryCryptoRng + ?Sized>(
        algorithm: Algorithm,
        message: &(dyn Fn(&PublicKey) -> Result<Vec<u8>> + Sync),
        rng: &mut R,
    ) -> Result<(Self, Vec<u8>)> {
        let rsa = |size, rng| super::rsa::generate(size, message, rng).map(|made| *made);
        let secret = match algorithm {
            Algorithm::Rsa2048 => return rsa(Size::Rsa2048, rng),
            Algorithm::Rsa3072 => return rsa(Size::Rsa3072, rng),
            Algorithm::Rsa4096 => return rsa(Size::Rsa4096, rng),
            Algorithm::EcdsaP256 => SecretKey::P256(generate(rng)?),
            Algorithm::EcdsaP384 => SecretKey::P384(generate(rng)?),
            Algorithm::Ed25519 => {
                let mut seed = Zeroizing::new(ed25519_dalek::SecretKey::default());
                rng.try_fill_bytes(&mut *seed).map_err(randomness)?;
                SecretKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
        };
        let key = Self::new(secret)?;
        let signature = key.sign_first(&message(key.public_key())?)?;
        Ok((key, signature))
    }

    /// An RSA key that was made and validated.
    pub(super) fn from_rsa(key: Box<rsa::PrivateKey>) -> Result<Self> {
        Self::new(SecretKey::Rsa(key))
    }

    fn new(secret: SecretKey) -> Result<Self> {
        let spki = match &secret {
            SecretKey::Rsa(key) => key.to_public_key().to_public_key_der(),
            SecretKey::P256(key) => key.public_key().to_public_key_der(),
            SecretKey::P384(key) => key.public_key().to_public_key_der(),
            SecretKey::P521(key) => key.public_key().to_public_key_der(),
            SecretKey::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        let spki = spki.map_err(|error| malformed("public key", error))?;
        let public = PublicKey::from_spki_der(spki.as_bytes())?;
        Ok(Self { secret, public })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The algorithm that signatures of this key are made with: PKCS#1 v1.5 with SHA-256 for
    /// RSA; SHA-256, SHA-384 or SHA-512 by the size of the curve for ECDSA; Ed25519.
    #[must_use]
    pub fn signature_algorithm(&self) -> AlgorithmIdentifierOwned {
        let (oid, parameters) = match &self.secret {
            SecretKey::Rsa(_) => (rfc5912::SHA_256_WITH_RSA_ENCRYPTION, Some(Any::null())),
            SecretKey::P256(_) => (rfc5912::ECDSA_WITH_SHA_256, None),
            SecretKey::P384(_) => (rfc5912::ECDSA_WITH_SHA_384, None),
            SecretKey::P521(_) => (rfc5912::ECDSA_WITH_SHA_512, None),
            SecretKey::Ed25519(_) => (rfc8410::ID_ED_25519, None),
        };
        AlgorithmIdentifierOwned { oid, parameters }
    }

    /// Signs `message` and verifies the signature before giving it out, so that a fault in the
    /// computation cannot leak the key. RSA is blinded with randomness from `rng`.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the generator fails; [`Error::Inconsistent`] if the signature
    /// does not verify.
    pub fn sign<R: TryCryptoRng + ?Sized>(&self, message: &[u8], rng: &mut R) -> Result<Vec<u8>> {
        self.sign_blinded(message, Some(rng))
    }

    /// [`PrivateKey::sign`] for the first message of a new key. It is not blinded: it is made once,
    /// of a message that nobody could choose to learn about the key.
    pub(super) fn sign_first(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign_blinded(message, None::<&mut SysRng>)
    }

    fn sign_blinded<R: TryCryptoRng + ?Sized>(
        &self,
        message: &[u8],
        blinding: Option<&mut R>,
    ) -> Result<Vec<u8>> {
        let signature = match &self.secret {
            SecretKey::Rsa(key) => {
                let padding = rsa::Pkcs1v15Sign::new::<Sha256>();
                let digest = Sha256::digest(message);
                match blinding {
                    Some(rng) => key
                        .sign_with_rng(rng, padding, &digest)
                        .map_err(randomness)?,
                    None => key
                        .sign(padding, &digest)
                        .map_err(|_| Error::Inconsistent)?,
                }
            }
            SecretKey::P256(key) => sign_ecdsa::<_, p256::ecdsa::DerSignature>(
                &p256::ecdsa::SigningKey::from(key),
                message,
            ),
            SecretKey::P384(key) => sign_ecdsa::<_, p384::ecdsa::DerSignature>(
                &p384::ecdsa::SigningKey::from(key),
                message,
            ),
            SecretKey::P521(key) => sign_ecdsa::<_, p521::ecdsa::DerSignature>(
                &p521::ecdsa::SigningKey::from(key),
                message,
            ),
            SecretKey::Ed25519(key) => key.sign(message).to_vec(),
        };
        let algorithm = self
            .signature_algorithm()
            .to_der()
            .map_err(|error| malformed("signature algorithm", error))?;
        Reader::new(&algorithm)
            .sequence()
            .and_then(SignatureAlgorithm::read)
            .ok()
            .and_then(|algorithm| self.public.verify(&algorithm, message, &signature).ok())
            .ok_or(Error::Inconsistent)?;
        Ok(signature)
    }

    /// The key as PKCS#8 `PrivateKeyInfo` (RFC 5958) in PEM, label `PRIVATE KEY`: whoever reads
    /// it has the key.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the key cannot be encoded.
    pub fn to_pkcs8_pem(&self) -> Result<Secret<String>> {
        let der = self.to_pkcs8_der()?;
        Ok(pem::encode_secret("PRIVATE KEY", der.as_bytes()).into())
    }

    /// The key as PKCS#8 `EncryptedPrivateKeyInfo` (RFC 5958) in PEM, label `ENCRYPTED PRIVATE
    /// KEY`, with PBES2 (RFC 8018): scrypt (N = 2^14, r = 15, p = 8), which takes 30 MiB, and
    /// AES-256-CBC.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the generator fails; [`Error::Malformed`] if the key cannot be
    /// encoded.
    pub fn to_encrypted_pkcs8_pem<R: TryCryptoRng + ?Sized>(
        &self,
        passphrase: &Passphrase,
        rng: &mut R,
    ) -> Result<Secret<String>> {
        let der = pbes2::encrypt(self.to_pkcs8_der()?.as_bytes(), passphrase, rng)?;
        Ok(pem::encode_secret("ENCRYPTED PRIVATE KEY", &der).into())
    }

    fn to_pkcs8_der(&self) -> Result<SecretDocument> {
        match &self.secret {
            SecretKey::Rsa(key) => key.to_pkcs8_der(),
            SecretKey::P256(key) => key.to_pkcs8_der(),
            SecretKey::P384(key) => key.to_pkcs8_der(),
            SecretKey::P521(key) => key.to_pkcs8_der(),
            // Without the public key: OpenSSL 3.0 does not read version 2 of RFC 5958.
            SecretKey::Ed25519(key) => KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_der(),
        }
        .map_err(|error| malformed("PKCS#8 private key", error))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public.fingerprint())
    }
}

/// Deterministic ECDSA (RFC 6979) with the curve's own hash.
fn sign_ecdsa<K: Signer<S>, S: SignatureEncoding>(key: &K, message: &[u8]) -> Vec<u8> {
    key.sign(message).to_vec()
}

fn generate<K: Generate, R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<K> {
    K::try_generate_from_rng(rng).map_err(randomness)
}

fn randomness(_: impl fmt::Display) -> Error {
    Error::Randomness
}

/// A library's own words are not passed on.
fn malformed(what: &'static str, _: impl fmt::Display) -> Error {
    Error::Malformed {
        what,
        detail: Text::default(),
    }
}

fn unsupported(what: &'static str, found: String) -> Error {
    let found = found.into();
    Error::Unsupported { what, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_by_the_fingerprint_of_its_public_half_alone() {
        let key = PrivateKey::generate(Algorithm::Ed25519, &mut SysRng).unwrap();
        let fingerprint = key.public_key().fingerprint();
        assert_eq!(format!("{key:?}"), format!("PrivateKey({fingerprint})"));
    }
}
