//! Whether anybody may see a file: every byte of it has to belong to something that is no secret.

use serde_json::{Map, Value};

use super::artefact::{flattened, is_kubeconfig, kind};
use crate::budget::Limits;
use crate::certificate::{self, Certificate};
use crate::csr::{self, CertificationRequest};
use crate::key::PublicKey;
use crate::kubeconfig::Kubeconfig;
use crate::looks::{Look, look};
use crate::manifest::{self, CertificateSigningRequest};
use crate::pem;
use crate::text;
use crate::text::{Show, Text};
use crate::yaml;

/// Why a file may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaybeSecret {
    /// It is a private key, or of a kind that is not known to be public.
    Kind(Look),
    /// There is something beside the PEM, from this line on.
    BesidePem(usize),
    /// There is a comment in this line.
    Comment(usize),
    /// Anchors, fields that come twice and the like, in this line.
    Odd(usize),
    /// A request has fields that are not known, or holds something else than requests and certificates.
    RequestFields,
    /// A kubeconfig has users.
    Users,
    /// A kubeconfig has fields that are not known, or a password in an address.
    KubeconfigFields,
}

impl Show for MaybeSecret {
    fn show(&self) -> Text {
        match self {
            Self::Kind(look) => text!("{}", *look),
            Self::BesidePem(line) => {
                text!("line {} is no part of the PEM, and may be a secret", *line)
            }
            Self::Comment(line) => {
                text!(
                    "there is a comment in line {}, which may say a secret",
                    *line
                )
            }
            Self::Odd(line) => text!("line {} may hide something, which may be a secret", *line),
            Self::RequestFields => {
                "a CertificateSigningRequest with something in it that does not \
                                    belong there, which may be a secret"
                    .into()
            }
            Self::Users => {
                "a kubeconfig with users, whose keys, tokens and passwords are secret".into()
            }
            Self::KubeconfigFields => {
                "a kubeconfig with more in it than the address of a cluster, \
                                       which may be a secret"
                    .into()
            }
        }
    }
}

/// The fields of a kubeconfig that have no secrets in them, with those of their entries.
const PUBLIC_FIELDS: [(&str, &str, &[&str]); 2] = [
    (
        "clusters",
        "cluster",
        &[
            "server",
            "tls-server-name",
            "certificate-authority",
            "certificate-authority-data",
            "proxy-url",
            "insecure-skip-tls-verify",
            "disable-compression",
        ],
    ),
    ("contexts", "context", &["cluster", "user", "namespace"]),
];

/// Says why a file may hold a secret: whatever is not known to be a request, a certificate, a public
/// key, an object of these, a reply or the address of a cluster may.
///
/// # Errors
/// The first [`MaybeSecret`].
pub fn demand_public(input: &[u8]) -> Result<(), MaybeSecret> {
    if is_public_der(input) {
        return Ok(());
    }
    let unknown = MaybeSecret::Kind(look(input));
    let text = std::str::from_utf8(input).map_err(|_| unknown)?;
    if pem::first(input).is_some() {
        return only_pem(input, true);
    }
    if unknown == MaybeSecret::Kind(Look::Empty) {
        return Err(unknown);
    }
    let stream = yaml::read(input, &Limits::for_input(input));
    let is_object = |document: &yaml::Document| matches!(document.content, Ok(Value::Object(_)));
    if stream.documents.is_empty()
        || stream.rest.is_some()
        || !stream.documents.iter().all(is_object)
    {
        return Err(unknown);
    }
    let objects = stream.documents.iter();
    let mut objects = objects.filter_map(|document| document.content.as_ref().ok()?.as_object());
    if !objects.all(is_plain_list) {
        return Err(unknown);
    }
    for object in flattened(&stream.documents) {
        match kind(&object) {
            Some(manifest::KIND) => demand_public_request(&object)?,
            _ if is_kubeconfig(&object) => demand_public_kubeconfig(&object)?,
            _ => return Err(unknown),
        }
    }
    if let Some(oddity) = stream.oddities.first() {
        return Err(MaybeSecret::Odd(oddity.line));
    }
    let is_comment = |line: &str| {
        line.trim_start().starts_with('#') || line.contains(" #") || line.contains("\t#")
    };
    match text.lines().position(is_comment) {
        Some(line) => Err(MaybeSecret::Comment(line + 1)),
        None => Ok(()),
    }
}

fn is_public_der(der: &[u8]) -> bool {
    CertificationRequest::from_der(der).is_ok()
        || Certificate::from_der(der).is_ok()
        || PublicKey::from_spki_der(der).is_ok()
}

