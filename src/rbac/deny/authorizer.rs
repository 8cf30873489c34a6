//! The authorizer that denies: two conditions in CEL, whose lines API servers and we read.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::certificates::Known;
use super::{DeniedCertificates, DenyError, KUBECONFIG};
use crate::certificate::show_time;

/// The name of the authorizer.
pub(super) const AUTHORIZER: &str = "kube-enroll-denied-certificates";
/// The parts of the first condition: users in lines stand between the first two, what is kept between
/// the last two.
pub(super) const PARTS: [&str; 3] = [
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

impl DeniedCertificates {
    /// What is true of requests that are denied. Each user and each certificate has its line.
    pub(super) fn expression(&self) -> Result<String, DenyError> {
        let [first, second, third] = PARTS;
        let mut text = first.to_owned();
        for (user, known) in &self.users {
            push_line(user, known, &mut text);
        }
        text.push_str(second);
        for ((user, id), known) in &self.kept {
            push_line(&format!("{} {user}", id.as_str()), known, &mut text);
        }
        text.push_str(third);
        if text.len() > LONGEST {
            return Err(DenyError::TooMany(self.users.len() + self.kept.len()));
        }
        Ok(text)
    }

    pub(super) fn read(expression: &str) -> Option<Self> {
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
    pub(super) fn authorizer(&self, older: Option<Map<String, Value>>) -> Result<Value, DenyError> {
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

/// What an authorizer of this module denies, if it is one.
pub(super) fn read_authorizer(authorizer: &Value) -> Option<DeniedCertificates> {
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
