//! Private keys as they lie in files: PKCS#8 (plain or encrypted), PKCS#1 and SEC1, in PEM or DER.

use std::fmt;

use der::oid::ObjectIdentifier;
use der::oid::db::{rfc5912, rfc8410};
use der::{ErrorKind, Tag};
use pkcs1::DecodeRsaPrivateKey as _;
use pkcs8::{DecodePrivateKey as _, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rsa::traits::PublicKeyParts as _;
use zeroize::Zeroizing;

use super::{MAX_RSA_BITS, MIN_RSA_BITS, PrivateKey, SecretKey, malformed, pbes2, unsupported};
use crate::asn1::{Oid, Problem, Reader, tag};
use crate::error::{Error, Result};
use crate::passphrase::other_forms;
use crate::pem;
use crate::secret::Passphrase;

/// The ASN.1 structures that a private key is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `PrivateKeyInfo` (RFC 5958), PEM label `PRIVATE KEY`.
    Pkcs8,
    /// `EncryptedPrivateKeyInfo` (RFC 5958), PEM label `ENCRYPTED PRIVATE KEY`.
    EncryptedPkcs8,
    /// `RSAPrivateKey` (RFC 8017), PEM label `RSA PRIVATE KEY`.
    Pkcs1,
    /// `ECPrivateKey` (RFC 5915), PEM label `EC PRIVATE KEY`.
    Sec1,
}

impl Encoding {
    fn from_label(label: &str) -> Option<Self> {
        match label {
            "PRIVATE KEY" => Some(Self::Pkcs8),
            "ENCRYPTED PRIVATE KEY" => Some(Self::EncryptedPkcs8),
            "RSA PRIVATE KEY" => Some(Self::Pkcs1),
            "EC PRIVATE KEY" => Some(Self::Sec1),
            _ => None,
        }
    }

    /// Tells the encoding of bare DER by what it decodes as.
    fn of_der(der: &[u8]) -> Option<Self> {
        if PrivateKeyInfoRef::try_from(der).is_ok() {
            Some(Self::Pkcs8)
        } else if encryption_scheme(der).is_ok() {
            Some(Self::EncryptedPkcs8)
        } else if pkcs1::RsaPrivateKeyRef::try_from(der).is_ok() {
            Some(Self::Pkcs1)
        } else if sec1::EcPrivateKey::try_from(der).is_ok() {
            Some(Self::Sec1)
        } else {
            None
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs8 => "PKCS#8",
            Self::EncryptedPkcs8 => "encrypted PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
        })
    }
}

/// The names of algorithms whose keys are of no use here.
fn algorithm_name(oid: ObjectIdentifier) -> String {
    let oid = oid.to_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.10" => "RSASSA-PSS, whose keys Go does not take",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => "Diffie-Hellman",
        "1.3.6.1.4.1.11591.15.1" => "Ed25519 of OpenPGP",
        "1.3.101.110" => "X25519, whose keys cannot sign",
        "1.3.101.111" => "X448, whose keys cannot sign",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ => return oid,
    };
    name.to_owned()
}

/// The names of encryptions before PBES2 (RFC 8018 section A.3, RFC 7292 appendix C).
fn scheme_name(oid: impl fmt::Display) -> String {
    let oid = oid.to_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.5.1" => "PBES1 with MD2 and DES",
        "1.2.840.113549.1.5.3" => "PBES1 with MD5 and DES",
        "1.2.840.113549.1.5.4" => "PBES1 with MD2 and RC2",
        "1.2.840.113549.1.5.6" => "PBES1 with MD5 and RC2",
        "1.2.840.113549.1.5.10" => "PBES1 with SHA-1 and DES",
        "1.2.840.113549.1.5.11" => "PBES1 with SHA-1 and RC2",
        "1.2.840.113549.1.12.1.1" => "PBE of PKCS#12 with RC4-128",
        "1.2.840.113549.1.12.1.2" => "PBE of PKCS#12 with RC4-40",
        "1.2.840.113549.1.12.1.3" => "PBE of PKCS#12 with 3DES",
        "1.2.840.113549.1.12.1.4" => "PBE of PKCS#12 with two-key 3DES",
        "1.2.840.113549.1.12.1.5" => "PBE of PKCS#12 with RC2-128",
        "1.2.840.113549.1.12.1.6" => "PBE of PKCS#12 with RC2-40",
        "1.2.392.200011.61.1.1.1.2" => "Camellia-128",
        "1.2.392.200011.61.1.1.1.3" => "Camellia-192",
        "1.2.392.200011.61.1.1.1.4" => "Camellia-256",
        _ => return oid,
    };
    name.to_owned()
}

