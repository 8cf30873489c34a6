//! Certification requests as the crates `der`, `rsa` and those of the curves see them, and nothing
//! of ours: how a signature is checked a second time, and put on what never had one.

use der::asn1::{AnyRef, BitString};
use der::oid::ObjectIdentifier;
use der::oid::db::{rfc5912, rfc8410};
use der::{Decode, Encode as _, Reader, Sequence, SliceReader, Tag, Tagged as _};
use ed25519_dalek::Verifier as _;
use kube_enroll::key::PrivateKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use pkcs8::DecodePublicKey as _;
use sha2::Digest as _;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::keys::rng;

/// What `bytes` are in DER; None as well where a SET is not in order, which crypto/x509 does not look
/// at and the crates mend.
pub(super) fn canonical<'a, T: Decode<'a>>(bytes: &'a [u8]) -> Option<T> {
    let read = T::from_der(bytes).ok()?;
    sets_are_in_order(bytes)?.then_some(read)
}

/// Whether the members of every SET are, at any depth; None where `bytes` is not DER.
fn sets_are_in_order(bytes: &[u8]) -> Option<bool> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let mut in_order = true;
    while !reader.is_finished() {
        let element = AnyRef::decode(&mut reader).ok()?;
        if element.tag().is_constructed() {
            let members = members(element.value())?;
            // The attributes of a request are a SET behind this tag.
            let is_set = element.tag() == Tag::Set || element.tag().is_context_specific();
            in_order &= !is_set || members.is_sorted();
            in_order &= sets_are_in_order(element.value())?;
        }
    }
    Some(in_order)
}

fn members(contents: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = SliceReader::new(contents).ok()?;
    let mut members = Vec::new();
    while !reader.is_finished() {
        members.push(reader.tlv_bytes().ok()?);
    }
    Some(members)
}

/// The parts of a request that a signature is about.
pub(super) struct Signed<'a> {
    info: AnyRef<'a>,
    public_key: SubjectPublicKeyInfoOwned,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// A request with a new signature.
#[derive(Sequence)]
struct Request<'a> {
    info: AnyRef<'a>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl<'a> Signed<'a> {
    /// Passes over whatever follows the parts, as crypto/x509 does.
    pub(super) fn read(request: &'a [u8]) -> der::Result<Self> {
        AnyRef::from_der(request)?.sequence(|outer| {
            let info = AnyRef::decode(outer)?;
            let public_key = info.sequence(|fields| {
                AnyRef::decode(fields)?;
                AnyRef::decode(fields)?;
                let public_key = SubjectPublicKeyInfoOwned::decode(fields)?;
                pass_over(fields)?;
                Ok::<_, der::Error>(public_key)
            })?;
            let algorithm = AlgorithmIdentifierOwned::decode(outer)?;
            let signature = BitString::decode(outer)?;
            pass_over(outer)?;
            Ok(Self {
                info,
                public_key,
                algorithm,
                signature,
            })
        })
    }

    /// Whether the signature verifies; None where the crates know no way to tell.
    pub(super) fn verifies(&self) -> Option<bool> {
        let message = self.info.to_der().ok()?;
        let algorithm = self.algorithm.oid;
        let signature = &right_aligned(&self.signature)[..];
        let key = &right_aligned(&self.public_key.subject_public_key)[..];
        match self.public_key.algorithm.oid {
            rfc5912::RSA_ENCRYPTION => {
                let public_key = SubjectPublicKeyInfoOwned {
                    algorithm: self.public_key.algorithm.clone(),
                    subject_public_key: BitString::from_bytes(key).ok()?,
                };
                let key = rsa::PublicKey::from_public_key_der(&public_key.to_der().ok()?);
                verifies_pkcs1v15(&key.ok()?, algorithm, &message, signature)
            }
            rfc5912::ID_EC_PUBLIC_KEY => {
                let parameters = self.public_key.algorithm.parameters.as_ref()?;
                let curve = parameters.decode_as().ok()?;
                verifies_ecdsa(curve, key, &hash(algorithm, &message)?, signature)
            }
            rfc8410::ID_ED_25519 if algorithm == rfc8410::ID_ED_25519 => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
                let signature = ed25519_dalek::Signature::from_slice(signature);
                Some(signature.is_ok_and(|signature| key.verify(&message, &signature).is_ok()))
            }
            _ => None,
        }
    }

    /// The request signed with the one of `keys` that it is about, if it is about one.
    pub(super) fn signed_anew(&self, keys: &[PrivateKey]) -> Option<Vec<u8>> {
        let spki = self.public_key.to_der().ok()?;
        let key = keys
            .iter()
            .find(|key| key.public_key().spki_der() == spki)?;
        let signature = key.sign(&self.info.to_der().ok()?, &mut rng()).unwrap();
        let request = Request {
            info: self.info,
            algorithm: key.signature_algorithm(),
            signature: BitString::from_bytes(&signature).unwrap(),
        };
        Some(request.to_der().unwrap())
    }
}

