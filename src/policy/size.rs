//! Sizes at which parts of a cluster give up. What a cluster adds to a request is only known
//! about, so that a few hundred bytes on either side of a limit are a guess.

use super::{Code, Effect, Finding};
use crate::csr::CertificationRequest;

/// The largest object that etcd stores (its `--max-request-bytes`, which few change), in bytes.
const MAX_STORED: usize = 3 << 19;
/// The largest certificate that a server takes from a client (crypto/tls
/// `maxHandshakeCertificateMsg`), in bytes.
const MAX_PRESENTED: usize = 1 << 18;

/// What an object holds besides request and certificate: names, conditions, managed fields.
const OBJECT: usize = 2_000;
/// What a certificate holds besides names and key: issuer, validity, extensions, signature.
const CERTIFICATE: usize = 700;
/// Tags and lengths of an attribute in a name, and its type.
const ATTRIBUTE: usize = 12;

/// `request` is the length of `spec.request` once its base64 is taken off.
pub(super) fn check(csr: &CertificationRequest, request: usize) -> Option<Finding> {
    let certificate = certificate_size(csr);
    let stored = request + OBJECT;
    let (effect, message) = if stored > MAX_STORED {
        let message = "etcd does not store objects of more than 1.5 MiB; ask for shorter names";
        (Effect::NotAccepted, message)
    } else if stored + of_pem(certificate) > MAX_STORED {
        let message = "with its certificate the object would be larger than the 1.5 MiB that etcd \
                       stores: it would stay approved and never be issued; ask for shorter names";
        (Effect::NotIssued, message)
    } else if certificate > MAX_PRESENTED {
        let message = "the certificate would be larger than the 256 KiB that a TLS server takes: \
                       no connection could be made with it; ask for fewer groups";
        (Effect::NotAuthenticated, message)
    } else {
        return None;
    };
    Some(Finding::new(
        effect,
        Code::TooLarge,
        "spec.request",
        message,
    ))
}

fn certificate_size(csr: &CertificationRequest) -> usize {
    let attributes = csr.subject().attributes();
    let subject: usize = attributes
        .map(|attribute| attribute.value.len() + ATTRIBUTE)
        .sum();
    let copied = csr
        .extensions()
        .iter()
        .filter(|extension| extension.is_subject_alt_name());
    let names: usize = copied.map(|extension| extension.value.len()).sum();
    subject + names + csr.public_key().spki_der().len() + CERTIFICATE
}

/// Base64 in lines of 64.
pub(super) fn of_pem(der: usize) -> usize {
    der.div_ceil(48) * 65
}
