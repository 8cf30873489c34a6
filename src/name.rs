//! Distinguished names (RFC 5280 section 4.1.2.4), and who Kubernetes takes their holder for.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::asn1::{self, Element, Oid, Problem, Reader, tag};
use crate::text::visible;

mod subject;

pub use subject::{Subject, SubjectError, SubjectProblem};

/// Who the API server takes the holder of a certificate for, without `system:authenticated`,
/// which it adds to everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// The user name: the common name.
    pub username: String,
    /// The groups: every organization.
    pub groups: Vec<String>,
    /// The user's UID, which API servers since 1.33 read ([`Attribute::is_user_uid`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

impl Identity {
    /// Whether both are the same user in the same groups: their order says nothing.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.username == other.username && same_groups(&self.groups, &other.groups)
    }
}

/// Whether both are the same groups, in whatever order.
#[must_use]
pub fn same_groups(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

/// Why a certificate's UID of a user is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableUid {
    /// It is given more than once.
    #[error("more than one user UID")]
    Several,
    /// It is not a string.
    #[error("a user UID that is not a string")]
    NoString,
    /// There is nothing in it.
    #[error("an empty user UID")]
    Empty,
}

/// An `RDNSequence` as found, attribute by attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    relative: Vec<Vec<Attribute>>,
}

/// An `AttributeTypeAndValue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's type.
    pub oid: Oid,
    /// The value as crypto/x509 reads it; `None` for what it does not take for text
    /// (`UniversalString` and anything that is not a string), and ignores.
    pub text: Option<String>,
    /// The value in DER.
    pub value: Vec<u8>,
}

impl Name {
    /// Reads the elements of an `RDNSequence` (crypto/x509/pkix `RDNSequence` as
    /// `asn1.Unmarshal` fills it).
    pub(crate) fn read(rdn_sequence: Element<'_>) -> Result<Self, Problem> {
        if !rdn_sequence.is(tag::SEQUENCE, true) {
            return Err("subject is not a sequence");
        }
        let mut sets = rdn_sequence.inside();
        let mut relative = Vec::new();
        while !sets.is_empty() {
            let mut set = sets.expect(tag::SET, true)?.inside();
            let mut attributes = Vec::new();
            while !set.is_empty() {
                attributes.push(Attribute::read(set.sequence()?)?);
            }
            relative.push(attributes);
        }
        Ok(Self { relative })
    }

    /// The relative distinguished names in the order of the encoding.
    #[must_use]
    pub fn relative(&self) -> &[Vec<Attribute>] {
        &self.relative
    }

    /// Every attribute in the order of the encoding.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.relative.iter().flatten()
    }

    /// The texts of every attribute of one type, in the order of the encoding.
    pub fn values(&self, kind: AttributeKind) -> impl Iterator<Item = &str> {
        self.attributes()
            .filter(move |attribute| attribute.kind() == Some(kind))
            .filter_map(|attribute| attribute.text.as_deref())
    }

    /// Who the API server takes the holder of this very name for: the last common name, and every
    /// organization in the order of the encoding (k8s.io/apiserver `x509.CommonNameUserConversion`,
    /// crypto/x509/pkix `FillFromRDNSequence`). `None` where there is no common name, or an empty
    /// one: the certificate is then passed over; and where the user's UID is unusable.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let uid = self.user_uid().ok()?.map(str::to_owned);
        Some(Identity {
            uid,
            ..self.common_name_identity()?
        })
    }

    /// The user's UID: one string that is not empty, or none at all
    /// (k8s.io/apiserver/pkg/authentication/request/x509 `parseUIDFromCert`).
    ///
    /// # Errors
    ///
    /// What is wrong with it, for which API servers since 1.33 refuse the certificate.
    pub fn user_uid(&self) -> Result<Option<&str>, UnusableUid> {
        let mut uids = self.attributes().filter(|it| it.is_user_uid());
        let Some(uid) = uids.next() else {
            return Ok(None);
        };
        if uids.next().is_some() {
            return Err(UnusableUid::Several);
        }
        match uid.text.as_deref() {
            None => Err(UnusableUid::NoString),
            Some("") => Err(UnusableUid::Empty),
            Some(text) => Ok(Some(text)),
        }
    }

    fn common_name_identity(&self) -> Option<Identity> {
        let username = self.values(AttributeKind::CommonName).last()?;
        if username.is_empty() {
            return None;
        }
        let groups = self.values(AttributeKind::Organization);
        Some(Identity {
            username: username.to_owned(),
            groups: groups.map(str::to_owned).collect(),
            uid: None,
        })
    }

    /// [`Name::identity`] once kube-controller-manager has signed: it encodes the name anew, all
    /// organizations in one SET, which DER sorts, and no UID (crypto/x509/pkix `ToRDNSequence`).
    #[must_use]
    pub fn identity_when_issued(&self) -> Option<Identity> {
        let mut identity = self.common_name_identity()?;
        identity.groups.sort_by_cached_key(|group| set_order(group));
        Some(identity)
    }
}

