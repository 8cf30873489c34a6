//! A request against what was agreed on with its maker.

use super::{Object, status};
use crate::key::Fingerprint;
use crate::lifetime::Lifetime;
use crate::policy::{Code, Effect, Finding};
use crate::text::visible;

/// What was agreed on; what is `None` was not.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The user name.
    pub user: Option<String>,
    /// Exactly these groups, in any order.
    pub groups: Option<Vec<String>>,
    /// The key.
    pub fingerprint: Option<Fingerprint>,
    /// The longest lifetime.
    pub max_lifetime: Option<Lifetime>,
}

impl Expected {
    /// Every departure of `object` from what was agreed on.
    #[must_use]
    pub fn check(&self, object: &Object) -> Vec<Finding> {
        [
            self.user(object),
            self.groups(object),
            self.fingerprint(object),
            self.lifetime(object),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn user(&self, object: &Object) -> Option<Finding> {
        let expected = self.user.as_deref()?;
        let found = object
            .identity
            .as_ref()
            .map(|identity| identity.username.as_str());
        (found != Some(expected)).then(|| {
            let found = found.map_or("nobody".to_owned(), |found| {
                format!("\"{}\"", visible(found))
            });
            let message = format!("found user {found}, agreed on \"{}\"", visible(expected));
            mismatch(Code::UserMismatch, "identity.username", message)
        })
    }

    fn groups(&self, object: &Object) -> Option<Finding> {
        let sorted = |groups: &[String]| {
            let mut groups = groups.to_vec();
            groups.sort();
            groups.dedup();
            groups
        };
        let expected = sorted(self.groups.as_deref()?);
        let found = object
            .identity
            .as_ref()
            .map(|identity| sorted(&identity.groups));
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
            status::list(&found),
            status::list(&expected),
            status::list(&without(&found, &expected)),
            status::list(&without(&expected, &found)),
        );
        Some(mismatch(Code::GroupMismatch, "identity.groups", message))
    }

    fn fingerprint(&self, object: &Object) -> Option<Finding> {
        let expected = self.fingerprint?.to_string();
        let found = object
            .public_key
            .as_ref()
            .map(|key| key.fingerprint.as_str());
        (found != Some(expected.as_str())).then(|| {
            let message = format!(
                "found key {}, agreed on {expected}: this request is not the one that was made",
                found.unwrap_or("(none)")
            );
            mismatch(Code::FingerprintMismatch, "publicKey.fingerprint", message)
        })
    }

    fn lifetime(&self, object: &Object) -> Option<Finding> {
        let longest = self.max_lifetime?;
        let message = match object.expiration_seconds {
            None => format!(
                "no lifetime is asked for, at most {longest} were agreed on; the cluster's own may be longer"
            ),
            Some(seconds) if seconds > longest.seconds() => {
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
