//! A throwaway certificate authority that signs as kube-controller-manager does
//! (k8s.io/kubernetes/pkg/controller/certificates/signer and authority).

use std::time::Duration;

use der::asn1::{Any, BitString, GeneralizedTime, OctetString, UtcTime};
use der::oid::ObjectIdentifier;
use der::oid::db::{rfc4519, rfc5280};
use der::{Decode as _, Encode, Sequence, Tag};
use rand_core::TryCryptoRng;
use rcgen::{
    BasicConstraints as CaConstraints, CertificateParams, DnType, IsCa, KeyIdMethod,
    KeyUsagePurpose,
};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use crate::certificate::Certificate;
use crate::csr::CertificationRequest;
use crate::error::{Error, Result};
use crate::key::{Algorithm, PrivateKey};
use crate::manifest::CertificateSigningRequest;
use crate::name::{AttributeKind, Name, is_written_printable};

/// `--cluster-signing-duration` where it is not set: a year.
const DEFAULT_SECONDS: i64 = 365 * 86_400;
/// Certificates are dated back, so that clocks may differ.
const BACKDATE_SECONDS: i64 = 5 * 60;
/// Shorter lifetimes are not shortened by the backdating.
const SHORT_SECONDS: i64 = 8 * 3_600;

/// A certificate authority for a rehearsal.
pub struct Authority {
    key: PrivateKey,
    certificate: Certificate,
}

impl Authority {
    /// Makes a certificate authority that is valid for ten years from `now`.
    ///
    /// # Errors
    /// What [`PrivateKey::generate`] fails with; [`Error::Malformed`] if it cannot be encoded.
    pub fn new<R: TryCryptoRng + ?Sized>(now: OffsetDateTime, rng: &mut R) -> Result<Self> {
        let key = PrivateKey::generate(Algorithm::EcdsaP256, rng)?;
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "rehearsal");
        parameters.is_ca = IsCa::Ca(CaConstraints::Unconstrained);
        parameters.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyCertSign,
        ];
        parameters.not_before = now - time::Duration::HOUR;
        parameters.not_after = now + time::Duration::days(10 * 365);
        let mut serial = [0; 16];
        rng.try_fill_bytes(&mut serial)
            .map_err(|_| Error::Randomness)?;
        parameters.serial_number = Some(serial.to_vec().into());
        let point = public_point(&key)?;
        // RFC 7093 section 2, its first method.
        let identifier: Vec<u8> = Sha256::digest(&point).into_iter().take(20).collect();
        parameters.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
        let signer = CaSigner {
            key: &key,
            point,
            rng: std::cell::RefCell::new(rng),
        };
        let certificate = parameters.self_signed(&signer).map_err(unencodable)?;
        let certificate = Certificate::from_der(certificate.der())?;
        Ok(Self { key, certificate })
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs `csr` with the usages and lifetime of `object`, as kube-controller-manager would at
    /// `now`: backdated by five minutes, for a year where no lifetime is asked for. Whether it is
    /// approved, and whether the signer would refuse it, is for [`crate::policy`] to say.
    ///
    /// # Errors
    /// What [`PrivateKey::sign`] fails with; [`Error::Malformed`] if it cannot be encoded.
    pub fn sign<R: TryCryptoRng + ?Sized>(
        &self,
        csr: &CertificationRequest,
        object: &CertificateSigningRequest,
        now: OffsetDateTime,
        rng: &mut R,
    ) -> Result<Certificate> {
        let mut serial = [0; 16];
        rng.try_fill_bytes(&mut serial)
            .map_err(|_| Error::Randomness)?;
        // A serial number is positive and not zero.
        serial[0] = serial[0] & 0x7F | 1;
        let signed = self
            .tbs_certificate(csr, object, now, &serial)
            .and_then(|tbs| tbs.to_der())
            .map_err(unencodable)?;
        let certificate = SignedCertificate {
            tbs_certificate: Any::from_der(&signed).map_err(unencodable)?,
            signature_algorithm: self.key.signature_algorithm(),
            signature: BitString::from_bytes(&self.key.sign(&signed, rng)?).map_err(unencodable)?,
        };
        Certificate::from_der(&certificate.to_der().map_err(unencodable)?)
    }

    fn tbs_certificate(
        &self,
        csr: &CertificationRequest,
        object: &CertificateSigningRequest,
        now: OffsetDateTime,
        serial: &[u8],
    ) -> der::Result<TbsCertificate> {
        Ok(TbsCertificate {
            version: 2,
            serial_number: SerialNumber::new(serial)?,
            signature: self.key.signature_algorithm(),
            issuer: Any::from_der(self.certificate.subject_der())?,
            validity: validity(object.expiration_seconds, now, &self.certificate)?,
            subject: Any::from_der(&subject(csr.subject())?.to_der()?)?,
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(
                csr.public_key().spki_der(),
            )?,
            extensions: self.extensions(csr, object)?,
        })
    }

    /// Usages from the spec, no authority, the issuer's key, and the names copied.
    fn extensions(
        &self,
        csr: &CertificationRequest,
        object: &CertificateSigningRequest,
    ) -> der::Result<Vec<Extension>> {
        let mut extensions = Vec::new();
        let mut add = |oid: ObjectIdentifier, critical, value: Vec<u8>| -> der::Result<()> {
            extensions.push(Extension {
                extn_id: oid,
                critical,
                extn_value: OctetString::new(value)?,
            });
            Ok(())
        };
        let has = |usage: &str| object.usages.iter().any(|found| found == usage);
        let mut usages = der::flagset::FlagSet::default();
        if has("digital signature") || has("signing") {
            usages |= KeyUsages::DigitalSignature;
        }
        if has("key encipherment") {
            usages |= KeyUsages::KeyEncipherment;
        }
        if !usages.is_empty() {
            add(rfc5280::ID_CE_KEY_USAGE, true, KeyUsage(usages).to_der()?)?;
        }
        let purposes = ExtendedKeyUsage(vec![rfc5280::ID_KP_CLIENT_AUTH]);
        add(rfc5280::ID_CE_EXT_KEY_USAGE, false, purposes.to_der()?)?;
        let constraints = BasicConstraints {
            ca: false,
            path_len_constraint: None,
        };
        add(
            rfc5280::ID_CE_BASIC_CONSTRAINTS,
            true,
            constraints.to_der()?,
        )?;
        if let Some(identifier) = self.certificate.key_identifier() {
            let issuer = AuthorityKeyIdentifier {
                key_identifier: Some(OctetString::new(identifier)?),
                ..AuthorityKeyIdentifier::default()
            };
            let oid = rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER;
            add(oid, false, issuer.to_der()?)?;
        }
        let names = csr
            .extensions()
            .iter()
            .find(|extension| extension.oid == rfc5280::ID_CE_SUBJECT_ALT_NAME);
        if let Some(names) = names {
            add(
                rfc5280::ID_CE_SUBJECT_ALT_NAME,
                names.critical,
                names.value.clone(),
            )?;
        }
        Ok(extensions)
    }
}

