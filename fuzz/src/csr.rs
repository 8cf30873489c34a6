//! `kube_enroll::csr::CertificationRequest`: where `x509-cert` reads a request too, it reads the same
//! in it, and encodes it to the same bytes.

use der::{Decode as _, Encode as _};
use kube_enroll::csr::CertificationRequest;
use x509_cert::request::{CertReq, ExtensionReq};

use super::name;
use super::signed::canonical;

/// Takes any bytes for a request in DER.
pub fn check(data: &[u8]) {
    let Ok(request) = CertificationRequest::from_der(data) else {
        return;
    };
    assert_eq!(request.der(), data);
    // What follows the parts of a request, or an attribute that is none, crypto/x509 passes over
    // and `x509-cert` refuses.
    let Some(peer) = canonical::<CertReq>(data) else {
        return;
    };
    assert_eq!(peer.to_der().unwrap(), data);
    let public_key = peer.info.public_key.to_der().unwrap();
    assert_eq!(request.public_key().spki_der(), public_key);
    name::assert_same(request.subject(), &peer.info.subject);
    if let Some(extensions) = extensions(&peer) {
        assert_eq!(ours(&request), extensions);
    }
}

type Extension = (String, bool, Vec<u8>);

fn ours(request: &CertificationRequest) -> Vec<Extension> {
    let extensions = request.extensions().iter();
    extensions
        .map(|it| (it.oid.to_string(), it.critical, it.value.clone()))
        .collect()
}

/// What the first value of each attribute for it asks for; None where `x509-cert` cannot read one.
fn extensions(peer: &CertReq) -> Option<Vec<Extension>> {
    let mut extensions = Vec::new();
    for attribute in peer.info.attributes.iter() {
        if attribute.oid == der::oid::db::rfc5912::ID_EXTENSION_REQ {
            let value = attribute.values.iter().next()?;
            let request = ExtensionReq::from_der(&value.to_der().ok()?).ok()?;
            extensions.extend(request.0.into_iter().map(|it| {
                let value = it.extn_value.into_bytes();
                (it.extn_id.to_string(), it.critical, value.to_vec())
            }));
        }
    }
    Some(extensions)
}
