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

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::budget::Limits;
use crate::certificate::show_time;
use crate::key::Fingerprint;
use crate::text;
use crate::text::{Show, Text};
use crate::yaml::{self, OddityKind};

/// The name of the authorizer.
const AUTHORIZER: &str = "kube-enroll-denied-certificates";
/// Where the kubeconfig of [`webhook_kubeconfig`] is expected: a folder that kubeadm's API servers see.
const KUBECONFIG: &str = "/etc/kubernetes/pki/denied-certificates.kubeconfig";
/// `kind` of the file.
const KIND: &str = "AuthorizationConfiguration";
const API_GROUP: &str = "apiserver.config.k8s.io/";
/// Where API servers put the id of a credential (kubernetes
/// `staging/src/k8s.io/apiserver/pkg/authentication/user` `CredentialIDKey`).
const EXTRA: &str = "authentication.kubernetes.io/credential-id";
/// The parts of the first condition: users in lines stand between the first two, what is kept between
/// the last two.
const PARTS: [&str; 3] = [
    "request.user in [\n",
    "] && has(request.extra) &&\n\
     'authentication.kubernetes.io/credential-id' in request.extra &&\n\
     request.extra['authentication.kubernetes.io/credential-id'].exists(id,\n\
     id.startsWith('X509SHA256=')) &&\n\
     !request.extra['authentication.kubernetes.io/credential-id'].exists(id,\n\
     id + ' ' + request.user in [\n",
    "])",
];
/// The error that the person is shown, who looks up what is not there.
const REFUSAL: &str = "this certificate was taken away: ask an administrator for a new one";
const LOOKED_UP: &str = "{'': true}['";
/// The most that an expression may measure: CEL reads no more than 100,000 characters
/// (cel-go `parser` `expressionSizeCodePointLimit`).
const LONGEST: usize = 99_000;
/// The id of a certificate, as API servers log it: `X509SHA256=` and the SHA-256 of its DER in
/// hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialId(String);

impl CredentialId {
    /// As it is logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for CredentialId {
    type Err = DenyError;

    fn from_str(text: &str) -> Result<Self, DenyError> {
        let digits = text.strip_prefix("X509SHA256=").unwrap_or_default();
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if digits.len() != 64 || !is_hex {
            return Err(DenyError::Id);
        }
        Ok(Self(format!("X509SHA256={}", digits.to_ascii_lowercase())))
    }
}

impl Show for CredentialId {
    fn show(&self) -> Text {
        text::Label::from(self.as_str()).show()
    }
}

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

/// Who is denied, and which certificates are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeniedCertificates {
    /// By name, with the end of the last certificate that is known, and the keys that were lost.
    users: BTreeMap<String, Known>,
    /// By user and id, with their end and key.
    kept: BTreeMap<(String, CredentialId), Known>,
}

/// What is known of a name or a certificate. API servers do not read it: it stands in a comment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    until: Option<OffsetDateTime>,
    keys: BTreeSet<Fingerprint>,
}

impl DeniedCertificates {
    /// Refuses the certificates of a user, of which the last one known ends then. Those that are kept
    /// already stay.
    pub fn deny(&mut self, user: &str, until: Option<OffsetDateTime>) {
        let known = self.users.entry(user.to_owned()).or_default();
        known.until = until.max(known.until);
    }

    /// Remembers a key of a user who is denied as lost, and keeps nothing any longer that is for it.
    pub fn lose(&mut self, user: &str, key: Fingerprint) {
        if let Some(known) = self.users.get_mut(user) {
            known.keys.insert(key);
        }
        self.kept.retain(|_, known| !known.keys.contains(&key));
    }

    /// The user who is denied with this key.
    #[must_use]
    pub fn loser_of(&self, key: &Fingerprint) -> Option<&str> {
        let mut users = self.users.iter();
        let (user, _) = users.find(|(_, known)| known.keys.contains(key))?;
        Some(user)
    }

    /// Keeps a certificate of a user who is denied, for a key that was not lost.
    pub fn keep(
        &mut self,
        user: &str,
        id: CredentialId,
        until: Option<OffsetDateTime>,
        key: Option<Fingerprint>,
    ) {
        let keys = key.into_iter().collect();
        let known = Known { until, keys };
        self.kept.insert((user.to_owned(), id), known);
    }

    /// Keeps this one no longer.
    pub fn refuse(&mut self, user: &str, id: CredentialId) {
        self.kept.remove(&(user.to_owned(), id));
    }