/// rcgen asks a signer for the authority's own certificate.
struct CaSigner<'a, R: ?Sized> {
    key: &'a PrivateKey,
    point: Vec<u8>,
    rng: std::cell::RefCell<&'a mut R>,
}

impl<R: ?Sized> rcgen::PublicKeyData for CaSigner<'_, R> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl<R: TryCryptoRng + ?Sized> rcgen::SigningKey for CaSigner<'_, R> {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rcgen::Error> {
        let mut rng = self.rng.borrow_mut();
        self.key
            .sign(message, &mut **rng)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn public_point(key: &PrivateKey) -> Result<Vec<u8>> {
    let spki =
        SubjectPublicKeyInfoOwned::from_der(key.public_key().spki_der()).map_err(unencodable)?;
    Ok(spki.subject_public_key.raw_bytes().to_vec())
}

/// RFC 5280 section 4.1.
#[derive(Sequence)]
struct SignedCertificate {
    tbs_certificate: Any,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// RFC 5280 section 4.1, without the unique identifiers that nobody uses.
#[derive(Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: Any,
    validity: Validity,
    subject: Any,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// k8s.io/kubernetes/pkg/controller/certificates/signer `duration` and authority
/// `PermissiveSigningPolicy`.
fn validity(
    asked: Option<i32>,
    now: OffsetDateTime,
    authority: &Certificate,
) -> der::Result<Validity> {
    let lifetime = asked.map_or(DEFAULT_SECONDS, |seconds| {
        i64::from(seconds).clamp(600, DEFAULT_SECONDS)
    });
    let after = if lifetime < SHORT_SECONDS {
        lifetime
    } else {
        lifetime - BACKDATE_SECONDS
    };
    let not_before = now - time::Duration::seconds(BACKDATE_SECONDS);
    let not_after = (now + time::Duration::seconds(after)).min(authority.not_after());
    Ok(Validity::new(
        encode_time(not_before)?,
        encode_time(not_after)?,
    ))
}

fn encode_time(time: OffsetDateTime) -> der::Result<Time> {
    let seconds = u64::try_from(time.unix_timestamp()).unwrap_or_default();
    let since_epoch = Duration::from_secs(seconds);
    Ok(match UtcTime::from_unix_duration(since_epoch) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => Time::GeneralTime(GeneralizedTime::from_unix_duration(since_epoch)?),
    })
}

/// The name as crypto/x509/pkix `ToRDNSequence` encodes it anew: the kinds that it keeps, in its
/// order, all values of a kind in one SET.
fn subject(name: &Name) -> der::Result<RdnSequence> {
    use AttributeKind as Kind;
    const ORDER: [(Kind, ObjectIdentifier); 9] = [
        (Kind::Country, rfc4519::COUNTRY_NAME),
        (Kind::Province, rfc4519::ST),
        (Kind::Locality, rfc4519::LOCALITY_NAME),
        (Kind::StreetAddress, rfc4519::STREET),
        (Kind::PostalCode, rfc4519::POSTAL_CODE),
        (Kind::Organization, rfc4519::ORGANIZATION_NAME),
        (Kind::OrganizationalUnit, rfc4519::ORGANIZATIONAL_UNIT_NAME),
        (Kind::CommonName, rfc4519::COMMON_NAME),
        (Kind::SerialNumber, rfc4519::SERIAL_NUMBER),
    ];
    let mut names = RdnSequence::default();
    for (kind, oid) in ORDER {
        let mut values: Vec<&str> = name.values(kind).collect();
        if matches!(kind, Kind::CommonName | Kind::SerialNumber) {
            // Go keeps the last one, and leaves out an empty one.
            values = values.into_iter().next_back().into_iter().collect();
            values.retain(|value| !value.is_empty());
        }
        values.sort_unstable();
        values.dedup();
        let mut relative = RelativeDistinguishedName::default();
        for text in values {
            let tag = if is_written_printable(text) {
                Tag::PrintableString
            } else {
                Tag::Utf8String
            };
            let value = Any::new(tag, text.as_bytes())?;
            relative.insert(AttributeTypeAndValue { oid, value })?;
        }
        if !relative.is_empty() {
            names.push(relative);
        }
    }
    Ok(names)
}

fn unencodable(_: impl std::fmt::Display) -> Error {
    Error::Malformed {
        what: "rehearsal certificate",
        detail: crate::text::Text::default(),
    }
}

#[cfg(test)]
mod tests {
    use rand_core::TryRng;