/// RFC 8018 section A.4.
const PBES2: &str = "1.2.840.113549.1.5.13";

/// A private key found in a file and not yet opened.
pub struct EncodedKey {
    encoding: Encoding,
    der: Zeroizing<Vec<u8>>,
    is_pem: bool,
}

impl EncodedKey {
    /// Finds the private key in `input`: the first PEM block whose label says that it is one, as
    /// crypto/tls `X509KeyPair` looks for it, or else DER.
    ///
    /// # Errors
    /// [`Error::NoPrivateKey`] where there is none; [`Error::Unsupported`] for the encodings that
    /// have to be converted first.
    pub fn find(input: &[u8]) -> Result<Self> {
        for block in pem::blocks(input) {
            if let Some(encoding) = Encoding::from_label(&block.label) {
                return Self::from_block(encoding, block);
            }
            if block.label.ends_with("PRIVATE KEY") {
                return Err(unsupported("private key encoding", block.label));
            }
        }
        match Encoding::of_der(input) {
            Some(encoding) => Ok(Self {
                encoding,
                der: Zeroizing::new(input.to_vec()),
                is_pem: false,
            }),
            None => Err(Error::NoPrivateKey),
        }
    }

    fn from_block(encoding: Encoding, block: pem::Block) -> Result<Self> {
        if block.headers.iter().any(|(name, _)| name == "DEK-Info") {
            return Err(unsupported(
                "private key encoding",
                format!("{} encrypted the way of RFC 1421", block.label),
            ));
        }
        // crypto/tls tries all of them, whatever the label says.
        let encoding = Encoding::of_der(&block.contents).unwrap_or(encoding);
        Ok(Self {
            encoding,
            der: block.contents,
            is_pem: true,
        })
    }

    /// How the key is encoded.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether it was found in PEM, the only form that clients of Kubernetes read.
    #[must_use]
    pub fn is_pem(&self) -> bool {
        self.is_pem
    }

    /// Whether a passphrase is needed to open the key.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encoding == Encoding::EncryptedPkcs8
    }

    /// Opens the key, with `passphrase` where it is encrypted.
    ///
    /// # Errors
    /// [`Error::PassphraseRequired`] and [`Error::PassphraseWrong`]; [`Error::Malformed`] and
    /// [`Error::Unsupported`] for what lies inside, or would cost too much to open;
    /// [`Error::RsaSize`] for an RSA key outside 2048 to 8192 bits.
    pub fn open(&self, passphrase: Option<&Passphrase>) -> Result<PrivateKey> {
        let secret = match self.encoding {
            Encoding::Pkcs8 => from_pkcs8(&self.der)?,
            Encoding::EncryptedPkcs8 => from_pkcs8(&decrypt(&self.der, passphrase)?)?,
            Encoding::Pkcs1 => from_rsa_private_key(&self.der)?,
            Encoding::Sec1 => from_ec_private_key(&self.der, None)?,
        };
        PrivateKey::new(secret)
    }
}

/// What an `EncryptedPrivateKeyInfo` (RFC 5958 section 3) is encrypted with. The `pkcs8` crate takes
/// the schemes of PKCS#12 for broken DER.
fn encryption_scheme(der: &[u8]) -> std::result::Result<Oid, Problem> {
    let mut info = Reader::new(der).sequence()?;
    let scheme = info.sequence()?.oid()?;
    info.expect(tag::OCTET_STRING, false)?;
    Ok(scheme)
}

