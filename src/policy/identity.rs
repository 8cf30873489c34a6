//! Who the certificate will stand for, and what in the request makes a person believe otherwise.

use std::collections::{HashMap, HashSet};

use unicode_security::MixedScript as _;

use super::{Agreed, Code, Effect, Finding};
use crate::csr::CertificationRequest;
use crate::looks::unfilled;
use crate::name::{Attribute, AttributeKind};
use crate::text::{is_deceptive, skeleton, visible};

const SUBJECT: &str = "csr.subject";
const MASTERS: &str = "system:masters";

/// More names than this are not listed in a message.
const ENOUGH: usize = 10;

pub(super) fn check(
    csr: &CertificationRequest,
    for_client_signer: bool,
    agreed: &Agreed<'_>,
) -> Vec<Finding> {
    let users: Vec<&str> = csr.subject().values(AttributeKind::CommonName).collect();
    let groups: Vec<&str> = csr.subject().values(AttributeKind::Organization).collect();
    let mut findings = Vec::new();
    findings.extend(user(&users));
    findings.extend(masters(&groups, for_client_signer));
    findings.extend(names(&users, &groups));
    findings.extend(look_alikes(&users, &groups, agreed));
    findings.extend(csr.subject().attributes().filter_map(other_attribute));
    findings.extend(extensions(csr));
    findings
}

/// What is said of these names in a request for them to the client signer.
pub(crate) fn check_names(users: &[&str], groups: &[&str]) -> Vec<Finding> {
    let mut findings = masters(groups, true);
    findings.extend(names(users, groups));
    findings
}

fn names(users: &[&str], groups: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(users.iter().filter_map(|user| system_user(user)));
    findings.extend(groups.iter().filter_map(|group| system_group(group)));
    let names = users.iter().map(|user| ("user", *user));
    let names = names.chain(groups.iter().map(|group| ("group", *group)));
    findings.extend(names.flat_map(|(what, name)| name_text(what, name)));
    findings
}

/// k8s.io/apiserver/pkg/authentication/request/x509 `CommonNameUserConversion` over crypto/x509's
/// last common name.
fn user(users: &[&str]) -> Option<Finding> {
    match users {
        [] | [.., ""] => Some(Finding::new(
            Effect::NotAuthenticated,
            Code::NoUser,
            SUBJECT,
            "no common name (CN): the certificate would be issued, and the API server would take \
             its holder for system:anonymous",
        )),
        [_] => None,
        [.., last] => Some(Finding::new(
            Effect::Misleads,
            Code::SeveralUsers,
            SUBJECT,
            format!(
                "{} common names; the API server takes the last one, \"{}\"",
                users.len(),
                visible(last)
            ),
        )),
    }
}

/// k8s.io/kubernetes `CertificateSubjectRestriction` refuses exactly `system:masters`, for exactly
/// one signer; other spellings go through, and mean nothing.
fn masters(groups: &[&str], for_client_signer: bool) -> Vec<Finding> {
    let exact = groups.contains(&MASTERS);
    let spelt = groups
        .iter()
        .filter(|group| **group != MASTERS && folded(group) == folded(MASTERS));
    let mut findings: Vec<_> = spelt
        .map(|group| {
            let message = format!(
                "group \"{}\" is not system:masters and passes admission; nobody asks for it in \
                 good faith",
                visible(group)
            );
            Finding::new(Effect::Misleads, Code::SystemMasters, SUBJECT, message)
        })
        .collect();
    if exact {
        let (effect, message) = if for_client_signer {
            (
                Effect::NotAccepted,
                "the API server refuses the group system:masters; ask for a group that RBAC binds",
            )
        } else {
            (
                Effect::Misleads,
                "system:masters bypasses all authorization, and no RBAC rule takes it back",
            )
        };
        findings.push(Finding::new(effect, Code::SystemMasters, SUBJECT, message));
    }
    findings
}

