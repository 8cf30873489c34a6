//! Single client certificates that API servers refuse, by the id that they log for them: an authorizer
//! that stands before all others in the file of `--authorization-config` (kubernetes
//! `staging/src/k8s.io/apiserver/pkg/apis/apiserver/v1` `AuthorizationConfiguration`).
//!
//! It is a webhook that is never called. Where the first of its conditions is true, the credential is
//! one of those denied; the second one ends in an error, which denies (`failurePolicy`), and whose text
//! the person is shown. Where the first is false, the authorizers behind it decide as ever.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::budget::Limits;
use crate::certificate::show_time;
use crate::text;
use crate::text::{Show, Text};
use crate::yaml::{self, OddityKind};

/// The name of the authorizer.
const AUTHORIZER: &str = "kube-enroll-denied-certificates";
/// Where the kubeconfig of [`webhook_kubeconfig`] is expected: a folder that kubeadm's API servers see.
const KUBECONFIG: &str = "/etc/kubernetes/pki/denied-certificates.kubeconfig";
/// `kind` of the file.
pub(crate) const KIND: &str = "AuthorizationConfiguration";
const API_GROUP: &str = "apiserver.config.k8s.io/";
/// Where API servers put the id of a credential (kubernetes
/// `staging/src/k8s.io/apiserver/pkg/authentication/user` `CredentialIDKey`).
pub(crate) const EXTRA: &str = "authentication.kubernetes.io/credential-id";
const OPENING: &str = "has(request.extra) &&\n\
    'authentication.kubernetes.io/credential-id' in request.extra &&\n\
    request.extra['authentication.kubernetes.io/credential-id'].exists(id, id in [\n";
const CLOSING: &str = "])";
/// The error that the person is shown, who looks up what is not there.
const REFUSAL: &str = "this certificate was taken away: ask an administrator for a new one";
const LOOKED_UP: &str = "{'': true}['";
/// The most that an expression may measure: CEL reads no more than 100,000 characters
/// (cel-go `parser` `expressionSizeCodePointLimit`).
const LONGEST: usize = 99_000;
/// The most that is noted of a name.
const NOTED: usize = 64;
/// How long an entry stays after its certificate has ended: clocks differ.
const KEPT: Duration = Duration::days(7);

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
    #[error("{found} denied certificates are too many for one expression: about {most} fit")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there can be.
        most: usize,
    },
}

crate::text::show_escaped!(DenyError);

/// Until when a certificate is valid, and whose it is: for those who read the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The last second in which it is valid.
    pub until: OffsetDateTime,
    /// The user, in visible ASCII.
    user: String,
}

impl Note {
    /// What is noted of a certificate of this user.
    #[must_use]
    pub fn new(until: OffsetDateTime, user: &str) -> Self {
        let escaped = user.chars().flat_map(|c| {
            let plain = (c == ' ' || c.is_ascii_graphic()).then(|| c.to_string());
            let escaped = plain.unwrap_or_else(|| c.escape_unicode().to_string());
            escaped.chars().collect::<Vec<_>>()
        });
        Self {
            until,
            user: escaped.take(NOTED).collect::<String>().trim().to_owned(),
        }
    }

    fn read(comment: &str) -> Option<Self> {
        let rest = comment.trim().strip_prefix("until ")?;
        let (until, user) = rest.split_once(',').unwrap_or((rest, ""));
        let until = OffsetDateTime::parse(until.trim(), &Rfc3339).ok()?;
        Some(Self::new(until, user.trim()))
    }
}

/// The certificates that are denied, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeniedCertificates(BTreeMap<CredentialId, Option<Note>>);

impl DeniedCertificates {
    /// Adds a certificate. What was noted of it stays where there is nothing new to note.
    pub fn insert(&mut self, id: CredentialId, note: Option<Note>) {
        let noted = self.0.entry(id).or_default();
        *noted = note.or_else(|| noted.take());
    }

