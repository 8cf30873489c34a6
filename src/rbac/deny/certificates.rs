//! Who is denied, and what is kept of them, whatever it is written in.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::DenyError;
use crate::key::Fingerprint;
use crate::text;
use crate::text::{Show, Text};

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

/// Who is denied, and which certificates are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeniedCertificates {
    /// By name, with the end of the last certificate that is known, and the keys that were lost.
    pub(super) users: BTreeMap<String, Known>,
    /// By user and id, with their end and key.
    pub(super) kept: BTreeMap<(String, CredentialId), Known>,
}

/// What is known of a name or a certificate. API servers do not read it: it stands in a comment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Known {
    pub(super) until: Option<OffsetDateTime>,
    pub(super) keys: BTreeSet<Fingerprint>,
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
}
