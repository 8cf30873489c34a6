//! PEM in the fields of JSON, where other programs put it: cfssl, Vault, Google.

use serde_json::{Map, Value};

use crate::text;
use crate::text::{Show, Text};

/// In which fields a key, a request and a certificate are, as jq names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PemFields {
    /// A private key.
    pub key: Option<&'static str>,
    /// A certification request.
    pub request: Option<&'static str>,
    /// A certificate.
    pub certificate: Option<&'static str>,
}

const FIELDS: [&str; 14] = [
    ".csr",
    ".certificate_request",
    ".key",
    ".private_key",
    ".privateKey",
    ".cert",
    ".certificate",
    ".crt",
    ".ca",
    ".data.csr",
    ".data.private_key",
    ".data.certificate",
    ".result.certificate",
    ".result.private_key",
];

impl Show for PemFields {
    fn show(&self) -> Text {
        let named = [self.key, self.request, self.certificate];
        let named: Vec<Text> = named.into_iter().flatten().map(Text::from).collect();
        match &named[..] {
            [] => "JSON with PEM in its fields".into(),
            [one] => text!("JSON with PEM in its field {}", one),
            _ => text!("JSON with PEM in its fields {}", Text::join(named, ", ")),
        }
    }
}

/// The fields of whole JSON with PEM in them; nothing of an object of Kubernetes, and where there is
/// none.
pub(super) fn pem_fields(text: &str) -> Option<PemFields> {
    const BEGIN: &str = "-----BEGIN ";
    let text = text.trim();
    if !text.starts_with('{') || !text.contains(BEGIN) {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    if object.contains_key("apiVersion") || object.contains_key("kty") {
        return None;
    }
    let object = Value::Object(object);
    let mut fields = PemFields::default();
    for field in FIELDS {
        let value = object.pointer(&field.replace('.', "/"));
        let Some(pem) = value.and_then(Value::as_str) else {
            continue;
        };
        let place = if pem.contains("PRIVATE KEY-----") {
            &mut fields.key
        } else if pem.contains("REQUEST-----") {
            &mut fields.request
        } else if pem.contains("CERTIFICATE-----") {
            &mut fields.certificate
        } else {
            continue;
        };
        *place = place.or(Some(field));
    }
    Some(fields)
}