/// The bits as crypto/x509 takes them for bytes (encoding/asn1 `BitString.RightAlign`): those of the
/// first byte that are left over by the others are its low ones.
fn right_aligned(bits: &BitString) -> Vec<u8> {
    let unused = u32::from(bits.unused_bits());
    let bytes = bits.raw_bytes();
    let before = std::iter::once(&0).chain(bytes);
    let shifted = before
        .zip(bytes)
        .map(|(before, byte)| u16::from_be_bytes([*before, *byte]) >> unused);
    shifted.map(|both| both.to_be_bytes()[1]).collect()
}

fn pass_over<'a, R: Reader<'a>>(fields: &mut R) -> der::Result<()> {
    while !fields.is_finished() {
        AnyRef::decode(fields)?;
    }
    Ok(())
}

fn verifies_pkcs1v15(
    key: &rsa::PublicKey,
    algorithm: ObjectIdentifier,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let padding = match algorithm {
        rfc5912::SHA_1_WITH_RSA_ENCRYPTION => rsa::Pkcs1v15Sign::new::<sha1::Sha1>(),
        rfc5912::SHA_256_WITH_RSA_ENCRYPTION => rsa::Pkcs1v15Sign::new::<sha2::Sha256>(),
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION => rsa::Pkcs1v15Sign::new::<sha2::Sha384>(),
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION => rsa::Pkcs1v15Sign::new::<sha2::Sha512>(),
        _ => return None,
    };
    let hash = hash(algorithm, message)?;
    Some(key.verify(padding, &hash, signature).is_ok())
}

fn hash(algorithm: ObjectIdentifier, message: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        rfc5912::SHA_1_WITH_RSA_ENCRYPTION => sha1::Sha1::digest(message).to_vec(),
        rfc5912::SHA_256_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_256 => {
            sha2::Sha256::digest(message).to_vec()
        }
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => {
            sha2::Sha384::digest(message).to_vec()
        }
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => {
            sha2::Sha512::digest(message).to_vec()
        }
        _ => return None,
    })
}

macro_rules! verifies_on {
    ($curve:ident, $point:ident, $hash:ident, $signature:ident) => {{
        let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes($point).ok()?;
        let signature = $curve::ecdsa::Signature::from_der($signature);
        // The crates want a hash of at least half the length of the order.
        let mut hash = vec![0; (key.to_sec1_point(true).len() - 1).saturating_sub($hash.len())];
        hash.extend_from_slice($hash);
        Some(signature.is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok()))
    }};
}

fn verifies_ecdsa(
    curve: ObjectIdentifier,
    point: &[u8],
    hash: &[u8],
    signature: &[u8],
) -> Option<bool> {
    match curve {
        rfc5912::SECP_256_R_1 => verifies_on!(p256, point, hash, signature),
        rfc5912::SECP_384_R_1 => verifies_on!(p384, point, hash, signature),
        rfc5912::SECP_521_R_1 => verifies_on!(p521, point, hash, signature),
        _ => None,
    }
}
