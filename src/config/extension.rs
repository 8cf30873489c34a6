//! Extensions an OpenSSL configuration asks for (`x509v3_config(5)`), and what becomes of each once
//! kube-controller-manager signs.

use std::fmt;
use std::net::IpAddr;

use der::Encode;
use der::asn1::Ia5String;
use der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
};

use super::conf::{Conf, Entry, Section};
use super::{ConfigError, Note};
use crate::csr::RequestedExtension;

const KEY_USAGES: [(&str, &str, KeyUsages); 9] = [
    (
        "digitalSignature",
        "Digital Signature",
        KeyUsages::DigitalSignature,
    ),
    (
        "nonRepudiation",
        "Non Repudiation",
        KeyUsages::NonRepudiation,
    ),
    (
        "keyEncipherment",
        "Key Encipherment",
        KeyUsages::KeyEncipherment,
    ),
    (
        "dataEncipherment",
        "Data Encipherment",
        KeyUsages::DataEncipherment,
    ),
    ("keyAgreement", "Key Agreement", KeyUsages::KeyAgreement),
    ("keyCertSign", "Certificate Sign", KeyUsages::KeyCertSign),
    ("cRLSign", "CRL Sign", KeyUsages::CRLSign),
    ("encipherOnly", "Encipher Only", KeyUsages::EncipherOnly),
    ("decipherOnly", "Decipher Only", KeyUsages::DecipherOnly),
];

const PURPOSES: [(&str, &str, ObjectIdentifier); 8] = [
    (
        "serverAuth",
        "TLS Web Server Authentication",
        oid("1.3.6.1.5.5.7.3.1"),
    ),
    (
        "clientAuth",
        "TLS Web Client Authentication",
        oid("1.3.6.1.5.5.7.3.2"),
    ),
    ("codeSigning", "Code Signing", oid("1.3.6.1.5.5.7.3.3")),
    (
        "emailProtection",
        "E-mail Protection",
        oid("1.3.6.1.5.5.7.3.4"),
    ),
    ("timeStamping", "Time Stamping", oid("1.3.6.1.5.5.7.3.8")),
    ("OCSPSigning", "OCSP Signing", oid("1.3.6.1.5.5.7.3.9")),
    (
        "ipsecIKE",
        "ipsec Internet Key Exchange",
        oid("1.3.6.1.5.5.7.3.17"),
    ),
    (
        "anyExtendedKeyUsage",
        "Any Extended Key Usage",
        oid("2.5.29.37.0"),
    ),
];

const fn oid(arcs: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(arcs)
}

/// An extension as a configuration asks for it.
#[derive(Debug)]
pub(super) struct Requested {
    line: usize,
    critical: bool,
    value: Value,
}

/// What a requested extension says (RFC 5280 section 4.2.1).
#[derive(Debug)]
enum Value {
    BasicConstraints(BasicConstraints),
    KeyUsage(KeyUsage),
    ExtendedKeyUsage(ExtendedKeyUsage),
    /// Never empty.
    SubjectAltName(Vec<AltName>),
    /// An extension by its name in the file, which is not carried any further.
    Other(String),
}

/// A subject alternative name of a kind that Go's `crypto/x509` reads; text is ASCII.
#[derive(Debug)]
enum AltName {
    Dns(String),
    Ip(IpAddr),
    Email(String),
    Uri(String),
}

impl Requested {
    /// What becomes of it: left out here, and by kube-controller-manager if it is put in
    /// (kubernetes `pkg/controller/certificates/authority` `PermissiveSigningPolicy`).
    pub(super) fn note(&self) -> Note {
        let fate = match &self.value {
            Value::SubjectAltName(_) => {
                "the signer would copy it, and Kubernetes does not look at it"
            }
            Value::KeyUsage(_) | Value::ExtendedKeyUsage(_) => {
                "the signer goes by spec.usages instead"
            }
            Value::BasicConstraints(_) => "the signer writes CA:FALSE whatever is asked",
            Value::Other(name) => {
                let text = format!("{name} is left out: the signer would drop it");
                return Note {
                    line: self.line,
                    text,
                };
            }
        };
        let text = format!("{self} is left out without --with-extensions: {fate}");
        let line = self.line;
        Note { line, text }
    }

    /// What a request carries; nothing for an extension that is known by name only.
    pub(super) fn encode(&self) -> Result<Option<RequestedExtension>, ConfigError> {
        let (oid, value) = match &self.value {
            Value::BasicConstraints(value) => (BasicConstraints::OID, value.to_der()),
            Value::KeyUsage(value) => (KeyUsage::OID, value.to_der()),
            Value::ExtendedKeyUsage(value) => (ExtendedKeyUsage::OID, value.to_der()),
            Value::SubjectAltName(names) => {
                let names: Result<_, _> = names.iter().map(AltName::encode).collect();
                let value = names.and_then(|names| SubjectAltName(names).to_der());
                (SubjectAltName::OID, value)
            }
            Value::Other(_) => return Ok(None),
        };
        let value = value.map_err(|error| ConfigError::at(self.line, error.to_string()))?;
        let critical = self.critical;
        Ok(Some(RequestedExtension {
            oid,
            critical,
            value,
        }))
    }
}

