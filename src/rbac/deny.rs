//! Users whose client certificates API servers refuse, but for those that are kept: an authorizer that
//! stands before all others in the file of `--authorization-config` (kubernetes
//! `staging/src/k8s.io/apiserver/pkg/apis/apiserver/v1` `AuthorizationConfiguration`).
//!
//! A certificate is not denied by its id. The id is a hash over all of its bytes, and the authority has
//! signed some of them only: whoever has a certificate can write its signature in another way, or put
//! bytes behind it, and Go's crypto/x509 takes it under another id. The name of the user is signed. So
//! everything under a name is refused, except what is known by its id, which nobody can come to with
//! another certificate. Whoever adds to the file sees that a certificate is not another one, but one of
//! those lost that was rewritten, by the fingerprints of keys, which stand in comments.
//!
//! The authorizer is a webhook that is never called. Where the first of its conditions is true, the
//! second one ends in an error, which denies (`failurePolicy`), and whose text the person is shown.
//! Where the first is false, the authorizers behind it decide as ever.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::budget::Limits;
use crate::text;
use crate::text::{Show, Text};
use crate::yaml::{self, OddityKind};

mod authorizer;
mod certificates;

#[cfg(test)]
mod tests;

pub use certificates::{CredentialId, DeniedCertificates};

use authorizer::{AUTHORIZER, read_authorizer};

/// Where the kubeconfig of [`webhook_kubeconfig`] is expected: a folder that kubeadm's API servers see.
const KUBECONFIG: &str = "/etc/kubernetes/pki/denied-certificates.kubeconfig";
/// `kind` of the file.
const KIND: &str = "AuthorizationConfiguration";
const API_GROUP: &str = "apiserver.config.k8s.io/";
/// Where API servers put the id of a credential (kubernetes
/// `staging/src/k8s.io/apiserver/pkg/authentication/user` `CredentialIDKey`).
const EXTRA: &str = "authentication.kubernetes.io/credential-id";
/// Why a file is not one that certificates can be denied in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DenyError {
    /// Not an id of a certificate.
    #[error("expected X509SHA256= and 64 hexadecimal digits, as API servers log it")]
    Id,
    /// It cannot be read, or in more than one way.
    #[error("{0}")]
    Unreadable(Text),
    /// More or less than one object.
    #[error("expected one AuthorizationConfiguration, found {0} objects")]
    Several(usize),
    /// Another kind of object.
    #[error("expected an AuthorizationConfiguration, found something else")]
    OtherKind,
    /// A version of which nobody knows what it means.
    #[error(
        "expected an AuthorizationConfiguration of version v1 or v1beta1, found another version"
    )]
    Version,
    /// There are no authorizers, or they are not objects in a list.
    #[error("expected a list of authorizers with one at least, found none")]
    NoAuthorizers,
    /// The authorizer of this module is there and says something else.
    #[error("the authorizer kube-enroll-denied-certificates was changed by hand")]
    Changed,
    /// More than an expression can hold.
    #[error("{0} users and kept certificates are more than API servers read in one expression")]
    TooMany(usize),
}

crate::text::show_escaped!(DenyError);

/// The file of an API server's `--authorization-config`.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationConfiguration {
    /// Without the authorizer that denies.
    object: Map<String, Value>,
    /// That authorizer as it was found.
    older: Option<Map<String, Value>>,
    /// Whether comments were found, which will not be written.
    pub has_comments: bool,
    /// Whose certificates are denied before anything else is asked.
    pub denied: DeniedCertificates,
}

impl Default for AuthorizationConfiguration {
    /// What kubeadm has (`--authorization-mode=Node,RBAC`), with nothing denied.
    fn default() -> Self {
        let object = Map::from_iter([
            ("apiVersion".to_owned(), json!(format!("{API_GROUP}v1"))),
            ("kind".to_owned(), json!(KIND)),
            (
                "authorizers".to_owned(),
                json!([{"type": "Node", "name": "node"}, {"type": "RBAC", "name": "rbac"}]),
            ),
        ]);
        Self {
            object,
            older: None,
            has_comments: false,
            denied: DeniedCertificates::default(),
        }
    }
}

