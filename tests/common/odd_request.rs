//! Certification requests that no tool would make, signed validly with a key on P-256.

use kube_enroll::pem;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::EncodePublicKey as _;

/// Tags of X.690.
pub const UTF8: u8 = 0x0C;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// Attribute types of X.520 and RFC 4519.
pub const CN: &[u8] = &[0x55, 4, 3];
pub const O: &[u8] = &[0x55, 4, 10];
pub const C: &[u8] = &[0x55, 4, 6];
pub const OU: &[u8] = &[0x55, 4, 11];
pub const TITLE: &[u8] = &[0x55, 4, 12];
pub const UID: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 1];
pub const EMAIL: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1];

const EXTENSION_REQUEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 14];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];

/// What goes into a request.
pub struct OddRequest {
    subject: Vec<u8>,
    attributes: Vec<u8>,
    public_key: Option<Vec<u8>>,
    unused_bits: u8,
    key: SigningKey,
}

impl OddRequest {
    /// An attribute after the other, each its own RDN: type, string type and value.
    pub fn new(subject: &[(&[u8], u8, &str)]) -> Self {
        let attribute = |(kind, tag, value): &(&[u8], u8, &str)| {
            let pair = [der(OID, kind), der(*tag, value.as_bytes())].concat();
            der(SET, &der(SEQUENCE, &pair))
        };
        Self {
            subject: subject.iter().flat_map(attribute).collect(),
            attributes: Vec::new(),
            public_key: None,
            unused_bits: 0,
            key: SigningKey::generate(),
        }
    }

    /// Asks for key usage and a DNS name.
    pub fn with_extensions(mut self) -> Self {
        let extension = |kind, value: &[u8]| {
            der(
                SEQUENCE,
                &[der(OID, kind), der(OCTET_STRING, value)].concat(),
            )
        };
        let extensions = [
            extension(KEY_USAGE, &[BIT_STRING, 2, 7, 0x80]),
            extension(SUBJECT_ALT_NAME, &der(SEQUENCE, &der(0x82, b"example.com"))),
        ];
        let set = der(SET, &der(SEQUENCE, &extensions.concat()));
        self.attributes = der(SEQUENCE, &[der(OID, EXTENSION_REQUEST), set].concat());
        self
    }

    /// The subject once more, in one set whose members stand in the wrong order (X.690 11.6).
    pub fn with_unsorted_set(mut self) -> Self {
        let pair = |kind: &[u8], value: &str| {
            der(
                SEQUENCE,
                &[der(OID, kind), der(UTF8, value.as_bytes())].concat(),
            )
        };
        let members = [pair(O, "developers"), pair(CN, "alice")].concat();
        self.subject = der(SET, &members);
        self
    }

    /// The same key as another request.
    pub fn with_key_of(mut self, other: &Self) -> Self {
        self.key = other.key.clone();
        self
    }

    /// An RSA key that nobody holds, so that the signature is not valid.
    pub fn with_rsa(mut self, modulus: &[u8], exponent: u32) -> Self {
        let numbers = [positive(modulus), positive(&exponent.to_be_bytes())].concat();
        let algorithm = der(SEQUENCE, &[der(OID, RSA), vec![5, 0]].concat());
        let bits = der(BIT_STRING, &[vec![0], der(SEQUENCE, &numbers)].concat());
        self.public_key = Some(der(SEQUENCE, &[algorithm, bits].concat()));
        self
    }

    /// The public key alone, which proves nothing.
    pub fn public_key_pem(&self) -> String {
        pem::encode("PUBLIC KEY", self.public_key.as_deref().unwrap_or_default())
    }

    /// The key in a BIT STRING that has unused bits, before which its bytes stand: for crypto/x509 it is
    /// the same key, with another hash.
    pub fn with_shifted_key(mut self) -> Self {
        let key = self.key.verifying_key();
        let point = key.to_sec1_point(false);
        let spki = key.to_public_key_der().unwrap().into_vec();
        let head = spki.len() - point.as_bytes().len() - 3;
        let algorithm = &spki[2..head];
        let bits = der(BIT_STRING, &shifted(point.as_bytes(), 3));
        self.public_key = Some(der(SEQUENCE, &[algorithm, &bits].concat()));
        self
    }

    /// The signature likewise.
    pub fn with_shifted_signature(mut self) -> Self {
        self.unused_bits = 2;
        self
    }

    pub fn to_pem(&self) -> String {
        let own = || {
            self.key
                .verifying_key()
                .to_public_key_der()
                .unwrap()
                .into_vec()
        };
        let info = [
            vec![2, 1, 0],
            der(SEQUENCE, &self.subject),
            self.public_key.clone().unwrap_or_else(own),
            der(0xA0, &self.attributes),
        ];
        let info = der(SEQUENCE, &info.concat());
        let signature: DerSignature = self.key.sign(&info);
        let bits = shifted(signature.as_bytes(), self.unused_bits);
        let algorithm = der(SEQUENCE, &der(OID, ECDSA_WITH_SHA256));
        let request = [info, algorithm, der(BIT_STRING, &bits)].concat();
        pem::encode("CERTIFICATE REQUEST", &der(SEQUENCE, &request))
    }
}

/// Contents of a BIT STRING whose last bits are unused, and whose first ones are those of `bytes` that
/// are not needed there.
fn shifted(bytes: &[u8], unused: u8) -> Vec<u8> {
    let next = bytes.iter().skip(1).chain(&[0]);
    let both = bytes.iter().zip(next);
    let moved =
        both.map(|(byte, next)| (u16::from_be_bytes([*byte, *next]) << unused).to_be_bytes()[0]);
    std::iter::once(unused).chain(moved).collect()
}

/// An INTEGER, in as few bytes as it takes.
fn positive(number: &[u8]) -> Vec<u8> {
    let leading = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[leading..];
    let sign: &[u8] = if number[0] < 0x80 { &[] } else { &[0] };
    der(0x02, &[sign, number].concat())
}

fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut encoded = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => encoded.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let leading = bytes.iter().take_while(|byte| **byte == 0).count();
            encoded.push(0x80 | u8::try_from(bytes.len() - leading).unwrap());
            encoded.extend(&bytes[leading..]);
        }
    }
    encoded.extend_from_slice(contents);
    encoded
}
