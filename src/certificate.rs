//! Issued certificates (RFC 5280): read, dated, and matched to a key and to whoever issued them.

use std::fmt;

use sha2::{Digest as _, Sha256};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::asn1::{self, Class, Element, Problem, tag};
use crate::error::{Error, Result};
use crate::key::{PublicKey, SignatureAlgorithm, Signed};
use crate::name::Name;
use crate::pem;
use crate::text;
use crate::text::{Text, count, hex};

mod chain;
mod extensions;
mod path;

pub use chain::Chain;
use extensions::Extensions;
pub use path::{NoPath, Unfit};

/// The PEM label of certificates.
pub const PEM_LABEL: &str = "CERTIFICATE";

/// What OpenSSL wrote in its place before 0.9.3 and still reads, and Go does not.
pub(crate) const OLD_PEM_LABEL: &str = "X509 CERTIFICATE";

/// A certificate, with the very bytes that it was read from.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Vec<u8>,
    /// Where `tbsCertificate`, the signed part, lies in `der`.
    signed: std::ops::Range<usize>,
    version: i64,
    serial: Vec<u8>,
    issuer: Named,
    subject: Named,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    public_key: PublicKey,
    extensions: Extensions,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

/// A name with its encoding, since issuers are matched by it.
#[derive(Debug, Clone)]
struct Named {
    name: Name,
    der: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`Error::Malformed`] where the bytes are not one.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Self::read(der).map_err(|problem| Error::Malformed {
            what: "certificate",
            detail: problem.into(),
        })
    }

    /// Every certificate of a PEM file, in its order.
    ///
    /// # Errors
    /// [`Error::NoCertificate`] where there is none; [`Error::Malformed`] for one that is broken.
    pub fn all_from_pem(input: &[u8]) -> Result<Vec<Self>> {
        let all = pem::blocks(input)
            .filter(|block| block.label == PEM_LABEL)
            .map(|block| Self::from_der(&block.contents))
            .collect::<Result<Vec<_>>>()?;
        if all.is_empty() {
            return Err(Error::NoCertificate);
        }
        Ok(all)
    }

    fn read(der: &[u8]) -> std::result::Result<Self, Problem> {
        let signed = Signed::read(der)?;
        let tbs_fields = TbsCertificate::read(signed.contents)?;
        Ok(Self {
            der: der.to_vec(),
            signed: signed.span,
            version: tbs_fields.version,
            serial: tbs_fields.serial.to_vec(),
            issuer: Named::read(tbs_fields.issuer)?,
            subject: Named::read(tbs_fields.subject)?,
            not_before: tbs_fields.not_before,
            not_after: tbs_fields.not_after,
            public_key: PublicKey::read(tbs_fields.public_key)?,
            extensions: tbs_fields.extensions,
            signature_algorithm: signed.algorithm,
            signature: signed.signature,
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, &self.der)
    }

    /// The serial number in hexadecimal digits.
    #[must_use]
    pub fn serial(&self) -> String {
        hex(&self.serial)
    }

    /// By what API servers tell it in their audit log, as
    /// `authentication.kubernetes.io/credential-id`: `X509SHA256=` and the SHA-256 hash of its DER in
    /// lower-case digits (k8s.io/apiserver/pkg/authentication/request/x509 `CommonNameUserConversion`).
    #[must_use]
    pub fn credential_id(&self) -> String {
        format!("X509SHA256={}", hex(&Sha256::digest(&self.der)))
    }

    /// Whom the certificate is for.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject.name
    }

    /// Whom the certificate is for, in DER.
    pub(crate) fn subject_der(&self) -> &[u8] {
        &self.subject.der
    }

    /// The identifier by which issued certificates name this key (`subjectKeyIdentifier`).
    pub(crate) fn key_identifier(&self) -> Option<&[u8]> {
        self.extensions.key_identifier.as_deref()
    }

    /// Who issued the certificate.
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.issuer.name
    }

    /// The certified key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The first second of validity.
    #[must_use]
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The last second of validity.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// Whole days until it ends; negative from the second on in which it is over.
    #[must_use]
    pub fn days_left(&self, now: OffsetDateTime) -> i64 {
        let seconds = (self.not_after - now).whole_seconds();
        seconds.div_euclid(24 * 60 * 60)
    }

    /// The lifetime that was granted, in seconds, which kube-controller-manager makes five minutes
    /// longer where it is less than eight hours
    /// (k8s.io/kubernetes/pkg/controller/certificates/authority `PermissiveSigningPolicy`).
    #[must_use]
    pub fn granted_seconds(&self) -> i64 {
        const BACKDATE: i64 = 5 * 60;
        const SHORT: i64 = 8 * 3_600;
        let granted = self.not_after - self.not_before;
        let granted = granted.whole_seconds();
        match granted - BACKDATE {
            short @ ..SHORT => short,
            _ => granted,
        }
    }

    /// Whether it is time for the next one: less than a tenth of its lifetime is left, or three days
    /// where that is less, and at most thirty. One that lasts no longer than three days is in its last
    /// tenth.
    #[must_use]
    pub fn ends_soon(&self, now: OffsetDateTime) -> bool {
        const LEAST: Duration = Duration::days(3);
        const MOST: Duration = Duration::days(30);
        let lifetime = self.not_after - self.not_before;
        let tenth: Duration = lifetime / 10;
        let early = if lifetime > LEAST {
            tenth.clamp(LEAST, MOST)
        } else {
            tenth
        };
        self.not_after - now < early
    }

    /// Whether TLS clients may authenticate with it (`extendedKeyUsage`).
    #[must_use]
    pub fn client_auth(&self) -> bool {
        self.extensions.client_auth.unwrap_or(true)
    }

    /// Whether it may issue certificates itself (`basicConstraints`).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        let constraints = self.extensions.basic_constraints;
        constraints.is_some_and(|it| it.is_ca)
    }

    /// The first critical extension that API servers do not know, for which they refuse it.
    #[must_use]
    pub fn unknown_critical_extension(&self) -> Option<String> {
        self.extensions
            .not_understood
            .as_ref()
            .map(ToString::to_string)
    }

    /// How it is signed.
    #[must_use]
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// Checks the dates.
    ///
    /// # Errors
    /// [`Error::Expired`] and [`Error::NotYetValid`].
    pub fn check_dates(&self, now: OffsetDateTime) -> Result<()> {
        if now < self.not_before {
            return Err(Error::NotYetValid {
                not_before: show_time(self.not_before),
                now: show_time(now),
            });
        }
        if now > self.not_after {
            return Err(Error::Expired {
                not_after: show_time(self.not_after),
                now: show_time(now),
            });
        }
        Ok(())
    }

    /// Whether `issuer` is named as the issuer and signed this certificate; [`Chain::verify_client`] asks more.
    #[must_use]
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.issuer.der == issuer.subject.der && self.verify_issued_by(issuer).is_ok()
    }
}

