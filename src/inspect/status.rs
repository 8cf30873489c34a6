//! What the cluster did with a request: its conditions, and the certificate against the request.

use std::collections::HashSet;

use serde::Serialize;
use time::OffsetDateTime;

use super::CertificateReport;
use crate::certificate::{Certificate, Chain, show_time};
use crate::csr::CertificationRequest;
use crate::error::Error;
use crate::lifetime::Lifetime;
use crate::manifest::{CertificateSigningRequest, Condition, Status};
use crate::policy::{Code, Effect, Finding};
use crate::text::visible;

const FIELD: &str = "status.certificate";

/// How far a granted lifetime may be from the one asked for and still be it: kube-controller-manager
/// dates certificates back by five minutes.
pub(crate) const LEEWAY_SECONDS: i64 = 10 * 60;

/// Where a request stands, in the order in which client-go looks
/// (k8s.io/client-go/util/certificate/csr `WaitForCertificate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum State {
    /// Nobody has decided yet.
    Pending,
    /// Refused by a person.
    Denied,
    /// Refused by the signer.
    Failed,
    /// Approved, and no certificate came yet.
    Approved,
    /// There is a certificate.
    Issued,
}

/// `status` of a request.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatusReport {
    /// Where the request stands.
    pub state: State,
    /// Its conditions.
    pub conditions: Vec<ConditionReport>,
    /// The certificate.
    pub certificate: Option<Box<CertificateReport>>,
}

/// A condition, deceptive characters escaped.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConditionReport {
    /// `Approved`, `Denied` or `Failed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// Where a request stands.
#[must_use]
pub fn state(status: Option<&Status>) -> State {
    let Some(status) = status else {
        return State::Pending;
    };
    let has = |kind| status.condition(kind).is_some();
    if has("Denied") {
        State::Denied
    } else if has("Failed") {
        State::Failed
    } else if status.certificate.is_some() {
        // A certificate is there only if somebody approved it, whatever became of the conditions.
        State::Issued
    } else if has("Approved") {
        State::Approved
    } else {
        State::Pending
    }
}

impl StatusReport {
    pub(super) fn new(
        status: &Status,
        findings: &mut Vec<Finding>,
        csr: Option<&CertificationRequest>,
        object: &CertificateSigningRequest,
        now: OffsetDateTime,
    ) -> Self {
        let mut certificate = None;
        match status.certificate.as_deref().map(Chain::from_pem) {
            Some(Ok(chain)) => {
                let leaf = chain.leaf();
                findings.extend(
                    csr.into_iter()
                        .flat_map(|csr| check_issued(leaf, csr, object)),
                );
                findings.extend(check_chain(&chain, leaf));
                findings.extend(dates(leaf, now));
                certificate = Some(Box::new(CertificateReport::new(leaf, now)));
            }
            Some(Err(error)) => findings.push(mismatch(error.to_string())),
            None => findings.extend(undecided(status)),
        }
        Self {
            state: state(Some(status)),
            conditions: status
                .conditions
                .iter()
                .map(ConditionReport::from)
                .collect(),
            certificate,
        }
    }
}

impl From<&Condition> for ConditionReport {
    fn from(condition: &Condition) -> Self {
        Self {
            kind: visible(&condition.kind).to_string(),
            reason: visible(&condition.reason).to_string(),
            message: visible(&condition.message).to_string(),
        }
    }
}

fn undecided(status: &Status) -> Option<Finding> {
    let said = |kind| {
        status.condition(kind).map_or(String::new(), |condition| {
            let (reason, message) = (visible(&condition.reason), visible(&condition.message));
            format!("{reason}: {message}")
        })
    };
    let (code, message) = match state(Some(status)) {
        State::Denied => (Code::Denied, format!("denied ({})", said("Denied"))),
        State::Failed => (
            Code::Failed,
            format!("the signer refused ({})", said("Failed")),
        ),
        State::Approved => (
            Code::NotIssued,
            "approved, and no certificate was issued".to_owned(),
        ),
        State::Pending | State::Issued => return None,
    };
    Some(Finding::new(
        Effect::NotIssued,
        code,
        "status.conditions",
        message,
    ))
}

fn mismatch(message: impl Into<String>) -> Finding {
    Finding::new(Effect::Misleads, Code::CertificateMismatch, FIELD, message)
}

