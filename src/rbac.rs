//! Role bindings of rbac.authorization.k8s.io/v1, labelled so that one selector finds all that a
//! user or group was given.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::manifest::{CLIENT_SIGNER, slug};
use crate::text::hex;

const API_GROUP: &str = "rbac.authorization.k8s.io";
const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// The label that says who a binding is for.
pub const SUBJECT_LABEL: &str = "kube-enroll/subject";

/// The name of the role that approving requests needs.
pub const APPROVER: &str = "kube-enroll-approver";

/// Whom a binding is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A user by name.
    User(String),
    /// A group by name.
    Group(String),
}

/// What a binding gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A `ClusterRole`, in one namespace or everywhere.
    Cluster {
        /// Its name.
        name: String,
        /// The only namespace that it is given in.
        namespace: Option<String>,
    },
    /// A `Role` of a namespace.
    Namespaced {
        /// Its name.
        name: String,
        /// The namespace that it is in.
        namespace: String,
    },
}

impl Holder {
    /// The name, and the kind as RBAC spells it.
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::User(name) => ("User", name),
            Self::Group(name) => ("Group", name),
        }
    }

    /// The value of [`SUBJECT_LABEL`]: the kind and the name where that can be a label value, else
    /// a slug and a hash (k8s.io/apimachinery/pkg/util/validation `IsValidLabelValue`).
    #[must_use]
    pub fn label(&self) -> String {
        let (kind, name) = self.parts();
        let kind = kind.to_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric();
        let fits = name.len() <= 50
            && name.ends_with(plain)
            && name
                .chars()
                .all(|c| plain(c) || matches!(c, '-' | '_' | '.'));
        if fits {
            format!("{kind}.{name}")
        } else {
            format!("{kind}.{}", unique_slug(name, 40))
        }
    }
}

impl Role {
    fn name(&self) -> &str {
        match self {
            Self::Cluster { name, .. } | Self::Namespaced { name, .. } => name,
        }
    }

    fn namespace(&self) -> Option<&str> {
        match self {
            Self::Cluster { namespace, .. } => namespace.as_deref(),
            Self::Namespaced { namespace, .. } => Some(namespace),
        }
    }
}

/// A name of letters, digits and dashes that no other text has.
fn unique_slug(text: &str, length: usize) -> String {
    let hash = Sha256::digest(text);
    let hash = hex(hash.get(..4).unwrap_or_default());
    let mut slug = slug(text);
    slug.truncate(length - 9);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        hash
    } else {
        format!("{slug}-{hash}")
    }
}

/// The name where it can stand in an object's name as it is, else a slug and a hash.
fn name_part(text: &str) -> String {
    if !text.is_empty() && slug(text) == text {
        text.to_owned()
    } else {
        unique_slug(text, 60)
    }
}

/// A `RoleBinding` or `ClusterRoleBinding`.
#[must_use]
pub fn binding(holder: &Holder, role: &Role) -> Value {
    let (holder_kind, holder_name) = holder.parts();
    let kind = match role.namespace() {
        Some(_) => "RoleBinding",
        None => "ClusterRoleBinding",
    };
    let role_kind = match role {
        Role::Cluster { .. } => "ClusterRole",
        Role::Namespaced { .. } => "Role",
    };
    let mut metadata = json!({
        "name": format!(
            "{}-{}-{}",
            holder_kind.to_lowercase(),
            name_part(holder_name),
            name_part(role.name())
        ),
        "labels": labels(holder),
    });
    if let (Some(namespace), Some(metadata)) = (role.namespace(), metadata.as_object_mut()) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "subjects": [{"apiGroup": API_GROUP, "kind": holder_kind, "name": holder_name}],
        "roleRef": {"apiGroup": API_GROUP, "kind": role_kind, "name": role.name()},
    })
}

fn labels(holder: &Holder) -> Value {
    json!({
        "app.kubernetes.io/managed-by": "kube-enroll",
        SUBJECT_LABEL: holder.label(),
    })
}

/// What approving requests for client certificates needs
/// (k8s.io/kubernetes `CertificateApproval`, `certauthorization`).
#[must_use]
pub fn approver_role() -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": "ClusterRole",
        "metadata": {
            "name": APPROVER,
            "labels": {"app.kubernetes.io/managed-by": "kube-enroll"},
        },
        "rules": [
            {
                "apiGroups": ["certificates.k8s.io"],
                "resources": ["certificatesigningrequests"],
                "verbs": ["create", "get", "list", "watch"],
            },
            {
                "apiGroups": ["certificates.k8s.io"],
                "resources": ["certificatesigningrequests/approval"],
                "verbs": ["update"],
            },
            {
                "apiGroups": ["certificates.k8s.io"],
                "resources": ["signers"],
                "resourceNames": [CLIENT_SIGNER],
                "verbs": ["approve"],
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_labels_get_a_hash_and_stay_apart() {
        assert_eq!(Holder::User("alice".to_owned()).label(), "user.alice");
        let one = Holder::User("alice@example.com".to_owned()).label();
        let other = Holder::User("alice@example_com".to_owned()).label();
        assert!(one.starts_with("user.alice-example-com-") && one.len() <= 63);
        assert_ne!(one, other);
        let group = Holder::Group("é".repeat(200)).label();
        assert!(group.len() <= 63 && group.ends_with(|c: char| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_cluster_role_in_a_namespace_is_given_by_a_role_binding() {
        let role = Role::Cluster {
            name: "view".to_owned(),
            namespace: Some("dev".to_owned()),
        };
        let binding = binding(&Holder::User("alice".to_owned()), &role);
        assert_eq!(binding["kind"], "RoleBinding");
        assert_eq!(binding["metadata"]["name"], "user-alice-view");
        assert_eq!(binding["metadata"]["namespace"], "dev");
        assert_eq!(binding["roleRef"]["kind"], "ClusterRole");
    }
}