/// What decides the place of a string among others in a SET: its length, which stands in front,
/// then its type, then its bytes. Long lengths are ordered by how many bytes they take.
fn set_order(text: &str) -> (usize, bool, Vec<u8>) {
    (
        text.len(),
        is_written_printable(text),
        text.as_bytes().to_vec(),
    )
}

/// Whether Go writes a string as `PrintableString`, and not as `UTF8String`, which is ordered
/// before it (encoding/asn1 `makeField`).
pub(crate) fn is_written_printable(text: &str) -> bool {
    text.bytes().all(is_printable_when_written)
}

/// What Go writes as `PrintableString` is narrower than what it reads as one.
fn is_printable_when_written(byte: u8) -> bool {
    is_printable(byte) && !matches!(byte, b'*' | b'&')
}

fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&byte)
}

/// The attribute types that crypto/x509 keeps; it drops every other when it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// CN, the user.
    CommonName,
    /// serialNumber.
    SerialNumber,
    /// C.
    Country,
    /// L.
    Locality,
    /// ST.
    Province,
    /// STREET.
    StreetAddress,
    /// O, a group.
    Organization,
    /// OU.
    OrganizationalUnit,
    /// postalCode.
    PostalCode,
}

impl Attribute {
    fn read(mut sequence: Reader<'_>) -> Result<Self, Problem> {
        // golang.org/x/crypto/cryptobyte reads none, though encoding/asn1 does.
        const HIGH_TAG_NUMBER: u8 = 0x1F;
        let oid = sequence.oid()?;
        if sequence.is_empty() {
            return Err("sequence truncated");
        }
        let value = sequence.element()?;
        if value
            .whole
            .first()
            .is_some_and(|first| first & HIGH_TAG_NUMBER == HIGH_TAG_NUMBER)
        {
            return Err("an attribute value with a high tag number");
        }
        Ok(Self {
            oid,
            text: text(value)?,
            value: value.whole.to_vec(),
        })
    }

    /// The type, if it is one that the signer keeps.
    #[must_use]
    pub fn kind(&self) -> Option<AttributeKind> {
        use AttributeKind as Kind;
        match self.oid.as_bytes() {
            [0x55, 4, 3] => Some(Kind::CommonName),
            [0x55, 4, 5] => Some(Kind::SerialNumber),
            [0x55, 4, 6] => Some(Kind::Country),
            [0x55, 4, 7] => Some(Kind::Locality),
            [0x55, 4, 8] => Some(Kind::Province),
            [0x55, 4, 9] => Some(Kind::StreetAddress),
            [0x55, 4, 10] => Some(Kind::Organization),
            [0x55, 4, 11] => Some(Kind::OrganizationalUnit),
            [0x55, 4, 17] => Some(Kind::PostalCode),
            _ => None,
        }
    }

    /// Whether it is the UID of a Kubernetes user (k8s.io/apimachinery/pkg/apis/asn1 `X509UID`,
    /// 1.3.6.1.4.1.57683.2).
    #[must_use]
    pub fn is_user_uid(&self) -> bool {
        self.oid.as_bytes() == [0x2B, 6, 1, 4, 1, 0x83, 0xC2, 0x53, 2]
    }