/// PEM of what is public, and nothing beside it; with or without public keys.
fn only_pem(input: &[u8], keys_too: bool) -> Result<(), MaybeSecret> {
    let line = |offset: usize| {
        let before = input.get(..offset).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count()
    };
    let mut end = 0;
    for block in pem::blocks(input) {
        let label = block.label.as_str();
        let is_public = match label {
            csr::PEM_LABEL
            | csr::LEGACY_PEM_LABEL
            | certificate::PEM_LABEL
            | certificate::OLD_PEM_LABEL => true,
            "PUBLIC KEY" => keys_too,
            _ => false,
        };
        if !is_public || !block.headers.is_empty() || !is_public_der(&block.contents) {
            let block = input.get(block.span).unwrap_or_default();
            return Err(MaybeSecret::Kind(look(block)));
        }
        if let Some(offset) = first_text(input, end, block.span.start) {
            return Err(MaybeSecret::BesidePem(line(offset)));
        }
        end = block.span.end;
    }
    match first_text(input, end, input.len()) {
        Some(offset) => Err(MaybeSecret::BesidePem(line(offset))),
        None => Ok(()),
    }
}

/// Where there is something between two places.
fn first_text(input: &[u8], start: usize, end: usize) -> Option<usize> {
    let between = input.get(start..end).unwrap_or_default();
    let offset = between
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())?;
    Some(start + offset)
}

/// A list has nothing in it but its items; what is no list is looked at elsewhere.
fn is_plain_list(object: &Map<String, Value>) -> bool {
    let is_version = |metadata: &Value| {
        let mut fields = metadata.as_object().into_iter().flatten();
        fields.all(|(name, value)| {
            ["resourceVersion", "selfLink"].contains(&name.as_str()) && value.is_string()
        })
    };
    !object.contains_key("items")
        || object.iter().all(|(field, value)| match field.as_str() {
            "apiVersion" | "kind" => value.is_string(),
            "metadata" => value.is_object() && is_version(value),
            field => field == "items",
        })
}

fn demand_public_request(object: &Map<String, Value>) -> Result<(), MaybeSecret> {
    let read = CertificateSigningRequest::read(object);
    let status = read.status.and_then(|status| status.certificate);
    let mut pem = [read.request, status].into_iter().flatten();
    let is_pem = |pem: Vec<u8>| pem::first(&pem).is_some() && only_pem(&pem, false).is_ok();
    if read.problems.is_empty() && pem.all(is_pem) {
        Ok(())
    } else {
        Err(MaybeSecret::RequestFields)
    }
}

fn demand_public_kubeconfig(object: &Map<String, Value>) -> Result<(), MaybeSecret> {
    let unknown = Err(MaybeSecret::KubeconfigFields);
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    if object.get("users").is_some_and(|users| !is_empty(users)) {
        return Err(MaybeSecret::Users);
    }
    let Ok(kubeconfig) = Kubeconfig::from_object(object.clone()) else {
        return unknown;
    };
    let is_public = object.iter().all(|(field, value)| match field.as_str() {
        "apiVersion" | "kind" | "current-context" => value.is_string(),
        "clusters" | "contexts" => value.is_null() || are_public_entries(field, value),
        _ => is_empty(value),
    });
    if is_public && !kubeconfig.clusters().any(|cluster| cluster.has_secrets()) {
        Ok(())
    } else {
        unknown
    }
}

fn are_public_entries(list: &str, entries: &Value) -> bool {
    let Some((_, body, fields)) = PUBLIC_FIELDS.iter().find(|(name, ..)| *name == list) else {
        return false;
    };
    let is_public_field = |(field, value): (&String, &Value)| match field.as_str() {
        "certificate-authority-data" => {
            let pem = value
                .as_str()
                .map(|base64| pem::decode_base64(base64.as_bytes()));
            pem.is_some_and(|pem| {
                pem.is_ok_and(|pem| pem::first(&pem).is_some() && only_pem(&pem, false).is_ok())
            })
        }
        field => fields.contains(&field) && !value.is_object() && !value.is_array(),
    };
    let is_public_entry = |entry: &Value| {
        let mut fields = entry.as_object().into_iter().flatten();
        entry.is_object()
            && fields.all(|(field, value)| match field.as_str() {
                "name" => value.is_string(),
                field if field == *body => {
                    let mut fields = value.as_object().into_iter().flatten();
                    value.is_object() && fields.all(is_public_field)
                }
                _ => false,
            })
    };
    entries
        .as_array()
        .is_some_and(|entries| entries.iter().all(is_public_entry))
}
