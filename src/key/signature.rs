//! Signature algorithms, told apart and checked as crypto/x509 does for requests.

use std::fmt;

use sha2::Digest as _;

use crate::asn1::{self, Element, NULL, Oid, Problem, Reader, tag};

/// The hash functions that signatures on requests are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1: still taken in requests, and weak.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// What an `AlgorithmIdentifier` says of a signature (crypto/x509 `getSignatureAlgorithmFromAI`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1v15(Hash),
    /// RSASSA-PSS, where MGF1 uses the same hash and the salt is as long as it.
    RsaPss(Hash),
    /// ECDSA.
    Ecdsa(Hash),
    /// Ed25519.
    Ed25519,
    /// RSA with MD5: broken, and refused.
    RsaMd5,
    /// Anything else, which cannot be checked.
    Other(Oid),
}

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The cluster does not implement the algorithm, or does not use it with this kind of key.
    #[error("signature algorithm {0} is not supported for this key")]
    Unsupported(String),
    /// The algorithm is known to be broken.
    #[error("signature algorithm {0} is insecure")]
    Insecure(String),
    /// The key is not one that signatures are checked with.
    #[error("{0}")]
    Key(&'static str),
    /// The signature is not of this key over these bytes.
    #[error("the signature does not verify")]
    DoesNotVerify,
}

/// The OIDs that crypto/x509 knows, in DER, without the algorithms that need their parameters.
const KNOWN: &[(&[u8], SignatureAlgorithm)] = {
    use Hash::{Sha1, Sha256, Sha384, Sha512};
    use SignatureAlgorithm::{Ecdsa, RsaMd5, RsaPkcs1v15};
    &[
        (
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11],
            RsaPkcs1v15(Sha256),
        ),
        (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2], Ecdsa(Sha256)),
        (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3], Ecdsa(Sha384)),
        (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 4], Ecdsa(Sha512)),
        (&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 1], Ecdsa(Sha1)),
        (
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12],
            RsaPkcs1v15(Sha384),
        ),
        (
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13],
            RsaPkcs1v15(Sha512),
        ),
        (
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 5],
            RsaPkcs1v15(Sha1),
        ),
        (&[0x2B, 0x0E, 3, 2, 0x1D], RsaPkcs1v15(Sha1)),
        (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 4], RsaMd5),
    ]
};

const RSA_PSS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10];
const MGF1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 8];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];

impl SignatureAlgorithm {
    /// Reads the elements of an `AlgorithmIdentifier`.
    pub(crate) fn read(mut identifier: Reader<'_>) -> Result<Self, Problem> {
        let oid = identifier.oid()?;
        let parameters = optional(&mut identifier)?;
        Ok(match oid.as_bytes() {
            ED25519 if parameters.is_empty() => Self::Ed25519,
            RSA_PSS => pss_hash(parameters).map_or(Self::Other(oid), Self::RsaPss),
            known => KNOWN.iter().find(|(oid, _)| *oid == known).map_or_else(
                || Self::Other(oid.clone()),
                |(_, algorithm)| algorithm.clone(),
            ),
        })
    }

    /// The hash function, where the signature is one over a hash.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1v15(hash) | Self::RsaPss(hash) | Self::Ecdsa(hash) => Some(*hash),
            Self::Ed25519 | Self::RsaMd5 | Self::Other(_) => None,
        }
    }
}

/// What certificates and certification requests have in common (X.509 `SIGNED`): something, and a
/// signature over it.
pub(crate) struct Signed<'a> {
    /// What is signed.
    pub(crate) contents: Element<'a>,
    /// Where it lies in the whole.
    pub(crate) span: std::ops::Range<usize>,
    /// How it is signed.
    pub(crate) algorithm: SignatureAlgorithm,
    /// The signature.
    pub(crate) signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, Problem> {
        let mut outer = Reader::new(der);
        let whole = outer.expect(tag::SEQUENCE, true)?;
        let mut fields = whole.inside();
        let contents = fields.expect(tag::SEQUENCE, true)?;
        let algorithm = SignatureAlgorithm::read(fields.sequence()?)?;
        let signature = fields.bit_string()?;
        if !outer.is_empty() {
            return Err("trailing data");
        }
        let start = whole.whole.len() - whole.contents.len();
        Ok(Self {
            contents,
            span: start..start + contents.whole.len(),
            algorithm,
            signature,
        })
    }
}

/// The whole next element, or nothing at the end of a sequence.
pub(crate) fn optional<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Problem> {
    if reader.is_empty() {
        return Ok(&[]);
    }
    Ok(reader.element()?.whole)
}

