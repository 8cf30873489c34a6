//! What is told of a merge: why entries cannot be added, both sides named, and what took the place of
//! what.

use std::fmt;

use time::OffsetDateTime;

use crate::certificate::{Certificate, show_time};
use crate::key::{Fingerprint, PublicKey};
use crate::name::Identity;

/// Whom a certificate is for, and from when until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    identity: Identity,
    from: OffsetDateTime,
    pub(super) until: OffsetDateTime,
}

impl Holder {
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        Some(Self {
            identity: certificate.subject().identity()?,
            from: certificate.not_before(),
            until: certificate.not_after(),
        })
    }

    /// Whether both are the same user.
    #[must_use]
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.identity.username == other.identity.username
    }

    /// Whether this one does all that the other does, and was issued no earlier: whoever asked for less
    /// meant it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.identity.is_same(&other.identity)
            && self.until >= other.until
            && self.from >= other.from
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity {
            username, groups, ..
        } = &self.identity;
        match groups.as_slice() {
            [] => write!(f, "\"{username}\" without groups")?,
            groups => write!(f, "\"{username}\" in \"{}\"", groups.join("\", \""))?,
        }
        let [from, until] = [self.from, self.until].map(show_time);
        write!(f, " from {from} until {until}")
    }
}

impl MergeError {
    /// Whether what is there is of somebody else than what is to be added.
    #[must_use]
    pub fn is_of_another_user(&self) -> bool {
        matches!(self, Self::Credential { found, given, .. } if !given.is_same_user(found))
    }
}

/// Why the entries cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The user entry of this name is not ours.
    #[error(
        "user \"{user}\" is there already, made by something else: it has {has}; to be added is a certificate of {given}"
    )]
    Foreign {
        /// The name of the entry.
        user: String,
        /// The fields that it has, as they are named.
        has: String,
        /// Whom the new one is of.
        given: String,
    },
    /// The certificate that is there says something that the new one does not say.
    #[error(
        "user \"{user}\" is there already: its certificate is of {found}; to be added is one of {given}"
    )]
    Credential {
        /// The name of the entry.
        user: String,
        /// Whom the one that is there is of.
        found: Box<Holder>,
        /// Whom the new one is of.
        given: Box<Holder>,
    },
    /// The certificate that is there cannot be read, and its key is another one.
    #[error(
        "user \"{user}\" is there already, with another key and a certificate that cannot be read; to be added is one of {given}"
    )]
    Unread {
        /// The name of the entry.
        user: String,
        /// Whom the new one is of.
        given: String,
    },
    /// The context of this name is of another cluster or user.
    #[error("context \"{context}\" is there already, of {found}; to be added is one of {given}")]
    Context {
        /// The name of the context.
        context: String,
        /// What it joins.
        found: Joined,
        /// What the new one joins.
        given: Joined,
    },
    /// The cluster entry of this name leads to another server.
    #[error("cluster \"{cluster}\" is there already, at {found}; to be added is one at {given}")]
    Server {
        /// The name of the entry.
        cluster: String,
        /// Its address, without a password.
        found: String,
        /// The address of the new one.
        given: String,
    },
    /// It leads to the same server, which is to be known by another authority.
    #[error(
        "cluster \"{cluster}\" is there already, with the certificate authority {found}; to be added is {given}"
    )]
    Authority {
        /// The name of the entry.
        cluster: String,
        /// The fingerprints of what is there.
        found: Fingerprints,
        /// Those of the new one.
        given: Fingerprints,
    },
    /// It leads to the same server another way.
    #[error("{field} of cluster \"{cluster}\": there is \"{found}\", to be added is \"{given}\"")]
    Way {
        /// The name of the entry.
        cluster: String,
        /// `proxy-url` or `tls-server-name`.
        field: &'static str,
        /// What the file has, without a password.
        found: String,
        /// What the new entry has.
        given: String,
    },
}

/// The two names in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The cluster.
    pub cluster: String,
    /// The user entry.
    pub user: String,
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster \"{}\" and user \"{}\"", self.cluster, self.user)
    }
}

/// The keys of authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprints(Vec<Fingerprint>);

impl fmt::Display for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("of the system (none is named)");
        }
        let spoken: Vec<_> = self.0.iter().map(Fingerprint::spoken).collect();
        f.write_str(&spoken.join(" and "))
    }
}

impl Fingerprints {
    pub(super) fn of(certificates: &[Certificate]) -> Self {
        let keys = certificates.iter().map(Certificate::public_key);
        Self(keys.map(PublicKey::fingerprint).collect())
    }

    /// The only one.
    #[must_use]
    pub fn only(&self) -> Option<Fingerprint> {
        match self.0.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// What took the place of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The authority of a cluster.
    Authority {
        /// The name of the entry.
        cluster: String,
        /// The fingerprints of what was there.
        old: Fingerprints,
        /// Those of the new one.
        new: Fingerprints,
    },
    /// A certificate by one of another holder, or one that ends sooner.
    Credential {
        /// The name of the entry.
        user: String,
        /// Whom the old one is of.
        old: Box<Holder>,
        /// Whom the new one is of.
        new: Box<Holder>,
    },
    /// A certificate that could not be read.
    Unread {
        /// The name of the entry.
        user: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority { cluster, old, new } => write!(
                f,
                "the certificate authority of cluster \"{cluster}\", {old}, is replaced by {new}"
            ),
            Self::Credential { user, old, new } => write!(
                f,
                "the certificate of user \"{user}\", of {old}, is replaced by one of {new}"
            ),
            Self::Unread { user } => write!(
                f,
                "the certificate of user \"{user}\" is replaced; whom it was of cannot be read"
            ),
        }
    }
}

crate::text::show_raw!(MergeError, Change);