/// Letters and digits as they look, in lower case.
fn folded(text: &str) -> String {
    skeleton(&text.to_lowercase())
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// k8s.io/apiserver/pkg/authentication/user and the node and service-account authorizers.
fn system_user(user: &str) -> Option<Finding> {
    let known = canonical(user);
    let what = if known.starts_with("system:node:") {
        "a node of the cluster"
    } else if known.starts_with("system:serviceaccount:") {
        "a service account, by name"
    } else if known.starts_with("system:") {
        "a component of the cluster itself"
    } else {
        return None;
    };
    Some(system_identity("user", user, what))
}

fn system_group(group: &str) -> Option<Finding> {
    let known = canonical(group);
    let what = match known.as_str() {
        MASTERS => return None,
        "kubeadm:cluster-admins" => "a group that kubeadm binds to cluster-admin",
        "system:nodes" => "the nodes of the cluster",
        _ if known.starts_with("system:serviceaccounts") => "the service accounts",
        _ if known.starts_with("system:") => "a name that Kubernetes reserves for itself",
        _ => return None,
    };
    Some(system_identity("group", group, what))
}

/// How Kubernetes would spell a name of its own.
fn canonical(name: &str) -> String {
    name.trim().to_lowercase()
}

fn system_identity(what: &str, name: &str, meaning: &str) -> Finding {
    let shown = abridged(name);
    let message = if canonical(name) == name {
        format!("{what} \"{shown}\" is {meaning}; approving makes the holder of this key that")
    } else {
        format!("{what} \"{shown}\" is spelt like {meaning}, and is another name to Kubernetes")
    };
    Finding::new(Effect::Misleads, Code::SystemIdentity, SUBJECT, message)
}

/// What a person cannot see in a name.
fn name_text(what: &str, name: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut misleads = |code, message: String| {
        findings.push(Finding::new(Effect::Misleads, code, SUBJECT, message));
    };
    let shown = abridged(name);
    if name.is_empty() && what == "group" {
        let message = "an empty group (O=): the holder would be in the group \"\"".to_owned();
        misleads(Code::EmptyGroup, message);
    }
    if let Some(character) = name.chars().find(|character| is_deceptive(*character)) {
        let code = u32::from(character);
        let message = format!(
            "{what} \"{shown}\" holds U+{code:04X}, which cannot be seen or changes how it is shown"
        );
        misleads(Code::Deceptive, message);
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        let message =
            format!("{what} \"{shown}\" starts or ends with a space: another name to RBAC");
        misleads(Code::OuterSpace, message);
    }
    if !name.is_ascii() && !name.is_single_script() {
        let message = format!("{what} \"{shown}\" mixes scripts whose letters look alike");
        misleads(Code::MixedScripts, message);
    }
    let syntax = if unfilled(name).is_some() {
        Some("is a template that nobody filled in")
    } else if what == "user" && holds_attributes(name) || what == "group" && name.starts_with("O=")
    {
        Some(
            "holds attributes: a comma or slash separates nothing inside of a name, so all of it is the \
             name; user and groups are given one by one",
        )
    } else {
        None
    };
    if let Some(syntax) = syntax {
        let message = format!("{what} \"{shown}\" {syntax}");
        findings.push(Finding::new(
            Effect::Warns,
            Code::NameSyntax,
            SUBJECT,
            message,
        ));
    }
    let length = name.chars().count();
    if length > 64 {
        let message = format!(
            "{what} of {length} characters: Kubernetes takes it, tools that go by RFC 5280 take 64"
        );
        findings.push(Finding::new(
            Effect::Warns,
            Code::LongName,
            SUBJECT,
            message,
        ));
    }
    findings
}

/// Whether a user is written like a subject: `CN=`, `/O=`, `, OU=`.
fn holds_attributes(name: &str) -> bool {
    name.split([',', '/', '+', ';']).any(|part| {
        let key = part
            .trim_start()
            .split_once('=')
            .map(|(key, _)| key.trim_end());
        key.is_some_and(|key| {
            ["CN", "O", "OU", "UID", "DC"]
                .iter()
                .any(|attribute| key.eq_ignore_ascii_case(attribute))
        })
    })
}

/// The beginning of a name, safe to show.
fn abridged(name: &str) -> String {
    const SHOWN: usize = 64;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", visible(name.get(..end).unwrap_or_default())),
        None => visible(name).to_string(),
    }
}

