//! `kube_enroll::name`: a name reads as `x509-cert` reads it, is shown without deceit, and is issued
//! as the identity that was foretold.

use std::sync::LazyLock;

use der::asn1::{Any, BitString, SetOfVec};
use der::{Decode as _, Encode as _, Sequence, Tag};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::name::Name;
use kube_enroll::rehearsal::Authority;
use time::OffsetDateTime;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::keys::{KEYS, rng};
use super::plain::assert_plain;
use super::signed::canonical;

#[derive(Sequence)]
struct Request {
    info: Info,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

#[derive(Sequence)]
struct Info {
    version: u8,
    subject: Any,
    public_key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    attributes: SetOfVec<Any>,
}

static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::new(OffsetDateTime::UNIX_EPOCH, &mut rng()).unwrap());

/// Takes any bytes for the contents of an `RDNSequence`.
pub fn check(data: &[u8]) {
    let Ok(request) = CertificationRequest::from_der(&request(data)) else {
        return;
    };
    let name = request.subject();
    let subject = Any::new(Tag::Sequence, data).unwrap().to_der().unwrap();
    if let Some(peer) = canonical(&subject) {
        assert_same(name, &peer);
    }
    assert_plain(&name.to_string());
    is_issued_as_foretold(&request);
}

/// A request for this name, which nobody signed.
fn request(subject: &[u8]) -> Vec<u8> {
    let key = &KEYS[0];
    let request = Request {
        info: Info {
            version: 0,
            subject: Any::new(Tag::Sequence, subject).unwrap(),
            public_key: SubjectPublicKeyInfoOwned::from_der(key.public_key().spki_der()).unwrap(),
            attributes: SetOfVec::new(),
        },
        algorithm: key.signature_algorithm(),
        signature: BitString::from_bytes(&[0; 64]).unwrap(),
    };
    request.to_der().unwrap()
}

/// Demands the same attributes in the same order.
pub(super) fn assert_same(ours: &Name, theirs: &x509_cert::name::Name) {
    let ours = ours.relative().iter().map(|attributes| {
        let attributes = attributes.iter();
        attributes
            .map(|it| (it.oid.to_string(), it.value.clone()))
            .collect::<Vec<_>>()
    });
    let theirs = theirs.iter_rdn().map(|attributes| {
        let attributes = attributes.iter();
        attributes
            .map(|it| (it.oid.to_string(), it.value.to_der().unwrap()))
            .collect::<Vec<_>>()
    });
    assert_eq!(ours.collect::<Vec<_>>(), theirs.collect::<Vec<_>>());
}

fn is_issued_as_foretold(request: &CertificationRequest) {
    let object = CertificateSigningRequest::default();
    let now = OffsetDateTime::UNIX_EPOCH;
    if let Ok(certificate) = AUTHORITY.sign(request, &object, now, &mut rng()) {
        let mut foretold = request.subject().identity_when_issued();
        // A group that is named twice, the rehearsal's encoder writes once.
        if let Some(identity) = &mut foretold {
            identity.groups.dedup();
        }
        assert_eq!(certificate.subject().identity(), foretold);
    }
}
