//! Who may do what: bindings of a role to one user or one group each, labelled so that one selector
//! finds everything bound to it here; how that is taken away, and certificates denied.

mod deny;
mod label;
mod revoke;

use serde_json::{Map, Value, json};

pub use deny::{
    AuthorizationConfiguration, CredentialId, DeniedCertificates, DenyError, webhook_kubeconfig,
};
pub use revoke::{AccessRemoval, ServerFile};

use crate::text;
use crate::text::{Label, Show, Text};

const API: &str = "rbac.authorization.k8s.io";
const MASTERS: &str = "system:masters";

/// Whether API servers ask no authorizer about somebody in these groups, so that none can deny it.
#[must_use]
pub fn is_beyond_authorization(groups: &[String]) -> bool {
    groups.iter().any(|group| group == MASTERS)
}

/// Why something cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RbacError {
    /// A user or group without a name.
    #[error("expected the name of a {0}, found none")]
    Nameless(&'static str),
    /// Members may do anything without any binding, and no binding limits them (kubernetes
    /// `pkg/kubeapiserver/authorizer`, `SystemPrivilegedGroup`).
    #[error(
        "the group {MASTERS} is beyond authorization: a binding neither gives nor takes anything"
    )]
    Masters,
    /// A name that Kubernetes keeps for itself.
    #[error("expected a {kind} of your own, found {found}: names in system: belong to Kubernetes")]
    System {
        /// `user` or `group`.
        kind: &'static str,
        /// The whole name.
        found: String,
    },
    /// A role is part of a namespace.
    #[error("the role {0} is part of a namespace, and none is given")]
    RoleWithoutNamespace(String),
    /// Not a name that a role can have (apimachinery `pkg/api/validation/path`
    /// `IsValidPathSegmentName`).
    #[error("expected the name of a role, without / and % and not . or .., found {0:?}")]
    RoleName(String),
    /// Not a DNS label (RFC 1123), which the name of a namespace is.
    #[error("expected a namespace of 1 to 63 characters from a-z, 0-9 and inner -, found {0:?}")]
    Namespace(String),
}

/// Whether users and groups in `system:` may be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemNames {
    /// They are refused: among them are everybody who is logged in and everybody who is not.
    Refuse,
    /// They are taken, except for the group `system:masters`.
    Allow,
}

/// A user or a group that a role can be bound to. Users come before groups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    kind: SubjectKind,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SubjectKind {
    User,
    Group,
}

impl SubjectKind {
    /// As an RBAC subject names it.
    fn as_kind(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    fn as_word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

impl Subject {
    /// A user, whose name is compared letter by letter.
    ///
    /// # Errors
    ///
    /// [`RbacError::Nameless`], or [`RbacError::System`] where such names are to be refused.
    pub fn user(name: &str, system: SystemNames) -> Result<Self, RbacError> {
        Self::new(SubjectKind::User, name, system)
    }

    /// A group, whose name is compared letter by letter.
    ///
    /// # Errors
    ///
    /// [`RbacError::Nameless`], [`RbacError::Masters`], or [`RbacError::System`] where such names
    /// are to be refused.
    pub fn group(name: &str, system: SystemNames) -> Result<Self, RbacError> {
        Self::new(SubjectKind::Group, name, system)
    }

    fn new(kind: SubjectKind, name: &str, system: SystemNames) -> Result<Self, RbacError> {
        if name.is_empty() {
            return Err(RbacError::Nameless(kind.as_word()));
        }
        if kind == SubjectKind::Group && name == MASTERS {
            return Err(RbacError::Masters);
        }
        if system == SystemNames::Refuse && name.starts_with("system:") {
            let (kind, found) = (kind.as_word(), name.to_owned());
            return Err(RbacError::System { kind, found });
        }
        let name = name.to_owned();
        Ok(Self { kind, name })
    }

    /// The label that every binding of this subject carries, as a selector:
    /// `kube-enroll/user=alice`.
    #[must_use]
    pub fn selector(&self) -> String {
        format!("{}={}", self.label_key(), label::value(&self.name))
    }

    fn label_key(&self) -> &'static str {
        match self.kind {
            SubjectKind::User => "kube-enroll/user",
            SubjectKind::Group => "kube-enroll/group",
        }
    }
}

impl Show for Subject {
    fn show(&self) -> Text {
        text!(
            "{} {}",
            self.kind.as_word(),
            Label::from(self.name.as_str())
        )
    }
}

/// A role, and where it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    kind: &'static str,
    role: String,
    namespace: Option<String>,
}

