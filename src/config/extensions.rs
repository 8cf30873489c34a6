//! The extensions of an OpenSSL configuration (openssl `x509v3_config(5)`), and what becomes of
//! them: the signer copies subject alternative names and drops everything else.

use std::net::IpAddr;

use der::Encode;
use der::asn1::{Ia5String, OctetString};
use der::flagset::FlagSet;
use der::oid::ObjectIdentifier;
use der::oid::db::{rfc5280, rfc5912};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
};

use super::openssl::{Sections, Setting};
use super::{ConfigError, RequestConfig};
use crate::csr::RequestedExtension;

const DROPPED: &str = "the signer drops it";

/// Reads one setting of an extension section.
pub(super) fn read(
    setting: &Setting,
    sections: &Sections,
    config: &mut RequestConfig,
) -> Result<(), ConfigError> {
    let mut words: Vec<&str> = setting.value.split(',').map(str::trim).collect();
    let critical = words.first() == Some(&"critical");
    if critical {
        words.remove(0);
    }
    let (oid, value, fate) = match setting.name.as_str() {
        "basicConstraints" => {
            let value = basic_constraints(&words, setting)?;
            (
                rfc5280::ID_CE_BASIC_CONSTRAINTS,
                encode(&value, setting)?,
                DROPPED,
            )
        }
        "keyUsage" => {
            let value = KeyUsage(key_usage(&words, setting)?);
            let fate = "the signer goes by spec.usages instead";
            (rfc5280::ID_CE_KEY_USAGE, encode(&value, setting)?, fate)
        }
        "extendedKeyUsage" => {
            let value = ExtendedKeyUsage(extended_key_usage(&words, setting)?);
            let fate = "the signer goes by spec.usages instead, and refuses server auth";
            (rfc5280::ID_CE_EXT_KEY_USAGE, encode(&value, setting)?, fate)
        }
        "subjectAltName" => {
            let value = SubjectAltName(alternative_names(&words, setting, sections)?);
            let fate = "the signer copies it, and Kubernetes does not look at it";
            (
                rfc5280::ID_CE_SUBJECT_ALT_NAME,
                encode(&value, setting)?,
                fate,
            )
        }
        other => {
            config.notes.push(format!(
                "{other} is left out: it means nothing in a request"
            ));
            return Ok(());
        }
    };
    config.notes.push(format!(
        "{} is left out ({fate}); --with-extensions puts it in",
        setting.name
    ));
    config.extensions.push(RequestedExtension {
        oid,
        critical,
        value,
    });
    Ok(())
}

fn encode(value: &impl Encode, setting: &Setting) -> Result<Vec<u8>, ConfigError> {
    value
        .to_der()
        .map_err(|error| ConfigError::new(setting.line, error.to_string()))
}

fn unknown(setting: &Setting, word: &str) -> ConfigError {
    ConfigError::new(
        setting.line,
        format!("{} does not know \"{word}\"", setting.name),
    )
}

fn basic_constraints(words: &[&str], setting: &Setting) -> Result<BasicConstraints, ConfigError> {
    let mut constraints = BasicConstraints {
        ca: false,
        path_len_constraint: None,
    };
    for word in words {
        match word
            .split_once(':')
            .map(|(name, value)| (name.trim(), value.trim()))
        {
            Some(("CA", "TRUE" | "true" | "yes" | "1")) => constraints.ca = true,
            Some(("CA", "FALSE" | "false" | "no" | "0")) => constraints.ca = false,
            Some(("pathlen", length)) => {
                let length = length.parse().map_err(|_| unknown(setting, word))?;
                constraints.path_len_constraint = Some(length);
            }
            _ => return Err(unknown(setting, word)),
        }
    }
    Ok(constraints)
}

fn key_usage(words: &[&str], setting: &Setting) -> Result<FlagSet<KeyUsages>, ConfigError> {
    let mut usages = FlagSet::default();
    for word in words {
        usages |= match *word {
            "digitalSignature" => KeyUsages::DigitalSignature,
            "nonRepudiation" | "contentCommitment" => KeyUsages::NonRepudiation,
            "keyEncipherment" => KeyUsages::KeyEncipherment,
            "dataEncipherment" => KeyUsages::DataEncipherment,
            "keyAgreement" => KeyUsages::KeyAgreement,
            "keyCertSign" => KeyUsages::KeyCertSign,
            "cRLSign" => KeyUsages::CRLSign,
            "encipherOnly" => KeyUsages::EncipherOnly,
            "decipherOnly" => KeyUsages::DecipherOnly,
            _ => return Err(unknown(setting, word)),
        };
    }
    Ok(usages)
}

fn extended_key_usage(
    words: &[&str],
    setting: &Setting,
) -> Result<Vec<ObjectIdentifier>, ConfigError> {
    words
        .iter()
        .map(|word| {
            Ok(match *word {
                "serverAuth" => rfc5280::ID_KP_SERVER_AUTH,
                "clientAuth" => rfc5280::ID_KP_CLIENT_AUTH,
                "codeSigning" => rfc5280::ID_KP_CODE_SIGNING,
                "emailProtection" => rfc5280::ID_KP_EMAIL_PROTECTION,
                "timeStamping" => rfc5280::ID_KP_TIME_STAMPING,
                "OCSPSigning" => rfc5280::ID_KP_OCSP_SIGNING,
                "anyExtendedKeyUsage" => rfc5912::ANY_EXTENDED_KEY_USAGE,
                dotted => ObjectIdentifier::new(dotted).map_err(|_| unknown(setting, dotted))?,
            })
        })
        .collect()
}

fn alternative_names(
    words: &[&str],
    setting: &Setting,
    sections: &Sections,
) -> Result<Vec<GeneralName>, ConfigError> {
    let mut names = Vec::new();
    for word in words {
        if word.starts_with('@') {
            let reference = Setting {
                value: (*word).to_owned(),
                ..setting.clone()
            };
            for entry in sections.named(&reference)? {
                let kind = entry.name.split('.').next().unwrap_or_default();
                names.push(general_name(kind, &entry.value, entry)?);
            }
        } else {
            let (kind, value) = word.split_once(':').ok_or_else(|| unknown(setting, word))?;
            names.push(general_name(kind.trim(), value.trim(), setting)?);
        }
    }
    Ok(names)
}

fn general_name(kind: &str, value: &str, setting: &Setting) -> Result<GeneralName, ConfigError> {
    let bad = |_| ConfigError::new(setting.line, format!("\"{value}\" is not ASCII"));
    let ia5 = || Ia5String::new(value).map_err(bad);
    match kind {
        "DNS" => Ok(GeneralName::DnsName(ia5()?)),
        "email" => Ok(GeneralName::Rfc822Name(ia5()?)),
        "URI" => Ok(GeneralName::UniformResourceIdentifier(ia5()?)),
        "IP" => {
            let octets = match value.parse() {
                Ok(IpAddr::V4(address)) => address.octets().to_vec(),
                Ok(IpAddr::V6(address)) => address.octets().to_vec(),
                Err(_) => {
                    let problem = format!("\"{value}\" is no IP address");
                    return Err(ConfigError::new(setting.line, problem));
                }
            };
            OctetString::new(octets)
                .map(GeneralName::IpAddress)
                .map_err(|error| ConfigError::new(setting.line, error.to_string()))
        }
        _ => Err(unknown(setting, kind)),
    }
}