impl Named {
    fn read(element: Element<'_>) -> std::result::Result<Self, Problem> {
        Ok(Self {
            name: Name::read(element)?,
            der: element.whole.to_vec(),
        })
    }
}

/// How [`Certificate::days_left`] is told: what is left, or how long ago it ended.
#[must_use]
pub fn show_days_left(days: i64) -> Text {
    match usize::try_from(days) {
        Ok(0) => "less than a day left".into(),
        Ok(days) => text!("{} left", count(days, "day", "days")),
        Err(_) => text!("ended {}", show_days_ago(days)),
    }
}

/// How long ago it ended: the day in which it did is day -1.
#[must_use]
pub fn show_days_ago(days: i64) -> Text {
    match usize::try_from(-1 - days).unwrap_or_default() {
        0 => "less than a day ago".into(),
        days => text!("{} ago", count(days, "day", "days")),
    }
}

/// A time as people and programs read it: RFC 3339 in UTC, to the second.
#[must_use]
pub fn show_time(time: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time.to_offset(time::UtcOffset::UTC)
        .format(FORMAT)
        .unwrap_or_else(|_| time.unix_timestamp().to_string())
}

/// The fields of `TBSCertificate` that matter here.
struct TbsCertificate<'a> {
    version: i64,
    serial: &'a [u8],
    issuer: Element<'a>,
    subject: Element<'a>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    public_key: Element<'a>,
    extensions: Extensions,
}

