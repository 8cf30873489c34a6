//! Objects of Kubernetes, by the fields that stand at their margin: they need not be whole.

use super::Look;

/// Objects and lists of Kubernetes.
pub(super) fn by_object(text: &str) -> Option<Look> {
    let has_line = |prefix: &str| text.lines().any(|line| line.starts_with(prefix));
    if kind_of(text) == Some("Config") || has_line("clusters:") {
        Some(Look::Kubeconfig)
    } else if has_line("items: []")
        || text.contains("\"items\": []")
        || text.contains("\"items\":[]")
    {
        Some(Look::EmptyList)
    } else if text.contains("CertificateSigningRequest") {
        Some(Look::Object)
    } else if has_line("apiVersion:") && has_line("kind:")
        || text.trim_start().starts_with('{')
            && text.contains("\"apiVersion\"")
            && text.contains("\"kind\"")
    {
        Some(Look::OtherObject(kind_of(text).and_then(known_kind)))
    } else {
        None
    }
}

/// The kind that the first object in YAML or JSON says it is.
fn kind_of(text: &str) -> Option<&str> {
    let in_yaml = text.lines().find_map(|line| line.strip_prefix("kind:"));
    let in_json = || {
        let (_, rest) = text.split_once("\"kind\"")?;
        let rest = rest.trim_start().strip_prefix(':')?;
        let rest = rest.trim_start().strip_prefix('"')?;
        rest.split('"').next()
    };
    let kind = in_yaml.or_else(in_json)?;
    Some(kind.trim().trim_matches(['"', '\'']))
}

/// A kind whose name may be said: what a file says for itself may be anything.
fn known_kind(kind: &str) -> Option<&'static str> {
    const KINDS: [&str; 22] = [
        "Secret",
        "ConfigMap",
        "Pod",
        "Deployment",
        "Namespace",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "CertificateRequest",
        "Certificate",
        "Issuer",
        "ClusterIssuer",
        "ClusterTrustBundle",
        "ExecCredential",
        "Preference",
        "AuthenticationConfiguration",
        "AuthorizationConfiguration",
        "EncryptionConfiguration",
        "Cluster",
        "List",
    ];
    let known = KINDS.iter().find(|known| **known == kind).copied();
    let is_misspelt = kind.eq_ignore_ascii_case("CertificateSigningRequest");
    known.or(is_misspelt.then_some("CertificateSigningRequest, misspelt"))
}