/// The one hash function of `RSASSA-PSS-params` (RFC 4055) in the only shape that is supported.
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    let mut parameters = Reader::new(parameters).sequence().ok()?;
    enter(&mut parameters, 0)?;
    let mut hash = parameters.sequence().ok()?;
    let hash_oid = hash.oid().ok()?;
    let hash_parameters = optional(&mut hash).ok()?;
    enter(&mut parameters, 1)?;
    let mut mgf = parameters.sequence().ok()?;
    let mgf_oid = mgf.oid().ok()?;
    let mut mgf_hash = Reader::new(optional(&mut mgf).ok()?).sequence().ok()?;
    let mgf_hash_oid = mgf_hash.oid().ok()?;
    let mgf_hash_parameters = optional(&mut mgf_hash).ok()?;
    enter(&mut parameters, 2)?;
    let salt_length = integer(&mut parameters)?;
    let trailer = trailer_field(parameters)?;

    let plain = |parameters: &[u8]| parameters.is_empty() || parameters == NULL;
    let supported = plain(hash_parameters)
        && mgf_oid.as_bytes() == MGF1
        && mgf_hash_oid == hash_oid
        && plain(mgf_hash_parameters)
        && trailer == 1;
    let hash = match hash_oid.as_bytes() {
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Hash::Sha256,
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Hash::Sha384,
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Hash::Sha512,
        _ => return None,
    };
    (supported && usize::try_from(salt_length) == Ok(hash.size())).then_some(hash)
}

fn integer(parameters: &mut Reader<'_>) -> Option<i64> {
    let integer = parameters.expect(tag::INTEGER, false).ok()?;
    asn1::int64(integer.contents).ok()
}

/// The trailer field, which is 1 by default: at the end, and where something else stands.
fn trailer_field(mut parameters: Reader<'_>) -> Option<i64> {
    if parameters.is_empty() || !parameters.enter_explicit(3).ok()? {
        return Some(1);
    }
    integer(&mut parameters)
}

fn enter(parameters: &mut Reader<'_>, number: u32) -> Option<()> {
    parameters.enter_explicit(number).ok()?.then_some(())
}

impl Hash {
    /// Length of the hash value in bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The DER of a `DigestInfo` up to the hash itself (RFC 8017 section 9.2, note 1).
    pub(crate) fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2B\x0E\x03\x02\x1A\x05\x00\x04\x14",
            Self::Sha256 => {
                b"\x30\x31\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }

    /// The hash of `message`.
    pub(crate) fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(message).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    /// The names of RFC 3279, RFC 4055 and RFC 5758, as openssl prints them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaPkcs1v15(Hash::Sha1) => "sha1WithRSAEncryption",
            Self::RsaPkcs1v15(Hash::Sha256) => "sha256WithRSAEncryption",
            Self::RsaPkcs1v15(Hash::Sha384) => "sha384WithRSAEncryption",
            Self::RsaPkcs1v15(Hash::Sha512) => "sha512WithRSAEncryption",
            Self::RsaPss(Hash::Sha256) => "rsassaPss with SHA-256",
            Self::RsaPss(Hash::Sha384) => "rsassaPss with SHA-384",
            Self::RsaPss(_) => "rsassaPss with SHA-512",
            Self::Ecdsa(Hash::Sha1) => "ecdsa-with-SHA1",
            Self::Ecdsa(Hash::Sha256) => "ecdsa-with-SHA256",
            Self::Ecdsa(Hash::Sha384) => "ecdsa-with-SHA384",
            Self::Ecdsa(Hash::Sha512) => "ecdsa-with-SHA512",
            Self::Ed25519 => "Ed25519",
            Self::RsaMd5 => "md5WithRSAEncryption",
            Self::Other(oid) => return oid.fmt(f),
        })
    }
}