    /// Keeps none of a user any longer.
    pub fn refuse_all(&mut self, user: &str) {
        self.kept.retain(|(of, _), _| of != user);
    }

    /// Forgets those kept that have ended, with which nobody is let in any more.
    pub fn forget_ended(&mut self, now: OffsetDateTime) {
        self.kept
            .retain(|_, known| known.until.is_none_or(|until| now <= until));
    }

    /// Whether certificates of this user are refused.
    #[must_use]
    pub fn has(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Whether nobody is denied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The users, sorted.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// What is kept of a user.
    pub fn kept(&self, user: &str) -> impl Iterator<Item = &CredentialId> {
        let of_user = self.kept.keys().filter(move |(of, _)| of == user);
        of_user.map(|(_, id)| id)
    }

    /// What is true of requests that are denied. Each user and each certificate has its line.
    fn expression(&self) -> Result<String, DenyError> {
        let [first, second, third] = PARTS;
        let mut text = first.to_owned();
        for (user, known) in &self.users {
            push_line(user, known, &mut text);
        }
        text.push_str(second);
        for ((user, id), known) in &self.kept {
            push_line(&format!("{} {user}", id.0), known, &mut text);
        }
        text.push_str(third);
        if text.len() > LONGEST {
            return Err(DenyError::TooMany(self.users.len() + self.kept.len()));
        }
        Ok(text)
    }

    fn read(expression: &str) -> Option<Self> {
        let [first, second, third] = PARTS;
        let rest = expression.trim_end().strip_prefix(first)?;
        let (users, kept) = rest.strip_suffix(third)?.split_once(second)?;
        let mut denied = Self::default();
        denied.users.extend(read_lines(users)?);
        for (kept, known) in read_lines(kept)? {
            let (id, user) = kept.split_once(' ')?;
            denied
                .kept
                .insert((user.to_owned(), id.parse().ok()?), known);
        }
        Some(denied)
    }

    /// The authorizer, which keeps what others set in an older one.
    fn authorizer(&self, older: Option<Map<String, Value>>) -> Result<Value, DenyError> {
        let mut authorizer = older.unwrap_or_default();
        let refusal = authorizer
            .get("webhook")
            .and_then(|webhook| webhook.pointer("/matchConditions/1/expression"))
            .and_then(Value::as_str)
            .map_or_else(|| format!("{LOOKED_UP}{REFUSAL}']"), str::to_owned);
        authorizer.insert("type".to_owned(), "Webhook".into());
        authorizer.insert("name".to_owned(), AUTHORIZER.into());
        let webhook = authorizer.entry("webhook").or_insert_with(|| {
            json!({
                "timeout": "1s",
                "authorizedTTL": "1s",
                "unauthorizedTTL": "1s",
                "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": KUBECONFIG},
            })
        });
        let webhook = webhook.as_object_mut().ok_or(DenyError::Changed)?;
        for (field, value) in [
            ("subjectAccessReviewVersion", json!("v1")),
            ("matchConditionSubjectAccessReviewVersion", json!("v1")),
            ("failurePolicy", json!("Deny")),
            (
                "matchConditions",
                json!([{"expression": self.expression()?}, {"expression": refusal}]),
            ),
        ] {
            webhook.insert(field.to_owned(), value);
        }
        Ok(Value::Object(authorizer))
    }
}

/// A string of CEL, until when, and keys, in a line.
fn push_line(string: &str, known: &Known, text: &mut String) {
    text.push('\'');
    for c in string.chars() {
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            ' '..='~' => text.push(c),
            // Writing to a String cannot fail.
            _ => drop(write!(text, "\\U{:08x}", u32::from(c))),
        }
    }
    text.push_str("',");
    if *known != Known::default() {
        text.push_str(" //");
    }
    if let Some(until) = known.until {
        text.push_str(" until ");
        text.push_str(&show_time(until));
    }
    for key in &known.keys {
        // Writing to a String cannot fail.
        let _ = write!(text, " {key}");
    }
    text.push('\n');
}