impl Grant {
    /// A role of a namespace.
    ///
    /// # Errors
    ///
    /// [`RbacError::RoleWithoutNamespace`], [`RbacError::RoleName`], [`RbacError::Namespace`].
    pub fn role(name: &str, namespace: Option<&str>) -> Result<Self, RbacError> {
        let grant = Self::new("Role", name, namespace)?;
        match grant.namespace {
            Some(_) => Ok(grant),
            None => Err(RbacError::RoleWithoutNamespace(grant.role)),
        }
    }

    /// A cluster role, given in one namespace or, without one, in the whole cluster.
    ///
    /// # Errors
    ///
    /// [`RbacError::RoleName`], [`RbacError::Namespace`].
    pub fn cluster_role(name: &str, namespace: Option<&str>) -> Result<Self, RbacError> {
        Self::new("ClusterRole", name, namespace)
    }

    /// The cluster role that [`Approver::role`] writes, in the whole cluster.
    #[must_use]
    pub fn approver(approver: Approver) -> Self {
        Self {
            kind: "ClusterRole",
            role: approver.name().to_owned(),
            namespace: None,
        }
    }

    fn new(kind: &'static str, name: &str, namespace: Option<&str>) -> Result<Self, RbacError> {
        if ["", ".", ".."].contains(&name) || name.contains(['/', '%']) {
            return Err(RbacError::RoleName(name.to_owned()));
        }
        if let Some(namespace) = namespace
            && !label::is_dns_label(namespace)
        {
            return Err(RbacError::Namespace(namespace.to_owned()));
        }
        Ok(Self {
            kind,
            role: name.to_owned(),
            namespace: namespace.map(str::to_owned),
        })
    }
}

impl Show for Grant {
    fn show(&self) -> Text {
        let role = text!("{} {}", self.kind, Label::from(self.role.as_str()));
        match &self.namespace {
            Some(namespace) => text!("{} in namespace {}", role, Label::from(namespace.as_str())),
            None => text!("{} in all namespaces", role),
        }
    }
}

/// The `RoleBinding` (in a namespace) or `ClusterRoleBinding` that gives a subject a role.
///
/// Its name is made from both and does not depend on when or how often it is made, so that
/// applying it again changes nothing, and ends in a hash, so that no other binding has it.
#[must_use]
pub fn binding(subject: &Subject, grant: &Grant) -> Value {
    let (subject_kind, kind) = (subject.kind.as_kind(), grant.kind);
    let name = label::object_name(
        [&subject.name, &grant.role],
        [subject_kind, &subject.name, kind, &grant.role],
    );
    let mut metadata = Map::from_iter([("name".to_owned(), json!(name))]);
    if let Some(namespace) = &grant.namespace {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    let labels = json!({
        "app.kubernetes.io/managed-by": "kube-enroll",
        subject.label_key(): label::value(&subject.name),
    });
    metadata.insert("labels".to_owned(), labels);
    json!({
        "apiVersion": format!("{API}/v1"),
        "kind": if grant.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" },
        "metadata": metadata,
        "subjects": [{ "kind": subject_kind, "name": subject.name, "apiGroup": API }],
        "roleRef": { "kind": kind, "name": grant.role, "apiGroup": API },
    })
}

/// Who lets others in, by requests of one signer (kubernetes
/// `plugin/pkg/admission/certificates/approval`, `pkg/certauthorization`).
///
/// Whoever both creates and approves requests of `kubernetes.io/kube-apiserver-client` decides who
/// anybody is, in any group but `system:masters`: it is as good as being an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approver {
    /// Creates and approves them.
    Both,
    /// Approves what somebody else created.
    Approve,
    /// Creates what somebody else has to approve.
    Create,
}