    use super::*;
    use crate::csr::RequestedExtension;
    use crate::name::Subject;

    const NOW: OffsetDateTime = time::macros::datetime!(2030-01-02 03:04:05 UTC);

    fn request(extensions: &[RequestedExtension]) -> CertificationRequest {
        let rng = &mut getrandom::SysRng;
        let key = PrivateKey::generate(Algorithm::Ed25519, rng).unwrap();
        let subject = Subject::new("alice", &["dev".to_owned()], false).unwrap();
        CertificationRequest::build(&subject, extensions, &key, rng).unwrap()
    }

    /// What is issued for these extensions and this lifetime.
    fn issued(extensions: &[RequestedExtension], seconds: Option<i32>) -> Certificate {
        let rng = &mut getrandom::SysRng;
        let csr = request(extensions);
        let object = CertificateSigningRequest {
            expiration_seconds: seconds,
            ..CertificateSigningRequest::default()
        };
        let authority = Authority::new(NOW, rng).unwrap();
        let certificate = authority.sign(&csr, &object, NOW, rng).unwrap();
        assert!(certificate.is_issued_by(authority.certificate()));
        certificate
    }

    #[test]
    fn names_are_copied_and_no_other_extension() {
        let extension = |oid, value: &[u8]| RequestedExtension {
            oid,
            critical: false,
            value: value.to_vec(),
        };
        let name = b"\x30\x0F\x82\x0Dx.example.com";
        let asked = [
            extension(rfc5280::ID_CE_BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0xFF]),
            extension(rfc5280::ID_CE_SUBJECT_ALT_NAME, name),
        ];
        let has_name = |certificate: &Certificate| {
            let mut windows = certificate.der().windows(name.len());
            windows.any(|window| window == name)
        };
        let certificate = issued(&asked, None);
        assert!(has_name(&certificate) && !certificate.is_ca());
        let certificate = issued(&asked[..1], None);
        assert!(!has_name(&certificate) && !certificate.is_ca());
    }

