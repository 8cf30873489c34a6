//! Whether API servers take a client's certificate: the way from it to an authority that they trust,
//! as crypto/x509 `Certificate.Verify` looks for it (k8s.io/apiserver
//! pkg/authentication/request/x509 `Authenticator.AuthenticateRequest`).

use time::OffsetDateTime;

use super::extensions::Limit;
use super::{Certificate, Chain};
use crate::error::Error;
use crate::key::{Hash, SignatureError};
use crate::text;
use crate::text::{Label, Show, Text};

/// How many signatures are checked at most (crypto/x509 `maxChainSignatureChecks`).
const MOST_CHECKS: usize = 100;

/// Why there is no way from a certificate to an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPath {
    /// Nobody with the issuer's name and key is at hand.
    NotIssued {
        /// The issuer that was not found.
        issuer: Text,
    },
    /// It names an authority at hand by name and key, whose signature it does not have.
    Changed {
        /// The authority that it names.
        issuer: Text,
    },
    /// A certificate that the way would go by does not do.
    Unfit {
        /// Whose it is.
        subject: Text,
        /// What is wrong with it.
        why: Unfit,
    },
    /// Too many certificates of the same names are at hand.
    TooMany,
}

/// Why a certificate does not do in the way to an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It may not issue certificates (`basicConstraints`).
    NoAuthority,
    /// Its key may not sign certificates (`keyUsage`).
    SignsNoCertificates,
    /// More authorities stand below it than it allows (`pathLenConstraint`).
    TooManyBelow {
        /// How many there are.
        found: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// Its dates.
    Dates(Error),
    /// The certificate below it is signed in a way that is not taken any more.
    Insecure(SignatureError),
    /// It may not be used for the authentication of clients (`extendedKeyUsage`).
    NoClientAuth,
    /// It has a critical extension that API servers do not know.
    NotUnderstood(Label),
    /// It limits names or policies of those below, and whether they keep to it is not judged.
    Limits(&'static str),
}

impl Chain {
    /// Whether an API server that trusts `authorities` takes the leaf, with the rest of the chain sent
    /// along in any order.
    ///
    /// # Errors
    /// [`NoPath`], with what is nearest to a way.
    pub fn verify_client(
        &self,
        authorities: &[Certificate],
        now: OffsetDateTime,
    ) -> Result<(), NoPath> {
        let leaf = self.leaf();
        leaf.check_alone(now).map_err(|why| leaf.unfit(why))?;
        if authorities.iter().any(|it| it.der == leaf.der) {
            return leaf.check_purpose().map_err(|why| leaf.unfit(why));
        }
        let mut search = Search {
            intermediates: self.rest(),
            authorities,
            now,
            checks: 0,
            nearest: None,
        };
        if search.reaches_authority(&mut vec![leaf]) {
            return Ok(());
        }
        Err(search.nearest.unwrap_or_else(|| NoPath::NotIssued {
            issuer: leaf.issuer().show(),
        }))
    }
}

struct Search<'a> {
    intermediates: &'a [Certificate],
    authorities: &'a [Certificate],
    now: OffsetDateTime,
    checks: usize,
    nearest: Option<NoPath>,
}

impl<'a> Search<'a> {
    /// Whether the path, which starts with the holder, goes on to an authority (crypto/x509
    /// `buildChains`).
    fn reaches_authority(&mut self, path: &mut Vec<&'a Certificate>) -> bool {
        let trusted = self.authorities.iter().map(|it| (it, true));
        let sent = self.intermediates.iter().map(|it| (it, false));
        let Some(&child) = path.last() else {
            return false;
        };
        for (candidate, is_trusted) in trusted.chain(sent) {
            let is_named = candidate.subject.der == child.issuer.der;
            if !is_named || path.iter().any(|it| it.is_same_holder(candidate)) {
                continue;
            }
            self.checks += 1;
            if self.checks > MOST_CHECKS {
                self.nearest = Some(NoPath::TooMany);
                return false;
            }
            match candidate.check_issuing(path, is_trusted, self.now) {
                Ok(true) => {}
                Ok(false) if child.names_key_of(candidate) => {
                    self.nearest.get_or_insert(NoPath::Changed {
                        issuer: child.issuer().show(),
                    });
                    continue;
                }
                Ok(false) => continue,
                Err(unfit) => {
                    self.nearest.get_or_insert(unfit);
                    continue;
                }
            }
            path.push(candidate);
            let reaches = if is_trusted {
                self.serves_clients(path)
            } else {
                self.reaches_authority(path)
            };
            if reaches {
                return true;
            }
            path.pop();
        }
        false
    }

    /// Whether no certificate of the path forbids the authentication of clients (crypto/x509
    /// `checkChainForKeyUsage`).
    fn serves_clients(&mut self, path: &[&Certificate]) -> bool {
        let unfit = path.iter().rev().find_map(|it| {
            let why = it.check_purpose().err()?;
            Some(it.unfit(why))
        });
        let serves = unfit.is_none();
        self.nearest = self.nearest.take().or(unfit);
        serves
    }
}

