//! The report on one thing, from what the rooms below read of it.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::contexts::{self, ContextReport, Entry, ReadFile};
use super::status::{self, StatusReport};
use super::{Context, Object};
use crate::certificate::{Certificate, show_time};
use crate::csr::CertificationRequest;
use crate::error::Error;
use crate::key::{EncodedKey, Fingerprint, PublicKey};
use crate::kubeconfig::{Cluster, ClusterProblem, Kubeconfig, KubeconfigError};
use crate::manifest::CertificateSigningRequest;
use crate::policy::{self, Code, Effect, Finding, Prediction, Review};
use crate::secret::Passphrase;
use crate::text::visible;
use crate::verdict::Requested;

/// What becomes of a file that is no request.
pub(super) const REFUSED: Prediction = Prediction {
    accepted: false,
    issued: Some(false),
    authenticates: false,
};

/// A certification request.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CsrReport {
    /// RFC 4514, deceptive characters escaped.
    pub subject: String,
    /// `DNS:host`, `IP:address`, ...
    pub subject_alt_names: Vec<String>,
    /// The extensions asked for, by name.
    pub extensions: Vec<String>,
    /// How it is signed.
    pub signature_algorithm: String,
    /// Whether it is signed by its own key.
    pub signature_valid: bool,
}

/// A public key.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PublicKeyReport {
    /// `RSA`, `ECDSA`, `Ed25519`, ...
    pub algorithm: String,
    /// The size of modulus or curve in bits.
    pub bits: Option<usize>,
    /// SHA-256 of the key: `SHA256:` and base64.
    #[cfg_attr(test, schemars(with = "String"))]
    pub fingerprint: Fingerprint,
    /// The modulus of an RSA key.
    #[serde(skip)]
    pub(super) rsa_modulus: Option<Vec<u8>>,
}

/// A certificate.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CertificateReport {
    /// RFC 4514, deceptive characters escaped.
    pub subject: String,
    /// Likewise.
    pub issuer: String,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// The first second of validity (RFC 3339, UTC).
    pub not_before: String,
    /// The last second of validity.
    pub not_after: String,
    /// Whole days until then, negative when it is over.
    pub days_left: i64,
    /// `X509SHA256=...`, as API servers log it.
    pub credential_id: String,
    /// Whether TLS clients may authenticate with it.
    pub client_auth: bool,
    /// Whether it may issue certificates itself.
    pub is_ca: bool,
}

/// A private key, of which nothing private is told.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PrivateKeyReport {
    /// `PKCS#8`, `PKCS#1`, ...
    pub encoding: String,
    /// Whether a passphrase is needed.
    pub encrypted: bool,
}

/// A kubeconfig, of which nothing secret is told.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KubeconfigReport {
    /// The current context.
    pub current_context: Option<String>,
    /// Names and servers of the clusters.
    pub clusters: Vec<NamedServer>,
    /// The names of the users and which fields each has.
    pub users: Vec<NamedFields>,
    /// The contexts.
    pub contexts: Vec<ContextReport>,
    /// The users as they are known.
    #[serde(skip)]
    pub(super) entries: Vec<Entry>,
}

/// A cluster of a kubeconfig.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NamedServer {
    /// The name of the entry.
    pub name: String,
    /// The address of the API server.
    pub server: String,
}

/// A user of a kubeconfig.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NamedFields {
    /// The name of the entry.
    pub name: String,
    /// The fields it has, without their values.
    pub fields: Vec<String>,
}

fn safe(text: &str) -> String {
    visible(text).to_string()
}

impl From<&PublicKey> for PublicKeyReport {
    fn from(key: &PublicKey) -> Self {
        Self {
            algorithm: key.algorithm(),
            bits: key.bits(),
            fingerprint: key.fingerprint(),
            rsa_modulus: key.rsa().map(|(modulus, _)| modulus.to_vec()),
        }
    }
}