impl AltName {
    fn encode(&self) -> der::Result<GeneralName> {
        Ok(match self {
            Self::Dns(name) => GeneralName::DnsName(Ia5String::new(name)?),
            Self::Email(mailbox) => GeneralName::Rfc822Name(Ia5String::new(mailbox)?),
            Self::Uri(uri) => GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?),
            &Self::Ip(address) => GeneralName::from(address),
        })
    }
}

/// As OpenSSL writes it: `DNS:a.example`, `IP:10.0.0.1`.
impl fmt::Display for AltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "DNS:{name}"),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Email(mailbox) => write!(f, "email:{mailbox}"),
            Self::Uri(uri) => write!(f, "URI:{uri}"),
        }
    }
}

/// As OpenSSL's configuration has it: `keyUsage = critical, digitalSignature`.
impl fmt::Display for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, words) = match &self.value {
            Value::BasicConstraints(value) => ("basicConstraints", constraint_words(value)),
            Value::KeyUsage(usage) => {
                let set = KEY_USAGES
                    .iter()
                    .filter(|(.., flag)| usage.0.contains(*flag));
                (
                    "keyUsage",
                    set.map(|(name, ..)| (*name).to_owned()).collect(),
                )
            }
            Value::ExtendedKeyUsage(purposes) => (
                "extendedKeyUsage",
                purposes.0.iter().map(purpose_name).collect(),
            ),
            Value::SubjectAltName(names) => (
                "subjectAltName",
                names.iter().map(ToString::to_string).collect(),
            ),
            Value::Other(name) => return f.write_str(name),
        };
        let critical = self.critical.then(|| "critical".to_owned());
        let words: Vec<String> = critical.into_iter().chain(words).collect();
        write!(f, "{name} = {}", words.join(", "))
    }
}

fn constraint_words(constraints: &BasicConstraints) -> Vec<String> {
    let ca = if constraints.ca {
        "CA:TRUE"
    } else {
        "CA:FALSE"
    };
    let length = constraints
        .path_len_constraint
        .map(|length| format!("pathlen:{length}"));
    [ca.to_owned()].into_iter().chain(length).collect()
}

fn purpose_name(purpose: &ObjectIdentifier) -> String {
    PURPOSES
        .iter()
        .find(|(_, _, oid)| oid == purpose)
        .map_or_else(|| purpose.to_string(), |(name, ..)| (*name).to_owned())
}

/// Whether this is the name of an extension as it is written in a request's section.
pub(super) fn is_extension(name: &str) -> bool {
    matches!(
        name,
        "authorityKeyIdentifier"
            | "basicConstraints"
            | "extendedKeyUsage"
            | "keyUsage"
            | "subjectAltName"
            | "subjectKeyIdentifier"
    )
}

/// Reads the extensions that a section lists. Names in it that are left out are noted.
///
/// # Errors
///
/// Values that OpenSSL refuses, and those it takes with a meaning that RFC 5280 does not give them.
pub(super) fn read_section(
    conf: &Conf,
    section: &str,
    notes: &mut Vec<Note>,
) -> Result<Vec<Requested>, ConfigError> {
    let entries = conf.section(section).into_iter().flat_map(Section::entries);
    let mut extensions = Vec::new();
    for entry in entries {
        let value = entry.value()?;
        let (critical, value) = match value.strip_prefix("critical,") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, value),
        };
        if let Some(value) = read_value(conf, entry, value, notes)? {
            let line = entry.line;
            extensions.push(Requested {
                line,
                critical,
                value,
            });
        }
    }
    Ok(extensions)
}

fn read_value(
    conf: &Conf,
    entry: &Entry,
    value: &str,
    notes: &mut Vec<Note>,
) -> Result<Option<Value>, ConfigError> {
    let reader = match entry.name.as_str() {
        "basicConstraints" => basic_constraints,
        "keyUsage" => key_usage,
        "extendedKeyUsage" => extended_key_usage,
        "subjectAltName" => {
            let names = alt_names(&Item::list(conf, entry, value)?, notes)?;
            return Ok((!names.is_empty()).then_some(Value::SubjectAltName(names)));
        }
        _ => return Ok(Some(Value::Other(entry.name.clone()))),
    };
    if value.starts_with("DER:") || value.starts_with("ASN1:") {
        return Ok(Some(Value::Other(entry.name.clone())));
    }
    reader(&Item::list(conf, entry, value)?).map(Some)
}

/// One of the comma-separated values of an extension, or one setting of the section it refers to.
struct Item<'a> {
    name: &'a str,
    value: Option<&'a str>,
    line: usize,
}