/// The same lines again, and others of blanks and comments between them.
fn read_lines(text: &str) -> Option<Vec<(String, Known)>> {
    let mut read = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let mut string = String::new();
        let mut rest = line.strip_prefix('\'')?.chars();
        loop {
            let escaped = match rest.next()? {
                '\'' => break,
                '\\' => rest.next()?,
                c => {
                    string.push(c);
                    continue;
                }
            };
            string.push(match escaped {
                '\'' | '\\' => escaped,
                'U' => {
                    let digits: String = rest.by_ref().take(8).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                _ => return None,
            });
        }
        let rest = rest.as_str().trim();
        let rest = rest.strip_prefix(',').unwrap_or(rest).trim();
        let comment = match rest.strip_prefix("//") {
            Some(comment) => comment.trim(),
            None if rest.is_empty() => "",
            None => return None,
        };
        let until = comment.strip_prefix("until ").and_then(|until| {
            let until = until.split_whitespace().next()?;
            OffsetDateTime::parse(until, &Rfc3339).ok()
        });
        let words = comment.split_whitespace();
        let keys = words.filter(|word| word.starts_with("SHA256:"));
        let keys: Result<_, _> = keys.map(str::parse).collect();
        let keys = keys.ok()?;
        read.push((string, Known { until, keys }));
    }
    Some(read)
}

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

