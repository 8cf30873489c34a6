//! Certification requests (RFC 2986): read and verified as kube-apiserver does, and built.
//!
//! ```text
//! CertificationRequest ::= SEQUENCE {
//!      certificationRequestInfo CertificationRequestInfo,
//!      signatureAlgorithm AlgorithmIdentifier,
//!      signature          BIT STRING }
//! ```

use std::collections::HashSet;

use crate::asn1::{self, Element, Oid, Problem, Reader, tag};
use crate::error::{Error, Result};
use crate::key::{PublicKey, SignatureAlgorithm, SignatureError, Signed};
use crate::name::Name;
use crate::pem;

mod build;
mod san;
mod uri;

pub use build::RequestedExtension;
pub use san::SubjectAltName;

/// The PEM label that kube-apiserver demands.
pub const PEM_LABEL: &str = "CERTIFICATE REQUEST";

/// The label that Windows' certreq, keytool and certtool write; RFC 7468 section 7 calls it legacy.
pub(crate) const LEGACY_PEM_LABEL: &str = "NEW CERTIFICATE REQUEST";

/// A request that crypto/x509 `ParseCertificateRequest` takes; its signature is checked apart,
/// with [`CertificationRequest::verify`].
#[derive(Debug, Clone)]
pub struct CertificationRequest {
    der: Vec<u8>,
    /// Where `certificationRequestInfo`, the signed part, lies in `der`.
    info: std::ops::Range<usize>,
    subject: Name,
    public_key: PublicKey,
    extensions: Vec<Extension>,
    subject_alt_names: Vec<SubjectAltName>,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

/// An extension that is asked for (RFC 5280 section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub oid: Oid,
    /// Whether whoever does not know it must refuse the certificate.
    pub critical: bool,
    /// Its value in DER.
    pub value: Vec<u8>,
}

/// Why a file has no request that could be taken.
#[derive(Debug)]
pub enum FindProblem {
    /// There are so many.
    Several(usize),
    /// There is one that crypto/x509 would not take.
    Malformed(Error),
}

/// How a constructed SEQUENCE begins in DER.
const DER_SEQUENCE: u8 = 0x30;

const EXTENSION_REQUEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 14];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];

