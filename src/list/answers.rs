//! Which requests were answered: a certificate with all that was asked for is at hand. What is one thing
//! in several files is told by a mark that its rows share.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{Row, Standing};
use crate::csr::CertificationRequest;
use crate::inspect::LEEWAY_SECONDS;
use crate::key::Fingerprint;
use crate::manifest::{self, CertificateSigningRequest, object_name};
use crate::name::same_groups;
use crate::text::hex;

/// Of so many certificates of one key one is looked for, and of so many requests the same one.
const MOST: usize = 32;

/// What a request asks for, besides user, groups and key.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// SHA-256 of the request in DER.
    digest: [u8; 32],
    /// `spec.expirationSeconds`.
    seconds: Option<i32>,
    /// The first digits of the credential id of the certificate that it is to follow.
    follows: Option<String>,
}

impl Asked {
    pub(super) fn by(der: &[u8]) -> Self {
        Self {
            digest: Sha256::digest(der).into(),
            seconds: None,
            follows: None,
        }
    }

    /// The same, with what the object asks for besides.
    pub(super) fn in_object(
        self,
        object: &CertificateSigningRequest,
        request: &CertificationRequest,
    ) -> Self {
        let identity = request.subject().identity_when_issued();
        let plain = object_name(
            &identity.map(|it| it.username).unwrap_or_default(),
            request,
            &object.signer_name,
            &object.usages,
            object.expiration_seconds,
        );
        let rest = object.metadata.name.strip_prefix(&plain);
        Self {
            seconds: object.expiration_seconds,
            follows: rest
                .and_then(|rest| rest.strip_prefix('-'))
                .map(str::to_owned),
            ..self
        }
    }
}

impl Row {
    fn is_open(&self) -> bool {
        self.asked.is_some() && matches!(self.state, Standing::Pending | Standing::Approved)
    }

    /// The digits of the credential id.
    fn digits(&self) -> &str {
        let id = self.credential_id.as_deref().unwrap_or_default();
        id.split_once('=').map_or("", |(_, digits)| digits)
    }

    /// Whether this certificate is the answer to a request of its key. One that came in an object answers
    /// that object.
    fn answers(&self, request: &Self, others: &[&Self]) -> bool {
        let Some(asked) = &request.asked else {
            return false;
        };
        if self.user != request.user || !same_groups(&self.groups, &request.groups) {
            return false;
        }
        if let Some(own) = &self.asked {
            let is_named = self.name.is_none() || request.name.is_none();
            return own.digest == asked.digest && (is_named || self.name == request.name);
        }
        let is_for_as_long = asked.seconds.is_none_or(|seconds| {
            let off = self.granted.map(|granted| granted - i64::from(seconds));
            off.is_some_and(|off| off.abs() <= LEEWAY_SECONDS)
        });
        let is_later = asked.follows.as_ref().is_none_or(|digits| {
            let mut others = others.iter();
            let followed = others.find(|it| it.digits().starts_with(digits.as_str()));
            match followed {
                Some(followed) => self.end >= followed.end && self.digits() != followed.digits(),
                None => true,
            }
        });
        is_for_as_long && is_later
    }
}

/// Gives each request whose certificate is among the rows its state and end, each other one the furthest
/// state of its files, and all rows of one certificate or request the same mark.
pub fn settle(rows: &mut [Row]) {
    let mut certificates: HashMap<Fingerprint, Vec<&Row>> = HashMap::new();
    let mut objects: HashMap<[u8; 32], Vec<&Row>> = HashMap::new();
    for row in rows.iter() {
        if let (Some(key), Some(_)) = (row.key, row.end) {
            let of_key = certificates.entry(key).or_default();
            if of_key.len() < MOST {
                of_key.push(row);
            }
        } else if let Some(asked) = row.asked.as_ref().filter(|_| row.kind == manifest::KIND) {
            let same = objects.entry(asked.digest).or_default();
            if same.len() < MOST {
                same.push(row);
            }
        }
    }
    let answer = |request: &Row| {
        let of_key = certificates.get(&request.key?)?;
        let answers = of_key.iter().filter(|it| it.answers(request, of_key));
        answers.max_by_key(|it| it.end).copied()
    };
    let settled: Vec<_> = rows
        .iter()
        .map(|row| {
            let Some(asked) = row.asked.as_ref().filter(|_| row.end.is_none()) else {
                return (row.state, row.credential_id.clone(), None);
            };
            // A bare request stands where the object does that was made of it, best the one beside it.
            let same = objects.get(&asked.digest).map_or(&[][..], Vec::as_slice);
            let beside = same.iter().find(|it| it.stem() == row.stem());
            let object = beside.or(same.first()).copied();
            let request = object.filter(|_| row.kind != manifest::KIND).unwrap_or(row);
            match answer(request).filter(|_| request.is_open()) {
                Some(certificate) => (
                    certificate.state,
                    certificate.credential_id.clone(),
                    certificate.not_after.clone().zip(certificate.days_left),
                ),
                None => {
                    let furthest = same
                        .iter()
                        .filter(|it| it.name == request.name)
                        .map(|it| it.state)
                        .fold(request.state, Standing::further);
                    (furthest, Some(request.mark(asked)), None)
                }
            }
        })
        .collect();
    for (row, (state, mark, end)) in rows.iter_mut().zip(settled) {
        row.state = state;
        row.mark = mark;
        if let Some((not_after, days_left)) = end {
            row.not_after = Some(not_after);
            row.days_left = Some(days_left);
        }
    }
}

impl Row {
    /// The name of the file without what tells its kind.
    fn stem(&self) -> &str {
        let name = self.source.as_str();
        let name = name.strip_suffix(".yaml").unwrap_or(name);
        name.strip_suffix(".csr").unwrap_or(name)
    }

    fn mark(&self, asked: &Asked) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        format!("{} {name}", hex(&asked.digest))
    }
}
