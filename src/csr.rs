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
use crate::key::{PublicKey, SignatureAlgorithm, SignatureError};
use crate::name::Name;
use crate::pem;

mod build;
mod san;
mod uri;

pub use build::RequestedExtension;
pub use san::SubjectAltName;

/// The PEM label that kube-apiserver demands.
pub const PEM_LABEL: &str = "CERTIFICATE REQUEST";

/// A request that crypto/x509 `ParseCertificateRequest` takes; its signature is checked apart,
/// with [`CertificationRequest::verify`].
#[derive(Debug, Clone)]
pub struct CertificationRequest {
    der: Vec<u8>,
    /// Where `certificationRequestInfo`, the signed part, lies in `der`.
    info: std::ops::Range<usize>,
    subject: Name,
    public_key: PublicKey,
    attributes: Vec<Oid>,
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
            detail: problem.to_owned(),
        })
    }

    fn read(der: &[u8]) -> std::result::Result<Self, Problem> {
        let mut outer = Reader::new(der);
        let whole = outer.expect(tag::SEQUENCE, true)?;
        let mut request = whole.inside();
        let info_element = request.expect(tag::SEQUENCE, true)?;
        let info = Info::read(info_element)?;
        let signature_algorithm = SignatureAlgorithm::read(request.sequence()?)?;
        let signature = request.bit_string()?;
        if !outer.is_empty() {
            return Err("trailing data");
        }
        let start = whole.whole.len() - whole.contents.len();
        Ok(Self {
            der: der.to_vec(),
            info: start..start + info_element.whole.len(),
            subject: Name::read(info.subject)?,
            public_key: PublicKey::read(info.public_key)?,
            subject_alt_names: info.subject_alt_names()?,
            attributes: info.attributes,
            extensions: info.extensions,
            signature_algorithm,
            signature,
        })
    }

    /// The request in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
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

    /// The types of all attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> &[Oid] {
        &self.attributes
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

    /// Checks that the holder of the key signed this request (crypto/x509 `CheckSignature`).
    ///
    /// # Errors
    /// [`SignatureError`], which says why.
    pub fn verify(&self) -> std::result::Result<(), SignatureError> {
        let info = self.der.get(self.info.clone()).unwrap_or_default();
        self.public_key
            .verify(&self.signature_algorithm, info, &self.signature)
    }
}

/// `CertificationRequestInfo`, its parts found and not yet looked into.
struct Info<'a> {
    subject: Element<'a>,
    public_key: Element<'a>,
    attributes: Vec<Oid>,
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
        let mut attributes = Vec::new();
        let mut extensions = Vec::new();
        let mut seen = HashSet::new();
        while !elements.is_empty() {
            let Ok((oid, value)) = attribute(elements.element()?) else {
                continue;
            };
            if let Some(value) = value.filter(|_| oid.as_bytes() == EXTENSION_REQUEST) {
                read_extensions(value, &mut extensions, &mut seen)?;
            }
            attributes.push(oid);
        }
        Ok(Self {
            subject,
            public_key,
            attributes,
            extensions,
        })
    }

    fn subject_alt_names(&self) -> std::result::Result<Vec<SubjectAltName>, Problem> {
        self.extensions
            .iter()
            .filter(|extension| extension.oid.as_bytes() == SUBJECT_ALT_NAME)
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