impl<'a> TbsCertificate<'a> {
    fn read(tbs: Element<'a>) -> std::result::Result<Self, Problem> {
        let mut fields = tbs.inside();
        let mut ahead = fields;
        let first = ahead.element()?;
        let mut version = 1;
        if first.class == Class::ContextSpecific {
            let number = first.inside().expect(tag::INTEGER, false)?;
            version = asn1::int64(number.contents)?.saturating_add(1);
            fields = ahead;
        }
        let serial = fields.expect(tag::INTEGER, false)?.contents;
        fields.sequence()?;
        let issuer = fields.element()?;
        let mut validity = fields.sequence()?;
        let not_before = time(validity.element()?)?;
        let not_after = time(validity.element()?)?;
        let subject = fields.element()?;
        let public_key = fields.expect(tag::SEQUENCE, true)?;
        let mut read = Self {
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            public_key,
            extensions: Extensions::default(),
        };
        while !fields.is_empty() {
            let field = fields.element()?;
            if field.class == Class::ContextSpecific && field.tag == 3 {
                read.extensions = Extensions::read(field.inside().sequence()?)?;
            }
        }
        Ok(read)
    }
}

/// `Time` as RFC 5280 section 4.1.2.5 has it: in UTC, to the second.
fn time(element: Element<'_>) -> std::result::Result<OffsetDateTime, Problem> {
    const INVALID: Problem = "invalid time";
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year][month][day][hour][minute][second]Z");
    let text = std::str::from_utf8(element.contents).map_err(|_| INVALID)?;
    let text = match element.tag {
        tag::UTC_TIME if text < "50" => format!("20{text}"),
        tag::UTC_TIME => format!("19{text}"),
        tag::GENERALIZED_TIME => text.to_owned(),
        _ => return Err(INVALID),
    };
    time::PrimitiveDateTime::parse(&text, FORMAT)
        .map(time::PrimitiveDateTime::assume_utc)
        .map_err(|_| INVALID)
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} until {}", self.subject(), show_time(self.not_after))
    }
}

crate::text::show_escaped!(Certificate);