impl Approver {
    /// The name of the cluster role.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Both => "kube-enroll-approver",
            Self::Approve => "kube-enroll-approve-only",
            Self::Create => "kube-enroll-create-only",
        }
    }

    /// The `ClusterRole`.
    #[must_use]
    pub fn role(self, signer: &str) -> Value {
        const GROUP: &str = "certificates.k8s.io";
        const REQUESTS: &str = "certificatesigningrequests";
        let approval = format!("{REQUESTS}/approval");
        let verbs: &[&str] = match self {
            Self::Approve => &["get", "list", "watch"],
            Self::Both | Self::Create => &["create", "get", "list", "watch"],
        };
        let mut rules = vec![json!({
            "apiGroups": [GROUP], "resources": [REQUESTS], "verbs": verbs,
        })];
        if self != Self::Create {
            rules.push(json!({
                "apiGroups": [GROUP], "resources": [approval], "verbs": ["update"],
            }));
            rules.push(json!({
                "apiGroups": [GROUP], "resources": ["signers"], "resourceNames": [signer],
                "verbs": ["approve"],
            }));
        }
        json!({
            "apiVersion": format!("{API}/v1"),
            "kind": "ClusterRole",
            "metadata": {
                "name": self.name(),
                "labels": { "app.kubernetes.io/managed-by": "kube-enroll" },
            },
            "rules": rules,
        })
    }
}

