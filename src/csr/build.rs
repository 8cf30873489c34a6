//! Building a request from a subject and a key.

use der::asn1::{BitString, OctetString, SetOfVec};
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use rand_core::TryCryptoRng;
use x509_cert::attr::Attributes;
use x509_cert::ext::Extension;
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq, Version};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::CertificationRequest;
use crate::error::{Error, Result};
use crate::key::{Algorithm, PrivateKey, PublicKey};
use crate::name::Subject;

/// An extension to ask for, its value in DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedExtension {
    /// Its type.
    pub oid: ObjectIdentifier,
    /// Whether whoever does not know it must refuse the certificate.
    pub critical: bool,
    /// Its value in DER.
    pub value: Vec<u8>,
}

impl CertificationRequest {
    /// Builds and signs a request, and reads it back the way the cluster will.
    ///
    /// # Errors
    /// What [`PrivateKey::sign`] fails with; [`Error::Inconsistent`] if what was built does not
    /// read back as what was asked for.
    pub fn build<R: TryCryptoRng + ?Sized>(
        subject: &Subject,
        extensions: &[RequestedExtension],
        key: &PrivateKey,
        rng: &mut R,
    ) -> Result<Self> {
        let info = request_info(subject, extensions, key.public_key())?;
        let signature = key.sign(&info.to_der().map_err(unencodable)?, rng)?;
        Self::assemble(info, subject, key, &signature)
    }

    /// Makes a key and builds a request for it as [`CertificationRequest::build`] does. The
    /// request is what the key signs first ([`PrivateKey::generate_and_sign`]).
    ///
    /// # Errors
    /// What [`PrivateKey::generate`] and [`CertificationRequest::build`] fail with.
    pub fn build_with_new_key<R: TryCryptoRng + ?Sized>(
        subject: &Subject,
        extensions: &[RequestedExtension],
        algorithm: Algorithm,
        rng: &mut R,
    ) -> Result<(PrivateKey, Self)> {
        let info = |key: &PublicKey| request_info(subject, extensions, key);
        let message = |key: &PublicKey| info(key)?.to_der().map_err(unencodable);
        let (key, signature) = PrivateKey::generate_and_sign(algorithm, &message, rng)?;
        let request = Self::assemble(info(key.public_key())?, subject, &key, &signature)?;
        Ok((key, request))
    }

    fn assemble(
        info: CertReqInfo,
        subject: &Subject,
        key: &PrivateKey,
        signature: &[u8],
    ) -> Result<Self> {
        let request = CertReq {
            info,
            algorithm: key.signature_algorithm(),
            signature: BitString::from_bytes(signature).map_err(unencodable)?,
        };
        let built = Self::from_der(&request.to_der().map_err(unencodable)?)?;
        built.check_against(subject, key)?;
        Ok(built)
    }

    /// What the independent reader sees must be what was asked for.
    fn check_against(&self, subject: &Subject, key: &PrivateKey) -> Result<()> {
        let identity = self.subject().identity().ok_or(Error::Inconsistent)?;
        let same = identity.username == subject.user()
            && identity.groups == subject.groups()
            && self.public_key() == key.public_key()
            && self.verify().is_ok();
        same.then_some(()).ok_or(Error::Inconsistent)
    }
}

fn request_info(
    subject: &Subject,
    extensions: &[RequestedExtension],
    key: &PublicKey,
) -> Result<CertReqInfo> {
    let info = || {
        Ok(CertReqInfo {
            version: Version::V1,
            subject: subject.to_name()?,
            public_key: SubjectPublicKeyInfoOwned::from_der(key.spki_der())?,
            attributes: attributes(extensions)?,
        })
    };
    info().map_err(unencodable)
}

fn attributes(extensions: &[RequestedExtension]) -> der::Result<Attributes> {
    if extensions.is_empty() {
        return Ok(SetOfVec::new());
    }
    let extensions = extensions.iter().map(|extension| {
        Ok(Extension {
            extn_id: extension.oid,
            critical: extension.critical,
            extn_value: OctetString::new(extension.value.as_slice())?,
        })
    });
    let request = ExtensionReq(extensions.collect::<der::Result<_>>()?);
    SetOfVec::try_from(vec![request.try_into()?])
}

fn unencodable(_: der::Error) -> Error {
    Error::Malformed {
        what: "certification request",
        detail: crate::text::Text::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Algorithm;

    fn subject(user: &str, groups: &[&str]) -> Subject {
        let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
        Subject::new(user, &groups, false).unwrap()
    }

    #[test]
    fn what_was_built_is_compared_with_what_was_asked_for() {
        let key = || PrivateKey::generate(Algorithm::Ed25519, &mut getrandom::SysRng).unwrap();
        let (own, other) = (key(), key());
        let asked = subject("alice", &["b", "a"]);
        let mut built =
            CertificationRequest::build(&asked, &[], &own, &mut getrandom::SysRng).unwrap();
        assert_eq!(built.check_against(&asked, &own), Ok(()));
        let failed = Err(Error::Inconsistent);
        assert_eq!(
            built.check_against(&subject("bob", &["b", "a"]), &own),
            failed
        );
        assert_eq!(
            built.check_against(&subject("alice", &["a", "b"]), &own),
            failed
        );
        assert_eq!(built.check_against(&asked, &other), failed);
        built.signature[0] ^= 1;
        assert_eq!(built.check_against(&asked, &own), failed);
    }
}