impl<'a> Item<'a> {
    fn list(conf: &'a Conf, entry: &'a Entry, value: &'a str) -> Result<Vec<Self>, ConfigError> {
        let Some(section) = value.strip_prefix('@') else {
            return value
                .split(',')
                .map(|item| Self::inline(item, entry))
                .collect();
        };
        let section = conf.section(section).ok_or_else(|| {
            ConfigError::at(
                entry.line,
                format!("{} refers to [ {section} ], which is not there", entry.name),
            )
        })?;
        let items: Vec<Self> = section
            .entries()
            .map(|entry| {
                let (name, value, line) = (&entry.name, Some(entry.value()?), entry.line);
                Ok(Self { name, value, line })
            })
            .collect::<Result<_, _>>()?;
        if items.is_empty() {
            let problem = format!(
                "{} refers to [ {} ], which is empty",
                entry.name, section.name
            );
            return Err(ConfigError::at(entry.line, problem));
        }
        Ok(items)
    }

    fn inline(item: &'a str, entry: &Entry) -> Result<Self, ConfigError> {
        let (name, value) = match item.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (item.trim(), None),
        };
        if name.is_empty() || value == Some("") {
            return Err(ConfigError::at(
                entry.line,
                format!("{} has an empty value", entry.name),
            ));
        }
        Ok(Self {
            name,
            value,
            line: entry.line,
        })
    }

    fn error(&self, expected: &str) -> ConfigError {
        let value = self
            .value
            .map(|value| format!(":{value}"))
            .unwrap_or_default();
        ConfigError::at(
            self.line,
            format!("expected {expected}, found {}{value}", self.name),
        )
    }
}

fn basic_constraints(items: &[Item<'_>]) -> Result<Value, ConfigError> {
    let (mut ca, mut path_len) = (false, None);
    for item in items {
        match (item.name, item.value) {
            ("CA", Some("TRUE" | "true" | "Y" | "y" | "YES" | "yes")) => ca = true,
            ("CA", Some("FALSE" | "false" | "N" | "n" | "NO" | "no")) => ca = false,
            ("pathlen", Some(length)) => {
                let length = length
                    .parse()
                    .map_err(|_| item.error("pathlen:0 to pathlen:255"))?;
                path_len = Some(length);
            }
            _ => return Err(item.error("CA:TRUE, CA:FALSE or pathlen:NUMBER")),
        }
    }
    Ok(Value::BasicConstraints(BasicConstraints {
        ca,
        path_len_constraint: path_len,
    }))
}

fn key_usage(items: &[Item<'_>]) -> Result<Value, ConfigError> {
    let mut usage = KeyUsage(None.into());
    for item in items {
        let (_, _, flag) = KEY_USAGES
            .iter()
            .find(|(short, long, _)| [*short, *long].contains(&item.name))
            .ok_or_else(|| item.error("a key usage such as digitalSignature"))?;
        usage.0 |= *flag;
    }
    Ok(Value::KeyUsage(usage))
}

fn extended_key_usage(items: &[Item<'_>]) -> Result<Value, ConfigError> {
    let purpose = |item: &Item<'_>| {
        let wanted = item
            .value
            .filter(|value| !value.is_empty())
            .unwrap_or(item.name);
        PURPOSES
            .iter()
            .find(|(short, long, _)| [*short, *long].contains(&wanted))
            .map(|(_, _, oid)| *oid)
            .or_else(|| ObjectIdentifier::new(wanted).ok())
            .ok_or_else(|| item.error("an extended key usage such as clientAuth, or its OID"))
    };
    let purposes: Result<_, _> = items.iter().map(purpose).collect();
    purposes.map(|purposes| Value::ExtendedKeyUsage(ExtendedKeyUsage(purposes)))
}

/// The names of the kinds that reach a certificate; the others are noted.
fn alt_names(items: &[Item<'_>], notes: &mut Vec<Note>) -> Result<Vec<AltName>, ConfigError> {
    let mut names = Vec::new();
    for item in items {
        let kind = item
            .name
            .split_once('.')
            .map_or(item.name, |(kind, _)| kind);
        let value = item.value.unwrap_or_default();
        let computed = kind == "email" && ["copy", "move"].contains(&value);
        if computed || ["RID", "dirName", "otherName"].contains(&kind) {
            notes.push(Note {
                line: item.line,
                text: format!("the alternative name {kind}:{value} is left out"),
            });
            continue;
        }
        names.push(
            alt_name(kind, value).ok_or_else(|| {
                item.error("an alternative name (DNS, IP, email or URI) in ASCII")
            })?,
        );
    }
    Ok(names)
}

fn alt_name(kind: &str, value: &str) -> Option<AltName> {
    let text = || (value.is_ascii() && !value.is_empty()).then(|| value.to_owned());
    match kind {
        "DNS" => text().map(AltName::Dns),
        "email" => text().map(AltName::Email),
        "URI" => text().map(AltName::Uri),
        "IP" => value.parse().ok().map(AltName::Ip),
        _ => None,
    }
}
