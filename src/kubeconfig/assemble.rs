//! The kubeconfig of one person: one cluster, one user, one context.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Cluster, ExecEntry};
use crate::certificate::Certificate;
use crate::secret::Secret;
use crate::yaml;

/// The name of the extension that marks the entries of this tool.
pub(super) const EXTENSION: &str = "kube-enroll";

/// How the user proves who it is.
pub enum Credential {
    /// Certificate and key in the kubeconfig itself, both PEM.
    Embedded {
        /// The certificate and what follows it.
        certificate: String,
        /// The private key, unencrypted.
        key: Secret<String>,
    },
    /// Absolute paths of both.
    Files {
        /// The path of the certificate.
        certificate: String,
        /// The path of the private key.
        key: String,
    },
    /// A command that client-go asks for both.
    Exec(ExecEntry),
}

/// Everything that makes a kubeconfig.
pub struct NewEntry {
    /// The cluster.
    pub cluster: Cluster,
    /// The name of the user entry.
    pub user: String,
    /// The name of the context.
    pub context: String,
    /// The namespace of the context.
    pub namespace: Option<String>,
    /// How the user proves who it is.
    pub credential: Credential,
    /// The certificate, by whose key the entry is known again.
    pub certificate: Certificate,
}

impl NewEntry {
    /// The entries for `clusters`, `users` and `contexts`, the user's under this name.
    pub(super) fn values(&self, user: &str) -> [Value; 3] {
        let mut context = json!({"cluster": self.cluster.name, "user": user});
        if let (Some(namespace), Some(context)) = (&self.namespace, context.as_object_mut()) {
            context.insert("namespace".to_owned(), namespace.as_str().into());
        }
        [
            self.cluster.to_value(),
            json!({"name": user, "user": self.user_value()}),
            json!({"name": self.context, "context": context}),
        ]
    }

    fn user_value(&self) -> Value {
        let extension = json!([{
            "name": EXTENSION,
            "extension": {"fingerprint": self.certificate.public_key().fingerprint().to_string()},
        }]);
        match &self.credential {
            Credential::Embedded { certificate, key } => json!({
                "client-certificate-data": BASE64_STANDARD.encode(certificate),
                "client-key-data": BASE64_STANDARD.encode(key.expose()),
                "extensions": extension,
            }),
            Credential::Files { certificate, key } => json!({
                "client-certificate": certificate,
                "client-key": key,
                "extensions": extension,
            }),
            Credential::Exec(exec) => json!({
                "exec": exec.to_value(),
                "extensions": extension,
            }),
        }
    }
}

/// A kubeconfig in YAML with this entry alone, its context current.
#[must_use]
pub fn assemble(entry: &NewEntry) -> Secret<String> {
    let [clusters, users, contexts] = entry.values(&entry.user);
    write_and_wipe(json!({
        "apiVersion": "v1",
        "kind": super::KIND,
        "clusters": [clusters],
        "users": [users],
        "contexts": [contexts],
        "current-context": entry.context,
    }))
}

/// The text of a kubeconfig, whose value is wiped once it is written.
pub(super) fn write_and_wipe(mut value: Value) -> Secret<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * size(&value)));
    yaml::write(&value, &mut text);
    wipe(&mut value);
    text.into()
}

/// An upper bound, more or less, of what a value takes: growing would leave copies behind.
fn size(value: &Value) -> usize {
    16 + match value {
        Value::String(text) => text.len() * 2 + text.matches('\n').count() * 16,
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 16,
    }
}

/// Overwrites every string of a value.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that grows is copied, and the copy left behind would hold the key.
    #[test]
    fn what_is_set_aside_for_a_kubeconfig_with_a_key_is_enough() {
        let value = json!({
            "users": [{"name": "alice\"\n", "user": {"client-key-data": "YQ==".repeat(1_000)}}],
            "hint": "a\n\n\n\n", "empty": [], "none": {}, "null": null, "yes": true, "number": i64::MIN,
        });
        let needed = yaml::to_string(&value).len();
        assert!(needed <= 2 * size(&value), "{needed}");
    }

    #[test]
    fn every_string_of_a_value_is_wiped() {
        let mut value = json!({"a": ["b", {"c": "d"}], "e": 1});
        wipe(&mut value);
        assert_eq!(value, json!({"a": ["", {"c": ""}], "e": 1}));
    }
}