    /// The short name of the type (RFC 4514 and what openssl prints), or its object identifier.
    #[must_use]
    pub fn type_name(&self) -> String {
        let short = match self.oid.as_bytes() {
            [0x55, 4, 3] => "CN",
            [0x55, 4, 4] => "SN",
            [0x55, 4, 5] => "serialNumber",
            [0x55, 4, 6] => "C",
            [0x55, 4, 7] => "L",
            [0x55, 4, 8] => "ST",
            [0x55, 4, 9] => "STREET",
            [0x55, 4, 10] => "O",
            [0x55, 4, 11] => "OU",
            [0x55, 4, 12] => "title",
            [0x55, 4, 17] => "postalCode",
            [0x55, 4, 42] => "GN",
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1] => "emailAddress",
            [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 1] => "UID",
            [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 25] => "DC",
            _ => return self.oid.to_string(),
        };
        short.to_owned()
    }
}

/// The text of an attribute value, as crypto/x509 `readASN1Any` reads it: an error spoils the whole
/// name, and what is not a string is no text.
fn text(value: Element<'_>) -> Result<Option<String>, Problem> {
    let bytes = value.contents;
    if value.class != asn1::Class::Universal || value.constructed {
        return Ok(None);
    }
    match value.tag {
        tag::UTF8_STRING => std::str::from_utf8(bytes)
            .map(|text| Some(text.to_owned()))
            .map_err(|_| "invalid UTF-8 string"),
        tag::PRINTABLE_STRING => ascii(
            bytes,
            is_printable,
            "PrintableString contains invalid character",
        ),
        tag::NUMERIC_STRING => ascii(
            bytes,
            |byte| byte.is_ascii_digit() || byte == b' ',
            "NumericString contains invalid character",
        ),
        tag::IA5_STRING => ascii(
            bytes,
            |byte| byte.is_ascii(),
            "IA5String contains invalid character",
        ),
        tag::T61_STRING => Ok(Some(bytes.iter().copied().map(char::from).collect())),
        tag::BMP_STRING => bmp_string(bytes).map(Some),
        tag::BOOLEAN => asn1::boolean(bytes).map(|_| None),
        tag::INTEGER => asn1::int64(bytes).map(|_| None),
        tag::BIT_STRING => asn1::bit_string(bytes).map(|_| None),
        tag::OID => Oid::from_contents(bytes).map(|_| None),
        tag::UTC_TIME => asn1::utc_time(bytes).map(|()| None),
        tag::GENERALIZED_TIME => asn1::generalized_time(bytes).map(|()| None),
        _ => Ok(None),
    }
}

fn ascii(
    bytes: &[u8],
    allowed: impl Fn(u8) -> bool,
    problem: Problem,
) -> Result<Option<String>, Problem> {
    if bytes.iter().all(|byte| allowed(*byte)) {
        Ok(Some(bytes.iter().copied().map(char::from).collect()))
    } else {
        Err(problem)
    }
}

/// Big-endian UCS-2 without surrogates and noncharacters; one trailing NUL is dropped.
fn bmp_string(bytes: &[u8]) -> Result<String, Problem> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("BMPString of odd length");
    }
    let units = units.strip_suffix(&[[0, 0]]).unwrap_or(units);
    units
        .iter()
        .map(|unit| {
            char::from_u32(u32::from(u16::from_be_bytes(*unit)))
                .filter(|c| !matches!(c, '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}'))
                .ok_or("BMPString contains invalid character")
        })
        .collect()
}

impl fmt::Display for Name {
    /// RFC 4514: the last relative name first; deceptive characters escaped as by [`visible`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, attributes) in self.relative.iter().rev().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            for (position, attribute) in attributes.iter().enumerate() {
                if position > 0 {
                    f.write_str("+")?;
                }
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.type_name())?;
        let Some(text) = &self.text else {
            f.write_str("#")?;
            return self
                .value
                .iter()
                .try_for_each(|byte| write!(f, "{byte:02x}"));
        };
        let last = text.chars().count().saturating_sub(1);
        for (position, character) in text.chars().enumerate() {
            let edge = (position == 0 && matches!(character, ' ' | '#'))
                || (position == last && character == ' ');
            if edge || matches!(character, '"' | '+' | ',' | ';' | '<' | '=' | '>') {
                f.write_str("\\")?;
            }
            write!(f, "{}", visible(character.encode_utf8(&mut [0; 4])))?;
        }
        Ok(())
    }
}