/// A name that is not one agreed on and looks like it (Unicode Technical Standard #39).
fn look_alikes(users: &[&str], groups: &[&str], agreed: &Agreed<'_>) -> Vec<Finding> {
    let agreed_user: Vec<&str> = agreed.user.into_iter().collect();
    let agreed_groups: Vec<&str> = agreed.groups.iter().map(String::as_str).collect();
    let users = look_alikes_of("user", users, &agreed_user);
    let groups = look_alikes_of("group", groups, &agreed_groups);
    users.chain(groups).collect()
}

/// Each name is folded once: there may be thousands.
fn look_alikes_of(what: &str, found: &[&str], agreed: &[&str]) -> impl Iterator<Item = Finding> {
    // Of several that look alike, the first is named.
    let by_look = agreed.iter().rev().map(|name| (folded(name), *name));
    let by_look: HashMap<String, &str> = by_look.collect();
    let agreed: HashSet<&str> = agreed.iter().copied().collect();
    let others = found
        .iter()
        .filter(move |name| !agreed.is_empty() && !agreed.contains(**name));
    others.filter_map(move |name| {
        let agreed_name = by_look.get(&folded(name))?;
        let message = format!(
            "{what} \"{}\" only looks like \"{}\"; it is another name",
            abridged(name),
            abridged(agreed_name)
        );
        Some(Finding::new(
            Effect::Misleads,
            Code::LookAlike,
            SUBJECT,
            message,
        ))
    })
}

/// Attributes that are neither user nor group. Those that people take for one mislead.
fn other_attribute(attribute: &Attribute) -> Option<Finding> {
    let kind = attribute.kind();
    if matches!(
        kind,
        Some(AttributeKind::CommonName | AttributeKind::Organization)
    ) {
        let text = attribute.text.as_ref();
        return text.is_none().then(|| {
            let message = format!(
                "{} is encoded in a string type that Kubernetes does not read; it is not there",
                attribute.type_name()
            );
            Finding::new(Effect::Misleads, Code::LooksLikeIdentity, SUBJECT, message)
        });
    }
    let name = attribute.type_name();
    let value = abridged(attribute.text.as_deref().unwrap_or_default());
    if matches!(name.as_str(), "OU" | "UID" | "emailAddress") {
        let message = format!(
            "{name}=\"{value}\" is neither user nor group to Kubernetes, though it looks like one; \
             users are CN, groups are O"
        );
        let text = attribute.text.as_deref().unwrap_or_default();
        let poses = canonical(text).starts_with("system:")
            || folded(text) == folded(MASTERS)
            || text.contains("CN=")
            || text.contains("O=");
        let effect = if poses {
            Effect::Misleads
        } else {
            Effect::Warns
        };
        return Some(Finding::new(
            effect,
            Code::LooksLikeIdentity,
            SUBJECT,
            message,
        ));
    }
    let (effect, fate) = match kind {
        Some(_) => (
            Effect::Notes,
            "is copied, and Kubernetes does not look at it",
        ),
        None => (Effect::Warns, "is dropped by the signer"),
    };
    let message = format!("{name}=\"{value}\" {fate}");
    Some(Finding::new(
        effect,
        Code::AttributeDropped,
        SUBJECT,
        message,
    ))
}

