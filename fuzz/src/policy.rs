//! `kube_enroll::policy`: a signature is good where the crates find it good, and what is accepted
//! holds a request with a good one.

use kube_enroll::inspect::signing_requests;
use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest};
use kube_enroll::pem;
use kube_enroll::policy::{Agreed, Review, review, review_csr};
use kube_enroll::yaml;

use super::keys::KEYS;
use super::signed::Signed;

/// Takes any bytes for a manifest, for a request in PEM or DER, and for one that still has to be
/// signed by one of our keys.
pub fn check(data: &[u8]) {
    for document in yaml::documents(data) {
        let comments = document.comments.clone();
        for object in signing_requests(&[document]) {
            assert_verified(&review(&object, &comments, &Agreed::default()));
        }
    }
    assert_verified(&review_csr(data, &Agreed::default()));
    let Ok(signed) = Signed::read(data) else {
        return;
    };
    if let Some(request) = signed.signed_anew(&KEYS[..]) {
        let reviewed = review_csr(&request, &Agreed::default());
        assert!(reviewed.csr.is_none() || reviewed.signature_valid);
        assert_verified(&reviewed);
        assert_verified(&review(&manifest(&request), &[], &Agreed::default()));
    }
}

fn manifest(request: &[u8]) -> CertificateSigningRequest {
    let mut object = CertificateSigningRequest {
        api_version: kube_enroll::manifest::API_VERSION.to_owned(),
        request: Some(pem::encode("CERTIFICATE REQUEST", request).into_bytes()),
        signer_name: CLIENT_SIGNER.to_owned(),
        usages: vec!["client auth".to_owned()],
        ..CertificateSigningRequest::default()
    };
    "alice".clone_into(&mut object.metadata.name);
    object
}

fn assert_verified(review: &Review) {
    let Some(csr) = &review.csr else {
        assert!(!review.prediction.accepted);
        return;
    };
    assert!(review.signature_valid || !review.prediction.accepted);
    let signed = Signed::read(csr.der());
    if let Some(verifies) = signed.ok().and_then(|signed| signed.verifies()) {
        assert_eq!(review.signature_valid, verifies);
    }
}