crate::text::show_raw!(RbacError);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSE: SystemNames = SystemNames::Refuse;

    fn user(name: &str) -> Subject {
        Subject::user(name, REFUSE).unwrap()
    }

    fn group(name: &str) -> Subject {
        Subject::group(name, REFUSE).unwrap()
    }

    fn name(subject: &Subject, grant: &Grant) -> String {
        binding(subject, grant)["metadata"]["name"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_cluster_role_in_a_namespace_is_a_role_binding() {
        let grant = Grant::cluster_role("view", Some("dev")).unwrap();
        let expected = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {
                "name": "alice-view-23840647",
                "namespace": "dev",
                "labels": { "app.kubernetes.io/managed-by": "kube-enroll", "kube-enroll/user": "alice" },
            },
            "subjects": [{ "kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io" }],
            "roleRef": { "kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io" },
        });
        let binding = binding(&user("alice"), &grant);
        assert_eq!(binding, expected);
        let keys: Vec<_> = binding.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["apiVersion", "kind", "metadata", "subjects", "roleRef"]
        );
    }

    #[test]
    fn the_kind_follows_role_and_namespace() {
        for (grant, kind, role) in [
            (
                Grant::cluster_role("view", None),
                "ClusterRoleBinding",
                "ClusterRole",
            ),
            (
                Grant::cluster_role("view", Some("a")),
                "RoleBinding",
                "ClusterRole",
            ),
            (Grant::role("edit", Some("a")), "RoleBinding", "Role"),
        ] {
            let binding = binding(&group("dev"), &grant.unwrap());
            assert_eq!(binding["kind"], kind);
            assert_eq!(binding["roleRef"]["kind"], role);
            assert_eq!(binding["subjects"][0]["kind"], "Group");
            assert_eq!(binding["metadata"]["labels"]["kube-enroll/group"], "dev");
            assert_eq!(
                binding["metadata"].get("namespace").is_some(),
                kind == "RoleBinding"
            );
        }
    }

    #[test]
    fn bindings_that_differ_have_names_that_differ() {
        let cluster = |role| Grant::cluster_role(role, Some("n")).unwrap();
        let names = [
            name(&user("a-b"), &cluster("c")),
            name(&user("a"), &cluster("b-c")),
            name(&group("a"), &cluster("b-c")),
            name(&user("a"), &Grant::role("b-c", Some("n")).unwrap()),
            name(&user("A"), &cluster("b-c")),
            name(&user("a:b"), &cluster("c")),
            name(&user("a b"), &cluster("c")),
            name(&user("日本"), &cluster("c")),
            name(&user("本日"), &cluster("c")),
        ];
        for (position, name) in names.iter().enumerate() {
            assert!(!names[..position].contains(name), "{name}");
        }
        assert_eq!(
            name(&user("a"), &cluster("c")),
            name(&user("a"), &cluster("c"))
        );
    }

    #[test]
    fn what_cannot_be_bound_is_refused() {
        assert_eq!(Subject::user("", REFUSE), Err(RbacError::Nameless("user")));
        for system in [REFUSE, SystemNames::Allow] {
            assert_eq!(
                Subject::group("system:masters", system),
                Err(RbacError::Masters)
            );
        }
        for found in ["system:authenticated", "system:nodes"] {
            let (kind, found) = ("group", found.to_owned());
            assert_eq!(
                Subject::group(&found, REFUSE),
                Err(RbacError::System {
                    kind,
                    found: found.clone()
                })
            );
            assert!(Subject::group(&found, SystemNames::Allow).is_ok());
        }
        assert!(Subject::user("system:admin", REFUSE).is_err());
        assert!(Subject::user("systematic", REFUSE).is_ok());
        assert_eq!(
            Grant::role("edit", None),
            Err(RbacError::RoleWithoutNamespace("edit".into()))
        );
        for role in ["", ".", "..", "a/b", "50%"] {
            assert_eq!(
                Grant::cluster_role(role, None),
                Err(RbacError::RoleName(role.into()))
            );
        }
        assert!(Grant::cluster_role("system:node", None).is_ok());
        for namespace in ["", "-a", "a-", "A", "a.b", "ä", &"a".repeat(64)] {
            let expected = Err(RbacError::Namespace(namespace.into()));
            assert_eq!(Grant::cluster_role("view", Some(namespace)), expected);
        }
    }

    #[test]
    fn an_approver_can_create_read_and_approve_for_one_signer() {
        let role = Approver::Both.role("kubernetes.io/kube-apiserver-client");
        assert_eq!(role["metadata"]["name"], "kube-enroll-approver");
        let rules = &role["rules"];
        assert_eq!(rules[0]["verbs"], json!(["create", "get", "list", "watch"]));
        assert_eq!(
            rules[1]["resources"],
            json!(["certificatesigningrequests/approval"])
        );
        assert_eq!(
            rules[2]["resourceNames"],
            json!(["kubernetes.io/kube-apiserver-client"])
        );
    }

    #[test]
    fn two_people_can_have_half_of_it_each() {
        let [approve, create] = [Approver::Approve, Approver::Create].map(|it| it.role("a.b/c"));
        assert_eq!(
            approve["rules"][0]["verbs"],
            json!(["get", "list", "watch"])
        );
        assert_eq!(approve["rules"].as_array().unwrap().len(), 3);
        assert_eq!(create["rules"].as_array().unwrap().len(), 1);
        assert_ne!(approve["metadata"]["name"], create["metadata"]["name"]);
    }

    proptest! {
        #[test]
        fn names_and_labels_are_ones_kubernetes_takes(subject in "\\PC{1,80}|[a-zA-Z0-9._@-]{1,80}", role in "[^/%]{3,80}") {
            let grant = Grant::cluster_role(&role, None).unwrap();
            let subject = Subject::user(&subject, SystemNames::Allow).unwrap();
            let name = name(&subject, &grant);
            prop_assert!(name.len() <= 253 && name.split('.').all(label::is_dns_label), "{}", name);
            prop_assert!(label::is_value(&label::value(&subject.name)));
        }
    }
}
