//! Public keys as `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7), read as crypto/x509 does.

use std::fmt;

use p384::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest as _, Sha256};

use super::Fingerprint;
use super::signature::{SignatureAlgorithm, SignatureError, optional};
use crate::asn1::{self, Element, NULL, Oid, Problem, Reader, tag};
use crate::error::{Error, Result};

mod rsassa;

const OFF_CURVE: Problem = "point is not on the elliptic curve";

/// A public key, with the very bytes that it was read from.
#[derive(Debug, Clone)]
pub struct PublicKey {
    spki: Vec<u8>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Rsa {
        modulus: Vec<u8>,
        exponent: i64,
    },
    Ecdsa(Point),
    Ed25519([u8; 32]),
    Dsa {
        prime: Vec<u8>,
    },
    /// An algorithm that crypto/x509 passes over; no signature can be checked with it.
    Other(Oid),
}

/// A point that was checked to lie on its curve.
#[derive(Debug, Clone)]
enum Point {
    P224(p224::ecdsa::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`Error::Malformed`] where crypto/x509 `parsePublicKey` fails.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(der);
        reader
            .expect(tag::SEQUENCE, true)
            .and_then(Self::read)
            .map_err(|problem| Error::Malformed {
                what: "public key",
                detail: problem.into(),
            })
    }

    /// Reads a `SubjectPublicKeyInfo` in its place.
    pub(crate) fn read(spki: Element<'_>) -> std::result::Result<Self, Problem> {
        let mut fields = spki.inside();
        let mut algorithm = fields.sequence()?;
        let oid = algorithm.oid()?;
        let parameters = optional(&mut algorithm)?;
        let data = fields.bit_string()?;
        let kind = match oid.as_bytes() {
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1] => read_rsa(parameters, &data)?,
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1] => Kind::Ecdsa(read_point(parameters, &data)?),
            [0x2B, 0x65, 0x70] => read_ed25519(parameters, &data)?,
            [0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 1] => read_dsa(parameters, &data)?,
            _ => Kind::Other(oid),
        };
        Ok(Self {
            spki: spki.whole.to_vec(),
            kind,
        })
    }

    /// The `SubjectPublicKeyInfo` in DER, as it was read.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of [`PublicKey::spki_der`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(Sha256::digest(&self.spki).into())
    }

    /// `RSA`, `ECDSA`, `Ed25519`, `DSA`, or an object identifier.
    #[must_use]
    pub fn algorithm(&self) -> String {
        match &self.kind {
            Kind::Rsa { .. } => "RSA".to_owned(),
            Kind::Ecdsa(_) => "ECDSA".to_owned(),
            Kind::Ed25519(_) => "Ed25519".to_owned(),
            Kind::Dsa { .. } => "DSA".to_owned(),
            Kind::Other(oid) => oid.to_string(),
        }
    }

    /// The size by which the key is known: of the modulus, the curve or the prime.
    #[must_use]
    pub fn bits(&self) -> Option<usize> {
        match &self.kind {
            Kind::Rsa {
                modulus: number, ..
            }
            | Kind::Dsa { prime: number } => Some(bit_length(number)),
            Kind::Ecdsa(point) => Some(point.bits()),
            Kind::Ed25519(_) => Some(256),
            Kind::Other(_) => None,
        }
    }

    /// Modulus (big-endian, no leading zeros) and exponent of an RSA key.
    #[must_use]
    pub fn rsa(&self) -> Option<(&[u8], i64)> {
        match &self.kind {
            Kind::Rsa { modulus, exponent } => Some((modulus, *exponent)),
            _ => None,
        }
    }

    /// Whether this is an elliptic-curve or Edwards-curve key, which signs but cannot encipher.
    #[must_use]
    pub fn only_signs(&self) -> bool {
        matches!(self.kind, Kind::Ecdsa(_) | Kind::Ed25519(_))
    }

    /// Checks a signature as crypto/x509 `checkSignature` does with SHA-1 allowed, as it is for
    /// requests.
    ///
    /// # Errors
    /// [`SignatureError`], which says why.
    pub fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> std::result::Result<(), SignatureError> {
        use SignatureAlgorithm as Algorithm;
        match (&self.kind, algorithm) {
            (_, Algorithm::RsaMd5) => Err(SignatureError::Insecure(algorithm.to_string())),
            (Kind::Rsa { modulus, exponent }, Algorithm::RsaPkcs1v15(hash)) => {
                rsassa::verify_pkcs1v15(modulus, *exponent, *hash, message, signature)
            }
            (Kind::Rsa { modulus, exponent }, Algorithm::RsaPss(hash)) => {
                rsassa::verify_pss(modulus, *exponent, *hash, message, signature)
            }
            (Kind::Ecdsa(point), Algorithm::Ecdsa(hash)) => {
                point.verify(&hash.of(message), signature)
            }
            (Kind::Ed25519(bytes), Algorithm::Ed25519) => verify_ed25519(bytes, message, signature),
            _ => Err(SignatureError::Unsupported(algorithm.to_string())),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

pub(super) fn bit_length(number: &[u8]) -> usize {
    let leading = number
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - leading
}

/// `RSAPublicKey` (RFC 8017) under parameters that must be NULL (RFC 3279 section 2.3.1).
fn read_rsa(parameters: &[u8], data: &[u8]) -> std::result::Result<Kind, Problem> {
    if parameters != NULL {
        return Err("RSA key missing NULL parameters");
    }
    let mut fields = Reader::new(data).sequence()?;
    let modulus = fields.expect(tag::INTEGER, false)?.contents;
    let exponent = fields.expect(tag::INTEGER, false)?.contents;
    let modulus = asn1::positive(modulus).ok_or("RSA modulus is not a positive number")?;
    let exponent = asn1::int64(exponent)?;
    if exponent <= 0 {
        return Err("RSA public exponent is not a positive number");
    }
    Ok(Kind::Rsa {
        modulus: modulus.to_vec(),
        exponent,
    })
}

/// An uncompressed point on one of the four curves that crypto/x509 knows.
fn read_point(parameters: &[u8], data: &[u8]) -> std::result::Result<Point, Problem> {
    let curve = Reader::new(parameters).oid()?;
    if data.first() != Some(&4) {
        return Err("elliptic curve point is not uncompressed");
    }
    match curve.as_bytes() {
        [0x2B, 0x81, 4, 0, 33] => p224::ecdsa::VerifyingKey::from_sec1_bytes(data).map(Point::P224),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7] => {
            p256::ecdsa::VerifyingKey::from_sec1_bytes(data).map(Point::P256)
        }
        [0x2B, 0x81, 4, 0, 34] => p384::ecdsa::VerifyingKey::from_sec1_bytes(data).map(Point::P384),
        [0x2B, 0x81, 4, 0, 35] => p521::ecdsa::VerifyingKey::from_sec1_bytes(data).map(Point::P521),
        _ => return Err("unsupported elliptic curve"),
    }
    .map_err(|_| OFF_CURVE)
}

/// RFC 8410 section 3: no parameters. The point itself is looked at when a signature is checked.
fn read_ed25519(parameters: &[u8], data: &[u8]) -> std::result::Result<Kind, Problem> {
    if !parameters.is_empty() {
        return Err("Ed25519 key encoded with illegal parameters");
    }
    data.try_into()
        .map(Kind::Ed25519)
        .map_err(|_| "wrong Ed25519 public key size")
}

fn read_dsa(parameters: &[u8], data: &[u8]) -> std::result::Result<Kind, Problem> {
    let positive = |reader: &mut Reader<'_>| {
        let contents = reader.expect(tag::INTEGER, false)?.contents;
        asn1::positive(contents)
            .map(<[u8]>::to_vec)
            .ok_or("zero or negative DSA parameter")
    };
    positive(&mut Reader::new(data))?;
    let mut parameters = Reader::new(parameters).sequence()?;
    let prime = positive(&mut parameters)?;
    positive(&mut parameters)?;
    positive(&mut parameters)?;
    Ok(Kind::Dsa { prime })
}

