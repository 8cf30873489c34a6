//! The certificates that came together: the one that is shown, and those above it.

use std::cmp::Reverse;
use std::collections::HashSet;

use time::OffsetDateTime;

use super::Certificate;
use crate::error::{Error, Result};
use crate::key::PublicKey;

/// A certificate and those that came along with it; never empty. The first one is the leaf, which a
/// client shows for its own (RFC 8446 section 4.4.2), but what people are sent has every order.
#[derive(Debug, Clone)]
pub struct Chain {
    leaf: Certificate,
    rest: Vec<Certificate>,
}

impl Chain {
    /// The certificate in DER, or every one of a PEM file in its order.
    ///
    /// # Errors
    /// Those of [`Chain::from_pem`].
    pub fn read(input: &[u8]) -> Result<Self> {
        match Certificate::from_der(input) {
            Ok(certificate) => Ok(certificate.into()),
            Err(_) => Self::from_pem(input),
        }
    }

    /// Every certificate of a PEM file, in its order.
    ///
    /// # Errors
    /// [`Error::NoCertificate`] where there is none; [`Error::Malformed`] for one that is broken.
    pub fn from_pem(input: &[u8]) -> Result<Self> {
        Certificate::all_from_pem(input)?.try_into()
    }

    /// The first certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// What follows the leaf.
    #[must_use]
    pub fn rest(&self) -> &[Certificate] {
        &self.rest
    }

    /// All of them, the leaf first.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.leaf).chain(&self.rest)
    }

    /// The first that is not an authority's, wherever it stands; else the leaf.
    #[must_use]
    pub fn holder(&self) -> &Certificate {
        let mut all = self.iter();
        all.find(|it| !it.is_ca()).unwrap_or(&self.leaf)
    }

    /// The first for this key, wherever it stands.
    #[must_use]
    pub fn leaf_for(&self, key: &PublicKey) -> Option<&Certificate> {
        self.iter().find(|it| it.public_key() == key)
    }

    /// All of them in the order in which one of them is likely to be meant: authorities last, and
    /// before them the last to be issued first, and of those the last to end.
    #[must_use]
    pub fn by_likelihood(&self) -> Vec<&Certificate> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by_key(|it| (it.is_ca(), Reverse((it.not_before(), it.not_after()))));
        all
    }

    /// This one of them as the leaf, with the authorities behind it and nobody else's.
    #[must_use]
    pub fn led_by(&self, leaf: &Certificate) -> Self {
        let is_other = |it: &&Certificate| it.is_ca() && it.der() != leaf.der();
        Self {
            leaf: leaf.clone(),
            rest: self.iter().filter(is_other).cloned().collect(),
        }
    }

    /// This one of them as the leaf, with those that issued it behind it, each once: what an API server and
    /// its user have a use for.
    #[must_use]
    pub fn issuing(&self, leaf: &Certificate) -> Self {
        /// Signatures that are checked at most.
        const MOST_CHECKS: usize = 100;
        let mut rest: Vec<Certificate> = Vec::new();
        let mut seen = HashSet::from([leaf.der()]);
        let others = self.iter().filter(|it| it.is_ca() && seen.insert(it.der()));
        let others: Vec<&Certificate> = others.collect();
        let mut checks = 0;
        loop {
            let below = rest.last().unwrap_or(leaf);
            let issuer = others.iter().find(|it| {
                let is_named = it.subject.der == below.issuer.der
                    && rest.iter().all(|above| above.der != it.der);
                checks += usize::from(is_named);
                is_named && checks <= MOST_CHECKS && below.verify_issued_by(it).is_ok()
            });
            let Some(issuer) = issuer.map(|it| (*it).clone()) else {
                break;
            };
            rest.push(issuer);
        }
        let leaf = leaf.clone();
        Self { leaf, rest }
    }

    /// The last second in which all of them are valid.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        let rest = self.rest.iter().map(Certificate::not_after);
        rest.fold(self.leaf.not_after(), OffsetDateTime::min)
    }

    /// All of them in PEM, the leaf first.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.iter().map(Certificate::to_pem).collect()
    }
}

impl From<Certificate> for Chain {
    fn from(leaf: Certificate) -> Self {
        let rest = Vec::new();
        Self { leaf, rest }
    }
}

impl TryFrom<Vec<Certificate>> for Chain {
    type Error = Error;

    fn try_from(certificates: Vec<Certificate>) -> Result<Self> {
        let mut certificates = certificates.into_iter();
        Ok(Self {
            leaf: certificates.next().ok_or(Error::NoCertificate)?,
            rest: certificates.collect(),
        })
    }
}