crate::text::show_escaped!(Name);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::encode;

    const CN: u8 = 3;
    const O: u8 = 10;
    const OU: u8 = 11;
    const UTF8: u8 = 12;

    /// A name of one attribute for each (type, string tag, contents).
    fn name(attributes: &[(u8, u8, &[u8])]) -> Result<Name, Problem> {
        let sets = attributes.iter().map(|(kind, tag, contents)| {
            let oid = encode(6, &[0x55, 4, *kind]);
            encode(0x31, &encode(0x30, &[oid, encode(*tag, contents)].concat()))
        });
        let der = encode(0x30, &sets.collect::<Vec<_>>().concat());
        Name::read(Reader::new(&der).element().unwrap())
    }

    fn identity(attributes: &[(u8, u8, &[u8])]) -> Option<(String, Vec<String>)> {
        let identity = name(attributes).unwrap().identity_when_issued()?;
        Some((identity.username, identity.groups))
    }

    #[test]
    fn the_last_common_name_counts_and_an_empty_one_is_nobody() {
        let user = |attributes| identity(attributes).map(|(user, _)| user);
        assert_eq!(
            user(&[(CN, UTF8, b"alice"), (CN, UTF8, b"bob")]).as_deref(),
            Some("bob")
        );
        assert_eq!(user(&[(CN, UTF8, b"alice"), (CN, UTF8, b"")]), None);
        assert_eq!(user(&[(O, UTF8, b"dev")]), None);
    }

    #[test]
    fn groups_are_every_organization_in_the_order_of_the_issued_certificate() {
        let groups = identity(&[
            (O, UTF8, b"zz"),
            (O, UTF8, b"developers"),
            (OU, UTF8, b"no group"),
            (O, UTF8, b"z*"),
            (O, UTF8, b"aa"),
            (CN, UTF8, b"alice"),
        ]);
        // Short before long, UTF8String before PrintableString, which a star is not written in.
        assert_eq!(groups.unwrap().1, ["z*", "aa", "zz", "developers"]);
    }

    #[test]
    fn strings_are_read_in_the_types_that_go_reads() {
        let text = |tag, contents: &[u8]| identity(&[(CN, tag, contents)]).map(|(user, _)| user);
        for (tag, contents, read) in [
            (19, &b"alice"[..], Some("alice")),
            (19, b"a*b&c", Some("a*b&c")),
            (18, b"12 3", Some("12 3")),
            (22, b"a@b", Some("a@b")),
            (20, b"\xE9", Some("é")),
            (30, b"\0a\0b", Some("ab")),
            (30, b"\0a\0\0", Some("a")),
            (30, b"\xFD\xCF\xFD\xF0", Some("\u{fdcf}\u{fdf0}")),
            (28, b"\0\0\0a", None),
            (2, b"\x05", None),
            // Not of the universal class, and constructed.
            (0x8C, b"alice", None),
            (0x2C, b"alice", None),
        ] {
            assert_eq!(text(tag, contents).as_deref(), read, "{tag}");
        }
        for (tag, contents) in [
            (12, &b"\xFF"[..]),
            (19, b"a@b"),
            (18, b"a"),
            (22, b"\x80"),
            (30, b"a"),
            (30, b"\xD8\x00"),
            (30, b"\xFD\xD0"),
            (30, b"\xFD\xEF"),
            (30, b"\xFF\xFE"),
            (30, b"\xFF\xFF"),
            (3, b"\x08"),
            (6, b""),
            (2, b""),
            (1, b"\x01"),
            (23, b"alice"),
            (24, b"alice"),
        ] {
            assert!(name(&[(CN, tag, contents)]).is_err(), "{tag}");
        }
    }

    /// An attribute of this type in DER.
    fn attribute(kind: &[u8]) -> Attribute {
        let pair = [encode(6, kind), encode(UTF8, b"x")].concat();
        Attribute::read(Reader::new(&pair)).unwrap()
    }

    #[test]
    fn types_have_the_names_that_openssl_prints() {
        for (arc, name) in [
            (3, "CN"),
            (4, "SN"),
            (5, "serialNumber"),
            (6, "C"),
            (7, "L"),
            (8, "ST"),
            (9, "STREET"),
            (10, "O"),
            (11, "OU"),
            (12, "title"),
            (17, "postalCode"),
            (42, "GN"),
            (13, "2.5.4.13"),
        ] {
            assert_eq!(attribute(&[0x55, 4, arc]).type_name(), name);
        }
        let pilot = |arc| attribute(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, arc]);
        assert_eq!(pilot(1).type_name(), "UID");
        assert_eq!(pilot(25).type_name(), "DC");
        let email = attribute(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1]);
        assert_eq!(email.type_name(), "emailAddress");
    }

    #[test]
    fn a_user_uid_is_one_string_and_the_signer_drops_it() {
        let uid = |tag, text: &[u8]| {
            let kind = encode(6, &[0x2B, 6, 1, 4, 1, 0x83, 0xC2, 0x53, 2]);
            let pair = [kind, encode(tag, text)].concat();
            Attribute::read(Reader::new(&pair)).unwrap()
        };
        let user = name(&[(CN, UTF8, b"alice")]).unwrap();
        for (uids, expected) in [
            (vec![], Ok(None)),
            (vec![uid(UTF8, b"x")], Ok(Some("x"))),
            (vec![uid(UTF8, b"")], Err(UnusableUid::Empty)),
            (vec![uid(2, b"\x01")], Err(UnusableUid::NoString)),
            (
                vec![uid(UTF8, b"x"), uid(UTF8, b"x")],
                Err(UnusableUid::Several),
            ),
        ] {
            let mut name = user.clone();
            name.relative.push(uids);
            assert_eq!(name.user_uid(), expected);
            assert_eq!(name.identity().is_some(), expected.is_ok());
            let issued = name.identity_when_issued().unwrap();
            assert_eq!(issued.uid, None);
            assert_eq!(issued.username, "alice");
        }
    }

    #[test]
    fn the_signer_keeps_nine_types() {
        use AttributeKind as Kind;
        for (arc, kind) in [
            (3, Some(Kind::CommonName)),
            (5, Some(Kind::SerialNumber)),
            (6, Some(Kind::Country)),
            (7, Some(Kind::Locality)),
            (8, Some(Kind::Province)),
            (9, Some(Kind::StreetAddress)),
            (10, Some(Kind::Organization)),
            (11, Some(Kind::OrganizationalUnit)),
            (17, Some(Kind::PostalCode)),
            (12, None),
        ] {
            assert_eq!(attribute(&[0x55, 4, arc]).kind(), kind);
        }
    }

    #[test]
    fn a_name_of_another_shape_is_refused() {
        let pair = [encode(6, &[0x55, 4, CN]), encode(UTF8, b"x")].concat();
        let attribute = encode(0x30, &pair);
        let read = |der: &[u8]| Name::read(Reader::new(der).element().unwrap());
        assert!(read(&encode(0x30, &encode(0x31, &attribute))).is_ok());
        assert!(read(&encode(0x31, &encode(0x31, &attribute))).is_err());
        assert!(read(&encode(0x30, &attribute)).is_err());
        assert!(read(&encode(0x30, &encode(0x31, &pair))).is_err());
        let no_value = encode(0x30, &encode(6, &[0x55, 4, CN]));
        assert!(read(&encode(0x30, &encode(0x31, &no_value))).is_err());
    }

    #[test]
    fn names_are_shown_in_reverse_and_cannot_be_misread() {
        let shown = name(&[
            (O, UTF8, b"on, call"),
            (OU, UTF8, b" #x "),
            (CN, UTF8, "a\u{202e}b".as_bytes()),
            (CN, 2, b"\x05"),
        ]);
        assert_eq!(
            shown.unwrap().to_string(),
            "CN=#020105,CN=a\\u{202e}b,OU=\\ #x\\ ,O=on\\, call"
        );
        let edges = name(&[(O, UTF8, b"#a b#"), (OU, UTF8, b"  a "), (CN, UTF8, b"")]);
        assert_eq!(edges.unwrap().to_string(), "CN=,OU=\\  a\\ ,O=\\#a b#");
    }

    #[test]
    fn attributes_of_one_relative_name_are_joined_by_a_plus() {
        let attribute = |kind, text: &[u8]| {
            let pair = [encode(6, &[0x55, 4, kind]), encode(UTF8, text)];
            encode(0x30, &pair.concat())
        };
        let set = encode(0x31, &[attribute(CN, b"a"), attribute(O, b"b")].concat());
        let der = encode(0x30, &set);
        let name = Name::read(Reader::new(&der).element().unwrap()).unwrap();
        assert_eq!(name.to_string(), "CN=a+O=b");
        let sizes: Vec<_> = name.relative().iter().map(Vec::len).collect();
        assert_eq!(sizes, [2]);
    }
}
