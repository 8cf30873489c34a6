//! What a certificate says of its use (RFC 5280 section 4.2), read as crypto/x509 `processExtensions`
//! does.

use crate::asn1::{self, Class, Element, Oid, Problem, Reader, tag};

pub(super) const CLIENT_AUTH: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 2];
pub(super) const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37, 0];

/// The extensions that matter here, and whether there are critical ones that API servers do not know.
#[derive(Debug, Clone, Default)]
pub(super) struct Extensions {
    /// Absent where it is for anything.
    pub(super) client_auth: Option<bool>,
    pub(super) key_identifier: Option<Vec<u8>>,
    /// The identifier of the key that it says to be signed with (`authorityKeyIdentifier`).
    pub(super) issuer_key: Option<Vec<u8>>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    /// Whether its key may sign certificates, where the key's use is limited.
    pub(super) signs_certificates: Option<bool>,
    /// `subjectAltName` in DER.
    pub(super) alternative_names: Option<Vec<u8>>,
    /// What limits those below it in a way that is not judged here.
    pub(super) limits: Option<Limit>,
    /// The first critical extension that crypto/x509 does not understand: nothing is done with the
    /// certificate then.
    pub(super) not_understood: Option<Oid>,
}

/// Limits that crypto/x509 knows and that are not judged here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// The names in `subjectAltName`, of whoever has some.
    Names,
    /// The policies by which certificates are issued, of all.
    Policies,
}

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BasicConstraints {
    pub(super) is_ca: bool,
    /// How many other authorities may stand between it and the last certificate.
    pub(super) path_length: Option<usize>,
}

type Result<T> = std::result::Result<T, Problem>;

impl Extensions {
    pub(super) fn read(mut extensions: Reader<'_>) -> Result<Self> {
        let mut read = Self::default();
        while !extensions.is_empty() {
            let mut extension = extensions.sequence()?;
            let oid = extension.oid()?;
            let mut value = extension.element()?;
            let mut is_critical = false;
            if value.is(tag::BOOLEAN, false) {
                is_critical = asn1::boolean(value.contents)?;
                value = extension.element()?;
            }
            let is_understood = read.take(&oid, value)?;
            if is_critical && !is_understood && read.not_understood.is_none() {
                read.not_understood = Some(oid);
            }
        }
        Ok(read)
    }

    /// Reads one; whether crypto/x509 understands all of it.
    fn take(&mut self, oid: &Oid, value: Element<'_>) -> Result<bool> {
        let [0x55, 0x1D, arc] = oid.as_bytes() else {
            return Ok(false);
        };
        match arc {
            14 => {
                let identifier = value.inside().expect(tag::OCTET_STRING, false)?;
                self.key_identifier = Some(identifier.contents.to_vec());
            }
            15 => self.signs_certificates = signs_certificates(value.inside())?,
            17 => {
                self.alternative_names = Some(value.contents.to_vec());
                return any_name_is_understood(value.inside());
            }
            19 => self.basic_constraints = Some(BasicConstraints::read(value.inside())?),
            30 => {
                self.limits = self.limits.or(Some(Limit::Names));
                return constraints_are_understood(value.inside());
            }
            35 => {
                let mut names = value.inside().sequence()?;
                if !names.is_empty() {
                    let first = names.element()?;
                    let is_key = first.class == Class::ContextSpecific && first.tag == 0;
                    self.issuer_key = is_key.then(|| first.contents.to_vec());
                }
            }
            36 => self.limits = Some(Limit::Policies),
            37 => self.client_auth = allows_client_auth(value.inside())?,
            // Where lists of what was revoked are, and policies that nobody asks for.
            31 | 32 | 33 | 54 => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl BasicConstraints {
    fn read(mut value: Reader<'_>) -> Result<Self> {
        let mut constraints = value.sequence()?;
        let mut read = Self {
            is_ca: false,
            path_length: None,
        };
        if constraints.is_empty() {
            return Ok(read);
        }
        let mut field = constraints.element()?;
        if field.is(tag::BOOLEAN, false) {
            read.is_ca = asn1::boolean(field.contents)?;
            if constraints.is_empty() {
                return Ok(read);
            }
            field = constraints.element()?;
        }
        if field.is(tag::INTEGER, false) {
            read.path_length = usize::try_from(asn1::int64(field.contents)?).ok();
        }
        Ok(read)
    }
}

/// None where no use is named at all, which is no limit to crypto/x509.
fn signs_certificates(mut value: Reader<'_>) -> Result<Option<bool>> {
    const KEY_CERT_SIGN: u8 = 0x80 >> 5;
    let bits = value.expect(tag::BIT_STRING, false)?.contents;
    asn1::bit_string(bits)?;
    let uses = bits.get(1..).unwrap_or_default();
    // There are nine of them.
    let first = uses.first().copied().unwrap_or_default();
    let ninth = uses.get(1).copied().unwrap_or_default() & 0x80;
    Ok((first | ninth != 0).then_some(first & KEY_CERT_SIGN != 0))
}

/// None where no purpose is named at all, which is no limit to crypto/x509.
fn allows_client_auth(mut value: Reader<'_>) -> Result<Option<bool>> {
    let mut usages = value.sequence()?;
    let mut allows = None;
    while !usages.is_empty() {
        let usage: Oid = usages.oid()?;
        let allowed = matches!(usage.as_bytes(), CLIENT_AUTH | ANY_EXTENDED_KEY_USAGE);
        allows = Some(allowed || allows == Some(true));
    }
    Ok(allows)
}

/// The kinds of `GeneralName` that crypto/x509 reads: mail addresses, host names, URIs and addresses.
fn is_understood(name: &Element<'_>) -> bool {
    name.class == Class::ContextSpecific && matches!(name.tag, 1 | 2 | 6 | 7)
}

fn any_name_is_understood(mut value: Reader<'_>) -> Result<bool> {
    let mut names = value.sequence()?;
    let mut any = false;
    while !names.is_empty() {
        any |= is_understood(&names.element()?);
    }
    Ok(any)
}

/// `NameConstraints ::= SEQUENCE { permittedSubtrees [0], excludedSubtrees [1] }`, where each subtree
/// is a SEQUENCE that starts with a `GeneralName`.
fn constraints_are_understood(mut value: Reader<'_>) -> Result<bool> {
    let mut lists = value.sequence()?;
    let mut all = true;
    while !lists.is_empty() {
        let mut subtrees = lists.element()?.inside();
        while !subtrees.is_empty() {
            all &= is_understood(&subtrees.sequence()?.element()?);
        }
    }
    Ok(all)
}
