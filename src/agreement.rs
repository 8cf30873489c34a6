//! What was agreed on with the maker of a request, and how a request compares with it: point by
//! point, on values.

use serde::Serialize;

use crate::key::{AgreedFingerprint, Fingerprint};
use crate::lifetime::Lifetime;
use crate::name::Identity;
use crate::policy::{Code, Effect, Finding};
use crate::text::visible;

/// More names than this are not listed in a message.
const LISTED: usize = 20;

/// What was agreed on; what is `None` was not.
#[derive(Debug, Clone, Default)]
pub struct Agreement {
    /// The user name.
    pub user: Option<String>,
    /// Exactly these groups, in any order.
    pub groups: Option<Vec<String>>,
    /// The key.
    pub fingerprint: Option<AgreedFingerprint>,
    /// The longest lifetime.
    pub max_lifetime: Option<Lifetime>,
}

/// What a request asks for, or a certificate gives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found<'a> {
    /// Who the holder is to the API server; `None` where it takes them for nobody.
    pub identity: Option<&'a Identity>,
    /// The key.
    pub fingerprint: Option<Fingerprint>,
    /// The lifetime in seconds; `None` where it is left to the cluster.
    pub seconds: Option<i64>,
}

/// How one point compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// As agreed on.
    Agreed,
    /// Another one.
    Different,
    /// Nothing was agreed on.
    NotCompared,
}

/// How each point compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// The user name.
    pub user: Point,
    /// The groups.
    pub groups: Point,
    /// The key.
    pub fingerprint: Point,
    /// The lifetime.
    pub lifetime: Point,
}

impl Comparison {
    /// Whether user and groups are as agreed on, and nothing is different.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        self.user == Point::Agreed
            && self.groups == Point::Agreed
            && self.fingerprint != Point::Different
            && self.lifetime != Point::Different
    }
}

impl Agreement {
    /// Whether it says enough for a verdict: who, and in which groups.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.user.is_some() && self.groups.is_some()
    }

    /// Compares point by point; with a finding for each that is different, which tells both sides.
    #[must_use]
    pub fn compare(&self, found: &Found<'_>) -> (Comparison, Vec<Finding>) {
        let mut findings = Vec::new();
        let mut point = |is_compared: bool, different: Option<Finding>| match different {
            _ if !is_compared => Point::NotCompared,
            None => Point::Agreed,
            Some(finding) => {
                findings.push(finding);
                Point::Different
            }
        };
        let comparison = Comparison {
            user: point(self.user.is_some(), self.user(found)),
            groups: point(self.groups.is_some(), self.groups(found)),
            fingerprint: point(self.fingerprint.is_some(), self.fingerprint(found)),
            lifetime: point(self.max_lifetime.is_some(), self.lifetime(found)),
        };
        (comparison, findings)
    }

    fn user(&self, found: &Found<'_>) -> Option<Finding> {
        let expected = self.user.as_deref()?;
        let found = found.identity.map(|identity| identity.username.as_str());
        (found != Some(expected)).then(|| {
            let found = found.map_or("nobody".to_owned(), |found| {
                format!("\"{}\"", visible(found))
            });
            let message = format!("found user {found}, agreed on \"{}\"", visible(expected));
            mismatch(Code::UserMismatch, "identity.username", message)
        })
    }

    fn groups(&self, found: &Found<'_>) -> Option<Finding> {
        let sorted = |groups: &[String]| {
            let mut groups = groups.to_vec();
            groups.sort();
            groups.dedup();
            groups
        };
        let expected = sorted(self.groups.as_deref()?);
        let found = found.identity.map(|identity| sorted(&identity.groups));
        if found.as_ref() == Some(&expected) {
            return None;
        }
        let found = found.unwrap_or_default();
        // Both are sorted.
        let without = |these: &[String], those: &[String]| -> Vec<String> {
            these
                .iter()
                .filter(|name| those.binary_search(name).is_err())
                .cloned()
                .collect()
        };
        let message = format!(
            "found groups {}, agreed on {}; too many: {}, missing: {}",
            list(&found),
            list(&expected),
            list(&without(&found, &expected)),
            list(&without(&expected, &found)),
        );
        Some(mismatch(Code::GroupMismatch, "identity.groups", message))
    }

    fn fingerprint(&self, found: &Found<'_>) -> Option<Finding> {
        let expected = self.fingerprint?;
        if found
            .fingerprint
            .is_some_and(|found| expected.matches(&found))
        {
            return None;
        }
        let shown = found
            .fingerprint
            .map_or("(none)".to_owned(), |found| expected.same_form(&found));
        let message = format!(
            "found key {shown}, agreed on {expected}: this request is not the one that was made"
        );
        Some(mismatch(
            Code::FingerprintMismatch,
            "publicKey.fingerprint",
            message,
        ))
    }

    fn lifetime(&self, found: &Found<'_>) -> Option<Finding> {
        let longest = self.max_lifetime?;
        let message = match found.seconds {
            None => format!(
                "no lifetime is asked for, at most {longest} were agreed on; the cluster's own may be longer"
            ),
            Some(seconds) if seconds > i64::from(longest.seconds()) => {
                format!(
                    "found {seconds} seconds, agreed on at most {} ({longest})",
                    longest.seconds()
                )
            }
            Some(_) => return None,
        };
        Some(mismatch(
            Code::LifetimeMismatch,
            "spec.expirationSeconds",
            message,
        ))
    }
}

fn mismatch(code: Code, field: &str, message: String) -> Finding {
    Finding::new(Effect::Misleads, code, field, message)
}

/// Each name in quotes, so that one with a comma is not taken for two.
pub(crate) fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "(none)".to_owned();
    }
    let shown: Vec<_> = names
        .iter()
        .take(LISTED)
        .map(|name| format!("\"{}\"", visible(name)))
        .collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Identity {
        Identity {
            username: "alice".to_owned(),
            groups: vec!["dev".to_owned(), "ops".to_owned()],
            uid: None,
        }
    }

    #[test]
    fn what_was_not_agreed_on_is_not_compared() {
        let identity = alice();
        let found = Found {
            identity: Some(&identity),
            ..Found::default()
        };
        let (comparison, findings) = Agreement::default().compare(&found);
        assert_eq!(comparison.user, Point::NotCompared);
        assert!(findings.is_empty() && !comparison.is_agreed());
    }

    #[test]
    fn groups_are_the_same_in_any_order_and_no_others() {
        let identity = alice();
        let found = Found {
            identity: Some(&identity),
            ..Found::default()
        };
        let compare = |groups: &[&str]| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            let agreement = Agreement {
                user: Some("alice".to_owned()),
                groups: Some(groups),
                ..Agreement::default()
            };
            agreement.compare(&found)
        };
        assert!(compare(&["ops", "dev"]).0.is_agreed());
        for others in [&[][..], &["dev"], &["dev", "ops", "more"], &["dev, ops"]] {
            let (comparison, findings) = compare(others);
            assert_eq!(comparison.groups, Point::Different);
            assert_eq!(findings[0].code, "group-mismatch");
            assert!(!comparison.is_agreed());
        }
    }

    #[test]
    fn who_authenticates_as_nobody_is_not_who_was_agreed_on() {
        let agreement = Agreement {
            user: Some("alice".to_owned()),
            groups: Some(Vec::new()),
            ..Agreement::default()
        };
        let (comparison, findings) = agreement.compare(&Found::default());
        assert_eq!(comparison.user, Point::Different);
        assert_eq!(comparison.groups, Point::Different);
        assert_eq!(findings.len(), 2);
    }
}