/// As [`show_time`] does.
impl text::Show for OffsetDateTime {
    fn show(&self) -> Text {
        Text::of_raw(&show_time(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::extensions::{ANY_EXTENDED_KEY_USAGE, CLIENT_AUTH};
    use super::*;
    use crate::asn1::encode;
    use crate::csr::CertificationRequest;
    use crate::inspect;
    use crate::key::Algorithm;
    use crate::manifest::{CLIENT_SIGNER, Manifest};
    use crate::name::Subject;
    use crate::rehearsal::Authority;
    use crate::yaml;

    const NOW: OffsetDateTime = time::macros::datetime!(2030-01-02 03:04:05 UTC);

    fn authority() -> Certificate {
        let authority = Authority::new(NOW, &mut getrandom::SysRng).unwrap();
        authority.certificate().clone()
    }

    /// A certificate signed by nobody: its version, the times of its validity, its extensions.
    fn unsigned(
        version: &[u8],
        validity: [(u8, &str); 2],
        extensions: &[Vec<u8>],
    ) -> Result<Certificate> {
        let ed25519 = encode(0x30, &encode(6, &[0x2B, 0x65, 0x70]));
        let bits = |size| encode(3, &vec![0; size]);
        let times = validity.map(|(tag, text)| encode(tag, text.as_bytes()));
        let tbs = [
            version.to_vec(),
            encode(2, &[1]),
            ed25519.clone(),
            encode(0x30, &[]),
            encode(0x30, &times.concat()),
            encode(0x30, &[]),
            encode(0x30, &[ed25519.clone(), bits(33)].concat()),
            encode(0x81, &[0]),
            encode(0xA3, &encode(0x30, &extensions.concat())),
        ];
        let signed = [encode(0x30, &tbs.concat()), ed25519, bits(65)];
        Certificate::from_der(&encode(0x30, &signed.concat()))
    }

    const VERSION_3: &[u8] = &[0xA0, 3, 2, 1, 2];
    const VALIDITY: [(u8, &str); 2] = [(23, "300101000000Z"), (23, "310101000000Z")];

    /// A certificate with one extension, marked critical or not.
    fn extended(last_arc: u8, critical: bool, value: &[u8]) -> Certificate {
        let flag = if critical { encode(1, &[0xFF]) } else { vec![] };
        let fields = [encode(6, &[0x55, 0x1D, last_arc]), flag, encode(4, value)];
        unsigned(VERSION_3, VALIDITY, &[encode(0x30, &fields.concat())]).unwrap()
    }

    #[test]
    fn the_first_and_the_last_second_belong_to_the_validity() {
        let certificate = authority();
        let (first, last) = (certificate.not_before(), certificate.not_after());
        for good in [first, NOW, last] {
            assert_eq!(certificate.check_dates(good), Ok(()));
        }
        let second = Duration::SECOND;
        assert_eq!(
            certificate.check_dates(first - second),
            Err(Error::NotYetValid {
                not_before: "2030-01-02T02:04:05Z".to_owned(),
                now: "2030-01-02T02:04:04Z".to_owned(),
            })
        );
        assert!(matches!(
            certificate.check_dates(last + second),
            Err(Error::Expired { .. })
        ));
    }

    #[test]
    fn days_left_are_whole_and_negative_once_it_is_over() {
        let certificate = authority();
        let last = certificate.not_after();
        let hour = Duration::HOUR;
        for (now, days) in [
            (last - hour * 25, 1),
            (last - hour * 23, 0),
            (last, 0),
            (last + Duration::SECOND, -1),
            (last + hour * 25, -2),
        ] {
            assert_eq!(certificate.days_left(now), days, "{now}");
        }
    }

    #[test]
    fn the_credential_is_named_by_the_hash_of_the_whole_certificate() {
        let certificate = authority();
        let id = certificate.credential_id();
        let digits = id.strip_prefix("X509SHA256=").unwrap();
        assert_eq!(digits, hex(&Sha256::digest(certificate.der())));
        assert!(digits.len() == 64 && !digits.contains(|c: char| c.is_ascii_uppercase()));
    }

    #[test]
    fn an_issuer_is_known_by_its_name_and_its_signature() {
        let issuer = authority();
        assert!(issuer.is_issued_by(&issuer));
        // The same name, and another key.
        assert!(!issuer.is_issued_by(&authority()));
        let mut renamed = issuer.der().to_vec();
        let subject = renamed.windows(9).rposition(|text| text == b"rehearsal");
        renamed[subject.unwrap()] = b'R';
        let renamed = Certificate::from_der(&renamed).unwrap();
        assert_eq!(renamed.public_key(), issuer.public_key());
        assert!(!issuer.is_issued_by(&renamed));
    }

    #[test]
    fn a_chain_is_read_back_and_nothing_else_is_one() {
        let (first, second) = (authority(), authority());
        let request = pem::encode("CERTIFICATE REQUEST", b"0");
        let input = [first.to_pem(), request.clone(), second.to_pem()].concat();
        let chain = Chain::from_pem(input.as_bytes()).unwrap();
        let chain: Vec<_> = chain.iter().map(Certificate::der).collect();
        assert_eq!(chain, [first.der(), second.der()]);
        let none = Chain::from_pem(request.as_bytes()).map(|_| ());
        assert_eq!(none, Err(Error::NoCertificate));
        let broken = pem::encode(PEM_LABEL, b"0");
        assert!(Chain::from_pem(broken.as_bytes()).is_err());
    }

    /// An authority, and two certificates that it issued for one key: the second ends last.
    fn issued() -> [Certificate; 3] {
        let authority = Authority::new(NOW, &mut getrandom::SysRng).unwrap();
        let subject = Subject::new("alice", &[], false).unwrap();
        let (_, request) = CertificationRequest::build_with_new_key(
            &subject,
            &[],
            Algorithm::Ed25519,
            &mut getrandom::SysRng,
        )
        .unwrap();
        let [first, second] = ["30d", "90d"].map(|lifetime| {
            let lifetime = lifetime.parse().ok();
            let manifest = Manifest::asking("alice", &request, CLIENT_SIGNER, lifetime);
            let documents = yaml::documents(manifest.to_yaml().as_bytes());
            let object = inspect::signing_requests(&documents).remove(0);
            let issued = authority.sign(&request, &object, NOW, &mut getrandom::SysRng);
            issued.unwrap()
        });
        [authority.certificate().clone(), first, second]
    }

    #[test]
    fn the_one_that_is_meant_is_found_wherever_it_stands_and_leads_its_authorities() {
        let [authority, first, second] = issued();
        let all = vec![authority.clone(), first.clone(), second.clone()];
        let chain = Chain::try_from(all).unwrap();
        let der = |certificates: Vec<&Certificate>| -> Vec<Vec<u8>> {
            certificates.iter().map(|it| it.der().to_vec()).collect()
        };
        assert_eq!(chain.leaf().der(), authority.der());
        assert_eq!(chain.holder().der(), first.der());
        let found = chain.leaf_for(second.public_key()).unwrap();
        assert_eq!(found.der(), first.der());
        assert!(chain.leaf_for(issued()[1].public_key()).is_none());
        let likely = der(chain.by_likelihood());
        assert_eq!(likely, der(vec![&second, &first, &authority]));
        let led = chain.led_by(&second);
        let expected = der(vec![&second, &authority]);
        assert_eq!(der(led.iter().collect()), expected);
        assert_eq!(led.to_pem(), second.to_pem() + &authority.to_pem());
        assert_eq!(chain.not_after(), first.not_after());
        let alone = Chain::from(authority.clone());
        assert_eq!(alone.holder().der(), authority.der());
        assert!(alone.led_by(&authority).rest().is_empty());
    }

    #[test]
    fn clients_may_use_it_unless_its_purposes_are_others() {
        let server = encode(6, &[0x2B, 6, 1, 5, 5, 7, 3, 1]);
        let client = encode(6, CLIENT_AUTH);
        let any = encode(6, ANY_EXTENDED_KEY_USAGE);
        assert!(extended(15, true, &encode(3, &[7, 0x80])).client_auth());
        for critical in [false, true] {
            let allows =
                |purposes: &[u8]| extended(37, critical, &encode(0x30, purposes)).client_auth();
            assert!(!allows(&server));
            assert!(allows(&client));
            assert!(allows(&any));
            assert!(allows(&[client.clone(), server.clone()].concat()));
        }
    }

    #[test]
    fn only_a_true_flag_makes_an_authority() {
        assert!(authority().is_ca());
        assert!(!extended(37, false, &encode(0x30, &[])).is_ca());
        let is_ca = |constraints: &[u8]| extended(19, true, &encode(0x30, constraints)).is_ca();
        assert!(is_ca(&encode(1, &[0xFF])));
        for other in [&[][..], &encode(1, &[0]), &encode(2, &[1])] {
            assert!(!is_ca(other), "{other:x?}");
        }
    }

    #[test]
    fn what_is_left_of_a_certificate_is_said_in_days() {
        for (left, said) in [
            (90, "90 days left"),
            (1, "1 day left"),
            (0, "less than a day left"),
            (-1, "ended less than a day ago"),
            (-2, "ended 1 day ago"),
            (-31, "ended 30 days ago"),
        ] {
            assert_eq!(show_days_left(left).as_str(), said);
        }
    }

    #[test]
    fn the_keys_identifier_is_read() {
        let certificate = extended(14, false, &encode(4, b"id"));
        assert_eq!(certificate.key_identifier(), Some(&b"id"[..]));
        assert_eq!(
            extended(37, false, &encode(0x30, &[])).key_identifier(),
            None
        );
    }

    #[test]
    fn the_version_may_be_missing() {
        assert!(unsigned(&[], VALIDITY, &[]).is_ok());
    }

    #[test]
    fn two_digits_of_a_year_stand_for_1950_to_2049() {
        let times = |validity| {
            let read = unsigned(VERSION_3, validity, &[]).ok()?;
            Some([read.not_before(), read.not_after()].map(show_time))
        };
        let shown = |years: [&str; 2]| Some(years.map(|year| format!("{year}-12-31T23:59:58Z")));
        assert_eq!(
            times([(23, "501231235958Z"), (23, "491231235958Z")]),
            shown(["1950", "2049"])
        );
        assert_eq!(
            times([(24, "20501231235958Z"), (24, "99991231235958Z")]),
            shown(["2050", "9999"])
        );
        for (tag, text) in [
            (4, "301231235958Z"),
            (23, "30123123595Z"),
            (23, "301331235958Z"),
            (24, "301231235958Z"),
        ] {
            assert_eq!(times([(tag, text), VALIDITY[1]]), None, "{text}");
        }
    }

    #[test]
    fn it_is_shown_with_its_holder_and_its_end() {
        let certificate = authority();
        assert_eq!(
            certificate.to_string(),
            "CN=rehearsal until 2039-12-31T03:04:05Z"
        );
        let serial = unsigned(VERSION_3, VALIDITY, &[]).unwrap().serial();
        assert_eq!(serial, "01");
    }
}
