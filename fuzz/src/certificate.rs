//! `kube_enroll::certificate::Certificate`: where `x509-cert` reads a certificate too, it reads the
//! same in it, and encodes it to the same bytes.

use der::oid::AssociatedOid;
use der::{Decode, Encode as _};
use kube_enroll::certificate::{Certificate, Chain};
use x509_cert::certificate::{CertificateInner, Profile};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::time::Time;

use super::name;
use super::signed::canonical;

/// Times are encoded as they were, and not as RFC 5280 wants them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct AsFound;

impl Profile for AsFound {
    fn time_encoding(time: Time) -> der::Result<Time> {
        Ok(time)
    }
}

type Peer = CertificateInner<AsFound>;

/// Takes any bytes for a certificate in DER, and for a file with a chain in PEM.
pub fn check(data: &[u8]) {
    if let Ok(chain) = Chain::from_pem(data) {
        for certificate in chain.iter() {
            check_der(certificate.der());
        }
    }
    check_der(data);
}

fn check_der(data: &[u8]) {
    let Ok(certificate) = Certificate::from_der(data) else {
        return;
    };
    assert_eq!(certificate.der(), data);
    let Some(peer) = canonical::<Peer>(data) else {
        return;
    };
    assert_agreement(&certificate, &peer);
    let encoded = peer.to_der().unwrap();
    if encoded != data {
        // Something that is left out in DER because it is the default was written all the same.
        assert!(encoded.len() < data.len());
        assert_agreement(&Certificate::from_der(&encoded).unwrap(), &peer);
    }
}

fn assert_agreement(certificate: &Certificate, peer: &Peer) {
    let tbs = peer.tbs_certificate();
    let seconds = |time: &Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap();
    let validity = tbs.validity();
    assert_eq!(
        certificate.not_before().unix_timestamp(),
        seconds(&validity.not_before)
    );
    assert_eq!(
        certificate.not_after().unix_timestamp(),
        seconds(&validity.not_after)
    );
    let public_key = tbs.subject_public_key_info().to_der().unwrap();
    assert_eq!(certificate.public_key().spki_der(), public_key);
    name::assert_same(certificate.subject(), tbs.subject());
    name::assert_same(certificate.issuer(), tbs.issuer());
    if let Some(constraints) = last_extension::<BasicConstraints>(peer) {
        assert_eq!(certificate.is_ca(), constraints.ca);
    }
}

/// The last extension of a type, if there is one that can be read.
fn last_extension<'a, T: Decode<'a> + AssociatedOid>(peer: &'a Peer) -> Option<T> {
    let extensions = peer.tbs_certificate().extensions()?;
    let mut last_first = extensions.iter().rev();
    let last = last_first.find(|it| it.extn_id == T::OID)?;
    T::from_der(last.extn_value.as_bytes()).ok()
}