/// With the passphrase as it came, else as another keyboard would have typed it.
fn decrypt(der: &[u8], passphrase: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>> {
    let passphrase = passphrase.ok_or(Error::PassphraseRequired)?;
    let opened = decrypt_with(der, passphrase);
    if !matches!(opened, Err(Error::PassphraseWrong)) {
        return opened;
    }
    let forms = other_forms(passphrase);
    let mut others = forms.iter().map(|form| decrypt_with(der, form));
    others.find_map(Result::ok).map_or(opened, Ok)
}

fn decrypt_with(der: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>> {
    let what = "encrypted PKCS#8 private key";
    let scheme = encryption_scheme(der).map_err(|problem| malformed(what, problem))?;
    if scheme.to_string() != PBES2 {
        return Err(unsupported("key encryption", scheme_name(scheme)));
    }
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| match error {
        pkcs8::Error::Asn1(error) if let ErrorKind::OidUnknown { oid } = error.kind() => {
            unsupported("key encryption", scheme_name(oid))
        }
        error => malformed(what, error),
    })?;
    pbes2::check_cost(&info.encryption_algorithm)?;
    match info.decrypt(passphrase.expose()) {
        Ok(document) => Ok(document.to_bytes()),
        // Padding and contents are all that tells a wrong passphrase.
        Err(
            pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed)
            | pkcs8::Error::Asn1(_),
        ) => Err(Error::PassphraseWrong),
        Err(_) => Err(unsupported("key encryption", "its parameters".to_owned())),
    }
}

fn from_pkcs8(der: &[u8]) -> Result<SecretKey> {
    let what = "PKCS#8 private key";
    let info = PrivateKeyInfoRef::try_from(der).map_err(|error| malformed(what, error))?;
    match info.algorithm.oid {
        rfc5912::RSA_ENCRYPTION => from_rsa_private_key(info.private_key.as_bytes()),
        rfc8410::ID_ED_25519 => ed25519_dalek::SigningKey::from_pkcs8_der(der)
            .map(SecretKey::Ed25519)
            .map_err(|error| malformed(what, error)),
        rfc5912::ID_EC_PUBLIC_KEY => {
            let curve = info
                .algorithm
                .parameters_oid()
                .map_err(|_| explicit_parameters())?;
            from_ec_private_key(info.private_key.as_bytes(), Some(curve))
        }
        other => Err(unsupported("private key algorithm", algorithm_name(other))),
    }
}

/// `RSAPrivateKey` (RFC 8017 section A.1.2), of two primes.
fn from_rsa_private_key(der: &[u8]) -> Result<SecretKey> {
    let key = rsa::PrivateKey::from_pkcs1_der(der).map_err(|error| match error {
        pkcs1::Error::Version => unsupported("RSA private key", "more than two primes".to_owned()),
        error => malformed("RSA private key", error),
    })?;
    checked_rsa(key)
}