/// k8s.io/kubernetes/pkg/controller/certificates/authority `Sign` copies subject alternative names
/// and no other extension.
fn extensions(csr: &CertificationRequest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names = csr.subject_alt_names();
    if !names.is_empty() {
        let message = format!(
            "{} subject alternative name(s) are copied into the certificate; Kubernetes does not \
             look at them, other servers may",
            names.len()
        );
        findings.push(Finding::new(
            Effect::Warns,
            Code::SubjectAltNames,
            "csr.subjectAltNames",
            message,
        ));
    }
    let dropped: Vec<_> = csr
        .extensions()
        .iter()
        .map(crate::csr::Extension::name)
        .filter(|name| name != "subjectAltName")
        .take(ENOUGH)
        .collect();
    if !dropped.is_empty() {
        let message = format!(
            "{}: dropped by the signer, which goes by spec.usages",
            dropped.join(", ")
        );
        findings.push(Finding::new(
            Effect::Notes,
            Code::ExtensionDropped,
            "csr.extensions",
            message,
        ));
    }
    findings
}

/// Comments such as `# user: bob` or `CN=bob` that name another user than the request.
pub(super) fn check_comments(
    comments: &[String],
    csr: Option<&CertificationRequest>,
) -> Option<Finding> {
    let identity = csr?.subject().identity_when_issued();
    let user = identity.as_ref().map_or("", |identity| &identity.username);
    let claimed = comments.iter().find_map(|comment| {
        let claimed = claimed_user(comment)?;
        (claimed != user).then_some(claimed)
    })?;
    let message = format!(
        "a comment says the user is \"{}\"; the request says \"{}\"",
        abridged(claimed),
        abridged(user)
    );
    Some(Finding::new(
        Effect::Misleads,
        Code::MisleadingComment,
        "comment",
        message,
    ))
}