crate::text::show_raw!(SignatureError, SignatureAlgorithm);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::encode;

    const SHA_2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];

    /// An `AlgorithmIdentifier`.
    fn identifier(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
        encode(0x30, &[&encode(6, oid), parameters].concat())
    }

    /// The parts of `RSASSA-PSS-params`.
    struct Pss {
        hash: Vec<u8>,
        mgf: Vec<u8>,
        salt: Vec<u8>,
        trailer: Vec<u8>,
    }

    impl Pss {
        fn new(hash: u8, salt: u8) -> Self {
            let hash = identifier(&[SHA_2, &[hash]].concat(), NULL);
            Self {
                mgf: identifier(MGF1, &hash),
                hash,
                salt: encode(2, &[salt]),
                trailer: Vec::new(),
            }
        }

        fn hash(&self) -> Option<Hash> {
            let parts = [
                encode(0xA0, &self.hash),
                encode(0xA1, &self.mgf),
                encode(0xA2, &self.salt),
                self.trailer.clone(),
            ];
            pss_hash(&encode(0x30, &parts.concat()))
        }
    }

    #[test]
    fn pss_takes_one_hash_and_a_salt_as_long() {
        for (arc, size, hash) in [
            (1, 32, Hash::Sha256),
            (2, 48, Hash::Sha384),
            (3, 64, Hash::Sha512),
        ] {
            assert_eq!(Pss::new(arc, size).hash(), Some(hash));
            assert_eq!(Pss::new(arc, size - 1).hash(), None);
        }
        assert_eq!(Pss::new(4, 28).hash(), None);
        assert_eq!(pss_hash(&encode(0x30, &[])), None);
    }

    #[test]
    fn pss_masks_with_the_same_hash() {
        let other = identifier(&[SHA_2, &[2]].concat(), NULL);
        for mgf in [
            identifier(MGF1, &other),
            identifier(RSA_PSS, &Pss::new(1, 32).hash),
        ] {
            let parameters = Pss {
                mgf,
                ..Pss::new(1, 32)
            };
            assert_eq!(parameters.hash(), None);
        }
    }

    #[test]
    fn hashes_have_no_parameters_or_null() {
        let sha256 = [SHA_2, &[1]].concat();
        for (parameters, fits) in [(&[][..], true), (NULL, true), (&[4, 0], false)] {
            let hash = identifier(&sha256, parameters);
            let expected = fits.then_some(Hash::Sha256);
            let mgf = identifier(MGF1, &hash);
            assert_eq!(
                Pss {
                    mgf,
                    ..Pss::new(1, 32)
                }
                .hash(),
                expected
            );
            assert_eq!(
                Pss {
                    hash,
                    ..Pss::new(1, 32)
                }
                .hash(),
                expected
            );
        }
    }

    /// Go passes over something else in its place.
    #[test]
    fn the_trailer_field_is_one() {
        for (trailer, fits) in [
            (encode(0xA3, &encode(2, &[1])), true),
            (encode(0xA3, &encode(2, &[2])), false),
            (encode(0xA3, &encode(4, &[1])), false),
            (encode(4, &[1]), true),
        ] {
            let parameters = Pss {
                trailer,
                ..Pss::new(1, 32)
            };
            assert_eq!(parameters.hash(), fits.then_some(Hash::Sha256));
        }
    }

    #[test]
    fn algorithms_have_the_names_and_hashes_of_openssl() {
        let read = |oid: &[u8], parameters: &[u8]| {
            let der = identifier(oid, parameters);
            SignatureAlgorithm::read(Reader::new(&der).sequence().unwrap()).unwrap()
        };
        let shown = |oid: &[u8], parameters: &[u8]| {
            let algorithm = read(oid, parameters);
            (algorithm.to_string(), algorithm.hash())
        };
        for (arc, name, hash) in [
            (4, "md5WithRSAEncryption", None),
            (5, "sha1WithRSAEncryption", Some(Hash::Sha1)),
            (11, "sha256WithRSAEncryption", Some(Hash::Sha256)),
            (12, "sha384WithRSAEncryption", Some(Hash::Sha384)),
            (13, "sha512WithRSAEncryption", Some(Hash::Sha512)),
        ] {
            let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, arc];
            assert_eq!(shown(&oid, NULL), (name.to_owned(), hash));
        }
        for (arcs, name, hash) in [
            (&[1][..], "ecdsa-with-SHA1", Hash::Sha1),
            (&[3, 2], "ecdsa-with-SHA256", Hash::Sha256),
            (&[3, 3], "ecdsa-with-SHA384", Hash::Sha384),
            (&[3, 4], "ecdsa-with-SHA512", Hash::Sha512),
        ] {
            let oid = [&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4], arcs].concat();
            assert_eq!(shown(&oid, &[]), (name.to_owned(), Some(hash)));
        }
        for (hash, name) in [
            (Hash::Sha256, "rsassaPss with SHA-256"),
            (Hash::Sha384, "rsassaPss with SHA-384"),
            (Hash::Sha512, "rsassaPss with SHA-512"),
        ] {
            let algorithm = SignatureAlgorithm::RsaPss(hash);
            assert_eq!(
                (algorithm.to_string().as_str(), algorithm.hash()),
                (name, Some(hash))
            );
        }
        assert_eq!(shown(ED25519, &[]), ("Ed25519".to_owned(), None));
        assert_eq!(shown(ED25519, NULL), ("1.3.101.112".to_owned(), None));
        assert_eq!(shown(RSA_PSS, &[]).1, None);
    }

    #[test]
    fn nothing_follows_what_is_signed() {
        let parts = [
            encode(0x30, b""),
            identifier(ED25519, &[]),
            encode(3, &[0, 7]),
        ];
        let der = encode(0x30, &parts.concat());
        let signed = Signed::read(&der).unwrap();
        assert_eq!((signed.span, signed.signature), (2..4, vec![7]));
        assert!(Signed::read(&[&der, NULL].concat()).is_err());
    }
}