fn verify_ed25519(
    key: &[u8; 32],
    message: &[u8],
    signature: &[u8],
) -> std::result::Result<(), SignatureError> {
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
    let verified = VerifyingKey::from_bytes(key)
        .and_then(|key| key.verify(message, &Signature::from_slice(signature)?));
    verified.map_err(|_| SignatureError::DoesNotVerify)
}

impl Point {
    fn bits(&self) -> usize {
        match self {
            Self::P224(_) => 224,
            Self::P256(_) => 256,
            Self::P384(_) => 384,
            Self::P521(_) => 521,
        }
    }

    /// Checks an `ECDSA-Sig-Value` over a hash (crypto/ecdsa `VerifyASN1`).
    fn verify(&self, hash: &[u8], signature: &[u8]) -> std::result::Result<(), SignatureError> {
        let size = self.bits().div_ceil(8);
        let hash = padded(hash, size);
        let verified = ecdsa_signature(signature, size).is_some_and(|raw| match self {
            Self::P224(key) => verifies::<_, p224::ecdsa::Signature>(key, &hash, &raw),
            Self::P256(key) => verifies::<_, p256::ecdsa::Signature>(key, &hash, &raw),
            Self::P384(key) => verifies::<_, p384::ecdsa::Signature>(key, &hash, &raw),
            Self::P521(key) => verifies::<_, p521::ecdsa::Signature>(key, &hash, &raw),
        });
        verified.then_some(()).ok_or(SignatureError::DoesNotVerify)
    }
}