impl CsrReport {
    fn new(csr: &CertificationRequest, signature_valid: bool) -> Self {
        Self {
            subject: csr.subject().to_string(),
            subject_alt_names: csr
                .subject_alt_names()
                .iter()
                .map(ToString::to_string)
                .collect(),
            extensions: csr
                .extensions()
                .iter()
                .map(crate::csr::Extension::name)
                .collect(),
            signature_algorithm: csr.signature_algorithm().to_string(),
            signature_valid,
        }
    }
}

impl CertificateReport {
    /// A certificate as it is at this time.
    pub(super) fn new(certificate: &Certificate, now: OffsetDateTime) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial(),
            not_before: show_time(certificate.not_before()),
            not_after: show_time(certificate.not_after()),
            days_left: certificate.days_left(now),
            credential_id: certificate.credential_id(),
            client_auth: certificate.client_auth(),
            is_ca: certificate.is_ca(),
        }
    }
}

impl Object {
    /// `requested` tells what is asked for with the request that was reviewed.
    fn of_review(
        kind: &str,
        review: Review,
        requested: impl FnOnce(CertificationRequest) -> Requested,
    ) -> Self {
        let csr = review.csr.as_ref();
        Self {
            kind: Some(kind.to_owned()),
            identity: review.identity,
            csr: csr.map(|csr| CsrReport::new(csr, review.signature_valid)),
            public_key: csr.map(|csr| csr.public_key().into()),
            requested: review.csr.map(|csr| Arc::new(requested(csr))),
            prediction: Some(review.prediction),
            findings: review.findings,
            ..Self::default()
        }
    }

    /// A request without manifest, in PEM or DER.
    pub(super) fn of_csr(input: &[u8], context: &Context<'_>) -> Self {
        let review = policy::review_csr(input, &context.agreed);
        Self::of_review("CertificationRequest", review, Requested::of_request)
    }

    /// A manifest, or the object that came of it.
    pub(super) fn of_manifest(
        object: &Map<String, Value>,
        comments: &[String],
        context: &Context<'_>,
    ) -> Self {
        let object = CertificateSigningRequest::read(object);
        let mut review = policy::review(&object, comments, &context.agreed);
        let csr = review.csr.as_ref();
        let status = object.status.as_ref();
        let status_report = status.map(|status| {
            let findings = &mut review.findings;
            Box::new(StatusReport::new(
                status,
                findings,
                csr,
                &object,
                context.now,
            ))
        });
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let requested = |request| Requested {
            name: object.metadata.name.clone(),
            signer: object.signer_name.clone(),
            usages: object.usages.clone(),
            expiration: object.expiration_seconds,
            request,
        };
        Self {
            name: some(&object.metadata.name),
            signer_name: some(&object.signer_name),
            usages: Some(object.usages.clone()),
            expiration_seconds: object.expiration_seconds,
            status: status_report,
            is_from_server: object.metadata.is_from_server,
            ..Self::of_review(crate::manifest::KIND, review, requested)
        }
    }

    pub(super) fn of_certificate(certificate: &Certificate, now: OffsetDateTime) -> Self {
        let identity = certificate.subject().identity();
        Self {
            kind: Some("Certificate".to_owned()),
            identity: identity.filter(|_| certificate.client_auth() && !certificate.is_ca()),
            public_key: Some(certificate.public_key().into()),
            certificate: Some(Box::new(CertificateReport::new(certificate, now))),
            findings: status::uid(certificate)
                .into_iter()
                .chain(status::unknown_extension(certificate))
                .chain(status::dates(certificate, now))
                .collect(),
            ..Self::default()
        }
    }

    pub(super) fn of_public_key(key: &PublicKey) -> Self {
        Self {
            kind: Some("PublicKey".to_owned()),
            public_key: Some(key.into()),
            ..Self::default()
        }
    }

    /// A private key shows its public side only, and an encrypted one that it is encrypted.
    pub(super) fn of_private_key(key: &EncodedKey, passphrase: Option<&Passphrase>) -> Self {
        let mut object = Self {
            kind: Some("PrivateKey".to_owned()),
            private_key: Some(PrivateKeyReport {
                encoding: key.encoding().to_string(),
                encrypted: key.is_encrypted(),
            }),
            ..Self::default()
        };
        match key.open(passphrase) {
            Ok(opened) => object.public_key = Some(opened.public_key().into()),
            Err(Error::PassphraseRequired) => {}
            Err(error) => object.findings.push(Finding::new(
                Effect::NotAccepted,
                Code::Unreadable,
                "privateKey",
                safe(&error.to_string()),
            )),
        }
        object
    }