impl AuthorizationConfiguration {
    /// Reads one, with what it denies already. Everything else in it is kept.
    ///
    /// # Errors
    /// [`DenyError`] for anything else.
    pub fn read(input: &[u8]) -> Result<Self, DenyError> {
        let stream = yaml::read(input, &Limits::for_input(input));
        let only_read_once = [
            OddityKind::Anchor,
            OddityKind::Alias,
            OddityKind::MergeKey,
            OddityKind::Tag,
        ];
        let odd = stream.oddities.iter();
        if let Some(odd) = odd
            .filter(|odd| !only_read_once.contains(&odd.kind))
            .min_by_key(|odd| odd.line)
        {
            let what = text!("line {}: {}", odd.line, odd.kind);
            return Err(DenyError::Unreadable(what));
        }
        let documents = stream.documents.len();
        let document = stream.documents.into_iter().next();
        let document = document.ok_or(DenyError::Several(0))?;
        let content = document
            .content
            .map_err(|error| DenyError::Unreadable(error.show()))?;
        if documents != 1 {
            return Err(DenyError::Several(documents));
        }
        let Value::Object(mut object) = content else {
            return Err(DenyError::OtherKind);
        };
        let field = |field: &str| object.get(field).and_then(Value::as_str);
        if field("kind") != Some(KIND) {
            return Err(DenyError::OtherKind);
        }
        let version = field("apiVersion").and_then(|version| version.strip_prefix(API_GROUP));
        if !matches!(version, Some("v1" | "v1beta1")) {
            return Err(DenyError::Version);
        }
        let authorizers = object.get_mut("authorizers").and_then(Value::as_array_mut);
        let authorizers = authorizers.ok_or(DenyError::NoAuthorizers)?;
        if authorizers.is_empty() || !authorizers.iter().all(Value::is_object) {
            return Err(DenyError::NoAuthorizers);
        }
        let is_ours = |authorizer: &Value| authorizer.get("name") == Some(&json!(AUTHORIZER));
        let (ours, others): (Vec<_>, Vec<_>) =
            std::mem::take(authorizers).into_iter().partition(is_ours);
        *authorizers = others;
        let mut denied = DeniedCertificates::default();
        for authorizer in &ours {
            let read = read_authorizer(authorizer).ok_or(DenyError::Changed)?;
            denied.users.extend(read.users);
            denied.kept.extend(read.kept);
        }
        let older = ours.into_iter().next();
        Ok(Self {
            object,
            older: older.and_then(|older| match older {
                Value::Object(older) => Some(older),
                _ => None,
            }),
            has_comments: !document.comments.is_empty(),
            denied,
        })
    }

    /// Where API servers look for the file of [`webhook_kubeconfig`].
    #[must_use]
    pub fn kubeconfig_path(&self) -> &str {
        let older = self.older.as_ref().and_then(|older| older.get("webhook"));
        let path = older.and_then(|webhook| webhook.pointer("/connectionInfo/kubeConfigFile"));
        path.and_then(Value::as_str).unwrap_or(KUBECONFIG)
    }

    /// The file: what was read, and before it the authorizer that denies, where there is something to
    /// deny.
    ///
    /// # Errors
    /// [`DenyError::TooMany`].
    pub fn to_yaml(&self) -> Result<String, DenyError> {
        let mut object = self.object.clone();
        if !self.denied.is_empty()
            && let Some(Value::Array(authorizers)) = object.get_mut("authorizers")
        {
            authorizers.insert(0, self.denied.authorizer(self.older.clone())?);
        }
        Ok(yaml::to_string(&Value::Object(object)))
    }
}

/// The kubeconfig of the webhook, which must be there and is never used: it leads nowhere.
#[must_use]
pub fn webhook_kubeconfig() -> String {
    yaml::to_string(&json!({
        "apiVersion": "v1",
        "kind": crate::kubeconfig::KIND,
        "clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "nobody", "context": {"cluster": "nowhere", "user": "nobody"}}],
        "current-context": "nobody",
    }))
}

/// A question to an API server: whether it denies a certificate of this user that nobody kept.
/// `status.denied` of the answer says so.
pub(crate) fn review(user: &str, groups: &BTreeSet<String>) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user,
            "groups": groups,
            "extra": {EXTRA: [format!("X509SHA256={:064}", 0)]},
            "nonResourceAttributes": {"verb": "get", "path": "/api"},
        },
    })
}