/// The two numbers of an `ECDSA-Sig-Value`, each `size` bytes, one after the other.
fn ecdsa_signature(der: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut outer = Reader::new(der);
    let mut inner = outer.sequence().ok()?;
    let mut raw = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let number = asn1::positive(inner.expect(tag::INTEGER, false).ok()?.contents)?;
        raw.resize(raw.len() + size.checked_sub(number.len())?, 0);
        raw.extend_from_slice(number);
    }
    (inner.is_empty() && outer.is_empty()).then_some(raw)
}

/// A hash that is shorter than the curve's order stands for the same number with zeros before it.
fn padded(hash: &[u8], size: usize) -> Vec<u8> {
    let mut padded = vec![0; size.saturating_sub(hash.len())];
    padded.extend_from_slice(hash);
    padded
}

fn verifies<'a, K, S>(key: &K, hash: &[u8], raw: &'a [u8]) -> bool
where
    K: PrehashVerifier<S>,
    S: TryFrom<&'a [u8]>,
{
    S::try_from(raw).is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok())
}

impl fmt::Display for PublicKey {
    /// "RSA 4096", "ECDSA P-256", "Ed25519".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Ecdsa(point) => write!(f, "ECDSA P-{}", point.bits()),
            Kind::Rsa { .. } | Kind::Dsa { .. } => {
                write!(
                    f,
                    "{} {}",
                    self.algorithm(),
                    self.bits().unwrap_or_default()
                )
            }
            Kind::Ed25519(_) | Kind::Other(_) => f.write_str(&self.algorithm()),
        }
    }
}