    #[test]
    fn what_a_key_is_used_for_comes_from_the_usages_of_the_object() {
        let rng = &mut getrandom::SysRng;
        let authority = Authority::new(NOW, rng).unwrap();
        let csr = request(&[]);
        // KeyUsage: digitalSignature is the first bit, keyEncipherment the third.
        for (usages, bits) in [
            (&["client auth"][..], None),
            (&["digital signature", "client auth"], Some([7, 0x80])),
            (&["signing", "client auth"], Some([7, 0x80])),
            (&["key encipherment"], Some([5, 0x20])),
            (&["digital signature", "key encipherment"], Some([5, 0xA0])),
        ] {
            let object = CertificateSigningRequest {
                usages: usages.iter().map(|usage| (*usage).to_owned()).collect(),
                ..CertificateSigningRequest::default()
            };
            let certificate = authority.sign(&csr, &object, NOW, rng).unwrap();
            let key_usage = [0x06, 3, 0x55, 0x1D, 15, 1, 1, 0xFF, 4, 4, 3, 2];
            let mut windows = certificate.der().windows(key_usage.len() + 2);
            let found = windows.find_map(|it| it.strip_prefix(&key_usage));
            assert_eq!(found, bits.as_ref().map(|bits| &bits[..]), "{usages:?}");
        }
    }

    #[test]
    fn a_lifetime_of_eight_hours_and_more_includes_the_backdating() {
        let hours = |hours| hours * 3_600;
        for (asked, lasts) in [
            (None, hours(365 * 24) - 300),
            (Some(hours(400 * 24)), hours(365 * 24) - 300),
            (Some(hours(8)), hours(8) - 300),
            (Some(hours(8) - 1), hours(8) - 1),
            (Some(600), 600),
            (Some(1), 600),
        ] {
            let certificate = issued(&[], asked);
            let seconds = |time: OffsetDateTime| (time - NOW).whole_seconds();
            assert_eq!(seconds(certificate.not_before()), -300);
            assert_eq!(seconds(certificate.not_after()), i64::from(lasts));
        }
    }

    /// Gives the same byte again and again.
    struct Always(u8);

    impl TryRng for Always {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> std::result::Result<u32, Self::Error> {
            Ok(u32::from_ne_bytes([self.0; 4]))
        }
        fn try_next_u64(&mut self) -> std::result::Result<u64, Self::Error> {
            Ok(u64::from_ne_bytes([self.0; 8]))
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Self::Error> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Always {}

    #[test]
    fn a_serial_number_is_positive_and_not_zero() {
        let authority = Authority::new(NOW, &mut getrandom::SysRng).unwrap();
        let (csr, asked) = (request(&[]), CertificateSigningRequest::default());
        for (byte, serial) in [
            (0, ["01", &"00".repeat(15)]),
            (0xFF, ["7f", &"ff".repeat(15)]),
        ] {
            let certificate = authority.sign(&csr, &asked, NOW, &mut Always(byte));
            assert_eq!(certificate.unwrap().serial(), serial.concat());
        }
    }

    #[test]
    fn both_usages_for_signing_become_the_same_key_usage() {
        let rng = &mut getrandom::SysRng;
        let authority = Authority::new(NOW, rng).unwrap();
        let mut may_sign = |usage: &str| {
            let asked = CertificateSigningRequest {
                usages: vec![usage.to_owned()],
                ..CertificateSigningRequest::default()
            };
            let certificate = authority.sign(&request(&[]), &asked, NOW, rng).unwrap();
            let key_usage = b"\x55\x1D\x0F\x01\x01\xFF\x04\x04\x03\x02\x07\x80";
            let mut windows = certificate.der().windows(key_usage.len());
            windows.any(|window| window == key_usage)
        };
        assert!(may_sign("digital signature"));
        assert!(may_sign("signing"));
        assert!(!may_sign("key encipherment"));
    }
}