    /// Lets those go that ended more than a week ago: no API server takes them any more. Returns how
    /// many.
    pub fn forget_ended(&mut self, now: OffsetDateTime) -> usize {
        let count = self.0.len();
        self.0.retain(|_, note| {
            let until = note.as_ref().map(|note| note.until);
            until.is_none_or(|until| until.checked_add(KEPT).is_none_or(|end| now <= end))
        });
        count - self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn contains(&self, id: &CredentialId) -> bool {
        self.0.contains_key(id)
    }

    /// The ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &CredentialId> {
        self.0.keys()
    }

    /// What is true of requests with one of them, one in a line.
    fn expression(&self) -> Result<String, DenyError> {
        let mut text = OPENING.to_owned();
        for (id, note) in &self.0 {
            let line = match note {
                None => format!("'{}',\n", id.0),
                Some(Note { until, user }) if user.is_empty() => {
                    format!("'{}', // until {}\n", id.0, show_time(*until))
                }
                Some(Note { until, user }) => {
                    format!("'{}', // until {}, {user}\n", id.0, show_time(*until))
                }
            };
            text.push_str(&line);
        }
        text.push_str(CLOSING);
        if text.len() > LONGEST {
            let found = self.0.len();
            let most = LONGEST * found / text.len();
            return Err(DenyError::TooMany { found, most });
        }
        Ok(text)
    }