/// What an authorizer of this module denies, if it is one.
fn read_authorizer(authorizer: &Value) -> Option<DeniedCertificates> {
    let conditions = authorizer.pointer("/webhook/matchConditions")?.as_array()?;
    let expression = |condition: &Value| condition.get("expression")?.as_str().map(str::to_owned);
    let (first, refusal) = match conditions.as_slice() {
        [first] => (first, None),
        [first, refusal] => (first, Some(expression(refusal)?)),
        _ => return None,
    };
    // Other words may stand there, and nothing that is true or false.
    let words = refusal.as_deref().map(|refusal| {
        let words = refusal.strip_prefix(LOOKED_UP)?.strip_suffix("']")?;
        (!words.is_empty() && !words.contains(['\'', '\\', '\n'])).then_some(words)
    });
    if words == Some(None) {
        return None;
    }
    DeniedCertificates::read(&expression(first)?)
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

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const UNTIL: OffsetDateTime = datetime!(2030-01-02 03:04:05 UTC);

    fn id(digit: char) -> CredentialId {
        let text = format!("X509SHA256={}", digit.to_string().repeat(64));
        text.parse().unwrap()
    }

    fn read(text: &str) -> AuthorizationConfiguration {
        AuthorizationConfiguration::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_new_file_denies_first_and_leaves_the_rest_to_node_and_rbac() {
        let mut configuration = AuthorizationConfiguration::default();
        configuration.denied.deny("bob", Some(UNTIL));
        configuration.denied.deny("alice", None);
        configuration
            .denied
            .keep("alice", id('a'), Some(UNTIL), None);
        let text = configuration.to_yaml().unwrap();
        let value = yaml::first_document(text.as_bytes()).unwrap();
        let authorizers = value["authorizers"].as_array().unwrap();
        assert_eq!(authorizers.len(), 3);
        assert_eq!(authorizers[0]["webhook"]["failurePolicy"], "Deny");
        assert_eq!(authorizers[1], json!({"type": "Node", "name": "node"}));
        assert_eq!(authorizers[2], json!({"type": "RBAC", "name": "rbac"}));
        let [first, second, third] = PARTS;
        let expression = format!(
            "{first}'alice',\n'bob', // until 2030-01-02T03:04:05Z\n{second}'X509SHA256={} alice', \
             // until 2030-01-02T03:04:05Z\n{third}",
            "a".repeat(64)
        );
        let conditions = &authorizers[0]["webhook"]["matchConditions"];
        assert_eq!(conditions[0]["expression"], expression);
        // Each has a line of its own, for those who compare versions of the file.
        assert!(text.contains("\n        'alice',\\n\\\n"), "{text}");
        let read = read(&text);
        assert_eq!(read.denied, configuration.denied);
        assert_eq!(read.to_yaml().unwrap(), text);
        assert_eq!(read.kubeconfig_path(), KUBECONFIG);
    }

    const THEIRS: &str = "
        # ours
        apiVersion: apiserver.config.k8s.io/v1beta1
        kind: AuthorizationConfiguration
        later: {field: 1}
        authorizers:
        - {type: Webhook, name: opa, webhook: {timeout: 3s, matchConditions: [{expression: 'true'}]}}
        - {type: RBAC, name: r}";

    #[test]
    fn what_is_there_is_kept_behind_it() {
        let mut configuration = read(THEIRS);
        assert!(configuration.has_comments);
        let before = yaml::first_document(THEIRS.as_bytes()).unwrap();
        let unchanged = configuration.to_yaml().unwrap();
        let unchanged = yaml::first_document(unchanged.as_bytes());
        assert_eq!(unchanged, Ok(before.clone()));
        configuration.denied.deny("alice", None);
        let text = configuration.to_yaml().unwrap();
        let mut value = yaml::first_document(text.as_bytes()).unwrap();
        let first = value["authorizers"].as_array_mut().unwrap().remove(0);
        assert_eq!(first["name"], AUTHORIZER);
        assert_eq!(value, before);
    }

    #[test]
    fn it_comes_first_again_and_keeps_what_was_set_in_it() {
        let mut configuration = read(THEIRS);
        configuration.denied.deny("alice", Some(UNTIL));
        let text = configuration.to_yaml().unwrap();
        let mut value = yaml::first_document(text.as_bytes()).unwrap();
        let authorizers = value["authorizers"].as_array_mut().unwrap();
        authorizers.rotate_left(1);
        let webhook = &mut authorizers[2]["webhook"];
        webhook["connectionInfo"]["kubeConfigFile"] = "/elsewhere".into();
        webhook["failurePolicy"] = "NoOpinion".into();
        webhook["matchConditions"][1]["expression"] = "{'': true}['gesperrt']".into();
        let mut moved = read(&yaml::to_string(&value));
        assert_eq!(moved.kubeconfig_path(), "/elsewhere");
        moved.denied.deny("alice", None);
        moved.denied.deny("bob", None);
        let value = yaml::first_document(moved.to_yaml().unwrap().as_bytes()).unwrap();
        let first = &value["authorizers"][0];
        assert_eq!(value["authorizers"].as_array().unwrap().len(), 3);
        assert_eq!(first["name"], AUTHORIZER);
        let webhook = &first["webhook"];
        assert_eq!(webhook["connectionInfo"]["kubeConfigFile"], "/elsewhere");
        assert_eq!(webhook["failurePolicy"], "Deny");
        let refusal = &webhook["matchConditions"][1]["expression"];
        assert_eq!(refusal, "{'': true}['gesperrt']");
        let mut softened = first.clone();
        for bad in [
            "false",
            "{'': true}['']",
            "{'': true}['a'] || true || {'': true}['a']",
        ] {
            softened["webhook"]["matchConditions"][1]["expression"] = bad.into();
            assert_eq!(read_authorizer(&softened), None, "{bad}");
        }
        let read = read_authorizer(first).unwrap();
        assert_eq!(read.users["alice"].until, Some(UNTIL));
        assert!(read.has("bob"));
    }

    #[test]
    fn what_is_kept_is_refused_again_where_it_is_lost_as_well() {
        let mut denied = DeniedCertificates::default();
        denied.deny("alice", None);
        for (user, digit) in [("alice", 'a'), ("alice", 'b'), ("bob", 'a')] {
            denied.keep(user, id(digit), Some(UNTIL), None);
        }
        denied.deny("alice", None);
        assert_eq!(denied.kept("alice").count(), 2);
        denied.refuse("alice", id('b'));
        assert_eq!(denied.kept("alice").collect::<Vec<_>>(), [&id('a')]);
        denied.forget_ended(UNTIL);
        denied.refuse_all("alice");
        assert_eq!(denied.kept("alice").count(), 0);
        assert_eq!(denied.kept("bob").count(), 1);
        denied.forget_ended(UNTIL + time::Duration::SECOND);
        assert_eq!(denied.kept("bob").count(), 0);
        assert!(denied.has("alice"), "nobody is let in again by a clock");
    }

    #[test]
    fn a_key_that_was_lost_stays_lost_and_takes_what_is_kept_with_it() {
        let (lost, other) = (Fingerprint::new([7; 32]), Fingerprint::new([8; 32]));
        let mut configuration = AuthorizationConfiguration::default();
        let denied = &mut configuration.denied;
        denied.deny("alice", Some(UNTIL));
        denied.deny("bob", None);
        // A rewritten copy, before anybody knew that there was one.
        denied.keep("alice", id('a'), Some(UNTIL), Some(lost));
        denied.keep("alice", id('b'), Some(UNTIL), Some(other));
        denied.lose("alice", lost);
        denied.lose("bob", lost);
        let read = read(&configuration.to_yaml().unwrap()).denied;
        assert_eq!(read, configuration.denied);
        assert_eq!(read.kept("alice").collect::<Vec<_>>(), [&id('b')]);
        assert_eq!(read.loser_of(&lost), Some("alice"));
        assert_eq!(read.loser_of(&other), None);
        let expression = read.expression().unwrap();
        let line = format!("'alice', // until 2030-01-02T03:04:05Z {lost}\n'bob', // {lost}\n");
        assert!(expression.contains(&line), "{expression}");
        assert_eq!(DeniedCertificates::read(&expression), Some(read));
        let cut = expression.replace(&lost.to_string(), "SHA256:BwcH");
        assert_eq!(DeniedCertificates::read(&cut), None);
    }

    #[test]
    fn with_the_last_user_the_authorizer_goes() {
        let mut configuration = read(THEIRS);
        configuration.denied.deny("alice", None);
        configuration.denied = DeniedCertificates::default();
        assert!(!configuration.to_yaml().unwrap().contains(AUTHORIZER));
    }

    #[test]
    fn what_was_edited_by_hand_is_read_or_refused() {
        let [first, second, third] = PARTS;
        let lines = |text: &str| DeniedCertificates::read(&[first, text, second, third].concat());
        for good in [
            "'alice',\n",
            "'alice'",
            "\n   'alice'  , // lost in a train\n\n// nobody else\n",
            "'alice', // until tomorrow\n",
        ] {
            let read = lines(good).unwrap();
            assert_eq!(read.users().collect::<Vec<_>>(), ["alice"], "{good}");
            assert_eq!(read.users["alice"], Known::default());
        }
        assert!(lines("").unwrap().is_empty());
        for bad in [
            "alice,",
            "'a' + 'b',",
            "'a', 'b'",
            "'a",
            r"'\x41'",
            r"'\U11111111'",
        ] {
            assert_eq!(lines(bad), None, "{bad}");
        }
        assert_eq!(DeniedCertificates::read("true"), None);
        let kept = |text: &str| DeniedCertificates::read(&[first, second, text, third].concat());
        assert_eq!(kept("'alice',"), None);
        assert_eq!(kept("'X509SHA256=00 alice',"), None);
    }

    #[test]
    fn a_name_is_denied_to_the_letter_and_cannot_leave_its_quotes() {
        for name in [
            "x'\n], true // ",
            "a//b until 2030",
            r"\'",
            "é🙂\u{2028}\r",
            " a ",
            "] && has(request.extra) &&\n",
            PARTS[1],
        ] {
            let mut configuration = AuthorizationConfiguration::default();
            configuration.denied.deny(name, Some(UNTIL));
            configuration.denied.keep(name, id('a'), Some(UNTIL), None);
            let text = configuration.to_yaml().unwrap();
            assert_eq!(read(&text).denied, configuration.denied, "{text}");
            let expression = configuration.denied.expression().unwrap();
            assert_eq!(expression.lines().count(), 10, "{expression}");
            let is_plain = |b: u8| b == b'\n' || b == b' ' || b.is_ascii_graphic();
            assert!(expression.bytes().all(is_plain));
        }
    }

    #[test]
    fn other_files_are_refused_without_a_word_of_theirs() {
        let config = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n";
        for (text, said) in [
            (String::new(), "found 0 objects"),
            ("a: [".to_owned(), "line 2: a value"),
            ("- secret".to_owned(), "found something else"),
            (
                "kind: Config\ntoken: secret".to_owned(),
                "found something else",
            ),
            (config.replace("/v1", "/v1alpha1"), "another version"),
            (config.to_owned(), "found none"),
            (format!("{config}authorizers: []"), "found none"),
            (format!("{config}authorizers: [secret]"), "found none"),
            (
                format!("{config}authorizers: [{{}}]\n---\n{config}"),
                "found 2 objects",
            ),
            (
                format!("{config}kind: secret\n"),
                "line 3: a key that comes twice",
            ),
            (
                format!("{config}authorizers: [{{name: {AUTHORIZER}, type: secret}}]"),
                "was changed by hand",
            ),
        ] {
            let error = AuthorizationConfiguration::read(text.as_bytes()).unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains(said) && !error.contains("secret"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn more_than_api_servers_read_is_refused() {
        let mut denied = DeniedCertificates::default();
        for number in 0..2_000 {
            denied.deny(&format!("user-{number}"), Some(UNTIL));
        }
        assert!(denied.expression().is_ok());
        for number in 0..2_000 {
            denied.deny(&format!("another-{number}"), Some(UNTIL));
        }
        assert_eq!(denied.expression(), Err(DenyError::TooMany(4_000)));
    }

    #[test]
    fn an_id_is_what_api_servers_log() {
        let good = format!("X509SHA256={}", "0A".repeat(32));
        let id: CredentialId = good.parse().unwrap();
        assert_eq!(id.as_str(), good.replace("0A", "0a"));
        for bad in [
            "",
            "X509SHA256=",
            &good[11..],
            &format!("{good}0"),
            &good.replace('A', "g"),
        ] {
            assert_eq!(bad.parse::<CredentialId>(), Err(DenyError::Id));
        }
    }
}