    pub(super) fn of_kubeconfig(object: &Map<String, Value>, now: OffsetDateTime) -> Self {
        let mut report = Self {
            kind: Some(crate::kubeconfig::KIND.to_owned()),
            ..Self::default()
        };
        match Kubeconfig::from_object(object.clone()) {
            Ok(kubeconfig) => {
                let mut seen = KubeconfigReport::new(&kubeconfig);
                let clusters = kubeconfig.clusters();
                report.findings = clusters
                    .filter_map(|cluster| cluster_finding(&cluster))
                    .chain(seen.settle(|entry| !entry.is_open(), now))
                    .collect();
                report.kubeconfig = Some(Box::new(seen));
            }
            Err(error) => report.findings.push(kubeconfig_finding(&error)),
        }
        report
    }
}

impl KubeconfigReport {
    fn new(kubeconfig: &Kubeconfig) -> Self {
        let current = kubeconfig.current_context().to_owned();
        let (contexts, entries) = contexts::read(kubeconfig);
        Self {
            current_context: Some(current).filter(|name| !name.is_empty()),
            clusters: kubeconfig
                .clusters()
                .map(|cluster| NamedServer {
                    server: contexts::server(&cluster),
                    name: cluster.name,
                })
                .collect(),
            users: kubeconfig
                .users()
                .map(|(name, fields)| NamedFields {
                    name: name.to_owned(),
                    fields: fields.into_iter().map(str::to_owned).collect(),
                })
                .collect(),
            contexts,
            entries,
        }
    }

    /// What is known of these users goes into their contexts; what is wrong with them.
    fn settle(&mut self, which: impl Fn(&Entry) -> bool, now: OffsetDateTime) -> Vec<Finding> {
        let entries = self.entries.iter().filter(|entry| which(entry));
        let settled = entries.flat_map(|entry| entry.settle(&mut self.contexts, now));
        settled.collect()
    }

    /// Each user whose key this program serves, with the command that kubectl runs for it.
    pub(super) fn commands(&self) -> Vec<(String, String)> {
        let entries = self.entries.iter();
        let named = |entry: &Entry| Some((entry.name.clone(), entry.command.clone()?));
        entries.filter_map(named).collect()
    }

    /// kubectl does not run the command of this user.
    pub(super) fn is_not_run(&mut self, user: &str) {
        for entry in self.entries.iter().filter(|entry| entry.name == user) {
            for position in &entry.contexts {
                if let Some(context) = self.contexts.get_mut(*position) {
                    context.usable = Some(false);
                }
            }
        }
    }

    /// Looks at the certificates and keys that are in files; what is wrong with them.
    pub(super) fn look_up(
        &mut self,
        folder: &Path,
        read: ReadFile<'_>,
        now: OffsetDateTime,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.is_open()) {
            entry.look_up(folder, read);
            findings.extend(entry.settle(&mut self.contexts, now));
        }
        findings
    }
}

fn cluster_finding(cluster: &Cluster) -> Option<Finding> {
    let problem = cluster.check().err()?;
    let field = format!("clusters[{}]", visible(&cluster.name));
    let message = safe(&problem.to_string());
    let (effect, code) = match problem {
        ClusterProblem::NoAuthority(_) => (Effect::Notes, Code::BadKubeconfig),
        ClusterProblem::LeftOut(_) => (Effect::Misleads, Code::Redacted),
        _ => (Effect::Misleads, Code::BadKubeconfig),
    };
    Some(Finding::new(effect, code, field, message))
}

fn kubeconfig_finding(error: &KubeconfigError) -> Finding {
    let message = safe(&error.to_string());
    Finding::new(Effect::NotAccepted, Code::BadKubeconfig, "", message)
}