    fn read(expression: &str) -> Option<Self> {
        let list = expression.trim_end().strip_prefix(OPENING)?;
        let mut denied = Self::default();
        for line in list.strip_suffix(CLOSING)?.lines().map(str::trim) {
            let (entry, comment) = line.split_once("//").unwrap_or((line, ""));
            let entry = entry.trim().trim_end_matches(',').trim_end();
            if entry.is_empty() {
                continue;
            }
            let id = entry.strip_prefix('\'')?.strip_suffix('\'')?;
            denied.insert(id.parse().ok()?, Note::read(comment));
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

/// The file of an API server's `--authorization-config`.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationConfiguration {
    /// Without the authorizer that denies.
    object: Map<String, Value>,
    /// That authorizer as it was found.
    older: Option<Map<String, Value>>,
    /// Whether comments were found, which will not be written.
    pub has_comments: bool,
    /// The certificates that are denied before anything else is asked.
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
    /// Reads one, with the certificates that it denies already. Everything else in it is kept.
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
            for (id, note) in read.0 {
                denied.insert(id, note);
            }
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

/// A question to an API server: whether it denies requests with this certificate. `status.denied` of
/// the answer says so.
#[must_use]
pub fn review(id: &CredentialId, user: &str, groups: &[String]) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user,
            "groups": groups,
            "extra": {EXTRA: [id.as_str()]},
            "nonResourceAttributes": {"verb": "get", "path": "/api"},
        },
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn id(digit: char) -> CredentialId {
        let text = format!("X509SHA256={}", digit.to_string().repeat(64));
        text.parse().unwrap()
    }

    fn alice() -> Note {
        Note::new(datetime!(2030-01-02 03:04:05 UTC), "alice")
    }

    fn read(text: &str) -> AuthorizationConfiguration {
        AuthorizationConfiguration::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_new_file_denies_first_and_leaves_the_rest_to_node_and_rbac() {
        let mut configuration = AuthorizationConfiguration::default();
        configuration.denied.insert(id('b'), Some(alice()));
        configuration.denied.insert(id('a'), None);
        let text = configuration.to_yaml().unwrap();
        let value = yaml::first_document(text.as_bytes()).unwrap();
        let names: Vec<_> = value["authorizers"].as_array().unwrap().iter().collect();
        assert_eq!(names.len(), 3);
        assert_eq!(names[0]["webhook"]["failurePolicy"], "Deny");
        assert_eq!(names[1], &json!({"type": "Node", "name": "node"}));
        assert_eq!(names[2], &json!({"type": "RBAC", "name": "rbac"}));
        let expression = &names[0]["webhook"]["matchConditions"][0]["expression"];
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        assert_eq!(
            expression.as_str().unwrap(),
            format!(
                "{OPENING}'X509SHA256={a}',\n'X509SHA256={b}', // until 2030-01-02T03:04:05Z, \
                 alice\n])"
            )
        );
        // A certificate has a line of its own, for those who compare versions of the file.
        let line = format!("        'X509SHA256={a}',\\n\\\n");
        assert!(text.contains(&line), "{text}");
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
        assert_eq!(
            yaml::first_document(unchanged.as_bytes()),
            Ok(before.clone())
        );
        configuration.denied.insert(id('a'), None);
        let text = configuration.to_yaml().unwrap();
        let mut value = yaml::first_document(text.as_bytes()).unwrap();
        let first = value["authorizers"].as_array_mut().unwrap().remove(0);
        assert_eq!(first["name"], AUTHORIZER);
        assert_eq!(value, before);
    }

    #[test]
    fn it_comes_first_again_and_keeps_what_was_set_in_it() {
        let mut configuration = read(THEIRS);
        configuration.denied.insert(id('a'), Some(alice()));
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
        moved.denied.insert(id('a'), None);
        moved.denied.insert(id('b'), None);
        let value = yaml::first_document(moved.to_yaml().unwrap().as_bytes()).unwrap();
        let first = &value["authorizers"][0];
        assert_eq!(value["authorizers"].as_array().unwrap().len(), 3);
        assert_eq!(first["name"], AUTHORIZER);
        assert_eq!(
            first["webhook"]["connectionInfo"]["kubeConfigFile"],
            "/elsewhere"
        );
        assert_eq!(first["webhook"]["failurePolicy"], "Deny");
        let refusal = &first["webhook"]["matchConditions"][1]["expression"];
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
        assert_eq!(read.0[&id('a')], Some(alice()));
        assert!(read.contains(&id('b')));
    }

    #[test]
    fn those_that_ended_are_forgotten_and_with_the_last_one_the_authorizer() {
        let mut configuration = read(THEIRS);
        configuration.denied.insert(id('a'), Some(alice()));
        configuration.denied.insert(id('b'), None);
        let denied = &mut configuration.denied;
        assert_eq!(denied.forget_ended(alice().until + Duration::days(7)), 0);
        assert_eq!(denied.forget_ended(alice().until + Duration::days(8)), 1);
        assert_eq!(denied.ids().collect::<Vec<_>>(), [&id('b')]);
        configuration.denied = DeniedCertificates::default();
        assert!(!configuration.to_yaml().unwrap().contains(AUTHORIZER));
    }

    #[test]
    fn what_was_edited_by_hand_is_read_or_refused() {
        let lines = |lines: &str| DeniedCertificates::read(&format!("{OPENING}{lines}])"));
        let entry = format!("'{}'", id('a').as_str());
        for good in [
            format!("{entry},\n"),
            entry.clone(),
            format!("\n   {entry}  , // lost in a train\n\n// nobody else\n"),
            format!("{entry}, // until tomorrow\n"),
        ] {
            let read = lines(&good).unwrap();
            assert_eq!(read.ids().collect::<Vec<_>>(), [&id('a')], "{good}");
            assert_eq!(read.0[&id('a')], None);
        }
        assert_eq!(lines("").map(|read| read.len()), Some(0));
        for bad in ["'alice',", "X", &format!("{entry} + {entry}"), "true ? "] {
            assert_eq!(lines(bad), None, "{bad}");
        }
        assert_eq!(DeniedCertificates::read("true"), None);
    }

    #[test]
    fn a_name_cannot_leave_its_comment() {
        let until = alice().until;
        let name = "x\n'], true // \u{2028}\r'\"é until ".repeat(9);
        let mut configuration = AuthorizationConfiguration::default();
        configuration
            .denied
            .insert(id('a'), Some(Note::new(until, &name)));
        let text = configuration.to_yaml().unwrap();
        let read = read(&text);
        assert_eq!(read.denied, configuration.denied);
        let expression = configuration.denied.expression().unwrap();
        assert_eq!(expression.lines().count(), 5);
        assert!(
            expression
                .bytes()
                .all(|b| b == b'\n' || b == b' ' || b.is_ascii_graphic())
        );
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
            let id = format!("X509SHA256={number:064x}").parse().unwrap();
            denied.insert(id, Some(Note::new(alice().until, &"x".repeat(64))));
        }
        let error = denied.expression().unwrap_err();
        assert!(
            matches!(
                error,
                DenyError::TooMany {
                    found: 2_000,
                    most: 500..900
                }
            ),
            "{error}"
        );
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