/// `ECPrivateKey` (RFC 5915) on the curve that the structure around it names, or it itself.
fn from_ec_private_key(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<SecretKey> {
    let what = "SEC1 private key";
    let key = sec1::EcPrivateKey::try_from(der).map_err(|error| match error {
        sec1::Error::Asn1(error) if names_no_curve(error.kind()) => explicit_parameters(),
        error => malformed(what, error),
    })?;
    let curve = curve.or_else(|| key.parameters.and_then(sec1::EcParameters::named_curve));
    let scalar = |size| scalar(key.private_key, size);
    match curve {
        Some(rfc5912::SECP_256_R_1) => {
            p256::SecretKey::from_slice(&scalar(32)?).map(SecretKey::P256)
        }
        Some(rfc5912::SECP_384_R_1) => {
            p384::SecretKey::from_slice(&scalar(48)?).map(SecretKey::P384)
        }
        Some(rfc5912::SECP_521_R_1) => {
            p521::SecretKey::from_slice(&scalar(66)?).map(SecretKey::P521)
        }
        other => return Err(unsupported("elliptic curve", curve_name(other))),
    }
    .map_err(|error| malformed(what, error))
}

/// The private number in exactly `size` bytes: `GnuTLS` writes a zero too many or too few, which
/// crypto/x509 `parseECPrivateKey` takes as well.
fn scalar(octets: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let number = octets.get(zeros..).unwrap_or_default();
    let padding = size
        .checked_sub(number.len())
        .ok_or_else(|| malformed("SEC1 private key", "the number is too large for the curve"))?;
    let mut scalar = Zeroizing::new(Vec::with_capacity(size));
    scalar.resize(padding, 0);
    scalar.extend_from_slice(number);
    Ok(scalar)
}

/// Whether there is a SEQUENCE of numbers where a curve's name should be.
fn names_no_curve(error: ErrorKind) -> bool {
    let (expected, actual) = (Some(Tag::ObjectIdentifier), Tag::Sequence);
    error == ErrorKind::TagUnexpected { expected, actual }
}

fn explicit_parameters() -> Error {
    unsupported("elliptic curve", "explicit parameters".to_owned())
}

fn curve_name(curve: Option<ObjectIdentifier>) -> String {
    let Some(oid) = curve else {
        return "not named in the file".to_owned();
    };
    let oid = oid.to_string();
    let name = match oid.as_str() {
        "1.3.132.0.10" => "secp256k1",
        "1.2.840.10045.3.1.1" => "P-192 (prime192v1)",
        "1.3.132.0.33" => "P-224 (secp224r1)",
        "1.2.156.10197.1.301" => "SM2",
        // RFC 5639 section 4.1.
        "1.3.36.3.3.2.8.1.1.3" => "brainpoolP192r1",
        "1.3.36.3.3.2.8.1.1.5" => "brainpoolP224r1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.8" => "brainpoolP256t1",
        "1.3.36.3.3.2.8.1.1.9" => "brainpoolP320r1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.12" => "brainpoolP384t1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.36.3.3.2.8.1.1.14" => "brainpoolP512t1",
        _ => return oid,
    };
    name.to_owned()
}

fn checked_rsa(key: rsa::PrivateKey) -> Result<SecretKey> {
    let bits = usize::try_from(key.n().bit_width()).unwrap_or(usize::MAX);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(Error::RsaSize { bits });
    }
    key.validate()
        .map_err(|error| malformed("RSA private key", error))?;
    Ok(SecretKey::Rsa(Box::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::encode;
    use crate::key::Algorithm;

    #[test]
    fn an_encrypted_key_is_opened_with_its_passphrase() {
        let (rng, passphrase) = (&mut getrandom::SysRng, Passphrase::new(b"secret".to_vec()));
        let key = PrivateKey::generate(Algorithm::Ed25519, rng).unwrap();
        let pem = key.to_encrypted_pkcs8_pem(&passphrase, rng).unwrap();
        let found = EncodedKey::find(pem.expose().as_bytes()).unwrap();
        assert!(found.is_encrypted());
        let opened = found.open(Some(&passphrase)).unwrap();
        assert_eq!(opened.public_key(), key.public_key());
    }

    #[test]
    fn headers_are_passed_over_unless_they_say_that_the_key_is_encrypted() {
        let key = PrivateKey::generate(Algorithm::Ed25519, &mut getrandom::SysRng).unwrap();
        let pem = key.to_pkcs8_pem().unwrap();
        let with = |header: &str| {
            pem.expose()
                .replacen("-----\n", &format!("-----\n{header}\n\n"), 1)
        };
        let found = EncodedKey::find(with("Comment: mine").as_bytes()).unwrap();
        assert_eq!(found.open(None).unwrap().public_key(), key.public_key());
        let error = EncodedKey::find(with("DEK-Info: AES-128-CBC,00").as_bytes()).err();
        assert!(
            matches!(error, Some(Error::Unsupported { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn a_sec1_key_with_parameters_of_its_own_is_told_apart_from_a_broken_one() {
        let ec = |parameters: &[u8]| {
            let version = encode(2, &[1]);
            let der = [version, encode(4, &[1; 32]), encode(0xA0, parameters)].concat();
            let pem = pem::encode("EC PRIVATE KEY", &encode(0x30, &der));
            EncodedKey::find(pem.as_bytes())
                .unwrap()
                .open(None)
                .unwrap_err()
        };
        assert_eq!(ec(&encode(0x30, &encode(2, &[1]))), explicit_parameters());
        let broken = ec(&encode(2, &[1]));
        assert!(matches!(broken, Error::Malformed { .. }), "{broken}");
    }

    #[test]
    fn a_key_that_is_encrypted_the_way_of_pkcs_12_is_told_as_such() {
        let scheme = encode(6, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 12, 1, 3]);
        let der = encode(0x30, &[encode(0x30, &scheme), encode(4, b"key")].concat());
        let found = EncodedKey::find(&der).unwrap();
        let passphrase = Passphrase::new(b"secret".to_vec());
        let expected = unsupported("key encryption", scheme_name("1.2.840.113549.1.12.1.3"));
        assert_eq!(found.open(Some(&passphrase)).unwrap_err(), expected);
    }
}
