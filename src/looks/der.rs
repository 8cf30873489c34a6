//! Files in DER, by what is in them.

use super::{Age, Form, Look, Sealing, damage};
use crate::certificate::Certificate;
use crate::csr::CertificationRequest;
use crate::key::{EncodedKey, PublicKey};

/// What the first structure in a file says that it is.
pub(super) fn by_der(bytes: &[u8]) -> Option<Look> {
    const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
    const ENVELOPED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3];
    if bytes.first() != Some(&0x30) {
        return None;
    }
    let head = bytes.get(..32.min(bytes.len())).unwrap_or_default();
    let has = |part: &[u8]| memchr::memmem::find(head, part).is_some();
    if CertificationRequest::from_der(bytes).is_ok() {
        Some(Look::Request)
    } else if Certificate::from_der(bytes).is_ok() {
        Some(Look::Certificate)
    } else if EncodedKey::find(bytes).is_ok() {
        Some(Look::PrivateKey)
    } else if PublicKey::from_spki_der(bytes).is_ok() {
        Some(Look::PublicKey)
    } else if has(&[2, 1, 3, 0x30]) {
        // PBE with RC2 or RC4 (RFC 7292 appendix C).
        let scheme = |last| [&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 12, 1][..], &[last]].concat();
        let uses = |last| memchr::memmem::find(bytes, &scheme(last)).is_some();
        let is_old = [1, 2, 5, 6].into_iter().any(uses);
        Some(Look::Pkcs12(if is_old { Age::Old } else { Age::Recent }))
    } else if has(SIGNED_DATA) {
        Some(Look::Pkcs7(Form::Der))
    } else if has(ENVELOPED_DATA) {
        Some(Look::Sealed(Sealing::Smime))
    } else {
        damage::length(bytes).map(Look::Damaged)
    }
}