impl CertificationRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Error::Malformed`] exactly where crypto/x509 `ParseCertificateRequest` fails.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Self::read(der).map_err(|problem| Error::Malformed {
            what: "certification request",
            detail: problem.into(),
        })
    }

    /// The only request in a file that another program wrote: PEM under either label, whatever text
    /// stands around it, or DER. `None` where there is none at all.
    ///
    /// # Errors
    /// [`FindProblem`] where there are several, or where it is none.
    pub fn find(input: &[u8]) -> std::result::Result<Option<Self>, FindProblem> {
        let is_request = |label: &str| label == PEM_LABEL || label == LEGACY_PEM_LABEL;
        let mut blocks = pem::blocks(input).filter(|block| is_request(&block.label));
        let found = match (blocks.next(), blocks.count()) {
            (None, _) if input.first() != Some(&DER_SEQUENCE) => return Ok(None),
            (None, _) => Self::from_der(input),
            (Some(block), 0) => Self::from_der(&block.contents),
            (Some(_), others) => return Err(FindProblem::Several(others + 1)),
        };
        found.map(Some).map_err(FindProblem::Malformed)
    }

    fn read(der: &[u8]) -> std::result::Result<Self, Problem> {
        let signed = Signed::read(der)?;
        let info = Info::read(signed.contents)?;
        Ok(Self {
            der: der.to_vec(),
            info: signed.span,
            subject: Name::read(info.subject)?,
            public_key: PublicKey::read(info.public_key)?,
            subject_alt_names: info.subject_alt_names()?,
            extensions: info.extensions,
            signature_algorithm: signed.algorithm,
            signature: signed.signature,
        })
    }

    /// The request in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// `certificationRequestInfo`, the signed part, in DER.
    #[must_use]
    pub fn info(&self) -> &[u8] {
        self.der.get(self.info.clone()).unwrap_or_default()
    }

    /// The request in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, &self.der)
    }

    /// Whom the certificate is for.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The key that is to be certified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The extensions asked for, in order; no type occurs twice.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The subject alternative names that the signer copies.
    #[must_use]
    pub fn subject_alt_names(&self) -> &[SubjectAltName] {
        &self.subject_alt_names
    }

    /// How the request is signed.
    #[must_use]
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// Whether both ask for the same with the same key: in which order the groups are named says
    /// nothing.
    #[must_use]
    pub fn asks_for_the_same(&self, other: &Self) -> bool {
        let sorted = |request: &Self| {
            let attributes = request.subject.attributes();
            let mut attributes: Vec<_> = attributes
                .map(|it| (it.oid.as_bytes().to_vec(), it.value.clone()))
                .collect();
            attributes.sort();
            attributes
        };
        // The last of several common names is the user.
        let user = |request: &Self| request.subject.identity_when_issued().map(|it| it.username);
        self.public_key == other.public_key
            && self.extensions == other.extensions
            && user(self) == user(other)
            && sorted(self) == sorted(other)
    }

    /// Checks that the holder of the key signed this request (crypto/x509 `CheckSignature`).
    ///
    /// # Errors
    /// [`SignatureError`], which says why.
    pub fn verify(&self) -> std::result::Result<(), SignatureError> {
        self.public_key
            .verify(&self.signature_algorithm, self.info(), &self.signature)
    }
}

/// `CertificationRequestInfo`, its parts found and not yet looked into.
struct Info<'a> {
    subject: Element<'a>,
    public_key: Element<'a>,
    extensions: Vec<Extension>,
}

impl<'a> Info<'a> {
    fn read(info: Element<'a>) -> std::result::Result<Self, Problem> {
        let mut fields = info.inside();
        asn1::int64(fields.expect(tag::INTEGER, false)?.contents)?;
        if fields.is_empty() {
            return Err("sequence truncated");
        }
        let subject = fields.element()?;
        let public_key = fields.expect(tag::SEQUENCE, true)?;
        if fields.is_empty() {
            return Err("sequence truncated");
        }
        let set = fields.element()?;
        if set.class != asn1::Class::ContextSpecific || set.tag != 0 || !set.constructed {
            return Err("attributes are not tagged [0]");
        }
        let mut elements = set.inside();
        let mut extensions = Vec::new();
        let mut seen = HashSet::new();
        while !elements.is_empty() {
            let Ok((oid, value)) = attribute(elements.element()?) else {
                continue;
            };
            if let Some(value) = value.filter(|_| oid.as_bytes() == EXTENSION_REQUEST) {
                read_extensions(value, &mut extensions, &mut seen)?;
            }
        }
        Ok(Self {
            subject,
            public_key,
            extensions,
        })
    }

    fn subject_alt_names(&self) -> std::result::Result<Vec<SubjectAltName>, Problem> {
        self.extensions
            .iter()
            .filter(|extension| extension.is_subject_alt_name())
            .try_fold(Vec::new(), |mut names, extension| {
                names.extend(san::read(&extension.value)?);
                Ok(names)
            })
    }
}

/// Type and first value of an `Attribute`; what is not one is passed over by the caller, as
/// crypto/x509 `parseCSRExtensions` does.
fn attribute(element: Element<'_>) -> std::result::Result<(Oid, Option<Element<'_>>), Problem> {
    if !element.is(tag::SEQUENCE, true) {
        return Err("attribute is not a sequence");
    }
    let mut fields = element.inside();
    let oid = fields.oid()?;
    let mut values = fields.expect(tag::SET, true)?.inside();
    let mut first = None;
    while !values.is_empty() {
        let value = values.element()?;
        first.get_or_insert(value);
    }
    Ok((oid, first))
}

/// Reads `Extensions`, which may be spread over several attributes but not repeat a type.
fn read_extensions(
    sequence: Element<'_>,
    extensions: &mut Vec<Extension>,
    seen: &mut HashSet<Oid>,
) -> std::result::Result<(), Problem> {
    if !sequence.is(tag::SEQUENCE, true) {
        return Err("requested extensions are not a sequence");
    }
    let mut elements = sequence.inside();
    while !elements.is_empty() {
        let extension = read_extension(elements.sequence()?)?;
        if !seen.insert(extension.oid.clone()) {
            return Err("duplicate requested extensions");
        }
        extensions.push(extension);
    }
    Ok(())
}

fn read_extension(mut fields: Reader<'_>) -> std::result::Result<Extension, Problem> {
    let oid = fields.oid()?;
    let mut critical = false;
    let mut ahead = fields;
    if !ahead.is_empty() {
        let element = ahead.element()?;
        if element.is(tag::BOOLEAN, false) {
            critical = asn1::boolean(element.contents)?;
            fields = ahead;
        }
    }
    let value = fields.expect(tag::OCTET_STRING, false)?;
    Ok(Extension {
        oid,
        critical,
        value: value.contents.to_vec(),
    })
}

impl Extension {
    pub(crate) fn is_subject_alt_name(&self) -> bool {
        self.oid.as_bytes() == SUBJECT_ALT_NAME
    }

    /// The name of RFC 5280, or the object identifier.
    #[must_use]
    pub fn name(&self) -> String {
        match self.oid.as_bytes() {
            [0x55, 0x1D, 14] => "subjectKeyIdentifier".to_owned(),
            [0x55, 0x1D, 15] => "keyUsage".to_owned(),
            [0x55, 0x1D, 17] => "subjectAltName".to_owned(),
            [0x55, 0x1D, 19] => "basicConstraints".to_owned(),
            [0x55, 0x1D, 30] => "nameConstraints".to_owned(),
            [0x55, 0x1D, 32] => "certificatePolicies".to_owned(),
            [0x55, 0x1D, 35] => "authorityKeyIdentifier".to_owned(),
            [0x55, 0x1D, 37] => "extendedKeyUsage".to_owned(),
            _ => self.oid.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::encode;

    const ED25519_KEY: &[u8] = &[
        0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];

    /// A request with these attributes and this behind them, signed by nobody.
    fn request(attributes: &[u8], more: &[u8]) -> Vec<u8> {
        let key = [ED25519_KEY, &[9; 32]].concat();
        let version = encode(2, &[0]);
        let info = [
            version,
            encode(0x30, &[]),
            key,
            attributes.to_vec(),
            more.to_vec(),
        ]
        .concat();
        let algorithm = encode(0x30, &encode(6, &[0x2B, 0x65, 0x70]));
        encode(
            0x30,
            &[encode(0x30, &info), algorithm, encode(3, &[0; 65])].concat(),
        )
    }

    fn extension_request(extensions: &[Vec<u8>]) -> Vec<u8> {
        let oid = encode(6, EXTENSION_REQUEST);
        let value = encode(0x31, &encode(0x30, &extensions.concat()));
        encode(0xA0, &encode(0x30, &[oid, value].concat()))
    }

    fn extension(last_arc: u8, value: &[u8]) -> Vec<u8> {
        encode(
            0x30,
            &[encode(6, &[0x55, 0x1D, last_arc]), encode(4, value)].concat(),
        )
    }

    #[test]
    fn attributes_must_be_there_and_more_may_follow() {
        assert!(CertificationRequest::from_der(&request(&[0xA0, 0], &[])).is_ok());
        assert!(CertificationRequest::from_der(&request(&[0xA0, 0], &[5, 0])).is_ok());
        for attributes in [&[][..], &[0xA1, 0], &[0x80, 0], &[0x31, 0]] {
            assert!(CertificationRequest::from_der(&request(attributes, &[])).is_err());
        }
        let trailing = [request(&[0xA0, 0], &[]), vec![0]].concat();
        assert!(CertificationRequest::from_der(&trailing).is_err());
    }

    #[test]
    fn attributes_that_are_none_are_passed_over() {
        let password = encode(0x30, &[encode(6, &[0x2A, 3]), encode(12, b"pw")].concat());
        let read = CertificationRequest::from_der(&request(&encode(0xA0, &password), &[]));
        assert!(read.unwrap().extensions().is_empty());
    }

    #[test]
    fn an_extension_is_asked_for_once() {
        let once = [extension(15, &[3, 2, 5, 0xA0]), extension(37, &[0x30, 0])];
        let read = CertificationRequest::from_der(&request(&extension_request(&once), &[]));
        let read = read.unwrap();
        let names: Vec<_> = read.extensions().iter().map(Extension::name).collect();
        assert_eq!(names, ["keyUsage", "extendedKeyUsage"]);
        let twice = [extension(15, &[]), extension(15, &[])];
        assert!(CertificationRequest::from_der(&request(&extension_request(&twice), &[])).is_err());
    }

    #[test]
    fn extensions_have_the_names_of_rfc_5280() {
        for (last_arc, name) in [
            (14, "subjectKeyIdentifier"),
            (15, "keyUsage"),
            (17, "subjectAltName"),
            (19, "basicConstraints"),
            (30, "nameConstraints"),
            (32, "certificatePolicies"),
            (35, "authorityKeyIdentifier"),
            (37, "extendedKeyUsage"),
            (54, "2.5.29.54"),
        ] {
            let asked = [extension(last_arc, &[0x30, 0])];
            let read = CertificationRequest::from_der(&request(&extension_request(&asked), &[]));
            assert_eq!(read.unwrap().extensions()[0].name(), name);
        }
    }

    #[test]
    fn an_extension_says_whether_it_is_critical() {
        let critical = |flag: &[u8]| {
            let fields = [&encode(6, &[0x55, 0x1D, 15]), flag, &encode(4, &[3, 1, 0])];
            let asked = [encode(0x30, &fields.concat())];
            let read = CertificationRequest::from_der(&request(&extension_request(&asked), &[]));
            read.map(|read| read.extensions()[0].critical)
        };
        assert_eq!(critical(&[]), Ok(false));
        assert_eq!(critical(&encode(1, &[0])), Ok(false));
        assert_eq!(critical(&encode(1, &[0xFF])), Ok(true));
        assert!(critical(&encode(1, &[1])).is_err());
        assert!(critical(&encode(2, &[1])).is_err());
    }

    #[test]
    fn alternative_names_that_cannot_be_read_spoil_the_request() {
        let names = |names: &[u8]| {
            let value = encode(0x30, names);
            let attributes = extension_request(&[extension(17, &value)]);
            CertificationRequest::from_der(&request(&attributes, &[])).map(|read| {
                read.subject_alt_names()
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            })
        };
        let good = [
            encode(0x82, b"a.b"),
            encode(0x87, &[10, 0, 0, 1]),
            encode(0x87, &[0; 16]),
            encode(0x81, b"a@b\x7F"),
            encode(0x86, b"a://b"),
            encode(0xA4, b"x"),
            encode(0x02, b"not a host name"),
            encode(0x9E, b"x"),
        ]
        .concat();
        assert_eq!(
            names(&good),
            Ok([
                "DNS:a.b",
                "IP:10.0.0.1",
                "IP:::",
                "email:a@b\\u{7f}",
                "URI:a://b"
            ]
            .map(str::to_owned)
            .to_vec())
        );
        for bad in [
            encode(0x82, &[0x80]),
            encode(0x87, &[1, 2, 3]),
            encode(0x86, b"http://a b"),
            vec![0x9F, 0x1F, 0],
            vec![0x9F, 0x20, 0],
        ] {
            assert!(names(&bad).is_err());
        }
    }
}