/// Every departure of a certificate from what was asked for: key, user, groups, use, and a lifetime
/// that is more than ten minutes off (k8s.io/client-go/util/certificate/csr `ensureCompatible`,
/// and more). Its dates are for [`Certificate::check_dates`].
#[must_use]
pub fn check_issued(
    certificate: &Certificate,
    csr: &CertificationRequest,
    object: &CertificateSigningRequest,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if certificate.public_key() != csr.public_key() {
        findings.push(mismatch(format!(
            "the certificate is for the key {}, the request for {}",
            certificate.public_key().fingerprint(),
            csr.public_key().fingerprint()
        )));
    }
    let (found, expected) = (
        certificate.subject().identity(),
        csr.subject().identity_when_issued(),
    );
    let user = |identity: &Option<crate::name::Identity>| {
        identity
            .as_ref()
            .map_or(String::new(), |identity| identity.username.clone())
    };
    if user(&found) != user(&expected) {
        findings.push(mismatch(format!(
            "the certificate is for user \"{}\", the request for \"{}\"",
            visible(&user(&found)),
            visible(&user(&expected))
        )));
    }
    let groups = |identity: Option<crate::name::Identity>| {
        let mut groups = identity.map(|identity| identity.groups).unwrap_or_default();
        groups.sort();
        groups
    };
    let (found, expected) = (groups(found), groups(expected));
    if found != expected {
        findings.push(mismatch(format!(
            "the certificate has the groups {}, the request {}",
            list(&found),
            list(&expected)
        )));
    }
    if !certificate.client_auth() {
        findings.push(Finding::new(
            Effect::NotAuthenticated,
            Code::NoClientAuth,
            FIELD,
            "the certificate is not for client authentication",
        ));
    }
    findings.extend(unknown_extension(certificate));
    if certificate.is_ca() {
        findings.push(mismatch(
            "the certificate is one of an authority, which can issue others",
        ));
    }
    findings.extend(other_lifetime(certificate, object));
    findings
}

/// Names in quotes with commas between them, for messages.
pub(super) fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return "(none)".to_owned();
    }
    let shown: Vec<_> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("\"{}\"", visible(name)))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn other_lifetime(
    certificate: &Certificate,
    object: &CertificateSigningRequest,
) -> Option<Finding> {
    let asked = i64::from(object.expiration_seconds?);
    let granted = (certificate.not_after() - certificate.not_before()).whole_seconds();
    let code = if granted + LEEWAY_SECONDS < asked {
        Code::LifetimeCut
    } else if granted > asked + LEEWAY_SECONDS {
        Code::LifetimeExceeded
    } else {
        return None;
    };
    let span = |seconds: i64| match Lifetime::try_from(seconds) {
        Ok(lifetime) => lifetime.rounded().to_string(),
        Err(_) => format!("{seconds} seconds"),
    };
    let message = format!(
        "valid until {}: {} granted, {} asked for",
        show_time(certificate.not_after()),
        span(granted),
        span(asked)
    );
    Some(Finding::new(Effect::Warns, code, FIELD, message))
}

/// What stands in a chain besides a certificate and those that issued it, or before it.
#[must_use]
pub fn check_chain(chain: &Chain, certificate: &Certificate) -> Option<Finding> {
    let issuing = chain.issuing(certificate);
    if issuing
        .iter()
        .map(Certificate::der)
        .eq(chain.iter().map(Certificate::der))
    {
        return None;
    }
    let all: HashSet<&[u8]> = chain.iter().map(Certificate::der).collect();
    let doubles = chain.iter().count() - all.len();
    let others = chain.rest().iter().chain([chain.leaf()]);
    let mut seen: HashSet<&[u8]> = issuing.iter().map(Certificate::der).collect();
    let others = others.filter(|it| seen.insert(it.der()));
    let others: Vec<String> = others.map(|it| it.subject().to_string()).collect();
    let mut said = Vec::new();
    if chain.leaf().der() != certificate.der() {
        said.push("another certificate stands before it".to_owned());
    }
    match doubles {
        0 => {}
        1 => said.push("one of them is a copy".to_owned()),
        _ => said.push(format!("{doubles} copies")),
    }
    if !others.is_empty() {
        said.push(format!("these did not issue it: {}", list(&others)));
    }
    let message = if said.is_empty() {
        "those that issued it are in another order".to_owned()
    } else {
        said.join("; ")
    };
    Some(Finding::new(
        Effect::Warns,
        Code::OtherCertificates,
        FIELD,
        format!("besides the certificate there are others: {message}"),
    ))
}

/// API servers refuse a certificate with a critical extension that crypto/x509 does not know.
pub(super) fn unknown_extension(certificate: &Certificate) -> Option<Finding> {
    let oid = certificate.unknown_critical_extension()?;
    let message = format!(
        "the certificate has the critical extension {oid}, which API servers do not \
                           know: they refuse it"
    );
    let code = Code::UnknownExtension;
    Some(Finding::new(Effect::NotAuthenticated, code, FIELD, message))
}

pub(super) fn uid(certificate: &Certificate) -> Option<Finding> {
    let error = certificate.subject().user_uid().err()?;
    Some(Finding::new(
        Effect::NotAuthenticated,
        Code::UnusableUid,
        "certificate.subject",
        format!("{error}: API servers since 1.33 refuse it"),
    ))
}

pub(super) fn dates(certificate: &Certificate, now: OffsetDateTime) -> Option<Finding> {
    let error = certificate.check_dates(now).err()?;
    let code = match error {
        Error::Expired { .. } => Code::Expired,
        _ => Code::NotYetValid,
    };
    Some(Finding::new(
        Effect::NotAuthenticated,
        code,
        FIELD,
        error.to_string(),
    ))
}
