//! A request configuration as `openssl req -new -config FILE` reads it: its `[ req ]` section, and
//! the sections that one names.

use std::fmt::Write as _;

use super::conf::{Conf, Entry, Section};
use super::{ConfigError, Note, RequestConfig, Settings, extension, subject};
use crate::key::Algorithm;

/// Reads an OpenSSL request configuration.
///
/// # Errors
///
/// What OpenSSL refuses; what depends on the environment or another file; and passwords.
pub(super) fn read(text: &str) -> Result<RequestConfig, ConfigError> {
    let conf = Conf::read(text)?;
    if conf.section("req").is_none() && conf.get("req", "distinguished_name").is_none() {
        let problem = "no section [ req ]".to_owned();
        return Err(ConfigError {
            line: None,
            problem,
        });
    }
    let subject = subject::read(&conf)?;
    let mut config = RequestConfig {
        settings: Settings {
            user: subject.user,
            groups: subject.groups,
            ..Settings::default()
        },
        notes: subject.notes,
        ..RequestConfig::default()
    };
    for entry in settings(&conf) {
        setting(&conf, entry, &mut config)?;
    }
    config.notes.extend(conf.sections().flat_map(replaced));
    config.notes.extend(unused_extensions(&conf));
    config.notes.sort_by_key(|note| note.line);
    Ok(config)
}

/// The settings of `[ req ]`, and those that it has from the default section.
fn settings(conf: &Conf) -> impl Iterator<Item = &Entry> {
    let inherited = READ.iter().filter(|name| {
        conf.section("req")
            .is_none_or(|section| section.get(name).is_none())
    });
    let own = conf.section("req").into_iter().flat_map(Section::entries);
    own.chain(inherited.filter_map(|name| conf.get("req", name)))
}

/// The settings of `[ req ]` that say something about a request.
const READ: [&str; 11] = [
    "attributes",
    "default_bits",
    "default_keyfile",
    "default_md",
    "encrypt_key",
    "encrypt_rsa_key",
    "input_password",
    "output_password",
    "req_extensions",
    "string_mask",
    "x509_extensions",
];

fn setting(conf: &Conf, entry: &Entry, config: &mut RequestConfig) -> Result<(), ConfigError> {
    let ignored = match entry.name.as_str() {
        "default_bits" => {
            config.settings.algorithm = Some(algorithm(entry)?);
            return Ok(());
        }
        "default_md" => match entry.value()?.to_ascii_lowercase().as_str() {
            "default" | "sha256" | "sha-256" | "sha2-256" => return Ok(()),
            _ => "is not used: the digest is SHA-256, or SHA-384 with a P-384 key",
        },
        "req_extensions" => {
            let name = entry.value()?;
            if conf.section(name).is_none() {
                let problem = format!("req_extensions is [ {name} ], which is not there");
                return Err(ConfigError::at(entry.line, problem));
            }
            for extension in extension::read_section(conf, name, &mut config.notes)? {
                config.notes.push(extension.note());
                config.extensions.extend(extension.encode()?);
            }
            return Ok(());
        }
        "input_password" | "output_password" => {
            let problem = format!("{} is a passphrase in a file that others read", entry.name);
            return Err(ConfigError::at(entry.line, problem));
        }
        "encrypt_key" | "encrypt_rsa_key" => "is not used: the passphrase options decide",
        "default_keyfile" => "is not used: the key file is named after the user",
        "attributes" => "is not used: Kubernetes does not read a request's attributes",
        "x509_extensions" => "is for self-signed certificates: it says nothing about a request",
        "string_mask" if !entry.value()?.contains("utf8only") => {
            "is not used: names are written as UTF8String"
        }
        "distinguished_name" | "prompt" | "utf8" | "string_mask" => return Ok(()),
        _ => "is not read, by OpenSSL neither",
    };
    config.notes.push(Note {
        line: entry.line,
        text: format!("{} {ignored}", entry.name),
    });
    Ok(())
}

fn algorithm(entry: &Entry) -> Result<Algorithm, ConfigError> {
    let value = entry.value()?;
    let bits = value.parse().ok().and_then(Algorithm::rsa);
    bits.ok_or_else(|| {
        let problem = format!("expected 2048, 3072 or 4096 for default_bits, found {value}");
        ConfigError::at(entry.line, problem)
    })
}

/// The settings that a later one of the same name makes void.
fn replaced(section: &Section) -> impl Iterator<Item = Note> {
    section.replaced().filter_map(|entry| {
        let (name, later) = (&entry.name, entry.replaced?);
        let mut text = format!("{name} is set again on line {later}, and only that counts");
        if let Some(kind) = subject::read_kind(name) {
            let _ = write!(text, "; write several as 0.{kind}, 1.{kind}");
        }
        let line = entry.line;
        Some(Note { line, text })
    })
}

/// The sections with extensions that nothing refers to.
fn unused_extensions(conf: &Conf) -> impl Iterator<Item = Note> {
    let used: Vec<&str> = ["req_extensions", "x509_extensions"]
        .iter()
        .filter_map(|name| conf.get("req", name)?.value().ok())
        .collect();
    let unused = conf.sections().filter(move |section| {
        !used.contains(&section.name.as_str())
            && section
                .entries()
                .any(|entry| extension::is_extension(&entry.name))
    });
    unused.map(|section| Note {
        line: section.line,
        text: format!(
            "[ {} ] is not named by req_extensions: it is not part of the request, \
             nor is it with OpenSSL",
            section.name
        ),
    })
}