/// The name behind `user:`, `username=`, `CN=` and the like.
fn claimed_user(comment: &str) -> Option<&str> {
    let lower = comment.to_ascii_lowercase();
    [
        "username",
        "user",
        "common name",
        "commonname",
        "cn",
        "for",
        "subject",
    ]
    .into_iter()
    .find_map(|word| {
        let position = lower.find(word)?;
        let starts_word = !lower
            .get(..position)?
            .ends_with(|c: char| c.is_alphanumeric());
        let rest = comment.get(position + word.len()..)?.trim_start();
        let rest = match rest.strip_prefix([':', '=']) {
            Some(rest) => rest,
            None if word == "for" => rest,
            None => return None,
        };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("CN=").unwrap_or(rest);
        let name = rest
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '/'))
            .find(|name| !name.is_empty())?;
        (starts_word && name != "user").then_some(name.trim_end_matches('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(name: &str) -> Vec<&'static str> {
        let findings = name_text("group", name).into_iter();
        findings.map(|finding| finding.code).collect()
    }

    #[test]
    fn comments_that_name_a_user_are_understood() {
        for (comment, user) in [
            ("user: bob", Some("bob")),
            ("Username = bob, from the other team", Some("bob")),
            ("CN=bob/O=dev", Some("bob")),
            ("subject: CN=bob", Some("bob")),
            ("Common Name: \"bob\"", Some("bob")),
            ("a request for bob.", Some("bob")),
            ("for: user", None),
            ("the superuser: bob", None),
            ("user bob", None),
            ("user:", None),
            ("nobody", None),
        ] {
            assert_eq!(claimed_user(comment), user, "{comment}");
        }
    }

    #[test]
    fn what_cannot_be_seen_in_a_name_is_told() {
        let long = "a".repeat(64);
        for good in ["dev", "a b", "Зоя", &long] {
            assert_eq!(codes(good), [""; 0], "{good}");
        }
        for (name, code) in [
            ("", "empty-group"),
            (" a", "outer-space"),
            ("a ", "outer-space"),
            ("a\u{200b}b", "deceptive-characters"),
            ("p\u{430}ul", "mixed-scripts"),
            (&format!("{long}a"), "long-name"),
            ("{{ team }}", "name-syntax"),
            ("O=dev", "name-syntax"),
        ] {
            assert_eq!(codes(name), [code], "{name:?}");
        }
        assert_eq!(name_text("user", ""), []);
        for (user, is_syntax) in [
            ("jane,O=dev", true),
            ("/CN=alice/O=dev", true),
            ("CN=alice", true),
            ("a=b@example.org", false),
            ("Doe, Jane", false),
        ] {
            assert_eq!(
                name_text("user", user).len(),
                usize::from(is_syntax),
                "{user}"
            );
        }
        assert_eq!(codes("cn=devs,ou=groups,dc=example"), [""; 0]);
    }

    #[test]
    fn a_long_name_is_shown_by_its_beginning() {
        assert_eq!(abridged(&"a".repeat(64)), "a".repeat(64));
        assert_eq!(abridged(&"ä".repeat(65)), format!("{}...", "ä".repeat(64)));
    }

    #[test]
    fn names_of_the_cluster_are_known_in_every_spelling() {
        let message = |finding: Option<Finding>| finding.map(|finding| finding.message);
        for (user, is) in [
            ("system:node:a", "is a node of the cluster"),
            ("system:serviceaccount:a:b", "is a service account"),
            ("system:apiserver", "is a component of the cluster"),
            (" System:Node:a", "is spelt like a node of the cluster"),
        ] {
            let message = message(system_user(user)).unwrap();
            assert!(message.contains(is), "{message}");
        }
        for (group, is) in [
            ("system:nodes", "is the nodes of the cluster"),
            ("system:serviceaccounts:a", "is the service accounts"),
            ("system:monitoring", "is a name that Kubernetes reserves"),
            ("kubeadm:cluster-admins", "binds to cluster-admin"),
            ("System:nodes", "is spelt like the nodes of the cluster"),
        ] {
            let message = message(system_group(group)).unwrap();
            assert!(message.contains(is), "{message}");
        }
        for other in ["alice", "system", "my-system:node:a"] {
            assert_eq!(message(system_user(other)), None);
            assert_eq!(message(system_group(other)), None);
        }
        assert_eq!(
            message(system_group(MASTERS)),
            None,
            "that has a finding of its own"
        );
    }

    #[test]
    fn the_last_of_several_users_counts() {
        let code = |users: &[&str]| user(users).map(|finding| finding.code);
        assert_eq!(code(&["a"]), None);
        assert_eq!(code(&[]), Some("no-user"));
        assert_eq!(code(&["a", ""]), Some("no-user"));
        assert_eq!(code(&["", "a"]), Some("several-users"));
    }

    #[test]
    fn masters_is_refused_for_users_and_misleads_elsewhere_and_in_other_spellings() {
        let effects = |groups: &[&str], for_client_signer| -> Vec<Effect> {
            let findings = masters(groups, for_client_signer).into_iter();
            findings.map(|finding| finding.effect).collect()
        };
        assert_eq!(effects(&["dev"], true), []);
        assert_eq!(effects(&["dev", MASTERS], true), [Effect::NotAccepted]);
        assert_eq!(effects(&[MASTERS], false), [Effect::Misleads]);
        let spelt = ["System:Masters", "system-masters", "system:m\u{430}sters"];
        assert_eq!(effects(&spelt, true), [Effect::Misleads; 3]);
    }

    #[test]
    fn a_look_alike_is_another_name_than_the_one_agreed_on() {
        let groups = ["developers".to_owned()];
        let agreed = Agreed {
            user: Some("alice"),
            groups: &groups,
        };
        let count = |user, group| look_alikes(&[user], &[group], &agreed).len();
        assert_eq!(count("alice", "developers"), 0);
        assert_eq!(count("bob", "admins"), 0);
        assert_eq!(count("Alice", "developers"), 1);
        assert_eq!(count("\u{430}lice", "develop-ers"), 2);
    }
}