crate::text::show_escaped!(PublicKey);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::encode;

    const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];
    const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
    const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
    const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
    const DSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 1];

    fn key(oid: &[u8], parameters: &[u8], data: &[u8]) -> Result<PublicKey> {
        let algorithm = encode(0x30, &[&encode(6, oid), parameters].concat());
        let bits = encode(3, &[&[0], data].concat());
        PublicKey::from_spki_der(&encode(0x30, &[algorithm, bits].concat()))
    }

    fn numbers(numbers: &[&[u8]]) -> Vec<u8> {
        let numbers: Vec<_> = numbers.iter().map(|number| encode(2, number)).collect();
        encode(0x30, &numbers.concat())
    }

    #[test]
    fn rsa_numbers_are_positive_and_the_parameters_null() {
        let read = |modulus, exponent| key(RSA, NULL, &numbers(&[modulus, exponent]));
        let good = read(&[0, 0x81, 1], &[1, 0, 1]).unwrap();
        assert_eq!(good.rsa(), Some((&[0x81, 1][..], 65_537)));
        assert_eq!(good.to_string(), "RSA 16");
        assert!(!good.only_signs());
        assert!(read(&[5], &[1]).is_ok());
        assert!(read(&[0x81], &[3]).is_err());
        assert!(read(&[0], &[3]).is_err());
        assert!(read(&[5], &[0]).is_err());
        assert!(read(&[5], &[0xFF]).is_err());
        assert!(key(RSA, &[], &numbers(&[&[5], &[3]])).is_err());
    }

    #[test]
    fn points_are_uncompressed_on_a_known_curve() {
        let mut point = vec![4];
        point.extend(on_p256(&p256::SecretKey::from_slice(&[1; 32]).unwrap()));
        let curve = encode(6, P256);
        let good = key(EC, &curve, &point).unwrap();
        assert_eq!(
            (good.to_string().as_str(), good.bits()),
            ("ECDSA P-256", Some(256))
        );
        assert!(good.only_signs());
        assert_eq!(good.rsa(), None);
        let other_curve = encode(6, &[0x2B, 0x81, 4, 0, 10]);
        assert!(key(EC, &other_curve, &point).is_err());
        assert!(key(EC, &[], &point).is_err());
        assert!(key(EC, &curve, &[]).is_err());
        for (position, changed) in [(0, 3), (64, point[64] ^ 1)] {
            let mut bad = point.clone();
            bad[position] = changed;
            assert!(key(EC, &curve, &bad).is_err());
        }
    }

    /// The coordinates of the public half.
    fn on_p256(secret: &p256::SecretKey) -> Vec<u8> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        secret.public_key().to_sec1_point(false).as_bytes()[1..].to_vec()
    }

    #[test]
    fn ed25519_keys_have_32_bytes_and_no_parameters() {
        let good = key(ED25519, &[], &[7; 32]).unwrap();
        assert_eq!(
            (good.to_string().as_str(), good.bits()),
            ("Ed25519", Some(256))
        );
        assert!(good.only_signs());
        assert!(key(ED25519, NULL, &[7; 32]).is_err());
        assert!(key(ED25519, &[], &[7; 31]).is_err());
    }

    #[test]
    fn keys_that_check_no_signature_are_named_as_well() {
        let parameters = numbers(&[&[0, 0x80, 0], &[5], &[2]]);
        let dsa = key(DSA, &parameters, &encode(2, &[9])).unwrap();
        assert_eq!((dsa.to_string().as_str(), dsa.bits()), ("DSA 16", Some(16)));
        assert!(!dsa.only_signs());
        for bad in [numbers(&[&[7], &[5], &[0]]), numbers(&[&[7], &[5]])] {
            assert!(key(DSA, &bad, &encode(2, &[9])).is_err());
        }
        assert!(key(DSA, &parameters, &encode(2, &[0])).is_err());
        let other = key(&[0x2A, 3], &[], &[]).unwrap();
        assert_eq!((other.to_string().as_str(), other.bits()), ("1.2.3", None));
        let unsupported = SignatureError::Unsupported("Ed25519".to_owned());
        let verified = other.verify(&SignatureAlgorithm::Ed25519, b"", b"");
        assert_eq!(verified, Err(unsupported));
    }

    #[test]
    fn a_number_has_the_bits_from_its_highest_one_on() {
        for (number, bits) in [(&[][..], 0), (&[1], 1), (&[0x80], 8), (&[1, 0], 9)] {
            assert_eq!(bit_length(number), bits, "{number:x?}");
        }
    }

    #[test]
    fn an_ecdsa_signature_is_two_positive_numbers_and_nothing_more() {
        let raw = |der: &[u8]| ecdsa_signature(der, 2);
        let good = numbers(&[&[1], &[0, 0x80, 2]]);
        assert_eq!(raw(&good), Some(vec![0, 1, 0x80, 2]));
        assert_eq!(raw(&[&good, NULL].concat()), None);
        for bad in [
            numbers(&[&[1]]),
            numbers(&[&[1], &[0]]),
            numbers(&[&[1], &[0x80]]),
            numbers(&[&[1], &[1, 0, 0]]),
            numbers(&[&[1], &[2], &[3]]),
        ] {
            assert_eq!(raw(&bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn a_signature_with_md5_is_insecure_whatever_the_key() {
        let rsa = key(RSA, NULL, &numbers(&[&[5], &[3]])).unwrap();
        for key in [rsa, key(ED25519, &[], &[7; 32]).unwrap()] {
            let verified = key.verify(&SignatureAlgorithm::RsaMd5, b"", b"");
            assert_eq!(
                verified,
                Err(SignatureError::Insecure("md5WithRSAEncryption".to_owned()))
            );
        }
    }
}