impl Certificate {
    fn unfit(&self, why: Unfit) -> NoPath {
        NoPath::Unfit {
            subject: self.subject().show(),
            why,
        }
    }

    /// The same holder with the same key twice makes no longer path (crypto/x509 `alreadyInChain`).
    fn is_same_holder(&self, other: &Self) -> bool {
        let names = |it: &Self| it.extensions.alternative_names.clone();
        self.subject.der == other.subject.der
            && self.public_key == other.public_key
            && names(self) == names(other)
    }

    /// Whether it says that it is signed with the very key of another: names alone are shared.
    fn names_key_of(&self, other: &Self) -> bool {
        let said = self.extensions.issuer_key.as_ref();
        // Some libraries write an empty one.
        said.is_some_and(|it| !it.is_empty()) && said == other.extensions.key_identifier.as_ref()
    }

    /// What holds of every certificate, wherever it stands.
    fn check_alone(&self, now: OffsetDateTime) -> Result<(), Unfit> {
        if let Some(oid) = &self.extensions.not_understood {
            return Err(Unfit::NotUnderstood(Label::from(oid.to_string())));
        }
        self.check_dates(now).map_err(Unfit::Dates)
    }

    fn check_purpose(&self) -> Result<(), Unfit> {
        if self.client_auth() {
            Ok(())
        } else {
            Err(Unfit::NoClientAuth)
        }
    }

    /// Whether it issued the last certificate of `below`, and might (crypto/x509 `CheckSignatureFrom`
    /// and `isValid`). False where the key is another.
    fn check_issuing(
        &self,
        below: &[&Self],
        is_trusted: bool,
        now: OffsetDateTime,
    ) -> Result<bool, NoPath> {
        let Some(child) = below.last() else {
            return Ok(false);
        };
        let unfit = |why| Err(self.unfit(why));
        match child.verify_issued_by(self) {
            Ok(()) => {}
            Err(SignatureError::DoesNotVerify) => return Ok(false),
            Err(error) => return unfit(Unfit::Insecure(error)),
        }
        let constraints = self.extensions.basic_constraints;
        // Before the third version there were no extensions to say so.
        let needs_constraints = self.version == 3 || !is_trusted;
        if !constraints.map_or(!needs_constraints, |it| it.is_ca) {
            return unfit(Unfit::NoAuthority);
        }
        if self.extensions.signs_certificates == Some(false) {
            return unfit(Unfit::SignsNoCertificates);
        }
        self.check_alone(now).map_err(|why| self.unfit(why))?;
        let found = below.len() - 1;
        if let Some(allowed) = constraints.and_then(|it| it.path_length)
            && found > allowed
        {
            return unfit(Unfit::TooManyBelow { found, allowed });
        }
        let have_names = || {
            let mut below = below.iter();
            below.any(|it| it.extensions.alternative_names.is_some())
        };
        match self.extensions.limits {
            Some(Limit::Names) if have_names() => unfit(Unfit::Limits("names")),
            Some(Limit::Policies) => unfit(Unfit::Limits("policies")),
            _ => Ok(true),
        }
    }

    /// Whether `issuer` signed it, in a way that is still taken.
    pub(super) fn verify_issued_by(&self, issuer: &Self) -> Result<(), SignatureError> {
        let signed = self.der.get(self.signed.clone()).unwrap_or_default();
        let algorithm = &self.signature_algorithm;
        let verified = issuer.public_key.verify(algorithm, signed, &self.signature);
        // Requests may be signed with SHA-1, certificates may not.
        match verified {
            Ok(()) if algorithm.hash() == Some(Hash::Sha1) => {
                Err(SignatureError::Insecure(algorithm.to_string()))
            }
            verified => verified,
        }
    }
}

impl Show for NoPath {
    fn show(&self) -> Text {
        match self {
            Self::NotIssued { issuer } => text!("its issuer is {}", issuer),
            Self::Changed { issuer } => text!(
                "it says that {} signed it with its key, and the signature is not by that key: it was damaged on \
                 its way, or is forged",
                issuer
            ),
            Self::Unfit { subject, why } => text!("{}: {}", subject, why),
            Self::TooMany => text!("too many certificates of the same names"),
        }
    }
}

impl Show for Unfit {
    fn show(&self) -> Text {
        match self {
            Self::NoAuthority => {
                text!("it is not the certificate of an authority (basicConstraints)")
            }
            Self::SignsNoCertificates => {
                text!("its key is not for signing certificates (keyUsage)")
            }
            Self::TooManyBelow { found, allowed } => text!(
                "{} authorities stand below it, and it allows {} (pathLenConstraint)",
                found,
                allowed
            ),
            Self::Dates(error) => error.show(),
            Self::Insecure(error) => text!("what it signed: {}", error),
            Self::NoClientAuth => text!("it is not for client authentication (extendedKeyUsage)"),
            Self::NotUnderstood(oid) => {
                text!("API servers do not know its critical extension {}", oid)
            }
            Self::Limits(what) => text!(
                "it limits the {} of certificates below it, which this program does not judge",
                what
            ),
        }
    }
}
